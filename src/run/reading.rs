//! The reading of a file: how its bytes are text, and how that text is records.

use crate::encoding::{Decoded, Encoding, Offsets};
use crate::record::{BYTE_ORDER_MARK, Escaping, Layout, Outcome, Spelled};
use crate::text::Span;
use std::borrow::Cow;

/// How a file is read. All spans and offsets are of its bytes, as they stand in the unpacked file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'r> {
    pub(crate) layout: &'r Layout,
    /// How the text is encoded; nothing if it is UTF-8.
    pub(crate) encoding: Option<Encoding>,
}

impl<'r> Reading<'r> {
    /// The text of bytes that start with a record, decoded with `decoded` if need be.
    pub(crate) fn decode<'b>(&self, bytes: &'b [u8], decoded: &'b mut Decoded) -> DecodedText<'b> {
        match self.encoding {
            None => DecodedText { text: bytes, offsets: Offsets::default(), decoded: None },
            Some(encoding) => {
                decoded.read(bytes, encoding);
                let decoded: &Decoded = decoded;
                DecodedText { text: decoded.text().as_bytes(), offsets: decoded.offsets(), decoded: Some(decoded) }
            }
        }
    }

    /// Where the last record ends that is whole, in bytes that start with a record and go on; the first `searched` of them
    /// are known to hold no end.
    pub(crate) fn last_end(&self, bytes: &[u8], searched: usize) -> Option<usize> {
        match (self.encoding, self.layout.terminator()) {
            (None, _) => self.layout.last_end(bytes, searched),
            (Some(encoding), Some(terminator)) => encoding.last_end_of(terminator, bytes, searched),
            (Some(_), None) if !self.layout.is_splittable() => None,
            (Some(_), None) => {
                let mut decoded = Decoded::default();
                let DecodedText { text, mut offsets, .. } = self.decode(bytes, &mut decoded);
                self.layout.last_end(text, 0).map(|end| offsets.byte(end))
            }
        }
    }

    /// Cuts bytes into records.
    pub(crate) fn records<'b>(&'b self, bytes: &'b [u8]) -> Box<dyn Iterator<Item = Span> + 'b> {
        let Some(encoding) = self.encoding.filter(|_| self.layout.is_splittable()) else {
            return self.layout.records(bytes);
        };
        let ends: Box<dyn Iterator<Item = usize>> = match self.layout.terminator() {
            Some(terminator) => encoding.ends_of(terminator, bytes),
            None => {
                let mut decoded = Decoded::default();
                let DecodedText { text, mut offsets, .. } = self.decode(bytes, &mut decoded);
                let ends: Vec<usize> = self.layout.records(text).map(|record| offsets.byte(record.end)).collect();
                Box::new(ends.into_iter())
            }
        };
        let mut start = 0;
        let last = std::iter::once(bytes.len());
        Box::new(ends.chain(last).filter_map(move |end| {
            let record = Span::new(start, end);
            start = end;
            (!record.is_empty()).then_some(record)
        }))
    }

    /// How long the byte order mark is that a file starts with.
    pub(crate) fn mark_length(&self, start: &[u8]) -> usize {
        match self.encoding {
            None if start.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len(),
            Some(Encoding::Utf16Le) if start.starts_with(b"\xff\xfe") => 2,
            Some(Encoding::Utf16Be) if start.starts_with(b"\xfe\xff") => 2,
            _ => 0,
        }
    }

    /// What some bytes of a document's text say to who reads them.
    pub(crate) fn text(&self, bytes: &[u8]) -> Vec<u8> {
        let mut spelled = Spelled::default();
        spelled.read(&self.shown(bytes), self.layout.escaping()).0.to_vec()
    }

    /// What names a record's document, where its format has names. `at_start` says whether the record starts its file.
    pub(crate) fn id(&self, record: &[u8], at_start: bool) -> Option<String> {
        if !self.layout.has_sites() {
            return None;
        }
        match self.layout.parse(&self.shown(record), at_start) {
            Outcome::Document(parsed) => parsed.id.map(Cow::into_owned),
            Outcome::Blank | Outcome::Bad(_) => None,
        }
    }

    /// Bytes of the text as they read, still escaped.
    pub(crate) fn shown<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        match self.encoding {
            None => bytes.into(),
            Some(encoding) => encoding.shown(bytes).into_bytes().into(),
        }
    }
}

/// A text that starts with a record, and the way back from it to the bytes of the file.
pub(crate) struct DecodedText<'b> {
    pub(crate) text: &'b [u8],
    pub(crate) offsets: Offsets<'b>,
    decoded: Option<&'b Decoded>,
}

impl DecodedText<'_> {
    /// Whether all bytes of a document's text are of the encoding that they should be of.
    pub(crate) fn is_sound(&self, raw_text: Span, escaping: Escaping) -> bool {
        match self.decoded {
            Some(decoded) => decoded.is_sound(raw_text),
            // What is JSON is UTF-8.
            None => escaping == Escaping::Json || std::str::from_utf8(raw_text.of(self.text)).is_ok(),
        }
    }
}
