//! The index in memory: open addressing over fixed-size entries, in shards that lock by themselves.
//!
//! ```text
//! fingerprint ── low bits ──▶ shard ── middle bits ──▶ slot: [tag 8 bits | entry + 1, 24 bits]
//!                                                       │ the tag spares 255 of 256 needless looks at
//!                                                       ▼
//!                                      entries: [fingerprint 16 | part 4 | block 4 | count 4], in chunks
//! ```
//!
//! An entry takes 28 bytes and its slot 4 to 8. Entries never move, so a table can grow without copying them.

use super::{EntryId, Lookup, Notes, Owner, Place, Seen};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use std::sync::{Mutex, PoisonError};

const SHARD_BITS: u32 = 6;
const N_SHARDS: usize = 1 << SHARD_BITS;
const ENTRY_BITS: u32 = EntryId::BITS - SHARD_BITS;
/// One less than could be numbered, since a slot holds the entry plus one.
const SHARD_CAPACITY: usize = (1 << ENTRY_BITS) - 1;
const CHUNK: usize = 256;

/// The index that lives in memory, and grows as fingerprints arrive. The number of its shards is a power of two.
#[derive(Debug)]
pub struct MemoryIndex {
    shards: Vec<Mutex<Shard>>,
}

/// A [`MemoryIndex`] that nothing is added to any more, and that is read without locks.
#[derive(Debug)]
pub struct Frozen {
    shards: Vec<Shard>,
}

#[derive(Debug, Default)]
struct Shard {
    /// Zero, or a tag and the number of an entry plus one. The length is a power of two.
    slots: Vec<u32>,
    entries: Vec<Box<[Entry; CHUNK]>>,
    len: usize,
}

/// Four-byte fields only, so that 28 bytes are 28 bytes.
#[derive(Clone, Copy, Debug)]
struct Entry {
    fingerprint: [u32; 4],
    first: Place,
    count: u32,
}

const NO_ENTRY: Entry = Entry { fingerprint: [0; 4], first: Place { part: 0, block: 0 }, count: 0 };

impl Default for MemoryIndex {
    /// An index for many threads and many blocks.
    fn default() -> Self {
        MemoryIndex { shards: (0..N_SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl MemoryIndex {
    /// An index for one thread and few blocks, which is cheap to make.
    pub fn small() -> Self {
        MemoryIndex { shards: vec![Mutex::default()] }
    }

    /// What is known of a fingerprint, if it was noted.
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Seen> {
        let fingerprint = words(fingerprint);
        let shard = self.shard(fingerprint[0] as usize % self.shards.len());
        let entry_idx = shard.find(&fingerprint).ok()?;
        Some(shard.entry(entry_idx).seen())
    }

    /// Ends the notes.
    pub fn freeze(self) -> Frozen {
        let unlocked = |shard: Mutex<Shard>| shard.into_inner().unwrap_or_else(PoisonError::into_inner);
        Frozen { shards: self.shards.into_iter().map(unlocked).collect() }
    }

    fn shard(&self, shard_idx: usize) -> std::sync::MutexGuard<'_, Shard> {
        // A poisoned shard is whole all the same: no note leaves it half-done.
        self.shards[shard_idx].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lookup for MemoryIndex {
    fn seen(&self, entry: EntryId) -> Seen {
        let (shard_idx, entry_idx) = split(entry);
        self.shard(shard_idx).entry(entry_idx).seen()
    }
}

impl Lookup for Frozen {
    fn seen(&self, entry: EntryId) -> Seen {
        let (shard_idx, entry_idx) = split(entry);
        self.shards[shard_idx].entry(entry_idx).seen()
    }
}

impl Frozen {
    /// Gives the parts of all places other numbers, in the same order.
    pub(crate) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        for shard in &mut self.shards {
            let mut left = shard.len;
            for chunk in &mut shard.entries {
                for entry in chunk.iter_mut().take(left) {
                    entry.first.part = number(entry.first.part);
                }
                left = left.saturating_sub(CHUNK);
            }
        }
    }

    /// The fingerprint of an entry that the index gave out.
    pub fn fingerprint(&self, entry: EntryId) -> Fingerprint {
        let (shard_idx, entry_idx) = split(entry);
        self.shards[shard_idx].entry(entry_idx).fingerprint()
    }

    /// How many shards there are, which can be asked about one by one.
    pub(crate) fn n_shards(&self) -> usize {
        self.shards.len()
    }

    /// Asks who else has the fingerprints of a shard, which `ask` is given in their order and answers with one owner for each.
    pub(crate) fn owners_of_shard(
        &self,
        shard_idx: usize,
        ask: impl FnOnce(&[Fingerprint]) -> Result<Vec<Option<Owner>>>,
    ) -> Result<ShardOwners> {
        let shard = &self.shards[shard_idx];
        let mut asked: Vec<(Fingerprint, usize)> =
            (0..shard.len).map(|entry_idx| (shard.entry(entry_idx).fingerprint(), entry_idx)).collect();
        asked.sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
        let fingerprints: Vec<Fingerprint> = asked.iter().map(|(fingerprint, _)| *fingerprint).collect();
        let owners = ask(&fingerprints)?;
        let mut packed = Vec::new();
        if owners.iter().any(Option::is_some) {
            packed.resize(shard.len, NOBODY);
            for ((_, entry_idx), owner) in asked.into_iter().zip(owners) {
                packed[entry_idx] = owner.map_or(NOBODY, |owner| {
                    let mut bytes = NOBODY;
                    bytes.copy_from_slice(&owner.number().to_le_bytes()[..OWNER_BYTES]);
                    bytes
                });
            }
        }
        Ok(ShardOwners(packed))
    }

    /// How many different fingerprints it holds.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len).sum()
    }

    /// Whether nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Notes for MemoryIndex {
    fn note(&self, batch: &[(Fingerprint, Place)], entries: &mut Vec<EntryId>) -> Result<()> {
        let base = entries.len();
        entries.resize(base + batch.len(), EntryId(0));
        // Shard by shard, so that each lock is taken once and the table's cache lines are fetched side by side.
        let words: Vec<[u32; 4]> = batch.iter().map(|(fingerprint, _)| words(*fingerprint)).collect();
        let shard_of = |fingerprint: &[u32; 4]| fingerprint[0] as usize % self.shards.len();
        let mut starts = [0_usize; N_SHARDS + 1];
        for word in &words {
            starts[shard_of(word) + 1] += 1;
        }
        for shard_idx in 0..N_SHARDS {
            starts[shard_idx + 1] += starts[shard_idx];
        }
        let mut order = vec![0_usize; batch.len()];
        let mut next = starts;
        for (batch_idx, word) in words.iter().enumerate() {
            let cell = &mut next[shard_of(word)];
            order[*cell] = batch_idx;
            *cell += 1;
        }
        for shard_idx in 0..self.shards.len() {
            let group = &order[starts[shard_idx]..starts[shard_idx + 1]];
            if group.is_empty() {
                continue;
            }
            let mut shard = self.shard(shard_idx);
            shard.warm(group.iter().map(|&batch_idx| &words[batch_idx]));
            for &batch_idx in group {
                let entry_idx = shard.note(&words[batch_idx], batch[batch_idx].1)?;
                entries[base + batch_idx] = join(shard_idx, entry_idx);
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        (0..self.shards.len()).map(|shard_idx| self.shard(shard_idx).len).sum()
    }
}

impl Shard {
    fn note(&mut self, fingerprint: &[u32; 4], place: Place) -> Result<usize> {
        if self.len * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let slot_idx = match self.find(fingerprint) {
            Ok(entry_idx) => {
                let entry = self.entry_mut(entry_idx);
                entry.first = entry.first.min(place);
                entry.count = entry.count.saturating_add(1);
                return Ok(entry_idx);
            }
            Err(slot_idx) => slot_idx,
        };
        if self.len == SHARD_CAPACITY {
            return Err(Error::index_full((SHARD_CAPACITY * N_SHARDS) as u64));
        }
        let entry_idx = self.len;
        self.slots[slot_idx] = slot(fingerprint, entry_idx);
        if entry_idx.is_multiple_of(CHUNK) {
            self.entries.push(Box::new([NO_ENTRY; CHUNK]));
        }
        *self.entry_mut(entry_idx) = Entry { fingerprint: *fingerprint, first: place, count: 1 };
        self.len += 1;
        Ok(entry_idx)
    }

    /// The entry of a fingerprint, or else the slot that it would have, unless there are none.
    fn find(&self, fingerprint: &[u32; 4]) -> Result<usize, usize> {
        let Some(mask) = self.slots.len().checked_sub(1) else { return Err(0) };
        let mut slot_idx = slot_of(fingerprint) & mask;
        loop {
            match self.slots[slot_idx] {
                0 => return Err(slot_idx),
                slot if slot >> ENTRY_BITS == tag(fingerprint) => {
                    let entry_idx = (slot & ((1 << ENTRY_BITS) - 1)) as usize - 1;
                    if self.entry(entry_idx).fingerprint == *fingerprint {
                        return Ok(entry_idx);
                    }
                }
                _ => {}
            }
            slot_idx = (slot_idx + 1) & mask;
        }
    }

    /// Reads the slots of some fingerprints, and the entries that they name, without waiting for one before the next, so
    /// that the notes to come find them in the cache.
    fn warm<'w>(&self, fingerprints: impl Iterator<Item = &'w [u32; 4]> + Clone) {
        if self.slots.is_empty() {
            return;
        }
        let mask = self.slots.len() - 1;
        let mut touched = 0;
        for fingerprint in fingerprints.clone() {
            touched |= self.slots[slot_of(fingerprint) & mask];
        }
        std::hint::black_box(touched);
        for fingerprint in fingerprints {
            let slot = self.slots[slot_of(fingerprint) & mask];
            if slot >> ENTRY_BITS == tag(fingerprint) && slot != 0 {
                touched |= self.entry((slot & ((1 << ENTRY_BITS) - 1)) as usize - 1).count;
            }
        }
        std::hint::black_box(touched);
    }

    fn grow(&mut self) {
        let n_slots = (self.slots.len() * 2).max(16);
        let mask = n_slots - 1;
        let mut slots = vec![0; n_slots];
        for entry_idx in 0..self.len {
            let fingerprint = self.entry(entry_idx).fingerprint;
            let mut slot_idx = slot_of(&fingerprint) & mask;
            while slots[slot_idx] != 0 {
                slot_idx = (slot_idx + 1) & mask;
            }
            slots[slot_idx] = slot(&fingerprint, entry_idx);
        }
        self.slots = slots;
    }

    fn entry(&self, entry_idx: usize) -> &Entry {
        &self.entries[entry_idx / CHUNK][entry_idx % CHUNK]
    }

    fn entry_mut(&mut self, entry_idx: usize) -> &mut Entry {
        &mut self.entries[entry_idx / CHUNK][entry_idx % CHUNK]
    }
}

/// Who else has the fingerprints of an index's shard: one number for each entry, or nothing where nobody has any.
#[derive(Debug, Default)]
pub(crate) struct ShardOwners(Vec<[u8; OWNER_BYTES]>);

const OWNER_BYTES: usize = Owner::BITS as usize / 8;
/// No owner's number.
const NOBODY: [u8; OWNER_BYTES] = [0xFF; OWNER_BYTES];

/// The same of all shards.
#[derive(Debug)]
pub(crate) struct EntryOwners(pub(crate) Vec<ShardOwners>);

impl EntryOwners {
    /// Who else has the fingerprint of an entry.
    pub(crate) fn of(&self, entry: EntryId) -> Option<Owner> {
        let (shard_idx, entry_idx) = split(entry);
        let packed = self.0.get(shard_idx)?.0.get(entry_idx)?;
        let mut bytes = [0; 8];
        bytes[..OWNER_BYTES].copy_from_slice(packed);
        Owner::new(u64::from_le_bytes(bytes))
    }
}

impl Entry {
    fn fingerprint(&self) -> Fingerprint {
        let mut bytes = [0; 16];
        for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(self.fingerprint) {
            *bytes = word.to_le_bytes();
        }
        Fingerprint::from_bytes(bytes)
    }

    fn seen(&self) -> Seen {
        Seen { first: self.first, count: self.count }
    }
}

fn words(fingerprint: Fingerprint) -> [u32; 4] {
    let bytes = fingerprint.as_bytes();
    std::array::from_fn(|word_idx| {
        let word = &bytes[word_idx * 4..][..4];
        u32::from_le_bytes([word[0], word[1], word[2], word[3]])
    })
}

fn slot_of(fingerprint: &[u32; 4]) -> usize {
    fingerprint[1] as usize
}

fn tag(fingerprint: &[u32; 4]) -> u32 {
    fingerprint[2] >> ENTRY_BITS
}

fn slot(fingerprint: &[u32; 4], entry_idx: usize) -> u32 {
    let number = u32::try_from(entry_idx + 1).expect("a shard's capacity fits the bits of an entry");
    tag(fingerprint) << ENTRY_BITS | number
}

fn join(shard_idx: usize, entry_idx: usize) -> EntryId {
    let number = shard_idx << ENTRY_BITS | entry_idx;
    EntryId(u32::try_from(number).expect("shard and entry together fit the bits of an entry id"))
}

fn split(entry: EntryId) -> (usize, usize) {
    ((entry.0 >> ENTRY_BITS) as usize, (entry.0 & ((1 << ENTRY_BITS) - 1)) as usize)
}
