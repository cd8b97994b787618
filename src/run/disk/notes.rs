//! The notes of the parts: written down as they are found, sorted into partitions, and answered partition by partition.
//!
//! ```text
//! part     how many documents 4, and of each how many blocks 4 │ its note as a whole 4 │ the blocks' marks, 4 each,
//!          in which the entry is the number of the note; then the notes' fingerprints, 16 each
//!             │ what templates remove is taken out
//! note     fingerprint 16 │ part 4 │ block 4, of which one bit says whether another copy is asked for
//!             │ in the partition that its last byte names; all of a partition go through one index
//! answer   entry 4 │ part 4 and block 4 of another copy │ 4 bytes of the fingerprint │ part 4 │ block 4
//! ```
//! An answer stands where its note stood.

use super::pile::{Numbers, Pile, number};
use crate::decide::{Keep, fingerprint_of_rest};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::index::{EntryId, Lookup, Mark, MemoryIndex, Notes, Place, Trace};
use crate::run::memory::INDEX_BYTES;
use crate::run::templates::Learned;
use hashbrown::HashMap;

/// Notes are sorted into so many partitions.
pub(super) const N_PARTITIONS: usize = 64;
const PARTITION_BITS: u32 = N_PARTITIONS.trailing_zeros();

/// The bytes of a note, or of its answer.
const NOTE_BYTES: usize = 24;
/// The bit of a note's block that says that another copy is asked for.
const ASKS: u32 = 1 << 31;
/// Says that there is no other copy, or no note.
const NONE: u32 = u32::MAX;
/// So many notes are read at a time.
const NOTES_AT_ONCE: usize = 1 << 14;
/// The memory that a second place takes.
const SECOND_BYTES: u64 = 48;

/// What a note is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    Block(usize),
    Document(usize),
}

/// A note that a part makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub(super) subject: Subject,
    fingerprint: Fingerprint,
    /// Its first block, if it is about a document.
    block: u32,
    asks: bool,
}

/// What is known of a note when all are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) entry: EntryId,
    /// Where another copy stands that makes this one go, if that was asked for.
    pub(super) other: Option<Place>,
}

/// Writes down a part's trace, and the fingerprints that its entries number.
pub(super) fn write_part(trace: &Trace, fingerprints: &[Fingerprint], out: &mut Vec<u8>) {
    let put = |value: u32, out: &mut Vec<u8>| out.extend_from_slice(&value.to_le_bytes());
    put(number(trace.n_documents()), out);
    for document_idx in 0..trace.n_documents() {
        let blocks = trace.blocks_of(document_idx);
        put(number(blocks.len()), out);
        put(trace.whole(document_idx).map_or(NONE, EntryId::number), out);
        blocks.for_each(|block| out.extend_from_slice(&trace.mark(block).to_bytes()));
    }
    fingerprints.iter().for_each(|fingerprint| out.extend_from_slice(fingerprint.as_bytes()));
}

/// The trace of a part that was written down; what is left of its bytes are fingerprints.
fn read_trace(numbers: &mut Numbers<'_>) -> Trace {
    let mut trace = Trace::default();
    for _ in 0..numbers.next() {
        let (n_blocks, whole) = (numbers.next(), numbers.next());
        trace.begin_document();
        trace.push((0..n_blocks).map(|_| Mark::from_bytes(numbers.next().to_le_bytes())));
        if let Some(whole) = EntryId::new(whole) {
            trace.set_whole(whole);
        }
    }
    trace
}

/// A part without what templates remove of it, which counts as never noted.
pub(super) struct Part {
    /// Its entries name nothing any more.
    pub(super) trace: Trace,
    pub(super) notes: Vec<Note>,
    pub(super) removed: Vec<Learned>,
}

/// Reads a part that was written down; `removed` tells what templates remove of it.
pub(super) fn read_part(bytes: &[u8], removed: impl FnOnce(&Trace) -> Result<Vec<Learned>>) -> Result<Part> {
    let mut numbers = Numbers(bytes);
    let mut trace = read_trace(&mut numbers);
    let fingerprints = numbers.0;
    let removed = removed(&trace)?;
    let fingerprint = |entry: EntryId| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&fingerprints[entry.number() as usize * 16..][..16]);
        Fingerprint::from_bytes(bytes)
    };
    let mut notes = Vec::new();
    let mut gone = removed.iter().map(|learned| learned.block as usize).peekable();
    for document_idx in 0..trace.n_documents() {
        let blocks = trace.blocks_of(document_idx);
        let start = number(blocks.start);
        let mut is_touched = false;
        while let Some(block) = gone.next_if(|block| blocks.contains(block)) {
            is_touched |= trace.mark(block).entry().is_some();
            trace.compare_not(block);
        }
        let of_blocks = notes.len();
        notes.extend(blocks.clone().filter_map(|block| {
            let mark = trace.mark(block);
            let fingerprint = fingerprint(mark.entry()?);
            Some(Note { subject: Subject::Block(block), fingerprint, block: number(block), asks: mark.is_long() })
        }));
        let whole = trace.whole(document_idx).map(fingerprint);
        let whole = match is_touched {
            true => whole
                .and_then(|_| fingerprint_of_rest(notes[of_blocks..].iter().map(|note| (note.fingerprint, note.asks)))),
            false => whole,
        };
        if let Some(fingerprint) = whole {
            notes.push(Note { subject: Subject::Document(document_idx), fingerprint, block: start, asks: true });
        }
    }
    Ok(Part { trace, notes, removed })
}

/// All notes, by partition.
#[derive(Debug)]
pub(super) struct Partitions {
    piles: Vec<Pile>,
}

/// For some parts that are next to each other, where in each partition their notes begin.
pub(super) type Starts = [u64; N_PARTITIONS];

impl Partitions {
    pub(super) fn create(folder: &std::path::Path) -> Result<Self> {
        Ok(Partitions { piles: (0..N_PARTITIONS).map(|_| Pile::create(folder)).collect::<Result<_>>()? })
    }

    /// Sorts the notes of some parts into the partitions.
    pub(super) fn add(&self, parts: impl Iterator<Item = Result<(u32, Vec<Note>)>>) -> Result<Starts> {
        let mut sorted: Vec<Vec<u8>> = vec![Vec::new(); N_PARTITIONS];
        for part in parts {
            let (part, notes) = part?;
            for note in notes {
                let out = &mut sorted[partition_of(note.fingerprint)];
                out.extend_from_slice(note.fingerprint.as_bytes());
                out.extend_from_slice(&part.to_le_bytes());
                out.extend_from_slice(&(note.block | (u32::from(note.asks) * ASKS)).to_le_bytes());
            }
        }
        let mut starts = [0; N_PARTITIONS];
        for ((pile, notes), start) in self.piles.iter().zip(&sorted).zip(&mut starts) {
            *start = pile.add(notes)?.start;
        }
        Ok(starts)
    }

    /// Answers all notes of a partition, given what an index may take of the memory.
    ///
    /// Where one index of all would take more, the notes are gone through several times, each time for some of them.
    pub(super) fn answer(&self, partition: usize, keep: Keep, memory: u64) -> Result<()> {
        let pile = &self.piles[partition];
        let n_notes = pile.len() / NOTE_BYTES as u64;
        let bytes = match keep {
            Keep::First => INDEX_BYTES,
            Keep::None => INDEX_BYTES + SECOND_BYTES,
        };
        let n_rounds = u32::try_from((n_notes * bytes).div_ceil(memory.max(1)).max(1)).unwrap_or(u32::MAX);
        let mut first_entry = 0;
        for round in 0..n_rounds {
            let is_of_round = |kept: u32| kept % n_rounds == round;
            let index = MemoryIndex::small();
            self.enter(pile, &index, first_entry, partition, is_of_round)?;
            let seconds = match keep {
                Keep::First => HashMap::new(),
                Keep::None => second_places(pile, &index, first_entry, is_of_round)?,
            };
            each_note(pile, |notes| {
                for note in notes.chunks_exact_mut(NOTE_BYTES).filter(|note| is_of_round(kept(note))) {
                    let entry = local_entry(note, first_entry);
                    let place = place_of(note);
                    let first = index.seen(entry).first;
                    let other = if first != place { Some(first) } else { seconds.get(&entry.number()).copied() };
                    let other = other.filter(|_| asks(note)).unwrap_or(Place { part: NONE, block: 0 });
                    note[4..8].copy_from_slice(&other.part.to_le_bytes());
                    note[8..12].copy_from_slice(&other.block.to_le_bytes());
                }
                Ok(Changed::Yes)
            })?;
            first_entry += index.len();
        }
        Ok(())
    }

    /// Puts the notes of a round into an index, and the entries' numbers in the place of their fingerprints.
    fn enter(
        &self,
        pile: &Pile,
        index: &MemoryIndex,
        first_entry: usize,
        partition: usize,
        is_of_round: impl Fn(u32) -> bool,
    ) -> Result<()> {
        let (mut batch, mut entries) = (Vec::new(), Vec::new());
        each_note(pile, |notes| {
            let of_round = || (0..notes.len()).step_by(NOTE_BYTES).filter(|&at| is_of_round(kept(&notes[at..])));
            batch.clear();
            entries.clear();
            batch.extend(of_round().map(|at| {
                let mut fingerprint = [0; 16];
                fingerprint.copy_from_slice(&notes[at..at + 16]);
                (Fingerprint::from_bytes(fingerprint), place_of(&notes[at..]))
            }));
            index.note(&batch, &mut entries)?;
            let ats: Vec<usize> = of_round().collect();
            for (at, entry) in ats.into_iter().zip(&entries) {
                let in_partition = number(first_entry) + entry.number();
                let entry = u32::try_from(partition).ok().and_then(|partition| {
                    EntryId::new(in_partition.checked_mul(1 << PARTITION_BITS)?.checked_add(partition)?)
                });
                let entry = entry.ok_or_else(|| Error::index_full(1 << EntryId::BITS))?;
                notes[at..at + 4].copy_from_slice(&entry.number().to_le_bytes());
            }
            Ok(Changed::Yes)
        })
    }

    /// Reads answers of some parts that are next to each other.
    pub(super) fn answers(&self, starts: Starts) -> Answers<'_> {
        Answers { partitions: self, next: starts, read: vec![Vec::new(); N_PARTITIONS], at: [0; N_PARTITIONS] }
    }
}

/// For entries that more than one note asks of, by number: the second place.
fn second_places(
    pile: &Pile,
    index: &MemoryIndex,
    first_entry: usize,
    is_of_round: impl Fn(u32) -> bool,
) -> Result<HashMap<u32, Place>> {
    let mut seconds: HashMap<u32, Place> = HashMap::new();
    each_note(pile, |notes| {
        for note in notes.chunks_exact(NOTE_BYTES).filter(|note| asks(note) && is_of_round(kept(note))) {
            let entry = local_entry(note, first_entry);
            let place = place_of(note);
            if index.seen(entry).first != place {
                let second = seconds.entry(entry.number()).or_insert(place);
                *second = place.min(*second);
            }
        }
        Ok(Changed::No)
    })?;
    Ok(seconds)
}

/// Whether notes were changed, and are to be written back.
#[derive(PartialEq, Eq)]
enum Changed {
    No,
    Yes,
}

/// Goes through the notes of a partition, some at a time.
fn each_note(pile: &Pile, mut job: impl FnMut(&mut [u8]) -> Result<Changed>) -> Result<()> {
    let end = pile.len();
    let mut notes = vec![0; NOTES_AT_ONCE * NOTE_BYTES];
    let mut start = 0;
    while start < end {
        let n_bytes = usize::try_from(end - start).unwrap_or(usize::MAX).min(notes.len());
        let notes = &mut notes[..n_bytes];
        pile.read(start, notes)?;
        if job(notes)? == Changed::Yes {
            pile.write(start, notes)?;
        }
        start += n_bytes as u64;
    }
    Ok(())
}

fn partition_of(fingerprint: Fingerprint) -> usize {
    usize::from(fingerprint.as_bytes()[15]) % N_PARTITIONS
}

/// The bytes of the fingerprint that an answer keeps, but for the partition.
fn kept(note: &[u8]) -> u32 {
    Numbers(&note[12..]).next() & 0x00ff_ffff
}

fn place_of(note: &[u8]) -> Place {
    let mut numbers = Numbers(&note[16..]);
    Place { part: numbers.next(), block: numbers.next() & !ASKS }
}

fn asks(note: &[u8]) -> bool {
    Numbers(&note[20..]).next() & ASKS != 0
}

/// The entry of a note in the index of its round.
fn local_entry(note: &[u8], first_entry: usize) -> EntryId {
    let in_partition = Numbers(note).next() >> PARTITION_BITS;
    EntryId::new(in_partition - number(first_entry)).expect("an entry fits where a larger one did")
}

/// The answers to the notes of some parts, in the notes' order.
pub(super) struct Answers<'a> {
    partitions: &'a Partitions,
    /// Where each partition is read next.
    next: Starts,
    read: Vec<Vec<u8>>,
    at: [usize; N_PARTITIONS],
}

impl Answers<'_> {
    /// The answer to the note that comes next.
    pub(super) fn next(&mut self, note: &Note) -> Result<Answer> {
        /// What is read of a partition at once: a part's notes are some hundreds in each.
        const BYTES_AT_ONCE: usize = 256 * NOTE_BYTES;
        let partition = partition_of(note.fingerprint);
        let (read, at) = (&mut self.read[partition], &mut self.at[partition]);
        if *at == read.len() {
            let pile = &self.partitions.piles[partition];
            let left = pile.len() - self.next[partition];
            read.resize(usize::try_from(left).unwrap_or(usize::MAX).min(BYTES_AT_ONCE), 0);
            pile.read(self.next[partition], read)?;
            self.next[partition] += read.len() as u64;
            *at = 0;
        }
        let mut numbers = Numbers(&read[*at..]);
        *at += NOTE_BYTES;
        let entry = EntryId::new(numbers.next()).expect("what was written was an entry");
        let other = Place { part: numbers.next(), block: numbers.next() };
        Ok(Answer { entry, other: (other.part != NONE).then_some(other) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Notes as parts make them, few of them different, in an order of no meaning.
    fn parts(n_parts: u32) -> Vec<(u32, Vec<Note>)> {
        let mut state = 1_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let parts = (0..n_parts).map(|part| {
            let notes = (0..next(300)).map(|block| Note {
                subject: Subject::Block(block as usize),
                fingerprint: Fingerprint::of(&next(2000).to_le_bytes()),
                block,
                asks: next(3) > 0,
            });
            (part, notes.collect())
        });
        parts.collect()
    }

    #[test]
    fn answers_are_those_of_one_map_of_all_notes() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let parts = parts(50);
        let mut places: BTreeMap<Fingerprint, Vec<(Place, bool)>> = BTreeMap::new();
        for (part, notes) in &parts {
            for note in notes {
                let place = Place { part: *part, block: note.block };
                places.entry(note.fingerprint).or_default().push((place, note.asks));
            }
        }
        // With little memory, a partition takes many rounds.
        for (keep, memory) in [(Keep::First, u64::MAX), (Keep::First, 500), (Keep::None, u64::MAX), (Keep::None, 500)] {
            let partitions = Partitions::create(folder.path())?;
            let of = |parts: &[(u32, Vec<Note>)]| partitions.add(parts.iter().cloned().map(Ok));
            let starts = [of(&parts[..20])?, of(&parts[20..])?];
            (0..N_PARTITIONS).try_for_each(|partition| partitions.answer(partition, keep, memory))?;
            let mut entries: BTreeMap<u32, Fingerprint> = BTreeMap::new();
            for (starts, parts) in starts.into_iter().zip([&parts[..20], &parts[20..]]) {
                let mut answers = partitions.answers(starts);
                for (part, note) in parts.iter().flat_map(|(part, notes)| notes.iter().map(move |note| (part, note))) {
                    let answer = answers.next(note)?;
                    let own = *entries.entry(answer.entry.number()).or_insert(note.fingerprint);
                    assert_eq!(own, note.fingerprint, "an entry is of one fingerprint");
                    let place = Place { part: *part, block: note.block };
                    let all = &places[&note.fingerprint];
                    let first = all[0].0;
                    let second = all.iter().find(|(other, asks)| *asks && *other != first).map(|(other, _)| *other);
                    let wanted = match keep {
                        _ if !note.asks => None,
                        _ if first != place => Some(first),
                        Keep::First => None,
                        Keep::None => second,
                    };
                    assert_eq!(answer.other, wanted, "{place:?}, {keep:?} with {memory}");
                }
            }
            assert_eq!(entries.len(), places.len());
        }
        Ok(())
    }
}
