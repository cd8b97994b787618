//! Runs: files of records in order, which never change.
//!
//! ```text
//! head        magic 8 │ version 4 │ bytes of a record 4
//! records     in the order of their fingerprints; those of one range of fingerprints are a bucket
//! directory   for each bucket, where it ends (the number of the record 4) and its CRC-32 (4)
//! filter      see its module
//! foot        records 8 │ buckets 8 │ bytes of the filter 8 │ CRC-32 of directory and filter 4 │ CRC-32 of head and foot 4
//! ```
//! Numbers are little-endian. All ranges are of the same size, so that a fingerprint tells its bucket, and one read finds it. Directory
//! and filter are held in memory: 1.6 bytes a record.

use super::documents::Word;
use super::filter::Filter;
use super::record::{Held, Record, Width, high, range_of};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"dehuskrn";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 16;
const FOOT_BYTES: usize = 32;
/// So many records share a bucket, more or less: about half a kilobyte is read to find one.
const BUCKET_RECORDS: usize = 24;
/// A run is gone through in reads of this size, and written in such pieces.
const SCAN_BYTES: usize = 1 << 18;
/// What is written is put on the disk now and then, lest all of it waits for the end, and others behind it.
const SYNC_BYTES: usize = 1 << 24;

/// A run that is open for reading.
#[derive(Debug)]
pub(super) struct SortedRun {
    file: File,
    path: PathBuf,
    width: Width,
    n_records: u64,
    buckets: Vec<Bucket>,
    filter: Filter,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The number of the record behind its last.
    end: u32,
    crc: u32,
}

/// The bucket of a run that was read last.
#[derive(Debug, Default)]
pub(super) struct ReadBucket {
    bucket_idx: Option<usize>,
    bytes: Vec<u8>,
}

/// A run that is being written.
pub(super) struct RunWriter {
    file: File,
    path: PathBuf,
    width: Width,
    n_records: u32,
    n_buckets: usize,
    buckets: Vec<Bucket>,
    filter: Filter,
    /// What is not written yet, and in it where the bucket begins that is not closed.
    pending: Vec<u8>,
    bucket_start: usize,
    unsynced: usize,
}

impl RunWriter {
    /// How many records fit one run.
    pub(super) const MAX_RECORDS: u64 = u32::MAX as u64;

    /// Begins a run in a new file, of at most so many records.
    pub(super) fn new(file: File, path: &Path, width: Width, n_records: u64) -> Self {
        let n_records = usize::try_from(n_records.min(Self::MAX_RECORDS)).unwrap_or(usize::MAX);
        let n_buckets = n_records.div_ceil(BUCKET_RECORDS).max(1);
        let mut writer = RunWriter {
            file,
            path: path.to_owned(),
            width,
            n_records: 0,
            n_buckets,
            buckets: Vec::with_capacity(n_buckets),
            filter: Filter::for_keys(n_records),
            pending: Vec::with_capacity(SCAN_BYTES * 2),
            bucket_start: 0,
            unsynced: 0,
        };
        writer.pending.extend_from_slice(&head(width));
        writer.bucket_start = writer.pending.len();
        writer
    }

    /// Adds a record that is greater than all before.
    pub(super) fn push(&mut self, record: &Record) -> Result<()> {
        let fingerprint = record.fingerprint();
        let bucket = range_of(high(&fingerprint), self.n_buckets);
        if bucket > self.buckets.len() {
            self.close_buckets(bucket)?;
        }
        self.filter.add(&fingerprint);
        self.width.write(record, &mut self.pending);
        self.n_records = self.n_records.checked_add(1).ok_or_else(|| Error::index_full(Self::MAX_RECORDS))?;
        Ok(())
    }

    /// Closes all buckets before one.
    fn close_buckets(&mut self, before: usize) -> Result<()> {
        while self.buckets.len() < before {
            let crc = crc32fast::hash(&self.pending[self.bucket_start..]);
            self.buckets.push(Bucket { end: self.n_records, crc });
            self.bucket_start = self.pending.len();
        }
        if self.pending.len() >= SCAN_BYTES { self.write_pending() } else { Ok(()) }
    }

    fn write_pending(&mut self) -> Result<()> {
        let fails = |source| Error::writing(&self.path, source);
        self.file.write_all(&self.pending).map_err(fails)?;
        self.unsynced += self.pending.len();
        if self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            self.file.sync_data().map_err(fails)?;
        }
        self.pending.clear();
        self.bucket_start = 0;
        Ok(())
    }

    /// Ends the run: all of it is on the disk then.
    pub(super) fn finish(mut self) -> Result<SortedRun> {
        self.close_buckets(self.n_buckets)?;
        let mut crc = crc32fast::Hasher::new();
        for Bucket { end, crc: of_bucket } in &self.buckets {
            let start = self.pending.len();
            self.pending.extend_from_slice(&end.to_le_bytes());
            self.pending.extend_from_slice(&of_bucket.to_le_bytes());
            crc.update(&self.pending[start..]);
        }
        self.write_pending()?;
        let RunWriter { mut file, path, width, n_records, buckets, filter, .. } = self;
        let fails = |source| Error::writing(&path, source);
        let write_filter = |bytes: &[u8]| {
            crc.update(bytes);
            file.write_all(bytes)
        };
        filter.each_bytes(write_filter).map_err(fails)?;
        let n_records = u64::from(n_records);
        let foot = foot(width, n_records, buckets.len() as u64, filter.n_bytes() as u64, crc.finalize());
        file.write_all(&foot).and_then(|()| file.sync_all()).map_err(fails)?;
        Ok(SortedRun { file, path, width, n_records, buckets, filter })
    }
}

fn head(width: Width) -> Vec<u8> {
    let record_bytes = u32::try_from(width.bytes()).expect("a record has a few bytes");
    [&MAGIC[..], &VERSION.to_le_bytes(), &record_bytes.to_le_bytes()].concat()
}

fn foot(width: Width, n_records: u64, n_buckets: u64, filter_bytes: u64, crc: u32) -> Vec<u8> {
    let mut foot = Vec::new();
    [n_records, n_buckets, filter_bytes].iter().for_each(|number| foot.extend_from_slice(&number.to_le_bytes()));
    foot.extend_from_slice(&crc.to_le_bytes());
    let check = crc32fast::hash(&[&head(width)[..], &foot].concat());
    foot.extend_from_slice(&check.to_le_bytes());
    foot
}

impl SortedRun {
    /// Opens a run.
    pub(super) fn open(path: &Path, width: Width) -> Result<Self> {
        let fails = |source| Error::reading(path, source);
        let file = File::open(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::damaged_index(path, "it is not there"),
            _ => fails(source),
        })?;
        let size = file.metadata().map_err(fails)?.len();
        let mut reader = BufReader::with_capacity(SCAN_BYTES, file);
        let damaged = || Error::damaged_index(path, "its head, its directory or its filter is not what was written");
        let Some(foot_start) = size.checked_sub(FOOT_BYTES as u64) else { return Err(damaged()) };
        let mut start = [0; HEAD_BYTES];
        reader.read_exact(&mut start).map_err(|source| unless_short(path, source))?;
        if start[..8] != MAGIC[..] || start[8..12] != VERSION.to_le_bytes() || start[..] != head(width) {
            return Err(damaged());
        }
        reader.seek(SeekFrom::Start(foot_start)).map_err(fails)?;
        let mut found = [0; FOOT_BYTES];
        reader.read_exact(&mut found).map_err(|source| unless_short(path, source))?;
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&found[at..][..8]);
            u64::from_le_bytes(bytes)
        };
        let (n_records, n_buckets, filter_bytes) = (number(0), number(8), number(16));
        let mut crc = [0; 4];
        crc.copy_from_slice(&found[24..28]);
        if found[..] != foot(width, n_records, n_buckets, filter_bytes, u32::from_le_bytes(crc)) {
            return Err(damaged());
        }
        // The foot is right by its checksum; that all this is in the file need not be.
        let records_end =
            n_records.checked_mul(width.bytes() as u64).and_then(|bytes| bytes.checked_add(HEAD_BYTES as u64));
        let directory_end = records_end.and_then(|end| end.checked_add(n_buckets.checked_mul(8)?));
        let (Some(records_end), Some(directory_end)) = (records_end, directory_end) else { return Err(damaged()) };
        if directory_end.checked_add(filter_bytes) != Some(foot_start) || n_buckets == 0 {
            return Err(damaged());
        }
        reader.seek(SeekFrom::Start(records_end)).map_err(fails)?;
        let mut hasher = crc32fast::Hasher::new();
        let mut buckets: Vec<Bucket> = Vec::new();
        for _ in 0..n_buckets {
            let mut bucket = [0; 8];
            reader.read_exact(&mut bucket).map_err(fails)?;
            hasher.update(&bucket);
            let [a, b, c, d, crc @ ..] = bucket;
            buckets.push(Bucket { end: u32::from_le_bytes([a, b, c, d]), crc: u32::from_le_bytes(crc) });
        }
        let ends = || buckets.iter().map(|bucket| bucket.end);
        if !ends().is_sorted() || ends().next_back().map(u64::from) != Some(n_records) {
            return Err(damaged());
        }
        let filter = Filter::read(usize::try_from(filter_bytes).unwrap_or(0), |bytes| {
            reader.read_exact(bytes)?;
            hasher.update(bytes);
            Ok(())
        });
        let Some(filter) = filter.map_err(fails)? else { return Err(damaged()) };
        if hasher.finalize().to_le_bytes() != crc {
            return Err(damaged());
        }
        Ok(SortedRun { file: reader.into_inner(), path: path.to_owned(), width, n_records, buckets, filter })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn n_records(&self) -> u64 {
        self.n_records
    }

    pub(super) fn may_hold(&self, fingerprint: &Fingerprint) -> bool {
        self.filter.may_hold(fingerprint)
    }

    /// Who has a fingerprint, if it is here; `read` is the bucket of this run that was read last.
    pub(super) fn find(&self, fingerprint: &Fingerprint, read: &mut ReadBucket) -> Result<Option<Held>> {
        self.read_bucket(range_of(high(fingerprint), self.buckets.len()), read)?;
        let key = &fingerprint.as_bytes()[..];
        let found = read.bytes.chunks_exact(self.width.bytes()).find(|record| record[..16] == *key);
        Ok(found.map(|record| self.width.read(record).held()))
    }

    /// The record of what a word stands for, if it is here. No filter is asked, since the word does not say enough.
    pub(super) fn find_word(&self, word: Word, read: &mut ReadBucket) -> Result<Option<Record>> {
        let bucket = |high: &u64| range_of(*high, self.buckets.len());
        let highs = word.highs();
        for bucket_idx in bucket(highs.start())..=bucket(highs.end()) {
            self.read_bucket(bucket_idx, read)?;
            let mut records = read.bytes.chunks_exact(self.width.bytes()).map(|record| self.width.read(record));
            if let Some(record) = records.find(|record| highs.contains(&high(&record.fingerprint()))) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn read_bucket(&self, bucket_idx: usize, read: &mut ReadBucket) -> Result<()> {
        if read.bucket_idx != Some(bucket_idx) {
            read.bucket_idx = None;
            let (start, end) = self.bounds(bucket_idx, bucket_idx + 1);
            read.bytes.resize(end - start, 0);
            self.read_at(&mut read.bytes, start)?;
            if crc32fast::hash(&read.bytes) != self.buckets[bucket_idx].crc {
                return Err(self.damaged(bucket_idx));
            }
            read.bucket_idx = Some(bucket_idx);
        }
        Ok(())
    }

    /// Goes through all records in order.
    pub(super) fn scan(&self) -> Scan<'_> {
        Scan { run: self, bytes: Vec::new(), at: 0, next_bucket: 0 }
    }

    /// Where the bytes of some buckets lie among those of the records.
    fn bounds(&self, from: usize, to: usize) -> (usize, usize) {
        let end_of = |bucket: usize| self.buckets[bucket].end as usize * self.width.bytes();
        (from.checked_sub(1).map_or(0, end_of), end_of(to - 1))
    }

    fn read_at(&self, bytes: &mut [u8], start: usize) -> Result<()> {
        super::files::read_at(&self.file, bytes, (HEAD_BYTES + start) as u64)
            .map_err(|source| unless_short(&self.path, source))
    }

    fn damaged(&self, bucket: usize) -> Error {
        let what = format!("bucket {bucket} of {} is not what was written", self.buckets.len());
        Error::damaged_index(&self.path, &what)
    }
}

/// A file that ends too early is damaged.
fn unless_short(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        ErrorKind::UnexpectedEof => Error::damaged_index(path, "it ends too early"),
        _ => Error::reading(path, source),
    }
}

/// A run that is gone through.
pub(super) struct Scan<'r> {
    run: &'r SortedRun,
    bytes: Vec<u8>,
    at: usize,
    next_bucket: usize,
}

impl Scan<'_> {
    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Record>> {
        while self.at == self.bytes.len() {
            if self.next_bucket == self.run.buckets.len() {
                return Ok(None);
            }
            self.fill()?;
        }
        let record = self.run.width.read(&self.bytes[self.at..]);
        self.at += self.run.width.bytes();
        Ok(Some(record))
    }

    /// Reads the next buckets, some at a time.
    fn fill(&mut self) -> Result<()> {
        let run = self.run;
        let from = self.next_bucket;
        let (start, mut end) = run.bounds(from, from + 1);
        let mut to = from + 1;
        while to < run.buckets.len() && end - start < SCAN_BYTES {
            to += 1;
            end = run.bounds(from, to).1;
        }
        self.bytes.resize(end.checked_sub(start).ok_or_else(|| run.damaged(from))?, 0);
        run.read_at(&mut self.bytes, start)?;
        for bucket in from..to {
            let (bucket_start, bucket_end) = run.bounds(bucket, bucket + 1);
            let bytes = self.bytes.get(bucket_start - start..bucket_end - start);
            if bytes.map(crc32fast::hash) != Some(run.buckets[bucket].crc) {
                return Err(run.damaged(bucket));
            }
        }
        (self.at, self.next_bucket) = (0, to);
        Ok(())
    }
}
