//! The command line. Every option but lists of inputs and those of `explain`, `learn`, `eval`, `restore` and `packs` is a field
//! of the library's `Config`, under the same name; what it means and what it may be is the library's to say.

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use dehusk::config::{Color, Compress, Format, Framing, OnBadRecord, OnLimit, OutputFormat, Progress, Size};
use dehusk::eval::By;
use dehusk::index::OnChanged;
use dehusk::run::{Inputs, Separator};
use dehusk::text::{Fold, Unit};
use dehusk::{Keep, Level, Scope};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Strips scraped text of its husk: navigation, adverts, prompts and footers, and blocks of text that repeat. What stays,
/// stays byte for byte; what goes can be put back.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 fine; 1 finished, but something was bad (a file failed, a record could not be read, \
                          a limit was crossed); 2 usage or configuration; 3 stopped.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Clean files, folders or standard input
    #[command(after_help = EXIT_CODES)]
    Clean {
        /// Files, folders (with all in them), patterns of such, or - for standard input
        ///
        /// What is there by its name is an input; else * stands for any part of a name, ** for any folders, ? for one
        /// character, and [a-z] for one of these. Quote patterns, as in 'crawl/**/*.txt', or the shell expands them itself.
        /// With a pattern or a list, outputs keep the paths of their inputs below the folder that all inputs have in common
        /// (a pattern is in the folder before its first wildcard); without, they go by the last names of their inputs.
        ///
        /// Built with the feature `remote`, s3://BUCKET/KEY is a file too, s3://BUCKET/PREFIX/ a folder, and https://HOST/NAME a
        /// file; credentials come from the environment (AWS_ACCESS_KEY_ID and the like).
        #[arg(required_unless_present = "files_from", value_name = "INPUT", value_hint = ValueHint::AnyPath)]
        inputs: Vec<PathBuf>,
        #[command(flatten)]
        list: ListArgs,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Put back all that was removed, bit for bit
    Restore {
        /// The cleaned file or folder
        #[arg(value_hint = ValueHint::AnyPath)]
        cleaned: PathBuf,
        /// The journal that `clean` wrote with it
        #[arg(long, value_hint = ValueHint::FilePath)]
        journal: PathBuf,
        /// Where the original goes: a file for a file, a folder for a folder
        #[arg(short, long, value_hint = ValueHint::AnyPath)]
        output: PathBuf,
        /// Replace what is there
        #[arg(long)]
        force: bool,
        /// Tell only what is bad
        #[arg(short, long)]
        quiet: bool,
    },
    /// Show a file with what would go struck out, and why
    Explain {
        /// The file to explain
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The corpus that it is of: files, folders and patterns, to look for first copies in
        #[arg(long, num_args = 1.., value_name = "INPUT", value_hint = ValueHint::AnyPath)]
        among: Vec<PathBuf>,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Learn which lines are chrome of a site from its pages, and write that as a pack
    ///
    /// What many pages of a site repeat at their edges is a template of the site. `clean` learns that by itself from the files
    /// it is given; a pack has it for pages that come later, one at a time, and for people to look through: delete an entry,
    /// and the line stays. Documents need a site: a field with an address, or with the site itself. Options of packs,
    /// repeats, accounts and limits mean nothing here.
    #[command(after_help = EXIT_CODES)]
    Learn {
        /// Files, folders and patterns, as `clean` takes them, and files of facts
        #[arg(required_unless_present = "files_from", value_name = "INPUT", value_hint = ValueHint::AnyPath)]
        inputs: Vec<PathBuf>,
        #[command(flatten)]
        list: ListArgs,
        /// Write all that was looked at, folded, to a file that a later `learn` takes as an input: learning from A and from B
        /// and from their facts together is learning from both
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        facts: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Measure on labelled pages how much chrome goes, and how much text with it
    ///
    /// The pages are a JSONL file, compressed or not, each with its text and either the text that should be
    /// left ("gold") or for each line 1 (keep) or 0 (remove) ("labels"). They are cleaned as `clean` would clean them;
    /// nothing is written or remembered, so that options of outputs, formats and limits mean nothing here, nor does an
    /// index to remember in.
    ///
    /// P, R, F: words left against words of the gold. rmP, rmR, rmF: lines removed against lines that should go. loss: the
    /// share of gold words that are gone; left: the share of words of chrome that stay; bad20: the share of pages that lose
    /// more than a fifth of their gold. MACRO: the mean over datasets.
    #[command(after_help = EXIT_CODES)]
    Eval {
        /// The file of labelled pages, or - for standard input
        #[arg(value_hint = ValueHint::FilePath)]
        gold: PathBuf,
        /// Clean the pages in N folds by site, each a corpus of its own, and tell how far the figures differ between them
        #[arg(long, value_name = "N")]
        folds: Option<usize>,
        /// What rows are pages of
        #[arg(long, value_enum, default_value_t)]
        by: By,
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Learn weights for the score from labelled pages, for use with --weights
    #[command(after_help = EXIT_CODES)]
    Train {
        /// Labelled pages as JSONL, compressed or not; see `eval`
        #[arg(value_hint = ValueHint::FilePath)]
        gold: PathBuf,
        /// Where the weights go
        #[arg(short, long, value_hint = ValueHint::FilePath)]
        output: PathBuf,
        /// What draws the random numbers
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Replace what is there
        #[arg(long)]
        force: bool,
        /// Tell only what is bad
        #[arg(short, long)]
        quiet: bool,
    },
    /// List, show and test packs of rules
    #[command(subcommand)]
    Packs(PacksCommand),
    /// Look after an index that a crawl keeps
    #[command(subcommand)]
    Index(IndexCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, of dehusk or of one of its commands
    Man {
        /// The command
        command: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PacksCommand {
    /// List the packs that come with dehusk
    List,
    /// Print a pack's TOML
    Show {
        /// The name of a pack, or a file
        pack: String,
    },
    /// Run every rule's own examples, and name those that fail
    Test {
        /// Names of packs, or files; all packs that come with dehusk if none is given
        packs: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Tell what is in an index
    Stats {
        /// The folder of the index
        #[arg(value_hint = ValueHint::DirPath)]
        index: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Read all of an index, and tell whether it is whole
    Verify {
        /// The folder of the index
        #[arg(value_hint = ValueHint::DirPath)]
        index: PathBuf,
    },
    /// Print all fingerprints, and who has each, as JSONL in the order of fingerprints
    Export {
        /// The folder of the index
        #[arg(value_hint = ValueHint::DirPath)]
        index: PathBuf,
    },
    /// Give up all that some documents have, so that others may claim it; they are new when they come again
    RemoveOwner {
        /// The folder of the index
        #[arg(value_hint = ValueHint::DirPath)]
        index: PathBuf,
        /// What the documents are known by, such as their addresses
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Take into an index all that others have, as if their pages had come after its own
    Merge {
        /// The folder of the index that takes the others in; it is made if it is not there
        #[arg(value_hint = ValueHint::DirPath)]
        into: PathBuf,
        /// The folders of the others, in the order in which their pages count as coming
        #[arg(required = true, value_hint = ValueHint::DirPath)]
        from: Vec<PathBuf>,
    },
    /// Put all runs of an index together, without what was given up
    Compact {
        /// The folder of the index
        #[arg(value_hint = ValueHint::DirPath)]
        index: PathBuf,
    },
}

/// Where inputs are listed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// A list of more files and folders, by name and one on each line; - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    files_from: Option<PathBuf>,
    /// In the list, each name ends in a zero byte, as `find -print0` writes it
    #[arg(short = '0', long, requires = "files_from", help_heading = "Input")]
    null: bool,
}

impl ListArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.files_from.is_some()
    }

    /// The inputs that are named, and then those that are listed.
    pub(crate) fn resolve(&self, named: &[PathBuf]) -> anyhow::Result<Inputs> {
        let mut inputs = expanded(named)?;
        let separator = if self.null { Separator::Nul } else { Separator::Newline };
        match &self.files_from {
            None => {}
            Some(list) if is_dash(list) => inputs.add_names(std::io::stdin(), "standard input", separator)?,
            Some(list) => inputs.add_list(list, separator)?,
        }
        Ok(inputs)
    }
}

/// Inputs with patterns expanded.
pub(crate) fn expanded(named: &[PathBuf]) -> anyhow::Result<Inputs> {
    let mut inputs = Inputs::default();
    named.iter().try_for_each(|input| inputs.add(input))?;
    Ok(inputs)
}

/// Whether a path is written as standard input or output is. The library knows files; that "-" is a stream is the command
/// line's.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// The fields of the configuration, each nothing where the command line does not say.
#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ConfigArgs {
    /// Read options from a TOML file; those given here go before
    #[serde(skip)]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Where cleaned text goes: a file for a file, a folder for a folder or several inputs, - for standard output; built with
    /// the feature `remote`, also s3://BUCKET/KEY
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::AnyPath)]
    output: Option<PathBuf>,
    /// Replace outputs that exist
    #[serde(skip_serializing_if = "is_false")]
    #[arg(long)]
    force: bool,
    /// Go on with a run into OUT that was stopped or killed: what is done is not done again
    #[serde(skip_serializing_if = "is_false")]
    #[arg(long)]
    resume: bool,
    /// Write no text and no journal; show what would go
    #[serde(skip_serializing_if = "is_false")]
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// What documents are written as; what is no document is left out where that is not what they came as, and nothing can be
    /// restored [default: same]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "FORMAT")]
    output_format: Option<OutputFormat>,
    /// What outputs are compressed with [default: auto]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "CODEC")]
    compress: Option<Compress>,
    /// How hard outputs are compressed: a level of the codec [default: its usual one]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "LEVEL")]
    compress_level: Option<u32>,
    /// How many threads work [default: one for each processor]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(short = 'j', long, value_name = "N")]
    threads: Option<usize>,
    /// How much memory cleaning files may take, such as 4GiB; the outcome is the same, and what does not fit is kept on disk
    /// meanwhile. Learning alone knows no bound [default: as much as it takes]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
    /// The folder for what is kept on disk meanwhile [default: that of the system]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    tmp_dir: Option<PathBuf>,

    /// What the inputs are [default: auto]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, hide_possible_values = false, help_heading = "Input")]
    format: Option<Format>,
    /// How text is encoded that has no byte order mark: a name such as windows-1252 or shift_jis, or auto, which takes UTF-8
    /// where that fits and else guesses [default: utf-8]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    encoding: Option<String>,
    /// What a document of plain text on standard input is [default: none]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Input")]
    framing: Option<Framing>,
    /// The field of JSONL, or the column of CSV or Parquet, that is cleaned [default: text]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    text_field: Option<String>,
    /// The field that names a document, in the journal [default: id]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    id_field: Option<String>,
    /// The field with a document's address, whose registrable domain is its site [default: url]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    url_field: Option<String>,
    /// The field with a document's site [default: site]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    site_field: Option<String>,
    /// How many times larger than its file what an input unpacks to may be, beyond 64 MiB; 0: any [default: 250]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Input")]
    max_expansion: Option<u64>,
    /// What happens to a record that cannot be read [default: keep]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Input")]
    on_bad_record: Option<OnBadRecord>,

    /// What is compared, kept or removed [default: line]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Repeats")]
    unit: Option<Unit>,
    /// Where repeats are looked for [default: corpus]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Repeats")]
    scope: Option<Scope>,
    /// Which copy of a repeat stays [default: first]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Repeats")]
    keep: Option<Keep>,
    /// The shortest block that is dropped as a repeat, in folded characters; one of a script that writes no spaces counts
    /// for two or three [default: 60]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Repeats")]
    min_chars: Option<usize>,
    /// How alike two blocks must be to be repeats [default: loose]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Repeats")]
    fold: Option<Fold>,

    /// The folder of an index that remembers what was cleaned, from run to run: what other documents had before goes too. It is
    /// made if it is not there
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Repeats")]
    index: Option<PathBuf>,
    /// The folder of an index that is only read: what stands in it goes; may be given more than once
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Repeats")]
    against: Vec<PathBuf>,
    /// What standard input is called in an index, where its documents have no address: they are NAME, or NAME:RECORD [default: -]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", help_heading = "Repeats")]
    stdin_name: Option<String>,
    /// What becomes of what a document of the index had when it came before, and has no more [default: keep]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Repeats")]
    on_changed: Option<OnChanged>,

    /// How much is removed of what looks like chrome [default: safe]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Rules")]
    level: Option<Level>,
    /// The least score that a line is removed for, from 0 to 1, in place of the level's own
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SCORE", help_heading = "Rules")]
    score_threshold: Option<f64>,
    /// A file of weights for the score, as `train` makes it [default: those that come with dehusk]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Rules")]
    weights: Option<PathBuf>,
    /// A pack of rules besides the default ones: a name or a file; may be given more than once
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "NAME|FILE", help_heading = "Rules")]
    pack: Vec<String>,
    /// Leave the default packs out
    #[serde(skip_serializing_if = "is_false")]
    #[arg(long, help_heading = "Rules")]
    no_default_packs: bool,

    /// Write what was removed, from where and why, so that `restore` can put it back
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Accounts and limits")]
    journal: Option<PathBuf>,
    /// Write a report as JSON
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Accounts and limits")]
    report: Option<PathBuf>,
    /// The largest share of its text that a document may lose, whole copies aside [default: 1]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SHARE", help_heading = "Accounts and limits")]
    max_removed_document: Option<f64>,
    /// The largest share of all text that a run may lose [default: 0.8]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SHARE", help_heading = "Accounts and limits")]
    max_removed_run: Option<f64>,
    /// What happens where a limit is crossed [default: warn]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Accounts and limits")]
    on_limit: Option<OnLimit>,
    /// Drop documents that have no text left
    #[serde(skip_serializing_if = "is_false")]
    #[arg(long, help_heading = "Accounts and limits")]
    drop_empty: bool,

    /// Tell only what is bad
    #[serde(skip_serializing_if = "is_false")]
    #[arg(short, long, help_heading = "Messages")]
    quiet: bool,
    /// Tell more: what was removed by each rule
    #[serde(skip_serializing_if = "is_zero")]
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Messages")]
    verbose: u8,
    /// How progress is shown [default: auto]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Messages")]
    progress: Option<Progress>,
    /// Whether messages are coloured [default: auto]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Messages")]
    color: Option<Color>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_zero(count: &u8) -> bool {
    *count == 0
}

impl ConfigArgs {
    /// The configuration: the defaults, then the file, then the flags.
    pub(crate) fn resolve(&self) -> anyhow::Result<dehusk::Config> {
        let base = match &self.config {
            Some(path) => dehusk::Config::read(path)?,
            None => dehusk::Config::default(),
        };
        Ok(base.overlaid("command line", toml::Table::try_from(self)?)?)
    }
}
