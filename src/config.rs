//! The configuration: one struct, whose fields are the flags of the command and the keys of a TOML file.

mod size;

pub use size::Size;

use crate::decide::{Keep, Scope};
use crate::encoding::Otherwise;
use crate::error::{Error, Result};
use crate::index::OnChanged;
use crate::rules::{Pack, Rules};
use crate::score::{Level, Scorer, Weights};
use crate::store::{is_read_only, is_url};
use crate::text::{Fold, Unit};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All that can be chosen. The same names, with hyphens, are flags of the command and keys of a TOML file.
///
/// ```
/// use dehusk::{Config, text::Unit};
///
/// let config = Config::parse("site.toml", "unit = \"paragraph\"\nmin-chars = 80")?;
/// assert_eq!((config.unit, config.min_chars), (Unit::Paragraph, 80));
/// let error = Config::parse("site.toml", "min-char = 80").unwrap_err();
/// assert!(error.to_string().starts_with("site.toml:1: unknown field `min-char`"));
/// # Ok::<(), dehusk::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where the cleaned text goes: a file, a folder, or `-` for standard output; with the feature `remote` also `s3://BUCKET/KEY`.
    pub output: Option<PathBuf>,
    /// Whether an output that exists may be replaced.
    pub force: bool,
    /// Whether an unfinished run into the output is gone on with.
    pub resume: bool,
    /// How many threads work; as many as there are processors if not given.
    pub threads: Option<usize>,
    /// How much memory cleaning files may take; any if not given. What it must remember beyond that it keeps on disk.
    /// Learning alone knows no bound.
    pub memory: Option<Size>,
    /// The folder for what is kept on disk while a run lasts; the system's if not given.
    pub tmp_dir: Option<PathBuf>,
    /// What the inputs are.
    pub format: Format,
    /// How text is encoded that does not say so by a byte order mark: `utf-8`, another label of the Encoding Standard, or
    /// `auto`, which is UTF-8 where that fits and else what the text looks like.
    pub encoding: String,
    /// What a document of plain text on standard input is.
    pub framing: Framing,
    /// What documents are written as.
    pub output_format: OutputFormat,
    /// What outputs are compressed with.
    pub compress: Compress,
    /// How hard outputs are compressed: a level that the codec's own program takes, whose usual one it is if not given.
    pub compress_level: Option<u32>,
    /// How many times larger than its file what an input unpacks to may be, beyond 64 MiB; any if 0.
    pub max_expansion: u64,
    /// The field of JSONL, or the column of CSV or Parquet, that is cleaned.
    pub text_field: String,
    /// The field that names a document, in the journal.
    pub id_field: String,
    /// The field with a document's address, whose registrable domain is its site.
    pub url_field: String,
    /// The field with a document's site, which goes before the one from its address.
    pub site_field: String,
    /// What is compared, kept or removed.
    pub unit: Unit,
    /// Where repeats are looked for.
    pub scope: Scope,
    /// Which copy of a repeat stays.
    pub keep: Keep,
    /// The shortest folded block that is dropped as a repeat, in characters of a script that writes spaces.
    pub min_chars: usize,
    /// How alike two blocks must be to be repeats.
    pub fold: Fold,
    /// The folder of an index that remembers what was cleaned, from run to run: what others had before goes.
    pub index: Option<PathBuf>,
    /// Folders of indexes that are only read: what stands in them goes.
    pub against: Vec<PathBuf>,
    /// What standard input is called in an index, where its documents have no address.
    pub stdin_name: Option<String>,
    /// What becomes of what a document had when it came before, and has no more.
    pub on_changed: OnChanged,
    /// How much is removed of what looks like chrome.
    pub level: Level,
    /// The least score that a line is removed for, in [0, 1], in place of the level's own.
    pub score_threshold: Option<f64>,
    /// A file of weights for the score, as `dehusk train` makes it, in place of the built-in ones.
    pub weights: Option<PathBuf>,
    /// Packs of rules besides the default ones: names of built-in packs, or files.
    pub pack: Vec<String>,
    /// Whether the default packs are left out.
    pub no_default_packs: bool,
    /// Where the journal goes: what was removed, from where, and why.
    pub journal: Option<PathBuf>,
    /// Where the report goes, as JSON.
    pub report: Option<PathBuf>,
    /// Whether no text and no journal is written, and what would go is shown.
    pub dry_run: bool,
    /// The largest share of its text that a document may lose; a whole copy of another document does not count.
    pub max_removed_document: f64,
    /// The largest share of all text that a run may lose.
    pub max_removed_run: f64,
    /// What happens where a limit is crossed.
    pub on_limit: OnLimit,
    /// What happens to a record that cannot be read.
    pub on_bad_record: OnBadRecord,
    /// Whether documents that have no text left are dropped.
    pub drop_empty: bool,
    /// Whether only what is bad is told.
    pub quiet: bool,
    /// How much more is told.
    pub verbose: u8,
    /// How progress is shown.
    pub progress: Progress,
    /// Whether messages are coloured.
    pub color: Color,
}

/// The packs that are used unless `no-default-packs` says otherwise.
const DEFAULT_PACKS: [&str; 11] =
    ["cnet", "gutenberg", "web-de", "web-en", "web-es", "web-fr", "web-it", "web-ja", "web-pt", "web-ru", "web-zh"];

/// The least that a run may be given.
const LEAST_MEMORY: Size = Size::new(128 << 20);

impl Default for Config {
    fn default() -> Self {
        Config {
            output: None,
            force: false,
            resume: false,
            threads: None,
            memory: None,
            tmp_dir: None,
            format: Format::Auto,
            encoding: "utf-8".into(),
            framing: Framing::None,
            output_format: OutputFormat::Same,
            compress: Compress::Auto,
            compress_level: None,
            max_expansion: 250,
            text_field: "text".into(),
            id_field: "id".into(),
            url_field: "url".into(),
            site_field: "site".into(),
            unit: Unit::Line,
            scope: Scope::Corpus,
            keep: Keep::First,
            min_chars: 60,
            fold: Fold::Loose,
            index: None,
            stdin_name: None,
            against: Vec::new(),
            on_changed: OnChanged::Keep,
            level: Level::Safe,
            score_threshold: None,
            weights: None,
            pack: Vec::new(),
            no_default_packs: false,
            journal: None,
            report: None,
            dry_run: false,
            max_removed_document: 1.0,
            max_removed_run: 0.8,
            on_limit: OnLimit::Warn,
            on_bad_record: OnBadRecord::Keep,
            drop_empty: false,
            quiet: false,
            verbose: 0,
            progress: Progress::Auto,
            color: Color::Auto,
        }
    }
}

/// What an input file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// By its name (`.txt`, `.text`; `.jsonl`, `.ndjson`; `.csv`; `.tsv`; `.warc`, `.wet`; `.parquet`; also with `.gz` and the like behind), else by what it starts with.
    #[default]
    Auto,
    /// Plain text.
    Text,
    /// A JSON object on each line.
    Jsonl,
    /// Rows of fields, behind one that names them; the first comma, semicolon, tab or bar is what stands between them.
    Csv,
    /// The same, with tabs between fields.
    Tsv,
    /// WARC or WET, of which `conversion` records are documents.
    #[cfg(feature = "warc")]
    Warc,
    /// Parquet, whose rows are documents; only from a file.
    #[cfg(feature = "parquet")]
    Parquet,
}

/// What a document is in plain text on standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// All of it is one document.
    #[default]
    None,
    /// Each line is a document.
    Lines,
    /// Documents end with a zero byte.
    Nul,
}

/// What documents are written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum OutputFormat {
    /// As they came, with all around them.
    #[default]
    Same,
    /// Their texts in UTF-8, each with an empty line behind it; plain text as it came.
    Text,
    /// A JSON object on each line, with the text, and the id, address and site if there are; JSONL as it came.
    Jsonl,
}

/// What outputs are compressed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Compress {
    /// A file with what its input was; standard output, and what comes from standard input, with nothing.
    #[default]
    Auto,
    /// Nothing.
    None,
    /// gzip, levels 0 to 9.
    Gzip,
    /// zstd, levels 1 to 22.
    Zstd,
    /// xz, levels 0 to 9.
    Xz,
    /// bzip2, levels 1 to 9.
    Bzip2,
    /// lz4, which has no levels here.
    Lz4,
}

impl Compress {
    /// The levels that may be asked for.
    fn levels(self) -> Option<std::ops::RangeInclusive<u32>> {
        match self {
            Compress::None | Compress::Lz4 => None,
            Compress::Gzip | Compress::Xz => Some(0..=9),
            Compress::Zstd => Some(1..=22),
            // Those that all codecs with levels have.
            Compress::Auto | Compress::Bzip2 => Some(1..=9),
        }
    }
}

/// What happens where a limit on removal is crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum OnLimit {
    /// It is told, and the exit code is 1.
    #[default]
    Warn,
    /// The run stops with exit code 3; files are not written at all.
    Stop,
}

/// What happens to a record that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum OnBadRecord {
    /// It is left out, told and counted.
    Skip,
    /// It is written as it is, told and counted.
    #[default]
    Keep,
    /// The run stops with exit code 3.
    Stop,
}

/// How progress is shown, on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// A bar on a terminal, a line now and then elsewhere.
    #[default]
    Auto,
    /// A line now and then.
    Plain,
    /// Not at all.
    Off,
}

/// Whether messages are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Config {
    /// Reads a configuration from TOML; `origin` names it in messages.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, has an unknown key, or a value that [`validate`](Config::validate) refuses.
    pub fn parse(origin: &str, source: &str) -> Result<Self> {
        let config: Config = toml::from_str(source).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + source[..span.start].matches('\n').count());
            Error::config(format!("{origin}:{line}"), error.message())
        })?;
        if let Some((key, what)) = config.complaint() {
            let has_key =
                |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
            let line = 1 + source.lines().position(has_key).unwrap_or(0);
            return Err(Error::config(format!("{origin}:{line}"), what));
        }
        Ok(config)
    }

    /// Reads a configuration from a TOML file.
    ///
    /// # Errors
    ///
    /// As [`Config::parse`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        let source = std::fs::read_to_string(path)
            .map_err(|error| Error::config(origin.clone(), format!("reading failed: {error}; check the path")))?;
        Config::parse(&origin, &source)
    }

    /// This configuration with the fields of a TOML table in place of its own; `origin` names the table in messages.
    ///
    /// # Errors
    ///
    /// As [`Config::parse`].
    pub fn overlaid(&self, origin: &str, table: toml::Table) -> Result<Self> {
        let fails = |message: String| Error::config(origin, message);
        let mut own = toml::Table::try_from(self).map_err(|error| fails(error.to_string()))?;
        own.extend(table);
        let config: Config = own.try_into().map_err(|error: toml::de::Error| fails(error.message().to_owned()))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that the values go together. This is the only place that refuses a configuration.
    ///
    /// # Errors
    ///
    /// When a value is out of range or two do not go together; see [`Error::is_config`].
    pub fn validate(&self) -> Result<()> {
        self.complaint().map_or(Ok(()), |(_, what)| Err(Error::config("configuration", what)))
    }

    /// The folder for temporary files.
    pub(crate) fn tmp_dir(&self) -> PathBuf {
        self.tmp_dir.clone().unwrap_or_else(tempfile::env::temp_dir)
    }

    /// What is wrong, with the key of the value that should change.
    fn complaint(&self) -> Option<(&'static str, String)> {
        let fails = |key, what: &str| Some((key, what.to_owned()));
        for (key, share) in
            [("max-removed-document", self.max_removed_document), ("max-removed-run", self.max_removed_run)]
        {
            if !(0.0..=1.0).contains(&share) {
                return fails(key, &format!("{key} is {share}; give a share from 0 to 1"));
            }
        }
        if let Some(threshold) = self.score_threshold
            && !(0.0..=1.0).contains(&threshold)
        {
            return fails("score-threshold", &format!("score-threshold is {threshold}; give a score from 0 to 1"));
        }
        if self.score_threshold.is_some() && self.level == Level::Rules {
            let what = "score-threshold is given while level is \"rules\", which scores nothing; change one";
            return fails("score-threshold", what);
        }
        if self.threads == Some(0) {
            return fails("threads", "threads is 0; give at least 1, or leave it out to use all processors");
        }
        if let Some(memory) = self.memory.filter(|memory| *memory < LEAST_MEMORY) {
            return fails(
                "memory",
                &format!("memory is {memory}; give at least {LEAST_MEMORY}, which one thread takes"),
            );
        }
        if self.force && self.resume {
            let what = "force and resume are both given: one begins anew, the other goes on; leave one out";
            return fails("resume", what);
        }
        let output = self.output.as_deref().filter(|output| is_url(output));
        if let Some(output) = output.filter(|output| is_read_only(output)) {
            let what = "which can only be read from; give a path, or s3://BUCKET/KEY";
            return fails("output", &format!("output is {}, {what}", output.display()));
        }
        if let Some(output) = output.filter(|_| self.resume) {
            let what = "a run to there cannot be gone on with; begin anew with --force";
            return fails("resume", &format!("resume is given while output is {}: {what}", output.display()));
        }
        for (key, path) in [("journal", &self.journal), ("report", &self.report), ("weights", &self.weights)] {
            if let Some(path) = path.as_ref().filter(|path| is_url(path)) {
                return fails(key, &format!("{key} is {}, but must be a file on this machine", path.display()));
            }
        }
        if self.keep == Keep::None && self.scope == Scope::Off {
            let what = "keep is \"none\" while scope is \"off\", so that nothing would be compared; change one";
            return fails("keep", what);
        }
        if self.stdin_name.as_deref() == Some("") {
            return fails("stdin-name", "stdin-name is empty; give the name that an index is to know the stream by");
        }
        if let Some(complaint) = self.complaint_of_indexes() {
            return Some(complaint);
        }
        if let Some(level) = self.compress_level {
            let what = match self.compress.levels() {
                Some(levels) if levels.contains(&level) => None,
                Some(levels) => Some(format!("give one from {} to {}", levels.start(), levels.end())),
                None => Some("what is written has no levels; leave it out, or change --compress".to_owned()),
            };
            if let Some(what) = what {
                return fails("compress-level", &format!("compress-level is {level}; {what}"));
            }
        }
        if let Err(what) = Otherwise::parse(&self.encoding) {
            return fails("encoding", &format!("encoding {:?} is {what}", self.encoding));
        }
        if self.text_field.is_empty() {
            return fails("text-field", "text-field is empty; name the field that is cleaned");
        }
        if [&self.id_field, &self.url_field, &self.site_field].contains(&&self.text_field) {
            let what = "text-field names the same field as id-field, url-field or site-field; tell them apart";
            return fails("text-field", what);
        }
        if self.framing != Framing::None && !matches!(self.format, Format::Auto | Format::Text) {
            let what = "framing is for plain text on standard input, but format is of another kind; leave one out";
            return fails("framing", what);
        }
        None
    }

    fn complaint_of_indexes(&self) -> Option<(&'static str, String)> {
        let key = match (&self.index, self.against.is_empty()) {
            (Some(_), _) => "index",
            (None, false) => "against",
            (None, true) => return None,
        };
        let mut paths = self.index.iter().chain(&self.against);
        if paths.clone().any(|path| path.as_os_str().is_empty()) {
            return Some((key, "the name of an index is empty; name its folder, or leave it out".into()));
        }
        if let Some(path) = paths.find(|path| is_url(path)) {
            return Some((key, format!("{key} is {}, but must be a folder on this machine", path.display())));
        }
        let what = match (self.keep, self.scope) {
            (Keep::None, _) => {
                "keep is \"none\", for which all documents must be at hand, and those of other runs are not"
            }
            (_, Scope::Document | Scope::Off) => "scope is such that documents are not compared with each other",
            _ if self.memory.is_some() => "memory is bounded, which goes with no index yet",
            _ => return None,
        };
        Some((key, format!("{key} is given while {what}; change one")))
    }

    /// What text is that does not say how it is encoded.
    pub(crate) fn otherwise(&self) -> Otherwise {
        Otherwise::parse(&self.encoding).unwrap_or(Otherwise::Utf8)
    }

    /// Whether an output that is there may be replaced, once it is seen that it is no stranger's.
    pub(crate) fn may_replace(&self) -> bool {
        self.force || self.resume
    }

    /// The packs that the configuration asks for, read.
    ///
    /// # Errors
    ///
    /// When a pack cannot be read; see [`Pack::open`].
    pub fn packs(&self) -> Result<Vec<Pack>> {
        let defaults = DEFAULT_PACKS.into_iter().filter(|_| !self.no_default_packs);
        let mut names: Vec<&str> = defaults.collect();
        for name in &self.pack {
            // Asking for a default pack by name is no mistake.
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.into_iter().map(Pack::open).collect()
    }

    /// What scores lines, if the level asks for it.
    pub(crate) fn scorer(&self) -> Result<Option<Arc<Scorer>>> {
        if self.level == Level::Rules {
            return Ok(None);
        }
        let scorer = match &self.weights {
            None => Scorer::built_in()?,
            Some(path) => {
                let origin = path.display().to_string();
                let fails = |error| Error::config(origin.clone(), format!("reading failed: {error}; check the path"));
                Scorer::new(Weights::parse(&origin, &std::fs::read(path).map_err(fails)?)?)
            }
        };
        Ok(Some(Arc::new(scorer)))
    }

    /// The rules that the configuration asks for, compiled.
    ///
    /// # Errors
    ///
    /// When a pack cannot be read or compiled; see [`Pack::open`] and [`Rules::compile`].
    pub fn rules(&self) -> Result<Rules> {
        Rules::compile(&self.packs()?)
    }
}
