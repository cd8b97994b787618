//! Explaining one file: each block, with what becomes of it and why.

use super::edits::{EditedRecord, Edits, PartBytes, Why, edit_part};
use super::indexes::Indexes;
use super::outline::PartLooker;
use super::plan::{Destination, Plan};
use super::rewrite::{Locator, tell_why};
use super::source::{Part, Source};
use super::survey::SurveyedPart;
use super::{Inputs, Run};
use crate::clean::{Alone, Look, Looker};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::score::{Score, ScoreScratch, Scorer};
use crate::store::canonical;
use crate::text::{Fold, Span, fold};
use std::path::Path;

/// A block, with what becomes of it.
#[derive(Debug)]
pub struct Explained<'e> {
    /// The record that the block belongs to, from 1.
    pub record: u64,
    /// The block in its record, from 1.
    pub line: u64,
    /// How much it looks like chrome, if the level asks for scores and the page is long enough to have any.
    pub score: Option<Score>,
    /// The block in pieces, in order: the text as it reads, not as the file spells it.
    pub pieces: &'e [Piece],
}

/// A piece of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: Vec<u8>,
    /// Why it goes; nothing if it stays.
    pub reason: Option<String>,
}

pub(super) fn explain(run: &Run<'_>, inputs: Inputs, file: &Path, tell: &mut dyn FnMut(&Explained<'_>)) -> Result<()> {
    // Without other inputs the file is compared with itself alone.
    let inputs = if inputs.paths().is_empty() { Inputs::from(&[file.to_owned()]) } else { inputs };
    let config = Config { journal: None, ..run.config.clone() };
    let plan = Plan::make(&run.store, &config, &inputs, Destination::Stream)?;
    let wanted = canonical(file).map_err(|source| Error::reading(file, source))?;
    let is_wanted = |path: &Path| canonical(path).is_ok_and(|path| path == wanted);
    let indexes = Indexes::open(&config, false)?;
    run.with_survey(plan, indexes.as_ref(), |rewrite| {
        let Some(file_idx) = rewrite.plan.files.iter().position(|planned| is_wanted(planned.input.path())) else {
            if let Some(error) = rewrite.plan.failed.first() {
                return Err(Error::usage(error.to_string()));
            }
            return Err(Error::usage(format!(
                "{}: not among the inputs; name it, or a folder that it is in",
                file.display()
            )));
        };
        let planned = &rewrite.plan.files[file_idx];
        let mut source = Source::open(planned, &config)?;
        let mut bytes = Vec::new();
        loop {
            let part = Part { file_idx, ..source.next(&mut bytes)? };
            let bytes = planned.bytes_of(&part, &bytes);
            let mut tell = |edited: &EditedRecord<'_>, locator: &Locator<'_>| {
                let why = |why| tell_why(rewrite.rules, why, locator);
                let scorer = run.scorer.as_deref();
                tell_record(bytes, scorer, part.records_before, edited, &why, tell);
            };
            match rewrite.survey {
                Some(survey) => {
                    let SurveyedPart { copies, outline, learned } = survey.part(planned, &part, bytes.bytes)?;
                    let locator = Locator::of_survey(rewrite, survey);
                    edit_part(&config, bytes, &copies, &learned, &outline, &mut Edits::default(), |edited| {
                        tell(edited, &locator)
                    });
                    survey.check()?;
                }
                None => {
                    let mut looker = PartLooker::new(Looker::new(&config, run.scorer.as_ref()));
                    let mut look = Look::default();
                    let outline = looker.look(rewrite.rules, bytes, &mut look)?;
                    let alone = Alone::of(&look)?;
                    let origin = part.origin();
                    let locator = Locator::of_part(rewrite.plan, &origin, &alone.traces);
                    let copies = alone.copies(config.keep);
                    edit_part(&config, bytes, &copies, &[], &outline, &mut Edits::default(), |edited| {
                        tell(edited, &locator)
                    });
                }
            }
            if part.is_last {
                return Ok(());
            }
        }
    })
}

fn tell_record(
    source: PartBytes<'_>,
    scorer: Option<&Scorer>,
    records_before: u64,
    edited: &EditedRecord<'_>,
    tell_why: &dyn Fn(Why) -> String,
    tell: &mut dyn FnMut(&Explained<'_>),
) {
    let mut cuts = edited.cuts.iter().peekable();
    let read = |span: Span| source.reading.text(span.of(source.bytes));
    let texts: Vec<Vec<u8>> = edited.record.blocks.iter().map(|block| read(*block)).collect();
    let scores = scorer.map(|scorer| scores(scorer, &texts)).unwrap_or_default();
    for (line_idx, block) in edited.record.blocks.iter().enumerate() {
        let line = line_idx as u64 + 1;
        let mut pieces = Vec::new();
        let mut at = block.start;
        // A cut may take in several blocks, and what of the record is no text.
        while let Some(cut) = cuts.peek().filter(|cut| cut.span.start < block.end) {
            let gone = Span::new(cut.span.start.max(at), cut.span.end.min(block.end).max(at));
            if at < gone.start {
                pieces.push(Piece { text: read(Span::new(at, gone.start)), reason: None });
            }
            if !gone.is_empty() {
                pieces.push(Piece { text: read(gone), reason: Some(tell_why(cut.why)) });
                at = gone.end;
            }
            if cut.span.end > block.end {
                break;
            }
            cuts.next();
        }
        if at < block.end {
            pieces.push(Piece { text: read(Span::new(at, block.end)), reason: None });
        }
        let score = scores.get(line_idx).copied().flatten();
        tell(&Explained { record: records_before + edited.record_idx as u64 + 1, line, score, pieces: &pieces });
    }
}

/// The scores of blocks; none for blank ones.
fn scores(scorer: &Scorer, blocks: &[Vec<u8>]) -> Vec<Option<Score>> {
    let mut scratch = ScoreScratch::default();
    let mut folded = Vec::new();
    scorer.begin(&mut scratch);
    let mut is_shown = |block: &Vec<u8>| {
        folded.clear();
        fold(block, Fold::Loose, &mut folded);
        !folded.is_empty()
    };
    let shown: Vec<bool> = blocks.iter().map(&mut is_shown).collect();
    for (block, _) in blocks.iter().zip(&shown).filter(|(_, shown)| **shown) {
        scorer.add(block, &mut scratch);
    }
    let mut scores = Vec::new();
    scorer.score(&mut scratch, &mut scores);
    let mut scores = scores.into_iter();
    shown.into_iter().map(|shown| if shown { scores.next() } else { None }).collect()
}
