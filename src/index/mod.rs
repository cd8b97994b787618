//! The index: which fingerprints were seen, where first, and how often. It knows nothing of text.
//!
//! Notes commute: whatever the order in which places are noted, the smallest one is the first. So a survey may run on any
//! number of threads and end in the same state. So do [`Claims`], which are what remains from run to run
//! ([`crate::Index`]).

mod claims;
mod memory;
mod trace;

pub use claims::{Claims, Known, OnChanged, Owner};
pub(crate) use memory::EntryOwners;
pub use memory::{Frozen, MemoryIndex};
pub use trace::{Mark, Trace};

use crate::error::Result;
use crate::fingerprint::Fingerprint;

/// Where a block stands in the input order.
///
/// The inputs are cut into parts (a file, or some megabytes of one), numbered in input order; blocks are numbered within
/// their part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The part of the inputs, from 0.
    pub part: u32,
    /// The block in that part, from 0.
    pub block: u32,
}

/// A handle to what an index knows of one fingerprint. Which one a fingerprint gets depends on the schedule, so it must
/// reach no output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryId(u32);

impl EntryId {
    /// How many bits of a handle are used, from the lowest.
    pub const BITS: u32 = 30;

    /// The handle with a number, if it fits the bits of one.
    pub(crate) fn new(number: u32) -> Option<Self> {
        (number < 1 << Self::BITS).then_some(EntryId(number))
    }

    /// The number of a handle.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// What an index knows of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its first place in input order.
    pub first: Place,
    /// At how many places it stands; stops counting at the largest number that fits.
    pub count: u32,
}

/// What can say where an entry was first seen.
pub trait Lookup {
    /// What is known of an entry that this index gave out.
    fn seen(&self, entry: EntryId) -> Seen;
}

/// An index of a run, which can be added to from any thread.
pub trait Notes: Lookup + Sync {
    /// Notes each fingerprint at its place, and appends the entry of each to `entries`.
    ///
    /// # Errors
    ///
    /// When the index holds as many fingerprints as it can; see [`Error::is_index_full`](crate::Error::is_index_full).
    fn note(&self, batch: &[(Fingerprint, Place)], entries: &mut Vec<EntryId>) -> Result<()>;

    /// How many different fingerprints it holds.
    fn len(&self) -> usize;

    /// Whether nothing was noted.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
