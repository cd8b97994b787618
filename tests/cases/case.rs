//! What a case is, and how it is read from TOML.
//!
//! ```toml
//! config = { no-default-packs = true }    # for all cases of the file; a case's own keys go before
//! pack = '…'                              # likewise: a pack of rules, as TOML
//!
//! [[case]]
//! name = "unique-among-all-files"
//! about = "why, for the reader"            # optional
//! config = { min-chars = 10 }              # keys of `Config`; `level` is "rules" if not given
//! pack = '…'                               # optional: in place of the file's
//! skip = { cleaner = "why not there" }     # paths that do not apply: jsonl, stream, cleaner
//! file = [
//!   { name = "a.txt", text = "…", left = "…", cuts = ["rule web-en/skip-link", "repeat a.txt:1", "copy a.txt", "gap"] },
//!   { name = "b.txt", text = "…", stays = true },
//!   { name = "c.txt", text = "…", dropped = true },
//! ]
//! ```
//!
//! A case of one document may have `text`, `left`, `stays`, `dropped` and `cuts` at its top; the file is then `a.txt`. With
//! `bytes = true`, `\xNN` in texts stands for a byte. `dangling` names links that lead nowhere. `bad-records`, `limits`,
//! `failed-files` and `passed-over` are all that the report must say; `error` is what the run must stop with, and then no
//! file has an end. `bug` says what is wrong with dehusk in a case that fails for now; once it passes, the key must go.

use anyhow::{Context, Result, bail, ensure};
use dehusk::{Config, Level};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// A case, ready to be run.
pub(crate) struct Case {
    /// Its file and name, for messages.
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) pack: Option<String>,
    pub(crate) skip: BTreeMap<Skippable, String>,
    pub(crate) files: Vec<CaseFile>,
    pub(crate) dangling: Vec<String>,
    pub(crate) told: Told,
    pub(crate) error: Option<String>,
    /// What is wrong with dehusk, so that the case fails for now.
    pub(crate) bug: Option<String>,
}

/// An input, and what must become of it.
pub(crate) struct CaseFile {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
    /// What is left of it; nothing if no output may be written.
    pub(crate) left: Option<Vec<u8>>,
    pub(crate) cuts: Option<Vec<String>>,
}

/// What the report must say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) bad_records: Vec<String>,
    pub(crate) limits: Vec<String>,
    pub(crate) failed_files: Vec<String>,
    pub(crate) passed_over: Vec<String>,
}

/// The paths that do not apply to every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Skippable {
    Jsonl,
    Stream,
    Cleaner,
}

impl Case {
    /// Whether the files are plain text, one document each.
    pub(crate) fn is_text(&self) -> bool {
        self.files.iter().all(|file| file.name.ends_with(".txt"))
    }

    /// Whether a path applies.
    pub(crate) fn goes(&self, path: Skippable) -> bool {
        !self.skip.contains_key(&path)
    }
}

/// Reads all cases of a file, and notes their names in `names`.
pub(crate) fn read(path: &Path, names: &mut HashSet<String>) -> Result<Vec<Case>> {
    let source = std::fs::read_to_string(path)?;
    let table: TomlFile = toml::from_str(&source).with_context(|| path.display().to_string())?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    ensure!(!table.case.is_empty(), "{}: no case", path.display());
    let mut cases = Vec::new();
    for case in table.case {
        let name = format!("{stem}: {}", case.name);
        ensure!(names.insert(case.name.clone()), "{name}: the name stands twice");
        cases.push(case.check(name.clone(), &table.config, table.pack.as_deref()).with_context(|| name)?);
    }
    Ok(cases)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    #[serde(default)]
    config: toml::Table,
    pack: Option<String>,
    case: Vec<TomlCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TomlCase {
    name: String,
    #[serde(rename = "about")]
    _about: Option<String>,
    #[serde(default)]
    config: toml::Table,
    pack: Option<String>,
    #[serde(default)]
    skip: BTreeMap<Skippable, String>,
    #[serde(default)]
    bytes: bool,
    file: Option<Vec<TomlDocument>>,
    text: Option<String>,
    left: Option<String>,
    #[serde(default)]
    stays: bool,
    #[serde(default)]
    dropped: bool,
    cuts: Option<Vec<String>>,
    #[serde(default)]
    dangling: Vec<String>,
    #[serde(default)]
    bad_records: Vec<String>,
    #[serde(default)]
    limits: Vec<String>,
    #[serde(default)]
    failed_files: Vec<String>,
    #[serde(default)]
    passed_over: Vec<String>,
    error: Option<String>,
    bug: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlDocument {
    name: String,
    text: String,
    left: Option<String>,
    #[serde(default)]
    stays: bool,
    #[serde(default)]
    dropped: bool,
    cuts: Option<Vec<String>>,
}

impl TomlCase {
    fn check(self, name: String, base: &toml::Table, pack: Option<&str>) -> Result<Case> {
        let plain = Config { level: Level::Rules, ..Config::default() };
        let config = plain.overlaid("config", base.clone())?.overlaid("config", self.config)?;
        ensure!(self.skip.values().all(|reason| !reason.is_empty()), "a path is skipped without a reason");
        let (stays, dropped) = (self.stays, self.dropped);
        let documents = match (self.text, self.file) {
            (Some(text), None) => {
                vec![TomlDocument { name: "a.txt".into(), text, left: self.left, stays, dropped, cuts: self.cuts }]
            }
            (None, Some(files)) => {
                ensure!(self.left.is_none() && self.cuts.is_none() && !stays && !dropped, "left is said of each file");
                files
            }
            _ => bail!("either text or file is needed"),
        };
        let ends_in_error = self.error.is_some();
        let files =
            documents.into_iter().map(|document| document.check(self.bytes, ends_in_error)).collect::<Result<_>>()?;
        let told = Told {
            bad_records: self.bad_records,
            limits: self.limits,
            failed_files: self.failed_files,
            passed_over: self.passed_over,
        };
        Ok(Case {
            name,
            config,
            pack: self.pack.or_else(|| pack.map(str::to_owned)),
            skip: self.skip,
            files,
            dangling: self.dangling,
            told,
            error: self.error,
            bug: self.bug,
        })
    }
}

impl TomlDocument {
    fn check(self, is_bytes: bool, ends_in_error: bool) -> Result<CaseFile> {
        let bytes = |text: String| if is_bytes { unescaped(&text) } else { Ok(text.into_bytes()) };
        let n_ends = [self.left.is_some(), self.stays, self.dropped].into_iter().filter(|is_given| *is_given).count();
        ensure!(n_ends == usize::from(!ends_in_error), "{}: give one of left, stays and dropped", self.name);
        let text = bytes(self.text)?;
        let left = if self.stays { Some(text.clone()) } else { self.left.map(bytes).transpose()? };
        ensure!(!(self.stays && self.cuts.is_some()), "{}: nothing is cut from what stays", self.name);
        let cuts = if self.stays { Some(Vec::new()) } else { self.cuts };
        Ok(CaseFile { name: self.name, text, left, cuts })
    }
}

/// `text` with the byte that each `\xNN` stands for.
fn unescaped(text: &str) -> Result<Vec<u8>> {
    let mut pieces = text.split("\\x");
    let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).context("\\x wants two digits")?;
        out.push(u8::from_str_radix(digits, 16)?);
        out.extend_from_slice(rest.as_bytes());
    }
    Ok(out)
}
