//! Merging runs: which ones, and into what.

use super::record::{Held, Record};
use super::run::{RunWriter, Scan, SortedRun};
use crate::error::Result;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many runs of one level are merged into one of the next.
const FANOUT: usize = 4;

/// Merges runs, given from the newest to the oldest: of a fingerprint that several hold, what the newest says counts. Says
/// whether it came to the end before it was told to stop.
pub(super) fn merge(
    newest_first: &[&SortedRun],
    releases: Releases,
    writer: &mut RunWriter,
    stop: &AtomicBool,
) -> Result<bool> {
    let mut heads = Vec::with_capacity(newest_first.len());
    for run in newest_first {
        let mut scan = run.scan();
        if let Some(record) = scan.next()? {
            heads.push(Head { order: record.order(), record, scan, is_over: false });
        }
    }
    let mut n_merged = 0_u32;
    while let Some(least) = heads.iter().map(|head| head.order).min() {
        n_merged = n_merged.wrapping_add(1);
        if n_merged.is_multiple_of(1 << 14) && stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let mut is_taken = false;
        let mut is_over = false;
        for head in heads.iter_mut().filter(|head| head.order == least) {
            let is_newest = !std::mem::replace(&mut is_taken, true);
            if is_newest && (releases == Releases::Stay || head.record.held() != Held::Released) {
                writer.push(&head.record)?;
            }
            match head.scan.next()? {
                Some(record) => (head.order, head.record) = (record.order(), record),
                None => (is_over, head.is_over) = (true, true),
            }
        }
        if is_over {
            heads.retain(|head| !head.is_over);
        }
    }
    Ok(true)
}

/// What becomes of records that say that a fingerprint was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Releases {
    /// They stay, since older runs may hold it.
    Stay,
    /// They go.
    Go,
}

struct Head<'r> {
    order: u128,
    record: Record,
    scan: Scan<'r>,
    is_over: bool,
}

/// Which runs are to be merged next, given from the oldest to the newest: neighbours, of like size. A run that a table became
/// is of level 0, and one of the next level is four times as large.
pub(super) fn pick(runs: &[Arc<SortedRun>], table_records: usize) -> Option<Range<usize>> {
    let level_of = |run: &Arc<SortedRun>| {
        let tables = run.n_records() / (table_records as u64).max(1);
        tables.max(1).ilog(FANOUT as u64)
    };
    let levels: Vec<u32> = runs.iter().map(level_of).collect();
    let mut candidates: Vec<u32> = levels.clone();
    candidates.sort_unstable();
    candidates.dedup();
    for level in candidates {
        // The newest runs that are no larger, from the oldest to the newest of this level.
        let start = levels.iter().rposition(|other| *other > level).map_or(0, |larger| larger + 1);
        let of_level = |idx: &usize| levels[*idx] == level;
        let (first, last) = ((start..levels.len()).find(of_level), (start..levels.len()).rfind(of_level));
        if let (Some(first), Some(last)) = (first, last)
            && (first..=last).filter(of_level).count() >= FANOUT
        {
            return Some(first..last + 1);
        }
    }
    None
}
