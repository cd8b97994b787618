//! Records: where the documents lie in the bytes of a file, and how they are spelled there.
//!
//! A format says which bytes spell a document's text, and keeps its hands off all others. What is removed is cut from the
//! bytes of the file itself, so everything that stays keeps its spelling.

mod jsonl;

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
}

/// Where the text of a record is, in the bytes of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed<'r> {
    /// The bytes that spell the text.
    pub(crate) raw_text: Span,
    /// Whether they may have JSON's escapes.
    pub(crate) is_escaped: bool,
    /// What names the document.
    pub(crate) id: Option<Cow<'r, str>>,
    pub(crate) url: Option<Cow<'r, str>>,
    pub(crate) site: Option<Cow<'r, str>>,
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

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

    /// Whether a text may be spelled with JSON's escapes.
    pub(crate) fn is_escaped(&self) -> bool {
        matches!(self, Layout::Jsonl(_))
    }

    /// Whether its documents may have a site.
    pub(crate) fn has_sites(&self) -> bool {
        matches!(self, Layout::Jsonl(_))
    }

    /// The byte that ends a record, where one does.
    pub(crate) fn terminator(&self) -> Option<u8> {
        match self {
            Layout::Whole => None,
            Layout::Lines | Layout::Jsonl(_) => Some(b'\n'),
            Layout::Nul => Some(0),
        }
    }

    /// Cuts bytes into records, each with its terminator. Empty bytes are one empty document where the whole is one.
    pub(crate) fn records<'b>(&self, bytes: &'b [u8]) -> Box<dyn Iterator<Item = Span> + 'b> {
        let Some(terminator) = self.terminator() else {
            return Box::new(std::iter::once(Span::new(0, bytes.len())));
        };
        let mut start = 0;
        let mut ends = memchr::memchr_iter(terminator, bytes).map(|at| at + 1);
        Box::new(std::iter::from_fn(move || {
            let end = ends.next().unwrap_or(bytes.len());
            let record = Span::new(start, end);
            start = end;
            (!record.is_empty()).then_some(record)
        }))
    }

    /// Finds the text of a record. `at_start` says whether the record starts its file.
    pub(crate) fn parse<'r>(&self, record: &'r [u8], at_start: bool) -> Outcome<'r> {
        let mark = if at_start && record.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        match self {
            Layout::Jsonl(fields) => jsonl::parse(record, mark, fields),
            Layout::Whole => Outcome::Document(plain(mark, record.len())),
            Layout::Lines => Outcome::Document(plain(mark, mark + crate::text::content(&record[mark..]).len())),
            Layout::Nul => Outcome::Document(plain(mark, record.strip_suffix(b"\0").unwrap_or(record).len().max(mark))),
        }
    }

    /// What names a record's document, where its format has names.
    pub(crate) fn id<'r>(&self, record: &'r [u8]) -> Option<Cow<'r, str>> {
        match self {
            Layout::Jsonl(_) => match self.parse(record, true) {
                Outcome::Document(parsed) => parsed.id,
                Outcome::Blank | Outcome::Bad(_) => None,
            },
            Layout::Whole | Layout::Lines | Layout::Nul => None,
        }
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
    pub(crate) fn read<'t>(&'t mut self, raw: &'t [u8], is_escaped: bool) -> (&'t [u8], Spelling<'t>) {
        self.text.clear();
        self.escapes.clear();
        if is_escaped && memchr::memchr(b'\\', raw).is_some() {
            jsonl::unescape(raw, &mut self.text, &mut self.escapes);
            (&self.text, Spelling { escapes: &self.escapes, text_end: 0, raw_end: 0 })
        } else {
            (raw, Spelling { escapes: &[], text_end: 0, raw_end: 0 })
        }
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
