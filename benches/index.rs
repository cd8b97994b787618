//! The index in memory, with a million different fingerprints of 16 bytes.

use dehusk::fingerprint::Fingerprint;
use dehusk::index::{EntryId, Lookup, MemoryIndex, Notes, Place, Seen};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

const N_KEYS: u32 = 1_000_000;
/// As many as come from a part of some megabytes.
const BATCH: usize = 8192;
/// Steps of a prime go through all keys, and each lands far from the last.
const STRIDE: usize = 611_953;

/// All are new to an empty index.
#[divan::bench(max_time = 2, counters = [ItemsCount::new(N_KEYS), BytesCount::new(16 * N_KEYS)])]
fn note_new(bencher: Bencher<'_, '_>) {
    let notes = notes(0);
    bencher.with_inputs(MemoryIndex::default).bench_local_values(|index| {
        note(&index, &notes);
        assert_eq!(index.len(), notes.len());
        index
    });
}

/// All were noted before.
#[divan::bench(max_time = 2, counters = [ItemsCount::new(N_KEYS), BytesCount::new(16 * N_KEYS)])]
fn note_again(bencher: Bencher<'_, '_>) {
    let index = MemoryIndex::default();
    note(&index, &notes(1));
    let earlier = notes(0);
    bencher.bench_local(|| note(&index, &earlier));
    let entry = note(&index, &earlier[..1])[0];
    assert_eq!(index.len(), earlier.len());
    assert_eq!(index.seen(entry).first, Place { part: 0, block: 0 }, "the smallest place is the first");
}

/// Where each was seen first, asked in no order of theirs, of the index while it grows.
#[divan::bench(max_time = 2, counters = [ItemsCount::new(N_KEYS), BytesCount::new(16 * N_KEYS)])]
fn seen_growing(bencher: Bencher<'_, '_>) {
    let index = MemoryIndex::default();
    let entries = note(&index, &notes(0));
    look_up(bencher, &index, &entries);
}

/// The same of a frozen index, which needs no lock.
#[divan::bench(max_time = 2, counters = [ItemsCount::new(N_KEYS), BytesCount::new(16 * N_KEYS)])]
fn seen_frozen(bencher: Bencher<'_, '_>) {
    let index = MemoryIndex::default();
    let entries = note(&index, &notes(0));
    look_up(bencher, &index.freeze(), &entries);
}

fn look_up(bencher: Bencher<'_, '_>, index: &impl Lookup, entries: &[EntryId]) {
    for (block, &entry) in (0..).zip(entries) {
        assert_eq!(index.seen(entry), Seen { first: Place { part: 0, block }, count: 1 });
    }
    let shuffled: Vec<EntryId> = (0..entries.len()).map(|place| entries[place * STRIDE % entries.len()]).collect();
    bencher.bench_local(|| shuffled.iter().map(|&entry| u64::from(index.seen(entry).first.block)).sum::<u64>());
}

/// A million different fingerprints, one after the other in a part.
fn notes(part: u32) -> Vec<(Fingerprint, Place)> {
    (0..N_KEYS).map(|block| (Fingerprint::of(&block.to_le_bytes()), Place { part, block })).collect()
}

fn note(index: &MemoryIndex, notes: &[(Fingerprint, Place)]) -> Vec<EntryId> {
    let mut entries = Vec::with_capacity(notes.len());
    for batch in notes.chunks(BATCH) {
        index.note(batch, &mut entries).expect("the index holds more than a million");
    }
    entries
}
