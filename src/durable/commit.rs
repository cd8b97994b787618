//! Commits: what was claimed is taken from where it waits, and put on the disk while others claim.
//!
//! ```text
//! take  a lock, for a copy ─▶ commit   documents, and put on the disk; then the log; then the mark
//!                          └▶ put away a table that was full: the next log is begun, and the table waits to become a run
//! ```
//! What is taken is put on the disk in the order in which it was taken, by one at a time. What fails stays first, and is done again by who
//! commits next.

use super::documents::{DocumentsFile, Written};
use super::files::{Folder, Series};
use super::mark::{Mark, Marker};
use super::sealed::Committed;
use super::table::Table;
use super::{Active, Full, Index, Shared};
use crate::error::Result;
use crate::log::Log;
use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};

/// What commits write to.
#[derive(Debug)]
pub(super) struct Disk {
    log: Log,
    log_number: u64,
    marker: Marker,
    pub(super) documents: DocumentsFile,
    pub(super) committed: Committed,
    /// What was taken and is not done, in order.
    steps: VecDeque<Step>,
}

#[derive(Debug)]
enum Step {
    Commit(Batch),
    /// All that the table holds was taken before.
    PutAway(Arc<Table>),
}

/// What one commit puts on the disk.
#[derive(Debug)]
struct Batch {
    records: Vec<u8>,
    documents: Written,
    n_keys: u64,
    n_words: u64,
    n_documents: u64,
}

impl Active {
    /// Takes what waits for a commit.
    fn take(&mut self) -> Option<Batch> {
        (self.n_waiting() > 0).then(|| Batch {
            records: std::mem::replace(&mut self.uncommitted, std::mem::take(&mut self.spare)),
            documents: self.documents.take(),
            n_keys: self.n_keys,
            n_words: self.documents.n_words(),
            n_documents: self.n_documents,
        })
    }

    /// Forgets what was taken first and is on the disk now.
    fn forget(&mut self, batch: Batch) {
        self.documents.forget(&batch.documents);
        self.spare = batch.records;
        self.spare.clear();
    }
}

impl Disk {
    pub(super) fn new(
        log: Log,
        log_number: u64,
        marker: Marker,
        documents: DocumentsFile,
        committed: Committed,
    ) -> Self {
        Disk { log, log_number, marker, documents, committed, steps: VecDeque::new() }
    }

    /// Puts on the disk what a step is to put there.
    fn put(&mut self, step: &Step, folder: &Folder) -> Result<()> {
        match step {
            Step::Commit(batch) => self.commit(batch),
            Step::PutAway(_) => self.begin_log(folder),
        }
    }

    fn commit(&mut self, batch: &Batch) -> Result<()> {
        let Batch { ref records, ref documents, n_keys, n_words, n_documents } = *batch;
        let committed = Committed { n_keys, n_commits: self.committed.n_commits + 1, n_words, n_documents };
        self.documents.write(documents)?;
        self.documents.sync()?;
        self.log.append_synced(&[&committed.to_bytes(), records])?;
        self.committed = committed;
        self.marker.write(Mark { log: self.log_number, end: self.log.end() })
    }

    fn begin_log(&mut self, folder: &Folder) -> Result<()> {
        let number = self.log_number + 1;
        let log = Log::go_on(&folder.numbered(Series::Log, number), 0)?;
        folder.sync()?;
        (self.log, self.log_number) = (log, number);
        Ok(())
    }
}

impl Shared {
    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        // Under it files are written, which fails and does not panic; what failed is among its steps.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a new table; the full one can be looked up without a lock from now on.
    fn rotate(&self, active: &mut Active) -> Arc<Table> {
        active.generation += 1;
        active.n_changes = 0;
        let table = Table::with_capacity(self.table_records);
        let table = Arc::new(std::mem::replace(&mut active.table, table));
        self.set_view(|view| {
            view.generation += 1;
            view.tables.push(Arc::clone(&table));
        });
        table
    }
}

impl Index {
    /// Puts all that was claimed so far on the disk: when it returns, that survives any crash.
    ///
    /// It waits for the disk, for another commit that is under way, and now and then (for every 900,000 new fingerprints) until what was
    /// claimed before those is written as a run, if that is not done yet. Meanwhile others can claim; what they claim is for the next
    /// commit.
    ///
    /// # Errors
    ///
    /// When something cannot be written, now or by the threads that write runs and merge them. What could not be put on the disk is
    /// tried again by the next commit.
    pub fn commit(&self) -> Result<()> {
        self.background.check()?;
        self.flush(&mut self.shared.disk(), |active| active.table.len() >= self.shared.table_records)
    }

    /// Puts on the disk what waits, and gives the table that is being filled to be written as a run, if it shall go. Waits while two
    /// tables wait already.
    pub(super) fn flush(&self, disk: &mut Disk, shall_go: impl FnOnce(&Active) -> bool) -> Result<()> {
        let shared = &*self.shared;
        let mut active = shared.active();
        disk.steps.extend(active.take().map(Step::Commit));
        if shall_go(&active) {
            disk.steps.push_back(Step::PutAway(shared.rotate(&mut active)));
        }
        drop(active);
        while let Some(step) = disk.steps.pop_front() {
            if let Err(error) = disk.put(&step, &shared.folder) {
                disk.steps.push_front(step);
                return Err(error);
            }
            match step {
                Step::Commit(batch) => shared.active().forget(batch),
                Step::PutAway(table) => {
                    self.background.write(Full { table, next_log: disk.log_number, committed: disk.committed })?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use crate::index::{Claims, Known, Owner};

    fn claim(index: &Index, numbers: std::ops::Range<u32>) {
        let owner = |number: u32| Owner::new(u64::from(number) + 1).expect("it is small");
        let batch: Vec<_> = numbers.map(|number| (key(number), owner(number))).collect();
        let mut owners = Vec::new();
        index.claim(&batch, &mut owners).expect("they can be claimed");
        assert!(batch.iter().zip(owners).all(|((_, claimer), owner)| *claimer == owner));
    }

    fn key(number: u32) -> Fingerprint {
        Fingerprint::of(&number.to_le_bytes())
    }

    #[test]
    fn others_claim_while_a_commit_is_under_way() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let index = Index::options().table_records(100).open(folder.path()).expect("it can be made");
        claim(&index, 0..150);
        // As while the disk is waited for, with what was taken and a full table.
        let mut disk = index.shared.disk();
        disk.steps.extend(index.shared.active().take().map(Step::Commit));
        disk.steps.push_back(Step::PutAway(index.shared.rotate(&mut index.shared.active())));
        claim(&index, 100..300);
        assert_eq!(index.len(), 300);
        drop(disk);
        index.commit().expect("it can be committed");
        drop(index);
        let index = Index::open(folder.path()).expect("it can be opened");
        assert_eq!((index.len(), index.state().committed.n_commits), (300, 2));
        claim(&index, 0..300);
    }

    #[test]
    fn what_fails_is_done_again_in_its_order() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let in_the_way = Folder::new(folder.path()).numbered(Series::Log, 1);
        {
            let index = Index::options().table_records(100).open(folder.path()).expect("it can be made");
            std::fs::create_dir(&in_the_way).expect("a folder can be made");
            for number in 0..3 {
                claim(&index, number * 150..(number + 1) * 150);
                // The first commit is on the disk, and no log can be begun for the table that comes after.
                assert!(index.commit().is_err());
                assert_eq!((index.len(), index.state().committed.n_keys), ((number as usize + 1) * 150, 150));
            }
            std::fs::remove_dir(&in_the_way).expect("it can be removed");
            index.commit().expect("it can be committed");
            index.settle().expect("runs can be written");
        }
        let index = Index::open(folder.path()).expect("it can be opened");
        assert_eq!((index.len(), index.state().committed.n_keys), (450, 450));
        claim(&index, 0..450);
    }
}
