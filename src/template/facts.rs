//! Facts: what the survey keeps of documents, enough to learn from and to apply to, and no text.

use super::{Line, MAX_DOCUMENTS};
use crate::fingerprint::Fingerprint;
use hashbrown::HashMap;

/// The facts of the documents of a part that have a site.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartFacts {
    sites: Vec<Box<str>>,
    by_name: HashMap<Box<str>, u32>,
    documents: Vec<Document>,
    lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug)]
struct Document {
    /// Its number among all documents of the part.
    document_idx: usize,
    site: u32,
    /// Its first line.
    start: usize,
    identity: Fingerprint,
}

/// The facts of one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DocumentFacts<'f> {
    /// Its number among all documents of the part.
    pub(crate) document_idx: usize,
    pub(crate) site: &'f str,
    pub(crate) identity: Fingerprint,
    /// Its lines that show something.
    pub(crate) lines: &'f [Line],
}

impl PartFacts {
    /// Adds a document.
    pub(crate) fn push(&mut self, document_idx: usize, site: &str, lines: impl Iterator<Item = Line>) {
        let start = self.lines.len();
        self.lines.extend(lines);
        let identity = identity(&self.lines[start..]);
        let site = site_name(site);
        let site = match self.by_name.get(&*site) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.sites.len()).expect("a part of 2^32 sites does not fit in memory");
                self.sites.push((&*site).into());
                self.by_name.insert((&*site).into(), number);
                number
            }
        };
        self.documents.push(Document { document_idx, site, start, identity });
    }

    /// Gives back what memory is not needed once all documents are in.
    pub(crate) fn shrink(&mut self) {
        self.by_name = HashMap::new();
        self.documents.shrink_to_fit();
        self.lines.shrink_to_fit();
    }

    /// How many documents there are.
    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }

    /// A document, by its number among those here.
    pub(crate) fn document(&self, number: usize) -> DocumentFacts<'_> {
        let Document { document_idx, site, start, identity } = self.documents[number];
        let end = self.documents.get(number + 1).map_or(self.lines.len(), |next| next.start);
        DocumentFacts { document_idx, site: &self.sites[site as usize], identity, lines: &self.lines[start..end] }
    }
}

/// What a document is but for its numbers.
pub(crate) fn identity(lines: &[Line]) -> Fingerprint {
    let bytes: Vec<u8> = lines.iter().flat_map(|line| line.to_bytes()).collect();
    Fingerprint::of(&bytes)
}

/// A site's name as templates are found by it.
pub(crate) fn site_name(site: &str) -> std::borrow::Cow<'_, str> {
    if site.bytes().any(|byte| byte.is_ascii_uppercase()) { site.to_ascii_lowercase().into() } else { site.into() }
}

/// The documents of a site that are learned from: each once, in the order of their identities, and of a large site those
/// with the smallest, so that of two halves of a site the same are chosen as of the whole.
pub(crate) fn chosen<'f>(mut documents: Vec<DocumentFacts<'f>>) -> Vec<&'f [Line]> {
    documents.sort_unstable_by_key(|document| document.identity);
    documents.dedup_by_key(|document| document.identity);
    documents.truncate(MAX_DOCUMENTS);
    documents.into_iter().map(|document| document.lines).collect()
}
