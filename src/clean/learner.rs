//! Learning site templates from documents as they arrive.

use super::Document;
use crate::error::Result;
use crate::template::{LearnedSite, SiteUnion, Union, pack_toml};
use crate::text::Unit;

/// Learns which lines are chrome of a site from its pages: what a crawler feeds for a while, and then cleans by.
///
/// What is learned does not depend on the order of the documents, and learning from some and from others and merging is
/// learning from all. The lines of at most 16,384 documents of a site are kept in memory, folded.
///
/// ```
/// use dehusk::{Document, Learner, text::Unit};
///
/// let mut learner = Learner::new(Unit::Line);
/// for what in ["ferry", "cat", "cook", "mayor", "baker", "miller", "smith", "clerk", "pilot"] {
///     let text = format!("Harbour Gazette\nNews | Sport\nSign in »\nThe {what} and the sea\nA tale.\nImprint\n");
///     learner.add(&Document { site: Some("gazette.example"), ..Document::new(&text) });
/// }
/// let sites = learner.finish();
/// let lines: Vec<&str> = sites[0].templates.iter().map(|template| template.line.as_str()).collect();
/// assert_eq!(lines, ["a tale.", "harbour gazette", "imprint", "news | sport", "sign in »"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learner {
    unit: Unit,
    union: Union,
}

impl Learner {
    /// A learner that knows nothing yet, for documents that are cut into such blocks.
    pub fn new(unit: Unit) -> Self {
        Learner { unit, union: Union::default() }
    }

    /// Takes a document in, and says whether it has a site: without one nothing can be learned from it.
    pub fn add(&mut self, document: &Document<'_>) -> bool {
        let site = document.site();
        if let Some(site) = site {
            self.union.add(site, document.text, self.unit);
        }
        site.is_some()
    }

    /// Takes in all that another learner knows. What is of another unit is of no use to this one.
    pub fn merge(&mut self, other: Learner) {
        if other.unit == self.unit {
            self.union.merge(other.union);
        }
    }

    /// Takes in what [`facts`](Learner::facts) wrote; `origin` names it in messages.
    ///
    /// # Errors
    ///
    /// When the bytes are no facts, were changed, or are of another version or unit.
    pub fn merge_facts(&mut self, origin: &str, facts: &[u8]) -> Result<()> {
        self.union.merge(Union::read(origin, facts, self.unit)?);
        Ok(())
    }

    /// All that it knows, to be merged later.
    pub fn facts(&self) -> Vec<u8> {
        self.union.to_bytes(self.unit)
    }

    /// What it has learned of each site that has templates, by name.
    pub fn finish(&self) -> Vec<LearnedSite> {
        self.sites().filter_map(|(site, known)| known.learn(site)).collect()
    }

    /// The same as the TOML of a pack, which [`Pack::parse`](crate::rules::Pack::parse) reads.
    pub fn finish_pack(&self, name: &str) -> String {
        pack_toml(name, &self.finish())
    }

    pub(crate) fn sites(&self) -> impl Iterator<Item = (&str, &SiteUnion)> {
        self.union.sites()
    }
}
