//! Reading a part of a file: the records that start in a range of its bytes.

use super::plan::{Part, PlannedFile};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Reads a part into `bytes`, and gives the offset in the file at which it starts. Parts of a file cover it without gap or
/// overlap, and each starts at the start of a record.
pub(crate) fn read_part(file: &PlannedFile, part: &Part, bytes: &mut Vec<u8>) -> Result<u64> {
    let start = read(file, part, bytes).map_err(|source| Error::reading(&file.input, source))?;
    let metadata = std::fs::metadata(&file.input).map_err(|source| Error::reading(&file.input, source))?;
    if metadata.len() != file.bytes || metadata.modified().ok() != file.modified {
        let place = file.input.display().to_string();
        return Err(Error::record(place, "changed while it was read", "run again when nothing writes to it"));
    }
    Ok(start)
}

fn read(file: &PlannedFile, part: &Part, bytes: &mut Vec<u8>) -> std::io::Result<u64> {
    bytes.clear();
    let mut source = File::open(&file.input)?;
    let Some(terminator) = file.layout.terminator() else {
        source.read_to_end(bytes)?;
        return Ok(0);
    };
    // From one byte before the range, whose last byte may be the end of a record that starts before it.
    let from = part.start.saturating_sub(1);
    source.seek(SeekFrom::Start(from))?;
    let within = usize::try_from(part.end - from).map_err(std::io::Error::other)?;
    source.by_ref().take(part.end - from).read_to_end(bytes)?;
    let start = if part.start == 0 {
        0
    } else {
        match memchr::memchr(terminator, &bytes[..within.saturating_sub(1).min(bytes.len())]) {
            Some(at) => at + 1,
            None => {
                // No record starts in the range.
                bytes.clear();
                return Ok(part.end);
            }
        }
    };
    if part.end < file.bytes && bytes.last() != Some(&terminator) {
        read_rest_of_record(&mut source, terminator, bytes)?;
    }
    bytes.drain(..start);
    Ok(from + start as u64)
}

fn read_rest_of_record(source: &mut File, terminator: u8, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    const STEP: u64 = 1 << 16;
    loop {
        let before = bytes.len();
        source.by_ref().take(STEP).read_to_end(bytes)?;
        if let Some(at) = memchr::memchr(terminator, &bytes[before..]) {
            bytes.truncate(before + at + 1);
            return Ok(());
        }
        if bytes.len() == before {
            return Ok(());
        }
    }
}
