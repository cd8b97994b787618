//! What documents give up: it is found by the words that are kept of them.

use super::documents::{Document, Meaning, Word};
use super::record::{Held, Record, Width};
use super::{Active, Index};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::index::Owner;
use std::collections::HashSet;

impl Document {
    /// The words of what it may have claimed: its long blocks, and itself as a whole.
    fn claimed(&self) -> impl Iterator<Item = Word> {
        self.blocks.iter().copied().filter(|word| matches!(word.meaning(), Meaning::Long | Meaning::Whole))
    }

    /// What it may have claimed that a later version has no more.
    pub(crate) fn claimed_and_gone(&self, later: &[Word]) -> Vec<Word> {
        if self.blocks == later {
            return Vec::new();
        }
        let later: HashSet<Word> = later.iter().copied().collect();
        let gone: HashSet<Word> = self.claimed().filter(|word| !later.contains(word)).collect();
        gone.into_iter().collect()
    }
}

impl Active {
    /// What words stand for and who has it, if anybody has, given the records below this table.
    pub(super) fn owned(&self, words: &[Word], below: &[Option<Record>]) -> Vec<Option<(Fingerprint, Owner)>> {
        let words = words.iter().zip(below);
        words.map(|(word, below)| self.table.find_word(*word).copied().or(*below)?.owned()).collect()
    }

    /// Gives up fingerprints that somebody has.
    pub(super) fn release(&mut self, width: Width, fingerprints: impl Iterator<Item = Fingerprint>) {
        for fingerprint in fingerprints {
            self.put(width, Record::new(fingerprint, Held::Released), false);
            self.n_keys -= 1;
        }
    }
}

impl Index {
    /// Gives up all that the document with an id has, in all its versions: its blocks may be claimed by others, and it is new when it
    /// comes again. Says how many fingerprints that were, and commits.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written.
    pub fn remove_owner(&self, id: &str) -> Result<u64> {
        let shared = &*self.shared;
        if shared.width == Width::Key {
            return Err(Error::usage("the index keeps no owners").at(shared.folder.path()));
        }
        let id_key = Fingerprint::of_id(id.as_bytes());
        let (below, active) = shared.look(&[id_key], &[0])?;
        let mut next = active.table.find(&id_key).or(below[0]).and_then(Held::owner).filter(|_| !id.is_empty());
        drop(active);
        let mut versions: HashSet<Owner> = HashSet::new();
        let mut words: HashSet<Word> = HashSet::new();
        while let Some(owner) = next.filter(|owner| versions.insert(*owner)) {
            let document = shared.document(owner)?;
            words.extend(document.claimed());
            next = document.previous;
        }
        if versions.is_empty() {
            return Ok(0);
        }
        let words: Vec<Word> = words.into_iter().collect();
        let (below, mut active) = shared.look_for_words(&words)?;
        let held = active.owned(&words, &below).into_iter().flatten();
        let of_versions = held.filter(|(_, owner)| versions.contains(owner)).map(|(fingerprint, _)| fingerprint);
        let released: Vec<Fingerprint> = of_versions.chain([id_key]).collect();
        active.release(shared.width, released.iter().copied());
        drop(active);
        self.commit()?;
        Ok(released.len() as u64)
    }
}
