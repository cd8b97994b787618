//! The look: what can be known of a document by itself. Blocks are cut, folded, scanned and put in line for their hash.

use crate::config::Config;
use crate::decide::{Judge, Page, Ruled, Scope};
use crate::error::Result;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::index::{EntryId, Index, Mark, Place, Trace};
use crate::rules::Rules;
use crate::scan::{Hit, scan};
use crate::text::{Fold, Span, Unit, blocks, fold, weighs};

/// A text with what is known of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Document<'d> {
    /// The text: bytes that are UTF-8 by convention.
    pub text: &'d [u8],
    /// Its address.
    pub url: Option<&'d str>,
    /// Its site; the registrable domain of its address if not given.
    pub site: Option<&'d str>,
}

impl<'d> Document<'d> {
    /// A document of which only the text is known.
    pub fn new(text: &'d (impl AsRef<[u8]> + ?Sized)) -> Self {
        Document { text: text.as_ref(), url: None, site: None }
    }

    /// The site: the one given, or the registrable domain of the address by the public-suffix list.
    pub fn site(&self) -> Option<&'d str> {
        self.site.or_else(|| registrable_domain(self.url?))
    }
}

fn registrable_domain(url: &str) -> Option<&str> {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    psl::domain_str(host).or((!host.is_empty()).then_some(host))
}

/// What was seen of some documents.
#[derive(Debug, Default)]
pub(crate) struct Look {
    kinds: Vec<Kind>,
    /// One for each block; of use only for those that are compared.
    fingerprints: Vec<Fingerprint>,
    ruled: Vec<Ruled>,
    documents: Vec<LookedDocument>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Blank,
    Uncompared,
    Short,
    Long,
}

#[derive(Clone, Copy, Debug)]
struct LookedDocument {
    blocks_start: usize,
    ruled_start: usize,
    group: Group,
}

/// With what a document is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Corpus,
    Site(Fingerprint),
    Alone,
}

impl Look {
    pub(crate) fn clear(&mut self) {
        self.kinds.clear();
        self.fingerprints.clear();
        self.ruled.clear();
        self.documents.clear();
    }

    pub(crate) fn n_blocks(&self) -> usize {
        self.kinds.len()
    }

    /// What rules remove from a document.
    pub(crate) fn ruled_of(&self, document_idx: usize) -> &[Ruled] {
        let end = self.documents.get(document_idx + 1).map_or(self.ruled.len(), |next| next.ruled_start);
        &self.ruled[self.documents[document_idx].ruled_start..end]
    }

    /// Adds a document that has no text to look at.
    pub(crate) fn push_empty(&mut self) {
        self.documents.push(LookedDocument {
            blocks_start: self.kinds.len(),
            ruled_start: self.ruled.len(),
            group: Group::Alone,
        });
    }

    fn blocks_of(&self, document_idx: usize) -> std::ops::Range<usize> {
        let end = self.documents.get(document_idx + 1).map_or(self.kinds.len(), |next| next.blocks_start);
        self.documents[document_idx].blocks_start..end
    }

    /// Notes the documents in the index, as standing in part `part` after what `trace` holds, and adds their marks to
    /// `trace`. A block that a rule removes is not noted: its repeats elsewhere are not repeats of something that stays.
    pub(crate) fn note(&self, index: &impl Index, part: u32, trace: &mut Trace) -> Result<()> {
        let base = trace.n_blocks();
        let place = |block_idx: usize| {
            let block = u32::try_from(base + block_idx).expect("has_room was asked, so that blocks can be numbered");
            Place { part, block }
        };
        let mut is_compared: Vec<bool> =
            self.kinds.iter().map(|kind| matches!(kind, Kind::Short | Kind::Long)).collect();
        for document_idx in 0..self.documents.len() {
            let start = self.blocks_of(document_idx).start;
            for ruled in self.ruled_of(document_idx).iter().filter(|ruled| ruled.words.is_none()) {
                is_compared[start + ruled.block as usize] = false;
            }
        }
        let mut batch = Vec::with_capacity(self.kinds.len());
        for (document_idx, document) in self.documents.iter().enumerate() {
            let blocks = self.blocks_of(document_idx);
            let compared = blocks.clone().filter(|&block_idx| is_compared[block_idx]);
            let scope = match document.group {
                Group::Corpus => None,
                Group::Site(site) => Some(site),
                Group::Alone => {
                    let Place { part, block } = place(blocks.start);
                    Some(Fingerprint::of_scope(&[part.to_le_bytes(), block.to_le_bytes()].concat()))
                }
            };
            let scoped = |fingerprint: Fingerprint| scope.map_or(fingerprint, |scope| fingerprint.within(scope));
            batch.extend(compared.clone().map(|block_idx| (scoped(self.fingerprints[block_idx]), place(block_idx))));
            if self.is_compared_whole(document, compared.clone()) {
                let whole = Fingerprint::of_document(compared.map(|block_idx| self.fingerprints[block_idx]));
                batch.push((scoped(whole), place(blocks.start)));
            }
        }
        let mut entries = Vec::with_capacity(batch.len());
        index.note(&batch, &mut entries)?;
        let mut entries = entries.into_iter();
        let mut next = || entries.next().expect("an index gives an entry for each fingerprint");
        for (document_idx, document) in self.documents.iter().enumerate() {
            let blocks = self.blocks_of(document_idx);
            let marks: Vec<Mark> =
                blocks.clone().map(|block_idx| self.mark(block_idx, is_compared[block_idx], &mut next)).collect();
            let compared = blocks.filter(|&block_idx| is_compared[block_idx]);
            let whole = self.is_compared_whole(document, compared).then(&mut next);
            trace.push(marks, whole);
        }
        Ok(())
    }

    fn mark(&self, block_idx: usize, is_compared: bool, next: &mut impl FnMut() -> EntryId) -> Mark {
        match self.kinds[block_idx] {
            Kind::Blank => Mark::BLANK,
            Kind::Short if is_compared => Mark::short(next()),
            Kind::Long if is_compared => Mark::long(next()),
            _ => Mark::UNCOMPARED,
        }
    }

    /// Whether a document may be a copy of another in a way that its long blocks do not tell: it has several blocks, and
    /// some are short. A document of one short line is no more than a short line.
    fn is_compared_whole(&self, document: &LookedDocument, compared: impl Iterator<Item = usize> + Clone) -> bool {
        document.group != Group::Alone
            && compared.clone().nth(1).is_some()
            && compared.into_iter().any(|block_idx| self.kinds[block_idx] == Kind::Short)
    }
}

/// Looks at documents, one thread's worth at a time.
#[derive(Debug)]
pub(crate) struct Looker {
    unit: Unit,
    fold: Fold,
    min_chars: usize,
    scope: Scope,
    fingerprinter: Fingerprinter,
    blocks: Vec<Span>,
    shown: Vec<u32>,
    hits: Vec<Hit>,
    judge: Judge,
    scratch: Vec<u8>,
}

impl Looker {
    pub(crate) fn new(config: &Config) -> Self {
        Looker {
            unit: config.unit,
            fold: config.fold,
            min_chars: config.min_chars,
            scope: config.scope,
            fingerprinter: Fingerprinter::default(),
            blocks: Vec::new(),
            shown: Vec::new(),
            hits: Vec::new(),
            judge: Judge::default(),
            scratch: Vec::new(),
        }
    }

    /// The blocks of the document that was looked at last.
    pub(crate) fn blocks(&self) -> &[Span] {
        &self.blocks
    }

    /// Adds a document to `look`. Fingerprints are complete only after [`finish`](Looker::finish).
    pub(crate) fn look(&mut self, rules: &Rules, document: &Document<'_>, look: &mut Look) {
        self.blocks.clear();
        self.shown.clear();
        self.hits.clear();
        let site = if self.scope == Scope::Site || rules.ask_for_site() { document.site() } else { None };
        look.documents.push(LookedDocument {
            blocks_start: look.kinds.len(),
            ruled_start: look.ruled.len(),
            group: match (self.scope, site) {
                (Scope::Corpus, _) => Group::Corpus,
                (Scope::Site, Some(site)) => Group::Site(Fingerprint::of_scope(site.as_bytes())),
                (Scope::Site, None) | (Scope::Document | Scope::Off, _) => Group::Alone,
            },
        });
        for (block_idx, span) in (0..).zip(blocks(document.text, self.unit)) {
            self.blocks.push(span);
            let kind = self.look_at_block(rules, span.of(document.text), look);
            if kind != Kind::Blank {
                self.shown.push(block_idx);
            }
            look.kinds.push(kind);
        }
        let page = Page { text: document.text, blocks: &self.blocks, site, shown: &self.shown };
        self.judge.judge(rules, &page, &self.hits, &mut look.ruled);
    }

    /// Completes the fingerprints of all documents in `look`.
    pub(crate) fn finish(&mut self, look: &mut Look) {
        self.fingerprinter.flush(&mut look.fingerprints);
    }

    fn look_at_block(&mut self, rules: &Rules, block: &[u8], look: &mut Look) -> Kind {
        let slot = look.fingerprints.len();
        look.fingerprints.push(Fingerprint::default());
        fold(block, Fold::Loose, self.fingerprinter.begin());
        let folded = self.fingerprinter.folded();
        if folded.is_empty() {
            return Kind::Blank;
        }
        scan(rules, folded, self.shown.len(), &mut self.scratch, &mut self.hits);
        let kind = match self.scope {
            Scope::Off => Kind::Uncompared,
            _ if self.is_long(folded) => Kind::Long,
            _ => Kind::Short,
        };
        if kind == Kind::Uncompared {
            self.fingerprinter.discard();
            return kind;
        }
        if self.fold != Fold::Loose {
            self.fingerprinter.discard();
            fold(block, self.fold, self.fingerprinter.begin());
            if self.fingerprinter.folded().is_empty() {
                return Kind::Uncompared;
            }
        }
        self.fingerprinter.end(slot, &mut look.fingerprints);
        kind
    }

    fn is_long(&self, folded: &[u8]) -> bool {
        // A character weighs all of its bytes at most.
        folded.len() >= self.min_chars && weighs(folded, self.min_chars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_the_registrable_domain() {
        for (url, site) in [
            ("https://news.bbc.co.uk/1/hi", Some("bbc.co.uk")),
            ("http://user:pw@www.example.com:8080?x#y", Some("example.com")),
            ("example.org/page", Some("example.org")),
            ("http://localhost:80/", Some("localhost")),
            ("", None),
        ] {
            assert_eq!(Document { url: Some(url), ..Document::default() }.site(), site, "{url}");
        }
    }
}
