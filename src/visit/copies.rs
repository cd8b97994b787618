//! What is known of the copies of a document's blocks: in the document, and in others that came before.
//!
//! Places are numbered for the document alone: part 0 is the document, the parts from 1 on are others, as they are met.

use crate::clean::Look;
use crate::decide::{Copies, Side, Template};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::index::{Frozen, Lookup, Mark, MemoryIndex, Place, Trace};
use crate::recall::{Compared, Elsewhere, Known, Recalled, rest_of};
use std::collections::HashMap;
use std::sync::Arc;

/// The part that the first of the others is.
const FIRST_OTHER: u32 = 1;

#[derive(Debug)]
pub(crate) struct DocumentCopies {
    within: Frozen,
    trace: Trace,
    /// What templates of its site remove, with the marks that the blocks had.
    templated: Vec<(u32, Mark)>,
    /// What these leave of it as a whole.
    rest: Option<Fingerprint>,
    elsewhere: Elsewhere<Known>,
}

impl DocumentCopies {
    /// What is known of the document that was looked at by itself.
    pub(super) fn of(look: &Look) -> Result<Self> {
        let (within, mut trace) = (MemoryIndex::small(), Trace::default());
        look.note(&within, 0, &mut trace)?;
        Ok(DocumentCopies {
            within: within.freeze(),
            trace,
            templated: Vec::new(),
            rest: None,
            elsewhere: Elsewhere::nothing(FIRST_OTHER),
        })
    }

    /// What is compared of the document.
    pub(super) fn compared(&self) -> Compared {
        Compared::of(&self.trace, 0, &self.within, self.templated.iter().copied(), self.rest)
    }

    /// The blocks that show something.
    pub(super) fn shown(&self) -> Vec<u32> {
        let shown = self.trace.blocks_of(0).filter(|&block| self.trace.mark(block) != Mark::BLANK);
        shown.map(number).collect()
    }

    /// Takes out what templates of its site remove.
    pub(super) fn remove(&mut self, templated: &[(u32, Template)]) {
        // What rules remove as well was not compared, and is not missing in the whole.
        let is_compared = |(block, _): &(u32, Template)| self.trace.mark(*block as usize).entry().is_some();
        if !templated.iter().any(is_compared) {
            return;
        }
        let was_whole = self.trace.whole(0).is_some();
        for &(block, _) in templated {
            self.templated.push((block, self.trace.mark(block as usize)));
            self.trace.compare_not(block as usize);
        }
        self.trace.compare_no_whole(0);
        self.rest = if was_whole { rest_of(&self.trace, 0, &self.within) } else { None };
    }

    /// Takes in who else has each of the claims, and what is known of them; tells who the others are.
    pub(super) fn tell(
        &mut self,
        compared: &Compared,
        holders: &[Option<Known>],
        documents: &HashMap<Known, Arc<Recalled>>,
    ) -> Vec<(Option<u16>, String)> {
        let recalled = |known: Known| documents.get(&known).cloned();
        self.elsewhere = Elsewhere::new(compared, holders.iter().copied(), recalled, FIRST_OTHER);
        let id = |known| documents.get(&known).map(|document| document.shown_id());
        self.elsewhere.keys().map(|known| (known.against, id(known).unwrap_or_default())).collect()
    }
}

impl Copies for DocumentCopies {
    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn of_block(&self, block: usize) -> Option<Place> {
        let here = Place { part: 0, block: number(block) };
        self.elsewhere.of_block(here.block).or_else(|| {
            let first = self.within.seen(self.trace.mark(block).entry()?).first;
            (first != here).then_some(first)
        })
    }

    fn of_document(&self, _document_idx: usize) -> Option<Place> {
        self.elsewhere.of_whole()
    }

    fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)> {
        let n_blocks = if place.part == 0 { self.trace.n_blocks() } else { 0 };
        let at = place.block as usize;
        let (mut after, mut before) = match side {
            Side::After => (at + 1..n_blocks, 0..0),
            Side::Before => (0..0, 0..at.min(n_blocks)),
        };
        let here = std::iter::from_fn(move || after.next().or_else(|| before.next_back()));
        here.map(|at| (number(at), self.trace.mark(at))).chain(self.elsewhere.beside(place, side))
    }
}

fn number(block: usize) -> u32 {
    u32::try_from(block).expect("blocks of a document are numbered with 32 bits")
}
