//! Pass two: decide, edit, write. Or only decide, and tell what would go.

use super::edits::{PartCut, Why, edit_part};
use super::finishing::Finishing;
use super::ledger::{CutSource, begin_journal, end_journal};
use super::outline::{Outline, PartLooker};
use super::output::{FileOutput, InOrder, Unfinished};
use super::plan::{Plan, PlannedFile};
use super::progress::{Phase, Progress};
use super::report::{Counts, Report, tell_reason};
use super::source::read_part;
use super::survey::Survey;
use super::workers::Workers;
use crate::clean::{Alone, Look, Looker};
use crate::config::{Config, OnBadRecord};
use crate::decide::Repeats;
use crate::edit;
use crate::error::{Error, Result};
use crate::index::{Lookup, Place, Trace};
use crate::journal::{FileLine, Line, Location, PartLine};
use crate::record::Layout;
use crate::rules::Rules;
use crate::score::Scorer;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A pass over all parts.
pub(super) struct Rewrite<'r> {
    pub(super) config: &'r Config,
    pub(super) rules: &'r Rules,
    pub(super) scorer: Option<&'r Arc<Scorer>>,
    pub(super) plan: &'r Plan,
    /// What is known of the whole scope; nothing where each document is decided on by itself.
    pub(super) survey: Option<&'r Survey>,
    /// For each part, how many records of its file come before it.
    pub(super) records_before: &'r [u64],
    pub(super) progress: &'r dyn Progress,
}

/// Where the pass writes.
pub(super) struct Outputs<'o> {
    files: Vec<FileOutput>,
    finishing: Finishing,
    /// Takes all cleaned text, if it does not go to files.
    stream: Option<Mutex<InOrder<&'o mut (dyn Write + Send)>>>,
    journal: Option<Mutex<InOrder<Unfinished>>>,
    /// How many files the journal is of so far.
    n_journaled: AtomicU64,
}

impl<'o> Outputs<'o> {
    pub(super) fn new(config: &Config, plan: &Plan, stream: Option<&'o mut (dyn Write + Send)>) -> Result<Self> {
        Ok(Outputs {
            files: plan.files.iter().map(|_| FileOutput::default()).collect(),
            finishing: Finishing::default(),
            stream: stream.map(|stream| Mutex::new(InOrder::new(stream))),
            journal: begin_journal(config)?.map(|journal| Mutex::new(InOrder::new(journal))),
            n_journaled: AtomicU64::new(0),
        })
    }

    /// Puts the journal under its name.
    pub(super) fn finish(self, config: &Config) -> Result<()> {
        match self.journal {
            Some(journal) => {
                let journal = journal.into_inner().unwrap_or_else(PoisonError::into_inner).into_writer();
                end_journal(config, journal, self.n_journaled.into_inner())
            }
            None => Ok(()),
        }
    }
}

/// What one thread of the pass has.
struct Worker {
    bytes: Vec<u8>,
    out: Vec<u8>,
    journal: Vec<u8>,
    cuts: Vec<PartCut>,
    looker: PartLooker,
    look: Look,
}

/// What came of a part.
pub(super) struct PartDone {
    counts: Counts,
    bad: Vec<(usize, String)>,
}

impl Rewrite<'_> {
    /// Goes through all parts, writing to `outputs` if there are any; gives the report. With `top`, it also tells which
    /// removed blocks take most.
    pub(super) fn run(&self, workers: &Workers, outputs: Option<&Outputs<'_>>, top: bool) -> Result<Report> {
        let to_stream = outputs.is_some_and(|outputs| outputs.stream.is_some());
        let phase = if outputs.is_some() { Phase::Rewrite } else { Phase::Measure };
        self.progress.begin(phase, Some(self.plan.bytes()));
        let outcomes = workers.each(
            self.plan.parts.len(),
            || Worker {
                bytes: Vec::new(),
                out: Vec::new(),
                journal: Vec::new(),
                cuts: Vec::new(),
                looker: PartLooker::new(Looker::new(self.config, self.scorer)),
                look: Look::default(),
            },
            |worker, part_idx, stop| {
                let done = self.part(worker, part_idx, outputs, top);
                let is_fatal = match &done {
                    Ok(done) => self.config.on_bad_record == OnBadRecord::Stop && !done.bad.is_empty(),
                    Err(error) => error.is_index_full() || self.is_stream_error(to_stream, error),
                };
                if is_fatal {
                    stop.set();
                }
                if done.is_err()
                    && let Some(outputs) = outputs
                {
                    self.give_up(part_idx, outputs)?;
                }
                done
            },
        );
        let unfinished = outputs.map(|outputs| outputs.finishing.end()).unwrap_or_default();
        self.progress.end();
        self.report(outcomes, unfinished, to_stream)
    }

    /// Whether the one stream that all goes to cannot be written to.
    fn is_stream_error(&self, to_stream: bool, error: &Error) -> bool {
        to_stream && error.is_writing()
    }

    fn part(&self, worker: &mut Worker, part_idx: usize, outputs: Option<&Outputs<'_>>, top: bool) -> Result<PartDone> {
        let (part, file) = (&self.plan.parts[part_idx], self.plan.file_of(part_idx));
        let start = read_part(file, part, &mut worker.bytes)?;
        let mut done = PartDone { counts: Counts::default(), bad: Vec::new() };
        let journal = outputs.is_some_and(|outputs| outputs.journal.is_some());
        let mut work = PartWork { rewrite: self, part_idx, start, top, journal, is_dropped: false };
        match self.survey {
            Some(survey) => {
                let part = u32::try_from(part_idx).expect("parts are numbered with 32 bits by the survey");
                let outline = &survey.outlines[part_idx];
                if outline.bytes != worker.bytes.len() {
                    let place = file.input.display().to_string();
                    return Err(Error::record(
                        place,
                        "changed between the passes",
                        "run again when nothing writes to it",
                    ));
                }
                work.edit(&survey.repeats(self.config.keep), part, 0, outline, worker, &mut done);
            }
            None => {
                let outline =
                    worker.looker.look(self.rules, &file.layout, &worker.bytes, start == 0, &mut worker.look)?;
                let alone = Alone::of(&worker.look)?;
                work.edit(&alone.repeats(self.config.keep), 0, part_idx, &outline, worker, &mut done);
            }
        }
        let is_dropped = work.is_dropped;
        worker.out.clear();
        edit::cut(&worker.bytes, worker.cuts.iter().map(|cut| cut.span), &mut worker.out);
        done.counts.add_bytes(worker.bytes.len(), worker.out.len());
        if let Some(outputs) = outputs {
            self.write(part_idx, outputs, worker, is_dropped)?;
        }
        self.progress.advance(worker.bytes.len() as u64);
        Ok(done)
    }

    fn write(&self, part_idx: usize, outputs: &Outputs<'_>, worker: &mut Worker, is_dropped: bool) -> Result<()> {
        let file_idx = self.plan.parts[part_idx].file;
        let file = &self.plan.files[file_idx];
        if let Some(stream) = &outputs.stream {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            stream
                .submit(part_idx, &worker.out)
                .and_then(|()| stream.writer().flush())
                .map_err(|source| Error::writing("standard output".as_ref(), source))?;
        } else if let Some(path) = &file.output
            && !(is_dropped && file.layout == Layout::Whole)
        {
            let part_of_file = part_idx - file.parts.start;
            let may_replace = self.config.force;
            let output = &outputs.files[file_idx];
            if let Some(whole) = output.submit(path, may_replace, part_of_file, file.parts.len(), &worker.out)? {
                outputs.finishing.take(file_idx, whole);
            }
        }
        if let Some(journal) = &outputs.journal {
            self.submit_journal(journal, part_idx, &worker.journal)?;
            outputs.n_journaled.fetch_add(u64::from(part_idx == file.parts.start), Ordering::Relaxed);
        }
        Ok(())
    }

    fn submit_journal(&self, journal: &Mutex<InOrder<Unfinished>>, part_idx: usize, lines: &[u8]) -> Result<()> {
        let path = self.config.journal.as_deref().unwrap_or("journal".as_ref());
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.submit(part_idx, lines).map_err(|source| Error::writing(path, source))
    }

    /// A part failed: its file gets no output, and those behind it need not wait for it.
    fn give_up(&self, part_idx: usize, outputs: &Outputs<'_>) -> Result<()> {
        outputs.files[self.plan.parts[part_idx].file].abandon();
        if let Some(stream) = &outputs.stream {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            stream.submit(part_idx, b"").map_err(|source| Error::writing("standard output".as_ref(), source))?;
        }
        match &outputs.journal {
            Some(journal) => self.submit_journal(journal, part_idx, b""),
            None => Ok(()),
        }
    }

    /// Merges what came of the parts, in plan order. `unfinished` are files that could not be put under their names.
    fn report(
        &self,
        outcomes: Vec<Option<Result<PartDone>>>,
        unfinished: Vec<(usize, Error)>,
        to_stream: bool,
    ) -> Result<Report> {
        let mut counts = Counts::default();
        let mut bad_records = Vec::new();
        let mut failed = unfinished;
        for (part_idx, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Some(Ok(done)) => {
                    counts.merge(done.counts);
                    for (record_idx, what) in done.bad {
                        let place = self.tell_record(part_idx, record_idx as u64);
                        if self.config.on_bad_record == OnBadRecord::Stop {
                            return Err(Error::record(place, what, "nothing was written, as --on-bad-record says"));
                        }
                        bad_records.push(format!("{place}: {what}"));
                    }
                }
                Some(Err(error)) if error.is_index_full() || self.is_stream_error(to_stream, &error) => {
                    return Err(error);
                }
                Some(Err(error)) => failed.push((self.plan.parts[part_idx].file, error)),
                None => {}
            }
        }
        failed.sort_by_key(|(file_idx, _)| *file_idx);
        failed.dedup_by_key(|(file_idx, _)| *file_idx);
        let surveyed: &[Trace] = self.survey.map_or(&[], |survey| &survey.traces);
        let locator = Locator { rewrite: self, traces: surveyed, first_part: 0 };
        let mut report = counts.report(
            self.config,
            self.rules,
            |(part_idx, record)| self.tell_record(part_idx, record),
            |(part_idx, record), block| {
                let file = self.plan.file_of(part_idx);
                self.location(part_idx, record, block).shown(file.layout.is_splittable())
            },
            |place| {
                if surveyed.is_empty() { "an earlier block".into() } else { locator.shown(place) }
            },
        );
        for message in &bad_records {
            self.progress.warn(message);
        }
        report.bad_records = bad_records;
        let at_plan = self.plan.failed.iter().map(ToString::to_string);
        report.failed_files = at_plan.chain(failed.iter().map(|(_, error)| error.to_string())).collect();
        report.totals.files = (self.plan.files.len() - failed.len()) as u64;
        report.totals.files_passed_over = self.plan.passed_over.len() as u64;
        const TOLD: usize = 100;
        report.passed_over = self.plan.passed_over.iter().take(TOLD).map(|path| path.display().to_string()).collect();
        Ok(report)
    }

    /// The place of a record: `file` for plain text, `file:record` for a file of many records.
    pub(super) fn tell_record(&self, part_idx: usize, record: u64) -> String {
        let file = self.plan.file_of(part_idx);
        let name = file.name.display();
        if file.layout.is_splittable() {
            format!("{name}:{}", self.records_before[part_idx] + record + 1)
        } else {
            name.to_string()
        }
    }

    fn location(&self, part_idx: usize, record: u64, block: u32) -> Location<'_> {
        let file: &PlannedFile = self.plan.file_of(part_idx);
        Location {
            file: file.name.to_string_lossy(),
            record: self.records_before[part_idx] + record + 1,
            line: u64::from(block) + 1,
        }
    }
}

/// Turns places into locations.
pub(super) struct Locator<'l> {
    pub(super) rewrite: &'l Rewrite<'l>,
    pub(super) traces: &'l [Trace],
    /// The part of the plan that part 0 of the traces is.
    pub(super) first_part: usize,
}

impl Locator<'_> {
    pub(super) fn location(&self, place: Place) -> Location<'_> {
        let trace = &self.traces[place.part as usize];
        let record_idx = trace.document_at(place.block);
        let start =
            u32::try_from(trace.blocks_of(record_idx).start).expect("blocks of a part are numbered with 32 bits");
        self.rewrite.location(self.first_part + place.part as usize, record_idx as u64, place.block - start)
    }

    pub(super) fn shown(&self, place: Place) -> String {
        let file = self.rewrite.plan.file_of(self.first_part + place.part as usize);
        self.location(place).shown(file.layout.is_splittable())
    }
}

/// The work on one part.
struct PartWork<'w> {
    rewrite: &'w Rewrite<'w>,
    part_idx: usize,
    /// Where in its file the part starts.
    start: u64,
    top: bool,
    journal: bool,
    /// Whether its last record was dropped.
    is_dropped: bool,
}

impl PartWork<'_> {
    /// Decides on all records of the part, counts them, and writes the journal's lines. The part is number `part` of the
    /// traces, whose part 0 is number `first_part` of the plan.
    fn edit<L: Lookup>(
        &mut self,
        repeats: &Repeats<'_, L>,
        part: u32,
        first_part: usize,
        outline: &Outline,
        worker: &mut Worker,
        done: &mut PartDone,
    ) {
        let Worker { bytes, cuts, journal, .. } = worker;
        let rewrite = self.rewrite;
        let locator = Locator { rewrite, traces: repeats.traces, first_part };
        done.bad = outline.bad.iter().map(|bad| (bad.record_idx, bad.what.clone())).collect();
        journal.clear();
        let file = rewrite.plan.file_of(self.part_idx);
        let starts_file = self.part_idx == file.parts.start;
        let mut dropped = false;
        let mut lines = Vec::new();
        let learned = rewrite.survey.map_or(&[][..], |survey| &survey.learned[self.part_idx]);
        edit_part(rewrite.config, repeats, part, learned, outline, cuts, |edited| {
            let place = (self.part_idx, edited.record_idx as u64);
            done.counts.add(rewrite.config, place, edited);
            if self.top {
                done.counts.add_to_top(place, file.layout.is_escaped(), bytes, edited);
            }
            if self.journal {
                let source = CutSource { rules: rewrite.rules, layout: &file.layout, start: self.start, bytes };
                let record = rewrite.records_before[self.part_idx] + edited.record_idx as u64 + 1;
                source.write(record, edited, |place| locator.location(place), &mut lines);
            }
            dropped = edited.is_dropped;
        });
        self.is_dropped = dropped;
        if self.journal {
            if starts_file {
                let dropped = dropped && file.layout == Layout::Whole;
                Line::File(FileLine { file: file.name.to_string_lossy(), dropped }).write(journal);
            }
            journal.append(&mut lines);
            let blake3 = blake3::hash(bytes).to_hex().to_string().into();
            Line::Part(PartLine { bytes: bytes.len() as u64, blake3 }).write(journal);
        }
    }
}

/// What [`tell_reason`] says, with places as a locator tells them.
pub(super) fn tell_why(rules: &Rules, why: Why, locator: &Locator<'_>) -> String {
    tell_reason(rules, why, |place| locator.shown(place))
}
