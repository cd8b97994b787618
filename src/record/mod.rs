//! Records: where the documents lie in the bytes of a file, and how they are spelled there.
//!
//! A format says which bytes spell a document's text, and keeps its hands off all others. What is removed is cut from the
//! bytes of the file itself, so everything that stays keeps its spelling.

mod csv;
mod jsonl;
mod object;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
#[cfg(feature = "warc")]
mod warc;

pub(crate) use csv::Table;
pub(crate) use jsonl::Fields;

use crate::config::Framing;
use crate::text::Span;
use std::borrow::Cow;

/// How a file's bytes are records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The whole file is one document.
    Whole,
    /// Each line is a document.
    Lines,
    /// Each run of bytes up to a zero byte is a document.
    Nul,
    /// Each line is a JSON object; a blank line is no record.
    Jsonl(Fields),
    /// Rows of fields, behind one that names them.
    Csv(Table),
    /// Headers that say how long what follows is; those of kind `conversion` are documents.
    #[cfg(feature = "warc")]
    Warc,
    /// Rows in groups, each row as bytes.
    #[cfg(feature = "parquet")]
    Parquet(parquet::Columns),
}

/// Bytes of a record that must be others when something is cut from its text, since they say what the text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amendment {
    pub(crate) span: Span,
    pub(crate) instead: String,
}

/// Where the text of a record is, in the bytes of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed<'r> {
    /// The bytes that spell the text.
    pub(crate) raw_text: Span,
    /// How they spell what is no plain character of a text.
    pub(crate) escaping: Escaping,
    /// What names the document.
    pub(crate) id: Option<Cow<'r, str>>,
    pub(crate) url: Option<Cow<'r, str>>,
    pub(crate) site: Option<Cow<'r, str>>,
}

/// How some characters of a text are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// As themselves.
    #[default]
    None,
    /// With JSON's escapes.
    Json,
    /// Quotes are doubled.
    Quotes,
}

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'r> {
    Document(Parsed<'r>),
    /// Only white space, between records.
    Blank,
    /// What is wrong with it.
    Bad(String),
}

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Layout {
    /// How plain text is framed.
    pub(crate) fn of_text(framing: Framing) -> Self {
        match framing {
            Framing::None => Layout::Whole,
            Framing::Lines => Layout::Lines,
            Framing::Nul => Layout::Nul,
        }
    }

    /// Whether a file can be cut after any record and its parts be worked on separately.
    pub(crate) fn is_splittable(&self) -> bool {
        *self != Layout::Whole
    }

    /// How texts may be spelled.
    pub(crate) fn escaping(&self) -> Escaping {
        match self {
            Layout::Jsonl(_) => Escaping::Json,
            Layout::Csv(_) => Escaping::Quotes,
            _ => Escaping::None,
        }
    }

    /// Whether its text may be in any encoding: WARC says itself what its text is.
    pub(crate) fn may_be_encoded(&self) -> bool {
        match self {
            Layout::Whole | Layout::Lines | Layout::Nul | Layout::Jsonl(_) | Layout::Csv(_) => true,
            #[cfg(feature = "warc")]
            Layout::Warc => false,
            #[cfg(feature = "parquet")]
            Layout::Parquet(_) => false,
        }
    }

    /// Whether its documents may have a site.
    pub(crate) fn has_sites(&self) -> bool {
        !matches!(self, Layout::Whole | Layout::Lines | Layout::Nul)
    }

    /// The byte that ends a record, where one does.
    pub(crate) fn terminator(&self) -> Option<u8> {
        match self {
            Layout::Lines | Layout::Jsonl(_) => Some(b'\n'),
            Layout::Nul => Some(0),
            Layout::Whole | Layout::Csv(_) => None,
            #[cfg(feature = "warc")]
            Layout::Warc => None,
            #[cfg(feature = "parquet")]
            Layout::Parquet(_) => None,
        }
    }

    /// Where the last record ends that is whole, in bytes that start with a record and go on; the first `searched` of them
    /// are known to hold no end.
    pub(crate) fn last_end(&self, bytes: &[u8], searched: usize) -> Option<usize> {
        if let Some(terminator) = self.terminator() {
            return memchr::memrchr(terminator, &bytes[searched..]).map(|at| searched + at + 1);
        }
        let mut end = 0;
        while let Some(length) = self.record_end(&bytes[end..], false) {
            end += length;
        }
        (end > 0).then_some(end)
    }

    /// Where the record ends that bytes start with; nothing if there are none, or more must be seen.
    fn record_end(&self, bytes: &[u8], is_all: bool) -> Option<usize> {
        let end = match self {
            Layout::Csv(table) => table.row_end(bytes),
            #[cfg(feature = "warc")]
            Layout::Warc => warc::record_end(bytes, is_all),
            #[cfg(feature = "parquet")]
            Layout::Parquet(_) => parquet::record_end(bytes),
            _ => None,
        };
        end.or(is_all.then_some(bytes.len())).filter(|end| *end > 0)
    }

    /// Cuts bytes into records, each with its terminator. Empty bytes are one empty document where the whole is one.
    pub(crate) fn records<'b>(&'b self, bytes: &'b [u8]) -> Box<dyn Iterator<Item = Span> + 'b> {
        let mut start = 0;
        if let Some(terminator) = self.terminator() {
            let mut ends = memchr::memchr_iter(terminator, bytes).map(|at| at + 1);
            return Box::new(std::iter::from_fn(move || {
                let end = ends.next().unwrap_or(bytes.len());
                let record = Span::new(start, end);
                start = end;
                (!record.is_empty()).then_some(record)
            }));
        }
        if *self == Layout::Whole {
            return Box::new(std::iter::once(Span::new(0, bytes.len())));
        }
        Box::new(std::iter::from_fn(move || {
            let length = self.record_end(&bytes[start..], true)?;
            let record = Span::new(start, start + length);
            start = record.end;
            Some(record)
        }))
    }

    /// Finds the text of a record. `at_start` says whether the record starts its file.
    pub(crate) fn parse<'r>(&self, record: &'r [u8], at_start: bool) -> Outcome<'r> {
        let mark = if at_start && record.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        match self {
            Layout::Jsonl(fields) => jsonl::parse(record, mark, fields),
            Layout::Csv(table) => table.parse(record, at_start),
            #[cfg(feature = "warc")]
            Layout::Warc => warc::parse(record),
            #[cfg(feature = "parquet")]
            Layout::Parquet(_) => parquet::parse(record),
            Layout::Whole => Outcome::Document(plain(mark, record.len())),
            Layout::Lines => Outcome::Document(plain(mark, mark + crate::text::content(&record[mark..]).len())),
            Layout::Nul => Outcome::Document(plain(mark, record.strip_suffix(b"\0").unwrap_or(record).len().max(mark))),
        }
    }

    /// What else of a record must change when `cuts` are gone from its text, in the order of the bytes, before all cuts.
    pub(crate) fn amend(&self, record: &[u8], cuts: &[Span]) -> Vec<Amendment> {
        match self {
            #[cfg(feature = "warc")]
            Layout::Warc => warc::amend(record, cuts),
            _ => {
                let _ = (record, cuts);
                Vec::new()
            }
        }
    }

    /// Whether what is written must be a file of its own.
    pub(crate) fn needs_file(&self) -> bool {
        #[cfg(feature = "parquet")]
        return matches!(self, Layout::Parquet(_));
        #[cfg(not(feature = "parquet"))]
        false
    }

    /// How many groups its records are in, each of which is a part or several.
    pub(crate) fn n_groups(&self) -> usize {
        match self {
            #[cfg(feature = "parquet")]
            Layout::Parquet(columns) => columns.n_groups,
            _ => 0,
        }
    }

    /// Appends what the writer of the format must know of the part whose records are in `out`.
    pub(crate) fn end_part(&self, is_edited: bool, ends_group: bool, out: &mut Vec<u8>) {
        match self {
            #[cfg(feature = "parquet")]
            Layout::Parquet(_) => parquet::end_part(is_edited, ends_group, out),
            _ => {
                let _ = (is_edited, ends_group, out);
            }
        }
    }

    /// Whether each record is packed by itself, so that readers can go to one.
    pub(crate) fn is_packed_by_record(&self) -> bool {
        #[cfg(feature = "warc")]
        return *self == Layout::Warc;
        #[cfg(not(feature = "warc"))]
        false
    }
}

fn plain(start: usize, end: usize) -> Parsed<'static> {
    Parsed { raw_text: Span::new(start, end), ..Parsed::default() }
}

/// The text that a record spells, with the way back from the text to the spelling.
#[derive(Debug, Default)]
pub(crate) struct Spelled {
    text: Vec<u8>,
    /// For each escape: where the text, and where the spelling, goes on after it.
    escapes: Vec<(usize, usize)>,
}

impl Spelled {
    /// Reads the text that `raw` spells: `raw` itself if it has no escapes.
    pub(crate) fn read<'t>(&'t mut self, raw: &'t [u8], escaping: Escaping) -> (&'t [u8], Spelling<'t>) {
        self.text.clear();
        self.escapes.clear();
        let has = |byte| memchr::memchr(byte, raw).is_some();
        match escaping {
            Escaping::Json if has(b'\\') => jsonl::unescape(raw, &mut self.text, &mut self.escapes),
            Escaping::Quotes if has(b'"') => csv::unescape(raw, &mut self.text, &mut self.escapes),
            _ => return (raw, Spelling { escapes: &[], text_end: 0, raw_end: 0 }),
        }
        (&self.text, Spelling { escapes: &self.escapes, text_end: 0, raw_end: 0 })
    }
}

/// The way from offsets in a text to offsets in its spelling, for offsets in ascending order.
#[derive(Clone, Debug)]
pub(crate) struct Spelling<'t> {
    escapes: &'t [(usize, usize)],
    text_end: usize,
    raw_end: usize,
}

impl Spelling<'_> {
    /// Where in the spelling the character at `offset` of the text begins. Not smaller than the offset asked for before.
    pub(crate) fn raw_offset(&mut self, offset: usize) -> usize {
        while let Some((&(text_end, raw_end), rest)) = self.escapes.split_first()
            && text_end <= offset
        {
            (self.text_end, self.raw_end) = (text_end, raw_end);
            self.escapes = rest;
        }
        self.raw_end + (offset - self.text_end)
    }
}
