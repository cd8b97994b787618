//! What was learned of a site, as a pack has it: for people to read, and for `clean --pack`.

use super::facts::site_name;
use super::{Entry, LEARNED_VERSION, Line, Places, SiteTemplates};
use crate::text::{Fold, fold};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What was learned of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedSite {
    /// The site, as documents have it.
    pub site: String,
    /// [`LEARNED_VERSION`] of the dehusk that learned it.
    pub learned: u32,
    /// The pages that it was learned from; copies of one text are one page.
    pub documents: u32,
    /// Its templates.
    #[serde(default, rename = "template")]
    pub templates: Vec<LearnedTemplate>,
}

/// A line that the pages of a site repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedTemplate {
    /// The folded line, with each run of digits as one `0`.
    pub line: String,
    /// The line as it stands on one of the pages.
    pub sample: String,
    /// Where on pages it may go.
    #[serde(rename = "where")]
    pub places: Vec<Where>,
    /// The pages that have it.
    pub documents: u32,
    /// How often it stands on them.
    pub copies: u32,
}

/// A place on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// At its top, or reached from there through other templates.
    Head,
    /// At its bottom, or reached from there.
    Tail,
    /// In a block of such lines in the middle.
    Mid,
}

/// The TOML of a pack of what was learned; `name` must be letters, digits and hyphens.
pub fn pack_toml(name: &str, sites: &[LearnedSite]) -> String {
    #[derive(Serialize)]
    struct Pack<'p> {
        format: u32,
        name: &'p str,
        about: &'static str,
        site: &'p [LearnedSite],
    }
    let about = "What the pages of sites repeat, as dehusk learn found it. Delete what should stay";
    let pack = Pack { format: 1, name, about, site: sites };
    toml::to_string(&pack).expect("texts, numbers and lists of them can be written as TOML")
}

impl LearnedSite {
    /// What is wrong with it, if anything is.
    pub(crate) fn complaint(&self) -> Option<String> {
        if self.learned != LEARNED_VERSION {
            let learned = self.learned;
            return Some(format!(
                "learned version {learned} is not known; this version reads {LEARNED_VERSION}, so learn it again"
            ));
        }
        if self.site.is_empty() {
            return Some("its name is empty; give the site that documents have".into());
        }
        let mut lines = HashSet::new();
        self.templates.iter().find_map(|template| {
            let LearnedTemplate { line, places, documents, copies, .. } = template;
            let key = template.key();
            let what = if key.is_none() {
                "it folds to nothing; delete it"
            } else if !lines.insert(key) {
                "it stands twice; delete one"
            } else if places.is_empty() {
                "\"where\" is empty; give head, tail or mid, or delete it"
            } else if *documents == 0 || *documents > self.documents || copies < documents {
                "its counts cannot be; copies are at least documents, and those at most the site's"
            } else {
                return None;
            };
            Some(format!("line {line:?}: {what}"))
        })
    }

    /// Its name as it is looked up.
    pub(crate) fn key(&self) -> String {
        site_name(&self.site).into_owned()
    }

    /// What to apply to documents.
    pub(crate) fn compile(&self) -> SiteTemplates {
        let found = self.templates.iter().filter_map(|template| {
            let is_at = |place: Where| template.places.contains(&place);
            let place = Places { head: is_at(Where::Head), tail: is_at(Where::Tail), mid: is_at(Where::Mid) };
            Some((template.key()?, Entry { place, documents: template.documents, copies: template.copies }))
        });
        SiteTemplates::new(self.documents, found)
    }
}

impl LearnedTemplate {
    fn key(&self) -> Option<Line> {
        let mut folded = Vec::new();
        fold(self.line.as_bytes(), Fold::Loose, &mut folded);
        (!folded.is_empty()).then(|| Line::of_folded(&folded))
    }
}

impl Places {
    pub(super) fn list(self) -> Vec<Where> {
        let places = [(self.head, Where::Head), (self.tail, Where::Tail), (self.mid, Where::Mid)];
        places.into_iter().filter(|(is_at, _)| *is_at).map(|(_, place)| place).collect()
    }
}
