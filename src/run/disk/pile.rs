//! Piles: files without names that grow from any thread and are read anywhere. They are gone when the process is, however it
//! ends.

use crate::error::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file without a name.
#[derive(Debug)]
pub(super) struct Pile {
    file: PileFile,
    end: AtomicU64,
    folder: PathBuf,
}

/// Bytes of a pile.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stretch {
    pub(super) start: u64,
    pub(super) bytes: usize,
}

impl Pile {
    /// Begins a pile in a folder.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(|source| Error::scratch(folder, source))?;
        Ok(Pile { file: PileFile::new(file), end: AtomicU64::new(0), folder: folder.to_owned() })
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Adds bytes, and tells where they lie.
    pub(super) fn add(&self, bytes: &[u8]) -> Result<Stretch> {
        let start = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.write(start, bytes)?;
        Ok(Stretch { start, bytes: bytes.len() })
    }

    /// Writes bytes in the place of others.
    pub(super) fn write(&self, start: u64, bytes: &[u8]) -> Result<()> {
        self.file.write(start, bytes).map_err(|source| Error::scratch(&self.folder, source))
    }

    /// Reads bytes from a place on.
    pub(super) fn read(&self, start: u64, bytes: &mut [u8]) -> Result<()> {
        self.file.read(start, bytes).map_err(|source| Error::scratch(&self.folder, source))
    }

    /// Reads a stretch.
    pub(super) fn read_stretch(&self, stretch: Stretch) -> Result<Vec<u8>> {
        let mut bytes = vec![0; stretch.bytes];
        self.read(stretch.start, &mut bytes)?;
        Ok(bytes)
    }
}

/// A file that is read and written at any place.
#[cfg(unix)]
#[derive(Debug)]
struct PileFile(File);

#[cfg(unix)]
impl PileFile {
    fn new(file: File) -> Self {
        PileFile(file)
    }

    fn write(&self, start: u64, bytes: &[u8]) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, start)
    }

    fn read(&self, start: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, bytes, start)
    }
}

/// The same where the system knows only one place at a time.
#[cfg(not(unix))]
#[derive(Debug)]
struct PileFile(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl PileFile {
    fn new(file: File) -> Self {
        PileFile(std::sync::Mutex::new(file))
    }

    fn at(&self, start: u64) -> std::io::Result<std::sync::MutexGuard<'_, File>> {
        use std::io::{Seek, SeekFrom};
        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    }

    fn write(&self, start: u64, bytes: &[u8]) -> std::io::Result<()> {
        use std::io::Write;
        self.at(start)?.write_all(bytes)
    }

    fn read(&self, start: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        use std::io::Read;
        self.at(start)?.read_exact(bytes)
    }
}

/// Numbers of four bytes, one after the other.
pub(super) struct Numbers<'n>(pub(super) &'n [u8]);

impl<'n> Numbers<'n> {
    /// The next number.
    pub(super) fn next(&mut self) -> u32 {
        let mut number = [0; 4];
        number.copy_from_slice(self.take(4));
        u32::from_le_bytes(number)
    }

    /// The next bytes.
    pub(super) fn take(&mut self, n_bytes: usize) -> &'n [u8] {
        let (taken, rest) = self.0.split_at(n_bytes);
        self.0 = rest;
        taken
    }
}

/// A number that is written with four bytes.
pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).expect("what is counted in a part is numbered with 32 bits")
}
