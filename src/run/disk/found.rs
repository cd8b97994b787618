//! What a survey found, as the rewrite reads it: for each part what is to be known of its blocks, and of any block where it is.
//!
//! ```text
//! part     how many others, copies, learned: 4 each │ blocks │ others │ copies │ learned, 12 bytes each
//! block    mark 4 │ its record in the part 4 │ its number in the record 4
//! other    a block 4 │ where another copy stands that makes it go 8
//! copy     a document 4 │ where another starts that makes it go 8
//! learned  a block 4 │ pages that have it 4 │ pages 4
//! ```

use super::pile::{Numbers, Pile, Stretch, number};
use crate::decide::{Copies, Side, Template};
use crate::error::{Error, Result};
use crate::index::{Mark, Place, Trace};
use crate::run::outline::Outline;
use crate::run::templates::Learned;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const HEAD_BYTES: usize = 12;
const ITEM_BYTES: usize = 12;
/// So many blocks beside a place are read at first, and then so many at a time.
const FEW_BLOCKS: u32 = 8;
const MANY_BLOCKS: u32 = 128;

/// What was found of all parts.
#[derive(Debug)]
pub(in crate::run) struct Found {
    pub(super) parts: Vec<FoundPart>,
    pub(super) known: Pile,
    pub(super) outlines: Pile,
    /// What went wrong where nothing could be said of it.
    failed: Mutex<Option<Error>>,
}

/// Where it lies what was found of a part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FoundPart {
    pub(super) known: Stretch,
    pub(super) n_blocks: u32,
    pub(super) outline: Stretch,
}

/// What is known of the copies of one part's blocks.
pub(in crate::run) struct PartCopies<'f> {
    found: &'f Found,
    trace: Trace,
    /// Ascending.
    others: Vec<(u32, Place)>,
    copies: Vec<(u32, Place)>,
}

/// What is known of a part, before it is written down.
#[derive(Default)]
pub(super) struct Known {
    pub(super) others: Vec<(u32, Place)>,
    pub(super) copies: Vec<(u32, Place)>,
}

impl Known {
    /// Writes it down, with the marks of the trace.
    pub(super) fn write(&self, trace: &Trace, learned: &[Learned], out: &mut Vec<u8>) {
        let mut put = |value: u32| out.extend_from_slice(&value.to_le_bytes());
        [self.others.len(), self.copies.len(), learned.len()].into_iter().for_each(|count| put(number(count)));
        for document_idx in 0..trace.n_documents() {
            let blocks = trace.blocks_of(document_idx);
            for (in_record, block) in (0..).zip(blocks) {
                put(u32::from_le_bytes(trace.mark(block).to_bytes()));
                put(number(document_idx));
                put(in_record);
            }
        }
        for (of, place) in self.others.iter().chain(&self.copies) {
            [*of, place.part, place.block].into_iter().for_each(&mut put);
        }
        for Learned { block, template } in learned {
            [*block, template.documents, template.of].into_iter().for_each(&mut put);
        }
    }
}

impl Found {
    pub(super) fn new(folder: &Path, outlines: Pile, parts: Vec<FoundPart>) -> Result<Self> {
        Ok(Found { parts, known: Pile::create(folder)?, outlines, failed: Mutex::default() })
    }

    /// What is known of a part: its copies, its outline, and what templates remove.
    pub(in crate::run) fn part(&self, part: usize) -> Result<(PartCopies<'_>, Outline, Vec<Learned>)> {
        let FoundPart { known, n_blocks, outline } = self.parts[part];
        let outline = Outline::read(&self.outlines.read_stretch(outline)?);
        let bytes = self.known.read_stretch(known)?;
        let mut numbers = Numbers(&bytes);
        let [n_others, n_copies, n_learned] = [(); 3].map(|()| numbers.next() as usize);
        let mut trace = Trace::default();
        let begin_up_to = |trace: &mut Trace, n_documents: usize| {
            while trace.n_documents() < n_documents {
                trace.begin_document();
            }
        };
        for _ in 0..n_blocks {
            let mark = Mark::from_bytes(numbers.next().to_le_bytes());
            begin_up_to(&mut trace, numbers.next() as usize + 1);
            numbers.next();
            trace.push([mark]);
        }
        begin_up_to(&mut trace, outline.n_records);
        let mut places = |count: usize| -> Vec<(u32, Place)> {
            let place = |_| (numbers.next(), Place { part: numbers.next(), block: numbers.next() });
            (0..count).map(place).collect()
        };
        let (others, copies) = (places(n_others), places(n_copies));
        let learned = places(n_learned).into_iter().map(|(block, Place { part: documents, block: of })| Learned {
            block,
            template: Template { documents, of },
        });
        Ok((PartCopies { found: self, trace, others, copies }, outline, learned.collect()))
    }

    /// Which record of its part a place is in, and which block of the record it is.
    pub(in crate::run) fn record_and_block(&self, place: Place) -> (usize, u32) {
        match self.blocks(place.part, place.block, 1) {
            Some(blocks) => (blocks[0].record as usize, blocks[0].in_record),
            None => (0, 0),
        }
    }

    /// Fails if anything could not be read that was asked for.
    pub(in crate::run) fn check(&self) -> Result<()> {
        match self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Some blocks of a part.
    fn blocks(&self, part: u32, first: u32, n_blocks: u32) -> Option<Vec<Block>> {
        let start = self.parts[part as usize].known.start + (HEAD_BYTES + first as usize * ITEM_BYTES) as u64;
        let mut bytes = vec![0; n_blocks as usize * ITEM_BYTES];
        match self.known.read(start, &mut bytes) {
            Ok(()) => Some(bytes.chunks_exact(ITEM_BYTES).map(Block::read).collect()),
            Err(error) => {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                None
            }
        }
    }
}

/// What is known of a block.
#[derive(Clone, Copy)]
struct Block {
    mark: Mark,
    record: u32,
    in_record: u32,
}

impl Block {
    fn read(bytes: &[u8]) -> Self {
        let mut numbers = Numbers(bytes);
        let mark = Mark::from_bytes(numbers.next().to_le_bytes());
        Block { mark, record: numbers.next(), in_record: numbers.next() }
    }
}

impl Copies for PartCopies<'_> {
    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn of_block(&self, block: usize) -> Option<Place> {
        find(&self.others, number(block))
    }

    fn of_document(&self, document_idx: usize) -> Option<Place> {
        find(&self.copies, number(document_idx))
    }

    fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)> {
        Beside { found: self.found, place, side, next: Some(place.block), record: None, read: Vec::new() }.skip(1)
    }
}

fn find(list: &[(u32, Place)], of: u32) -> Option<Place> {
    list.binary_search_by_key(&of, |(of, _)| *of).ok().map(|idx| list[idx].1)
}

/// Goes from a block outwards, to the end of its document.
struct Beside<'f> {
    found: &'f Found,
    place: Place,
    side: Side,
    /// The block to be read next, if there is one.
    next: Option<u32>,
    record: Option<u32>,
    /// What was read and comes next, the last first.
    read: Vec<(u32, Block)>,
}

impl Iterator for Beside<'_> {
    type Item = (u32, Mark);

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() {
            self.fill()?;
        }
        let (number, block) = self.read.pop()?;
        let is_of_document = *self.record.get_or_insert(block.record) == block.record;
        is_of_document.then_some((number, block.mark))
    }
}

impl Beside<'_> {
    fn fill(&mut self) -> Option<()> {
        let n_wanted = if self.record.is_none() { FEW_BLOCKS } else { MANY_BLOCKS };
        let next = self.next?;
        let part = self.place.part;
        let n_blocks = self.found.parts[part as usize].n_blocks;
        let range = match self.side {
            Side::After => next..n_blocks.min(next.saturating_add(n_wanted)),
            Side::Before => (next + 1).saturating_sub(n_wanted)..next + 1,
        };
        let blocks = self.found.blocks(part, range.start, range.end - range.start)?;
        self.read = range.clone().zip(blocks).collect();
        if self.side == Side::After {
            self.read.reverse();
            self.next = (range.end < n_blocks).then_some(range.end);
        } else {
            self.next = range.start.checked_sub(1);
        }
        Some(())
    }
}
