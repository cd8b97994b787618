//! How much memory a run may take, and who waits until there is room.

use super::output::Room;
use crate::config::Config;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the program takes before it works on anything: rules, weights, the threads' own.
const BASE_BYTES: u64 = 32 << 20;
/// What a thread takes for a part of the usual size, of text such as people write.
const THREAD_BYTES: u64 = 40 << 20;
/// The copies of a text that there are while it is worked on: as it is read, decoded, written, and in lines of the journal.
const TEXT_COPIES: u64 = 4;
/// What is kept of a line while its document is looked at; up to 290 bytes were measured, for lines of which all go.
const LINE_BYTES: u64 = 320;
/// Blocks of a part are numbered with 31 bits where they are kept on disk.
const MAX_LINES: u64 = 1 << 31;
/// What an index in memory takes for each different block, while it grows.
pub(super) const INDEX_BYTES: u64 = 48;
/// What is remembered of every block.
const MARK_BYTES: u64 = 4;
/// What is remembered of a removed block, to tell those that take most.
const TOP_BYTES: u64 = 400;
/// Pieces that wait for an earlier one are kept in memory up to so many bytes, where memory has no bound.
const WAITING_BYTES: usize = 32 << 20;

/// How much memory a run may take; any if there is no bound.
#[derive(Debug, Default)]
pub(super) struct Memory {
    bound: Option<Bound>,
}

#[derive(Debug)]
struct Bound {
    bytes: u64,
    n_threads: u64,
    /// Held by whoever takes more than each thread may.
    large: Mutex<()>,
}

/// Memory that is taken, as long as this is held.
pub(super) type Held<'m> = MutexGuard<'m, ()>;

/// So many threads fit a bound; at least one.
pub(super) fn most_threads(config: &Config) -> Option<usize> {
    let threads = (config.memory?.bytes().saturating_sub(BASE_BYTES) / (2 * THREAD_BYTES)).max(1);
    Some(usize::try_from(threads).unwrap_or(usize::MAX))
}

/// What the work on a part may take: it does not depend on the threads, lest the outcome does.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartLimit(u64);

impl PartLimit {
    pub(super) fn of(config: &Config) -> Self {
        let of_bound = |bytes: u64| (bytes.saturating_sub(BASE_BYTES) / 2).min(LINE_BYTES * MAX_LINES);
        PartLimit(config.memory.map_or(u64::MAX, |memory| of_bound(memory.bytes())))
    }

    /// No part of more bytes can be worked on, whatever they are.
    pub(super) fn text_bytes(self) -> usize {
        usize::try_from(self.0 / TEXT_COPIES).unwrap_or(usize::MAX)
    }

    /// Whether an index of so many different blocks fits, with the marks of all blocks.
    pub(super) fn allows_index(self, n_different: usize, n_blocks: usize) -> bool {
        INDEX_BYTES * n_different as u64 + MARK_BYTES * n_blocks as u64 <= self.0
    }

    /// What the work on a part of some bytes takes, which is not counted where there is no bound; nothing if it is too much.
    pub(super) fn work_on(self, text: &[u8]) -> Option<u64> {
        if self.0 == u64::MAX {
            return Some(0);
        }
        // In JSON, newlines are spelled with a backslash.
        let n_lines: usize = [b'\n', b'\\'].map(|byte| memchr::memchr_iter(byte, text).count()).iter().sum();
        let work = TEXT_COPIES * text.len() as u64 + LINE_BYTES * n_lines as u64;
        (work <= self.0).then_some(work)
    }
}

/// Where pieces of an output wait for an earlier one.
pub(super) fn room(config: &Config) -> Room {
    let of_bound = config.memory.map(|memory| usize::try_from(memory.bytes() / 32).unwrap_or(usize::MAX));
    Room { bytes: of_bound.map_or(WAITING_BYTES, |bytes| bytes.min(WAITING_BYTES)), folder: config.tmp_dir() }
}

/// So many different blocks may be remembered to tell those that take most.
pub(super) fn most_top(config: &Config) -> usize {
    config.memory.map_or(usize::MAX, |memory| usize::try_from(memory.bytes() / 16 / TOP_BYTES).unwrap_or(usize::MAX))
}

/// The most memory that the process had at any time, in bytes, where the system tells it.
pub(super) fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

impl Memory {
    pub(super) fn of(config: &Config, n_threads: usize) -> Self {
        let bound = config.memory.map(|memory| Bound {
            bytes: memory.bytes(),
            n_threads: n_threads.max(1) as u64,
            large: Mutex::default(),
        });
        Memory { bound }
    }

    /// What each thread may take without asking.
    pub(super) fn of_thread(&self) -> u64 {
        self.bound.as_ref().map_or(u64::MAX, |bound| bound.bytes.saturating_sub(BASE_BYTES) / 2 / bound.n_threads)
    }

    /// Waits until there is room for so many bytes. What takes more than each thread may is done one after the other.
    pub(super) fn hold(&self, bytes: u64) -> Option<Held<'_>> {
        let bound = self.bound.as_ref()?;
        (bytes > self.of_thread()).then(|| bound.large.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
