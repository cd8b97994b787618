//! A row as bytes: what names the document, the text as it is, and where it ends.
//!
//! ```text
//! length of the head (4 bytes) | head | text | 0xff
//! head: definition level of the text | what it is | id | url | site | a text that cannot be read | all other columns, or none
//! ```
//! UTF-8 has no byte 0xff, so that text can be cut from the middle and the row still shows where it ends. A mark for the writer
//! has a length that no head has, and one byte.

use crate::record::{Escaping, Outcome, Parsed};
use crate::text::Span;
use std::borrow::Cow;

const TEXT_END: u8 = 0xff;
const LENGTH_BYTES: usize = 4;
/// The length that a mark has in place of that of a head.
const MARK: u32 = u32::MAX;

const IS_TEXT: u8 = 0;
const IS_NULL: u8 = 1;
const IS_NOT_UTF8: u8 = 2;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<'r> {
    pub(super) text: Text<'r>,
    /// What the text's definition level is; of a null, it says what is null: the text, or what it is in.
    pub(super) level: i16,
    /// Id, address and site.
    pub(super) names: [Option<Cow<'r, [u8]>>; 3],
    /// All other columns, as `column` spells them.
    pub(super) others: &'r [u8],
}

/// The text of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text<'r> {
    /// Where it is, in the bytes of the row, is what all else is told.
    Utf8(&'r [u8]),
    Null,
    NotUtf8(&'r [u8]),
}

/// What a writer must know behind the rows of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Something is cut from rows of the group.
    IsEdited,
    /// The group ends.
    GroupEnds,
}

/// What bytes start with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Row { end: usize },
    Mark { mark: Mark, end: usize },
}

/// Appends what the writer must know of a part that ends here.
pub(crate) fn end_part(is_edited: bool, ends_group: bool, out: &mut Vec<u8>) {
    for (mark, is_true) in [(Mark::IsEdited, is_edited), (Mark::GroupEnds, ends_group)] {
        if is_true {
            out.extend_from_slice(&MARK.to_le_bytes());
            out.push(u8::from(mark == Mark::GroupEnds));
        }
    }
}

/// What bytes start with, if all of it is there. The first `searched` of them are known to hold no end of a text.
pub(super) fn piece(bytes: &[u8], searched: usize) -> Option<Piece> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = u32::from_le_bytes(*length);
    if length == MARK {
        let mark = if *rest.first()? == 0 { Mark::IsEdited } else { Mark::GroupEnds };
        return Some(Piece::Mark { mark, end: LENGTH_BYTES + 1 });
    }
    let start = searched.max(LENGTH_BYTES.checked_add(usize::try_from(length).ok()?)?);
    let end = memchr::memchr(TEXT_END, bytes.get(start..)?)?;
    Some(Piece::Row { end: start + end + 1 })
}

/// Where the row ends that bytes start with; nothing if more bytes must be seen.
pub(in crate::record) fn record_end(bytes: &[u8]) -> Option<usize> {
    match piece(bytes, 0)? {
        Piece::Row { end } => Some(end),
        Piece::Mark { .. } => None,
    }
}

pub(in crate::record) fn parse(record: &[u8]) -> Outcome<'_> {
    let Some((row, text)) = read(record) else {
        return Outcome::Bad("not a row".into());
    };
    match row.text {
        Text::Utf8(_) => {
            let [id, url, site] = row.names.map(|name| match name {
                Some(Cow::Borrowed(name)) => std::str::from_utf8(name).ok().map(Cow::Borrowed),
                _ => None,
            });
            Outcome::Document(Parsed { raw_text: text, escaping: Escaping::None, id, url, site })
        }
        Text::Null => Outcome::Bad("the text is null; fill it, or drop such rows with --on-bad-record skip".into()),
        Text::NotUtf8(_) => {
            Outcome::Bad("the text is not UTF-8; mend it, or drop such rows with --on-bad-record skip".into())
        }
    }
}

/// Appends a row. Fails if all but its text is more than four gigabytes.
pub(super) fn write(row: &Row<'_>, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    out.extend_from_slice(&row.level.to_le_bytes());
    let (kind, text, stray) = match row.text {
        Text::Utf8(text) => (IS_TEXT, text, &b""[..]),
        Text::Null => (IS_NULL, &b""[..], &b""[..]),
        Text::NotUtf8(bytes) => (IS_NOT_UTF8, &b""[..], bytes),
    };
    out.push(kind);
    for name in &row.names {
        match name {
            Some(name) => {
                out.push(1);
                put(name, out)?;
            }
            None => out.push(0),
        }
    }
    put(stray, out)?;
    out.extend_from_slice(row.others);
    let length = u32::try_from(out.len() - start - LENGTH_BYTES).ok().filter(|length| *length != MARK)?;
    out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text);
    out.push(TEXT_END);
    Some(())
}

/// Reads a row back; also gives where in its bytes the text is.
pub(super) fn read(record: &[u8]) -> Option<(Row<'_>, Span)> {
    let (length, rest) = record.split_first_chunk::<LENGTH_BYTES>()?;
    let (mut head, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let text = rest.strip_suffix(&[TEXT_END])?;
    let level = i16::from_le_bytes(*take_chunk(&mut head)?);
    let [kind] = *take_chunk(&mut head)?;
    let mut names = [None, None, None];
    for name in &mut names {
        let [is_there] = *take_chunk(&mut head)?;
        if is_there != 0 {
            *name = Some(Cow::Borrowed(take(&mut head)?));
        }
    }
    let stray = take(&mut head)?;
    let start = record.len() - rest.len();
    let span = Span::new(start, start + text.len());
    let text = match kind {
        IS_TEXT => Text::Utf8(text),
        IS_NULL => Text::Null,
        IS_NOT_UTF8 => Text::NotUtf8(stray),
        _ => return None,
    };
    Some((Row { text, level, names, others: head }, span))
}

/// Appends bytes behind their length.
pub(super) fn put(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_le_bytes());
    out.extend_from_slice(bytes);
    Some(())
}

/// Takes what `put` appended.
pub(super) fn take<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = u32::from_le_bytes(*take_chunk(bytes)?);
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

/// Takes so many bytes.
pub(super) fn take_chunk<'b, const N: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: Text<'_>) -> Row<'_> {
        let names = [Some(Cow::Borrowed(&b"7"[..])), None, Some(Cow::Borrowed(&b""[..]))];
        Row { text, level: 1, names, others: b"\x00\xff\x01" }
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        for text in [Text::Utf8(b"one\ntwo"), Text::Utf8(b""), Text::Null, Text::NotUtf8(b"\xff\xfe")] {
            let mut bytes = Vec::new();
            assert_eq!(write(&row(text), &mut bytes), Some(()));
            let n_bytes = bytes.len();
            bytes.extend_from_slice(b"more");
            assert_eq!(record_end(&bytes), Some(n_bytes));
            assert!((0..n_bytes).all(|end| record_end(&bytes[..end]).is_none() && read(&bytes[..end]).is_none()));
            assert_eq!(read(&bytes[..n_bytes]).map(|(read, _)| read), Some(row(text)));
        }
    }

    #[test]
    fn a_row_whose_text_was_cut_is_a_row() {
        let mut bytes = Vec::new();
        assert_eq!(write(&row(Text::Utf8(b"Menu\ntext")), &mut bytes), Some(()));
        let Outcome::Document(parsed) = parse(&bytes) else { unreachable!("it has a text") };
        assert_eq!((parsed.raw_text.of(&bytes), parsed.id.as_deref()), (&b"Menu\ntext"[..], Some("7")));
        bytes.drain(parsed.raw_text.start..parsed.raw_text.start + 5);
        assert_eq!(record_end(&bytes), Some(bytes.len()));
        assert_eq!(read(&bytes).map(|(read, _)| read), Some(row(Text::Utf8(b"text"))));
    }

    #[test]
    fn marks_are_no_rows() {
        let mut bytes = Vec::new();
        end_part(true, true, &mut bytes);
        assert_eq!(piece(&bytes, 0), Some(Piece::Mark { mark: Mark::IsEdited, end: 5 }));
        assert_eq!(piece(&bytes[5..], 0), Some(Piece::Mark { mark: Mark::GroupEnds, end: 5 }));
        assert_eq!((record_end(&bytes), piece(&bytes[..4], 0)), (None, None));
    }
}
