//! The indexes that a run is held against: the one that remembers it, and those that are only read.

use crate::config::Config;
use crate::durable::{Document, Index, IndexReader, IndexState, Remembers, Word};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::index::Owner;
use crate::recall::{self, Known};
use crate::sites::Sites;
use crate::store::canonical_to_be;
use crate::visit::Against;
use std::path::Path;

/// The indexes of a run.
#[derive(Debug)]
pub(super) struct Indexes {
    own: Own,
    /// What is known of sites beside it, unless nothing but rules is to remove chrome.
    sites: Option<Sites>,
    against: Vec<Against>,
}

/// The index that remembers what was cleaned.
#[derive(Debug)]
enum Own {
    /// None was asked for, or it is not there and nothing is to be remembered.
    None,
    Writes(Index),
    Reads(IndexReader),
}

impl Own {
    fn state(&self) -> Option<IndexState> {
        match self {
            Own::None => None,
            Own::Writes(index) => Some(index.state()),
            Own::Reads(index) => Some(index.state()),
        }
    }
}

impl Indexes {
    /// Opens the indexes that the configuration names, if it names any. The one that remembers is locked if it is to be written to.
    pub(super) fn open(config: &Config, writes: bool) -> Result<Option<Self>> {
        let Config { index, against, .. } = config;
        if index.is_none() && against.is_empty() {
            return Ok(None);
        }
        let options = recall::options(config);
        let own = match index {
            None => Own::None,
            Some(path) if writes => Own::Writes(options.open(path)?),
            Some(path) if is_there(path) => Own::Reads(options.read(path)?),
            Some(_) => Own::None,
        };
        let sites = match (index, own.state()) {
            (Some(path), Some(state)) => Sites::open_for(config.level, path, state.committed.n_commits, writes)?,
            _ => None,
        };
        Ok(Some(Indexes { own, sites, against: Against::open(config)? }))
    }

    /// The index that remembers, if it is written to.
    pub(super) fn writable(&self) -> Option<&Index> {
        match &self.own {
            Own::Writes(index) => Some(index),
            Own::None | Own::Reads(_) => None,
        }
    }

    /// What is known of sites from other runs.
    pub(super) fn sites(&self) -> Option<&Sites> {
        self.sites.as_ref()
    }

    /// How each of them is: the one that remembers first, if there is one.
    pub(super) fn states(&self) -> Vec<IndexState> {
        self.own.state().into_iter().chain(self.against.iter().map(|against| against.index.state())).collect()
    }

    /// Whether anything was remembered before.
    pub(super) fn has_documents(&self) -> bool {
        self.of(None).is_some_and(|index| !index.is_empty())
    }

    /// How many there are that are only read.
    pub(super) fn n_against(&self) -> u16 {
        u16::try_from(self.against.len()).unwrap_or(u16::MAX)
    }

    /// What an index that is only read is called; nothing for the one that remembers.
    pub(super) fn name(&self, against: Option<u16>) -> Option<&str> {
        against.map(|number| self.against[usize::from(number)].name.as_str())
    }

    /// Who has each of some fingerprints in one of the indexes.
    pub(super) fn owners(&self, against: Option<u16>, fingerprints: &[Fingerprint]) -> Result<Vec<Option<Owner>>> {
        let mut owners = Vec::with_capacity(fingerprints.len());
        match self.of(against).filter(|index| !index.is_empty()) {
            None => owners.resize(fingerprints.len(), None),
            Some(index) => index.owners(fingerprints, &mut owners)?,
        }
        Ok(owners)
    }

    /// A document of one of them, where its index keeps any.
    pub(super) fn document(&self, known: Known) -> Result<Option<Document>> {
        self.of(known.against).map_or(Ok(None), |index| index.document(known.owner))
    }

    /// What words stand for in the index that remembers, and who has it, if anybody has.
    pub(super) fn find_words(&self, words: &[Word]) -> Result<Vec<Option<(Fingerprint, Owner)>>> {
        self.of(None).map_or(Ok(vec![None; words.len()]), |index| index.find_words(words))
    }

    fn of(&self, against: Option<u16>) -> Option<&dyn Remembers> {
        match (against, &self.own) {
            (Some(number), _) => Some(&self.against[usize::from(number)].index),
            (None, Own::None) => None,
            (None, Own::Writes(index)) => Some(index),
            (None, Own::Reads(index)) => Some(index),
        }
    }
}

/// Refuses to write into the folder of an index, and an index that is one of those that are only read.
pub(super) fn refuse_own(config: &Config) -> Result<()> {
    let Config { index, against, output, journal, report, .. } = config;
    for folder in index.iter().chain(against) {
        let Some(canonical) = canonical_to_be(folder) else { continue };
        for written in [output, journal, report].into_iter().flatten() {
            if canonical_to_be(written).is_some_and(|written| written.starts_with(&canonical)) {
                let (written, folder) = (written.display(), folder.display());
                let what = format!(
                    "{written}: is the index {folder} or in it, where nothing else may be written; choose another place"
                );
                return Err(Error::usage(what));
            }
        }
    }
    let Some(index) = index else { return Ok(()) };
    if against.iter().any(|folder| canonical_to_be(folder) == canonical_to_be(index)) {
        let what = format!("{}: is given as --index and --against; leave one out", index.display());
        return Err(Error::usage(what));
    }
    Ok(())
}

/// Whether there is anything that could be an index: more than what is left of one that was never begun.
fn is_there(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name() != "lock"))
}
