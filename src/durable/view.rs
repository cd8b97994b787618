//! What can be looked up without a lock: tables that are full, and runs.

use super::documents::Word;
use super::record::{Held, Record, by_range};
use super::run::{ReadBucket, SortedRun};
use super::table::Table;
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use std::sync::Arc;

/// What an index holds but for the table that is being filled.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// How often a table was put among the full ones.
    pub(super) generation: u64,
    /// Full tables that are no runs yet, from the oldest to the newest.
    pub(super) tables: Vec<Arc<Table>>,
    /// From the oldest to the newest.
    pub(super) runs: Vec<Arc<SortedRun>>,
}

impl View {
    /// Finds what is held of each fingerprint, which is what the newest that holds it says; `order` are their numbers, in the
    /// order in which it is best to look for them.
    pub(super) fn find(&self, fingerprints: &[Fingerprint], order: &[u32]) -> Result<Vec<Option<Held>>> {
        let mut found = vec![None; fingerprints.len()];
        let mut left = order.to_vec();
        for table in self.tables.iter().rev() {
            left.retain(|&idx| {
                found[idx as usize] = table.find(&fingerprints[idx as usize]);
                found[idx as usize].is_none()
            });
        }
        let mut maybe = Vec::new();
        for run in self.runs.iter().rev() {
            let mut bucket = ReadBucket::default();
            maybe.clear();
            // All questions to the filter first: they do not wait for one another.
            maybe.extend(left.iter().copied().filter(|&idx| run.may_hold(&fingerprints[idx as usize])));
            let mut n_found = 0;
            for &idx in &maybe {
                found[idx as usize] = run.find(&fingerprints[idx as usize], &mut bucket)?;
                n_found += usize::from(found[idx as usize].is_some());
            }
            if n_found > 0 {
                left.retain(|&idx| found[idx as usize].is_none());
            }
        }
        Ok(found)
    }
}

impl View {
    /// Finds the records of what words stand for.
    pub(super) fn find_words(&self, words: &[Word]) -> Result<Vec<Option<Record>>> {
        let mut found = vec![None; words.len()];
        for table in self.tables.iter().rev() {
            for (found, word) in found.iter_mut().zip(words).filter(|(found, _)| found.is_none()) {
                *found = table.find_word(*word).copied();
            }
        }
        for run in self.runs.iter().rev() {
            let mut bucket = ReadBucket::default();
            for (found, word) in found.iter_mut().zip(words).filter(|(found, _)| found.is_none()) {
                *found = run.find_word(*word, &mut bucket)?;
            }
        }
        Ok(found)
    }
}

/// The numbers of fingerprints, more or less in the order in which runs hold them: so filters, runs and tables are gone
/// through from one end to the other, and what lies side by side is not fetched twice.
pub(super) fn in_order(fingerprints: &[Fingerprint]) -> Vec<u32> {
    let n_ranges = fingerprints.len().div_ceil(8).clamp(1, 1 << 12);
    by_range(n_ranges, fingerprints.iter().copied().zip(0..)).0
}
