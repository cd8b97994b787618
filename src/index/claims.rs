//! Claims: who has which fingerprint, of all that ever saw it.

use super::{Lookup, MemoryIndex, Notes, Place};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};

/// Who has a fingerprint, as a number. Who has a smaller number came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(u64);

impl Owner {
    /// How many bits of the number are used, from the lowest.
    pub const BITS: u32 = 40;

    /// Who has what was claimed before, in an index that keeps no owners. Comes before all others.
    pub const SOMEONE: Owner = Owner(0);

    /// The owner with a number; the numbers from 2⁴⁰ − 1 on are none.
    pub fn new(number: u64) -> Option<Self> {
        (number < (1 << Self::BITS) - 1).then_some(Owner(number))
    }

    /// The number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What becomes of what a document had when it came before, and has no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum OnChanged {
    /// It stays its own, and goes from all others.
    #[default]
    Keep,
    /// It is given up: the next document that comes with it has it.
    Release,
}

/// What can say who has a fingerprint.
pub trait Known: Sync {
    /// Appends who has each of the fingerprints, if anybody has.
    ///
    /// # Errors
    ///
    /// When what is kept on disk cannot be read, or is damaged.
    fn owners(&self, fingerprints: &[Fingerprint], owners: &mut Vec<Option<Owner>>) -> Result<()>;

    /// How many fingerprints have an owner.
    fn len(&self) -> usize;

    /// Whether none has.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where fingerprints can be claimed, from any thread. Of those who claim one, the smallest has it: so claims commute, and
/// the same claim may be made again.
pub trait Claims: Known {
    /// Claims each of the fingerprints for its owner, and appends who has it then: the claimer, or who has a smaller number.
    ///
    /// # Errors
    ///
    /// When the index holds as many fingerprints as it can, or what is kept on disk cannot be read or written.
    fn claim(&self, batch: &[(Fingerprint, Owner)], owners: &mut Vec<Owner>) -> Result<()>;
}

impl Known for MemoryIndex {
    fn owners(&self, fingerprints: &[Fingerprint], owners: &mut Vec<Option<Owner>>) -> Result<()> {
        owners.extend(fingerprints.iter().map(|fingerprint| self.find(*fingerprint).map(|seen| owner_at(seen.first))));
        Ok(())
    }

    fn len(&self) -> usize {
        Notes::len(self)
    }
}

impl Claims for MemoryIndex {
    fn claim(&self, batch: &[(Fingerprint, Owner)], owners: &mut Vec<Owner>) -> Result<()> {
        let notes: Vec<(Fingerprint, Place)> =
            batch.iter().map(|(fingerprint, owner)| (*fingerprint, place_of(*owner))).collect();
        let mut entries = Vec::with_capacity(notes.len());
        self.note(&notes, &mut entries)?;
        owners.extend(entries.into_iter().map(|entry| owner_at(self.seen(entry).first)));
        Ok(())
    }
}

/// The upper bits of an owner are a part, the lower ones a block.
const BLOCK_BITS: u32 = u32::BITS;

fn place_of(owner: Owner) -> Place {
    let half = |bits: u64| u32::try_from(bits).expect("halves of a number of 40 bits fit 32");
    Place { part: half(owner.0 >> BLOCK_BITS), block: half(owner.0 & u64::from(u32::MAX)) }
}

fn owner_at(place: Place) -> Owner {
    Owner(u64::from(place.part) << BLOCK_BITS | u64::from(place.block))
}
