//! What is known of the copies of a page's blocks: in the page, and in pages that came before.
//!
//! Places are numbered for the page alone: part 0 is the page, the parts from 1 on are other pages, as they are met.

use crate::clean::Look;
use crate::decide::{Copies, Side};
use crate::durable::{Arrived, Document};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::index::{Frozen, Lookup, Mark, MemoryIndex, Owner, Place, Trace};
use crate::recall::{Compared, Elsewhere, rest_of};

/// The part that the first of the other pages is.
const FIRST_OTHER: u32 = 1;

pub(super) struct PageCopies {
    within: Frozen,
    trace: Trace,
    /// What templates of its site removed when it came first, with the marks that the blocks had.
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

    /// Takes out what templates of its site removed when it came before, if it has not changed since; gives the blocks.
    pub(super) fn remove_as_before(&mut self, version: &Document) -> Vec<u32> {
        let blocks = self.compared().templated_in(version).unwrap_or_default();
        if !blocks.is_empty() {
            let was_whole = self.trace.whole(0).is_some();
            for &block in &blocks {
                self.templated.push((block, self.trace.mark(block as usize)));
                self.trace.compare_not(block as usize);
            }
            self.trace.compare_no_whole(0);
            self.rest = if was_whole { rest_of(&self.trace, 0, &self.within) } else { None };
        }
        blocks
    }

    /// Takes in who else has what was claimed; gives what the other pages are known by.
    pub(super) fn tell(&mut self, compared: &Compared, arrived: &Arrived) -> Vec<String> {
        let Arrived { others, documents } = arrived;
        self.elsewhere = Elsewhere::new(compared, others.iter().copied(), |owner| documents.get(&owner), FIRST_OTHER);
        let id = |owner| documents.get(&owner).map(|document| String::from_utf8_lossy(&document.id).into_owned());
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
