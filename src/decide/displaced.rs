//! First copies that turned out to be chrome when all was noted: what templates remove counts as never noted.
//!
//! Templates are known only when all documents are, and by then the index names as the first copies of some blocks what a
//! template removes. Nothing may go as a copy of what goes itself, so the next copy that stays takes the first one's place.

use super::Keep;
use crate::fingerprint::Fingerprint;
use crate::index::{EntryId, Lookup, Mark, Place, Trace};
use hashbrown::{HashMap, HashSet};

/// What counts as first instead of what templates remove.
#[derive(Debug, Default)]
pub(crate) struct Displaced {
    /// For entries whose first copy is gone, the first that is not.
    firsts: HashMap<EntryId, Option<Place>>,
    /// For documents that templates remove something of, by where they start: another of which the same is left.
    copies: HashMap<Place, Place>,
    /// The documents, by where they start, of which what is left is compared as a whole.
    rests: HashSet<Place>,
}

/// A document that templates remove something of.
struct Touched {
    part: u32,
    document_idx: usize,
    /// Whether it was compared as a whole.
    was_whole: bool,
}

impl Displaced {
    /// Takes removed blocks out of the traces, and finds what is first without them. `removed` is in input order.
    ///
    /// Costs one look at every mark, unless no removed block was the first of its kind.
    pub(crate) fn find(
        lookup: &impl Lookup,
        traces: &mut [Trace],
        removed: impl Iterator<Item = (u32, u32)>,
        keep: Keep,
    ) -> Self {
        let mut displaced = Displaced::default();
        let mut touched: Vec<Touched> = Vec::new();
        let mut is_first = |entry: EntryId, place: Place| {
            if lookup.seen(entry).first == place {
                displaced.firsts.insert(entry, None);
            }
        };
        for (part, block) in removed {
            let trace = &mut traces[part as usize];
            let block_idx = block as usize;
            // What was not compared anyway changes nothing.
            let Some(entry) = trace.mark(block_idx).entry() else { continue };
            is_first(entry, Place { part, block });
            let is_of = |last: &Touched| last.part == part && trace.blocks_of(last.document_idx).contains(&block_idx);
            if !touched.last().is_some_and(is_of) {
                let document_idx = trace.document_at(block);
                let whole = trace.whole(document_idx);
                if let Some(whole) = whole {
                    is_first(whole, place(part, trace.blocks_of(document_idx).start));
                }
                touched.push(Touched { part, document_idx, was_whole: whole.is_some() });
                trace.compare_no_whole(document_idx);
            }
            trace.compare_not(block_idx);
        }
        displaced.find_firsts(traces);
        displaced.find_copies(traces, &touched, keep);
        displaced
    }

    /// The first copy of an entry that stays, if templates took the one that the index names.
    pub(super) fn first(&self, entry: EntryId) -> Option<Place> {
        self.firsts.get(&entry).copied().flatten()
    }

    /// Another document of which the same is left as of the one that starts at `start`.
    pub(super) fn copy(&self, start: Place) -> Option<Place> {
        self.copies.get(&start).copied()
    }

    /// Whether templates remove something of the document that starts at `start`, and what is left is compared as a whole.
    pub(crate) fn has_rest(&self, start: Place) -> bool {
        self.rests.contains(&start)
    }

    fn find_firsts(&mut self, traces: &[Trace]) {
        if self.firsts.is_empty() {
            return;
        }
        for (part, trace) in (0..).zip(traces) {
            for document_idx in 0..trace.n_documents() {
                let blocks = trace.blocks_of(document_idx);
                let whole = trace.whole(document_idx).map(|entry| (blocks.start, entry));
                let entries = blocks.filter_map(|block| Some((block, trace.mark(block).entry()?)));
                for (block, entry) in entries.chain(whole) {
                    if let Some(first) = self.firsts.get_mut(&entry) {
                        // Parts and blocks come in order, so that the first met is the smallest.
                        first.get_or_insert(place(part, block));
                    }
                }
            }
        }
    }

    fn find_copies(&mut self, traces: &[Trace], touched: &[Touched], keep: Keep) {
        let mut by_rest: HashMap<Fingerprint, Place> = HashMap::new();
        let mut rest: Vec<u8> = Vec::new();
        for Touched { part, document_idx, .. } in touched.iter().filter(|touched| touched.was_whole) {
            let trace = &traces[*part as usize];
            let blocks = trace.blocks_of(*document_idx);
            let start = place(*part, blocks.start);
            let left: Vec<Mark> = blocks.map(|block| trace.mark(block)).filter(|mark| mark.entry().is_some()).collect();
            if left.len() < 2 || left.iter().all(|mark| mark.is_long()) {
                continue;
            }
            self.rests.insert(start);
            rest.clear();
            rest.extend(left.iter().flat_map(|mark| mark.to_bytes()));
            let first = *by_rest.entry(Fingerprint::of(&rest)).or_insert(start);
            if first != start {
                self.copies.insert(start, first);
                if keep == Keep::None {
                    self.copies.entry(first).or_insert(start);
                }
            }
        }
    }
}

/// What templates leave of a document that was compared as a whole, as a whole, given its blocks that are compared still and whether each is long: never what a
/// document is of which they remove nothing. Nothing where its long blocks say it all.
pub(crate) fn fingerprint_of_rest(blocks: impl Iterator<Item = (Fingerprint, bool)>) -> Option<Fingerprint> {
    let (mut bytes, mut n_blocks, mut has_short) = (Vec::new(), 0, false);
    for (fingerprint, is_long) in blocks {
        bytes.push(u8::from(is_long));
        bytes.extend_from_slice(fingerprint.as_bytes());
        n_blocks += 1;
        has_short |= !is_long;
    }
    let is_compared = n_blocks > 1 && has_short;
    is_compared.then(|| Fingerprint::of(&bytes).within(Fingerprint::of_scope(b"what templates leave")))
}

fn place(part: u32, block: usize) -> Place {
    Place { part, block: u32::try_from(block).expect("blocks of a part are numbered with 32 bits") }
}
