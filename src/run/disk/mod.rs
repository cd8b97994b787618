//! A survey whose findings are kept on disk, so that the memory it takes does not grow with the input.
//!
//! ```text
//! look ─▶ parts ───────────┬─▶ notes, by fingerprint ─▶ answered ─┬─▶ what is known of each part ─▶ rewrite
//!      └▶ facts, by site ──┘ what templates remove                │
//!      └▶ outlines                    the parts, read once more ──┘
//! ```
//! What it finds is what a survey in memory finds; both are driven by the same passes, and decide by the same code.

mod found;
mod notes;
mod pile;
mod sites;

pub(super) use found::{Found, PartCopies};

use crate::clean::Look;
use crate::error::{Error, Result};
use crate::index::{EntryId, Trace};
use crate::run::memory::{Held, Memory};
use crate::run::outline::Outline;
use crate::run::remembered::Remembered;
use crate::run::survey::{self, Keeper, OfRun};
use found::{FoundPart, Known};
use notes::{Part, Partitions, Starts, Subject, read_part, write_part};
use pile::{Pile, Stretch, number};
use sites::{RemovedLines, Sites};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Parts are sorted together until they have so many blocks.
const BATCH_BLOCKS: u32 = 1 << 15;
/// The memory that sorting and answering takes for each block of a batch.
const SORTING_BYTES: u64 = 120;

/// Where a survey puts what it finds.
#[derive(Debug)]
pub(super) struct OnDisk<'m> {
    memory: &'m Memory,
    folder: PathBuf,
    parts: Pile,
    outlines: Pile,
    sites: Sites,
}

/// A part that was surveyed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surveyed {
    part: Stretch,
    outline: Stretch,
    n_blocks: u32,
}

impl<'m> OnDisk<'m> {
    /// Begins in a folder for temporary files.
    pub(super) fn begin(folder: &Path, memory: &'m Memory) -> Result<Self> {
        let (parts, outlines) = (Pile::create(folder)?, Pile::create(folder)?);
        Ok(OnDisk { memory, folder: folder.to_owned(), parts, outlines, sites: Sites::create(folder)? })
    }
}

impl Keeper for OnDisk<'_> {
    type Kept = Surveyed;

    fn take(&self, provisional: u32, look: &mut Look, outline: Outline) -> Result<Surveyed> {
        let mut trace = Trace::default();
        let mut bytes = Vec::new();
        let mut fingerprints = Vec::new();
        look.note_with(provisional, &mut trace, |notes, entries| {
            fingerprints.extend(notes.iter().map(|(fingerprint, _)| *fingerprint));
            let full = || Error::index_full(1 << EntryId::BITS);
            let numbers = (0..).zip(notes).map(|(number, _)| EntryId::new(number).ok_or_else(full));
            numbers.collect::<Result<Vec<_>>>().map(|numbers| entries.extend(numbers))
        })?;
        write_part(&trace, &fingerprints, &mut bytes);
        let part = self.parts.add(&bytes)?;
        bytes.clear();
        outline.write(&mut bytes);
        let outline = self.outlines.add(&bytes)?;
        self.sites.add(provisional, &look.take_facts())?;
        Ok(Surveyed { part, outline, n_blocks: number(trace.n_blocks()) })
    }

    fn end(self, parts: Vec<Surveyed>, of_run: &OfRun<'_>) -> Result<(survey::Found, Option<Remembered>)> {
        let OfRun { config, numbers, workers, .. } = *of_run;
        let keep = config.keep;
        let OnDisk { memory, folder, parts: pile, outlines, sites } = self;
        let removed = sites.learn(workers, &folder, parts.len(), numbers)?;
        drop(sites);
        let sorting = Sorting { memory, pile: &pile, parts: &parts, removed: &removed };
        let batches = batches(&parts);
        let partitions = Partitions::create(&folder)?;
        let starts: Vec<Starts> = workers
            .each(batches.len(), || (), |(), batch_idx| sorting.sort(batches[batch_idx].clone(), &partitions))
            .into_iter()
            .collect::<Result<_>>()?;
        let of_thread = memory.of_thread();
        workers
            .each(notes::N_PARTITIONS, || (), |(), partition| partitions.answer(partition, keep, of_thread))
            .into_iter()
            .collect::<Result<()>>()?;
        let mut found = Found::new(&folder, outlines, Vec::new())?;
        let known = workers.each(
            batches.len(),
            || (),
            |(), batch_idx| sorting.gather(batches[batch_idx].clone(), &partitions, starts[batch_idx], &found.known),
        );
        for of_batch in known {
            found.parts.extend(of_batch?);
        }
        Ok((survey::Found::OnDisk(found), None))
    }
}

/// Parts next to each other that are sorted together.
fn batches(parts: &[Surveyed]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut n_blocks) = (0, 0);
    for (part_idx, part) in parts.iter().enumerate() {
        n_blocks += u64::from(part.n_blocks);
        if n_blocks >= u64::from(BATCH_BLOCKS) || part_idx + 1 == parts.len() {
            batches.push(start..part_idx + 1);
            (start, n_blocks) = (part_idx + 1, 0);
        }
    }
    batches
}

/// Parts as they were written down, and what templates remove of them.
struct Sorting<'s> {
    memory: &'s Memory,
    pile: &'s Pile,
    parts: &'s [Surveyed],
    removed: &'s RemovedLines,
}

impl Sorting<'_> {
    /// Sorts the notes of some parts into partitions.
    fn sort(&self, batch: Range<usize>, partitions: &Partitions) -> Result<Starts> {
        let _held = self.hold(&batch);
        let notes_of = |part_idx: usize| Ok((number(part_idx), self.part(part_idx)?.notes));
        partitions.add(batch.map(notes_of))
    }

    /// Writes down what is known of some parts, now that their notes are answered.
    fn gather(
        &self,
        batch: Range<usize>,
        partitions: &Partitions,
        starts: Starts,
        pile: &Pile,
    ) -> Result<Vec<FoundPart>> {
        let _held = self.hold(&batch);
        let mut answers = partitions.answers(starts);
        let (mut found, mut out) = (Vec::with_capacity(batch.len()), Vec::new());
        for part_idx in batch {
            let Surveyed { outline, n_blocks, .. } = self.parts[part_idx];
            let Part { mut trace, notes, removed } = self.part(part_idx)?;
            let mut known = Known::default();
            for note in &notes {
                let answer = answers.next(note)?;
                match note.subject {
                    Subject::Block(block) => {
                        trace.set_entry(block, answer.entry);
                        known.others.extend(answer.other.map(|other| (number(block), other)));
                    }
                    Subject::Document(document_idx) => {
                        known.copies.extend(answer.other.map(|other| (number(document_idx), other)));
                    }
                }
            }
            out.clear();
            known.write(&trace, &removed, &mut out);
            found.push(FoundPart { known: pile.add(&out)?, n_blocks, outline });
        }
        Ok(found)
    }

    fn part(&self, part_idx: usize) -> Result<Part> {
        let bytes = self.pile.read_stretch(self.parts[part_idx].part)?;
        read_part(&bytes, |trace| self.removed.of_part(part_idx, trace))
    }

    fn hold(&self, batch: &Range<usize>) -> Option<Held<'_>> {
        let n_blocks: u64 = self.parts[batch.clone()].iter().map(|part| u64::from(part.n_blocks)).sum();
        self.memory.hold(n_blocks * SORTING_BYTES)
    }
}
