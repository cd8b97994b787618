//! The threads that write full tables as runs, and merge runs.

use super::files::Series;
use super::merge::{Releases, Source, merge, pick};
use super::run::{RunWriter, SortedRun};
use super::{Full, Shared};
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// So many full tables wait besides the one that is being written; who has another waits.
const MAX_WAITING: usize = 1;
/// With so many runs the next one waits until some are merged.
const MAX_RUNS: usize = 40;

#[derive(Debug)]
pub(super) struct Background {
    desk: Arc<Desk>,
    threads: Vec<JoinHandle<()>>,
}

/// What is to be done, and by whom.
#[derive(Debug, Default)]
struct Desk {
    folder: PathBuf,
    work: Mutex<Work>,
    /// Whenever the work is other work.
    changed: Condvar,
    /// Whether merging is to be left off.
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Work {
    full: VecDeque<Full>,
    is_writing: bool,
    wants_merge: bool,
    is_merging: bool,
    is_over: bool,
    failure: Failure,
}

#[derive(Debug, Default)]
enum Failure {
    #[default]
    None,
    Untold(Error),
    Told,
}

impl Background {
    pub(super) fn start(shared: &Arc<Shared>) -> Result<Self> {
        let work = Mutex::new(Work { wants_merge: true, ..Work::default() });
        let desk = Arc::new(Desk { folder: shared.folder.path().to_owned(), work, ..Desk::default() });
        let thread = |work: fn(&Shared, &Desk)| {
            let (shared, desk) = (Arc::clone(shared), Arc::clone(&desk));
            std::thread::Builder::new().spawn(move || work(&shared, &desk))
        };
        let mut background = Background { desk: Arc::clone(&desk), threads: Vec::new() };
        for work in [write_tables, merge_runs] {
            let started = thread(work).map_err(|source| Error::writing(shared.folder.path(), source))?;
            background.threads.push(started);
        }
        Ok(background)
    }

    /// Gives a full table to be written, when there is room for it to wait.
    pub(super) fn write(&self, full: Full) -> Result<()> {
        let mut work = self.desk.until(|work| work.full.len() < MAX_WAITING || work.has_failed());
        work.full.push_back(full);
        self.desk.changed.notify_all();
        work.check(&self.desk.folder)
    }

    /// The first thing that failed since the last time.
    pub(super) fn check(&self) -> Result<()> {
        self.desk.lock().check(&self.desk.folder)
    }

    /// Does something while nothing else is done, and lets nothing else be done.
    pub(super) fn alone(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        {
            let mut desk = self.desk.until(|work| work.is_idle() || work.has_failed());
            desk.check(&self.desk.folder)?;
            (desk.is_writing, desk.is_merging) = (true, true);
        }
        let outcome = caught(&self.desk.folder, work);
        let mut desk = self.desk.lock();
        (desk.is_writing, desk.is_merging) = (false, false);
        self.desk.changed.notify_all();
        outcome
    }

    /// Has runs merged, if there are enough now.
    pub(super) fn want_merge(&self) {
        self.desk.lock().wants_merge = true;
        self.desk.changed.notify_all();
    }

    /// Waits until there is nothing more to do.
    pub(super) fn settle(&self) -> Result<()> {
        self.desk.until(|work| work.is_idle() || work.has_failed()).check(&self.desk.folder)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.desk.stop.store(true, Ordering::Relaxed);
        self.desk.lock().is_over = true;
        self.desk.changed.notify_all();
        for thread in self.threads.drain(..) {
            // One that has panicked has told so itself.
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until(&self, condition: impl Fn(&Work) -> bool) -> MutexGuard<'_, Work> {
        let work = self.changed.wait_while(self.lock(), |work| !condition(work));
        work.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn has_failed(&self) -> bool {
        !matches!(self.failure, Failure::None)
    }

    fn is_idle(&self) -> bool {
        self.full.is_empty() && !self.is_writing && !self.wants_merge && !self.is_merging
    }

    fn check(&mut self, folder: &Path) -> Result<()> {
        if !self.has_failed() {
            return Ok(());
        }
        match std::mem::replace(&mut self.failure, Failure::Told) {
            Failure::Untold(error) => Err(error),
            _ => Err(broken(folder, "it failed before, and must be opened again")),
        }
    }

    fn note(&mut self, outcome: Result<()>) {
        if let (Err(error), false) = (outcome, self.has_failed()) {
            self.failure = Failure::Untold(error);
        }
    }
}

/// Does something; that it panicked is an error, lest others wait for what never comes.
fn caught<T>(folder: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    outcome.unwrap_or_else(|_| Err(broken(folder, "a thread of the index panicked")))
}

fn broken(folder: &Path, what: &str) -> Error {
    Error::writing(folder, std::io::Error::other(what))
}

/// Writes full tables as runs, until the index is closed.
fn write_tables(shared: &Shared, desk: &Desk) {
    loop {
        let full = {
            let mut work =
                desk.until(|work| work.is_over || (!work.full.is_empty() && !work.is_writing && !work.has_failed()));
            if work.is_over {
                return;
            }
            work.is_writing = true;
            work.full.pop_front()
        };
        let is_behind = |work: &Work| work.wants_merge || work.is_merging;
        drop(desk.until(|work| {
            shared.view().runs.len() < MAX_RUNS || !is_behind(work) || work.is_over || work.has_failed()
        }));
        let outcome = caught(shared.folder.path(), || full.map_or(Ok(()), |full| shared.write(&full)));
        let mut work = desk.lock();
        work.is_writing = false;
        work.wants_merge = true;
        work.note(outcome);
        desk.changed.notify_all();
    }
}

/// Merges runs whenever there are enough of like size, until the index is closed.
fn merge_runs(shared: &Shared, desk: &Desk) {
    loop {
        {
            let mut work =
                desk.until(|work| work.is_over || (work.wants_merge && !work.is_merging && !work.has_failed()));
            if work.is_over {
                return;
            }
            (work.wants_merge, work.is_merging) = (false, true);
        }
        let outcome = caught(shared.folder.path(), || shared.merge_next(&desk.stop));
        let mut work = desk.lock();
        work.is_merging = false;
        work.wants_merge |= matches!(outcome, Ok(true));
        work.note(outcome.map(drop));
        desk.changed.notify_all();
    }
}

impl Shared {
    /// Writes a full table as a run; its claims are then in no log any more.
    fn write(&self, full: &Full) -> Result<()> {
        let records = full.table.sorted();
        let fill = |writer: &mut RunWriter| {
            records.iter().try_for_each(|record| writer.push(record))?;
            Ok(true)
        };
        let Some((number, run)) = self.write_run(records.len() as u64, fill)? else { return Ok(()) };
        let mut list = self.list();
        let first_log = list.log;
        list.runs.push(number);
        (list.log, list.committed) = (full.next_log, full.committed);
        list.write(&self.folder)?;
        self.set_view(|view| {
            view.tables.remove(0);
            view.runs.push(Arc::new(run));
        });
        (first_log..full.next_log).for_each(|log| self.folder.remove(&self.folder.numbered(Series::Log, log)));
        Ok(())
    }

    /// Merges runs once, if there are enough; says whether there may be more to merge.
    fn merge_next(&self, stop: &AtomicBool) -> Result<bool> {
        let runs = self.view().runs.clone();
        let Some(range) = pick(&runs, self.table_records) else { return Ok(false) };
        self.merge(&runs, range, stop)
    }

    /// Merges some of the runs, which are all there were a moment ago; says whether it came to the end before it was to stop.
    pub(super) fn merge(&self, runs: &[Arc<SortedRun>], range: Range<usize>, stop: &AtomicBool) -> Result<bool> {
        let merged = &runs[range.clone()];
        let n_records = merged.iter().map(|run| run.n_records()).sum();
        if n_records > RunWriter::MAX_RECORDS {
            return Ok(false);
        }
        let newest_first = merged.iter().rev().map(|run| Source::Run(run.scan())).collect();
        let releases = if range.start == 0 { Releases::Go } else { Releases::Stay };
        let fill = |writer: &mut RunWriter| {
            let mut n_merged = 0_u32;
            merge(newest_first, releases, |record| {
                n_merged = n_merged.wrapping_add(1);
                writer.push(record)?;
                Ok(!n_merged.is_multiple_of(1 << 14) || !stop.load(Ordering::Relaxed))
            })
        };
        let Some((number, run)) = self.write_run(n_records, fill)? else { return Ok(false) };
        let mut list = self.list();
        // Runs are only added behind those that were there.
        list.runs.splice(range.clone(), [number]);
        list.write(&self.folder)?;
        self.set_view(|view| drop(view.runs.splice(range, [Arc::new(run)])));
        merged.iter().for_each(|run| self.folder.remove(run.path()));
        Ok(true)
    }

    /// Writes a run of up to so many records under a number of its own, unless `fill` says that it was left off.
    pub(super) fn write_run(
        &self,
        n_records: u64,
        fill: impl FnOnce(&mut RunWriter) -> Result<bool>,
    ) -> Result<Option<(u64, SortedRun)>> {
        let number = {
            let mut list = self.list();
            list.next += 1;
            list.next - 1
        };
        let path = self.folder.numbered(Series::Run, number);
        let unfinished = self.folder.begin(&path)?;
        let file = unfinished.as_file().try_clone().map_err(|source| Error::writing(&path, source))?;
        let mut writer = RunWriter::new(file, &path, self.width, n_records);
        if !fill(&mut writer)? {
            return Ok(None);
        }
        let run = writer.finish()?;
        self.folder.name(unfinished, &path)?;
        Ok(Some((number, run)))
    }
}
