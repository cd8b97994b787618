//! Gathering the facts that templates are learned from, beside the look at a document.

use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::template::{Line, PartFacts, Shape, mask_shaped};

/// The facts of the documents of a look, before all their lines are hashed.
#[derive(Debug, Default)]
pub(crate) struct LookedFacts {
    documents: Vec<LookedDocument>,
    /// Nothing for a line that is to be no template.
    lines: Vec<Option<(Hashed, Shape)>>,
    /// Of lines that are hashed for this alone.
    fingerprints: Vec<Fingerprint>,
}

#[derive(Debug)]
struct LookedDocument {
    document_idx: usize,
    site: Box<str>,
    start: usize,
}

/// Where the fingerprint of a line will stand.
#[derive(Clone, Copy, Debug)]
enum Hashed {
    /// Among those of the blocks, since it is hashed as it stands anyway.
    AsBlock(u32),
    /// Among those that are hashed for templates alone.
    Masked(u32),
}

impl LookedFacts {
    pub(crate) fn clear(&mut self) {
        self.documents.clear();
        self.lines.clear();
        self.fingerprints.clear();
    }

    /// Begins a document.
    pub(crate) fn begin(&mut self, document_idx: usize, site: &str) {
        self.documents.push(LookedDocument { document_idx, site: site.into(), start: self.lines.len() });
    }

    /// Has the line that was added last be no template.
    pub(crate) fn spare_last(&mut self) {
        if let Some(line) = self.lines.last_mut() {
            *line = None;
        }
    }
}

/// Hashes lines for templates; one for each thread.
#[derive(Debug, Default)]
pub(crate) struct FactsLooker {
    fingerprinter: Fingerprinter,
}

impl FactsLooker {
    /// Adds a line to the document that was begun last, given its loose fold, and the slot of its fingerprint among those
    /// of the blocks if it is to have one.
    pub(crate) fn add(&mut self, folded: &[u8], slot: Option<usize>, facts: &mut LookedFacts) {
        let number = |slot: usize| u32::try_from(slot).expect("blocks of a part are numbered with 32 bits");
        let (is_masked, shape) = mask_shaped(folded, self.fingerprinter.begin());
        let hashed = match slot.filter(|_| !is_masked) {
            Some(slot) => Hashed::AsBlock(number(slot)),
            None => {
                if !is_masked {
                    self.fingerprinter.begin().extend_from_slice(folded);
                }
                let slot = facts.fingerprints.len();
                facts.fingerprints.push(Fingerprint::default());
                self.fingerprinter.end(slot, &mut facts.fingerprints);
                Hashed::Masked(number(slot))
            }
        };
        facts.lines.push(Some((hashed, shape)));
    }

    /// The facts, given the fingerprints of the blocks.
    pub(crate) fn finish(&mut self, facts: &mut LookedFacts, of_blocks: &[Fingerprint]) -> PartFacts {
        self.fingerprinter.flush(&mut facts.fingerprints);
        let mut part = PartFacts::default();
        let ends = facts.documents.iter().skip(1).map(|next| next.start).chain([facts.lines.len()]);
        for (document, end) in facts.documents.iter().zip(ends) {
            let lines = facts.lines[document.start..end].iter().map(|line| {
                let Some((hashed, shape)) = *line else { return Line::NONE };
                let fingerprint = match hashed {
                    Hashed::AsBlock(slot) => of_blocks[slot as usize],
                    Hashed::Masked(slot) => facts.fingerprints[slot as usize],
                };
                Line::new(fingerprint, shape)
            });
            part.push(document.document_idx, &document.site, lines);
        }
        part.shrink();
        part
    }
}
