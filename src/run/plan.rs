//! The plan: inputs expanded, sorted and numbered, outputs paired with them, collisions refused before any work.

use super::inputs::{Inputs, Places};
use super::manifest::is_unfinished;
use super::output::{is_own, output_codec};
use crate::codec::{Codec, Unpacked};
#[cfg(feature = "parquet")]
use crate::config::OnBadRecord;
use crate::config::{Compress, Config, Format, Framing, OutputFormat};
use crate::encoding::{Encoding, Utf8Check, guess};
use crate::error::{Error, Result};
use crate::record::{BYTE_ORDER_MARK, Fields, Layout, Table};
use crate::store::{Address, Found, Stat, Store, Version, canonical, canonical_to_be, stats, taken};
use crate::text::is_blank;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

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
    /// The folder on this machine that outputs go into; none if they go to one stream, to one file, or to a server.
    pub(crate) folder: Option<PathBuf>,
}

/// An input file and its output.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    pub(crate) input: Address,
    /// Its path within the output, or its file name: the name that journal and report use.
    pub(crate) name: PathBuf,
    /// Where its cleaned text goes; nowhere if all goes to one stream.
    pub(crate) output: Option<Address>,
    pub(crate) layout: Layout,
    pub(crate) bytes: u64,
    pub(crate) version: Version,
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
                let guessed = self.glance().guess()?;
                Ok(*self.guessed.get_or_init(|| guessed))
            }
        })
    }

    fn glance(&self) -> Glance<'_> {
        Glance { input: &self.input, bytes: self.bytes, version: &self.version }
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
    pub(crate) fn make(store: &Store, config: &Config, inputs: &Inputs, destination: Destination<'_>) -> Result<Self> {
        if inputs.paths().is_empty() {
            return Err(Error::usage("no input; name files or folders, or - for standard input"));
        }
        if config.framing != Framing::None {
            let what = "framing is for plain text on standard input; leave it out, or give the files one by one to -";
            return Err(Error::usage(what));
        }
        let output = match destination {
            Destination::Path(output) => Some(store.at(output)?),
            Destination::Stream => None,
        };
        let may_replace = may_replace(config, output.as_ref())?;
        let addresses: Vec<Address> = inputs.paths().iter().map(|input| store.at(input)).collect::<Result<_>>()?;
        let (places, is_entry) = (inputs.places()?, inputs.become_entries());
        let output = output.as_ref();
        let mut pairing = Pairing { config, output, places, is_entry, roots: Vec::new(), inputs: HashMap::new() };
        let mut plan = Plan::default();
        for (input, stat) in addresses.iter().zip(stats(&addresses)) {
            match stat {
                Ok(stat) => plan.add_input(&mut pairing, input, stat)?,
                Err(error) if error.is_usage() => return Err(error),
                Err(error) => plan.failed.push(error),
            }
        }
        pairing.roots.iter().try_for_each(refuse_no_file)?;
        if !may_replace {
            refuse_existing(&pairing.roots)?;
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

    fn add_input<'p>(&mut self, pairing: &mut Pairing<'p>, input: &'p Address, stat: Stat) -> Result<()> {
        let Pairing { config, output, .. } = *pairing;
        let is_folder = stat.is_folder;
        // Of an only folder, what is in it goes right into the output.
        let place = match pairing.is_entry || !is_folder {
            true => pairing.places.of(input.path())?,
            false => PathBuf::new(),
        };
        let root = output.map(|output| pairing.root(input, &place, is_folder, output)).transpose()?;
        if let Some(output) = output
            && (is_folder || root.as_ref().is_some_and(|root| root.path() != output.path()))
        {
            self.folder = output.local_path().map(ToOwned::to_owned);
        }
        let start = self.files.len();
        if is_folder {
            self.add_folder(config, input, &place, root.as_ref())?;
        } else {
            self.add_file(config, Found::of(input, stat), place, root, true)?;
        }
        self.files[start..].sort_by(|first, second| first.name.cmp(&second.name));
        Ok(())
    }

    fn add_folder(&mut self, config: &Config, folder: &Address, place: &Path, root: Option<&Address>) -> Result<()> {
        for found in folder.files() {
            let found = match found {
                Ok(found) if is_own(&found.relative) => continue,
                Ok(found) => found,
                Err(error) => {
                    self.failed.push(error);
                    continue;
                }
            };
            let output_of = |root: &Address| root.join(&output_name(found.relative.clone(), config));
            let output = root.map(output_of).transpose()?;
            let name = place.join(&found.relative);
            self.add_file(config, found, name, output, false)?;
        }
        Ok(())
    }

    fn add_file(
        &mut self,
        config: &Config,
        found: Found,
        name: PathBuf,
        output: Option<Address>,
        is_named: bool,
    ) -> Result<()> {
        let path = found.address.path();
        if is_own(&name) {
            let what = format!("{}: is what an unfinished run left; it is no input, leave it out", path.display());
            return Err(Error::usage(what));
        }
        let by_name = match config.format {
            Format::Auto => by_name(&name),
            format => Some(format),
        };
        if by_name.is_none() && !is_named {
            self.passed_over.push(path.to_owned());
            return Ok(());
        }
        if config.journal.is_some() && name.to_str().is_none() {
            let what = format!("{}: the name is not UTF-8, which a journal needs; rename it", path.display());
            return Err(Error::usage(what));
        }
        let planned = found.stat().and_then(|stat| {
            let glance = Glance { input: &found.address, bytes: stat.bytes, version: &stat.version };
            let format = by_name.map_or_else(|| glance.format(config), Ok)?;
            Ok((glance.layout(config, format)?, stat))
        });
        match planned {
            Ok((layout, stat)) => {
                let (bytes, version) = (stat.bytes, stat.version);
                let (input, guessed) = (found.address, OnceLock::new());
                self.files.push(PlannedFile { input, name, output, layout, bytes, version, guessed });
            }
            Err(error) => self.failed.push(if error.is_usage() { error.at(path) } else { error }),
        }
        Ok(())
    }

    /// Refuses two inputs with one output, which writing or packing files otherwise than they came may make.
    fn refuse_clash(&self) -> Result<()> {
        let mut taken: HashMap<&Path, &Path> = HashMap::new();
        for file in &self.files {
            let Some(output) = file.output.as_ref().map(Address::path) else { continue };
            if let Some(other) = taken.insert(output, file.input.path()) {
                return Err(clash(other, file.input.path(), output));
            }
        }
        Ok(())
    }

    /// Refuses an output that would take the place of an input, its own or another's.
    fn refuse_output_on_input(&self) -> Result<()> {
        let of_input = |file: &PlannedFile| canonical(file.input.path()).ok();
        let inputs: HashSet<PathBuf> = self.files.iter().filter_map(of_input).collect();
        for output in self.files.iter().filter_map(|file| file.output.as_ref()) {
            if canonical(output.path()).is_ok_and(|output| inputs.contains(&output)) {
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

/// The pairing of inputs with outputs.
struct Pairing<'p> {
    config: &'p Config,
    output: Option<&'p Address>,
    places: Places,
    /// Whether inputs become entries of the output.
    is_entry: bool,
    /// What the inputs so far become, and of which input each is.
    roots: Vec<Address>,
    inputs: HashMap<PathBuf, &'p Path>,
}

impl<'p> Pairing<'p> {
    /// What becomes of an input, which is called `place` in the output: a file of a file, a folder of a folder.
    fn root(&mut self, input: &'p Address, place: &Path, is_folder: bool, output: &Address) -> Result<Address> {
        let root = output_root(self.config, place, is_folder, self.is_entry, output)?;
        if let Some(other) = self.inputs.insert(root.path().to_owned(), input.path()) {
            return Err(clash(other, input.path(), root.path()));
        }
        refuse_overlap(input.path(), root.path(), is_folder)?;
        self.roots.push(root.clone());
        Ok(root)
    }
}

/// The output that belongs to an input, which is called `place` in it: a file for a file, a folder for a folder.
fn output_root(config: &Config, place: &Path, is_folder: bool, is_entry: bool, output: &Address) -> Result<Address> {
    if is_entry || (!is_folder && output.is_folder()) {
        if output.is_file() {
            let what = format!("{} is a file, but the output must be a folder here; choose another", output.display());
            return Err(Error::usage(what));
        }
        return match is_folder {
            true => Ok(output.join(place)?.as_folder()),
            false => output.join(&output_name(place.to_owned(), config)),
        };
    }
    if is_folder && output.is_file() {
        let what = format!("{} is a file, but the input is a folder; choose a folder as output", output.display());
        return Err(Error::usage(what));
    }
    Ok(if is_folder { output.as_folder() } else { output.clone() })
}

fn clash(first: &Path, second: &Path, output: &Path) -> Error {
    let is_one = canonical(first).is_ok_and(|first| canonical(second).is_ok_and(|second| first == second));
    let remedy = if is_one { "they are one; name it once" } else { "rename one, or clean them one by one" };
    let (first, second) = (first.display(), second.display());
    Error::usage(format!("{first} and {second} would both be written to {}; {remedy}", output.display()))
}

fn refuse_overlap(input: &Path, output: &Path, is_folder: bool) -> Result<()> {
    let (Ok(input_path), Some(output_path)) = (canonical(input), canonical_to_be(output)) else {
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

/// Whether outputs that exist may be replaced. Refuses to begin where a run is unfinished, unless told what becomes of it.
fn may_replace(config: &Config, output: Option<&Address>) -> Result<bool> {
    match output.and_then(Address::local_path) {
        Some(output) if is_unfinished(output) => match config.may_replace() {
            true => Ok(true),
            false => {
                let remedy = "go on with it with --resume, or begin anew with --force";
                Err(Error::usage(format!("{}: a run into it is unfinished; {remedy}", output.display())))
            }
        },
        _ => Ok(config.force || config.dry_run),
    }
}

/// Refuses an output in the place of what is no file and no folder: a device, a pipe.
pub(super) fn refuse_no_file(output: &Address) -> Result<()> {
    let metadata = output.local_path().and_then(|path| path.metadata().ok());
    if metadata.is_some_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        let what = format!("{}: is no file that can be replaced; choose another, or write to -", output.display());
        return Err(Error::usage(what));
    }
    Ok(())
}

/// Refuses outputs where something is already, but for what a run left that was killed.
fn refuse_existing(outputs: &[Address]) -> Result<()> {
    for (output, is_taken) in outputs.iter().zip(taken(outputs, is_own)) {
        if is_taken? {
            let what = format!("{}: the output exists; choose another, or replace it with --force", output.display());
            return Err(Error::usage(what));
        }
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

/// An input, of which the plan has to know what it is.
#[derive(Clone, Copy, Debug)]
struct Glance<'g> {
    input: &'g Address,
    bytes: u64,
    version: &'g Version,
}

/// A guess takes so many bytes, from the first on that are not UTF-8.
const GUESS_BYTES: usize = 1 << 20;

impl Glance<'_> {
    fn unpack(&self) -> Result<Unpacked<'static, Box<dyn Read + Send>>> {
        let opened = self.input.open(self.bytes, self.version);
        opened.and_then(|opened| Unpacked::new(opened.bytes)).map_err(|source| self.fails(source))
    }

    fn fails(&self, source: std::io::Error) -> Error {
        Error::reading(self.input.path(), source)
    }

    /// Reads the first bytes, unpacked.
    fn start(&self, n_bytes: usize) -> Result<Vec<u8>> {
        let mut start = Vec::new();
        self.unpack()?.read_up_to(n_bytes, &mut start).map_err(|source| self.fails(source))?;
        Ok(start)
    }

    /// The text that it starts with, from so many bytes.
    fn text(&self, config: &Config, n_bytes: usize) -> Result<Vec<u8>> {
        self.decode(config, self.start(n_bytes)?)
    }

    fn decode(&self, config: &Config, start: Vec<u8>) -> Result<Vec<u8>> {
        Ok(match config.otherwise().encoding(&start, || self.guess())? {
            None => start,
            Some(encoding) => encoding.shown(&start).into_bytes(),
        })
    }

    /// How its text is encoded by the looks of it; nothing if it is UTF-8.
    fn guess(&self) -> Result<Option<Encoding>> {
        let mut file = self.unpack()?;
        let mut check = Utf8Check::default();
        let (mut piece, mut strange) = (Vec::new(), Vec::new());
        loop {
            piece.clear();
            file.read_up_to(1 << 16, &mut piece).map_err(|source| self.fails(source))?;
            if piece.is_empty() {
                return Ok(if check.is_utf8() { None } else { guess(&strange) });
            }
            if (!check.look(&piece) || !strange.is_empty()) && strange.len() < GUESS_BYTES {
                strange.extend_from_slice(&piece);
            }
        }
    }

    /// What it is by how it starts.
    fn format(&self, config: &Config) -> Result<Format> {
        const ENOUGH_BYTES: usize = 1 << 12;
        let start = self.start(ENOUGH_BYTES)?;
        let format = content_format(&start);
        if may_be_encoded(format) { Ok(content_format(&self.decode(config, start)?)) } else { Ok(format) }
    }

    /// How it is records, as a file of a format.
    fn layout(&self, config: &Config, format: Format) -> Result<Layout> {
        #[cfg(feature = "parquet")]
        if format == Format::Parquet {
            return self.parquet_layout(config);
        }
        layout_of(config, format, |n_bytes| self.text(config, n_bytes))
    }

    #[cfg(feature = "parquet")]
    fn parquet_layout(&self, config: &Config) -> Result<Layout> {
        use crate::record::parquet::{Columns, Unreadable};
        let Some(path) = self.input.local_path() else {
            return Err(Error::usage("Parquet is read from its end, and not from a server; download it"));
        };
        if let Some(codec) = self.unpack().ok().and_then(|file| file.codec()) {
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
            Err(Unreadable::Damaged(source)) => Err(self.fails(source)),
            Err(Unreadable::NoText(what)) => Err(Error::usage(what)),
        }
    }
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
