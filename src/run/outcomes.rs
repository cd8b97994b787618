//! What came of files, counted as they end: nothing of a file stays in memory but whether it failed.

use super::finishing::Finished;
use super::report::{Counts, PartDone, RecordPlace};
use super::source::Part;
use crate::config::Config;
use crate::error::Error;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many bad records are told one by one.
const TOLD: usize = 1000;

/// What came of files, put together from any thread.
#[derive(Debug)]
pub(super) struct Outcomes<'o> {
    config: &'o Config,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Files of which some parts are still to come, or that have not got their names.
    open: HashMap<usize, OpenFile>,
    ended: Ended,
}

/// What came of the files that ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Of files that came through.
    pub(super) counts: Counts,
    pub(super) bad: BTreeMap<RecordPlace, String>,
    pub(super) n_through: usize,
    /// The others, with the error of their first part that failed.
    pub(super) failed: BTreeMap<usize, (usize, Error)>,
}

#[derive(Debug, Default)]
struct OpenFile {
    done: PartDone,
    n_parts: usize,
    n_parts_in_all: Option<usize>,
    waits_for_name: bool,
    is_named: bool,
}

impl<'o> Outcomes<'o> {
    pub(super) fn new(config: &'o Config) -> Self {
        Outcomes { config, state: Mutex::default() }
    }

    /// Takes what came of a part. Where its file is to get a name, it ends when it has that.
    pub(super) fn part(&self, part: &Part, done: PartDone, waits_for_name: bool) {
        let mut state = self.state();
        let file = state.open.entry(part.file_idx).or_default();
        file.done.merge(self.config, done);
        file.n_parts += 1;
        file.waits_for_name |= waits_for_name;
        if part.is_last {
            file.n_parts_in_all = Some(part.number + 1);
        }
        state.end(self.config, part.file_idx);
    }

    /// Takes the error of a part that failed, and with it its file.
    pub(super) fn failed(&self, file_idx: usize, part: usize, error: Error) {
        let failed = &mut self.state().ended.failed;
        if failed.get(&file_idx).is_none_or(|(first, _)| part < *first) {
            failed.insert(file_idx, (part, error));
        }
    }

    /// Files have their names.
    pub(super) fn named(&self, files: &[Finished]) {
        let mut state = self.state();
        for Finished { file_idx, .. } in files {
            state.open.entry(*file_idx).or_default().is_named = true;
            state.end(self.config, *file_idx);
        }
    }

    /// Takes what came of all parts of a file that was done before.
    pub(super) fn done_before(&self, file_idx: usize, parts: Vec<PartDone>) {
        self.state().ended.take(self.config, file_idx, parts);
    }

    /// What came of all files, once there is nothing more to come.
    pub(super) fn end(self) -> Ended {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends a file if all of it is there.
    fn end(&mut self, config: &Config, file_idx: usize) {
        let is_whole =
            |file: &OpenFile| file.n_parts_in_all == Some(file.n_parts) && (file.is_named || !file.waits_for_name);
        if self.open.get(&file_idx).is_some_and(is_whole)
            && let Some(file) = self.open.remove(&file_idx)
        {
            self.ended.take(config, file_idx, [file.done]);
        }
    }
}

impl Ended {
    fn take(&mut self, config: &Config, file_idx: usize, parts: impl IntoIterator<Item = PartDone>) {
        self.n_through += 1;
        for PartDone { counts, bad } in parts {
            self.counts.merge(config, counts);
            self.bad.extend(bad.into_iter().map(|(record, what)| ((file_idx, record), what)));
        }
        while self.bad.len() > TOLD {
            self.bad.pop_last();
        }
    }
}
