//! Finishing outputs: a file gets its name when it is on the disk, and small files are put there many at a time.
//!
//! Waiting for the disk once for each of 20,000 files takes as much processor time as cleaning them, and several times
//! as long by the clock (21 November 2026, ext4).

use super::output::Unfinished;
use crate::error::Error;
use std::sync::{Mutex, PoisonError};

/// So many files are put on the disk together. Each has an open file handle until then.
const BATCH: usize = 128;

/// Files that are whole and wait for the disk.
#[derive(Debug, Default)]
pub(super) struct Finishing {
    waiting: Mutex<Vec<Numbered>>,
    failed: Mutex<Vec<(usize, Error)>>,
}

#[derive(Debug)]
struct Numbered {
    file_idx: usize,
    file: Unfinished,
}

impl Finishing {
    /// Takes a file, which is number `file_idx` of the plan.
    pub(super) fn take(&self, file_idx: usize, file: Unfinished) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(Numbered { file_idx, file });
        if waiting.len() >= BATCH {
            let batch = std::mem::take(&mut *waiting);
            drop(waiting);
            self.finish(batch);
        }
    }

    /// Finishes the files that still wait; gives all that could not be finished, by their numbers.
    pub(super) fn end(&self) -> Vec<(usize, Error)> {
        let batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.finish(batch);
        std::mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn finish(&self, batch: Vec<Numbered>) {
        let is_synced = sync_together(&batch);
        for Numbered { file_idx, file } in batch {
            let finished = if is_synced { file.name() } else { file.finish() };
            if let Err(error) = finished {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).push((file_idx, error));
            }
        }
    }
}

/// Puts files on the disk together, where the system can; says whether they are there.
#[cfg(target_os = "linux")]
fn sync_together(batch: &[Numbered]) -> bool {
    use std::os::unix::fs::MetadataExt;
    let mut synced = Vec::new();
    batch.iter().all(|Numbered { file, .. }| {
        let Ok(metadata) = file.file().metadata() else { return false };
        let device = metadata.dev();
        synced.contains(&device) || {
            synced.push(device);
            rustix::fs::syncfs(file.file()).is_ok()
        }
    })
}

#[cfg(not(target_os = "linux"))]
fn sync_together(_: &[Numbered]) -> bool {
    false
}
