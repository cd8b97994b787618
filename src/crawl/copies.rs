//! What is known of the copies of a page's blocks: in the page, and in pages that came before.
//!
//! Places are numbered for the page alone: part 0 is the page, the parts from 1 on are other pages, as they are met.

use crate::clean::Look;
use crate::decide::{Copies, Side, Template};
use crate::durable::Arrived;
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::index::{Frozen, Lookup, Mark, MemoryIndex, Owner, Place, Trace};
use crate::recall::{Compared, Elsewhere, Recalled, rest_of};
use std::collections::HashMap;
use std::sync::Arc;

/// The part that the first of the other pages is.
const FIRST_OTHER: u32 = 1;

pub(super) struct PageCopies {
    within: Frozen,
    trace: Trace,
    /// What templates of its site remove, with the marks that the blocks had.
    templated: Vec<(u32, Mark)>,
    /// What these leave of it as a whole.
    rest: Option<Fingerprint>,
    elsewhere: Elsewhere<Owner>,
}

impl PageCopies {
    /// What is known of the page that was looked at by itself.
    pub(super) fn of(look: &Look) -> Result<Self> {
        let (within, mut trace) = (MemoryIndex::small(), Trace::default());
        look.note(&within, 0, &mut trace)?;
        Ok(PageCopies {
            within: within.freeze(),
            trace,
            templated: Vec::new(),
            rest: None,
            elsewhere: Elsewhere::nothing(FIRST_OTHER),
        })
    }

    /// What is compared of the page.
    pub(super) fn compared(&self) -> Compared {
        Compared::of(&self.trace, 0, &self.within, self.templated.iter().copied(), self.rest)
    }

    /// The blocks that show something.
    pub(super) fn shown(&self) -> Vec<u32> {
        let shown = self.trace.blocks_of(0).filter(|&block| self.trace.mark(block) != Mark::BLANK);
        shown.map(number).collect()
    }

    /// Takes out what templates of the page's site remove.
    pub(super) fn remove(&mut self, templated: &[(u32, Template)]) {
        if templated.is_empty() {
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

    /// Takes in who else has what was claimed; gives what the other pages are known by.
    pub(super) fn tell(&mut self, compared: &Compared, arrived: Arrived) -> Vec<String> {
        let Arrived { others, documents } = arrived;
        let documents: HashMap<Owner, Arc<Recalled>> =
            documents.into_iter().map(|(owner, document)| (owner, Arc::new(Recalled::new(document)))).collect();
        let recalled = |owner| documents.get(&owner).cloned();
        self.elsewhere = Elsewhere::new(compared, others.iter().copied(), recalled, FIRST_OTHER);
        let id = |owner| documents.get(&owner).map(|document| document.shown_id());
        self.elsewhere.keys().map(|owner| id(owner).unwrap_or_default()).collect()
    }
}

impl Copies for PageCopies {
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
    u32::try_from(block).expect("blocks of a page are numbered with 32 bits")
}
