//! Reading a file part by part: whole records, unpacked, in their order.

use super::edits::PartBytes;
use super::memory::PartLimit;
use super::output::Turn;
use super::plan::PlannedFile;
use super::reading::Reading;
use crate::codec::{Codec, Unpacked};
use crate::config::Config;
use crate::encoding::{Encoding, MARK_BYTES};
use crate::error::{Error, Result};
#[cfg(feature = "parquet")]
use crate::record::Layout;
#[cfg(feature = "parquet")]
use crate::record::parquet::RowReader;
use crate::store::Position;
use std::io::Read;

/// Files of many records are worked on in parts of so many bytes, and what it takes to end their last record.
const PART_BYTES: usize = 4 << 20;

/// Whatever a file holds, so many bytes may come of it before it counts as one that expands too far.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// Part numbers that are kept free for a file: enough for one that is packed a thousandfold in parts of the usual size,
/// and then some in which parts double.
pub(super) fn reserved_parts(file: &PlannedFile) -> u64 {
    usual_parts(file) + 64
}

fn usual_parts(file: &PlannedFile) -> u64 {
    file.bytes.saturating_mul(1024).div_ceil(PART_BYTES as u64) + file.layout.n_groups() as u64
}

/// What one worker takes: whole records of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// The file, by its number in the plan.
    pub(super) file_idx: usize,
    /// The part, by its number in the file.
    pub(super) number: usize,
    /// Where in the unpacked file it starts.
    pub(super) start: u64,
    /// How many records of the file come before it.
    pub(super) records_before: u64,
    /// Whether nothing follows it: the file ends, or could not be read further.
    pub(super) is_last: bool,
    /// Whether a group of records ends with it, where records are in groups.
    pub(super) ends_group: bool,
    /// What the file is packed with.
    pub(super) codec: Option<Codec>,
    /// How its text is encoded, if not as UTF-8.
    pub(super) encoding: Option<Encoding>,
    /// Bytes of the file, as it lies on the disk, that were read for it.
    pub(super) bytes_read: u64,
    /// The memory that the work on it takes, where that has a bound.
    pub(super) work_bytes: u64,
}

/// Where a part's records are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) file_idx: usize,
    /// How many records of the file come before them.
    pub(super) records_before: u64,
}

impl Part {
    /// When what is left of it is to be written.
    pub(super) fn turn(&self) -> Turn {
        Turn { file_idx: self.file_idx, number: self.number }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { file_idx: self.file_idx, records_before: self.records_before }
    }
}

impl PlannedFile {
    /// A part's bytes, and how they are read.
    pub(super) fn bytes_of<'p>(&'p self, part: &Part, bytes: &'p [u8]) -> PartBytes<'p> {
        let reading = Reading { layout: &self.layout, encoding: part.encoding };
        PartBytes { reading, bytes, start: part.start }
    }
}

/// A file that is being read.
pub(super) struct Source<'s> {
    file: &'s PlannedFile,
    contents: Contents,
    /// Above it a file that expands so many times is refused; zero if none is.
    max_expansion: u64,
    limit: PartLimit,
    /// Of the group of rows that is being read, so many bytes have come.
    group_bytes: usize,
    next: Part,
}

impl<'s> Source<'s> {
    pub(super) fn open(file: &'s PlannedFile, config: &Config) -> Result<Self> {
        let fails = |source| Error::reading(file.input.path(), source);
        let mut contents = Contents::open(file).map_err(fails)?;
        let encoding = file.encoding(config, contents.start().map_err(fails)?)?;
        let next = Part { codec: contents.codec(), encoding, ..Part::default() };
        Ok(Source {
            file,
            contents,
            max_expansion: config.max_expansion,
            limit: PartLimit::of(config),
            group_bytes: 0,
            next,
        })
    }

    /// The number of the part that comes next.
    pub(super) fn next_number(&self) -> usize {
        self.next.number
    }

    /// Reads the next part into `bytes`. Which records it holds depends on the file alone.
    pub(super) fn next(&mut self, bytes: &mut Vec<u8>) -> Result<Part> {
        bytes.clear();
        let fails = |source| Error::reading(self.file.input.path(), source);
        let doublings = (self.next.number as u64).saturating_sub(usual_parts(self.file)).min(40);
        let reading = self.reading();
        let size = PartSize { bytes: PART_BYTES << doublings, most: self.limit.text_bytes() };
        let Filled { is_last, ends_group } = self.contents.fill(reading, size, bytes).map_err(fails)?;
        // A group of rows is written when all of it is there.
        self.group_bytes = if self.file.layout.needs_file() { self.group_bytes + bytes.len() } else { 0 };
        let work = self.limit.work_on(bytes).filter(|_| self.group_bytes <= self.limit.text_bytes());
        let Some(work_bytes) = work else {
            let place = match reading.layout.is_splittable() {
                true => format!("{}:{}", self.file.input.display(), self.next.records_before + 1),
                false => self.file.input.display().to_string(),
            };
            let what = "too large to be worked on in the memory that is allowed";
            return Err(Error::record(place, what, "allow more with --memory, or split it"));
        };
        if ends_group {
            self.group_bytes = 0;
        }
        let end = self.next.start + bytes.len() as u64;
        let n_read = self.contents.bytes_read(end).map_err(fails)?;
        let bytes_read = n_read.saturating_sub(self.next.bytes_read);
        let part = Part { is_last, ends_group, bytes_read, work_bytes, ..self.next.clone() };
        // What `next` says of bytes is all that was read so far.
        self.next = Part {
            number: part.number + 1,
            start: end,
            records_before: part.records_before + self.reading().records(bytes).count() as u64,
            bytes_read: n_read,
            ..self.next.clone()
        };
        let limit = self.max_expansion.saturating_mul(n_read).max(ALWAYS_ALLOWED);
        if self.max_expansion > 0 && part.codec.is_some() && end > limit {
            let what = format!("expands more than {}-fold", self.max_expansion);
            let remedy = "see that it is no bomb, then allow it with --max-expansion";
            return Err(Error::record(self.file.input.display().to_string(), what, remedy));
        }
        if part.is_last {
            self.refuse_change()?;
        }
        Ok(part)
    }

    fn reading(&self) -> Reading<'s> {
        Reading { layout: &self.file.layout, encoding: self.next.encoding }
    }

    fn refuse_change(&self) -> Result<()> {
        let PlannedFile { input, bytes, version, .. } = self.file;
        if !input.is_still(*bytes, version).map_err(|source| Error::reading(input.path(), source))? {
            let place = input.display().to_string();
            return Err(Error::record(place, "changed while it was read", "run again when nothing writes to it"));
        }
        Ok(())
    }
}

/// What is in a file, as it is read.
enum Contents {
    Bytes {
        position: Position,
        unpacked: Unpacked<'static, Box<dyn Read + Send>>,
        /// What was read beyond the last part.
        rest: Vec<u8>,
    },
    #[cfg(feature = "parquet")]
    Rows(Box<RowReader>),
}

/// How much is to be read of a part.
#[derive(Clone, Copy)]
struct PartSize {
    /// So much, and what it takes to end the last record;
    bytes: usize,
    /// but where there is more than this, it is too much to work on, and need not be whole.
    most: usize,
}

/// What was read of a part.
struct Filled {
    is_last: bool,
    ends_group: bool,
}

impl Contents {
    fn open(file: &PlannedFile) -> std::io::Result<Self> {
        #[cfg(feature = "parquet")]
        if let Layout::Parquet(columns) = &file.layout {
            return RowReader::open(file.input.path(), columns).map(|rows| Contents::Rows(Box::new(rows)));
        }
        let opened = file.input.open(file.bytes, &file.version)?;
        let (position, unpacked) = (opened.position, Unpacked::new(opened.bytes)?);
        Ok(Contents::Bytes { position, unpacked, rest: Vec::new() })
    }

    /// How the text starts, which tells its encoding; nothing if that goes without saying.
    fn start(&mut self) -> std::io::Result<&[u8]> {
        match self {
            Contents::Bytes { unpacked, rest, .. } => {
                unpacked.read_up_to(MARK_BYTES, rest)?;
                Ok(rest)
            }
            #[cfg(feature = "parquet")]
            Contents::Rows(_) => Ok(&[]),
        }
    }

    /// What the file is packed with.
    fn codec(&self) -> Option<Codec> {
        match self {
            Contents::Bytes { unpacked, .. } => unpacked.codec(),
            #[cfg(feature = "parquet")]
            Contents::Rows(_) => None,
        }
    }

    /// Bytes that were read of the file as it lies on the disk, where `end` bytes have come of it.
    fn bytes_read(&self, end: u64) -> std::io::Result<u64> {
        match self {
            Contents::Bytes { position, unpacked, .. } => match unpacked.codec() {
                Some(_) => position.bytes(),
                None => Ok(end),
            },
            #[cfg(feature = "parquet")]
            Contents::Rows(rows) => Ok(rows.bytes_read()),
        }
    }

    /// Reads whole records: so many bytes and what it takes to end the last record, or all that are left of their group.
    fn fill(&mut self, reading: Reading<'_>, size: PartSize, bytes: &mut Vec<u8>) -> std::io::Result<Filled> {
        match self {
            Contents::Bytes { unpacked, rest, .. } => {
                bytes.append(rest);
                let is_last = fill(unpacked, reading, size, bytes, rest)?;
                Ok(Filled { is_last, ends_group: false })
            }
            #[cfg(feature = "parquet")]
            Contents::Rows(rows) => {
                let rows = rows.fill(size.bytes, bytes)?;
                Ok(Filled { is_last: rows.is_last, ends_group: rows.ends_group })
            }
        }
    }
}

/// Reads whole records, and what comes behind them into `rest`; says whether the file has ended.
fn fill(
    unpacked: &mut Unpacked<'_, Box<dyn Read + Send>>,
    reading: Reading<'_>,
    size: PartSize,
    bytes: &mut Vec<u8>,
    rest: &mut Vec<u8>,
) -> std::io::Result<bool> {
    if !reading.layout.is_splittable() {
        unpacked.read_up_to(size.most.saturating_add(1).saturating_sub(bytes.len()), bytes)?;
        return Ok(true);
    }
    let (mut wanted, mut searched) = (size.bytes, 0);
    loop {
        unpacked.read_up_to(wanted.saturating_sub(bytes.len()), bytes)?;
        if bytes.len() < wanted {
            return Ok(true);
        }
        if let Some(end) = reading.last_end(bytes, searched) {
            rest.extend_from_slice(&bytes[end..]);
            bytes.truncate(end);
            return Ok(false);
        }
        searched = bytes.len();
        if searched > size.most {
            return Ok(false);
        }
        // By as much again, lest an end that never comes is looked for again and again.
        wanted = (2 * searched).min(size.most.saturating_add(1));
    }
}
