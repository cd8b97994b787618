//! The mark: how far the log is committed, said beside it.
//!
//! A torn end of a log is what a crash leaves of a commit that nobody was told of. The same end, cut off what was committed,
//! would look no different; the mark tells them apart. It is written when a commit is on the disk, and is not put there itself:
//! after a crash of the machine it may say too little, but never too much.

use super::files::Folder;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom, Write};

const NAME: &str = "mark";

/// Up to where a log is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) log: u64,
    pub(super) end: u64,
}

/// The mark's file, which is written again and again.
#[derive(Debug)]
pub(super) struct Marker {
    file: File,
    folder: Folder,
}

impl Marker {
    pub(super) fn open(folder: &Folder) -> Result<Self> {
        let file = folder.open_to_overwrite(&folder.join(NAME))?;
        Ok(Marker { file, folder: folder.clone() })
    }

    pub(super) fn write(&mut self, mark: Mark) -> Result<()> {
        let written = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(&mark.to_bytes()));
        written.map_err(|source| Error::writing(&self.folder.join(NAME), source))
    }
}

impl Mark {
    /// The mark of an index, if there is one and it is whole.
    pub(super) fn read(folder: &Folder) -> Result<Option<Self>> {
        let path = folder.join(NAME);
        let bytes = match std::fs::read(&path) {
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|source| Error::reading(&path, source))?,
        };
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let Some((log, end)) = bytes.get(..8).zip(bytes.get(8..16)) else { return Ok(None) };
        let mark = Mark { log: number(log), end: number(end) };
        Ok((bytes == mark.to_bytes()).then_some(mark))
    }

    fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.log.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.end.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..16]);
        bytes[16..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}
