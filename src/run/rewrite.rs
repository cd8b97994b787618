//! Pass two: decide, edit, write. Or only decide, and tell what would go.

use super::conversion::Conversion;
use super::edits::{Edits, Why, edit_part};
use super::feed::each_part;
use super::finishing::Finishing;
use super::indexes::Indexes;
use super::ledger::{CutSource, begin_journal, end_journal};
use super::manifest::Manifest;
use super::memory::{Memory, room};
use super::outcomes::{Ended, Outcomes};
use super::outline::{Outline, PartLooker};
use super::output::{FileOutput, InOrder, Room, Turn, Unfinished, Writing, output_codec, remove_replaced};
use super::plan::{Plan, PlannedFile, output_name};
use super::progress::{Phase, Progress};
use super::report::{PartDone, Report, tell_reason};
use super::source::{Origin, Part};
use super::survey::{Survey, SurveyedPart, nothing_written};
use super::target::Form;
use super::templates::Learned;
use super::workers::Workers;
use crate::clean::{Alone, Look, Looker};
use crate::codec::{Codec, Packer};
use crate::config::{Config, OnBadRecord, OutputFormat};
use crate::decide::Copies;
use crate::error::{Error, Result};
use crate::index::{Place, Trace};
use crate::journal::{FileLine, First, KnownLocation, Line, Location, PartLine, RowsLine};
#[cfg(feature = "parquet")]
use crate::record::Fields;
use crate::record::Layout;
use crate::rules::Rules;
use crate::score::Scorer;
use crate::store::is_url;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// A pass over all files.
pub(super) struct Rewrite<'r> {
    pub(super) config: &'r Config,
    pub(super) rules: &'r Rules,
    pub(super) scorer: Option<&'r Arc<Scorer>>,
    pub(super) plan: &'r Plan,
    /// What is known of the whole scope; nothing where each document is decided on by itself.
    pub(super) survey: Option<&'r Survey>,
    pub(super) indexes: Option<&'r Indexes>,
    pub(super) memory: &'r Memory,
    pub(super) progress: &'r dyn Progress,
}

/// Where the pass writes.
pub(super) struct Outputs<'o> {
    files: Vec<FileOutput>,
    room: Room,
    finishing: Finishing,
    /// Takes all cleaned text, if it does not go to files.
    stream: Option<Mutex<InOrder<Packer<&'o mut (dyn Write + Send)>>>>,
    journal: Option<Unfinished>,
    /// What was done, and the lines of the journal until all of them are there.
    manifest: Option<Manifest>,
}

/// What came of a pass.
pub(super) struct Passed {
    pub(super) report: Report,
    /// The files that came through, by their numbers.
    finished: Vec<usize>,
}

impl<'o> Outputs<'o> {
    pub(super) fn new(
        config: &Config,
        plan: &Plan,
        stream: Option<&'o mut (dyn Write + Send)>,
        manifest: Option<Manifest>,
    ) -> Result<Self> {
        let pack = |stream| Packer::new(output_codec(config.compress, None), config.compress_level, stream);
        let stream = stream.map(pack).transpose().map_err(Error::to_standard_output)?;
        let journal = begin_journal(config)?;
        let manifest = match &config.journal {
            Some(journal) if manifest.is_none() => Some(Manifest::of_journal(journal)?),
            _ => manifest,
        };
        let room = room(config);
        Ok(Outputs {
            files: plan.files.iter().map(|_| FileOutput::default()).collect(),
            finishing: Finishing::default(),
            stream: stream.map(|stream| Mutex::new(InOrder::new(stream, Turn::default(), room.clone()))),
            room,
            journal,
            manifest,
        })
    }

    /// Ends the stream, and puts the journal together and under its name. Gives the manifest, which is no longer needed when all
    /// has come through.
    pub(super) fn finish(self, config: &Config, passed: &Passed) -> Result<Option<Manifest>> {
        if let Some(stream) = self.stream {
            let stream = stream.into_inner().unwrap_or_else(PoisonError::into_inner).into_writer();
            stream.finish().and_then(Write::flush).map_err(Error::to_standard_output)?;
        }
        if let (Some(mut journal), Some(manifest)) = (self.journal, &self.manifest) {
            let path = config.journal.as_deref().unwrap_or("journal".as_ref());
            let mut copy = |file_idx: &usize| manifest.copy_lines(*file_idx, &mut journal);
            passed.finished.iter().try_for_each(&mut copy).map_err(|source| Error::writing(path, source))?;
            end_journal(config, journal, passed.finished.len() as u64)?;
        }
        Ok(self.manifest)
    }
}

/// What one thread of the pass has.
struct Worker {
    out: Vec<u8>,
    journal: Vec<u8>,
    edits: Edits,
    looker: PartLooker,
    look: Look,
}

impl Rewrite<'_> {
    /// Goes through all files, writing to `outputs` if there are any; gives the report. With `top`, it also tells which
    /// removed blocks take most.
    pub(super) fn run(&self, workers: &Workers, outputs: Option<&Outputs<'_>>, top: bool) -> Result<Passed> {
        let to_stream = outputs.is_some_and(|outputs| outputs.stream.is_some());
        let phase = if outputs.is_some() { Phase::Rewrite } else { Phase::Measure };
        let manifest = outputs.and_then(|outputs| outputs.manifest.as_ref());
        let is_done = |file_idx| manifest.is_some_and(|manifest| manifest.is_done(file_idx));
        let to_do = (0..).zip(&self.plan.files).filter(|(file_idx, _)| !is_done(*file_idx));
        self.progress.begin(phase, Some(to_do.map(|(_, file)| file.bytes).sum()));
        let outcomes = Outcomes::new(self.config);
        let begun = each_part(
            workers,
            self.plan,
            self.config,
            is_done,
            || Worker {
                out: Vec::new(),
                journal: Vec::new(),
                edits: Edits::default(),
                looker: PartLooker::new(Looker::new(self.config, self.scorer)),
                look: Look::default(),
            },
            |worker, part, bytes, stop| {
                let done = bytes.and_then(|bytes| self.part(worker, part, bytes, outputs, &outcomes, top));
                let is_fatal = match &done {
                    Ok(has_bad) => self.config.on_bad_record == OnBadRecord::Stop && *has_bad,
                    Err(error) => error.is_index_full() || self.is_stream_error(to_stream, error),
                };
                if is_fatal {
                    stop.behind(part);
                }
                if done.as_ref().is_err_and(Error::is_exhausted) || (outputs.is_none() && self.progress.is_stopped()) {
                    stop.at_once();
                } else if self.progress.is_stopped() {
                    stop.begin_no_more();
                }
                if let Err(error) = done {
                    let error = outputs.and_then(|outputs| self.give_up(part, outputs).err()).unwrap_or(error);
                    outcomes.failed(part.file_idx, part.number, error);
                }
            },
        );
        let mut n_begun = begun.iter().filter(|parts| !parts.is_empty()).count();
        if let Some(outputs) = outputs {
            let finished = outputs.finishing.end();
            outcomes.named(&finished);
            for (file_idx, error) in outputs.finishing.failed() {
                outcomes.failed(file_idx, 0, error);
            }
            if let Some(manifest) = manifest {
                manifest.note_finished(&finished)?;
                manifest.tell_earlier(|file_idx, parts| {
                    outcomes.done_before(file_idx, parts);
                    n_begun += 1;
                })?;
            }
        }
        self.progress.end();
        if outputs.is_none() && self.progress.is_stopped() {
            return Err(nothing_written());
        }
        self.report(outcomes.end(), n_begun, to_stream)
    }

    /// Whether the one stream that all goes to cannot be written to.
    fn is_stream_error(&self, to_stream: bool, error: &Error) -> bool {
        to_stream && error.is_writing()
    }

    /// Does a part, and says whether records of it are bad.
    fn part(
        &self,
        worker: &mut Worker,
        part: &Part,
        bytes: &[u8],
        outputs: Option<&Outputs<'_>>,
        outcomes: &Outcomes<'_>,
        top: bool,
    ) -> Result<bool> {
        let file = &self.plan.files[part.file_idx];
        let _held = self.memory.hold(part.work_bytes);
        let mut done = PartDone::default();
        let journal = outputs.is_some_and(|outputs| outputs.journal.is_some());
        let mut work = PartWork { rewrite: self, part, bytes, top, journal, is_dropped: false };
        match self.survey {
            Some(survey) => {
                let SurveyedPart { copies, outline, learned } = survey.part(file, part, bytes)?;
                let locator = Locator::of_survey(self, survey);
                work.edit(&copies, &learned, &outline, &locator, worker, &mut done);
                survey.check()?;
            }
            None => {
                let outline = worker.looker.look(self.rules, file.bytes_of(part, bytes), &mut worker.look)?;
                let alone = Alone::of(&worker.look)?;
                let origin = part.origin();
                let locator = Locator::of_part(self.plan, &origin, &alone.traces);
                work.edit(&alone.copies(self.config.keep), &[], &outline, &locator, worker, &mut done);
            }
        }
        let is_dropped = work.is_dropped;
        if Conversion::of(self.config, &file.layout).is_none() {
            worker.edits.apply(bytes, &mut worker.out);
        }
        done.counts.add_bytes(bytes.len(), worker.out.len());
        let mut waits_for_name = false;
        if let Some(outputs) = outputs {
            waits_for_name = self.write(part, outputs, outcomes, worker, &done, is_dropped)?;
        }
        self.progress.advance(part.bytes_read);
        let has_bad = !done.bad.is_empty();
        outcomes.part(part, done, waits_for_name);
        Ok(has_bad)
    }

    /// Writes what is left of a part; says whether its file is to get a name.
    fn write(
        &self,
        part: &Part,
        outputs: &Outputs<'_>,
        outcomes: &Outcomes<'_>,
        worker: &mut Worker,
        done: &PartDone,
        is_dropped: bool,
    ) -> Result<bool> {
        let file = &self.plan.files[part.file_idx];
        let turn = part.turn();
        let manifest = outputs.manifest.as_ref();
        if let Some(manifest) = manifest {
            manifest.note_part(part, done, &worker.journal)?;
        }
        if let Some(stream) = &outputs.stream {
            let is_followed = part.is_last && part.file_idx + 1 < self.plan.files.len();
            if is_followed && self.ends_lines(file, part) && worker.out.last().is_some_and(|last| *last != b'\n') {
                // Lest the next file goes on in the same line.
                worker.out.push(b'\n');
            }
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            stream
                .submit(turn, part.is_last, &worker.out)
                .and_then(|()| stream.writer().flush())
                .map_err(Error::to_standard_output)?;
        } else if is_dropped && file.layout == Layout::Whole {
            file.output.as_ref().map_or(Ok(()), remove_replaced)?;
            manifest.map_or(Ok(()), |manifest| manifest.note_dropped(part.file_idx))?;
        } else if let Some(to) = &file.output {
            let form = self.form(file, part, worker).map_err(|source| Error::writing(to.path(), source))?;
            let writing = Writing { to, may_replace: self.config.may_replace(), form, room: &outputs.room };
            let output = &outputs.files[part.file_idx];
            if let Some(whole) = output.submit(writing, turn, part.is_last, &worker.out)? {
                let finished = outputs.finishing.take(part.file_idx, whole);
                outcomes.named(&finished);
                manifest.map_or(Ok(()), |manifest| manifest.note_finished(&finished))?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether what is written of a part is lines, which follow lines of other files in one stream.
    fn ends_lines(&self, file: &PlannedFile, part: &Part) -> bool {
        let is_of_lines = match file.layout {
            Layout::Lines | Layout::Jsonl(_) | Layout::Csv(_) => true,
            Layout::Whole => self.config.output_format == OutputFormat::Text,
            _ => false,
        };
        (is_of_lines && part.encoding.is_none()) || Conversion::of(self.config, &file.layout).is_some()
    }

    /// How a part is written, which is given the form that its file takes: records are packed that are packed by themselves.
    fn form(&self, file: &PlannedFile, part: &Part, worker: &mut Worker) -> std::io::Result<Form> {
        let Config { compress, compress_level: level, .. } = *self.config;
        let codec = output_codec(compress, part.codec);
        if Conversion::of(self.config, &file.layout).is_some() {
            return Ok(Form::Bytes { codec, level });
        }
        let Worker { out, edits, .. } = worker;
        file.layout.end_part(!edits.cuts.is_empty(), part.ends_group, out);
        #[cfg(feature = "parquet")]
        if let Layout::Parquet(columns) = &file.layout {
            return Ok(Form::Rows { source: file.input.path().to_owned(), columns: columns.clone(), is_same: true });
        }
        if file.layout.is_packed_by_record() && codec.is_some_and(Codec::has_random_access) {
            pack_records(&file.layout, codec, level, out)?;
            return Ok(Form::Bytes { codec: None, level: None });
        }
        Ok(Form::Bytes { codec, level })
    }

    /// A part failed: its file gets no output, and those behind it need not wait for it.
    fn give_up(&self, part: &Part, outputs: &Outputs<'_>) -> Result<()> {
        outputs.files[part.file_idx].abandon();
        if let Some(stream) = &outputs.stream {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            stream.submit(part.turn(), part.is_last, b"").map_err(Error::to_standard_output)?;
        }
        Ok(())
    }

    /// Tells what came of all files, of which `n_begun` were begun.
    fn report(&self, ended: Ended, n_begun: usize, to_stream: bool) -> Result<Passed> {
        let Ended { counts, bad, n_through, mut failed } = ended;
        let is_fatal =
            |error: &Error| error.is_index_full() || error.is_exhausted() || self.is_stream_error(to_stream, error);
        let fatal = failed.iter().find(|(_, (_, error))| is_fatal(error)).map(|(file_idx, _)| *file_idx);
        let tell_record = |(file_idx, record)| tell_record(self.plan, file_idx, record);
        if self.config.on_bad_record == OnBadRecord::Stop
            && let Some((place, what)) =
                bad.iter().next().filter(|(place, _)| fatal.is_none_or(|fatal| place.0 < fatal))
        {
            let remedy = "nothing was written, as --on-bad-record says";
            return Err(Error::record(tell_record(*place), what.clone(), remedy));
        }
        if let Some((_, error)) = fatal.and_then(|file_idx| failed.remove(&file_idx)) {
            return Err(error);
        }
        if n_begun < self.plan.files.len() {
            return Err(self.stopped(n_through, to_stream));
        }
        let mut bad_records: Vec<String> =
            bad.into_iter().map(|(place, what)| format!("{}: {what}", tell_record(place))).collect();
        let locator = self.survey.map(|survey| Locator::of_survey(self, survey));
        let mut report = counts.report(
            self.config,
            self.rules,
            tell_record,
            |(file_idx, record), block| {
                let has_records = self.plan.files[file_idx].layout.is_splittable();
                location(self.plan, file_idx, record, block).shown(has_records)
            },
            |place| locator.as_ref().map_or("an earlier block".into(), |locator| locator.shown(place)),
        );
        self.survey.map_or(Ok(()), Survey::check)?;
        let untold = report.totals.bad_records.saturating_sub(bad_records.len() as u64);
        if untold > 0 {
            bad_records.push(format!("and {untold} more bad records"));
        }
        for message in &bad_records {
            self.progress.warn(message);
        }
        report.bad_records = bad_records;
        let at_plan = self.plan.failed.iter().map(ToString::to_string);
        report.failed_files = at_plan.chain(failed.values().map(|(_, error)| error.to_string())).collect();
        report.totals.files = (self.plan.files.len() - failed.len()) as u64;
        report.totals.files_passed_over = self.plan.passed_over.len() as u64;
        const TOLD: usize = 100;
        report.passed_over = self.plan.passed_over.iter().take(TOLD).map(|path| path.display().to_string()).collect();
        // What could not be read at all is an outcome. What was surveyed and is lost, or cannot be written, may come through yet.
        report.unfinished = failed.values().any(|(_, error)| self.survey.is_some() || error.is_writing());
        let finished = (0..self.plan.files.len()).filter(|file_idx| !failed.contains_key(file_idx)).collect();
        Ok(Passed { report, finished })
    }

    /// The run was told to stop, and so many files are done.
    fn stopped(&self, n_done: usize, to_stream: bool) -> Error {
        let what = format!("{n_done} of {} files are done", self.plan.files.len());
        let remedy = match &self.config.output {
            _ if to_stream => "what was written is not whole, so begin anew",
            Some(output) if is_url(output) => "begin anew with --force",
            _ => "go on with the same command and --resume",
        };
        Error::stopped(what, remedy)
    }
}

/// Packs each record by itself, as crawlers expect it.
fn pack_records(layout: &Layout, codec: Option<Codec>, level: Option<u32>, out: &mut Vec<u8>) -> std::io::Result<()> {
    let plain = std::mem::take(out);
    for record in layout.records(&plain) {
        let mut packer = Packer::new(codec, level, std::mem::take(out))?;
        packer.write_all(record.of(&plain))?;
        *out = packer.finish()?;
    }
    Ok(())
}

/// The place of a record, by its number in the file from 0: `file` for plain text, `file:record` for a file of many records.
pub(super) fn tell_record(plan: &Plan, file_idx: usize, record: u64) -> String {
    let file = &plan.files[file_idx];
    let name = file.name.display();
    if file.layout.is_splittable() { format!("{name}:{}", record + 1) } else { name.to_string() }
}

fn location(plan: &Plan, file_idx: usize, record: u64, block: u32) -> Location<'_> {
    let file = plan.files[file_idx].name.to_string_lossy();
    Location { file, record: record + 1, line: u64::from(block) + 1 }
}

/// Turns places into locations.
pub(super) struct Locator<'l> {
    plan: &'l Plan,
    parts: Parts<'l>,
}

/// The parts that places are in.
enum Parts<'l> {
    Surveyed(&'l Survey, Option<&'l Indexes>),
    /// One, which knows of no other.
    Alone(&'l Origin, &'l [Trace; 1]),
}

impl<'l> Locator<'l> {
    /// Of places in all parts, and in documents of other runs.
    pub(super) fn of_survey(rewrite: &Rewrite<'l>, survey: &'l Survey) -> Self {
        Locator { plan: rewrite.plan, parts: Parts::Surveyed(survey, rewrite.indexes) }
    }

    /// Of places in one part, which knows of no other.
    pub(super) fn of_part(plan: &'l Plan, origin: &'l Origin, traces: &'l [Trace; 1]) -> Self {
        Locator { plan, parts: Parts::Alone(origin, traces) }
    }

    /// Where a place is, and whether it is in a file of many records.
    fn locate(&self, place: Place) -> (First<'l>, bool) {
        let (origin, (record_idx, block)) = match self.parts {
            Parts::Surveyed(survey, indexes) => {
                if let Some(other) = survey.other(place) {
                    let index = indexes.and_then(|indexes| indexes.name(other.against)).map(Into::into);
                    let line = other.block.map(|block| u64::from(block) + 1);
                    return (First::Known(KnownLocation { index, document: other.id.into(), line }), false);
                }
                (&survey.origins[place.part as usize], survey.record_and_block(place))
            }
            Parts::Alone(origin, [trace]) => (origin, trace.record_and_block(place.block)),
        };
        let record = origin.records_before + record_idx as u64;
        let has_records = self.plan.files[origin.file_idx].layout.is_splittable();
        (First::Here(location(self.plan, origin.file_idx, record, block)), has_records)
    }

    fn shown(&self, place: Place) -> String {
        let (first, has_records) = self.locate(place);
        first.shown(has_records)
    }
}

/// The work on one part.
struct PartWork<'w> {
    rewrite: &'w Rewrite<'w>,
    part: &'w Part,
    bytes: &'w [u8],
    top: bool,
    journal: bool,
    /// Whether its last record was dropped.
    is_dropped: bool,
}

impl PartWork<'_> {
    /// Decides on all records of the part, counts them, and writes the journal's lines.
    fn edit(
        &mut self,
        copies: &impl Copies,
        learned: &[Learned],
        outline: &Outline,
        locator: &Locator<'_>,
        worker: &mut Worker,
        done: &mut PartDone,
    ) {
        let Worker { edits, journal, out, .. } = worker;
        out.clear();
        let Self { rewrite, part, bytes, .. } = *self;
        done.bad =
            outline.bad.iter().map(|bad| (part.records_before + bad.record_idx as u64, bad.what.clone())).collect();
        journal.clear();
        let file = &rewrite.plan.files[part.file_idx];
        let conversion = Conversion::of(rewrite.config, &file.layout);
        let name = file.name.to_string_lossy();
        let mut dropped = false;
        let mut lines = Vec::new();
        let source = file.bytes_of(part, bytes);
        edit_part(rewrite.config, source, copies, learned, outline, edits, |edited| {
            let record = part.records_before + edited.record_idx as u64;
            let place = (part.file_idx, record);
            done.counts.add(rewrite.config, place, edited);
            if let Some(conversion) = conversion {
                let is_left_out = conversion.write(rewrite.config, source, edited, Some(&name), out);
                done.counts.add_left_out(u64::from(is_left_out));
            }
            if self.top {
                done.counts.add_to_top(rewrite.config, place, source, edited);
            }
            if self.journal {
                let source = CutSource { rules: rewrite.rules, source };
                source.write(record + 1, edited, |place| locator.locate(place).0, &mut lines);
            }
            dropped = edited.is_dropped;
        });
        self.is_dropped = dropped;
        if self.journal {
            if part.number == 0 {
                let dropped = dropped && file.layout == Layout::Whole;
                let cleaned = output_name(file.name.clone(), rewrite.config);
                let cleaned = (cleaned != file.name).then(|| cleaned.to_string_lossy().into_owned().into());
                let packed = part.codec.map(|codec| codec.name().into());
                let encoding = part.encoding.map(|encoding| encoding.name().into());
                let written = conversion.map(|conversion| conversion.name().into());
                let rows = rows_line(&file.layout);
                Line::File(FileLine { file: name, cleaned, packed, encoding, written, dropped, rows }).write(journal);
            }
            journal.append(&mut lines);
            let blake3 = blake3::hash(bytes).to_hex().to_string().into();
            Line::Part(PartLine { bytes: bytes.len() as u64, blake3, ends_group: part.ends_group }).write(journal);
        }
    }
}

/// Which columns rows are read with, to read them so again.
fn rows_line(layout: &Layout) -> Option<RowsLine<'_>> {
    match layout {
        #[cfg(feature = "parquet")]
        Layout::Parquet(columns) => {
            let Fields { text, id, url, site } = &columns.fields;
            let [text, id, url, site] = [text, id, url, site].map(Into::into);
            Some(RowsLine { text, id, url, site, whole: columns.whole_rows })
        }
        _ => None,
    }
}

/// What [`tell_reason`] says, with places as a locator tells them.
pub(super) fn tell_why(rules: &Rules, why: Why, locator: &Locator<'_>) -> String {
    tell_reason(rules, why, |place| locator.shown(place))
}
