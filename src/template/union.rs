//! The union of what is known of a site's pages, from which a pack is made.
//!
//! Documents are told apart by their identities, so that a union knows no order and counts nothing twice: learning from two
//! halves and joining them is learning from both, even where they overlap.

use super::facts::{identity, site_name};
use super::{LEARNED_VERSION, LearnedSite, LearnedTemplate, Line, MAX_DOCUMENTS, SiteTemplates, learn, mask};
use crate::fingerprint::Fingerprint;
use crate::text::{Fold, Unit, blocks, fold};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// How much of a sample is kept, in characters.
const SAMPLE_CHARS: usize = 120;

/// What is known of the pages of all sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Union {
    pub(super) sites: BTreeMap<Box<str>, SiteUnion>,
}

/// What is known of the pages of a site: of each its lines, by its identity, and of each line how it reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct SiteUnion {
    pub(super) documents: BTreeMap<Fingerprint, Box<[Line]>>,
    /// May have lines of documents that are no longer among those.
    texts: HashMap<Line, Text>,
}

/// How a line reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    /// The document that the sample is of: the one of the smallest identity that has the line, so that it is one of those
    /// that are kept if any is.
    identity: Fingerprint,
    pub(super) sample: Box<str>,
    pub(super) masked: Box<str>,
}

impl Union {
    /// Adds a document.
    pub(crate) fn add(&mut self, site: &str, text: &[u8], unit: Unit) {
        let (mut lines, mut texts) = (Vec::new(), Vec::new());
        let (mut folded, mut masked) = (Vec::new(), Vec::new());
        for block in blocks(text, unit) {
            folded.clear();
            masked.clear();
            fold(block.of(text), Fold::Loose, &mut folded);
            if folded.is_empty() {
                continue;
            }
            let masked = if mask(&folded, &mut masked) { &masked } else { &folded };
            // What is not UTF-8 cannot be written down as it is, and matches nothing later.
            let masked = String::from_utf8_lossy(masked);
            lines.push(Line::of_masked(masked.as_bytes()));
            texts.push((sample(block.of(text)), masked.into()));
        }
        self.site(site).insert(lines, texts.into_iter());
    }

    /// Adds all of another union.
    pub(crate) fn merge(&mut self, other: Union) {
        for (site, of_site) in other.sites {
            self.site(&site).merge(of_site);
        }
    }

    pub(super) fn site(&mut self, site: &str) -> &mut SiteUnion {
        self.sites.entry(site_name(site).into()).or_default()
    }

    /// The sites, by name.
    pub(crate) fn sites(&self) -> impl Iterator<Item = (&str, &SiteUnion)> {
        self.sites.iter().map(|(name, site)| (&**name, site))
    }
}

impl SiteUnion {
    /// Adds a document: its lines, and for each its sample and its masked fold.
    pub(super) fn insert(&mut self, lines: Vec<Line>, texts: impl Iterator<Item = (Box<str>, Box<str>)>) {
        let identity = identity(&lines);
        for (line, (sample, masked)) in lines.iter().zip(texts) {
            self.insert_text(*line, Text { identity, sample, masked });
        }
        self.documents.insert(identity, lines.into());
        self.trim();
    }

    fn insert_text(&mut self, line: Line, text: Text) {
        match self.texts.get_mut(&line) {
            Some(own) if *own <= text => {}
            Some(own) => *own = text,
            None => {
                self.texts.insert(line, text);
            }
        }
    }

    fn merge(&mut self, other: SiteUnion) {
        for (line, text) in other.texts {
            self.insert_text(line, text);
        }
        self.documents.extend(other.documents);
        self.trim();
    }

    fn trim(&mut self) {
        while self.documents.len() > MAX_DOCUMENTS {
            self.documents.pop_last();
        }
    }

    /// How many documents are looked at.
    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }

    /// How a line of one of its documents reads.
    pub(super) fn text(&self, line: Line) -> Option<&Text> {
        self.texts.get(&line)
    }

    /// What is learned of it; nothing where it has no template.
    pub(crate) fn learn(&self, site: &str) -> Option<LearnedSite> {
        let documents: Vec<&[Line]> = self.documents.values().map(|lines| &**lines).collect();
        let learned: SiteTemplates = learn(&documents);
        let mut templates: Vec<LearnedTemplate> = learned
            .iter()
            .filter_map(|(line, entry)| {
                let Text { sample, masked, .. } = self.text(line)?;
                Some(LearnedTemplate {
                    line: masked.to_string(),
                    sample: sample.to_string(),
                    places: entry.place.list(),
                    documents: entry.documents,
                    copies: entry.copies,
                })
            })
            .collect();
        // What is on most pages comes first.
        templates.sort_by(|one, other| other.documents.cmp(&one.documents).then_with(|| one.line.cmp(&other.line)));
        let documents = learned.documents();
        (!templates.is_empty()).then(|| LearnedSite {
            site: site.to_owned(),
            learned: LEARNED_VERSION,
            documents,
            templates,
        })
    }
}

impl PartialEq for SiteUnion {
    /// Whether the same is learned from both, now and after any merge.
    fn eq(&self, other: &Self) -> bool {
        let texts = |lines: &[Line]| {
            lines.iter().all(|line| match (self.text(*line), other.text(*line)) {
                (Some(own), Some(other)) => own.sample == other.sample && own.masked == other.masked,
                _ => false,
            })
        };
        self.documents == other.documents && self.documents.values().all(|lines| texts(lines))
    }
}

impl Eq for SiteUnion {}

/// How a block reads, at its start.
fn sample(block: &[u8]) -> Box<str> {
    let text = String::from_utf8_lossy(block.trim_ascii());
    match text.char_indices().nth(SAMPLE_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]).into(),
        None => text.into(),
    }
}
