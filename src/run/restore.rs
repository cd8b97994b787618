//! Restoring: what was cut goes back where it was.

use super::open;
use super::target::{Form, Target};
use crate::codec::{Codec, Unpacked};
use crate::error::{Error, Result};
#[cfg(feature = "parquet")]
use crate::journal::RowsLine;
use crate::journal::{FileLine, JournalReader, Line, PartLine, copy_hashed};
#[cfg(feature = "parquet")]
use crate::record::Fields;
use crate::record::Layout;
#[cfg(feature = "parquet")]
use crate::record::parquet::{Columns, RowBytes};
use crate::store::{Address, canonical_to_be, refuse_url};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

/// What [`restore`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Files that were put together again, and checked against the journal's hashes.
    pub files: u64,
    /// Cuts that were put back.
    pub cuts: u64,
    /// Files that could not be restored, in words.
    pub failed: Vec<String>,
}

/// Puts back into `cleaned`, a file or a folder, everything that `journal` says was removed, and writes the originals to
/// `output`, a file or a folder likewise. Each is checked against the hash that the journal has of it.
///
/// # Errors
///
/// When the journal cannot be read, or inputs and outputs do not go together. A cleaned file that is missing or was changed
/// is no error but part of what is returned.
pub fn restore(cleaned: &Path, journal: &Path, output: &Path, force: bool) -> Result<Restored> {
    for path in [cleaned, journal, output] {
        refuse_url(path, "what restore reads or writes")?;
    }
    let of_folder = cleaned.is_dir();
    refuse_overlap(cleaned, output, of_folder)?;
    if !force && (if of_folder { is_filled(output) } else { to_file(output, cleaned).exists() }) {
        let what = format!("{}: the output exists; choose another, or replace it with --force", output.display());
        return Err(Error::usage(what));
    }
    let mut reader = JournalReader::open(BufReader::new(open(journal)?), journal)?;
    let mut restored = Restored::default();
    let mut current: Option<Restoring> = None;
    let mut n_files = 0;
    let mut is_whole = false;
    while let Some(line) = reader.next()? {
        is_whole = false;
        match line {
            Line::End(end) => {
                if end.files != n_files {
                    return Err(reader.complain("files are missing; restore from the journal as it was written"));
                }
                is_whole = true;
            }
            Line::Head(_) => {
                return Err(reader.complain("a second head; restore from the journal as it was written"));
            }
            Line::File(file) => {
                finish(current.take(), &mut restored)?;
                n_files += 1;
                let name = PathBuf::from(file.file.as_ref());
                let cleaned_name = file.cleaned.as_ref().map_or(name.clone(), |name| PathBuf::from(name.as_ref()));
                let original = match Original::of(&file) {
                    Ok(original) => original,
                    Err(what) => return Err(reader.complain(what)),
                };
                if !of_folder && n_files > 1 {
                    open(cleaned)?;
                    let what = "the journal is of several files; give the folder that they were written to";
                    return Err(reader.complain(what));
                }
                let mut components = name.components().chain(cleaned_name.components());
                if components.any(|part| !matches!(part, Component::Normal(_))) {
                    return Err(reader.complain("a file's name leads out of the folder; the journal was tampered with"));
                }
                let (from, to) = if of_folder {
                    (cleaned.join(&cleaned_name), output.join(&name))
                } else {
                    (cleaned.into(), to_file(output, cleaned))
                };
                current = Some(match &file.written {
                    None => Restoring::begin(from, to, original, force),
                    Some(written) => Restoring { work: Err(converted(&from, written)), from, to, n_cuts: 0 },
                });
            }
            Line::Cut(cut) => {
                let at = cut.at;
                let instead = cut.instead.as_deref().unwrap_or_default().to_owned();
                let Some(bytes) = cut.into_bytes() else {
                    return Err(reader.complain("a cut without its bytes; restore from the journal as it was written"));
                };
                match &mut current {
                    Some(current) => current.put_back(at, &bytes, instead.as_bytes()),
                    None => {
                        return Err(reader.complain("a cut before the first file; the journal was tampered with"));
                    }
                }
            }
            Line::Part(part) => match &mut current {
                Some(current) => current.end_part(&part),
                None => {
                    return Err(reader.complain("a part before the first file; the journal was tampered with"));
                }
            },
        }
    }
    finish(current.take(), &mut restored)?;
    if !is_whole {
        return Err(reader.complain("the journal ends too soon; restore from the journal as it was written"));
    }
    Ok(restored)
}

fn is_filled(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file()
}

fn to_file(output: &Path, cleaned: &Path) -> PathBuf {
    match cleaned.file_name() {
        Some(name) if Address::local(output).is_folder() => output.join(name),
        _ => output.to_owned(),
    }
}

fn refuse_overlap(cleaned: &Path, output: &Path, of_folder: bool) -> Result<()> {
    let (Some(from), Some(to)) = (canonical_to_be(cleaned), canonical_to_be(output)) else {
        return Ok(());
    };
    if from == to || (of_folder && (to.starts_with(&from) || from.starts_with(&to))) {
        let what = format!("{} and {} overlap; restore to another place", cleaned.display(), output.display());
        return Err(Error::usage(what));
    }
    Ok(())
}

fn finish(restoring: Option<Restoring>, restored: &mut Restored) -> Result<()> {
    let Some(restoring) = restoring else {
        return Ok(());
    };
    let n_cuts = restoring.n_cuts;
    match restoring.finish() {
        Ok(()) => {
            restored.files += 1;
            restored.cuts += n_cuts;
        }
        Err(error) => restored.failed.push(error.to_string()),
    }
    Ok(())
}

/// What the journal says of a file as it was.
struct Original {
    dropped: bool,
    codec: Option<Codec>,
    layout: Layout,
}

impl Original {
    fn of(file: &FileLine<'_>) -> Result<Self, &'static str> {
        let codec = match &file.packed {
            Some(name) => Some(
                Codec::of_name(name).ok_or("packed with what this dehusk does not know; restore with a newer one")?,
            ),
            None => None,
        };
        let layout = match &file.rows {
            None => Layout::Whole,
            #[cfg(feature = "parquet")]
            Some(RowsLine { text, id, url, site, whole }) => {
                let [text, id, url, site] = [text, id, url, site].map(|name| name.clone().into_owned());
                Layout::Parquet(Columns { fields: Fields { text, id, url, site }, whole_rows: *whole, n_groups: 0 })
            }
            #[cfg(not(feature = "parquet"))]
            Some(_) => return Err("rows of Parquet, which is not in this build; build it with --features parquet"),
        };
        Ok(Original { dropped: file.dropped, codec, layout })
    }

    /// What is left of it, in a file.
    fn open(&self, cleaned: &Path) -> std::io::Result<Box<dyn Read>> {
        if self.dropped {
            return Ok(Box::new(std::io::empty()));
        }
        #[cfg(feature = "parquet")]
        if let Layout::Parquet(columns) = &self.layout {
            return Ok(Box::new(RowBytes::open(cleaned, columns)?));
        }
        Ok(Box::new(BufReader::new(Unpacked::new(File::open(cleaned)?)?)))
    }

    /// How it lies in its file.
    fn form(&self, _cleaned: &Path) -> Form {
        #[cfg(feature = "parquet")]
        if let Layout::Parquet(columns) = &self.layout {
            // Where rows may have been dropped, so may groups.
            let is_same = !columns.whole_rows;
            return Form::Rows { source: _cleaned.to_owned(), columns: columns.clone(), is_same };
        }
        Form::Bytes { codec: self.codec, level: None }
    }
}

/// A file that is being put together.
struct Restoring {
    from: PathBuf,
    to: PathBuf,
    work: Result<Work>,
    n_cuts: u64,
}

struct Work {
    source: Box<dyn Read>,
    target: BufWriter<Target>,
    layout: Layout,
    hasher: blake3::Hasher,
    /// Bytes of the original that are written.
    at: u64,
    part_start: u64,
    /// Whether something of the part was put back.
    is_edited: bool,
}

impl Restoring {
    fn begin(from: PathBuf, to: PathBuf, original: Original, force: bool) -> Self {
        let work = Work::begin(&from, &to, original, force);
        Restoring { from, to, work, n_cuts: 0 }
    }

    fn put_back(&mut self, at: u64, bytes: &[u8], instead: &[u8]) {
        self.n_cuts += 1;
        self.then(|work, from, to| {
            work.copy_up_to(at, from, to)?;
            let mut found = vec![0; instead.len()];
            if work.source.read_exact(&mut found).is_err() || found != instead {
                return Err(not_of_this_journal(from));
            }
            work.is_edited = true;
            work.hasher.update(bytes);
            work.at += bytes.len() as u64;
            work.target.write_all(bytes).map_err(|source| Error::writing(to, source))
        });
    }

    fn end_part(&mut self, part: &PartLine<'_>) {
        self.then(|work, from, to| {
            work.copy_up_to(work.part_start.saturating_add(part.bytes), from, to)?;
            if work.hasher.finalize().to_hex().as_str() != part.blake3 {
                return Err(not_of_this_journal(from));
            }
            work.hasher.reset();
            work.part_start = work.at;
            let mut end = Vec::new();
            work.layout.end_part(std::mem::take(&mut work.is_edited), part.ends_group, &mut end);
            work.target.write_all(&end).map_err(|source| Error::writing(to, source))
        });
    }

    fn then(&mut self, step: impl FnOnce(&mut Work, &Path, &Path) -> Result<()>) {
        if let Ok(work) = &mut self.work
            && let Err(error) = step(work, &self.from, &self.to)
        {
            self.work = Err(error);
        }
    }

    fn finish(self) -> Result<()> {
        let Work { mut source, target, at, part_start, .. } = self.work?;
        let is_at_end = source.read(&mut [0]).map_err(|error| Error::reading(&self.from, error))? == 0;
        if !is_at_end || at != part_start {
            return Err(not_of_this_journal(&self.from));
        }
        let fails = |source| Error::writing(&self.to, source);
        let packer = target.into_inner().map_err(|error| fails(error.into_error()))?;
        packer.finish().map_err(fails)?.finish()
    }
}

impl Work {
    fn begin(from: &Path, to: &Path, original: Original, force: bool) -> Result<Self> {
        let address = Address::local(to);
        super::refuse_existing_file(&address, force)?;
        let source = original.open(from).map_err(|source| Error::reading(from, source))?;
        let target = BufWriter::new(Target::begin(&original.form(from), &address, force)?);
        let hasher = blake3::Hasher::new();
        Ok(Work { source, target, layout: original.layout, hasher, at: 0, part_start: 0, is_edited: false })
    }

    /// Copies what stayed, up to an offset in the original.
    fn copy_up_to(&mut self, at: u64, from: &Path, to: &Path) -> Result<()> {
        let Some(n_bytes) = at.checked_sub(self.at) else {
            return Err(not_of_this_journal(from));
        };
        let copied = copy_hashed(&mut self.source, n_bytes, &mut self.target, &mut self.hasher);
        let n_copied = copied.map_err(|source| Error::writing(to, source))?;
        self.at += n_copied;
        if n_copied < n_bytes { Err(not_of_this_journal(from)) } else { Ok(()) }
    }
}

fn converted(cleaned: &Path, written: &str) -> Error {
    let what = format!("was written as {written}, from which what it was cannot be put together");
    Error::record(cleaned.display().to_string(), what, "to be able to restore, clean without --output-format")
}

fn not_of_this_journal(cleaned: &Path) -> Error {
    let what = "does not fit the journal";
    Error::record(cleaned.display().to_string(), what, "restore from the cleaned file and the journal of one run")
}
