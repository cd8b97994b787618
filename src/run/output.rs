//! Outputs: pieces that come in any order and are written in theirs, and files that appear only when they are whole.

use super::target::{Form, Target};
use crate::codec::Codec;
use crate::config::Compress;
use crate::error::{Error, Result};
use crate::store::{Address, folder_of};
use std::collections::BTreeMap;
use std::fs::{File, Metadata, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::{NamedTempFile, TempPath};

/// What names start with that are dehusk's own: of files that are not finished, and of logs. They are never inputs.
const OWN_PREFIX: &str = ".dehusk-";

/// A name of dehusk's own.
pub(super) fn own_name(rest: &str) -> String {
    format!("{OWN_PREFIX}{rest}")
}

/// Whether a file is dehusk's own, by its name.
pub(super) fn is_own(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(OWN_PREFIX.as_bytes()))
}

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
    room: Room,
    /// Holds the pieces that wait on disk: one file for all, since handles may be few.
    spilled: Option<File>,
}

/// Where pieces wait for an earlier one.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// So many bytes wait in memory,
    pub(crate) bytes: usize,
    /// and the others on disk, in this folder.
    pub(crate) folder: PathBuf,
}

#[derive(Debug)]
struct Waiting {
    piece: Piece,
    is_last: bool,
}

#[derive(Debug)]
enum Piece {
    Memory(Vec<u8>),
    /// Where it starts in the file of those that wait on disk, and how long it is.
    Disk(u64, usize),
}

impl<W: Write> InOrder<W> {
    /// Writes to a writer, from a turn on.
    pub(crate) fn new(writer: W, first: Turn, room: Room) -> Self {
        InOrder { writer, next: first, waiting: BTreeMap::new(), waiting_bytes: 0, room, spilled: None }
    }

    /// Takes a piece, which may be the last of its file, and writes all whose turn it is. A piece whose turn is over is
    /// dropped: its file was given up.
    pub(crate) fn submit(&mut self, turn: Turn, is_last: bool, bytes: &[u8]) -> std::io::Result<()> {
        if turn > self.next {
            let piece = if self.waiting_bytes + bytes.len() <= self.room.bytes {
                self.waiting_bytes += bytes.len();
                Piece::Memory(bytes.to_vec())
            } else {
                self.spill(bytes)?
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
                Piece::Disk(start, n_bytes) => {
                    let mut bytes = vec![0; n_bytes];
                    let file = self.spilled.as_mut().expect("what waits on disk was put there");
                    file.seek(SeekFrom::Start(start))?;
                    file.read_exact(&mut bytes)?;
                    self.writer.write_all(&bytes)?;
                }
            }
            self.next = self.next.next(is_last);
        }
        if self.waiting.is_empty() {
            self.spilled = None;
        }
        Ok(())
    }

    fn spill(&mut self, bytes: &[u8]) -> std::io::Result<Piece> {
        let mut file = match self.spilled.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.room.folder)?,
        };
        let start = file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)?;
        self.spilled = Some(file);
        Ok(Piece::Disk(start, bytes.len()))
    }

    pub(crate) fn writer(&mut self) -> &mut W {
        &mut self.writer
    }

    pub(crate) fn into_writer(self) -> W {
        self.writer
    }
}

/// A file that gets its name when it is finished.
///
/// Until then it has a name of dehusk's own, which follows from the one that it will get: what a run that was killed left
/// behind is found, and replaced, when the same file is written again. What is to go to a server is a temporary file.
#[derive(Debug)]
pub(crate) struct Unfinished {
    file: NamedTempFile,
    to: Address,
    may_replace: bool,
}

impl Unfinished {
    /// Begins a file beside where it is to be; its folder is made if need be.
    pub(crate) fn create(to: &Address, may_replace: bool) -> Result<Self> {
        let file = match to.local_path() {
            Some(path) => create_beside(path),
            None => tempfile::Builder::new().prefix(OWN_PREFIX).tempfile(),
        };
        let file = file.map_err(|source| Error::writing(to.path(), source))?;
        // Where files cannot be locked, nobody is told of another run.
        let _ = file.as_file().try_lock();
        Ok(Unfinished { file, to: to.clone(), may_replace })
    }

    /// Puts the whole file on the disk, and then under its name.
    pub(crate) fn finish(self) -> Result<()> {
        let to = self.to.clone();
        let whole = self.close()?;
        whole.sync()?;
        whole.name()?;
        if let Some(path) = to.local_path() {
            // The name is to be on the disk as well, where folders can be put there.
            let _ = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    /// Closes the whole file, which is to be put on the disk, and then under its name.
    pub(super) fn close(self) -> Result<Whole> {
        let Unfinished { file, to, may_replace } = self;
        let metadata = file.as_file().metadata().map_err(|source| Error::writing(to.path(), source))?;
        Ok(Whole { file: file.into_temp_path(), to, may_replace, metadata })
    }
}

/// Removes what an earlier run wrote on this machine where this one has nothing to write. Only where it may be replaced is
/// anything there.
pub(super) fn remove_replaced(output: &Address) -> Result<()> {
    match output.local_path().map_or(Ok(()), std::fs::remove_file) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::writing(output.path(), source)),
        _ => Ok(()),
    }
}

fn create_beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = folder_of(path);
    let name = path.file_name().unwrap_or(path.as_os_str()).as_encoded_bytes();
    let name = own_name(&format!("{}.part", &blake3::hash(name).to_hex()[..16]));
    let mut builder = tempfile::Builder::new();
    builder.prefix(&name).rand_bytes(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any file that is made: what the user's mask leaves.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder).or_else(|error| {
        match error.kind() {
            ErrorKind::AlreadyExists => remove_leftover(&folder.join(&name))?,
            _ => std::fs::create_dir_all(folder)?,
        }
        builder.tempfile_in(folder)
    })
}

/// Removes what a run left that was killed, but not what another run writes at this time.
fn remove_leftover(path: &Path) -> std::io::Result<()> {
    if let Err(TryLockError::WouldBlock) = File::open(path)?.try_lock() {
        return Err(std::io::Error::new(ErrorKind::ResourceBusy, "another run is writing it"));
    }
    std::fs::remove_file(path)
}

/// A file that is whole, closed, and waits for the disk and its name.
#[derive(Debug)]
pub(super) struct Whole {
    file: TempPath,
    to: Address,
    may_replace: bool,
    metadata: Metadata,
}

impl Whole {
    /// What is known of the file: its size, and where it lies.
    pub(super) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whether it is to stay on the disk that it is on.
    pub(super) fn stays(&self) -> bool {
        self.to.local_path().is_some()
    }

    /// Opens the file.
    pub(super) fn open(&self) -> std::io::Result<File> {
        File::open(&self.file)
    }

    /// Puts the file on the disk, if it stays there.
    pub(super) fn sync(&self) -> Result<()> {
        if !self.stays() {
            return Ok(());
        }
        self.open().and_then(|file| file.sync_all()).map_err(|source| Error::writing(self.to.path(), source))
    }

    /// Gives the file its name, once it is on the disk.
    pub(super) fn name(self) -> Result<()> {
        let is_as_written = self.is_as_written();
        let Whole { file, to, may_replace, .. } = self;
        let fails = |source| Error::writing(to.path(), source);
        if !is_as_written {
            // What is there now is not ours to remove.
            let _ = file.keep();
            return Err(fails(std::io::Error::new(ErrorKind::ResourceBusy, "another run is writing it")));
        }
        match &to {
            Address::Local(path) => {
                let named = if may_replace { file.persist(path) } else { file.persist_noclobber(path) };
                named.map_err(|error| fails(error.error))
            }
            #[cfg(feature = "remote")]
            Address::Remote(remote) => File::open(&file).and_then(|file| remote.put(file)).map_err(fails),
        }
    }

    /// Whether the file is the one that was closed: nothing keeps another run from writing the same output since.
    #[cfg(unix)]
    fn is_as_written(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |metadata: &Metadata| (metadata.dev(), metadata.ino());
        self.file.symlink_metadata().is_ok_and(|found| identity(&found) == identity(&self.metadata))
    }

    #[cfg(not(unix))]
    fn is_as_written(&self) -> bool {
        true
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
    pub(crate) to: &'w Address,
    pub(crate) may_replace: bool,
    pub(crate) form: Form,
    pub(crate) room: &'w Room,
}

impl FileOutput {
    /// Takes a part of the file; with the last to come, gives the file, which is then to be finished.
    pub(crate) fn submit(
        &self,
        writing: Writing<'_>,
        turn: Turn,
        is_last: bool,
        bytes: &[u8],
    ) -> Result<Option<Whole>> {
        let Writing { to, may_replace, form, room } = writing;
        let fails = |source| Error::writing(to.path(), source);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut in_order = match std::mem::replace(&mut *state, State::Given) {
            State::NotBegun => {
                let target = Target::begin(&form, to, may_replace)?;
                Box::new(InOrder::new(target, Turn { number: 0, ..turn }, room.clone()))
            }
            State::Open(in_order) => in_order,
            State::Given => return Ok(None),
        };
        in_order.submit(turn, is_last, bytes).map_err(fails)?;
        if in_order.next.file_idx > turn.file_idx {
            return in_order.into_writer().finish().map_err(fails)?.close().map(Some);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_wait_on_disk_are_written_in_their_turn() {
        let room = Room { bytes: 8 << 10, folder: tempfile::env::temp_dir() };
        let piece = |number: u8| vec![number; room.bytes / 8];
        let mut in_order = InOrder::new(Vec::new(), Turn::default(), room.clone());
        for number in (0..20).rev() {
            let turn = Turn { file_idx: usize::from(number), number: 0 };
            in_order.submit(turn, true, &piece(number)).expect("memory can be written");
            assert_eq!(in_order.spilled.is_some(), number > 0 && number < 12, "{number}");
        }
        assert!(in_order.into_writer() == (0..20).flat_map(piece).collect::<Vec<u8>>());
    }
}
