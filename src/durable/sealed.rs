//! Small files of JSON with a checksum, which are replaced whole: the head of an index, and the list of its files.

use super::files::Folder;
use super::record::Width;
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;

/// What an index is, which never changes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Head {
    /// The version of the files; what makes an index known as one.
    pub(super) dehusk_index: u32,
    /// The version of the fold that its fingerprints are of.
    pub(super) fold: u32,
    /// What tells it from all others: random, and not from the settings.
    pub(super) identity: String,
    /// Whether it says who has a fingerprint.
    pub(super) owners: bool,
    /// The settings on which it depends what has which fingerprint.
    pub(super) settings: BTreeMap<String, String>,
}

/// Which files are in force, and what was committed up to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct List {
    /// The numbers of the runs, from the oldest to the newest.
    pub(super) runs: Vec<u64>,
    /// The first log whose claims are in no run.
    pub(super) log: u64,
    /// The number that the next run gets.
    pub(super) next: u64,
    /// What was committed before that log was begun.
    pub(super) committed: Committed,
}

/// What an index is and was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct IndexState {
    /// What tells it from all others.
    pub(crate) identity: String,
    pub(crate) committed: Committed,
}

/// What a commit says besides the claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Committed {
    /// How many fingerprints have an owner.
    pub(crate) n_keys: u64,
    /// How many commits there were.
    pub(crate) n_commits: u64,
    /// How many words of documents there are.
    pub(crate) n_words: u64,
    /// How many documents they are, each version counted.
    pub(crate) n_documents: u64,
}

impl Head {
    pub(super) const VERSION: u32 = 1;
    const NAME: &str = "head";

    /// The head of the index in a folder, if there is one.
    pub(super) fn read(folder: &Folder) -> Result<Option<Self>> {
        if folder.path().is_file() {
            return Err(Error::usage("is a file, and an index is a folder; name another").at(folder.path()));
        }
        read(folder, Self::NAME)
    }

    pub(super) fn write(&self, folder: &Folder) -> Result<()> {
        write(folder, Self::NAME, self)
    }

    /// The same, told from all others.
    pub(super) fn identified(self) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Head { identity: format!("{:016x}{:016x}", random(), random()), ..self }
    }

    /// How its records are written.
    pub(super) fn width(&self) -> Width {
        if self.owners { Width::KeyAndOwner } else { Width::Key }
    }

    /// Refuses an index that another version wrote, or whose fingerprints are of something else than `wanted`.
    pub(super) fn refuse_difference(&self, wanted: &Head, folder: &Folder) -> Result<()> {
        let refused = |what: String| Err(Error::usage(what).at(folder.path()));
        if self.dehusk_index > Head::VERSION {
            return refused(format!(
                "the index has format {}, and this dehusk knows formats up to {}; use a newer dehusk",
                self.dehusk_index,
                Head::VERSION
            ));
        }
        if self.fold != wanted.fold {
            return refused(format!(
                "the index was made with fold version {}, and this dehusk has {}; make it anew, or use the dehusk that made it",
                self.fold, wanted.fold
            ));
        }
        if wanted.owners && !self.owners {
            return refused("the index keeps no owners, which are wanted; use another".into());
        }
        for (name, value) in &wanted.settings {
            let there = self.settings.get(name);
            if there != Some(value) {
                let there = there.map_or("none".into(), |there| format!("\"{there}\""));
                return refused(format!(
                    "the index was made with {name} {there}, and now it is \"{value}\"; say what it was made with, or use another index"
                ));
            }
        }
        Ok(())
    }
}

impl List {
    pub(super) const NAME: &str = "list";

    pub(super) fn read(folder: &Folder) -> Result<Option<Self>> {
        read(folder, Self::NAME)
    }

    pub(super) fn write(&self, folder: &Folder) -> Result<()> {
        write(folder, Self::NAME, self)
    }
}

const COMMITTED_BYTES: usize = 32;

impl Committed {
    pub(super) fn to_bytes(self) -> [u8; COMMITTED_BYTES] {
        let mut bytes = [0; COMMITTED_BYTES];
        let numbers = [self.n_keys, self.n_commits, self.n_words, self.n_documents];
        for (bytes, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *bytes = number.to_le_bytes();
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; COMMITTED_BYTES]) -> Self {
        let (numbers, _) = bytes.as_chunks::<8>();
        let [n_keys, n_commits, n_words, n_documents] = std::array::from_fn(|idx| u64::from_le_bytes(numbers[idx]));
        Committed { n_keys, n_commits, n_words, n_documents }
    }
}

fn write(folder: &Folder, name: &str, value: &impl Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec(value).expect("numbers, names and lists of them can be written as JSON");
    let check = blake3::hash(&bytes).to_hex();
    bytes.push(b'\n');
    bytes.extend_from_slice(check.as_bytes());
    bytes.push(b'\n');
    folder.replace(&folder.join(name), &bytes)
}

fn read<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>> {
    let path = folder.join(name);
    let bytes = match std::fs::read(&path) {
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|source| Error::reading(&path, source))?,
    };
    let damaged = || Error::damaged_index(&path, "its checksum is wrong");
    let end = memchr::memchr(b'\n', &bytes).ok_or_else(damaged)?;
    let (json, check) = (&bytes[..end], &bytes[end + 1..]);
    if check != format!("{}\n", blake3::hash(json).to_hex()).as_bytes() {
        return Err(damaged());
    }
    let value = serde_json::from_slice(json);
    value.map(Some).map_err(|error| Error::usage(format!("another version of dehusk wrote it ({error})")).at(&path))
}
