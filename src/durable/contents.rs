//! What the files of an index say: runs, and the claims of the logs.

use super::files::{Folder, Series};
use super::mark::Mark;
use super::record::Width;
use super::run::SortedRun;
use super::sealed::{Committed, Head, List};
use super::table::Table;
use crate::error::{Error, Result};
use crate::log;
use std::path::Path;
use std::sync::Arc;

/// What was committed.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) list: List,
    pub(super) runs: Vec<Arc<SortedRun>>,
    /// What the logs hold.
    pub(super) table: Table,
    pub(super) committed: Committed,
    /// The numbers of the logs that are there, in their order.
    pub(super) logs: std::ops::Range<u64>,
}

impl Contents {
    /// Reads an index.
    pub(super) fn read(folder: &Folder, width: Width) -> Result<Self> {
        let missing = || Error::damaged_index(&folder.join("list"), "it is not there");
        let list = List::read(folder)?.ok_or_else(missing)?;
        let open = |number: &u64| SortedRun::open(&folder.numbered(Series::Run, *number), width).map(Arc::new);
        let runs = list.runs.iter().map(open).collect::<Result<_>>()?;
        // Before the logs, to which more may be added meanwhile.
        let mark = Mark::read(folder)?;
        let mut contents =
            Contents { committed: list.committed, logs: list.log..list.log, list, runs, table: Table::default() };
        loop {
            let number = contents.logs.end;
            let path = folder.numbered(Series::Log, number);
            // Once there is a next one, nothing is added to a log: what is read of it then is all of it.
            let is_last = !folder.numbered(Series::Log, number + 1).exists();
            let end = if path.exists() { log::read(&path, |entry, _| Ok(contents.take(entry, width)))? } else { 0 };
            match mark {
                Some(mark) if mark.log == number && end < mark.end => return Err(damaged_log(&path, end)),
                Some(mark) if mark.log > number && is_last => return Err(damaged_log(&path, end)),
                _ => {}
            }
            contents.logs.end += 1;
            if is_last {
                return Ok(contents);
            }
        }
    }

    /// Takes an entry of a log, if it is one.
    fn take(&mut self, entry: &[u8], width: Width) -> bool {
        let Some((committed, records)) = entry.split_first_chunk() else { return false };
        if !records.len().is_multiple_of(width.bytes()) {
            return false;
        }
        self.committed = Committed::from_bytes(committed);
        records.chunks_exact(width.bytes()).for_each(|record| self.table.put(width.read(record)));
        true
    }
}

fn damaged_log(path: &Path, end: u64) -> Error {
    Error::damaged_index(path, &format!("what was committed behind byte {end} is not what was written"))
}

/// The head of an index that is only read.
pub(super) fn head_of(folder: &Folder) -> Result<Head> {
    let missing = || Error::usage("there is no index; name the folder of one").at(folder.path());
    Head::read(folder)?.ok_or_else(missing)
}
