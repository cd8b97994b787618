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

/// What is known of the whole scope when repeats are decided.
pub(crate) struct Repeats<'r, L> {
    pub(crate) lookup: &'r L,
    /// The traces of all parts so far, by their number.
    pub(crate) traces: &'r [Trace],
    pub(crate) witnesses: &'r Witnesses,
    pub(crate) keep: Keep,
    /// What is first instead of what templates remove, where they were learned.
    pub(crate) displaced: Option<&'r Displaced>,
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

impl<L: Lookup> Repeats<'_, L> {
    /// Appends what repeats in a document.
    pub(super) fn decide(&self, part: u32, document_idx: usize, decisions: &mut Vec<Decision>) {
        let trace = &self.traces[part as usize];
        let blocks = trace.blocks_of(document_idx);
        let start = blocks.start;
        let number = |block: usize| u32::try_from(block - start).expect("blocks of a part are numbered with 32 bits");
        let base = decisions.len();
        let whole = trace.whole(document_idx).and_then(|entry| self.other_copy(entry, place(part, start)));
        let rest = || self.displaced.and_then(|displaced| displaced.copy(place(part, start)));
        if let Some(copy) = whole.or_else(rest) {
            for block in blocks.filter(|&block| trace.mark(block) != Mark::BLANK) {
                decisions.push(Decision { block: number(block), words: None, reason: Reason::Copy(copy) });
            }
            return;
        }
        let mut anchors = Vec::new();
        for block in blocks.clone() {
            let mark = trace.mark(block);
            if let Some(entry) = mark.entry().filter(|_| mark.is_long())
                && let Some(copy) = self.other_copy(entry, place(part, block))
            {
                anchors.push((block, copy));
                decisions.push(Decision { block: number(block), words: None, reason: Reason::Repeat(copy) });
            }
        }
        let mut goes = vec![false; if anchors.is_empty() { 0 } else { blocks.len() }];
        for &(block, copy) in &anchors {
            let copy_trace = &self.traces[copy.part as usize];
            let copy_blocks = copy_trace.blocks_of(copy_trace.document_at(copy.block));
            let copy_block = copy.block as usize;
            let mut agree = |here: &mut dyn Iterator<Item = usize>, there: &mut dyn Iterator<Item = usize>| {
                while let Some(block) = next_compared(trace, here)
                    && let Some(other) = next_compared(copy_trace, there)
                {
                    let mark = trace.mark(block);
                    if mark.is_long() || copy_trace.mark(other) != mark {
                        break;
                    }
                    if !std::mem::replace(&mut goes[block - start], true) {
                        let reason = Reason::Repeat(place(copy.part, other));
                        decisions.push(Decision { block: number(block), words: None, reason });
                    }
                }
            };
            agree(&mut (block + 1..blocks.end), &mut (copy_block + 1..copy_blocks.end));
            agree(&mut (start..block).rev(), &mut (copy_blocks.start..copy_block).rev());
        }
        decisions[base..].sort_by_key(|decision| decision.block);
    }

    /// Where another copy stands that makes the one at `here` go.
    fn other_copy(&self, entry: EntryId, here: Place) -> Option<Place> {
        let first = first(self.lookup, self.displaced, entry);
        if first != here {
            return Some(first);
        }
        match self.keep {
            Keep::First => None,
            Keep::None => self.witnesses.0.get(&entry).copied(),
        }
    }
}

/// The first copy of an entry that no template removes.
fn first(lookup: &impl Lookup, displaced: Option<&Displaced>, entry: EntryId) -> Place {
    displaced.and_then(|displaced| displaced.first(entry)).unwrap_or_else(|| lookup.seen(entry).first)
}

/// More blank or removed blocks than this in a row end a passage. It bounds what looking for its end costs.
const MAX_GAP: usize = 64;

fn next_compared(trace: &Trace, blocks: &mut dyn Iterator<Item = usize>) -> Option<usize> {
    blocks.take(MAX_GAP).find(|&block| trace.mark(block).entry().is_some())
}

fn place(part: u32, block: usize) -> Place {
    Place { part, block: u32::try_from(block).expect("blocks of a part are numbered with 32 bits") }
}
