//! The plan: inputs expanded, sorted and numbered, outputs paired with them, collisions refused before any work.

use super::inputs::Inputs;
use super::manifest::is_unfinished;
use super::output::{is_own, output_codec};
use crate::codec::{Codec, Unpacked};
#[cfg(feature = "parquet")]
use crate::config::OnBadRecord;
use crate::config::{Compress, Config, Format, Framing, OutputFormat};
use crate::encoding::{Encoding, Utf8Check, guess};
use crate::error::{Error, Result};
use crate::record::{BYTE_ORDER_MARK, Fields, Layout, Table};
use crate::text::is_blank;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// What a run works on, in input order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) files: Vec<PlannedFile>,
    /// Files in folders that are of no format by their names.
    pub(crate) passed_over: Vec<PathBuf>,
    /// What could not be read when inputs were expanded, or surveyed.
    pub(crate) failed: Vec<Error>,
    /// The files among these that were in the plan.
    pub(crate) left_out: Vec<PlannedFile>,
    /// The folder that outputs go into; none if they go to one stream, or to one file.
    pub(crate) folder: Option<PathBuf>,
}

/// An input file and its output.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    pub(crate) input: PathBuf,
    /// Its path within the output, or its file name: the name that journal and report use.
    pub(crate) name: PathBuf,
    /// Where its cleaned text goes; nowhere if all goes to one stream.
    pub(crate) output: Option<PathBuf>,
    pub(crate) layout: Layout,
    pub(crate) bytes: u64,
    pub(crate) modified: Option<SystemTime>,
    /// How its text is encoded, once it was read through to tell.
    guessed: OnceLock<Option<Encoding>>,
}

impl PlannedFile {
    /// How its text is encoded, given how it starts; nothing if it is UTF-8.
    pub(super) fn encoding(&self, config: &Config, start: &[u8]) -> Result<Option<Encoding>> {
        if !self.layout.may_be_encoded() {
            return Ok(None);
        }
        config.otherwise().encoding(start, || match self.guessed.get() {
            Some(guessed) => Ok(*guessed),
            None => {
                let guessed = guess_file(&self.input)?;
                Ok(*self.guessed.get_or_init(|| guessed))
            }
        })
    }
}

/// Where cleaned text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination<'d> {
    /// A file or a folder.
    Path(&'d Path),
    /// One stream for all.
    Stream,
}

impl Plan {
    /// Expands the inputs and pairs them with outputs.
    pub(crate) fn make(config: &Config, inputs: &Inputs, destination: Destination<'_>) -> Result<Self> {
        if inputs.paths().is_empty() {
            return Err(Error::usage("no input; name files or folders, or - for standard input"));
        }
        if config.framing != Framing::None {
            let what = "framing is for plain text on standard input; leave it out, or give the files one by one to -";
            return Err(Error::usage(what));
        }
        let may_replace = may_replace(config, destination)?;
        let mut plan = Plan::default();
        let mut roots: HashMap<PathBuf, &PathBuf> = HashMap::new();
        let (places, is_entry) = (inputs.places()?, inputs.become_entries());
        for input in inputs.paths() {
            let metadata = std::fs::metadata(input).map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => {
                    Error::usage(format!("{}: no such file or folder; check the path", input.display()))
                }
                _ => Error::reading(input, source),
            })?;
            let is_folder = metadata.is_dir();
            // Of an only folder, what is in it goes right into the output.
            let place = if is_entry || !is_folder { places.of(input)? } else { PathBuf::new() };
            let root = output_root(config, &place, is_folder, is_entry, destination)?;
            if let Some(root) = &root {
                if let Some(other) = roots.insert(root.clone(), input) {
                    return Err(clash(other, input, root));
                }
                refuse_overlap(input, root, is_folder)?;
                refuse_existing(root, may_replace)?;
            }
            if let Destination::Path(output) = destination
                && (is_folder || root.as_deref() != Some(output))
            {
                plan.folder = Some(output.to_owned());
            }
            let start = plan.files.len();
            if is_folder {
                plan.add_folder(config, input, &place, root.as_deref())?;
            } else {
                plan.add_file(config, input.clone(), place, root, true)?;
            }
            plan.files[start..].sort_by(|first, second| first.name.cmp(&second.name));
        }
        plan.refuse_output_on_input()?;
        plan.refuse_clash()?;
        Ok(plan)
    }

    /// The bytes of all inputs.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The plan without some of its files, given by number.
    pub(crate) fn without(mut self, files: &[usize]) -> Self {
        let files: HashSet<usize> = files.iter().copied().collect();
        for (file_idx, file) in std::mem::take(&mut self.files).into_iter().enumerate() {
            let kept = if files.contains(&file_idx) { &mut self.left_out } else { &mut self.files };
            kept.push(file);
        }
        self
    }

    fn add_folder(&mut self, config: &Config, folder: &Path, place: &Path, root: Option<&Path>) -> Result<()> {
        for entry in walkdir::WalkDir::new(folder).follow_links(true).min_depth(1).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    self.failed.push(Error::reading(&path, into_io_error(error)));
                    continue;
                }
            };
            if !entry.file_type().is_file() || is_own(entry.path()) {
                continue;
            }
            let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path()).to_owned();
            let output = root.map(|root| output_name(root.join(&relative), config));
            self.add_file(config, entry.path().to_owned(), place.join(relative), output, false)?;
        }
        Ok(())
    }

    fn add_file(
        &mut self,
        config: &Config,
        input: PathBuf,
        name: PathBuf,
        output: Option<PathBuf>,
        is_named: bool,
    ) -> Result<()> {
        if is_own(&input) {
            let what = format!("{}: is what an unfinished run left; it is no input, leave it out", input.display());
            return Err(Error::usage(what));
        }
        let format = match (config.format, by_name(&input)) {
            (Format::Auto, Some(format)) => format,
            (Format::Auto, None) if is_named => format_by_content(config, &input)?,
            (Format::Auto, None) => {
                self.passed_over.push(input);
                return Ok(());
            }
            (format, _) => format,
        };
        if config.journal.is_some() && name.to_str().is_none() {
            let what = format!("{}: the name is not UTF-8, which a journal needs; rename it", input.display());
            return Err(Error::usage(what));
        }
        let metadata = match std::fs::metadata(&input) {
            Ok(metadata) => metadata,
            Err(source) => {
                self.failed.push(Error::reading(&input, source));
                return Ok(());
            }
        };
        let layout = match file_layout(config, format, &input) {
            Ok(layout) => layout,
            Err(error) => {
                self.failed.push(if error.is_usage() { error.at(&input) } else { error });
                return Ok(());
            }
        };
        let (bytes, modified) = (metadata.len(), metadata.modified().ok());
        let guessed = OnceLock::new();
        self.files.push(PlannedFile { input, name, output, layout, bytes, modified, guessed });
        Ok(())
    }

    /// Refuses two inputs with one output, which writing or packing files otherwise than they came may make.
    fn refuse_clash(&self) -> Result<()> {
        let mut taken: HashMap<&Path, &Path> = HashMap::new();
        for file in &self.files {
            let Some(output) = file.output.as_deref() else { continue };
            if let Some(other) = taken.insert(output, &file.input) {
                return Err(clash(other, &file.input, output));
            }
        }
        Ok(())
    }

    /// Refuses an output that would take the place of an input, its own or another's.
    fn refuse_output_on_input(&self) -> Result<()> {
        let canonical = |file: &PlannedFile| file.input.canonicalize().ok();
        let inputs: HashSet<PathBuf> = self.files.iter().filter_map(canonical).collect();
        for output in self.files.iter().filter_map(|file| file.output.as_ref()) {
            if output.canonicalize().is_ok_and(|output| inputs.contains(&output)) {
                let what = format!("{}: the output is an input; choose another output", output.display());
                return Err(Error::usage(what));
            }
        }
        Ok(())
    }
}

/// So many bytes must hold the first row of a table.
const HEADER_BYTES: usize = 1 << 20;

/// How a file of a format is records; `start` gives the bytes that it starts with, so many at most.
pub(crate) fn layout_of(
    config: &Config,
    format: Format,
    start: impl FnOnce(usize) -> Result<Vec<u8>>,
) -> Result<Layout> {
    let fields = || fields(config);
    let table = |delimiter| {
        let start = start(HEADER_BYTES)?;
        Table::of_header(&start, delimiter, &fields()).map(Layout::Csv).map_err(Error::usage)
    };
    match format {
        Format::Jsonl => Ok(Layout::Jsonl(fields())),
        Format::Csv => table(None),
        Format::Tsv => table(Some(b'\t')),
        #[cfg(feature = "warc")]
        Format::Warc => Ok(Layout::Warc),
        #[cfg(feature = "parquet")]
        Format::Parquet => Err(Error::usage("Parquet is read from its end; save it to a file, and name that")),
        Format::Text | Format::Auto => Ok(Layout::Whole),
    }
}

fn fields(config: &Config) -> Fields {
    Fields {
        text: config.text_field.clone(),
        id: config.id_field.clone(),
        url: config.url_field.clone(),
        site: config.site_field.clone(),
    }
}

/// How a file of a format is records.
fn file_layout(config: &Config, format: Format, path: &Path) -> Result<Layout> {
    #[cfg(feature = "parquet")]
    if format == Format::Parquet {
        return parquet_layout(config, path);
    }
    layout_of(config, format, |n_bytes| read_text(config, path, n_bytes))
}

#[cfg(feature = "parquet")]
fn parquet_layout(config: &Config, path: &Path) -> Result<Layout> {
    use crate::record::parquet::{Columns, Unreadable};
    if let Some(codec) = File::open(path).and_then(Unpacked::new).ok().and_then(|file| file.codec()) {
        let what = format!("Parquet packed with {} cannot be read from its end; unpack it", codec.name());
        return Err(Error::usage(what));
    }
    let stays_parquet = config.output_format == OutputFormat::Same;
    if stays_parquet && config.compress != Compress::Auto {
        return Err(Error::usage("Parquet packs its columns itself, which stay as they are; leave --compress out"));
    }
    let drops_rows = stays_parquet && (config.drop_empty || config.on_bad_record == OnBadRecord::Skip);
    match Columns::of_file(path, fields(config), drops_rows) {
        Ok(columns) => Ok(Layout::Parquet(columns)),
        Err(Unreadable::Damaged(source)) => Err(Error::reading(path, source)),
        Err(Unreadable::NoText(what)) => Err(Error::usage(what)),
    }
}

/// The output that belongs to an input, which is called `place` in it: a file for a file, a folder for a folder.
fn output_root(
    config: &Config,
    place: &Path,
    is_folder: bool,
    is_entry: bool,
    destination: Destination<'_>,
) -> Result<Option<PathBuf>> {
    let Destination::Path(output) = destination else {
        return Ok(None);
    };
    if is_entry || (!is_folder && super::is_folder(output)) {
        if output.is_file() {
            let what = format!("{} is a file, but the output must be a folder here; choose another", output.display());
            return Err(Error::usage(what));
        }
        let root = output.join(place);
        return Ok(Some(if is_folder { root } else { output_name(root, config) }));
    }
    if is_folder && output.is_file() {
        let what = format!("{} is a file, but the input is a folder; choose a folder as output", output.display());
        return Err(Error::usage(what));
    }
    Ok(Some(output.to_owned()))
}

fn clash(first: &Path, second: &Path, output: &Path) -> Error {
    let is_one = first.canonicalize().is_ok_and(|first| second.canonicalize().is_ok_and(|second| first == second));
    let remedy = if is_one { "they are one; name it once" } else { "rename one, or clean them one by one" };
    let (first, second) = (first.display(), second.display());
    Error::usage(format!("{first} and {second} would both be written to {}; {remedy}", output.display()))
}

fn refuse_overlap(input: &Path, output: &Path, is_folder: bool) -> Result<()> {
    let (Ok(input_path), Some(output_path)) = (input.canonicalize(), canonical_to_be(output)) else {
        return Ok(());
    };
    let overlaps = if is_folder {
        output_path.starts_with(&input_path) || input_path.starts_with(&output_path)
    } else {
        output_path == input_path
    };
    if overlaps {
        let (input, output) = (input.display(), output.display());
        return Err(Error::usage(format!("{input} and its output {output} overlap; choose an output elsewhere")));
    }
    Ok(())
}

/// The canonical form of a path that may not exist yet.
pub(crate) fn canonical_to_be(path: &Path) -> Option<PathBuf> {
    let mut canonical = PathBuf::new();
    for component in std::path::absolute(path).ok()?.components() {
        match component {
            Component::ParentDir => {
                canonical.pop();
            }
            component => {
                canonical.push(component);
                canonical = canonical.canonicalize().unwrap_or(canonical);
            }
        }
    }
    Some(canonical)
}

/// Whether outputs that exist may be replaced. Refuses to begin where a run is unfinished, unless told what becomes of it.
fn may_replace(config: &Config, destination: Destination<'_>) -> Result<bool> {
    match destination {
        Destination::Path(output) if is_unfinished(output) => match config.may_replace() {
            true => Ok(true),
            false => {
                let remedy = "go on with it with --resume, or begin anew with --force";
                Err(Error::usage(format!("{}: a run into it is unfinished; {remedy}", output.display())))
            }
        },
        _ => Ok(config.force || config.dry_run),
    }
}

fn refuse_existing(output: &Path, may_replace: bool) -> Result<()> {
    if output.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        let what = format!("{}: is no file that can be replaced; choose another, or write to -", output.display());
        return Err(Error::usage(what));
    }
    if may_replace {
        return Ok(());
    }
    let is_there = match std::fs::read_dir(output) {
        // What a run left that was killed is nobody's.
        Ok(mut entries) => entries.any(|entry| entry.map_or(true, |entry| !is_own(&entry.path()))),
        Err(_) => output.exists(),
    };
    if is_there {
        let what = format!("{}: the output exists; choose another, or replace it with --force", output.display());
        return Err(Error::usage(what));
    }
    Ok(())
}

/// What a file is by its name.
pub(super) fn by_name(path: &Path) -> Option<Format> {
    let stem = PathBuf::from(path.file_name()?);
    let stem = if codec_of_name(&stem).is_some() { stem.with_extension("") } else { stem };
    let extension = stem.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "txt" | "text" => Some(Format::Text),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "csv" => Some(Format::Csv),
        "tsv" => Some(Format::Tsv),
        #[cfg(feature = "warc")]
        "warc" | "wet" => Some(Format::Warc),
        #[cfg(feature = "parquet")]
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}

/// What a file is packed with, if its name is right.
fn codec_of_name(path: &Path) -> Option<Codec> {
    let extension = path.extension()?.to_str()?;
    Codec::ALL.into_iter().find(|codec| extension.eq_ignore_ascii_case(codec.extension()))
}

/// A name for what an input becomes: it ends in what documents are written as, and in what that is packed with, where the
/// configuration says that these may be others.
pub(crate) fn output_name(path: PathBuf, config: &Config) -> PathBuf {
    let packed = path.extension().filter(|_| codec_of_name(&path).is_some()).map(ToOwned::to_owned);
    let name = if packed.is_some() { path.with_extension("") } else { path };
    let mut name = match config.output_format {
        OutputFormat::Same => name,
        OutputFormat::Text => named_as(name, Format::Text, "txt"),
        OutputFormat::Jsonl => named_as(name, Format::Jsonl, "jsonl"),
    };
    let packed = match config.compress {
        Compress::Auto => packed,
        compress => output_codec(compress, None).map(|codec| codec.extension().into()),
    };
    if let Some(extension) = packed {
        name.as_mut_os_string().push(".");
        name.as_mut_os_string().push(extension);
    }
    name
}

/// A name for a format, where it had one for another, or none.
fn named_as(mut name: PathBuf, format: Format, extension: &str) -> PathBuf {
    if by_name(&name) != Some(format) {
        // Some have two, as in `.warc.wet`.
        while by_name(&name).is_some() {
            name.set_extension("");
        }
        name.as_mut_os_string().push(".");
        name.as_mut_os_string().push(extension);
    }
    name
}

/// Reads the first bytes of a file, unpacked.
fn read_start(path: &Path, n_bytes: usize) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(Unpacked::new).and_then(|mut file| file.read_up_to(n_bytes, &mut start));
    read.map(|()| start).map_err(|source| Error::reading(path, source))
}

/// What a file is by how it starts.
fn format_by_content(config: &Config, path: &Path) -> Result<Format> {
    const ENOUGH_BYTES: usize = 1 << 12;
    let start = read_start(path, ENOUGH_BYTES)?;
    let format = content_format(&start);
    if may_be_encoded(format) { Ok(content_format(&decode(config, path, start)?)) } else { Ok(format) }
}

/// The text that a file starts with, from so many bytes.
fn read_text(config: &Config, path: &Path, n_bytes: usize) -> Result<Vec<u8>> {
    decode(config, path, read_start(path, n_bytes)?)
}

fn decode(config: &Config, path: &Path, start: Vec<u8>) -> Result<Vec<u8>> {
    Ok(match config.otherwise().encoding(&start, || guess_file(path))? {
        None => start,
        Some(encoding) => encoding.shown(&start).into_bytes(),
    })
}

/// A guess takes so many bytes, from the first on that are not UTF-8.
const GUESS_BYTES: usize = 1 << 20;

/// How a file's text is encoded by the looks of it; nothing if it is UTF-8.
fn guess_file(path: &Path) -> Result<Option<Encoding>> {
    let fails = |source| Error::reading(path, source);
    let mut file = File::open(path).and_then(Unpacked::new).map_err(fails)?;
    let mut check = Utf8Check::default();
    let (mut piece, mut strange) = (Vec::new(), Vec::new());
    loop {
        piece.clear();
        file.read_up_to(1 << 16, &mut piece).map_err(fails)?;
        if piece.is_empty() {
            return Ok(if check.is_utf8() { None } else { guess(&strange) });
        }
        if (!check.look(&piece) || !strange.is_empty()) && strange.len() < GUESS_BYTES {
            strange.extend_from_slice(&piece);
        }
    }
}

/// What the operating system said, without the path, which the message names already.
pub(super) fn into_io_error(error: walkdir::Error) -> std::io::Error {
    let what = error.to_string();
    error.into_io_error().unwrap_or_else(|| std::io::Error::other(what))
}

/// Whether what looks so before it is decoded may be something else in an encoding; all other formats are in none.
pub(crate) fn may_be_encoded(format: Format) -> bool {
    matches!(format, Format::Text | Format::Jsonl)
}

/// What bytes are, by how they start.
pub(crate) fn content_format(start: &[u8]) -> Format {
    #[cfg(feature = "warc")]
    if start.starts_with(b"WARC/1.") {
        return Format::Warc;
    }
    #[cfg(feature = "parquet")]
    if crate::record::parquet::is_magic(start) {
        return Format::Parquet;
    }
    let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    let first_line = start.split(|byte| *byte == b'\n').find(|line| !is_blank(line)).unwrap_or(&[]);
    if first_line.trim_ascii_start().starts_with(b"{") { Format::Jsonl } else { Format::Text }
}
