//! Runs: whole corpora, from files to files, or a stream.
//!
//! Files are read twice. The survey finds what repeats and where first, in any order, on all threads; the rewrite decides,
//! cuts and writes. A stream is read once, in order. Both remove the same, but for templates of sites, which only all pages
//! together show.

mod arriving;
mod conversion;
mod disk;
mod edits;
mod explain;
mod feed;
mod finishing;
mod indexes;
mod inputs;
mod learn;
mod ledger;
mod manifest;
mod memory;
mod names;
mod outcomes;
mod outline;
mod output;
mod pattern;
mod plan;
mod progress;
mod reading;
mod remembered;
mod report;
mod restore;
mod rewrite;
mod source;
mod stream;
mod survey;
mod target;
mod templates;
mod top;
mod workers;

pub use explain::{Explained, Piece};
pub use inputs::{Inputs, Separator};
pub use learn::{Learned, learn};
pub use progress::{Phase, Progress};
pub use report::{REPORT_SCHEMA_VERSION, Removed, Report, Tally, Times, TopRemoved, Totals};
pub use restore::{Restored, restore};

use crate::config::{Config, OnBadRecord, OnLimit};
use crate::decide::Scope;
use crate::error::{Error, Result};
use crate::rules::Rules;
use crate::score::{Level, Scorer};
use crate::store::{Address, Store, canonical_to_be};
use arriving::Arriving;
use conversion::Conversion;
use indexes::Indexes;
use manifest::{Begun, Manifest};
use memory::Memory;
use output::{Unfinished, is_own};
use plan::{Destination, Plan, refuse_no_file};
use rewrite::{Outputs, Rewrite};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;
use survey::{Surveyed, Surveyor};
use workers::Workers;

/// Cleans corpora as a [`Config`] says.
///
/// ```
/// use dehusk::{Config, run::Run};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::create_dir(folder.path().join("in"))?;
/// std::fs::write(folder.path().join("in/a.txt"), "Skip to content\nThe ship left at dawn.\n")?;
/// let config = Config { output: Some(folder.path().join("out")), ..Config::default() };
/// let report = Run::new(&config, &())?.files(&[folder.path().join("in")])?;
/// assert!(report.is_fine());
/// assert_eq!(std::fs::read_to_string(folder.path().join("out/a.txt"))?, "The ship left at dawn.\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Run<'r> {
    config: &'r Config,
    progress: &'r dyn Progress,
    rules: Rules,
    scorer: Option<Arc<Scorer>>,
    workers: Workers,
    memory: Memory,
    store: Store,
}

impl<'r> Run<'r> {
    /// Reads the packs and starts the threads that the configuration asks for.
    ///
    /// # Errors
    ///
    /// When the configuration or a pack is refused.
    pub fn new(config: &'r Config, progress: &'r dyn Progress) -> Result<Self> {
        config.validate()?;
        let (rules, scorer) = (config.rules()?, config.scorer()?);
        let most_threads = memory::most_threads(config);
        let n_threads = config.threads.or_else(|| available_parallelism().ok().map(Into::into));
        let n_threads = n_threads.map(|threads| threads.min(most_threads.unwrap_or(usize::MAX)));
        let workers = Workers::start(n_threads)?;
        let memory = Memory::of(config, workers.len());
        Ok(Run { config, progress, rules, scorer, workers, memory, store: Store::default() })
    }

    /// Cleans files and folders into the output that the configuration names, or with `dry_run` only tells what would go.
    ///
    /// # Errors
    ///
    /// When inputs and outputs do not go together, a limit or a bad record stops the run, or the journal or report cannot be
    /// written. A file that cannot be read or written is no error but part of the report.
    pub fn files(&self, inputs: impl Into<Inputs>) -> Result<Report> {
        let inputs = &inputs.into();
        match (&self.config.output, self.config.dry_run) {
            (_, true) => self.run(inputs, Destination::Stream, None),
            (Some(output), false) => self.run(inputs, Destination::Path(output), None),
            (None, false) => Err(Error::usage(
                "no output; say where the cleaned text goes with -o, or see what would go with --dry-run",
            )),
        }
    }

    /// Cleans files and folders and writes all that is left to one stream, in input order.
    ///
    /// # Errors
    ///
    /// As [`Run::files`], and when the stream cannot be written.
    pub fn files_to(&self, inputs: impl Into<Inputs>, output: &mut (dyn Write + Send)) -> Result<Report> {
        self.run(&inputs.into(), Destination::Stream, Some(output))
    }

    /// Cleans a stream that is read once, record by record as they come. It removes what [`Run::files`] would, but
    /// for templates of sites: of these it knows those of packs, since it cannot wait for all pages. What is left goes to
    /// the file that the configuration names, or else to `output`.
    ///
    /// # Errors
    ///
    /// When the stream cannot be read or written, the configuration needs two passes, or a limit or a bad record stops the
    /// run; what came before it is written to `output`.
    pub fn stream(&self, input: impl Read + Send + 'static, output: &mut (dyn Write + Send)) -> Result<Report> {
        let started = Instant::now();
        let path = self.config.output.as_ref().filter(|_| !self.config.dry_run);
        let to = path.map(|path| self.store.at(path)).transpose()?;
        if let Some(to) = &to {
            if to.is_folder() {
                let what = format!("{}: is a folder, but a stream has no name; name a file", to.display());
                return Err(Error::usage(what));
            }
            refuse_existing_file(to, self.config.force)?;
        }
        self.refuse_side_outputs(&Plan::default(), to.as_ref().map(Address::path), self.config.force)?;
        indexes::refuse_own(self.config)?;
        if self.config.dry_run && (self.config.index.is_some() || !self.config.against.is_empty()) {
            let what = "a dry run that asks an index needs files, and standard input is none; save the input to a file";
            return Err(Error::config("configuration", what));
        }
        let report_file = self.begin_report()?;
        let mut arriving = Arriving::open(self.config)?;
        let report = match &to {
            Some(to) => {
                let mut file = Unfinished::create(to, self.config.force)?;
                let report = stream::stream(self, input, &mut file, arriving.as_mut())?;
                file.finish()?;
                report
            }
            None => match stream::stream(self, input, output, arriving.as_mut()) {
                // Whoever is told to stop, or does so at a limit, has written all that was taken in.
                Err(error) if error.is_stopped() || error.is_limit() => {
                    return arriving.map_or(Ok(()), |mut arriving| arriving.commit()).and(Err(error));
                }
                outcome => outcome?,
            },
        };
        // All is written that it is of.
        arriving.map_or(Ok(()), |mut arriving| arriving.commit())?;
        self.end(report, report_file, started)
    }

    /// Decides on one file, as one of `inputs` if it is among them, and tells each block with what becomes of it.
    ///
    /// # Errors
    ///
    /// As [`Run::files`].
    pub fn explain(&self, inputs: impl Into<Inputs>, file: &Path, tell: &mut dyn FnMut(&Explained<'_>)) -> Result<()> {
        explain::explain(self, inputs.into(), file, tell)
    }

    fn run(
        &self,
        inputs: &Inputs,
        destination: Destination<'_>,
        stream: Option<&mut (dyn Write + Send)>,
    ) -> Result<Report> {
        let started = Instant::now();
        let plan = Plan::make(&self.store, self.config, inputs, destination)?;
        if stream.is_some()
            && let Some(file) = plan
                .files
                .iter()
                .find(|file| file.layout.needs_file() && Conversion::of(self.config, &file.layout).is_none())
        {
            let what = "is Parquet, which cannot be written to a stream; name a file or a folder as output";
            return Err(Error::usage(format!("{} {what}", file.input.display())));
        }
        let folder = plan.folder.clone();
        indexes::refuse_own(self.config)?;
        let indexes = Indexes::open(self.config, !self.config.dry_run)?;
        let states = indexes.as_ref().map_or_else(Vec::new, Indexes::states);
        let begun = folder.as_deref().map_or(Ok(None), |folder| Begun::find(self.config, folder, &plan, &states))?;
        self.refuse_side_outputs(&plan, None, self.config.force || begun.is_some())?;
        self.refuse_inputs_to_be(inputs)?;
        if stream.is_some() && plan.files.len() > 1 && self.config.journal.is_some() {
            let what = "a journal of several files in one stream would restore nothing; name a folder as output";
            return Err(Error::usage(what));
        }
        let report_file = self.begin_report()?;
        let (report, manifest) = self.with_survey(plan, indexes.as_ref(), |rewrite| {
            let stops_at_bad = self.config.on_bad_record == OnBadRecord::Stop && rewrite.survey.is_none();
            if self.config.dry_run {
                return Ok((rewrite.run(&self.workers, None, true)?.report, None));
            }
            if self.config.on_limit == OnLimit::Stop || stops_at_bad {
                self.stop_at_limit(&rewrite.run(&self.workers, None, false)?.report)?;
            }
            let begin = |folder: &Path| Manifest::begin(self.config, folder, rewrite.plan, &states, begun);
            let outputs = Outputs::new(self.config, rewrite.plan, stream, folder.as_deref().map(begin).transpose()?)?;
            let passed = rewrite.run(&self.workers, Some(&outputs), false)?;
            let manifest = outputs.finish(self.config, &passed)?;
            let mut report = passed.report;
            if let Some(indexes) = &indexes {
                self.remember(indexes, rewrite, &report, manifest.as_ref())?;
            }
            report.unfinished &= folder.is_some();
            Ok((report, manifest))
        })?;
        let report = self.end(report, report_file, started)?;
        if let Some(manifest) = manifest.filter(|_| !report.unfinished) {
            manifest.remove()?;
        }
        Ok(report)
    }

    /// Takes what is new into the index that remembers, when all outputs have their names. The manifest, which goes last, says of the index
    /// how it was and will be, so that a run that is killed here can be gone on with.
    fn remember(
        &self,
        indexes: &Indexes,
        rewrite: &Rewrite<'_>,
        report: &Report,
        manifest: Option<&Manifest>,
    ) -> Result<()> {
        let (Some(index), Some(survey)) = (indexes.writable(), rewrite.survey) else { return Ok(()) };
        if report.unfinished {
            // What was surveyed and not written must not make others lose it.
            self.progress.warn("the index is as it was, since not all could be written");
            return Ok(());
        }
        let mut bulk = index.bulk()?;
        survey.record(&mut bulk)?;
        let committed = bulk.finish()?;
        manifest.map_or(Ok(()), |manifest| manifest.note_index(committed))?;
        if let Some(sites) = indexes.sites() {
            sites.write(committed.n_commits)?;
        }
        bulk.commit()
    }

    /// Surveys the inputs, if what is decided on one document depends on others, and hands the next pass over.
    fn with_survey<T>(
        &self,
        plan: Plan,
        indexes: Option<&Indexes>,
        then: impl FnOnce(&Rewrite<'_>) -> Result<T>,
    ) -> Result<T> {
        let (config, rules, progress) = (self.config, &self.rules, self.progress);
        // Documents of plain text have no site, and so no templates.
        let has_templates = config.level >= Level::Safe && plan.files.iter().any(|file| file.layout.has_sites());
        let (plan, survey) = if has_templates || matches!(config.scope, Scope::Corpus | Scope::Site) {
            let (scorer, workers, memory) = (self.scorer.as_ref(), &self.workers, &self.memory);
            let surveyor = Surveyor { config, rules, scorer, workers, memory, indexes, progress };
            let Surveyed { plan, survey } = surveyor.survey(plan)?;
            (plan, Some(survey))
        } else {
            (plan, None)
        };
        let rewrite = Rewrite {
            config,
            rules,
            scorer: self.scorer.as_ref(),
            plan: &plan,
            survey: survey.as_ref(),
            indexes,
            memory: &self.memory,
            progress,
        };
        if let Some(survey) = &survey
            && config.on_bad_record == OnBadRecord::Stop
            && let Some((file_idx, record, what)) = &survey.first_bad
        {
            let place = rewrite::tell_record(&plan, *file_idx, *record);
            return Err(Error::record(place, what.clone(), "nothing was written, as --on-bad-record says"));
        }
        then(&rewrite)
    }

    fn stop_at_limit(&self, report: &Report) -> Result<()> {
        match report.limits_crossed.first() {
            Some(crossed) if self.config.on_limit == OnLimit::Stop => {
                let remedy = "nothing was written; look at what would go with --dry-run, or raise the limit";
                Err(Error::limit(crossed.clone(), remedy))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a journal or a report that would take the place of an input, of an output or of each other.
    fn refuse_side_outputs(&self, plan: &Plan, output: Option<&Path>, may_replace: bool) -> Result<()> {
        let taken = |path: &Path| {
            let (is_there, name) = (path.exists(), path.file_name());
            let path = canonical_to_be(path);
            // What is not there is no input, and of outputs it is none by another name.
            let may_be = |other: &&Path| is_there || other.file_name() == name;
            let is_path = |other: &Path| path.is_some() && canonical_to_be(other) == path;
            let inputs = plan.files.iter().map(|file| file.input.path());
            let outputs = plan.files.iter().filter_map(|file| file.output.as_ref().map(Address::path));
            inputs.chain(outputs).chain(output).filter(may_be).any(is_path)
        };
        let Config { journal, report, dry_run, .. } = self.config;
        for side in [journal, report].into_iter().flatten() {
            if taken(side) || is_own(side) {
                let what = format!("{}: is an input or an output too; choose another file", side.display());
                return Err(Error::usage(what));
            }
        }
        if let (Some(journal), Some(report)) = (journal, report)
            && canonical_to_be(journal) == canonical_to_be(report)
        {
            return Err(Error::usage("journal and report are the same file; choose two"));
        }
        // A dry run writes no journal.
        let journal = journal.as_ref().filter(|_| !dry_run);
        journal.into_iter().chain(report).try_for_each(|side| refuse_existing_file(&Address::local(side), may_replace))
    }

    /// Refuses a journal or a report that the next run would take for an input.
    fn refuse_inputs_to_be(&self, inputs: &Inputs) -> Result<()> {
        let Config { journal, report, .. } = self.config;
        for side in [journal, report].into_iter().flatten().filter(|side| plan::by_name(side).is_some()) {
            let Some(path) = canonical_to_be(side) else { continue };
            let is_around =
                |input: &&PathBuf| input.canonicalize().is_ok_and(|input| input.is_dir() && path.starts_with(input));
            if let Some(input) = inputs.paths().iter().find(is_around) {
                let (side, input) = (side.display(), input.display());
                let what = format!("{side}: is in the input folder {input}, and would be an input of the next run");
                return Err(Error::usage(format!("{what}; choose a place outside of it")));
            }
        }
        Ok(())
    }

    fn begin_report(&self) -> Result<Option<Unfinished>> {
        let create = |path: &PathBuf| Unfinished::create(&Address::local(path), self.config.may_replace());
        self.config.report.as_ref().map(create).transpose()
    }

    fn end(&self, mut report: Report, file: Option<Unfinished>, started: Instant) -> Result<Report> {
        report.times = Times { seconds: started.elapsed().as_secs_f64(), peak_memory: memory::peak() };
        if let Some(mut file) = file {
            let path = self.config.report.as_deref().unwrap_or("report".as_ref());
            file.write_all(report.to_json().as_bytes()).map_err(|source| Error::writing(path, source))?;
            file.finish()?;
        }
        Ok(report)
    }
}

fn refuse_existing_file(to: &Address, force: bool) -> Result<()> {
    refuse_no_file(to)?;
    if !force && to.is_there()? {
        let what = format!("{}: exists; choose another, or replace it with --force", to.display());
        return Err(Error::usage(what));
    }
    Ok(())
}

/// Opens a file for reading.
fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| Error::reading(path, source))
}

/// Writes a whole file, which appears under its name when it is on the disk.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], may_replace: bool) -> Result<()> {
    let to = Address::local(path);
    refuse_existing_file(&to, may_replace)?;
    let mut file = Unfinished::create(&to, may_replace)?;
    file.write_all(bytes).map_err(|source| Error::writing(path, source))?;
    file.finish()
}
