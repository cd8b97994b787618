//! Site templates: which lines of a site are chrome because its pages repeat them.
//!
//! Only facts of documents go in: of each line that shows something, a key and what shape it has. Learning is a function of
//! the set of facts, so that it knows no order and counts nothing twice; applying looks at the templates and one document,
//! so that a pack cleans page by page as the run that learned it did.
//!
//! ```text
//! pages of a site     what many have       reached from an edge          what goes of a page
//!   Acme | Home         Acme | Home          Acme | Home   (head)          Acme | Home
//!   Login               Login                Login         (head)          Login
//!   A ship sails        Share                Share         (tail)          A ship sails         stays
//!   It left at dawn …   © 2024 Acme          © 2024 Acme   (tail)          It left at dawn …    stays
//!   Share               Share                                              Share
//!   © 2024 Acme         © 2024 Acme                                        © 2024 Acme
//! ```
//!
//! `docs/design.md` says why each threshold is what it is.

mod apply;
mod facts;
mod file;
mod learn;
mod line;
mod site;
mod union;

pub(crate) use facts::{DocumentFacts, PartFacts, chosen, identity, site_name};
pub(crate) use file::is_facts;
pub(crate) use learn::learn;
pub(crate) use line::{Line, Shape, mask, mask_shaped};
pub use site::{LearnedSite, LearnedTemplate, Where, pack_toml};
pub(crate) use union::{SiteUnion, Union};

use hashbrown::HashMap;

/// The version of what is learned: of the fold, the mask and the thresholds together.
pub const LEARNED_VERSION: u32 = 3;

/// A document of a site with more is not looked at, unless its identity is among the so many smallest.
pub(crate) const MAX_DOCUMENTS: usize = 16_384;
/// Below so many pages there are few, and blocks in mid-page must be longer and on more of them.
pub(crate) const FEW: usize = 8;
/// So many copies a page, and a line is part of how the content is built.
const OFTEN: u32 = 3;
/// A page that has so many lines of prose does not lose all of them.
const GUARD: usize = 3;

/// What was learned of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteTemplates {
    found: HashMap<Line, Entry>,
    /// The pages that it was learned from; copies of one text are one page.
    documents: u32,
}

/// What is known of a line that is a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) place: Places,
    /// The pages that have it.
    pub(crate) documents: u32,
    /// How often it stands on them.
    pub(crate) copies: u32,
}

/// Where on pages a line was found to be a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) head: bool,
    pub(crate) tail: bool,
    pub(crate) mid: bool,
}

impl Entry {
    /// Whether it stands on its pages so often that it may be part of how the content is built.
    fn is_often(&self) -> bool {
        self.copies > OFTEN.saturating_mul(self.documents)
    }
}

impl SiteTemplates {
    pub(crate) fn new(documents: u32, found: impl IntoIterator<Item = (Line, Entry)>) -> Self {
        SiteTemplates { found: found.into_iter().collect(), documents }
    }

    /// The pages that it was learned from.
    pub(crate) fn documents(&self) -> u32 {
        self.documents
    }

    /// The templates, in the order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Line, Entry)> {
        let mut found: Vec<(Line, Entry)> = self.found.iter().map(|(line, entry)| (*line, *entry)).collect();
        found.sort_unstable_by_key(|(line, _)| *line);
        found.into_iter()
    }
}

/// How many lines a block in mid-page has at least.
fn least(n_documents: usize) -> usize {
    if n_documents >= FEW { 4 } else { 6 }
}
