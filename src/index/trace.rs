//! What a survey remembers of a part: a mark of four bytes for each block.
//!
//! With the marks of the part where a block was first seen, the blocks around the first copy can be compared with those
//! around the second, so that a passage goes with its short lines. And the rewrite need not fold, scan or hash again.

use super::EntryId;

/// What is remembered of one block, in 4 bytes: two bits say of what kind it is, the others name its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u32);

impl Mark {
    /// A block that shows nothing.
    pub const BLANK: Mark = Mark(0);
    /// A block that is not compared: gone as chrome, or repeats are not looked for.
    pub const UNCOMPARED: Mark = Mark(1 << EntryId::BITS);

    const SHORT: u32 = 2 << EntryId::BITS;
    const LONG: u32 = 3 << EntryId::BITS;
    const PAYLOAD: u32 = (1 << EntryId::BITS) - 1;

    /// A block too short to be dropped as a repeat by itself.
    pub fn short(entry: EntryId) -> Self {
        Mark(Self::SHORT | entry.0)
    }

    /// A block that is dropped where it repeats.
    pub fn long(entry: EntryId) -> Self {
        Mark(Self::LONG | entry.0)
    }

    /// The entry of a block that is compared.
    pub fn entry(self) -> Option<EntryId> {
        (self.0 >= Self::SHORT).then_some(EntryId(self.0 & Self::PAYLOAD))
    }

    /// Its bytes: as the handle in it, they depend on the schedule and must reach no output.
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// The mark with these bytes.
    pub(crate) fn from_bytes(bytes: [u8; 4]) -> Self {
        Mark(u32::from_le_bytes(bytes))
    }

    /// The same mark, naming another entry.
    pub(crate) fn with_entry(self, entry: EntryId) -> Self {
        Mark(self.0 & !Self::PAYLOAD | entry.0)
    }

    /// Whether the block is dropped where it repeats.
    pub fn is_long(self) -> bool {
        self.0 >= Self::LONG
    }
}

/// The marks of one part's blocks, and where its documents begin.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    marks: Vec<Mark>,
    documents: Vec<DocumentMark>,
}

#[derive(Clone, Copy, Debug)]
struct DocumentMark {
    /// Its first block.
    start: u32,
    /// The entry of the document as a whole, where it is compared as a whole.
    whole: Mark,
}

impl Trace {
    /// Begins a document.
    ///
    /// # Panics
    ///
    /// When the part would hold more blocks than a [`Place`](super::Place) can number; see [`Trace::has_room`].
    pub fn begin_document(&mut self) {
        let start = u32::try_from(self.marks.len()).expect("has_room was asked, so that blocks can be numbered");
        self.documents.push(DocumentMark { start, whole: Mark::UNCOMPARED });
    }

    /// Adds the marks of blocks of the document that was begun last.
    pub fn push(&mut self, marks: impl IntoIterator<Item = Mark>) {
        self.marks.extend(marks);
    }

    /// Sets the entry of the document that was begun last as a whole, where it is compared as a whole.
    pub fn set_whole(&mut self, whole: EntryId) {
        if let Some(document) = self.documents.last_mut() {
            document.whole = Mark::long(whole);
        }
    }

    /// Has the mark of a block name another entry.
    pub(crate) fn set_entry(&mut self, block: usize, entry: EntryId) {
        self.marks[block] = self.marks[block].with_entry(entry);
    }

    /// Has a block no longer be compared.
    pub(crate) fn compare_not(&mut self, block: usize) {
        self.marks[block] = Mark::UNCOMPARED;
    }

    /// Has a document no longer be compared as a whole.
    pub(crate) fn compare_no_whole(&mut self, document_idx: usize) {
        self.documents[document_idx].whole = Mark::UNCOMPARED;
    }

    /// Whether another `n_blocks` blocks can be numbered.
    pub fn has_room(&self, n_blocks: usize) -> bool {
        self.marks.len() + n_blocks <= u32::MAX as usize
    }

    /// Gives back what memory was reserved and not used.
    pub fn shrink(&mut self) {
        self.marks.shrink_to_fit();
        self.documents.shrink_to_fit();
    }

    /// How many documents it holds.
    pub fn n_documents(&self) -> usize {
        self.documents.len()
    }

    /// How many blocks it holds.
    pub fn n_blocks(&self) -> usize {
        self.marks.len()
    }

    /// The blocks of a document, as a range of block numbers.
    pub fn blocks_of(&self, document_idx: usize) -> std::ops::Range<usize> {
        let start = self.documents[document_idx].start as usize;
        let end = self.documents.get(document_idx + 1).map_or(self.marks.len(), |next| next.start as usize);
        start..end
    }

    /// The document that a block belongs to.
    pub fn document_at(&self, block: u32) -> usize {
        self.documents.partition_point(|document| document.start <= block) - 1
    }

    /// The document that a block belongs to, and which of its blocks it is.
    pub(crate) fn record_and_block(&self, block: u32) -> (usize, u32) {
        let document_idx = self.document_at(block);
        (document_idx, block - self.documents[document_idx].start)
    }

    /// The entry of a document as a whole, where it is compared as a whole.
    pub fn whole(&self, document_idx: usize) -> Option<EntryId> {
        self.documents[document_idx].whole.entry()
    }

    /// The mark of a block.
    pub fn mark(&self, block: usize) -> Mark {
        self.marks[block]
    }
}
