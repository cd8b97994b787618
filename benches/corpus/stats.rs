//! What a corpus looks like, counted while it is written.

use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Page;

/// Counts over the lines of a corpus. A line's length leaves its newline out.
///
/// Holds 8 bytes for each different line, so that repeats are found without keeping the text.
#[derive(Default)]
pub(crate) struct Stats {
    documents: u64,
    lines: u64,
    /// Bytes of text, newlines counted.
    bytes: u64,
    repeated_lines: u64,
    repeated_bytes: u64,
    non_ascii_lines: u64,
    seen: HashSet<u64>,
    /// `by_length[n]`: how many lines have n bytes.
    by_length: Vec<u64>,
}

impl Stats {
    /// Counts one page.
    pub(crate) fn note(&mut self, page: &Page) {
        self.documents += 1;
        for line in page.text.split('\n') {
            self.lines += 1;
            self.bytes += line.len() as u64 + 1;
            self.non_ascii_lines += u64::from(!line.is_ascii());
            if self.by_length.len() <= line.len() {
                self.by_length.resize(line.len() + 1, 0);
            }
            self.by_length[line.len()] += 1;
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            if !self.seen.insert(hasher.finish()) {
                self.repeated_lines += 1;
                self.repeated_bytes += line.len() as u64;
            }
        }
    }

    /// Bytes of text, newlines counted.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Half of the lines are no longer than this.
    pub(crate) fn median_line(&self) -> usize {
        let mut n_longer = self.lines;
        let at_half = |n_here: &u64| {
            n_longer -= n_here;
            n_longer <= self.lines / 2
        };
        self.by_length.iter().position(at_half).unwrap_or(0)
    }

    /// The mean length of a line.
    pub(crate) fn mean_line(&self) -> f64 {
        (self.bytes - self.lines) as f64 / self.lines as f64
    }

    /// The share of lines that repeat an earlier line.
    pub(crate) fn repeated_lines(&self) -> f64 {
        self.repeated_lines as f64 / self.lines as f64
    }

    /// The share of bytes that stand in such lines.
    pub(crate) fn repeated_bytes(&self) -> f64 {
        self.repeated_bytes as f64 / (self.bytes - self.lines) as f64
    }

    /// The share of lines that are not all ASCII.
    pub(crate) fn non_ascii_lines(&self) -> f64 {
        self.non_ascii_lines as f64 / self.lines as f64
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "documents            {}", self.documents)?;
        writeln!(out, "lines                {}", self.lines)?;
        writeln!(out, "bytes of text        {}", self.bytes)?;
        writeln!(out, "median line          {} bytes", self.median_line())?;
        writeln!(out, "mean line            {:.1} bytes", self.mean_line())?;
        writeln!(out, "repeated lines       {:.1} %", 100.0 * self.repeated_lines())?;
        writeln!(out, "repeated bytes       {:.1} %", 100.0 * self.repeated_bytes())?;
        write!(out, "lines beyond ASCII   {:.1} %", 100.0 * self.non_ascii_lines())
    }
}
