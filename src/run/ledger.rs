//! The lines that a run writes into its journal.

use super::edits::{EditedRecord, PartBytes, PartCut, Why};
use super::output::Unfinished;
use crate::config::Config;
use crate::decide::Reason;
use crate::error::{Error, Result};
use crate::index::Place;
use crate::journal::{CutLine, EndLine, First, Head, JOURNAL_VERSION, Line};
use crate::rules::Rules;
use crate::store::Address;
use crate::text::FOLD_VERSION;
use std::borrow::Cow;
use std::io::Write;

/// Begins the journal that the configuration asks for.
pub(super) fn begin_journal(config: &Config) -> Result<Option<Unfinished>> {
    let Some(path) = config.journal.as_ref().filter(|_| !config.dry_run) else {
        return Ok(None);
    };
    let mut journal = Unfinished::create(&Address::local(path), config.may_replace())?;
    let mut head = Vec::new();
    let version = env!("CARGO_PKG_VERSION").into();
    Line::Head(Head { journal: JOURNAL_VERSION, dehusk: version, fold: FOLD_VERSION }).write(&mut head);
    journal.write_all(&head).map_err(|source| Error::writing(path, source))?;
    Ok(Some(journal))
}

/// Writes the last line of a journal of so many files, and puts it under its name.
pub(super) fn end_journal(config: &Config, mut journal: Unfinished, n_files: u64) -> Result<()> {
    let path = config.journal.as_deref().unwrap_or("journal".as_ref());
    let mut end = Vec::new();
    Line::End(EndLine { files: n_files }).write(&mut end);
    journal.write_all(&end).map_err(|source| Error::writing(path, source))?;
    journal.finish()
}

/// The bytes that cuts are of.
pub(super) struct CutSource<'c> {
    pub(super) rules: &'c Rules,
    pub(super) source: PartBytes<'c>,
}

impl<'c> CutSource<'c> {
    /// Appends a line for each cut of a record, whose number counts from 1.
    pub(super) fn write(
        &self,
        record: u64,
        edited: &EditedRecord<'_>,
        locate: impl Fn(Place) -> First<'c>,
        lines: &mut Vec<u8>,
    ) {
        if edited.cuts.is_empty() {
            return;
        }
        let PartBytes { reading, bytes, start } = self.source;
        let record_span = edited.record.span;
        let id = reading.id(record_span.of(bytes), self.source.starts_file(record_span.start));
        for cut in edited.cuts {
            let mut line = self.line(record, start + cut.span.start as u64, cut, &locate);
            line.id = id.as_deref().map(Cow::Borrowed);
            let instead = cut.instead.of(edited.inserted);
            line.instead = (!instead.is_empty()).then(|| String::from_utf8_lossy(instead));
            let cut = cut.span.of(bytes);
            let line = match reading.encoding {
                None => line.with_bytes(cut),
                Some(encoding) => line.with_encoded(cut, encoding.shown(cut)),
            };
            Line::Cut(line).write(lines);
        }
    }

    /// The line for a cut at a byte of the file, without the bytes.
    fn line(&self, record: u64, at: u64, cut: &PartCut, locate: &impl Fn(Place) -> First<'c>) -> CutLine<'c> {
        let (mut rule, mut first, mut score, mut pages, mut of) = (None, None, None, None, None);
        let reason = match cut.why {
            Why::Decided(reason) => {
                match reason {
                    Reason::Rule(hit) => rule = Some(self.rules.id(hit).into()),
                    Reason::Score(figure) => score = Some(figure),
                    // None are told of one that was learned in another run.
                    Reason::Template(template) if template.of == 0 => {}
                    Reason::Template(template) => (pages, of) = (Some(template.documents), Some(template.of)),
                    Reason::Running(documents) => pages = Some(documents),
                    Reason::Repeat(place) | Reason::Copy(place) => first = Some(locate(place)),
                    Reason::Gap => {}
                }
                reason.name()
            }
            Why::Empty => "empty",
            Why::Bad => "bad-record",
            Why::Header => "header",
        };
        CutLine {
            at,
            record,
            id: None,
            line: cut.block.map(|block| u64::from(block) + 1),
            reason: reason.into(),
            rule,
            score,
            pages,
            of,
            first,
            instead: None,
            text: None,
            hex: None,
        }
    }
}
