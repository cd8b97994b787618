//! What the documents of a run are known by where they are remembered: their addresses, or their files and places in them.

use super::plan::Plan;
use super::source::Origin;
use super::workers::Workers;
use crate::clean::{Id, Ids};
use crate::fingerprint::Fingerprint;
use crate::store::{canonical, folder_of};
use hashbrown::HashMap;
use std::path::{Path, PathBuf};

/// What the documents of a run are known by.
#[derive(Debug)]
pub(super) struct Names {
    /// Of each part.
    ids: Vec<Ids>,
    /// Of each file its path, and whether its documents are records in it.
    files: Vec<(Vec<u8>, bool)>,
    /// The documents whose addresses came before in this run, by part and number in it: the how manieth of its address each is.
    repeated: HashMap<(usize, usize), u32>,
}

impl Names {
    pub(super) fn new(plan: &Plan, ids: Vec<Ids>, workers: &Workers) -> Self {
        let mut folders: HashMap<&Path, PathBuf> = HashMap::new();
        let files = plan.files.iter().map(|file| {
            let path = file.input.path();
            let folder = folders.entry(folder_of(path));
            let folder =
                folder.or_insert_with(|| canonical(folder_of(path)).unwrap_or_else(|_| folder_of(path).into()));
            let path = path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name));
            (path.into_os_string().into_encoded_bytes(), file.layout.is_splittable())
        });
        let files = files.collect();
        let keys = workers.each(
            ids.len(),
            || (),
            |(), part_idx| {
                let addresses = ids[part_idx].iter().enumerate().filter_map(|(document_idx, id)| match id {
                    Id::Address(address) => Some((document_idx, Fingerprint::of_id(address.as_bytes()))),
                    Id::Alone | Id::Place => None,
                });
                addresses.collect::<Vec<_>>()
            },
        );
        let (mut seen, mut repeated) = (HashMap::new(), HashMap::new());
        for (part_idx, keys) in keys.into_iter().enumerate() {
            for (document_idx, key) in keys {
                let n_seen = seen.entry(key).or_insert(0_u32);
                *n_seen = n_seen.saturating_add(1);
                if *n_seen > 1 {
                    repeated.insert((part_idx, document_idx), *n_seen);
                }
            }
        }
        Names { ids, files, repeated }
    }

    /// What each document of a part is known by, in their order; nothing where it is compared with no other.
    ///
    /// Of those with one address the first of a run is known by it. The others are documents of their own: else a run would keep them as the
    /// same page come again, where without an index it would drop them.
    pub(super) fn of_part(&self, part_idx: usize, origin: Origin) -> impl Iterator<Item = Option<Vec<u8>>> {
        let Origin { file_idx, records_before } = origin;
        let (path, has_records) = &self.files[file_idx];
        self.ids[part_idx].iter().enumerate().map(move |(document_idx, id)| match id {
            Id::Alone => None,
            Id::Place if !has_records => Some(path.clone()),
            Id::Place => {
                let record = records_before + document_idx as u64 + 1;
                Some([&path[..], format!(":{record}").as_bytes()].concat())
            }
            Id::Address(address) => Some(match self.repeated.get(&(part_idx, document_idx)) {
                None => address.as_bytes().to_vec(),
                Some(number) => format!("{address} ({number})").into_bytes(),
            }),
        })
    }
}
