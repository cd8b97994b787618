//! Text as dehusk sees it: bytes, cut into blocks, compared in a folded form.
//!
//! Text is bytes that are UTF-8 by convention. Blocks end at ASCII newlines, so bytes that are not UTF-8 pass through
//! every layer untouched.

mod blocks;
mod fold;
mod link;
mod mask;
mod wrap;

pub use blocks::{Blocks, Unit, blocks, content, is_blank};
pub use fold::{FOLD_VERSION, Fold, fold, fold_tracked, weight};
pub(crate) use fold::{fold_character, weigh, weighs};
pub(crate) use link::label_of;
pub(crate) use mask::mask_digits;
pub(crate) use wrap::is_hard_wrapped;

/// A half-open range of bytes in a text as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte of the range.
    pub start: usize,
    /// The byte after the last one of the range.
    pub end: usize,
}

impl Span {
    /// Makes the span of the bytes from `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "a span does not end before it starts");
        Span { start, end }
    }

    /// How many bytes the span covers.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span covers no bytes.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The bytes of `text` that the span covers.
    ///
    /// # Panics
    ///
    /// When the span was not taken from a text at least as long as `text`.
    pub fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start..self.end]
    }
}
