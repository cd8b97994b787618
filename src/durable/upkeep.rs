//! Looking after an index: what is in it, whether it is whole, and taking things out.

use super::contents::head_of;
use super::documents;
use super::files::Folder;
use super::merge::{Releases, Source, merge};
use super::record::{Held, Record};
use super::sealed::Head;
use super::table::Table;
use super::view::View;
use super::{Index, IndexReader, Remembers};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::index::{Claims, OnChanged, Owner};
use serde::Serialize;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// What is in an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexStats {
    /// How many fingerprints have an owner: blocks, documents as wholes, and ids.
    pub fingerprints: u64,
    /// How many documents came, each version of one counted.
    pub documents: u64,
    /// How many commits there were.
    pub commits: u64,
    /// How many runs there are.
    pub runs: usize,
    /// How many records they hold; more than there are fingerprints where some were given up.
    pub records_in_runs: u64,
    /// The bytes of what the fingerprints take on disk: runs and logs.
    pub fingerprint_bytes: u64,
    /// The bytes of the documents.
    pub document_bytes: u64,
    /// Whether it says who has a fingerprint.
    pub owners: bool,
    /// The version of the fold.
    pub fold_version: u32,
    /// The settings that it was made with.
    pub settings: BTreeMap<String, String>,
}

impl View {
    /// Gives all records that hold something, in the order of their fingerprints, until no more is taken.
    fn each(&self, take: impl FnMut(&Record) -> Result<bool>) -> Result<bool> {
        self.each_below(None, take)
    }

    /// The same, below a table that is being filled.
    fn each_below(&self, newest: Option<&Table>, take: impl FnMut(&Record) -> Result<bool>) -> Result<bool> {
        let tables = newest.into_iter().chain(self.tables.iter().rev().map(|table| &**table));
        let tables = tables.map(|table| Source::Table(table.sorted().into_iter()));
        let runs = self.runs.iter().rev().map(|run| Source::Run(run.scan()));
        merge(tables.chain(runs).collect(), Releases::Go, take)
    }
}

impl IndexReader {
    /// What is in it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn stats(&self) -> Result<IndexStats> {
        let IndexReader { folder, head, view, committed, .. } = self;
        let bytes = folder.bytes()?;
        Ok(IndexStats {
            fingerprints: committed.n_keys,
            documents: committed.n_documents,
            commits: committed.n_commits,
            runs: view.runs.len(),
            records_in_runs: view.runs.iter().map(|run| run.n_records()).sum(),
            fingerprint_bytes: bytes.of_fingerprints,
            document_bytes: bytes.of_documents,
            owners: head.owners,
            fold_version: head.fold,
            settings: head.settings.clone(),
        })
    }

    /// Opens the index in a folder for writing, whatever it was made with, or makes one as this one is.
    ///
    /// # Errors
    ///
    /// See [`IndexOptions::open`](crate::IndexOptions::open).
    pub fn like(&self, path: impl AsRef<Path>) -> Result<Index> {
        if Head::read(&Folder::new(path.as_ref()))?.is_some() {
            return Index::open_existing(path);
        }
        let options = Index::options().owners(self.head.owners);
        self.head.settings.iter().fold(options, |options, (name, value)| options.setting(name, value)).open(path)
    }

    /// Reads all of it, and holds it together: checksums, order, counts, and that all owners are there.
    ///
    /// # Errors
    ///
    /// What is wrong first.
    pub fn verify(&self) -> Result<()> {
        let IndexReader { folder, head, view, committed, documents } = self;
        let damaged = |what: &str| Err(Error::damaged_index(folder.path(), what));
        // In the order in which they lie, which is theirs.
        let mut owners = Vec::new();
        if let Some(documents) = documents {
            let n_documents = documents.each(committed.n_words, |owner, _| {
                owners.push(owner);
                Ok(())
            })?;
            if n_documents != committed.n_documents {
                return damaged(&format!("{n_documents} documents, and not {}", committed.n_documents));
            }
        }
        let has_documents = committed.n_documents > 0 && head.owners;
        let (mut n_keys, mut before) = (0, None);
        view.each(|record| {
            n_keys += 1;
            if before.replace(record.order()).is_some_and(|before| before >= record.order()) {
                return Err(Error::damaged_index(folder.path(), "records are out of order"));
            }
            match record.held() {
                Held::By(owner) if has_documents && owners.binary_search(&owner).is_err() => {
                    let what = format!("owner {} is no document", owner.number());
                    Err(Error::damaged_index(folder.path(), &what))
                }
                _ => Ok(true),
            }
        })?;
        if n_keys != committed.n_keys {
            return damaged(&format!("{n_keys} fingerprints, and not {}", committed.n_keys));
        }
        Ok(())
    }

    /// Gives every fingerprint with its owner, and what that is known by if it is a document that has an id, in the order of
    /// fingerprints, until no more is taken.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or is damaged; and what `take` fails with.
    pub fn each(&self, mut take: impl FnMut(Fingerprint, Owner, Option<&str>) -> Result<bool>) -> Result<()> {
        let mut last = None;
        self.view.each(|record| {
            let Held::By(owner) = record.held() else { return Ok(true) };
            if last.as_ref().is_none_or(|(known, _)| *known != owner) {
                last = Some((owner, self.id_of(owner)?));
            }
            let id = last.as_ref().and_then(|(_, id)| id.as_deref());
            take(record.fingerprint(), owner, id)
        })?;
        Ok(())
    }

    fn id_of(&self, owner: Owner) -> Result<Option<String>> {
        let id = self.document(owner)?.map(|document| document.id).filter(|id| !id.is_empty());
        Ok(id.map(|id| String::from_utf8_lossy(&id).into_owned()))
    }
}

impl Index {
    /// Takes in all that another index has, as coming after what is here: the same comes of it as if all documents of the other had come
    /// here, in their order. Taking in the same again changes nothing of what others lose to it, so that what was broken off can be done
    /// anew; documents without an id, and versions that others followed, are then kept once more.
    ///
    /// It commits now and then, and reads the other once for each four million fingerprints in it.
    ///
    /// # Errors
    ///
    /// When the other was made with other settings, keeps no owners where this one does, or has owners that are no documents; or when
    /// something cannot be read or written.
    pub fn take_in(&self, other: &IndexReader) -> Result<()> {
        let IndexReader { folder, head, view, committed, documents } = other;
        let own = head_of(&self.shared.folder)?;
        head.refuse_difference(&own, folder)?;
        if own.settings != head.settings {
            own.refuse_difference(head, &self.shared.folder)?;
        }
        let Some(documents) = documents.as_ref().filter(|_| own.owners && committed.n_documents > 0) else {
            if own.owners && committed.n_keys > 0 {
                let what = "its owners are no documents, so that nobody knows in which order they came; claim its fingerprints instead";
                return Err(Error::usage(what).at(folder.path()));
            }
            return self.take_in_keys(view);
        };
        let mut from = Owner::SOMEONE;
        loop {
            let (mut claims, next) = claims_from(view, from)?;
            claims.sort_unstable();
            let mut claims = claims.into_iter().peekable();
            documents.each_between(from, next, committed.n_words, |owner, document| {
                let id_key = Fingerprint::of_id(&document.id);
                // Of a document that was given up only its entry is left.
                if !document.id.is_empty() && view.find(&[id_key], &[0])?[0].and_then(Held::owner).is_none() {
                    return Ok(());
                }
                let mut claimed = Vec::new();
                while let Some((_, fingerprint)) = claims.next_if(|(claimer, _)| *claimer <= owner) {
                    // What its id stands for is not claimed, but known.
                    if document.id.is_empty() || fingerprint != id_key {
                        claimed.push(fingerprint);
                    }
                }
                self.admit(&document.id, document.blocks, &claimed, OnChanged::Keep)?;
                self.commit_if_large()
            })?;
            self.commit()?;
            match next {
                Some(next) => from = next,
                None => return Ok(()),
            }
        }
    }

    fn take_in_keys(&self, view: &View) -> Result<()> {
        let (mut batch, mut owners) = (Vec::new(), Vec::new());
        let mut claim = |batch: &mut Vec<(Fingerprint, Owner)>| {
            owners.clear();
            self.claim(batch, &mut owners)?;
            batch.clear();
            self.commit_if_large()
        };
        view.each(|record| {
            batch.push((record.fingerprint(), Owner::SOMEONE));
            if batch.len() == BATCH { claim(&mut batch).map(|()| true) } else { Ok(true) }
        })?;
        claim(&mut batch)?;
        self.commit()
    }

    /// Commits when enough has come together.
    fn commit_if_large(&self) -> Result<()> {
        let is_large = self.shared.active().n_waiting() >= UNCOMMITTED_BYTES;
        if is_large { self.commit() } else { Ok(()) }
    }

    /// Puts all runs together as one, without what was given up or is there twice, unless they hold more than 4 billion fingerprints.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written.
    pub fn compact(&self) -> Result<()> {
        let shared = &*self.shared;
        let n_keys = {
            let mut disk = shared.disk();
            self.flush(&mut disk, |active| active.table.len() > 0)?;
            disk.committed.n_keys
        };
        self.background.alone(|| {
            let runs = shared.view().runs.clone();
            let n_records: u64 = runs.iter().map(|run| run.n_records()).sum();
            if runs.len() > 1 || n_records > n_keys {
                shared.merge(&runs, 0..runs.len(), &AtomicBool::new(false))?;
            }
            Ok(())
        })
    }
}

/// So many claims are made at a time.
const BATCH: usize = 10_000;
/// So much may wait for a commit.
const UNCOMMITTED_BYTES: usize = 4 << 20;
/// So many claims are put in the order of their owners at a time.
const CLAIMS_AT_ONCE: usize = 4 << 20;

/// Who has what.
type Claim = (Owner, Fingerprint);

/// The claims of the first owners from one on, as many as are to be held at once, with the owner that comes next.
fn claims_from(view: &View, from: Owner) -> Result<(Vec<Claim>, Option<Owner>)> {
    let mut claims: BinaryHeap<Claim> = BinaryHeap::new();
    let mut next: Option<Owner> = None;
    view.each(|record| {
        if let Held::By(owner) = record.held()
            && owner >= from
            && next.is_none_or(|next| owner < next)
        {
            claims.push((owner, record.fingerprint()));
        }
        if claims.len() > CLAIMS_AT_ONCE {
            // The largest owner waits for the next time, with all that it has, unless it is the only one.
            if let Some((last, _)) = claims.peek().copied().filter(|(last, _)| *last > from) {
                next = Some(last);
                while claims.peek().is_some_and(|(owner, _)| *owner == last) {
                    claims.pop();
                }
            }
        }
        Ok(true)
    })?;
    Ok((claims.into_vec(), next))
}

/// How many bytes the files of an index have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bytes {
    pub(super) of_fingerprints: u64,
    pub(super) of_documents: u64,
}

impl Folder {
    fn bytes(&self) -> Result<Bytes> {
        let fails = |source| Error::reading(self.path(), source);
        let mut bytes = Bytes::default();
        for entry in std::fs::read_dir(self.path()).map_err(fails)? {
            let entry = entry.map_err(fails)?;
            // What is merged away meanwhile does not count.
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            let name = entry.file_name();
            if name == documents::NAME {
                bytes.of_documents += size;
            } else {
                bytes.of_fingerprints += size;
            }
        }
        Ok(bytes)
    }
}
