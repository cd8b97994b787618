//! The feed: hands the parts of files to threads. Each thread opens the next file that nobody has begun; when there is none
//! left, it helps with one that is still being read. So many files are unpacked side by side, and all threads work on a
//! large one, which is unpacked by whoever asks for its next part.

use super::plan::Plan;
use super::source::{Part, Source};
use super::workers::Workers;
use crate::config::Config;
use crate::error::Result;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Hands out the parts of the files of a plan.
struct Feed<'f> {
    plan: &'f Plan,
    config: &'f Config,
    /// The first file that nobody has begun.
    next_file: AtomicUsize,
    files: Vec<Mutex<State<'f>>>,
    stop: Stop,
}

enum State<'f> {
    NotBegun,
    Open(Box<Source<'f>>),
    Ended,
}

/// Lets a job end the handing out of parts. All parts before the one that stopped it are handed out all the same.
#[derive(Debug)]
pub(super) struct Stop {
    /// The first file of which no more parts are handed out.
    file_idx: AtomicUsize,
    /// Whether no more files are begun.
    begins_none: AtomicBool,
}

impl Stop {
    /// Stops behind a part.
    pub(super) fn behind(&self, part: &Part) {
        self.file_idx.fetch_min(part.file_idx, Ordering::Relaxed);
    }

    /// Stops at once.
    pub(super) fn at_once(&self) {
        self.file_idx.store(0, Ordering::Relaxed);
    }

    /// Stops when the files that were begun are at their ends.
    pub(super) fn begin_no_more(&self) {
        self.begins_none.store(true, Ordering::Relaxed);
    }

    fn holds_for(&self, file_idx: usize) -> bool {
        file_idx >= self.file_idx.load(Ordering::Relaxed)
    }
}

/// Does a job for each part of each file but those that are done, on all threads, each with a state of its own; a part that
/// could not be read comes with the error, and is the last of its file. Gives what came of them, by file and part.
pub(super) fn each_part<S, T: Send>(
    workers: &Workers,
    plan: &Plan,
    config: &Config,
    is_done: impl Fn(usize) -> bool,
    state: impl Fn() -> S + Sync,
    job: impl Fn(&mut S, &Part, Result<&[u8]>, &Stop) -> T + Sync,
) -> Vec<Vec<T>> {
    let first_state = |file_idx| if is_done(file_idx) { State::Ended } else { State::NotBegun };
    let feed = Feed {
        plan,
        config,
        next_file: AtomicUsize::new(0),
        files: (0..plan.files.len()).map(|file_idx| Mutex::new(first_state(file_idx))).collect(),
        stop: Stop { file_idx: AtomicUsize::new(usize::MAX), begins_none: AtomicBool::new(false) },
    };
    let of_threads = workers.on_each_thread(|| {
        let mut state = state();
        let (mut bytes, mut file) = (Vec::new(), None);
        let mut done = Vec::new();
        while let Some((part, read)) = feed.next(&mut file, &mut bytes) {
            let outcome = job(&mut state, &part, read.map(|()| &bytes[..]), &feed.stop);
            done.push((part.file_idx, part.number, outcome));
        }
        done
    });
    let mut done: Vec<(usize, usize, T)> = of_threads.into_iter().flatten().collect();
    done.sort_unstable_by_key(|(file_idx, number, _)| (*file_idx, *number));
    let mut n_parts = vec![0; plan.files.len()];
    done.iter().for_each(|(file_idx, ..)| n_parts[*file_idx] += 1);
    // Of just the size, since there may be a million of them.
    let mut outcomes: Vec<Vec<T>> = n_parts.into_iter().map(Vec::with_capacity).collect();
    for (file_idx, _, outcome) in done {
        outcomes[file_idx].push(outcome);
    }
    outcomes
}

impl Feed<'_> {
    /// The next part for a thread, of the file that it last took one of if that has more.
    fn next(&self, current: &mut Option<usize>, bytes: &mut Vec<u8>) -> Option<(Part, Result<()>)> {
        loop {
            let file_idx = match *current {
                Some(file_idx) => file_idx,
                None => self.find()?,
            };
            *current = Some(file_idx);
            if let Some(part) = self.read(file_idx, bytes) {
                return Some(part);
            }
            *current = None;
        }
    }

    /// A file that has more parts: one that nobody has begun, or else one that is open.
    fn find(&self) -> Option<usize> {
        let file_idx = self.next_file.fetch_add(1, Ordering::Relaxed);
        let begins_none = self.stop.begins_none.load(Ordering::Relaxed);
        if file_idx < self.files.len() && !begins_none && !self.stop.holds_for(file_idx) {
            return Some(file_idx);
        }
        self.next_file.store(self.files.len(), Ordering::Relaxed);
        // A file that is locked is being read by another thread, which may soon be done; better one that is not.
        let mut locked = None;
        for (file_idx, state) in self.files.iter().enumerate() {
            match state.try_lock() {
                Ok(state) if matches!(*state, State::Open(_)) => return Some(file_idx),
                Ok(_) => {}
                Err(_) => locked = locked.or(Some(file_idx)),
            }
        }
        locked
    }

    /// Reads the next part of a file, if it has one.
    fn read(&self, file_idx: usize, bytes: &mut Vec<u8>) -> Option<(Part, Result<()>)> {
        let mut state = self.files[file_idx].lock().unwrap_or_else(PoisonError::into_inner);
        if self.stop.holds_for(file_idx) {
            *state = State::Ended;
        }
        if matches!(*state, State::NotBegun) {
            match Source::open(&self.plan.files[file_idx], self.config) {
                Ok(source) => *state = State::Open(Box::new(source)),
                Err(error) => {
                    *state = State::Ended;
                    return Some((Part { file_idx, is_last: true, ..Part::default() }, Err(error)));
                }
            }
        }
        let State::Open(source) = &mut *state else {
            return None;
        };
        let number = source.next_number();
        let (part, read) = match source.next(bytes) {
            Ok(part) => (Part { file_idx, ..part }, Ok(())),
            Err(error) => (Part { file_idx, number, is_last: true, ..Part::default() }, Err(error)),
        };
        if part.is_last {
            *state = State::Ended;
        }
        Some((part, read))
    }
}
