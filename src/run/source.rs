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
    let Some(start) = find_start(&mut source, part, terminator, bytes)? else {
        // No record starts in the range.
        bytes.clear();
        return Ok(part.end);
    };
    let end = start + bytes.len() as u64;
    source.by_ref().take(part.end.saturating_sub(end)).read_to_end(bytes)?;
    if part.end < file.bytes && bytes.last() != Some(&terminator) {
        read_rest_of_record(&mut source, terminator, bytes)?;
    }
    Ok(start)
}

/// Reads from the first record that starts in the range on, as far as it takes to find it; gives the offset in the file of
/// what was read.
fn find_start(source: &mut File, part: &Part, terminator: u8, bytes: &mut Vec<u8>) -> std::io::Result<Option<u64>> {
    if part.start == 0 {
        return Ok(Some(0));
    }
    // From one byte before the range, which may be the end of a record that starts before it.
    let mut at = part.start - 1;
    source.seek(SeekFrom::Start(at))?;
    while at < part.end {
        bytes.clear();
        let n_read = source.by_ref().take(STEP.min(part.end - at)).read_to_end(bytes)?;
        if n_read == 0 {
            return Ok(None);
        }
        if let Some(found) = memchr::memchr(terminator, bytes) {
            at += found as u64 + 1;
            bytes.drain(..=found);
            return Ok((at < part.end).then_some(at));
        }
        at += n_read as u64;
    }
    Ok(None)
}

/// So many bytes are read at a time where a record's end is looked for.
const STEP: u64 = 1 << 16;

fn read_rest_of_record(source: &mut File, terminator: u8, bytes: &mut Vec<u8>) -> std::io::Result<()> {
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
