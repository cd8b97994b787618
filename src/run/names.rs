//! What the documents of a run are known by where they are remembered: their addresses, or their files and places in them.

use super::plan::Plan;
use super::source::Origin;
use super::workers::Workers;
use crate::clean::{Id, Ids};
use crate::fingerprint::Fingerprint;
use crate::store::{canonical, folder_of};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::path::{Path, PathBuf};

/// What the documents of a run are known by.
#[derive(Debug)]
pub(super) struct Names {
    /// Of each part.
    ids: Vec<Ids>,
    /// Of each file its path, and whether its documents are records in it.
    files: Vec<(Vec<u8>, bool)>,
    /// The documents whose names came before in this run, by part and number in it: the how manieth of its name each is.
    repeated: HashMap<(usize, usize), u32>,
}

impl Names {
    pub(super) fn new(plan: &Plan, origins: &[Origin], ids: Vec<Ids>, workers: &Workers) -> Self {
        let mut folders: HashMap<&Path, PathBuf> = HashMap::new();
        let files = plan.files.iter().map(|file| {
            let path = file.input.path();
            let folder = folders.entry(folder_of(path));
            let folder =
                folder.or_insert_with(|| canonical(folder_of(path)).unwrap_or_else(|_| folder_of(path).into()));
            let path = path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name));
            (path.into_os_string().into_encoded_bytes(), file.layout.is_splittable())
        });
        let mut names = Names { ids, files: files.collect(), repeated: HashMap::new() };
        let keys = workers.each(
            origins.len(),
            || (),
            |(), part_idx| {
                let names = names.of_part(part_idx, origins[part_idx]);
                names.map(|name| name.map(|name| Fingerprint::of_id(&name))).collect::<Vec<_>>()
            },
        );
        let mut met = Met::default();
        for (part_idx, keys) in keys.into_iter().enumerate() {
            let again: Vec<bool> = keys.into_iter().map(|key| key.is_some_and(|key| met.is_known(key))).collect();
            if !again.contains(&true) {
                continue;
            }
            let named = names.of_part(part_idx, origins[part_idx]).zip(again).enumerate();
            let named = named.filter(|(_, (_, again))| *again);
            let named: Vec<_> =
                named.filter_map(|(document_idx, (name, _))| Some((document_idx, met.number(&name?)))).collect();
            for (document_idx, number) in named {
                names.repeated.insert((part_idx, document_idx), number);
            }
        }
        names
    }

    /// What each document of a part is known by, in their order; nothing where it is compared with no other.
    ///
    /// Of those with one name the first of a run is known by it. The others are documents of their own: else a run would keep them as the
    /// same page come again, where without an index it would drop them.
    pub(super) fn of_part(&self, part_idx: usize, origin: Origin) -> impl Iterator<Item = Option<Vec<u8>>> {
        let Origin { file_idx, records_before } = origin;
        let (path, has_records) = &self.files[file_idx];
        self.ids[part_idx].iter().enumerate().map(move |(document_idx, id)| {
            let name = match id {
                Id::Alone => return None,
                Id::Place if !has_records => path.clone(),
                Id::Place => of_record(path, records_before + document_idx as u64),
                Id::Address(address) => address.as_bytes().to_vec(),
            };
            Some(match self.repeated.get(&(part_idx, document_idx)) {
                None => name,
                Some(number) => repeated(&name, *number),
            })
        })
    }
}

/// What a record of a file is known by, given its number from 0.
pub(super) fn of_record(file: &[u8], record_idx: u64) -> Vec<u8> {
    [file, format!(":{}", record_idx + 1).as_bytes()].concat()
}

/// The number of the second document of a name.
const FIRST_NUMBER: u32 = 2;

/// The names that were met so far: for each, by its fingerprint, the number that the next document of that name is tried with.
#[derive(Debug, Default)]
pub(super) struct Met(HashMap<Fingerprint, u32>);

impl Met {
    /// Gives a document a name that none has that came before.
    pub(super) fn name(&mut self, name: Vec<u8>) -> Vec<u8> {
        if self.is_known(Fingerprint::of_id(&name)) { repeated(&name, self.number(&name)) } else { name }
    }

    /// Whether a document came before with this name, which is known from now on.
    fn is_known(&mut self, name: Fingerprint) -> bool {
        match self.0.entry(name) {
            Entry::Occupied(_) => true,
            Entry::Vacant(vacant) => {
                vacant.insert(FIRST_NUMBER);
                false
            }
        }
    }

    /// The number of one more document of a name.
    fn number(&mut self, name: &[u8]) -> u32 {
        let key = Fingerprint::of_id(name);
        let from = self.0.get(&key).copied().unwrap_or(FIRST_NUMBER);
        let is_new = |number: &u32| {
            let key = Fingerprint::of_id(&repeated(name, *number));
            self.0.insert(key, FIRST_NUMBER).is_none()
        };
        let number = (from..u32::MAX).find(is_new).unwrap_or(u32::MAX);
        self.0.insert(key, number.saturating_add(1));
        number
    }
}

/// What a document is known by of whose name there is one already.
fn repeated(name: &[u8], number: u32) -> Vec<u8> {
    [name, format!(" ({number})").as_bytes()].concat()
}
