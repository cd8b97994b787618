//! The edit: cuts spans out of a text, and puts them back.

use crate::text::Span;

/// Appends `text` without the spans of `cuts` to `out`. The cuts must be in order and must not overlap.
///
/// ```
/// use dehusk::{edit, text::Span};
///
/// let mut out = Vec::new();
/// edit::cut(b"Menu\nThe ship left.\n", [Span::new(0, 5)], &mut out);
/// assert_eq!(out, b"The ship left.\n");
/// ```
pub fn cut(text: &[u8], cuts: impl IntoIterator<Item = Span>, out: &mut Vec<u8>) {
    replace(text, cuts.into_iter().map(|cut| (cut, &b""[..])), out);
}

/// The same, with other bytes in the place of each cut.
pub(crate) fn replace<'i>(text: &[u8], edits: impl Iterator<Item = (Span, &'i [u8])>, out: &mut Vec<u8>) {
    let mut at = 0;
    for (cut, instead) in edits {
        out.extend_from_slice(&text[at..cut.start]);
        out.extend_from_slice(instead);
        at = cut.end;
    }
    out.extend_from_slice(&text[at..]);
}

/// Puts back what was cut: appends to `out` the text that [`cut`] was given, from what it left and, for each cut in order,
/// where it stood in that text and what it took. Gives nothing if a cut does not fit the text.
///
/// ```
/// use dehusk::edit;
///
/// let mut out = Vec::new();
/// edit::restore(b"The ship left.\n", [(0, &b"Menu\n"[..])], &mut out).unwrap();
/// assert_eq!(out, b"Menu\nThe ship left.\n");
/// ```
pub fn restore<'r>(left: &[u8], removed: impl IntoIterator<Item = (usize, &'r [u8])>, out: &mut Vec<u8>) -> Option<()> {
    let base = out.len();
    let mut left = left;
    for (start, bytes) in removed {
        let (before, rest) = left.split_at_checked(start.checked_sub(out.len() - base)?)?;
        out.extend_from_slice(before);
        out.extend_from_slice(bytes);
        left = rest;
    }
    out.extend_from_slice(left);
    Some(())
}
