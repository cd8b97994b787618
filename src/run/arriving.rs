//! The documents of a stream, one by one, held against indexes as they come.

use super::names::{Met, of_record};
use super::progress::Progress;
use crate::clean::{Id, Look};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::visit::{COMMIT_EVERY, Visited, Visits};
use tempfile::TempDir;

/// What a stream's documents are held against, and remembered in.
#[derive(Debug)]
pub(super) struct Arriving {
    /// What the stream is called.
    name: String,
    visits: Visits,
    /// The folder of an index that is never committed, where none is to remember the documents.
    for_now: Option<TempDir>,
    met: Met,
    /// Whether it was told that a document has no address, and so goes by its place in a stream without a name.
    has_told_nameless: bool,
    n_uncommitted: u64,
}

impl Arriving {
    /// Opens the indexes that the configuration names, if it names any.
    pub(super) fn open(config: &Config) -> Result<Option<Self>> {
        let (visits, for_now) = match &config.index {
            Some(path) => (Visits::open(path, config)?, None),
            None if config.against.is_empty() => return Ok(None),
            None => {
                let folder = config.tmp_dir();
                let folder = tempfile::tempdir_in(&folder).map_err(|source| Error::scratch(&folder, source))?;
                (Visits::open_for_now(folder.path(), config)?, Some(folder))
            }
        };
        let has_told_nameless = config.stdin_name.is_some() || for_now.is_some();
        let name = config.stdin_name.as_deref().unwrap_or(NAMELESS).into();
        Ok(Some(Arriving { name, visits, for_now, met: Met::default(), has_told_nameless, n_uncommitted: 0 }))
    }

    /// Takes in the one document of a look, if it is compared with others. `place` is its number in the stream if that has records, from 0.
    pub(super) fn visit(
        &mut self,
        look: &mut Look,
        place: Option<u64>,
        progress: &dyn Progress,
    ) -> Result<Option<Visited>> {
        let ids = look.take_ids();
        let file = self.name.as_bytes();
        let name = match ids.iter().next() {
            None | Some(Id::Alone) => return Ok(None),
            Some(Id::Address(address)) => address.as_bytes().to_vec(),
            Some(Id::Place) => {
                let name = place.map_or_else(|| file.to_vec(), |record_idx| of_record(file, record_idx));
                if !std::mem::replace(&mut self.has_told_nameless, true) {
                    progress.warn(&format!(
                        "-:{}: has no address, and is known to the index as \"{}\", as that of another stream would be; name each stream \
                         with --stdin-name",
                        place.unwrap_or(0) + 1,
                        String::from_utf8_lossy(&name)
                    ));
                }
                name
            }
        };
        let name = self.met.name(name);
        self.n_uncommitted += 1;
        self.visits.visit(look, &name).map(Some)
    }

    pub(super) fn visits(&self) -> &Visits {
        &self.visits
    }

    /// Whether many documents came since it was committed last.
    pub(super) fn is_commit_due(&self) -> bool {
        self.n_uncommitted >= COMMIT_EVERY
    }

    /// Puts on the disk what was remembered so far, when all is written that it is of.
    pub(super) fn commit(&mut self) -> Result<()> {
        self.n_uncommitted = 0;
        if self.for_now.is_some() { Ok(()) } else { self.visits.commit() }
    }
}

/// What standard input is called, if nobody says.
const NAMELESS: &str = "-";
