//! The documents that own fingerprints: under which id they came, and what their blocks are.
//!
//! ```text
//! file        magic 8 │ documents, one after the other, in the order in which they came
//! document    blocks, in words 4 │ bytes of the id 4 │ the version before, as its owner 5 │ CRC-32 of all else, its last 3 bytes 3
//!             id, filled up with zeros to whole words │ a word of 8 bytes for each block, or for some that are not compared
//! word        its upper two bits: 0 blocks that are not compared, and how many; 1 the document as a whole, at its end; 2 a short
//!             block; 3 a long one; the others: the first 62 bits of its fingerprint. Or its upper three bits are 1, and the others the
//!             first 61 bits of a block that a template of the site removed
//! ```
//! Numbers are little-endian. An owner is the number of the word at which a document begins: so who came first has the smaller number,
//! and where a document lies need not be looked up. With its blocks at hand a passage can be compared with the one around a first
//! copy, as it is within a run. A document that comes again and has changed is another version, which names the one before.

use super::files::{self, Folder};
use super::record::high;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::index::Owner;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::PathBuf;

pub(super) const NAME: &str = "documents";
const MAGIC: &[u8; WORD] = b"dehuskdc";
const WORD: usize = 8;
const HEAD_WORDS: usize = 2;
/// So much is read at once, which holds most documents.
const READ_BYTES: usize = 2048;

/// A block of a document that is kept, or several that are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word(u64);

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// So many blocks that are not compared.
    Gap(u64),
    /// A block too short to be dropped as a repeat by itself.
    Short,
    /// A block that is dropped where it repeats.
    Long,
    /// The document as a whole.
    Whole,
    /// A block that a template of the site removed.
    Templated,
}

impl Word {
    const KIND: u32 = 62;
    const TEMPLATED: u64 = 1 << 61;

    pub(crate) fn gap(n_blocks: u64) -> Self {
        Word(n_blocks & (Self::TEMPLATED - 1))
    }

    pub(crate) fn templated(fingerprint: &Fingerprint) -> Self {
        Word(Self::TEMPLATED | high(fingerprint) >> 3)
    }

    pub(crate) fn whole(fingerprint: &Fingerprint) -> Self {
        Word(1 << Self::KIND | high(fingerprint) >> 2)
    }

    pub(crate) fn short(fingerprint: &Fingerprint) -> Self {
        Word(2 << Self::KIND | high(fingerprint) >> 2)
    }

    pub(crate) fn long(fingerprint: &Fingerprint) -> Self {
        Word(3 << Self::KIND | high(fingerprint) >> 2)
    }

    pub(crate) fn meaning(self) -> Meaning {
        match self.0 >> Self::KIND {
            3 => Meaning::Long,
            2 => Meaning::Short,
            1 => Meaning::Whole,
            _ if self.0 & Self::TEMPLATED != 0 => Meaning::Templated,
            _ => Meaning::Gap(self.0),
        }
    }

    /// The fingerprints that it may stand for, by their first halves: all from one to another.
    pub(super) fn highs(self) -> RangeInclusive<u64> {
        let least = self.0 << (u64::BITS - Self::KIND);
        least..=least | 3
    }
}

/// A document as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// What it is known by; empty if nothing was said.
    pub(crate) id: Vec<u8>,
    /// The version that came before under the same id.
    pub(crate) previous: Option<Owner>,
    pub(crate) blocks: Vec<Word>,
}

impl Document {
    /// How many words it takes.
    fn n_words(&self) -> u64 {
        (HEAD_WORDS + self.id.len().div_ceil(WORD) + self.blocks.len()) as u64
    }

    /// Appends its bytes.
    fn write(&self, path: &std::path::Path, out: &mut Vec<u8>) -> Result<()> {
        let count = |count: usize| {
            let too_large = || Error::record(path.display().to_string(), "a document of 2³² blocks", "split it");
            u32::try_from(count).map_err(|_| too_large())
        };
        let start = out.len();
        let (n_blocks, id_bytes) = (count(self.blocks.len())?, count(self.id.len())?);
        out.extend_from_slice(&n_blocks.to_le_bytes());
        out.extend_from_slice(&id_bytes.to_le_bytes());
        out.extend_from_slice(&self.previous.unwrap_or(Owner::SOMEONE).number().to_le_bytes());
        out.extend_from_slice(&self.id);
        out.resize(out.len().next_multiple_of(WORD), 0);
        self.blocks.iter().for_each(|word| out.extend_from_slice(&word.0.to_le_bytes()));
        let check = check(&out[start..]);
        out[start + CHECK_AT..][..CHECK].copy_from_slice(&check);
        Ok(())
    }

    /// The document that begins with these bytes, if it is as it was written; or how many bytes of it are wanted.
    fn read(bytes: &[u8]) -> Result<Option<Self>, usize> {
        let number = |at: usize| {
            let mut number = [0; 4];
            number.copy_from_slice(&bytes[at..][..4]);
            u32::from_le_bytes(number) as usize
        };
        if bytes.len() < HEAD_WORDS * WORD {
            return Err(HEAD_WORDS * WORD);
        }
        let (n_blocks, id_bytes) = (number(0), number(4));
        let blocks_start = HEAD_WORDS * WORD + id_bytes.next_multiple_of(WORD);
        let wanted = blocks_start.saturating_add(n_blocks.saturating_mul(WORD));
        let Some(bytes) = bytes.get(..wanted) else { return Err(wanted) };
        if bytes[CHECK_AT..][..CHECK] != check(bytes) {
            return Ok(None);
        }
        let mut previous = [0; WORD];
        previous[..CHECK_AT - WORD].copy_from_slice(&bytes[WORD..CHECK_AT]);
        let previous = Owner::new(u64::from_le_bytes(previous)).filter(|owner| *owner != Owner::SOMEONE);
        let (words, _) = bytes[blocks_start..].as_chunks::<WORD>();
        let blocks = words.iter().map(|word| Word(u64::from_le_bytes(*word))).collect();
        Ok(Some(Document { id: bytes[HEAD_WORDS * WORD..][..id_bytes].to_vec(), previous, blocks }))
    }
}

const CHECK_AT: usize = 13;
const CHECK: usize = 3;

/// The checksum of a document's bytes, but for where it stands.
fn check(bytes: &[u8]) -> [u8; CHECK] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[..CHECK_AT]);
    crc.update(&bytes[CHECK_AT + CHECK..]);
    let [_, check @ ..] = crc.finalize().to_le_bytes();
    check
}

/// The file of documents of an index that is written to.
#[derive(Debug)]
pub(super) struct DocumentsFile {
    file: File,
    path: PathBuf,
    /// Whether all that is in the file is on the disk.
    is_synced: bool,
}

impl DocumentsFile {
    /// Opens the documents of which so many words were committed, and which are whole; what is behind them goes.
    pub(super) fn open(folder: &Folder, n_words: u64) -> Result<Self> {
        let path = folder.join(NAME);
        let file = folder.open_to_overwrite(&path)?;
        let fails = |source| Error::writing(&path, source);
        file.set_len(n_words * WORD as u64).map_err(fails)?;
        if n_words == 0 {
            // So that there is one to read whenever there is one to write to.
            files::write_at(&file, MAGIC, 0).and_then(|()| file.sync_all()).map_err(fails)?;
        }
        Ok(DocumentsFile { file, path, is_synced: true })
    }

    /// Writes documents to their place.
    pub(super) fn write(&mut self, written: &Written) -> Result<()> {
        if written.bytes.is_empty() {
            return Ok(());
        }
        self.is_synced = false;
        files::write_at(&self.file, &written.bytes, written.at).map_err(|source| Error::writing(&self.path, source))
    }

    /// Puts all on the disk that was written.
    pub(super) fn sync(&mut self) -> Result<()> {
        if !self.is_synced {
            self.file.sync_data().map_err(|source| Error::writing(&self.path, source))?;
            self.is_synced = true;
        }
        Ok(())
    }
}

/// The bytes of documents, and where in the file they belong.
#[derive(Debug)]
pub(super) struct Written {
    bytes: Vec<u8>,
    at: u64,
}

/// The documents of an index that are not in the file yet.
#[derive(Debug)]
pub(super) struct NewDocuments {
    path: PathBuf,
    /// How many bytes are in the file.
    in_file: u64,
    /// What comes behind them.
    bytes: Vec<u8>,
    /// How many of those are being written.
    n_taken: usize,
}

impl NewDocuments {
    /// None yet, behind so many words that are in the file.
    pub(super) fn behind(n_words: u64, folder: &Folder) -> Self {
        NewDocuments { path: folder.join(NAME), in_file: in_file(n_words), bytes: Vec::new(), n_taken: 0 }
    }

    /// How many bytes were added that nobody has taken to write them.
    pub(super) fn n_waiting(&self) -> usize {
        self.bytes.len() - self.n_taken
    }

    /// The owner that the next document will be.
    pub(super) fn n_words(&self) -> u64 {
        (self.in_file + self.bytes.len() as u64) / WORD as u64
    }

    /// Adds a document, which gets the number it is an owner by.
    pub(super) fn add(&mut self, document: &Document) -> Result<Owner> {
        let full = || Error::index_full(1 << Owner::BITS);
        let owner = Owner::new(self.n_words()).ok_or_else(full)?;
        document.write(&self.path, &mut self.bytes)?;
        Ok(owner)
    }

    /// A document that was added and is not in the file yet.
    pub(super) fn get(&self, owner: Owner) -> Option<Document> {
        let start = (owner.number() * WORD as u64).checked_sub(self.in_file)?;
        Document::read(self.bytes.get(usize::try_from(start).ok()?..)?).ok().flatten()
    }

    /// What is to be written next. It can be looked up here until it is [in the file](Self::forget).
    pub(super) fn take(&mut self) -> Written {
        let at = self.in_file + self.n_taken as u64;
        let bytes = self.bytes[self.n_taken..].to_vec();
        self.n_taken = self.bytes.len();
        Written { bytes, at }
    }

    /// Forgets what was taken first and is in the file now.
    pub(super) fn forget(&mut self, written: &Written) {
        let n_bytes = written.bytes.len();
        self.bytes.drain(..n_bytes);
        self.in_file += n_bytes as u64;
        self.n_taken -= n_bytes;
    }

    /// Forgets what comes behind so many words, in the file or not.
    pub(super) fn forget_behind(&mut self, n_words: u64) {
        self.bytes.clear();
        self.n_taken = 0;
        self.in_file = self.in_file.min(in_file(n_words));
    }
}

/// How many bytes so many words take in a file, which has at least a beginning.
fn in_file(n_words: u64) -> u64 {
    (n_words * WORD as u64).max(WORD as u64)
}

/// Reads the documents that are in the file, while others may be added.
#[derive(Debug)]
pub(super) struct DocumentsReader {
    file: File,
    path: PathBuf,
}

impl DocumentsReader {
    /// Opens the documents of which so many words are committed; nothing if there never were any.
    pub(super) fn open(folder: &Folder, n_words: u64) -> Result<Option<Self>> {
        let path = folder.join(NAME);
        if n_words == 0 {
            return Ok(None);
        }
        let file = File::open(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::damaged_index(&path, "it is not there"),
            _ => Error::reading(&path, source),
        })?;
        let mut magic = [0; WORD];
        let n_read = files::read_up_to(&file, &mut magic, 0).map_err(|source| Error::reading(&path, source))?;
        let size = file.metadata().map_err(|source| Error::reading(&path, source))?.len();
        match &magic[..n_read] == MAGIC {
            true if size >= n_words * WORD as u64 => Ok(Some(DocumentsReader { file, path })),
            true => Err(Error::damaged_index(&path, "it ends too early")),
            false => Err(Error::damaged_index(&path, "it does not begin as what was written")),
        }
    }

    /// Gives all documents of so many words, in their order; says how many they are.
    pub(super) fn each(&self, n_words: u64, take: impl FnMut(Owner, Document) -> Result<()>) -> Result<u64> {
        self.each_between(Owner::SOMEONE, None, n_words, take)
    }

    /// Gives the documents from one on, and before another, of so many words; says how many they are.
    pub(super) fn each_between(
        &self,
        from: Owner,
        before: Option<Owner>,
        n_words: u64,
        mut take: impl FnMut(Owner, Document) -> Result<()>,
    ) -> Result<u64> {
        let (mut n_documents, mut word) = (0, from.number().max(1));
        let end = before.map_or(n_words, |before| before.number().min(n_words));
        while word < end {
            let owner = Owner::new(word).ok_or_else(|| Error::index_full(1 << Owner::BITS))?;
            let document = self.read(owner)?;
            word += document.n_words();
            n_documents += 1;
            take(owner, document)?;
        }
        Ok(n_documents)
    }

    /// The document that an owner is.
    pub(super) fn read(&self, owner: Owner) -> Result<Document> {
        let start = owner.number() * WORD as u64;
        let mut bytes = Vec::new();
        let mut wanted = READ_BYTES;
        loop {
            let fails = |source| Error::reading(&self.path, source);
            // What is damaged may say that it is larger than any memory.
            let there = self.file.metadata().map_err(fails)?.len().saturating_sub(start);
            if owner == Owner::SOMEONE || (wanted > READ_BYTES && wanted as u64 > there) {
                return Err(self.damaged(owner));
            }
            bytes.resize(wanted, 0);
            let n_read = files::read_up_to(&self.file, &mut bytes, start).map_err(fails)?;
            match Document::read(&bytes[..n_read]) {
                Ok(Some(document)) => return Ok(document),
                Err(more) if n_read == wanted => wanted = more,
                _ => return Err(self.damaged(owner)),
            }
        }
    }

    fn damaged(&self, owner: Owner) -> Error {
        Error::damaged_index(&self.path, &format!("document {} is not what was written", owner.number()))
    }
}
