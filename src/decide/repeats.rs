//! Which blocks repeat: those that stand earlier, and the short lines that repeat with them.
//!
//! Short lines repeat innocently, so none goes by itself. But where a long block goes, the passage around it is compared
//! with the passage around its first copy, outwards in both directions, and short lines go as far as the two agree:
//!
//! ```text
//! first copy   Yes.    The ship left at dawn, with …    No.      * * *    Another long line
//!               =               = (repeat)               =         ≠
//! this copy    Yes.    The ship left at dawn, with …    No.      Maybe.   …
//!              goes              goes                   goes     stays
//! ```

use super::{Decision, Displaced, Keep, Reason};
use crate::index::{EntryId, Lookup, Mark, Place, Trace};
use std::collections::HashMap;
use std::ops::Range;

/// What is known of the copies of a part's blocks when repeats are decided.
pub(crate) trait Copies {
    /// The trace of the part.
    fn trace(&self) -> &Trace;

    /// Where another copy of a long block stands that makes this one go.
    fn of_block(&self, block: usize) -> Option<Place>;

    /// Where another document starts of which this one is a copy, so that it goes as a whole.
    fn of_document(&self, document_idx: usize) -> Option<Place>;

    /// The blocks beside a place, outwards, to the end of the document that it is in: each with its number in its part.
    fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)>;

    /// Short lines of some blocks of which it was found before that they go, with the places where they stand too.
    fn found_before(&self, _blocks: Range<usize>) -> impl Iterator<Item = (usize, Place)> {
        std::iter::empty()
    }
}

/// A direction from a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// What is known of the whole scope when repeats are decided, in memory.
pub(crate) struct Repeats<'r, L> {
    pub(crate) lookup: &'r L,
    /// The traces of all parts so far, by their number.
    pub(crate) traces: &'r [Trace],
    pub(crate) witnesses: &'r Witnesses,
    pub(crate) keep: Keep,
    /// What is first instead of what templates remove, where they were learned.
    pub(crate) displaced: Option<&'r Displaced>,
}

/// The same, of one part.
pub(crate) struct PartCopies<'r, L> {
    repeats: Repeats<'r, L>,
    part: u32,
}

impl<'r, L: Lookup> Repeats<'r, L> {
    /// What is known of a part.
    pub(crate) fn of_part(self, part: u32) -> PartCopies<'r, L> {
        PartCopies { repeats: self, part }
    }
}

impl<L: Lookup> Copies for PartCopies<'_, L> {
    fn trace(&self) -> &Trace {
        &self.repeats.traces[self.part as usize]
    }

    fn of_block(&self, block: usize) -> Option<Place> {
        self.other_copy(self.trace().mark(block).entry()?, place(self.part, block))
    }

    fn of_document(&self, document_idx: usize) -> Option<Place> {
        let start = place(self.part, self.trace().blocks_of(document_idx).start);
        let whole = self.trace().whole(document_idx).and_then(|entry| self.other_copy(entry, start));
        whole.or_else(|| self.repeats.displaced.and_then(|displaced| displaced.copy(start)))
    }

    fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)> {
        let trace = &self.repeats.traces[place.part as usize];
        let document = trace.blocks_of(trace.document_at(place.block));
        let block = place.block as usize;
        let (mut after, mut before) = match side {
            Side::After => (block + 1..document.end, 0..0),
            Side::Before => (0..0, document.start..block),
        };
        let next = move || after.next().or_else(|| before.next_back());
        std::iter::from_fn(next).map(|block| (number(block), trace.mark(block)))
    }
}

impl<L: Lookup> PartCopies<'_, L> {
    /// Where another copy stands that makes the one at `here` go.
    fn other_copy(&self, entry: EntryId, here: Place) -> Option<Place> {
        let Repeats { lookup, witnesses, keep, displaced, .. } = self.repeats;
        let first = first(lookup, displaced, entry);
        if first != here {
            return Some(first);
        }
        match keep {
            Keep::First => None,
            Keep::None => witnesses.0.get(&entry).copied(),
        }
    }
}

/// For entries that stand more than once, their second place; needed only where the first copy goes too.
#[derive(Debug, Default)]
pub(crate) struct Witnesses(HashMap<EntryId, Place>);

impl Witnesses {
    /// Finds the second places of all that repeats. Costs one look at every mark.
    pub(crate) fn find(lookup: &impl Lookup, traces: &[Trace], displaced: Option<&Displaced>) -> Self {
        let mut second = HashMap::new();
        for (part, trace) in (0..).zip(traces) {
            for document_idx in 0..trace.n_documents() {
                let blocks = trace.blocks_of(document_idx);
                let start = blocks.start;
                let whole = trace.whole(document_idx).map(|entry| (start, entry));
                let long = blocks.map(|block| (block, trace.mark(block))).filter(|(_, mark)| mark.is_long());
                let entries = long.filter_map(|(block, mark)| Some((block, mark.entry()?)));
                for (block, entry) in entries.chain(whole) {
                    let place = place(part, block);
                    if first(lookup, displaced, entry) != place {
                        // Parts and blocks come in order, so that the first met is the smallest.
                        second.entry(entry).or_insert(place);
                    }
                }
            }
        }
        Witnesses(second)
    }
}

/// Appends what repeats in a document.
pub(crate) fn decide_repeats(copies: &impl Copies, document_idx: usize, decisions: &mut Vec<Decision>) {
    let trace = copies.trace();
    let blocks = trace.blocks_of(document_idx);
    let start = blocks.start;
    let base = decisions.len();
    if let Some(copy) = copies.of_document(document_idx) {
        for block in blocks.filter(|&block| trace.mark(block) != Mark::BLANK) {
            decisions.push(Decision { block: number(block - start), words: None, reason: Reason::Copy(copy) });
        }
        return;
    }
    let mut anchors = Vec::new();
    for block in blocks.clone() {
        if trace.mark(block).is_long()
            && let Some(copy) = copies.of_block(block)
        {
            anchors.push((block, copy));
            decisions.push(Decision { block: number(block - start), words: None, reason: Reason::Repeat(copy) });
        }
    }
    let mut goes = vec![false; if anchors.is_empty() { 0 } else { blocks.len() }];
    for (block, copy) in copies.found_before(blocks.clone()) {
        goes.resize(blocks.len(), false);
        goes[block - start] = true;
        decisions.push(Decision { block: number(block - start), words: None, reason: Reason::Repeat(copy) });
    }
    for &(block, copy) in &anchors {
        let mut agree = |here: &mut dyn Iterator<Item = usize>, there: &mut dyn Iterator<Item = (u32, Mark)>| {
            let mut here = here.map(|block| (block, trace.mark(block)));
            while let Some((block, mark)) = next_compared(&mut here)
                && !mark.is_long()
                && let Some((other, other_mark)) = next_compared(there)
                && other_mark == mark
            {
                if !std::mem::replace(&mut goes[block - start], true) {
                    let reason = Reason::Repeat(Place { part: copy.part, block: other });
                    decisions.push(Decision { block: number(block - start), words: None, reason });
                }
            }
        };
        agree(&mut (block + 1..blocks.end), &mut copies.beside(copy, Side::After));
        agree(&mut (start..block).rev(), &mut copies.beside(copy, Side::Before));
    }
    decisions[base..].sort_by_key(|decision| decision.block);
}

/// The first copy of an entry that no template removes.
fn first(lookup: &impl Lookup, displaced: Option<&Displaced>, entry: EntryId) -> Place {
    displaced.and_then(|displaced| displaced.first(entry)).unwrap_or_else(|| lookup.seen(entry).first)
}

/// More blank or removed blocks than this in a row end a passage. It bounds what looking for its end costs.
pub(crate) const MAX_GAP: usize = 64;

fn next_compared<B>(blocks: &mut dyn Iterator<Item = (B, Mark)>) -> Option<(B, Mark)> {
    blocks.take(MAX_GAP).find(|(_, mark)| mark.entry().is_some())
}

fn number(block: usize) -> u32 {
    u32::try_from(block).expect("blocks of a part are numbered with 32 bits")
}

fn place(part: u32, block: usize) -> Place {
    Place { part, block: number(block) }
}
