//! The edits of a part: what goes from each record, as spans of the part's bytes, told to whoever wants to know.

use super::conversion::Conversion;
use super::outline::{Outline, OutlinedRecord, RecordKind};
use super::reading::Reading;
use super::templates::Learned;
use crate::config::{Config, OnBadRecord};
use crate::decide::{Copies, Decision, Reason, decide, join};
use crate::edit;
use crate::index::Mark;
use crate::text::Span;

/// Something that is cut out of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartCut {
    /// Bytes of the part.
    pub(crate) span: Span,
    pub(crate) why: Why,
    /// The block in the record that it was cut from, where it was.
    pub(crate) block: Option<u32>,
    /// What stands in its place, in the inserted bytes of the part's edits.
    pub(crate) instead: Span,
}

impl PartCut {
    fn new(span: Span, why: Why, block: Option<u32>) -> Self {
        PartCut { span, why, block, instead: Span::default() }
    }
}

/// The edits of a part.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    /// In the order of the bytes.
    pub(crate) cuts: Vec<PartCut>,
    /// What stands in the place of what was cut.
    pub(crate) inserted: Vec<u8>,
}

impl Edits {
    /// Appends what is left of the part.
    pub(crate) fn apply(&self, bytes: &[u8], out: &mut Vec<u8>) {
        edit::replace(bytes, self.cuts.iter().map(|cut| (cut.span, cut.instead.of(&self.inserted))), out);
    }
}

/// Why something is cut out of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Decided(Reason),
    /// The record has no text left, and such are dropped.
    Empty,
    /// The record could not be read, and such are skipped.
    Bad,
    /// The record's header said what its text was.
    Header,
}

/// A record with what is cut from it.
#[derive(Debug)]
pub(crate) struct EditedRecord<'e> {
    pub(crate) record_idx: usize,
    pub(crate) record: &'e OutlinedRecord,
    /// In the order of the bytes.
    pub(crate) cuts: &'e [PartCut],
    /// What the cuts' `instead` is of.
    pub(crate) inserted: &'e [u8],
    /// Whether the record is gone as a whole.
    pub(crate) is_dropped: bool,
}

impl EditedRecord<'_> {
    /// Whether the record is a copy of another document as a whole.
    pub(crate) fn is_copy(&self) -> bool {
        self.cuts.iter().any(|cut| matches!(cut.why, Why::Decided(Reason::Copy(_))))
    }
}

/// A part's bytes, and how they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartBytes<'p> {
    pub(crate) reading: Reading<'p>,
    pub(crate) bytes: &'p [u8],
    /// Where in the unpacked file they start.
    pub(crate) start: u64,
}

impl PartBytes<'_> {
    /// Whether the file starts with a record of the part, which starts at an offset.
    pub(crate) fn starts_file(&self, record_start: usize) -> bool {
        self.start == 0 && record_start == 0
    }

    /// Where a record starts that can go: a file of other records keeps its byte order mark.
    fn start_of(&self, record: Span) -> usize {
        let layout = self.reading.layout;
        match self.starts_file(record.start) && layout.is_splittable() && layout.may_be_encoded() {
            true => self.reading.mark_length(record.of(self.bytes)),
            false => record.start,
        }
    }
}

/// Decides on all records of a part; tells `tell` of each, and leaves all that is to be done in `edits`. `learned` is what
/// templates remove of the part, in the order of its blocks.
pub(crate) fn edit_part(
    config: &Config,
    source: PartBytes<'_>,
    copies: &impl Copies,
    learned: &[Learned],
    outline: &Outline,
    edits: &mut Edits,
    mut tell: impl FnMut(&EditedRecord<'_>),
) {
    let Edits { cuts, inserted } = edits;
    cuts.clear();
    inserted.clear();
    let trace = copies.trace();
    let mut reader = outline.reader();
    let mut record = OutlinedRecord::default();
    let mut decisions: Vec<Decision> = Vec::new();
    let mut learned = learned.iter().peekable();
    for record_idx in 0..outline.n_records {
        let blocks = trace.blocks_of(record_idx);
        reader.next(blocks.len(), &mut record);
        let own = std::iter::from_fn(|| learned.next_if(|learned| blocks.contains(&(learned.block as usize))));
        let own = own.map(|learned| (number(learned.block, blocks.start), Reason::Template(learned.template)));
        join(&mut record.chrome, 0, own);
        decisions.clear();
        decide(copies, record_idx, &record.chrome, &mut decisions);
        let first = cuts.len();
        cuts.extend(decisions.iter().map(|decision| {
            let span = decision.words.unwrap_or(record.blocks[decision.block as usize]);
            PartCut::new(span, Why::Decided(decision.reason), Some(decision.block))
        }));
        let is_dropped = match record.kind {
            RecordKind::Document => {
                config.drop_empty && is_empty(&decisions, blocks.clone().map(|block| trace.mark(block)))
            }
            RecordKind::Between => false,
            RecordKind::Bad => config.on_bad_record == OnBadRecord::Skip,
        };
        if is_dropped {
            let why = if record.kind == RecordKind::Bad { Why::Bad } else { Why::Empty };
            cut_rest(Span::new(source.start_of(record.span), record.span.end), why, first, cuts);
        } else if cuts.len() > first && Conversion::of(config, source.reading.layout).is_none() {
            amend(source, record.span, first, cuts, inserted);
        }
        tell(&EditedRecord { record_idx, record: &record, cuts: &cuts[first..], inserted, is_dropped });
    }
}

/// The number in its record of a block of the part.
fn number(block: u32, record_start: usize) -> u32 {
    block - u32::try_from(record_start).expect("blocks of a part are numbered with 32 bits")
}

/// Whether nothing that shows is left of a document.
fn is_empty(decisions: &[Decision], marks: impl Iterator<Item = Mark>) -> bool {
    let mut cut =
        decisions.iter().filter(|decision| decision.words.is_none()).map(|decision| decision.block).peekable();
    (0..).zip(marks).all(|(block, mark)| cut.next_if_eq(&block).is_some() || mark == Mark::BLANK)
}

/// Cuts what is left of a record between the cuts from number `first` on.
fn cut_rest(span: Span, why: Why, first: usize, cuts: &mut Vec<PartCut>) {
    let taken = cuts.split_off(first);
    let mut at = span.start;
    for cut in taken {
        if at < cut.span.start {
            cuts.push(PartCut::new(Span::new(at, cut.span.start), why, None));
        }
        at = cut.span.end;
        cuts.push(cut);
    }
    if at < span.end {
        cuts.push(PartCut::new(Span::new(at, span.end), why, None));
    }
}

/// Lets a record say what its text is now, given the cuts from number `first` on, which are of it.
fn amend(source: PartBytes<'_>, record: Span, first: usize, cuts: &mut Vec<PartCut>, inserted: &mut Vec<u8>) {
    let within = |span: Span| Span::new(span.start - record.start, span.end - record.start);
    let spans: Vec<Span> = cuts[first..].iter().map(|cut| within(cut.span)).collect();
    let amendments = source.reading.layout.amend(record.of(source.bytes), &spans);
    let amended = amendments.into_iter().map(|amendment| {
        let start = inserted.len();
        inserted.extend_from_slice(amendment.instead.as_bytes());
        let span = Span::new(record.start + amendment.span.start, record.start + amendment.span.end);
        PartCut { instead: Span::new(start, inserted.len()), ..PartCut::new(span, Why::Header, None) }
    });
    cuts.splice(first..first, amended);
}
