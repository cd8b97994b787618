//! What is known where each document is decided on by itself: what stands in the documents of one look.

use super::Look;
use crate::decide::{Keep, PartCopies, Repeats, Witnesses};
use crate::error::Result;
use crate::index::{MemoryIndex, Trace};

/// A scope of documents that know nothing of any others.
#[derive(Debug)]
pub(crate) struct Alone {
    index: MemoryIndex,
    /// One trace: the documents of the look are part 0.
    pub(crate) traces: [Trace; 1],
    witnesses: Witnesses,
}

impl Alone {
    /// Notes the documents of a look.
    pub(crate) fn of(look: &Look) -> Result<Self> {
        let (index, mut trace) = (MemoryIndex::small(), Trace::default());
        look.note(&index, 0, &mut trace)?;
        let traces = [trace];
        let witnesses = Witnesses::find(&index, &traces, None);
        Ok(Alone { index, traces, witnesses })
    }

    /// What to decide by.
    pub(crate) fn copies(&self, keep: Keep) -> PartCopies<'_, MemoryIndex> {
        let Alone { index: lookup, traces, witnesses } = self;
        Repeats { lookup, traces, witnesses, keep, displaced: None }.of_part(0)
    }
}
