//! The files of an index: made, replaced whole, locked, removed. Nothing else in the index writes names.

use super::sealed::List;
use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The folder of an index.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// The lock of the one who writes, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would leave it locked for as long as a process that is just being started has the file too.
        let _ = self.0.unlock();
    }
}

/// The files whose names have a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    Run,
    Log,
}

impl Series {
    const ALL: [Series; 2] = [Series::Run, Series::Log];

    fn prefix(self) -> &'static str {
        match self {
            Series::Run => "run-",
            Series::Log => "log-",
        }
    }
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Folder(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn numbered(&self, series: Series, number: u64) -> PathBuf {
        self.0.join(format!("{}{number:08}", series.prefix()))
    }

    /// Makes the folder, if it is not there.
    pub(super) fn make(&self) -> Result<()> {
        std::fs::create_dir_all(&self.0).map_err(|source| Error::writing(&self.0, source))
    }

    /// Whether nothing is in it but what locks it, or it is not there.
    pub(super) fn is_unused(&self) -> Result<bool> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(true),
            entries => entries.map_err(|source| Error::reading(&self.0, source))?,
        };
        for entry in entries {
            let name = entry.map_err(|source| Error::reading(&self.0, source))?.file_name();
            // The list is there before the head is. Another file may have its name.
            let is_list = || name == List::NAME && List::read(self).is_ok();
            if name != LOCK && !is_list() && !is_unfinished(&name.to_string_lossy()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Locks the index for the one who writes to it.
    pub(super) fn lock(&self) -> Result<Lock> {
        let path = self.join(LOCK);
        let file = self.open_to_overwrite(&path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let what = "another process writes to this index; wait until it has ended, or only read it";
                Err(Error::usage(what).at(&self.0))
            }
            Err(TryLockError::Error(source)) => Err(Error::writing(&path, source)),
            Ok(()) => Ok(Lock(file)),
        }
    }

    /// Begins a file that is removed again unless it gets its name.
    pub(super) fn begin(&self, path: &Path) -> Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any file that is made: what the user's mask leaves.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(&self.0).map_err(|source| Error::writing(path, source))
    }

    /// Gives a file that is on the disk its name, which is then on the disk as well.
    pub(super) fn name(&self, file: NamedTempFile, path: &Path) -> Result<()> {
        file.persist(path).map_err(|failed| Error::writing(path, failed.error))?;
        self.sync()
    }

    /// Opens a file that is there or not, to write over what is there.
    pub(super) fn open_to_overwrite(&self, path: &Path) -> Result<File> {
        let file = File::options().write(true).create(true).truncate(false).open(path);
        file.map_err(|source| Error::writing(path, source))
    }

    /// Puts bytes in the place of a file, or of nothing: all of them, or what was there stays.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.begin(path)?;
        let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
        written.map_err(|source| Error::writing(path, source))?;
        self.name(file, path)
    }

    /// Puts on the disk which names there are, where folders can be put there.
    pub(super) fn sync(&self) -> Result<()> {
        let Ok(folder) = File::open(&self.0) else { return Ok(()) };
        match folder.sync_all() {
            Err(source) if !matches!(source.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                Err(Error::writing(&self.0, source))
            }
            _ => Ok(()),
        }
    }

    /// Removes what is not needed any more. What is left behind where that fails, goes when the index is next opened.
    pub(super) fn remove(&self, path: &Path) {
        let _ = std::fs::remove_file(path);
    }

    /// Removes what an earlier process left behind: files that were never finished, and those of series that are not `wanted`.
    pub(super) fn remove_leftovers(&self, wanted: impl Fn(Series, u64) -> bool) -> Result<()> {
        for entry in std::fs::read_dir(&self.0).map_err(|source| Error::reading(&self.0, source))? {
            let name = entry.map_err(|source| Error::reading(&self.0, source))?.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_unwanted = |series: Series| {
                let number = name.strip_prefix(series.prefix()).and_then(|digits| digits.parse().ok());
                number.is_some_and(|number| !wanted(series, number))
            };
            if is_unfinished(name) || Series::ALL.into_iter().any(is_unwanted) {
                self.remove(&self.join(name));
            }
        }
        Ok(())
    }
}

/// What the one who writes has locked.
const LOCK: &str = "lock";

const UNFINISHED: &str = ".dehusk-";

fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// Reads bytes of a file that others may read at the same time.
pub(super) fn read_at(file: &File, bytes: &mut [u8], start: u64) -> std::io::Result<()> {
    let n_read = read_up_to(file, bytes, start)?;
    if n_read == bytes.len() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// Reads as many bytes of a file as there are from a place on, up to those that are wanted.
pub(super) fn read_up_to(file: &File, bytes: &mut [u8], start: u64) -> std::io::Result<usize> {
    let mut n_read = 0;
    while n_read < bytes.len() {
        match read_some(file, &mut bytes[n_read..], start + n_read as u64) {
            Ok(0) => break,
            Ok(n_more) => n_read += n_more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_read)
}

#[cfg(unix)]
fn read_some(file: &File, bytes: &mut [u8], start: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, start)
}

#[cfg(windows)]
fn read_some(file: &File, bytes: &mut [u8], start: u64) -> std::io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, start)
}

/// Writes bytes at a place of a file.
#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], start: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, start)
}

/// The same, where a write may be short.
#[cfg(windows)]
pub(super) fn write_at(file: &File, mut bytes: &[u8], mut start: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let n_written = match std::os::windows::fs::FileExt::seek_write(file, bytes, start)? {
            0 => return Err(ErrorKind::WriteZero.into()),
            n_written => n_written,
        };
        (bytes, start) = (&bytes[n_written..], start + n_written as u64);
    }
    Ok(())
}
