//! Many documents with what they claim, taken in at once: they are written as documents and as runs, without a log and a table, and are
//! in force when the list names the runs.

use super::commit::Disk;
use super::documents::Document;
use super::record::{Held, Record, in_run_order};
use super::run::SortedRun;
use super::sealed::Committed;
use super::{Active, Index};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use std::collections::HashSet;
use std::sync::{Arc, MutexGuard};

/// So many claims are written as a run at a time.
const RUN_RECORDS: usize = 4 << 20;
/// So many bytes of documents are written at a time.
const DOCUMENT_BYTES: usize = 1 << 20;

/// Documents that are being taken in, and are forgotten unless they are committed. Nothing else gets into the index meanwhile.
pub(crate) struct Bulk<'i> {
    index: &'i Index,
    disk: MutexGuard<'i, Disk>,
    active: MutexGuard<'i, Active>,
    claimed: Vec<Record>,
    /// What was given up and nobody has claimed since.
    released: HashSet<Fingerprint>,
    runs: Vec<(u64, SortedRun)>,
    committed: Committed,
    is_finished: bool,
}

impl Index {
    /// Begins to take in many documents.
    pub(crate) fn bulk(&self) -> Result<Bulk<'_>> {
        self.background.check()?;
        let mut disk = self.shared.disk();
        let mut is_in_log = false;
        let active = loop {
            self.flush(&mut disk, |active| is_in_log || active.table.len() > 0)?;
            self.background.settle()?;
            // What is in no run would count as newer than the runs to come.
            is_in_log = self.shared.list().committed != disk.committed;
            let active = self.shared.active();
            // Others may have come in between.
            if !is_in_log && active.table.len() == 0 && active.n_waiting() == 0 {
                break active;
            }
        };
        let committed = disk.committed;
        Ok(Bulk {
            index: self,
            disk,
            active,
            claimed: Vec::new(),
            released: HashSet::new(),
            runs: Vec::new(),
            committed,
            is_finished: false,
        })
    }
}

impl Bulk<'_> {
    /// Gives up what somebody has, before documents are taken in that may claim it.
    pub(crate) fn release(&mut self, fingerprints: impl Iterator<Item = Fingerprint>) {
        self.released.extend(fingerprints);
        self.committed.n_keys -= self.released.len() as u64;
    }

    /// Takes in a document, and what it claims: fingerprints that nobody has, and none twice.
    pub(crate) fn add(&mut self, document: &Document, claims: impl Iterator<Item = Fingerprint>) -> Result<()> {
        let owner = Held::By(self.active.documents.add(document)?);
        self.committed.n_documents += 1;
        let start = self.claimed.len();
        if !document.id.is_empty() {
            self.claimed.push(Record::new(Fingerprint::of_id(&document.id), owner));
        }
        for fingerprint in claims {
            self.released.remove(&fingerprint);
            self.claimed.push(Record::new(fingerprint, owner));
        }
        let n_known = u64::from(document.previous.is_some());
        self.committed.n_keys += (self.claimed.len() - start) as u64 - n_known;
        if self.active.documents.n_waiting() >= DOCUMENT_BYTES {
            self.write_documents()?;
        }
        if self.claimed.len() >= RUN_RECORDS { self.write_run() } else { Ok(()) }
    }

    fn write_documents(&mut self) -> Result<()> {
        let written = self.active.documents.take();
        self.disk.documents.write(&written)?;
        self.active.documents.forget(&written);
        Ok(())
    }

    fn write_run(&mut self) -> Result<()> {
        let records = in_run_order(self.claimed.len(), self.claimed.iter());
        self.claimed.clear();
        let written = self.index.shared.write_run(records.len() as u64, |writer| {
            records.iter().try_for_each(|record| writer.push(record))?;
            Ok(true)
        })?;
        self.runs.extend(written);
        Ok(())
    }

    /// Puts all on the disk; gives what will be committed. Nothing is taken in after it.
    pub(crate) fn finish(&mut self) -> Result<Committed> {
        if std::mem::replace(&mut self.is_finished, true) {
            return Ok(self.committed);
        }
        let before = self.disk.committed;
        if self.committed.n_documents == before.n_documents && self.released.is_empty() {
            return Ok(self.committed);
        }
        let released = std::mem::take(&mut self.released);
        self.claimed.extend(released.into_iter().map(|fingerprint| Record::new(fingerprint, Held::Released)));
        if !self.claimed.is_empty() {
            self.write_run()?;
        }
        self.write_documents()?;
        self.disk.documents.sync()?;
        (self.committed.n_words, self.committed.n_commits) = (self.active.documents.n_words(), before.n_commits + 1);
        Ok(self.committed)
    }

    /// Commits what was taken in: when it returns, that survives any crash.
    pub(crate) fn commit(mut self) -> Result<()> {
        let committed = self.finish()?;
        if committed == self.disk.committed {
            return Ok(());
        }
        let (shared, runs) = (&self.index.shared, std::mem::take(&mut self.runs));
        let mut list = shared.list();
        list.runs.extend(runs.iter().map(|(number, _)| *number));
        list.committed = committed;
        list.write(&shared.folder)?;
        drop(list);
        shared.set_view(|view| view.runs.extend(runs.into_iter().map(|(_, run)| Arc::new(run))));
        self.disk.committed = committed;
        (self.active.n_keys, self.active.n_documents) = (committed.n_keys, committed.n_documents);
        self.index.background.want_merge();
        Ok(())
    }
}

impl Drop for Bulk<'_> {
    fn drop(&mut self) {
        let n_words = self.disk.committed.n_words;
        self.active.documents.forget_behind(n_words);
    }
}
