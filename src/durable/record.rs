//! Records: a fingerprint and who has it, as bytes that are kept in memory, in logs and in runs alike.

use crate::fingerprint::Fingerprint;
use crate::index::Owner;

const KEY_BYTES: usize = 16;
const HELD_BYTES: usize = Owner::BITS as usize / 8;
/// What an owner's bytes are where a fingerprint was given up. It is no owner's number.
const RELEASED: [u8; HELD_BYTES] = [0xFF; HELD_BYTES];

/// Who has a fingerprint, as far as a table or a run knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    By(Owner),
    /// It was given up: what older runs say does not count.
    Released,
}

impl Held {
    pub(super) fn owner(self) -> Option<Owner> {
        match self {
            Held::By(owner) => Some(owner),
            Held::Released => None,
        }
    }
}

/// What is kept of a fingerprint. It has no alignment, so that 21 bytes are 21 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    key: [u8; KEY_BYTES],
    held: [u8; HELD_BYTES],
}

/// How records are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// The fingerprint alone.
    Key,
    /// The fingerprint, and who has it: a number of five bytes, the lowest first.
    KeyAndOwner,
}

impl Width {
    pub(super) fn bytes(self) -> usize {
        match self {
            Width::Key => KEY_BYTES,
            Width::KeyAndOwner => KEY_BYTES + HELD_BYTES,
        }
    }

    /// The record that is written as these bytes, of which there are enough.
    pub(super) fn read(self, bytes: &[u8]) -> Record {
        let mut record = Record { key: [0; KEY_BYTES], held: [0; HELD_BYTES] };
        record.key.copy_from_slice(&bytes[..KEY_BYTES]);
        if self == Width::KeyAndOwner {
            record.held.copy_from_slice(&bytes[KEY_BYTES..][..HELD_BYTES]);
        }
        record
    }

    /// Appends the bytes of a record.
    pub(super) fn write(self, record: &Record, out: &mut Vec<u8>) {
        out.extend_from_slice(&record.key);
        if self == Width::KeyAndOwner {
            out.extend_from_slice(&record.held);
        }
    }
}

impl Record {
    pub(super) fn new(fingerprint: Fingerprint, held: Held) -> Self {
        let held = match held {
            Held::By(owner) => {
                let mut bytes = [0; HELD_BYTES];
                bytes.copy_from_slice(&owner.number().to_le_bytes()[..HELD_BYTES]);
                bytes
            }
            Held::Released => RELEASED,
        };
        Record { key: *fingerprint.as_bytes(), held }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_bytes(self.key)
    }

    pub(super) fn held(&self) -> Held {
        let mut bytes = [0; 8];
        bytes[..HELD_BYTES].copy_from_slice(&self.held);
        Owner::new(u64::from_le_bytes(bytes)).map_or(Held::Released, Held::By)
    }

    /// The fingerprint and who has it, if anybody has.
    pub(super) fn owned(self) -> Option<(Fingerprint, Owner)> {
        Some((self.fingerprint(), self.held().owner()?))
    }

    /// The order of records in a run.
    pub(super) fn order(&self) -> u128 {
        u128::from_be_bytes(self.key)
    }
}

/// The first half of a fingerprint, by which records lie in order.
pub(super) fn high(fingerprint: &Fingerprint) -> u64 {
    let (half, _) = fingerprint.as_bytes().split_first_chunk().expect("a fingerprint has 16 bytes");
    u64::from_be_bytes(*half)
}

/// The other half, which hash tables and filters use.
pub(super) fn low(fingerprint: &Fingerprint) -> u64 {
    let (_, half) = fingerprint.as_bytes().split_last_chunk().expect("a fingerprint has 16 bytes");
    u64::from_le_bytes(*half)
}

/// Puts things into the order of ranges: those of one range stand together, as they came. Gives where each range ends, too.
pub(super) fn by_range<T: Copy>(
    n_ranges: usize,
    things: impl Iterator<Item = (Fingerprint, T)> + Clone,
) -> (Vec<T>, Vec<usize>) {
    let range = |fingerprint: &Fingerprint| range_of(high(fingerprint), n_ranges);
    let mut ends = vec![0; n_ranges + 1];
    things.clone().for_each(|(fingerprint, _)| ends[range(&fingerprint) + 1] += 1);
    for range_idx in 0..n_ranges {
        ends[range_idx + 1] += ends[range_idx];
    }
    let Some((_, any)) = things.clone().next() else { return (Vec::new(), ends) };
    let mut ordered = vec![any; ends[n_ranges]];
    for (fingerprint, thing) in things {
        let end = &mut ends[range(&fingerprint)];
        ordered[*end] = thing;
        *end += 1;
    }
    (ordered, ends)
}

/// What is sorted at a time.
const RANGE_RECORDS: usize = 16;

/// Records in the order of a run. They are first put into many small ranges, which takes half the time of sorting all of them.
pub(super) fn in_run_order<'r>(n_records: usize, records: impl Iterator<Item = &'r Record> + Clone) -> Vec<Record> {
    let n_ranges = n_records / RANGE_RECORDS + 1;
    let (mut records, ends) = by_range(n_ranges, records.map(|record| (record.fingerprint(), *record)));
    let mut start = 0;
    for end in &ends[..n_ranges] {
        records[start..*end].sort_unstable_by_key(Record::order);
        start = *end;
    }
    records
}

/// Which of so many equal ranges of fingerprints one is in.
pub(super) fn range_of(high: u64, n_ranges: usize) -> usize {
    let range = (u128::from(high) * n_ranges as u128) >> u64::BITS;
    usize::try_from(range).expect("there are as many ranges as a usize says")
}
