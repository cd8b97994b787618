//! Merging runs: which ones, and into what.

use super::record::{Held, Record};
use super::run::{Scan, SortedRun};
use crate::error::Result;
use std::ops::Range;
use std::sync::Arc;

/// So many runs of one level are merged into one of the next.
const FANOUT: usize = 4;

/// Records in order, of a run or a table.
pub(super) enum Source<'r> {
    Run(Scan<'r>),
    Table(std::vec::IntoIter<Record>),
}

impl Source<'_> {
    fn next(&mut self) -> Result<Option<Record>> {
        match self {
            Source::Run(scan) => scan.next(),
            Source::Table(records) => Ok(records.next()),
        }
    }
}

/// Merges records, given from the newest to the oldest: of a fingerprint that several hold, what the newest says counts. `take`
/// is given what comes of it in order, until it says that it takes no more; says whether all was taken.
pub(super) fn merge(
    newest_first: Vec<Source<'_>>,
    releases: Releases,
    mut take: impl FnMut(&Record) -> Result<bool>,
) -> Result<bool> {
    let mut heads = Vec::with_capacity(newest_first.len());
    for mut source in newest_first {
        if let Some(record) = source.next()? {
            heads.push(Head { order: record.order(), record, source, is_over: false });
        }
    }
    while let Some(least) = heads.iter().map(|head| head.order).min() {
        let mut is_taken = false;
        let mut is_over = false;
        for head in heads.iter_mut().filter(|head| head.order == least) {
            let is_newest = !std::mem::replace(&mut is_taken, true);
            let stays = is_newest && (releases == Releases::Stay || head.record.held() != Held::Released);
            if stays && !take(&head.record)? {
                return Ok(false);
            }
            match head.source.next()? {
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
    source: Source<'r>,
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
