//! The table of what was claimed last, in memory.

use super::documents::Word;
use super::record::{Held, Record, high, in_run_order};
use crate::fingerprint::Fingerprint;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// What was claimed since the last run was written: a record of 21 bytes for each fingerprint.
#[derive(Debug, Default)]
pub(super) struct Table(HashTable<Record>);

/// What names the place in the table: with its lowest bits the first ones of the fingerprint, so that what comes in order is
/// put there in order.
fn hash(fingerprint: &Fingerprint) -> u64 {
    hash_of(high(fingerprint))
}

fn hash_of(high: u64) -> u64 {
    high.rotate_left(20)
}

impl Table {
    /// A table for so many records; it grows if there are more.
    pub(super) fn with_capacity(n_records: usize) -> Self {
        Table(HashTable::with_capacity(n_records))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn find(&self, fingerprint: &Fingerprint) -> Option<Held> {
        self.0.find(hash(fingerprint), |record| record.fingerprint() == *fingerprint).map(Record::held)
    }

    /// The record of what a word stands for.
    pub(super) fn find_word(&self, word: Word) -> Option<&Record> {
        word.highs().find_map(|wanted| self.0.find(hash_of(wanted), |record| high(&record.fingerprint()) == wanted))
    }

    /// Puts a record in the place of what was there of its fingerprint.
    pub(super) fn put(&mut self, record: Record) {
        self.update(&record.fingerprint(), |_| Some(record));
    }

    /// Puts a record in the place of what was there of a fingerprint, if `change`, which is told what it is, gives one.
    pub(super) fn update(&mut self, fingerprint: &Fingerprint, change: impl FnOnce(Option<Held>) -> Option<Record>) {
        let is_same = |other: &Record| other.fingerprint() == *fingerprint;
        match self.0.entry(hash(fingerprint), is_same, |other| hash(&other.fingerprint())) {
            Entry::Occupied(mut there) => {
                if let Some(record) = change(Some(there.get().held())) {
                    *there.get_mut() = record;
                }
            }
            Entry::Vacant(free) => {
                if let Some(record) = change(None) {
                    free.insert(record);
                }
            }
        }
    }

    /// All records, in the order of a run.
    pub(super) fn sorted(&self) -> Vec<Record> {
        in_run_order(self.len(), self.0.iter())
    }
}
