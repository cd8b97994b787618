//! Documents that come to an index: what of them is theirs, and what somebody had before.

use super::documents::{Document, Word};
use super::record::{Held, Record, Width};
use super::view::in_order;
use super::{Active, Index, Shared};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::index::{Known, OnChanged, Owner};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A document that came.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// For each fingerprint that it claimed, who has it, if it is somebody else.
    pub(crate) others: Vec<Option<Owner>>,
    /// What they are.
    pub(crate) documents: HashMap<Owner, Document>,
}

impl Index {
    /// What came last under an id, if anything did.
    pub(crate) fn last_version(&self, id: &[u8]) -> Result<Option<Document>> {
        if id.is_empty() {
            return Ok(None);
        }
        let mut last = Vec::new();
        self.owners(&[Fingerprint::of_id(id)], &mut last)?;
        last[0].map(|owner| self.shared.document(owner)).transpose()
    }

    /// Takes a document in, and claims fingerprints for it. What came under its id before, if it has one, is its own: as one of
    /// two versions, if it has changed since; and if so, what it has no more is kept or given up.
    pub(crate) fn admit(
        &self,
        id: &[u8],
        blocks: Vec<Word>,
        claimed: &[Fingerprint],
        on_changed: OnChanged,
    ) -> Result<Arrived> {
        self.background.check()?;
        let shared = &*self.shared;
        let mut asked = claimed.to_vec();
        if !id.is_empty() {
            asked.push(Fingerprint::of_id(id));
        }
        let arriving = Arriving { document: Document { id: id.to_vec(), previous: None, blocks }, asked, claimed };
        let order = in_order(&arriving.asked);
        let mut documents = HashMap::new();
        loop {
            let (below, active) = shared.look(&arriving.asked, &order)?;
            let generation = active.generation;
            let held = arriving.held(&active, &below);
            // Reading what came before takes no lock.
            drop(active);
            for owner in held.iter().flatten() {
                shared.look_up(*owner, &mut documents)?;
            }
            let last = held.get(claimed.len()).copied().flatten().and_then(|last| documents.get(&last));
            let last = last.filter(|_| on_changed == OnChanged::Release);
            let gone = last.map_or_else(Vec::new, |last| last.claimed_and_gone(&arriving.document.blocks));
            let (below_gone, active) = shared.look_for_words(&gone)?;
            let gone = Gone { words: gone, below: below_gone };
            let held_gone = gone.held(&active);
            drop(active);
            for (_, owner) in held_gone {
                shared.look_up(owner, &mut documents)?;
            }
            let mut active = shared.active();
            // Else others came in between, and what they claimed was not looked at.
            if active.generation == generation {
                let held = arriving.held(&active, &below);
                let held_gone = gone.held(&active);
                let owners = held.iter().flatten().chain(held_gone.iter().map(|(_, owner)| owner));
                if owners.into_iter().all(|owner| documents.contains_key(owner)) {
                    let is_own = |owner: &Owner| documents.get(owner).is_some_and(|document| document.id == id);
                    let released = held_gone.into_iter().filter(|(_, owner)| is_own(owner));
                    active.release(shared.width, released.map(|(fingerprint, _)| fingerprint));
                    let others = active.admit(shared.width, arriving, &held, &documents)?;
                    return Ok(Arrived { others, documents });
                }
            }
        }
    }
}

/// What a document may have had that has changed.
struct Gone {
    words: Vec<Word>,
    /// The records below the table that is being filled.
    below: Vec<Option<Record>>,
}

impl Gone {
    /// What of it somebody has.
    fn held(&self, active: &Active) -> Vec<(Fingerprint, Owner)> {
        active.owned(&self.words, &self.below).into_iter().flatten().collect()
    }
}

impl Shared {
    /// Has the document that an owner is among `documents`.
    fn look_up(&self, owner: Owner, documents: &mut HashMap<Owner, Document>) -> Result<()> {
        if let Entry::Vacant(vacant) = documents.entry(owner) {
            vacant.insert(self.document(owner)?);
        }
        Ok(())
    }

    /// The document that an owner is.
    pub(super) fn document(&self, owner: Owner) -> Result<Document> {
        let pending = self.active().documents.get(owner);
        let missing = || Error::damaged_index(self.folder.path(), "the documents are missing");
        pending.map_or_else(|| self.documents.as_ref().ok_or_else(missing)?.read(owner), Ok)
    }
}

/// A document that comes.
struct Arriving<'a> {
    document: Document,
    /// What it claims, and then the fingerprint of its id, if it has one.
    asked: Vec<Fingerprint>,
    claimed: &'a [Fingerprint],
}

impl Arriving<'_> {
    /// Who has each fingerprint that it asks for.
    fn held(&self, active: &Active, below: &[Option<Held>]) -> Vec<Option<Owner>> {
        let asked = self.asked.iter().zip(below);
        asked.map(|(fingerprint, below)| active.table.find(fingerprint).or(*below).and_then(Held::owner)).collect()
    }
}

impl Active {
    /// Takes a document in of which it is known who has what it asks for; says who else has what it claims.
    fn admit(
        &mut self,
        width: Width,
        arriving: Arriving<'_>,
        held: &[Option<Owner>],
        documents: &HashMap<Owner, Document>,
    ) -> Result<Vec<Option<Owner>>> {
        let Arriving { mut document, asked, claimed } = arriving;
        let id_key = asked.get(claimed.len());
        let last = held.get(claimed.len()).copied().flatten();
        let is_same = |last: &Owner| documents.get(last).is_some_and(|last| last.blocks == document.blocks);
        let owner = match last.filter(is_same) {
            Some(last) => last,
            None => {
                document.previous = last;
                let owner = self.documents.add(&document)?;
                self.n_documents += 1;
                if let Some(id_key) = id_key {
                    self.put(width, Record::new(*id_key, Held::By(owner)), last.is_none());
                }
                owner
            }
        };
        let is_own =
            |other: &Owner| id_key.is_some() && documents.get(other).is_some_and(|other| other.id == document.id);
        let mut others = Vec::with_capacity(claimed.len());
        for (fingerprint, held) in claimed.iter().zip(held) {
            let other = held.filter(|other| !is_own(other));
            // It may claim one twice.
            if held.is_none() && self.table.find(fingerprint).and_then(Held::owner).is_none() {
                self.put(width, Record::new(*fingerprint, Held::By(owner)), true);
            }
            others.push(other);
        }
        Ok(others)
    }

    /// Puts a record, of a fingerprint that nobody had if it `is_new`.
    pub(super) fn put(&mut self, width: Width, record: Record, is_new: bool) {
        self.n_keys += u64::from(is_new);
        self.n_changes += u64::from(!is_new);
        width.write(&record, &mut self.uncommitted);
        self.table.put(record);
    }
}
