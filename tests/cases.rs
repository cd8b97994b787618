//! Tests as data: every case of `tests/cases/*.toml`, on every path that a text can take through dehusk.
//!
//! ```text
//! files     a folder of the files, at 1, 2 and 7 threads, and with a bound to the memory: the same output, journal and report; dry; to one stream;
//!           and each explained
//! restore   what was cleaned, and the journal, give the inputs bit for bit
//! jsonl     the same documents as records of one file, spelled in two ways
//! stream    read once: byte by byte, and as much as there is
//! cleaner   document by document, in memory
//! ```
//!
//! All must leave the same text for the same reasons. `tests/cases/case.rs` says how a case is written.

#[path = "cases/case.rs"]
mod case;
#[path = "cases/told.rs"]
mod told;

use anyhow::{Context, Result, anyhow, ensure};
use case::{Case, Skippable};
use dehusk::config::Size;
use dehusk::run::{Report, Run, restore};
use dehusk::{Cleaner, Config, Document, Keep, Scope, Scratch};
use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read};
use std::path::Path;
use told::{Cuts, Named, cuts_of, jsonl_documents, reason_of};

#[test]
fn every_case_leaves_the_same_on_every_path() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).collect();
    paths.sort();
    let mut names = HashSet::new();
    let cases: Vec<Case> = paths.iter().flat_map(|path| case::read(path, &mut names).unwrap()).collect();
    assert!(cases.len() > 60, "only {} cases were found", cases.len());
    let failures: Vec<String> = std::thread::scope(|scope| {
        let halves: Vec<_> = cases.chunks(cases.len().div_ceil(2)).map(|half| scope.spawn(|| failures(half))).collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} of {} cases fail:\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}

fn failures(cases: &[Case]) -> Vec<String> {
    let outcome = |case: &Case| std::panic::catch_unwind(|| check(case)).unwrap_or_else(|_| Err(anyhow!("it panics")));
    let failure = |case: &Case| match (outcome(case), &case.bug) {
        (Err(error), None) => Some(format!("{}: {error:#}", case.name)),
        (Ok(()), Some(bug)) => Some(format!("{}: passes, so that this is mended: {bug}; delete the key", case.name)),
        _ => None,
    };
    cases.iter().filter_map(failure).collect()
}

fn check(case: &Case) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bench = Bench::set_up(case, folder.path())?;
    if case.error.is_some() {
        return bench.stops();
    }
    let cuts = bench.files()?;
    if case.is_text() && case.goes(Skippable::Jsonl) {
        bench.jsonl(&cuts)?;
    }
    if case.goes(Skippable::Stream) {
        bench.stream(&cuts).context("stream")?;
    }
    if case.goes(Skippable::Cleaner) {
        bench.cleaner(&cuts).context("cleaner")?;
    }
    Ok(())
}

/// A case with its files in a folder of its own.
struct Bench<'c> {
    case: &'c Case,
    config: Config,
    folder: &'c Path,
}

/// What a run over files did.
#[derive(PartialEq)]
struct Done {
    outputs: BTreeMap<String, Vec<u8>>,
    journal: String,
    /// The report but for its times.
    report: serde_json::Value,
}

impl<'c> Bench<'c> {
    fn set_up(case: &'c Case, folder: &'c Path) -> Result<Self> {
        let mut config = case.config.clone();
        std::fs::create_dir(folder.join("in"))?;
        for file in &case.files {
            let path = folder.join("in").join(&file.name);
            std::fs::create_dir_all(path.parent().context("a file in a folder")?)?;
            std::fs::write(path, &file.text)?;
        }
        for name in &case.dangling {
            std::os::unix::fs::symlink("nowhere", folder.join("in").join(name))?;
        }
        ensure!(case.files.is_sorted_by_key(|file| Path::new(&file.name)), "files stand in input order");
        if let Some(pack) = &case.pack {
            let path = folder.join("pack.toml");
            std::fs::write(&path, pack)?;
            config.pack.push(path.display().to_string());
        }
        Ok(Bench { case, config, folder })
    }

    /// The configuration for a run whose outputs have `label` in their names.
    fn config(&self, label: &str, threads: usize) -> Config {
        let path = |kind: &str| Some(self.folder.join(format!("{kind}-{label}")));
        Config { output: path("out"), journal: path("journal"), threads: Some(threads), ..self.config.clone() }
    }

    fn run(&self, label: &str, threads: usize, memory: Option<Size>, input: &Path) -> Result<Done> {
        let config = Config { memory, ..self.config(label, threads) };
        let report = Run::new(&config, &())?.files(&[input.to_owned()])?;
        let output = self.folder.join(format!("out-{label}"));
        let journal = self.folder.join(format!("journal-{label}"));
        let done = Done {
            outputs: contents(&output)?,
            journal: std::fs::read_to_string(&journal)?,
            report: without_times(&report)?,
        };
        let removed = &report.removed;
        let of_pages = [&removed.scores, &removed.templates, &removed.running];
        let tallies = removed.rules.values().chain(of_pages).chain([&removed.repeats, &removed.copies, &removed.gaps]);
        let n_bytes: u64 = tallies.map(|tally| tally.bytes).sum();
        ensure!(n_bytes == report.totals.text_bytes_removed, "reasons do not add up to what was removed");
        let n_cut = told::bytes_cut(&done.journal)?;
        ensure!(n_cut == report.totals.bytes_in - report.totals.bytes_out, "the journal has {n_cut} bytes: {report:?}");

        let restored = restore(&output, &journal, &self.folder.join(format!("restored-{label}")), false)?;
        ensure!(restored.failed.is_empty(), "restore: {:?}", restored.failed);
        let originals = contents(&self.folder.join(format!("restored-{label}")))?;
        let mut inputs = contents(input)?;
        inputs.retain(|name, _| [".txt", ".jsonl"].iter().any(|kind| name.ends_with(kind)));
        ensure!(originals == inputs, "restore gives {originals:?}");
        Ok(done)
    }

    fn files(&self) -> Result<Cuts> {
        let input = self.folder.join("in");
        let done = self.run("1", 1, None, &input).context("files")?;
        for (label, threads, memory) in [("2", 2, None), ("7", 7, None), ("bound", 2, Some(Size::new(512 << 20)))] {
            let other = self.run(label, threads, memory, &input).with_context(|| label.to_owned())?;
            ensure!(other == done, "{label}: not as with one thread");
        }
        let left = self.case.files.iter().filter_map(|file| Some((file.name.clone(), file.left.clone()?)));
        same_texts(&done.outputs, &left.collect())?;
        let shown = |key: &str| -> Result<Vec<String>> {
            let list: Vec<String> = serde_json::from_value(done.report[key].clone())?;
            Ok(list.iter().map(|line| line.replace(&format!("{}/", input.display()), "")).collect())
        };
        let told = case::Told {
            bad_records: shown("bad_records")?,
            limits: shown("limits_crossed")?,
            failed_files: shown("failed_files")?,
            passed_over: shown("passed_over")?,
        };
        ensure!(told == self.case.told, "the report tells {told:?}");
        let is_text = self.case.is_text();
        let cuts =
            cuts_of(&done.journal, |file, record| if is_text { file.to_owned() } else { format!("{file}:{record}") })?;
        for file in &self.case.files {
            let own = |name: &&String| **name == file.name || name.starts_with(&format!("{}:", file.name));
            let reasons = cuts.iter().filter(|(name, _)| own(name)).flat_map(|(_, reasons)| reasons.clone());
            let reasons: Vec<String> = reasons.collect();
            ensure!(file.cuts.as_ref().is_none_or(|wanted| *wanted == reasons), "{}: cuts are {reasons:?}", file.name);
        }
        self.dry(&done).context("dry run")?;
        self.to_one_stream().context("files to one stream")?;
        if is_text {
            self.explained().context("explain")?;
        }
        Ok(cuts)
    }

    /// Explained, a text is told in full, and what has no reason to go is what is left.
    fn explained(&self) -> Result<()> {
        let config = Config { output: None, journal: None, ..self.config("explain", 2) };
        let run = Run::new(&config, &())?;
        let input = self.folder.join("in");
        for file in &self.case.files {
            let (mut all, mut left) = (Vec::new(), Vec::new());
            run.explain(std::slice::from_ref(&input), &input.join(&file.name), &mut |explained| {
                for piece in explained.pieces {
                    all.extend_from_slice(&piece.text);
                    left.extend_from_slice(if piece.reason.is_none() { &piece.text } else { b"" });
                }
            })?;
            // The byte order mark is no part of the text.
            let text = |bytes: &[u8]| bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).to_vec();
            same_text(&all, &text(&file.text))?;
            file.left.as_ref().map_or(Ok(()), |wanted| same_text(&left, &text(wanted)))?;
        }
        Ok(())
    }

    fn dry(&self, done: &Done) -> Result<()> {
        let config = Config { dry_run: true, output: None, journal: None, ..self.config("dry", 2) };
        let report = without_times(&Run::new(&config, &())?.files(&[self.folder.join("in")])?)?;
        for key in ["totals", "removed", "limits_crossed", "bad_records"] {
            ensure!(report[key] == done.report[key], "{key}: {} is told as {}", done.report[key], report[key]);
        }
        Ok(())
    }

    fn to_one_stream(&self) -> Result<()> {
        let config = Config { output: None, journal: None, ..self.config("one", 2) };
        let mut out = Vec::new();
        Run::new(&config, &())?.files_to(&[self.folder.join("in")], &mut out)?;
        let left: Vec<u8> = self.case.files.iter().flat_map(|file| file.left.clone().unwrap_or_default()).collect();
        same_text(&out, &left)
    }

    fn jsonl(&self, cuts: &Cuts) -> Result<()> {
        for spelling in [told::Spelling::Raw, told::Spelling::Escaped] {
            let label = format!("{spelling:?}");
            let input = self.folder.join(&label);
            let (records, left) = told::as_jsonl(self.case, spelling).with_context(|| label.clone())?;
            std::fs::create_dir(&input)?;
            std::fs::write(input.join("all.jsonl"), records)?;
            let done = self.run(&label, 2, None, &input).with_context(|| label.clone())?;
            same_texts(&done.outputs, &BTreeMap::from([("all.jsonl".to_owned(), left)]))
                .with_context(|| label.clone())?;
            let own = cuts_of(&done.journal, |_, record| self.case.files[record - 1].name.clone())?;
            ensure!(decided(&own) == decided(cuts), "{label}: cuts are {own:?}");
        }
        Ok(())
    }

    fn stream(&self, cuts: &Cuts) -> Result<()> {
        let files = &self.case.files;
        let (input, left, names) = match &files[..] {
            [file] if self.case.is_text() => {
                (file.text.clone(), file.left.clone().unwrap_or_default(), vec![file.name.clone()])
            }
            _ if self.case.is_text() => {
                let (records, left) = told::as_jsonl(self.case, told::Spelling::Raw)?;
                (records, left, files.iter().map(|file| file.name.clone()).collect())
            }
            _ => told::joined(self.case),
        };
        let is_jsonl = !self.case.is_text() || files.len() != 1;
        let format = if is_jsonl { dehusk::config::Format::Jsonl } else { dehusk::config::Format::Text };
        let is_refused = needs_two_passes(&self.config);
        let mut journals = Vec::new();
        for label in ["by-byte", "at-once"] {
            let config = Config { format, output: None, ..self.config(label, 2) };
            let run = Run::new(&config, &())?;
            let mut out = Vec::new();
            let outcome = if label == "by-byte" {
                run.stream(ByByte(Cursor::new(input.clone())), &mut out)
            } else {
                run.stream(Cursor::new(input.clone()), &mut out)
            };
            if is_refused {
                let error = outcome.err().context("a stream cannot be read twice")?;
                ensure!(error.is_config(), "{error}");
                continue;
            }
            outcome?;
            same_text(&out, &left).context(label)?;
            let journal = self.folder.join(format!("journal-{label}"));
            journals.push(std::fs::read_to_string(&journal)?);
            let own = cuts_of(journals.last().context("one was pushed")?, |_, record| names[record - 1].clone())?;
            ensure!(decided(&own) == decided(cuts), "{label}: cuts are {own:?}");
            let (cleaned, restored) = (self.folder.join(label), self.folder.join(format!("restored-{label}")));
            std::fs::write(&cleaned, &out)?;
            let failed = restore(&cleaned, &journal, &restored, false)?.failed;
            ensure!(failed.is_empty() && std::fs::read(&restored)? == input, "{label}: not restored: {failed:?}");
        }
        ensure!(journals.windows(2).all(|pair| pair[0] == pair[1]), "how the input comes in pieces shows");
        Ok(())
    }

    fn cleaner(&self, cuts: &Cuts) -> Result<()> {
        let cleaner = match Cleaner::new(&self.config) {
            Err(error) if error.is_config() && needs_two_passes(&self.config) => return Ok(()),
            cleaner => cleaner?,
        };
        let documents: Vec<Named> = if self.case.is_text() {
            self.case.files.iter().map(Named::of_file).collect()
        } else {
            jsonl_documents(self.case)?
        };
        let names: Vec<&str> = documents.iter().map(|named| named.name.as_str()).collect();
        let mut scratch = Scratch::default();
        let mut own = Cuts::new();
        for (document_idx, named) in documents.iter().enumerate() {
            let document =
                Document { text: &named.text, url: named.url.as_deref(), site: named.site.as_deref(), id: None };
            let cleaned = cleaner.clean(&document, &mut scratch)?;
            match &named.left {
                Some(left) => same_text(cleaned.text(), left).with_context(|| named.name.clone())?,
                None => ensure!(dehusk::text::is_blank(cleaned.text()), "{}: not empty", named.name),
            }
            // Within documents nothing is remembered, and places are those of the document at hand.
            let is_alone = matches!(self.config.scope, Scope::Document | Scope::Off);
            let at_hand = if is_alone { &names[document_idx..] } else { &names[..] };
            let reasons = cleaned.cuts().iter().map(|cut| reason_of(&cleaner, cut.reason, at_hand));
            own.entry(named.name.clone()).or_default().extend(reasons);
        }
        ensure!(decided(&own) == decided(cuts), "cuts are {own:?}");
        Ok(())
    }

    /// Runs that must stop: on every number of threads with the same words and without a file.
    fn stops(&self) -> Result<()> {
        for threads in [1, 2, 7] {
            let config = self.config(&threads.to_string(), threads);
            let outcome = Run::new(&config, &()).and_then(|run| run.files(&[self.folder.join("in")]));
            let error = outcome.err().context("it was to stop")?;
            ensure!(Some(error.to_string()) == self.case.error, "it stops with {error}");
            ensure!(contents(&self.folder.join(format!("out-{threads}")))?.is_empty(), "something was written");
            ensure!(!self.folder.join(format!("journal-{threads}")).exists(), "a journal was written");
        }
        if self.case.goes(Skippable::Stream) {
            let config = Config { output: None, ..self.config("stream", 2) };
            let (input, ..) = told::joined(self.case);
            let error = Run::new(&config, &())?.stream(Cursor::new(input), &mut Vec::new()).err();
            ensure!(error.is_some_and(|error| error.is_record() || error.is_limit()), "a stream was to stop too");
        }
        Ok(())
    }
}

fn needs_two_passes(config: &Config) -> bool {
    config.keep == Keep::None && matches!(config.scope, Scope::Corpus | Scope::Site)
}

/// The cuts without those that only drop what is left of a record, which depend on what a record is.
fn decided(cuts: &Cuts) -> Cuts {
    let mut cuts = cuts.clone();
    cuts.values_mut().for_each(|reasons| reasons.retain(|reason| reason != "empty"));
    cuts.retain(|_, reasons| !reasons.is_empty());
    cuts
}

/// All files in a folder, by their paths in it.
fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut contents = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(|entry| entry.ok()) {
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder)?.to_string_lossy().into_owned();
            contents.insert(name, std::fs::read(entry.path())?);
        }
    }
    Ok(contents)
}

fn without_times(report: &Report) -> Result<serde_json::Value> {
    let mut report: serde_json::Value = serde_json::from_str(&report.to_json())?;
    report.as_object_mut().context("a report is an object")?.remove("times");
    Ok(report)
}

fn same_texts(outputs: &BTreeMap<String, Vec<u8>>, left: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    ensure!(outputs.keys().eq(left.keys()), "files are {:?}, not {:?}", outputs.keys(), left.keys());
    outputs.iter().try_for_each(|(name, text)| same_text(text, &left[name]).with_context(|| name.clone()))
}

fn same_text(text: &[u8], left: &[u8]) -> Result<()> {
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\n", "⏎\n    ");
    ensure!(text == left, "leaves\n    {}\n  not\n    {}", shown(text), shown(left));
    Ok(())
}

/// Gives a byte at a time.
struct ByByte<R>(R);

impl<R: Read> Read for ByByte<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_bytes = buffer.len().min(1);
        self.0.read(&mut buffer[..n_bytes])
    }
}
