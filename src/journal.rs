//! The journal: what was removed, from where, and why; with what is left it gives the original back, bit for bit.
//!
//! A journal is JSONL. Its first line says what it is; then, in input order, come a line for each file, one for each cut,
//! and after the cuts of each part of a file one with the part's size and hash:
//!
//! ```text
//! {"journal":1,"dehusk":"0.1.0","fold":1}
//! {"file":"a.txt"}
//! {"at":0,"record":1,"line":1,"reason":"rule","rule":"web-en/skip-links","text":"Skip to content\n"}
//! {"at":16,"record":1,"line":2,"reason":"score","score":0.964,"text":"Latest stories\n"}
//! {"at":51,"record":1,"line":4,"reason":"repeat","first":{"file":"a.txt","record":1,"line":3},"text":"…"}
//! {"at":93,"record":1,"line":5,"reason":"repeat","first":{"document":"https://example.org/1","line":3},"text":"…"}
//! {"bytes":5493,"blake3":"…"}
//! {"files":1}
//! ```
//!
//! `at` counts bytes of the original file. Bytes that are not UTF-8 are given as `hex` in place of `text`; where the file is in
//! another encoding, which its line then names, all are, and `text` says how they read.

use crate::error::{Error, Result};
use crate::score::Score;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{BufRead, Read, Write};
use std::path::Path;

/// The version of the journal's format.
pub(crate) const JOURNAL_VERSION: u32 = 1;

/// A line of a journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Line<'j> {
    Head(Head<'j>),
    File(FileLine<'j>),
    Cut(#[serde(borrow)] CutLine<'j>),
    Part(PartLine<'j>),
    End(EndLine),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head<'j> {
    pub(crate) journal: u32,
    pub(crate) dehusk: Cow<'j, str>,
    pub(crate) fold: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileLine<'j> {
    pub(crate) file: Cow<'j, str>,
    /// What the cleaned file is called, if otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cleaned: Option<Cow<'j, str>>,
    /// What the file was packed with: gzip, zstd, xz, bzip2 or lz4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) packed: Option<Cow<'j, str>>,
    /// How its text is encoded, if not as UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encoding: Option<Cow<'j, str>>,
    /// What the documents were written as, if not as they came, so that nothing can be put back: text or jsonl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) written: Option<Cow<'j, str>>,
    /// Whether nothing is left of the file, so that no output was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dropped: bool,
    /// Of a file of rows, as which bytes its rows are read: `at` and the parts' sizes and hashes are of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<RowsLine<'j>>,
}

/// The columns that rows are read with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowsLine<'j> {
    pub(crate) text: Cow<'j, str>,
    pub(crate) id: Cow<'j, str>,
    pub(crate) url: Cow<'j, str>,
    pub(crate) site: Cow<'j, str>,
    /// Whether the rows have all their columns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) whole: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CutLine<'j> {
    pub(crate) at: u64,
    pub(crate) record: u64,
    /// What names the document, where the record does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Cow<'j, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    pub(crate) reason: Cow<'j, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<Cow<'j, str>>,
    /// How much the line looks like chrome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<Score>,
    /// How many pages repeat it, of the site or of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pages: Option<u32>,
    /// Of how many of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<First<'j>>,
    /// What stands in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instead: Option<Cow<'j, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Cow<'j, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hex: Option<String>,
}

/// Where another copy stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum First<'j> {
    /// In the inputs.
    Here(Location<'j>),
    /// In another run's.
    Known(KnownLocation<'j>),
}

/// Where a block stands in a document that an index knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownLocation<'j> {
    /// The index, if it is one that was only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<Cow<'j, str>>,
    /// What the document is known by; empty where the index does not say.
    pub(crate) document: Cow<'j, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
}

impl First<'_> {
    /// `file:line`, `file:record:line`, or what the document is known by and the line.
    pub(crate) fn shown(&self, has_records: bool) -> String {
        let (document, index, line) = match self {
            First::Here(location) => return location.shown(has_records),
            First::Known(KnownLocation { index, document, line }) => (document, index, line),
        };
        let line = line.map_or(String::new(), |line| format!(":{line}"));
        match index {
            None => format!("{document}{line}"),
            Some(index) if document.is_empty() => format!("a block in {index}"),
            Some(index) => format!("{document}{line} in {index}"),
        }
    }
}

/// Where a block stands, as a person would look for it: all numbers count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Location<'j> {
    pub(crate) file: Cow<'j, str>,
    pub(crate) record: u64,
    pub(crate) line: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartLine<'j> {
    pub(crate) bytes: u64,
    pub(crate) blake3: Cow<'j, str>,
    /// Whether a group of rows ends here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ends_group: bool,
}

/// The last line, which tells a whole journal from one that was cut off.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndLine {
    /// How many files the journal is of.
    pub(crate) files: u64,
}

impl Line<'_> {
    /// Appends the line to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(&mut *out, self).expect("a journal's line has only strings, numbers and flags");
        out.push(b'\n');
    }
}

impl<'j> CutLine<'j> {
    /// With the bytes that were cut.
    pub(crate) fn with_bytes(mut self, bytes: &'j [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text = Some(text.into()),
            Err(_) => self.hex = Some(hex(bytes)),
        }
        self
    }

    /// With bytes of a text that is not UTF-8, and how they read.
    pub(crate) fn with_encoded(self, bytes: &[u8], shown: String) -> Self {
        CutLine { hex: Some(hex(bytes)), text: Some(shown.into()), ..self }
    }

    /// The bytes that were cut.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        match (self.text, self.hex) {
            (Some(text), None) => Some(text.into_owned().into_bytes()),
            (_, Some(hex)) => hex
                .as_bytes()
                .chunks(2)
                .map(|digits| {
                    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok().filter(|_| digits.len() == 2)
                })
                .collect(),
            _ => None,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Location<'_> {
    /// `file:line` for plain text, `file:record:line` for a file of many records.
    pub(crate) fn shown(&self, has_records: bool) -> String {
        let Location { file, record, line } = self;
        if has_records { format!("{file}:{record}:{line}") } else { format!("{file}:{line}") }
    }
}

/// Reads a journal line by line.
pub(crate) struct JournalReader<'p, R> {
    source: R,
    path: &'p Path,
    line_number: usize,
    buffer: String,
}

impl<'p, R: BufRead> JournalReader<'p, R> {
    /// Begins to read the journal at `path`, whose first line must say that it is one.
    pub(crate) fn open(source: R, path: &'p Path) -> Result<Self> {
        let mut reader = JournalReader { source, path, line_number: 0, buffer: String::new() };
        let head = match reader.next()? {
            Some(Line::Head(head)) => head.journal,
            _ => {
                return Err(Error::journal(path, 1, "not a journal of dehusk; give the file that --journal wrote"));
            }
        };
        if head != JOURNAL_VERSION {
            let what = format!("journal version {head} is not known; this dehusk reads version {JOURNAL_VERSION}");
            return Err(Error::journal(path, 1, what));
        }
        Ok(reader)
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.buffer.clear();
        self.line_number += 1;
        let n_read = self.source.read_line(&mut self.buffer).map_err(|source| Error::reading(self.path, source))?;
        if n_read == 0 {
            return Ok(None);
        }
        let line = serde_json::from_str(&self.buffer);
        line.map(Some).map_err(|_| {
            Error::journal(
                self.path,
                self.line_number,
                "not a line of a journal; restore from the journal as it was written",
            )
        })
    }

    /// An error at the line that was read last.
    pub(crate) fn complain(&self, what: impl Into<String>) -> Error {
        Error::journal(self.path, self.line_number, what)
    }
}

/// Copies exactly `n_bytes` from `source` to `target`, hashing them; says how many there were.
pub(crate) fn copy_hashed(
    source: &mut impl Read,
    n_bytes: u64,
    target: &mut impl Write,
    hasher: &mut blake3::Hasher,
) -> std::io::Result<u64> {
    let mut buffer = [0; 1 << 15];
    let mut left = n_bytes;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let n_read = match source.read(&mut buffer[..wanted]) {
            Ok(0) => break,
            Ok(n_read) => n_read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..n_read]);
        target.write_all(&buffer[..n_read])?;
        left -= n_read as u64;
    }
    Ok(n_bytes - left)
}
