//! Outputs: pieces that come in any order and are written in theirs, and files that appear only when they are whole.

use super::target::{Form, Target};
use crate::codec::Codec;
use crate::config::Compress;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::NamedTempFile;

/// Pieces that wait for an earlier one are kept in memory up to so many bytes; the others wait on disk.
const WAITING_BYTES: usize = 32 << 20;

/// When a piece is to be written: after the pieces before it of its file, and all of the files before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) file_idx: usize,
    pub(crate) number: usize,
}

impl Turn {
    fn next(self, is_last: bool) -> Self {
        match is_last {
            true => Turn { file_idx: self.file_idx + 1, number: 0 },
            false => Turn { number: self.number + 1, ..self },
        }
    }
}

/// Writes numbered pieces in their turn, whatever the order in which they come.
#[derive(Debug)]
pub(crate) struct InOrder<W> {
    writer: W,
    next: Turn,
    waiting: BTreeMap<Turn, Waiting>,
    waiting_bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    piece: Piece,
    is_last: bool,
}

#[derive(Debug)]
enum Piece {
    Memory(Vec<u8>),
    Disk(File),
}

impl<W: Write> InOrder<W> {
    /// Writes to a writer, from a turn on.
    pub(crate) fn new(writer: W, first: Turn) -> Self {
        InOrder { writer, next: first, waiting: BTreeMap::new(), waiting_bytes: 0 }
    }

    /// Takes a piece, which may be the last of its file, and writes all whose turn it is. A piece whose turn is over is
    /// dropped: its file was given up.
    pub(crate) fn submit(&mut self, turn: Turn, is_last: bool, bytes: &[u8]) -> std::io::Result<()> {
        if turn > self.next {
            let piece = if self.waiting_bytes + bytes.len() <= WAITING_BYTES {
                self.waiting_bytes += bytes.len();
                Piece::Memory(bytes.to_vec())
            } else {
                let mut file = tempfile::tempfile()?;
                file.write_all(bytes)?;
                Piece::Disk(file)
            };
            self.waiting.insert(turn, Waiting { piece, is_last });
            return Ok(());
        }
        if turn < self.next {
            return Ok(());
        }
        self.writer.write_all(bytes)?;
        self.next = turn.next(is_last);
        while let Some(Waiting { piece, is_last }) = self.waiting.remove(&self.next) {
            match piece {
                Piece::Memory(bytes) => {
                    self.waiting_bytes -= bytes.len();
                    self.writer.write_all(&bytes)?;
                }
                Piece::Disk(mut file) => {
                    file.seek(SeekFrom::Start(0))?;
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes)?;
                    self.writer.write_all(&bytes)?;
                }
            }
            self.next = self.next.next(is_last);
        }
        Ok(())
    }

    pub(crate) fn writer(&mut self) -> &mut W {
        &mut self.writer
    }

    pub(crate) fn into_writer(self) -> W {
        self.writer
    }
}

/// A file that gets its name when it is finished.
#[derive(Debug)]
pub(crate) struct Unfinished {
    file: NamedTempFile,
    path: PathBuf,
    may_replace: bool,
}

impl Unfinished {
    /// Begins a file beside where it is to be; its folder is made if need be.
    pub(crate) fn create(path: &Path, may_replace: bool) -> Result<Self> {
        let fails = |source| Error::writing(path, source);
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".dehusk-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any file that is made: what the user's mask leaves.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).or_else(|_| {
            std::fs::create_dir_all(folder)?;
            builder.tempfile_in(folder)
        });
        Ok(Unfinished { file: file.map_err(fails)?, path: path.to_owned(), may_replace })
    }

    /// Puts the whole file on the disk, and then under its name.
    pub(crate) fn finish(self) -> Result<()> {
        self.sync()?;
        self.name()
    }

    /// The open file.
    pub(super) fn file(&self) -> &File {
        self.file.as_file()
    }

    fn sync(&self) -> Result<()> {
        self.file.as_file().sync_all().map_err(|source| Error::writing(&self.path, source))
    }

    /// Gives the file its name, once it is on the disk.
    pub(super) fn name(self) -> Result<()> {
        let Unfinished { file, path, may_replace } = self;
        let named = if may_replace { file.persist(&path) } else { file.persist_noclobber(&path) };
        named.map(drop).map_err(|error| Error::writing(&path, error.error))
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The output file of an input, written part by part.
#[derive(Debug, Default)]
pub(crate) struct FileOutput {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    NotBegun,
    Open(Box<InOrder<Target>>),
    /// Nothing more is written: it is whole, or failed.
    Given,
}

/// How an output file is written.
#[derive(Clone, Debug)]
pub(crate) struct Writing<'w> {
    pub(crate) path: &'w Path,
    pub(crate) may_replace: bool,
    pub(crate) form: Form,
}

impl FileOutput {
    /// Takes a part of the file; with the last to come, gives the file, which is then to be finished.
    pub(crate) fn submit(
        &self,
        writing: Writing<'_>,
        turn: Turn,
        is_last: bool,
        bytes: &[u8],
    ) -> Result<Option<Unfinished>> {
        let Writing { path, may_replace, form } = writing;
        let fails = |source| Error::writing(path, source);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut in_order = match std::mem::replace(&mut *state, State::Given) {
            State::NotBegun => {
                let target = Target::begin(&form, path, may_replace)?;
                Box::new(InOrder::new(target, Turn { number: 0, ..turn }))
            }
            State::Open(in_order) => in_order,
            State::Given => return Ok(None),
        };
        in_order.submit(turn, is_last, bytes).map_err(fails)?;
        if in_order.next.file_idx > turn.file_idx {
            return in_order.into_writer().finish().map(Some).map_err(fails);
        }
        *state = State::Open(in_order);
        Ok(None)
    }

    /// Gives the file up: nothing of it stays.
    pub(crate) fn abandon(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Given;
    }
}

/// What an output is packed with, given what its input is.
pub(crate) fn output_codec(compress: Compress, input: Option<Codec>) -> Option<Codec> {
    match compress {
        Compress::Auto => input,
        Compress::None => None,
        Compress::Gzip => Some(Codec::Gzip),
        Compress::Zstd => Some(Codec::Zstd),
        Compress::Xz => Some(Codec::Xz),
        Compress::Bzip2 => Some(Codec::Bzip2),
        Compress::Lz4 => Some(Codec::Lz4),
    }
}
