//! Fingerprints one by one; the index as a map in order.

use crate::tries;
use dehusk::fingerprint::{Fingerprint, Fingerprinter};
use dehusk::index::{EntryId, Lookup, MemoryIndex, Notes, Place, Seen};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A note: a key that stands for a text, and its place.
type Note = (u16, Place);

fn notes() -> impl Strategy<Value = Vec<Note>> {
    let place = (0..4_u32, 0..50_u32).prop_map(|(part, block)| Place { part, block });
    let keys = prop_oneof![0..8_u16, 0..3000_u16];
    prop::collection::vec((keys, place), 0..1200)
}

fn fingerprint(key: u16) -> Fingerprint {
    Fingerprint::of(&key.to_le_bytes())
}

fn seen_of(notes: &[Note]) -> BTreeMap<u16, Seen> {
    let mut seen: BTreeMap<u16, Seen> = BTreeMap::new();
    for &(key, place) in notes {
        let known = seen.entry(key).or_insert(Seen { first: place, count: 0 });
        known.first = known.first.min(place);
        known.count += 1;
    }
    seen
}

/// Notes in batches of `batch`, dealt out to `n_threads`; gives the entry of each note.
fn noted(index: &MemoryIndex, notes: &[Note], batch: usize, n_threads: usize) -> Vec<(u16, EntryId)> {
    let batches: Vec<&[Note]> = notes.chunks(batch).collect();
    let note = |thread_idx: usize| {
        let mut noted = Vec::new();
        for notes in batches.iter().skip(thread_idx).step_by(n_threads) {
            let fingerprints: Vec<_> = notes.iter().map(|(key, place)| (fingerprint(*key), *place)).collect();
            let mut entries = Vec::new();
            index.note(&fingerprints, &mut entries).expect("so few notes do not fill an index");
            assert_eq!(entries.len(), notes.len());
            noted.extend(notes.iter().map(|(key, _)| *key).zip(entries));
        }
        noted
    };
    std::thread::scope(|scope| {
        let note = &note;
        let threads: Vec<_> = (0..n_threads).map(|thread_idx| scope.spawn(move || note(thread_idx))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("notes do not panic")).collect()
    })
}

proptest! {
    #![proptest_config(tries(60))]

    #[test]
    fn the_index_is_a_map_whatever_the_order(notes in notes(), batch in 1..200_usize, n_threads in 1..4_usize) {
        let wanted = seen_of(&notes);
        let backwards: Vec<Note> = notes.iter().rev().copied().collect();
        for (notes, index) in [(&notes, MemoryIndex::default()), (&backwards, MemoryIndex::small())] {
            let noted = noted(&index, notes, batch, n_threads);
            prop_assert_eq!(noted.len(), notes.len());
            prop_assert_eq!(index.len(), wanted.len());
            prop_assert!(noted.iter().all(|(key, entry)| index.seen(*entry) == wanted[key]));
            let frozen = index.freeze();
            prop_assert_eq!(frozen.len(), wanted.len());
            prop_assert!(noted.iter().all(|(key, entry)| frozen.seen(*entry) == wanted[key]));
            let entries: BTreeMap<u16, EntryId> = noted.iter().copied().collect();
            prop_assert!(noted.iter().all(|(key, entry)| entries[key] == *entry), "a text has two entries");
        }
    }

    #[test]
    fn batches_of_fingerprints_are_those_of_each(
        blocks in prop::collection::vec((prop_oneof![0..200_usize, 0..1300_usize], 1..=255_u8, any::<bool>()), 0..120),
        flush_at in 1..60_usize,
    ) {
        let mut fingerprinter = Fingerprinter::default();
        let mut fingerprints = vec![Fingerprint::default(); blocks.len()];
        for (slot, (length, byte, is_discarded)) in blocks.iter().enumerate() {
            fingerprinter.begin().extend(std::iter::repeat_n(*byte, *length));
            prop_assert_eq!(fingerprinter.folded().len(), *length);
            if *is_discarded {
                fingerprinter.discard();
            } else {
                fingerprinter.end(slot, &mut fingerprints);
            }
            if slot % flush_at == 0 {
                fingerprinter.flush(&mut fingerprints);
            }
        }
        fingerprinter.flush(&mut fingerprints);
        for (fingerprint, (length, byte, is_discarded)) in fingerprints.iter().zip(&blocks) {
            let folded = vec![*byte; *length];
            let mut padded = folded.clone();
            padded.resize(length.next_multiple_of(64), 0);
            let wanted = if *is_discarded { Fingerprint::default() } else { Fingerprint::of(&folded) };
            prop_assert_eq!(*fingerprint, wanted);
            prop_assert!(blake3::hash(&padded).as_bytes().starts_with(Fingerprint::of(&folded).as_bytes()));
        }
    }
}
