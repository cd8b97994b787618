//! The outline of a part: where its records, texts and blocks lie, and what rules remove, in a few bytes a block.
//!
//! With it and the trace, the rewrite cuts a part without parsing, unescaping, folding or scanning it again.
//!
//! ```text
//! record    head: bytes before the text << 2 | kind (document, between records, bad, document not all decoded)
//!           if a document: for each block its bytes << 2 | kind (stays, gone as chrome, words gone), the reason, or how many
//!           words and for each reason, start, length; then the bytes after the text
//! ```
//! All numbers are of variable length, seven bits to a byte.

use super::edits::PartBytes;
use crate::clean::{Document, Look, Looker, check_size};
use crate::decide::{Chrome, Reason, Template};
use crate::encoding::{Decoded, Offsets};
use crate::error::Result;
use crate::record::{Outcome, Spelled, Spelling};
use crate::rules::{RuleIdx, Rules};
use crate::score::Score;
use crate::text::Span;

/// What is remembered of the bytes of a part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    numbers: Vec<u8>,
    pub(crate) n_records: usize,
    pub(crate) bad: Vec<BadRecord>,
    pub(crate) n_bad: usize,
    /// The bytes that the outline covers.
    pub(crate) bytes: usize,
}

/// A record that could not be read.
#[derive(Clone, Debug)]
pub(crate) struct BadRecord {
    /// The record, by its number in the part.
    pub(crate) record_idx: usize,
    pub(crate) what: String,
}

/// So many bad records of a part are told one by one.
const TOLD_BAD_RECORDS: usize = 20;

const KIND_BITS: u32 = 2;
const DOCUMENT: usize = 0;
const BETWEEN: usize = 1;
const BAD: usize = 2;
const UNDECODED: usize = 3;
const REASON_BITS: u32 = 2;
const RULE: usize = 0;
const SCORE: usize = 1;
const TEMPLATE: usize = 2;
const RUNNING: usize = 3;
const STAYS: usize = 0;
const GONE: usize = 1;
const WORDS_GONE: usize = 2;

/// A record as the outline gives it back, in bytes of the part.
#[derive(Debug, Default)]
pub(crate) struct OutlinedRecord {
    pub(crate) span: Span,
    pub(crate) kind: RecordKind,
    /// Whether some bytes of it could not be decoded.
    pub(crate) has_undecoded: bool,
    pub(crate) text: Span,
    pub(crate) blocks: Vec<Span>,
    pub(crate) chrome: Vec<Chrome>,
}

/// What a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RecordKind {
    #[default]
    Document,
    Between,
    Bad,
}

/// Looks at parts; one for each thread.
#[derive(Debug)]
pub(crate) struct PartLooker {
    looker: Looker,
    decoded: Decoded,
    spelled: Spelled,
}

impl PartLooker {
    pub(crate) fn new(looker: Looker) -> Self {
        PartLooker { looker, decoded: Decoded::default(), spelled: Spelled::default() }
    }

    /// Looks at all records of a part. Fails only on a document with more lines than can be numbered. `look` then holds a document for each of them, an empty one where it is none.
    pub(crate) fn look(&mut self, rules: &Rules, source: PartBytes<'_>, look: &mut Look) -> Result<Outline> {
        look.clear();
        let PartBytes { reading, bytes, start } = source;
        let mut outline = Outline { bytes: bytes.len(), ..Outline::default() };
        let mut decoded = reading.decode(bytes, &mut self.decoded);
        let mut at = 0;
        // How many bytes of the file there are from the last offset asked for to that of `end` in the decoded text.
        let mut up_to = |offsets: &mut Offsets<'_>, end: usize| {
            let start = std::mem::replace(&mut at, offsets.byte(end));
            at - start
        };
        for record in reading.layout.records(decoded.text) {
            let record_idx = outline.n_records;
            outline.n_records += 1;
            match reading.layout.parse(record.of(decoded.text), source.starts_file(record.start)) {
                Outcome::Document(parsed) => {
                    let raw = Span::new(record.start + parsed.raw_text.start, record.start + parsed.raw_text.end);
                    let (text, spelling) = self.spelled.read(raw.of(decoded.text), parsed.escaping);
                    check_size(text)?;
                    let document =
                        Document { text, url: parsed.url.as_deref(), site: parsed.site.as_deref(), id: None };
                    self.looker.look(rules, &document, look);
                    let kind = if decoded.is_sound(raw, parsed.escaping) { DOCUMENT } else { UNDECODED };
                    outline.push(up_to(&mut decoded.offsets, raw.start) << KIND_BITS | kind);
                    let spelling = DecodedSpelling { spelling, start: raw.start, offsets: &mut decoded.offsets };
                    outline.push_blocks(self.looker.blocks(), look.chrome_of(record_idx), spelling);
                    up_to(&mut decoded.offsets, raw.end);
                    outline.push(up_to(&mut decoded.offsets, record.end));
                }
                Outcome::Blank => {
                    look.push_empty();
                    outline.push(up_to(&mut decoded.offsets, record.end) << KIND_BITS | BETWEEN);
                }
                Outcome::Bad(what) => {
                    look.push_empty();
                    outline.push(up_to(&mut decoded.offsets, record.end) << KIND_BITS | BAD);
                    outline.n_bad += 1;
                    if outline.bad.len() < TOLD_BAD_RECORDS {
                        // It has no line to be found by.
                        let has_offset = reading.layout.is_packed_by_record();
                        let what =
                            if has_offset { format!("at byte {}: {what}", start + record.start as u64) } else { what };
                        outline.bad.push(BadRecord { record_idx, what });
                    }
                }
            }
        }
        self.looker.finish(look);
        outline.numbers.shrink_to_fit();
        Ok(outline)
    }
}

impl Outline {
    /// Appends its bytes: all its numbers, before those of the records.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut head = Outline::default();
        [self.n_records, self.n_bad, self.bytes, self.bad.len()].into_iter().for_each(|number| head.push(number));
        for BadRecord { record_idx, what } in &self.bad {
            head.push(*record_idx);
            head.push(what.len());
            head.numbers.extend_from_slice(what.as_bytes());
        }
        out.append(&mut head.numbers);
        out.extend_from_slice(&self.numbers);
    }

    /// The outline that was written as these bytes.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut reader = OutlineReader { numbers: bytes, at: 0 };
        let [n_records, n_bad, n_bytes, n_told] = [(); 4].map(|()| reader.number());
        let bad = (0..n_told).map(|_| {
            let record_idx = reader.number();
            let length = reader.number();
            let (what, rest) = reader.numbers.split_at(length);
            reader.numbers = rest;
            BadRecord { record_idx, what: String::from_utf8_lossy(what).into_owned() }
        });
        let bad = bad.collect();
        Outline { numbers: reader.numbers.to_vec(), n_records, bad, n_bad, bytes: n_bytes }
    }

    /// Its records, one after the other.
    pub(crate) fn reader(&self) -> OutlineReader<'_> {
        OutlineReader { numbers: &self.numbers, at: 0 }
    }

    fn push(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.numbers.push(0x80 | low_bits(number));
            number >>= 7;
        }
        self.numbers.push(low_bits(number));
    }

    fn push_reason(&mut self, reason: Reason) {
        match reason {
            Reason::Rule(rule) => self.push(usize::from(rule.0) << REASON_BITS | RULE),
            Reason::Score(score) => self.push(usize::from(score.thousandths()) << REASON_BITS | SCORE),
            Reason::Template(Template { documents, of }) => {
                self.push((documents as usize) << REASON_BITS | TEMPLATE);
                self.push(of as usize);
            }
            Reason::Running(pages) => self.push((pages as usize) << REASON_BITS | RUNNING),
            Reason::Repeat(_) | Reason::Copy(_) | Reason::Gap => unreachable!("{NOT_OF_THE_DOCUMENT}"),
        }
    }

    fn push_blocks(&mut self, blocks: &[Span], mut chrome: &[Chrome], mut spelling: DecodedSpelling<'_, '_>) {
        let mut raw_start = spelling.raw_offset(0);
        for (block_idx, block) in blocks.iter().enumerate() {
            let n_chrome = chrome.iter().take_while(|chrome| chrome.block as usize == block_idx).count();
            let (of_block, rest) = chrome.split_at(n_chrome);
            chrome = rest;
            // Words are asked for in ascending order, before the block's end.
            let words: Vec<(Reason, Span)> = of_block
                .iter()
                .filter_map(|chrome| {
                    let words = chrome.words?;
                    let start = spelling.raw_offset(words.start);
                    Some((chrome.reason, Span::new(start, spelling.raw_offset(words.end))))
                })
                .collect();
            let raw_end = spelling.raw_offset(block.end);
            let length = raw_end - raw_start;
            match of_block.iter().find(|chrome| chrome.words.is_none()) {
                Some(chrome) => {
                    self.push(length << KIND_BITS | GONE);
                    self.push_reason(chrome.reason);
                }
                None if words.is_empty() => self.push(length << KIND_BITS | STAYS),
                None => {
                    self.push(length << KIND_BITS | WORDS_GONE);
                    self.push(words.len());
                    for (reason, span) in words {
                        self.push_reason(reason);
                        self.push(span.start - raw_start);
                        self.push(span.len());
                    }
                }
            }
            raw_start = raw_end;
        }
    }
}

/// The way from offsets in a text to offsets in the bytes of the part, in ascending order.
struct DecodedSpelling<'s, 'd> {
    spelling: Spelling<'s>,
    /// Where in the decoded part it starts.
    start: usize,
    offsets: &'s mut Offsets<'d>,
}

impl DecodedSpelling<'_, '_> {
    fn raw_offset(&mut self, offset: usize) -> usize {
        self.offsets.byte(self.start + self.spelling.raw_offset(offset))
    }
}

/// The reasons that lie in a document itself; the others are found when the whole scope is known.
const NOT_OF_THE_DOCUMENT: &str = "what a document shows by itself is no repeat and no gap";

fn low_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits fit a byte")
}

/// Reads an outline back.
#[derive(Debug)]
pub(crate) struct OutlineReader<'o> {
    numbers: &'o [u8],
    /// Where in the part the next record starts.
    at: usize,
}

impl OutlineReader<'_> {
    /// Reads the next record into `record`, given how many blocks its text has.
    pub(crate) fn next(&mut self, n_blocks: usize, record: &mut OutlinedRecord) {
        record.blocks.clear();
        record.chrome.clear();
        let start = self.at;
        let head = self.number();
        self.at += head >> KIND_BITS;
        record.kind = match head & ((1 << KIND_BITS) - 1) {
            DOCUMENT | UNDECODED => RecordKind::Document,
            BETWEEN => RecordKind::Between,
            _ => RecordKind::Bad,
        };
        record.has_undecoded = head & ((1 << KIND_BITS) - 1) == UNDECODED;
        record.text = Span::new(self.at, self.at);
        if record.kind == RecordKind::Document {
            for block in (0..).take(n_blocks) {
                self.next_block(block, record);
            }
            record.text.end = self.at;
            self.at += self.number();
        }
        record.span = Span::new(start, self.at);
    }

    fn next_block(&mut self, block: u32, record: &mut OutlinedRecord) {
        let number = self.number();
        let span = Span::new(self.at, self.at + (number >> KIND_BITS));
        match number & ((1 << KIND_BITS) - 1) {
            STAYS => {}
            GONE => {
                let reason = self.reason();
                record.chrome.push(Chrome { block, words: None, reason });
            }
            _ => {
                for _ in 0..self.number() {
                    let reason = self.reason();
                    let start = span.start + self.number();
                    let words = Span::new(start, start + self.number());
                    record.chrome.push(Chrome { block, words: Some(words), reason });
                }
            }
        }
        record.blocks.push(span);
        self.at = span.end;
    }

    fn reason(&mut self) -> Reason {
        let number = self.number();
        let half = number >> REASON_BITS;
        let fits = "it was written from such a number";
        match number & ((1 << REASON_BITS) - 1) {
            RULE => Reason::Rule(RuleIdx(u16::try_from(half).expect(fits))),
            SCORE => Reason::Score(Score::from_thousandths(u16::try_from(half).expect(fits))),
            TEMPLATE => {
                let documents = u32::try_from(half).expect(fits);
                Reason::Template(Template { documents, of: u32::try_from(self.number()).expect(fits) })
            }
            _ => Reason::Running(u32::try_from(half).expect(fits)),
        }
    }

    fn number(&mut self) -> usize {
        let mut number = 0;
        let mut shift = 0;
        while let Some((&byte, rest)) = self.numbers.split_first() {
            self.numbers = rest;
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        number
    }
}
