//! A log: entries that are appended to a file, each with its size and a checksum.
//!
//! ```text
//! entry     its size (8 bytes), the first 8 bytes of its BLAKE3, its bytes
//! ```
//! Numbers are little-endian. A process that is killed, or a machine that loses its power, leaves the end of a log torn: it
//! ends where the first entry is that is not whole.

use crate::error::{Error, Result};
use crate::store::folder_of;
use std::fs::{File, TryLockError};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const SIZE_BYTES: usize = 8;
const CHECK_BYTES: usize = 8;

/// A log that one process at a time has.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    /// Where the last whole entry ends.
    end: u64,
    /// Whether the file is at that place.
    is_at_end: bool,
    has_name: bool,
}

/// Where bytes lie in a log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stretch {
    start: u64,
    bytes: u64,
}

impl Log {
    /// Begins a log, in place of one that is there.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let fails = |source| Error::writing(path, source);
        std::fs::create_dir_all(folder_of(path)).map_err(fails)?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(fails)?;
        lock(&file, path)?;
        file.set_len(0).map_err(fails)?;
        Ok(Log { file, path: path.to_owned(), end: 0, is_at_end: true, has_name: true })
    }

    /// Begins a log beside a file, which nobody sees and which is gone with the process.
    pub(crate) fn unseen(beside: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder_of(beside)).map_err(|source| Error::writing(beside, source))?;
        Ok(Log { file, path: beside.to_owned(), end: 0, is_at_end: true, has_name: false })
    }

    /// Opens a log that is there, and reads it; `take` is given each entry and where it lies, until it takes no more.
    pub(crate) fn open(path: &Path, mut take: impl FnMut(&[u8], Stretch) -> Result<bool>) -> Result<Option<Self>> {
        let fails = |source| Error::reading(path, source);
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(fails(source)),
        };
        lock(&file, path)?;
        let end = read_entries(&file, path, &mut take)?;
        // What is torn goes, lest something of it is taken for an entry behind later ones.
        file.set_len(end).map_err(|source| Error::writing(path, source))?;
        Ok(Some(Log { file, path: path.to_owned(), end, is_at_end: false, has_name: true }))
    }

    /// Goes on behind the whole entries of a log that was [read](read), or begins one; what is torn goes. Others are kept from it by
    /// something else that is locked, so that they can read it meanwhile.
    pub(crate) fn go_on(path: &Path, end: u64) -> Result<Self> {
        let fails = |source| Error::writing(path, source);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(fails)?;
        file.set_len(end).map_err(fails)?;
        Ok(Log { file, path: path.to_owned(), end, is_at_end: false, has_name: true })
    }

    /// Appends an entry, given in pieces; says where the last of them lies. An entry that cannot be written leaves the log as it was.
    pub(crate) fn append(&mut self, pieces: &[&[u8]]) -> Result<Stretch> {
        let mut hasher = blake3::Hasher::new();
        for piece in pieces {
            hasher.update(piece);
        }
        let size: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let mut head = [0; SIZE_BYTES + CHECK_BYTES];
        head[..SIZE_BYTES].copy_from_slice(&size.to_le_bytes());
        head[SIZE_BYTES..].copy_from_slice(&hasher.finalize().as_bytes()[..CHECK_BYTES]);
        let first = pieces.first().copied().unwrap_or_default();
        let is_at_end = std::mem::replace(&mut self.is_at_end, false);
        let mut write = || {
            if !is_at_end {
                self.file.seek(SeekFrom::Start(self.end))?;
            }
            // Small entries in one call.
            self.file.write_all(&[&head, first].concat())?;
            pieces.iter().skip(1).filter(|piece| !piece.is_empty()).try_for_each(|piece| self.file.write_all(piece))
        };
        write().map_err(|source| Error::writing(&self.path, source))?;
        self.is_at_end = true;
        self.end += head.len() as u64 + size;
        let bytes = pieces.last().map_or(0, |piece| piece.len() as u64);
        Ok(Stretch { start: self.end - bytes, bytes })
    }

    /// Appends an entry, and puts it on the disk. If that fails, it is as if it had not been appended, and what comes next is written
    /// in its place: what a system could not put on the disk once, it does not try again by itself.
    pub(crate) fn append_synced(&mut self, pieces: &[&[u8]]) -> Result<()> {
        let end = self.end;
        self.append(pieces)?;
        self.sync().inspect_err(|_| (self.end, self.is_at_end) = (end, false))
    }

    /// Puts on the disk what was appended.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|source| Error::writing(&self.path, source))
    }

    /// Where the last whole entry ends.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Copies bytes of the log.
    pub(crate) fn copy(&mut self, stretch: Stretch, to: &mut impl Write) -> std::io::Result<()> {
        self.is_at_end = false;
        self.file.seek(SeekFrom::Start(stretch.start))?;
        let n_copied = std::io::copy(&mut (&self.file).take(stretch.bytes), to)?;
        if n_copied == stretch.bytes { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    /// The error for what could not be read of it.
    pub(crate) fn reading(&self, source: std::io::Error) -> Error {
        Error::reading(&self.path, source)
    }

    /// Removes the log.
    pub(crate) fn remove(self) -> Result<()> {
        if !self.has_name {
            return Ok(());
        }
        // What the log is of is on the disk under its names before the log is gone.
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::syncfs(&self.file);
        std::fs::remove_file(&self.path).map_err(|source| Error::writing(&self.path, source))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Closing alone would leave it locked for as long as a process that is just being started has the file too.
        let _ = self.file.unlock();
    }
}

impl Stretch {
    /// So many bytes at the start.
    pub(crate) fn first(self, n_bytes: usize) -> Self {
        Stretch { start: self.start, bytes: (n_bytes as u64).min(self.bytes) }
    }

    /// All but so many bytes at the start.
    pub(crate) fn behind(self, n_bytes: usize) -> Self {
        let n_bytes = (n_bytes as u64).min(self.bytes);
        Stretch { start: self.start + n_bytes, bytes: self.bytes - n_bytes }
    }
}

fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let what = format!("{}: another run is at work here; wait until it has ended", path.display());
            Err(Error::usage(what))
        }
        // Where files cannot be locked, nobody is told of another run.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Reads a log that somebody else may be writing to, as [`Log::open`] does; says where the entries end that are whole and were taken.
pub(crate) fn read(path: &Path, mut take: impl FnMut(&[u8], Stretch) -> Result<bool>) -> Result<u64> {
    let file = File::open(path).map_err(|source| Error::reading(path, source))?;
    read_entries(&file, path, &mut take)
}

fn read_entries(file: &File, path: &Path, take: &mut impl FnMut(&[u8], Stretch) -> Result<bool>) -> Result<u64> {
    let fails = |source| Error::reading(path, source);
    let size = file.metadata().map_err(fails)?.len();
    let mut reader = BufReader::new(file);
    let mut end = 0;
    let mut entry = Vec::new();
    while read_entry(&mut reader, size - end, &mut entry).map_err(fails)? {
        let bytes = entry.len() as u64;
        let start = end + (SIZE_BYTES + CHECK_BYTES) as u64;
        if !take(&entry, Stretch { start, bytes })? {
            break;
        }
        end = start + bytes;
    }
    Ok(end)
}

/// Reads the next entry, if there is one and it is whole.
fn read_entry(reader: &mut impl Read, left: u64, entry: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut head = [0; SIZE_BYTES + CHECK_BYTES];
    let Some(left) = left.checked_sub(head.len() as u64) else { return Ok(false) };
    match reader.read_exact(&mut head) {
        // What was torn was cut off meanwhile.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
        outcome => outcome?,
    }
    let (size, check) = head.split_at(SIZE_BYTES);
    let size = size.iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte));
    if size > left {
        return Ok(false);
    }
    entry.clear();
    reader.take(size).read_to_end(entry)?;
    Ok(blake3::hash(entry).as_bytes().starts_with(check))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(path: &Path) -> (Vec<Vec<u8>>, Option<Log>) {
        let mut entries = Vec::new();
        let log = Log::open(path, |entry, _| {
            entries.push(entry.to_vec());
            Ok(true)
        });
        (entries, log.expect("the log can be read"))
    }

    #[test]
    fn a_log_ends_before_the_first_entry_that_is_not_whole() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("deep/log");
        let mut log = Log::create(&path).expect("a log can be made");
        for pieces in [&[&b"one"[..]][..], &[b"two and ", b"", b"a half"], &[b""], &[b"three"]] {
            log.append(pieces).expect("it can be written to");
        }
        drop(log);
        let whole = std::fs::read(&path).expect("the log is there");
        let expected = [&b"one"[..], b"two and a half", b"", b"three"];
        let ends: Vec<usize> = expected
            .iter()
            .scan(0, |end, entry| {
                *end += SIZE_BYTES + CHECK_BYTES + entry.len();
                Some(*end)
            })
            .collect();
        for size in 0..=whole.len() {
            std::fs::write(&path, &whole[..size]).expect("it can be written");
            let n_whole = ends.iter().filter(|end| **end <= size).count();
            let (found, log) = entries(&path);
            assert_eq!(found, expected[..n_whole]);
            // What is appended takes the place of what is torn.
            let mut log = log.expect("it is there");
            let at = log.append(&[b"head", b"new"]).expect("it can be written to");
            let mut copied = Vec::new();
            log.copy(at, &mut copied).expect("it can be read");
            assert_eq!(copied, b"new");
            drop(log);
            let (found, _) = entries(&path);
            assert_eq!((found.len(), &found[n_whole][..]), (n_whole + 1, &b"headnew"[..]));
        }
        let mut damaged = whole.clone();
        damaged[ends[0] + SIZE_BYTES + CHECK_BYTES] ^= 1;
        std::fs::write(&path, damaged).expect("it can be written");
        assert_eq!(entries(&path).0, expected[..1]);
    }

    #[test]
    fn only_one_has_a_log() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("log");
        assert!(entries(&path).1.is_none());
        let log = Log::create(&path).expect("a log can be made");
        assert!(Log::create(&path).is_err_and(|error| error.is_usage()));
        assert!(Log::open(&path, |_, _| Ok(true)).is_err_and(|error| error.is_usage()));
        log.remove().expect("it can be removed");
        assert!(!path.exists());
    }
}
