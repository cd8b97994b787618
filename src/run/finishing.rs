//! Finishing outputs: a file gets its name when it is on the disk, and small files are put there many at a time.
//!
//! Waiting for the disk once for each of 20,000 files takes as much processor time as cleaning them, and several times
//! as long by the clock (21 November 2026, ext4).

use super::output::Whole;
use crate::error::Error;
use std::sync::{Mutex, PoisonError};

/// So many files are put on the disk together,
const BATCH: usize = 128;
/// or so many bytes: large files, of which there are few, do not wait to be done.
const BATCH_BYTES: u64 = 64 << 20;

/// Files that are whole and wait for the disk.
#[derive(Debug, Default)]
pub(super) struct Finishing {
    waiting: Mutex<Batch>,
    failed: Mutex<Vec<(usize, Error)>>,
}

#[derive(Debug, Default)]
struct Batch {
    files: Vec<Numbered>,
    bytes: u64,
}

#[derive(Debug)]
struct Numbered {
    file_idx: usize,
    file: Whole,
}

/// A file that is on the disk and has its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finished {
    pub(super) file_idx: usize,
    pub(super) bytes: u64,
}

impl Finishing {
    /// Takes a file, which is number `file_idx` of the plan; gives those that are finished now.
    pub(super) fn take(&self, file_idx: usize, file: Whole) -> Vec<Finished> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.bytes += file.metadata().len();
        waiting.files.push(Numbered { file_idx, file });
        if waiting.files.len() < BATCH && waiting.bytes < BATCH_BYTES {
            return Vec::new();
        }
        let batch = std::mem::take(&mut *waiting);
        drop(waiting);
        self.finish(batch)
    }

    /// Finishes the files that still wait, and gives them.
    pub(super) fn end(&self) -> Vec<Finished> {
        let batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.finish(batch)
    }

    /// The files that could not be finished, by their numbers.
    pub(super) fn failed(&self) -> Vec<(usize, Error)> {
        std::mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn finish(&self, batch: Batch) -> Vec<Finished> {
        let is_synced = sync_together(&batch.files);
        let mut finished = Vec::with_capacity(batch.files.len());
        for Numbered { file_idx, file } in batch.files {
            let bytes = file.metadata().len();
            let synced = if is_synced { Ok(()) } else { file.sync() };
            match synced.and_then(|()| file.name()) {
                Ok(()) => finished.push(Finished { file_idx, bytes }),
                Err(error) => self.failed.lock().unwrap_or_else(PoisonError::into_inner).push((file_idx, error)),
            }
        }
        finished
    }
}

/// Puts files on the disk together, where the system can; says whether they are there.
#[cfg(target_os = "linux")]
fn sync_together(batch: &[Numbered]) -> bool {
    use std::os::unix::fs::MetadataExt;
    let mut synced = Vec::new();
    batch.iter().filter(|numbered| numbered.file.stays()).all(|Numbered { file, .. }| {
        let device = file.metadata().dev();
        synced.contains(&device) || {
            synced.push(device);
            file.open().is_ok_and(|file| rustix::fs::syncfs(file).is_ok())
        }
    })
}

#[cfg(not(target_os = "linux"))]
fn sync_together(_: &[Numbered]) -> bool {
    false
}
