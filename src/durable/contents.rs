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
    /// The last log, and where its whole entries end.
    pub(super) log_number: u64,
    pub(super) log_end: u64,
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
        let (committed, first_log) = (list.committed, list.log);
        let mut contents =
            Contents { list, runs, table: Table::default(), committed, log_number: first_log, log_end: 0 };
        for number in first_log.. {
            let path = folder.numbered(Series::Log, number);
            // Once there is a next one, nothing is added to a log: what is read of it then is all of it.
            let is_last = !folder.numbered(Series::Log, number.saturating_add(1)).exists();
            let end = if path.exists() { log::read(&path, |entry, _| contents.take(entry, width, &path))? } else { 0 };
            let is_cut = match mark {
                Some(mark) if mark.log == number => end < mark.end,
                Some(mark) => mark.log > number && is_last,
                None => false,
            };
            // All commits of a log are on the disk before the next one is begun.
            let is_torn = !is_last && std::fs::metadata(&path).map_or(true, |metadata| metadata.len() != end);
            if is_cut || is_torn {
                return Err(damaged_log(&path, end));
            }
            (contents.log_number, contents.log_end) = (number, end);
            if is_last {
                break;
            }
        }
        Ok(contents)
    }

    /// Takes an entry of a log: the commit that comes next.
    fn take(&mut self, entry: &[u8], width: Width, path: &Path) -> Result<bool> {
        let parts = entry.split_first_chunk().filter(|(_, records)| records.len().is_multiple_of(width.bytes()));
        let Some((committed, records)) = parts else {
            return Err(Error::damaged_index(path, "an entry is none of an index"));
        };
        let committed = Committed::from_bytes(committed);
        let wanted = self.committed.n_commits.saturating_add(1);
        if committed.n_commits != wanted {
            let what = format!("commit {} is there, and {wanted} is not", committed.n_commits);
            return Err(Error::damaged_index(path, &what));
        }
        self.committed = committed;
        records.chunks_exact(width.bytes()).for_each(|record| self.table.put(width.read(record)));
        Ok(true)
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
