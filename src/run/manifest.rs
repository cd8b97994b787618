//! The manifest of a run into a folder: what it was begun with, and what is done, so that another can go on with it.
//!
//! It is a log in the output folder, and is there as long as the run is unfinished:
//!
//! ```text
//! head      version, configuration, hash of packs and weights, inputs with sizes and times
//! part      what came of a part of a file: counts, bad records, and behind a newline the lines of the journal
//! done      files whose outputs have their names, with the outputs' sizes
//! index     what the index that remembers will be, when all is done but that
//! ```
//! A file is done when its output has its name and the log says so. What the log has of a file that is not done counts for
//! nothing. A part comes before its file is done, so that a log that is torn lacks nothing of what it calls done.

use super::finishing::Finished;
use super::output::own_name;
use super::plan::{Plan, PlannedFile};
use super::report::{PartDone, PartNumbers, settings};
use super::source::Part;
use crate::config::Config;
use crate::durable::{Committed, IndexState};
use crate::error::{Error, Result};
use crate::log::{Log, Stretch};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The version of the manifest's format.
const MANIFEST_VERSION: u32 = 1;

/// Where the manifest of a run into a folder is.
pub(super) fn manifest_path(output: &Path) -> PathBuf {
    output.join(own_name("run"))
}

/// Whether a run into a folder is unfinished.
pub(super) fn is_unfinished(output: &Path) -> bool {
    manifest_path(output).is_file()
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Entry {
    Head(Head),
    Part {
        file: usize,
        number: usize,
        done: PartNumbers,
    },
    /// Files, and of how many bytes their outputs are; nothing was written where nothing is left.
    Done(Vec<(usize, Option<u64>)>),
    /// What the index will be when it has what is new.
    Index(Committed),
}

/// What a run was begun with.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Head {
    manifest: u32,
    dehusk: String,
    config: serde_json::Map<String, serde_json::Value>,
    journal: Option<String>,
    report: Option<String>,
    /// BLAKE3 of packs and weights that are files.
    rules: String,
    /// How the indexes were: the one that remembers first, if there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<IndexState>,
    /// The inputs that are cleaned, in order.
    inputs: Vec<Input>,
    /// Those that the survey could not read.
    left_out: Vec<Input>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Input {
    path: String,
    /// What it is called below the output.
    name: String,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: Option<i128>,
    /// What the server calls its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl Input {
    fn of(file: &PlannedFile) -> Self {
        let nanoseconds = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_nanos()),
            Err(before) => i128::try_from(before.duration().as_nanos()).map(|nanoseconds| -nanoseconds),
        };
        let modified = file.version.modified.and_then(|time| nanoseconds(time).ok());
        let [path, name] = [file.input.path(), &file.name].map(|path| path.display().to_string());
        Input { path, name, bytes: file.bytes, modified, tag: file.version.tag.clone() }
    }
}

impl Head {
    fn of(config: &Config, inputs: Vec<Input>, indexes: Vec<IndexState>) -> Self {
        let told = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let mut hasher = blake3::Hasher::new();
        // Names of built-in packs are no files, and what is in those follows from the version.
        for file in config.pack.iter().map(Path::new).chain(config.weights.as_deref()) {
            let bytes = std::fs::read(file).unwrap_or_default();
            hasher.update(blake3::hash(&bytes).as_bytes());
        }
        Head {
            manifest: MANIFEST_VERSION,
            dehusk: env!("CARGO_PKG_VERSION").into(),
            config: settings(config),
            journal: told(&config.journal),
            report: told(&config.report),
            rules: hasher.finalize().to_hex().to_string(),
            indexes,
            inputs,
            left_out: Vec::new(),
        }
    }

    /// What is other now, in words, inputs aside.
    fn difference(&self, now: &Head) -> Option<String> {
        if (self.manifest, &self.dehusk) != (now.manifest, &now.dehusk) {
            return Some(format!("it was begun by dehusk {}, and this is {}", self.dehusk, now.dehusk));
        }
        let keys: HashSet<&String> = self.config.keys().chain(now.config.keys()).collect();
        let mut keys: Vec<&String> =
            keys.into_iter().filter(|key| self.config.get(*key) != now.config.get(*key)).collect();
        keys.sort();
        if let Some(key) = keys.first() {
            let [then, now] = [self, now].map(|head| head.config.get(*key).cloned().unwrap_or_default());
            return Some(format!("it was begun with {key} as {then}, not {now}"));
        }
        for (key, then, now) in [("journal", &self.journal, &now.journal), ("report", &self.report, &now.report)] {
            if then != now {
                let told = |path: &Option<String>| path.clone().unwrap_or("none".into());
                return Some(format!("it was begun with {key} as {}, not {}", told(then), told(now)));
            }
        }
        (self.rules != now.rules).then(|| "a pack or the weights changed since it was begun".into())
    }
}

/// How inputs differ from those that a run was begun with, in words.
fn changed_input(then: &[Input], now: &[Input]) -> Option<String> {
    if then == now {
        return None;
    }
    let known: HashMap<&str, &Input> = then.iter().map(|input| (input.path.as_str(), input)).collect();
    let found: HashSet<&str> = now.iter().map(|input| input.path.as_str()).collect();
    for input in now {
        match known.get(input.path.as_str()) {
            None => return Some(format!("{} is new since it was begun", input.path)),
            Some(known) if known.name != input.name => {
                return Some(format!("{} would be written as {}, not {}", input.path, input.name, known.name));
            }
            Some(known) if *known != input => return Some(format!("{} changed since it was begun", input.path)),
            Some(_) => {}
        }
    }
    let gone = then.iter().find(|input| !found.contains(input.path.as_str()));
    Some(
        gone.map_or("the inputs are in another order".into(), |input| {
            format!("{} is gone or cannot be read", input.path)
        }),
    )
}

fn refused(path: &Path, difference: &str) -> Error {
    let folder = path.parent().unwrap_or(path).display();
    let remedy = "give the command it was begun with, or begin anew with --force in place of --resume";
    Error::usage(format!("{folder}: the unfinished run cannot be gone on with: {difference}; {remedy}"))
}

/// What a run keeps of itself while it is at work.
#[derive(Debug)]
pub(super) struct Manifest {
    state: Mutex<State>,
    /// The files that an earlier run had done.
    earlier: HashSet<usize>,
}

#[derive(Debug)]
struct State {
    log: Log,
    /// What is noted of parts, by file and part.
    parts: BTreeMap<(usize, usize), NotedPart>,
}

/// Where it lies what is noted of a part.
#[derive(Clone, Copy, Debug)]
struct NotedPart {
    /// The entry as JSON, of which only that of an earlier run is read again.
    entry: Stretch,
    /// The lines of the journal.
    lines: Stretch,
}

/// An unfinished run that is gone on with.
#[derive(Debug)]
pub(super) struct Begun {
    path: PathBuf,
    state: State,
    head: Head,
    /// Sizes of the outputs that got their names.
    outputs: BTreeMap<usize, Option<u64>>,
    /// What the index was to be when the run had come to that.
    index: Option<Committed>,
}

impl Begun {
    /// The run that is unfinished in a folder, if there is one and the configuration asks to go on with it. Its inputs are
    /// those of `plan`, or else it is refused.
    pub(super) fn find(config: &Config, output: &Path, plan: &Plan, indexes: &[IndexState]) -> Result<Option<Self>> {
        let path = manifest_path(output);
        if !config.resume {
            return Ok(None);
        }
        let (mut head, mut parts, mut outputs, mut index) = (None, BTreeMap::new(), BTreeMap::new(), None);
        let log = Log::open(&path, |entry, stretch| {
            let json_bytes = entry.iter().position(|byte| *byte == b'\n').unwrap_or(entry.len());
            match (serde_json::from_slice(&entry[..json_bytes]), head.is_some()) {
                (Ok(Entry::Head(found)), false) => head = Some(found),
                (Ok(Entry::Part { file, number, .. }), true) => {
                    let noted = NotedPart { entry: stretch.first(json_bytes), lines: stretch.behind(json_bytes + 1) };
                    parts.insert((file, number), noted);
                }
                (Ok(Entry::Done(files)), true) => outputs.extend(files),
                (Ok(Entry::Index(committed)), true) => index = Some(committed),
                // Of another version.
                _ => return Err(refused(&path, "another version of dehusk wrote what is there")),
            }
            Ok(true)
        })?;
        // A run that was killed before all of the head was written has done nothing.
        let (Some(log), Some(head)) = (log, head) else { return Ok(None) };
        let begun = Begun { path, state: State { log, parts }, head, outputs, index };
        let mut remembering = begun.head.indexes.clone();
        if let (Some(own), Some(committed)) = (remembering.first_mut(), begun.index) {
            own.committed = committed;
        }
        if begun.head.indexes != indexes && remembering != indexes {
            return Err(refused(&begun.path, "an index has changed since it was begun"));
        }
        let is_left_out = |input: &Input| begun.head.left_out.contains(input);
        let now = plan.files.iter().map(Input::of).filter(|input| !is_left_out(input)).collect();
        begun.refuse_difference(config, now)?;
        Ok(Some(begun))
    }

    fn refuse_difference(&self, config: &Config, inputs: Vec<Input>) -> Result<()> {
        let now = Head::of(config, inputs, self.head.indexes.clone());
        let difference = self.head.difference(&now).or_else(|| changed_input(&self.head.inputs, &now.inputs));
        difference.map_or(Ok(()), |difference| Err(refused(&self.path, &difference)))
    }

    /// What is done, as far as the outputs are still there.
    fn into_manifest(self, config: &Config, plan: &Plan) -> Result<Manifest> {
        self.refuse_difference(config, plan.files.iter().map(Input::of).collect())?;
        let Begun { state, outputs, .. } = self;
        let is_there = |file_idx: &usize, expected: &Option<u64>| {
            let output = plan.files.get(*file_idx).and_then(|file| file.output.as_ref());
            let found = output.and_then(|output| output.stat().ok()).map(|stat| stat.bytes);
            expected.is_none() || found == *expected
        };
        let there = outputs.iter().filter(|(file_idx, expected)| is_there(file_idx, expected));
        let earlier = there.map(|(file_idx, _)| *file_idx).collect();
        Ok(Manifest { state: Mutex::new(state), earlier })
    }
}

impl Manifest {
    /// Begins the manifest of a run into a folder, or goes on with that of an unfinished one.
    pub(super) fn begin(
        config: &Config,
        output: &Path,
        plan: &Plan,
        indexes: &[IndexState],
        begun: Option<Begun>,
    ) -> Result<Self> {
        if let Some(begun) = begun {
            return begun.into_manifest(config, plan);
        }
        let head = Head {
            left_out: plan.left_out.iter().map(Input::of).collect(),
            ..Head::of(config, plan.files.iter().map(Input::of).collect(), indexes.to_vec())
        };
        let mut log = Log::create(&manifest_path(output))?;
        log.append(&[&Entry::Head(head).to_json()])?;
        Ok(Manifest::of(log))
    }

    /// The lines of a journal and no more, for a run that cannot be gone on with.
    pub(super) fn of_journal(journal: &Path) -> Result<Self> {
        Log::unseen(journal).map(Manifest::of)
    }

    fn of(log: Log) -> Self {
        let state = State { log, parts: BTreeMap::new() };
        Manifest { state: Mutex::new(state), earlier: HashSet::new() }
    }

    /// Whether an earlier run had done a file.
    pub(super) fn is_done(&self, file_idx: usize) -> bool {
        self.earlier.contains(&file_idx)
    }

    /// Tells what came of the parts of each file that an earlier run had done.
    pub(super) fn tell_earlier(&self, mut tell: impl FnMut(usize, Vec<PartDone>)) -> Result<()> {
        let mut state = self.state();
        let State { log, parts } = &mut *state;
        for &file_idx in &self.earlier {
            let mut done = Vec::new();
            for (_, noted) in of_file(parts, file_idx) {
                let mut json = Vec::new();
                log.copy(noted.entry, &mut json).map_err(|source| log.reading(source))?;
                match serde_json::from_slice(&json) {
                    Ok(Entry::Part { done: numbers, .. }) => done.push(numbers.into()),
                    _ => return Err(log.reading(ErrorKind::InvalidData.into())),
                }
            }
            tell(file_idx, done);
        }
        Ok(())
    }

    /// Notes what came of a part, with its lines of the journal.
    pub(super) fn note_part(&self, part: &Part, done: &PartDone, lines: &[u8]) -> Result<()> {
        let (file, number) = (part.file_idx, part.number);
        let mut json = Entry::Part { file, number, done: done.numbers() }.to_json();
        json.push(b'\n');
        let mut state = self.state();
        let lines = state.log.append(&[&json, lines])?;
        state.parts.insert((file, number), NotedPart { entry: Stretch::default(), lines });
        Ok(())
    }

    /// Notes files whose outputs have their names.
    pub(super) fn note_finished(&self, finished: &[Finished]) -> Result<()> {
        let done: Vec<_> = finished.iter().map(|finished| (finished.file_idx, Some(finished.bytes))).collect();
        if done.is_empty() { Ok(()) } else { self.note_done(done) }
    }

    /// Notes a file of which nothing is left, so that it has no output.
    pub(super) fn note_dropped(&self, file_idx: usize) -> Result<()> {
        self.note_done(vec![(file_idx, None)])
    }

    /// Notes what the index will be that is about to take in what is new.
    pub(super) fn note_index(&self, committed: Committed) -> Result<()> {
        let mut state = self.state();
        state.log.append(&[&Entry::Index(committed).to_json()])?;
        state.log.sync()
    }

    fn note_done(&self, done: Vec<(usize, Option<u64>)>) -> Result<()> {
        self.state().log.append(&[&Entry::Done(done).to_json()]).map(drop)
    }

    /// Writes the lines of the journal of a file.
    pub(super) fn copy_lines(&self, file_idx: usize, to: &mut impl Write) -> std::io::Result<()> {
        let mut state = self.state();
        let State { log, parts } = &mut *state;
        of_file(parts, file_idx).try_for_each(|(_, noted)| log.copy(noted.lines, to))
    }

    /// Removes the manifest: the run is at its end.
    pub(super) fn remove(self) -> Result<()> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).log.remove()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is noted of the parts of a file, in their order.
fn of_file(
    parts: &BTreeMap<(usize, usize), NotedPart>,
    file_idx: usize,
) -> impl Iterator<Item = (&(usize, usize), &NotedPart)> {
    parts.range((file_idx, 0)..=(file_idx, usize::MAX))
}

impl Entry {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry has only strings, numbers and flags")
    }
}
