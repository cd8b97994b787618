//! Cuts a text into blocks: spans that cover it without a gap.

use super::Span;
use serde::{Deserialize, Serialize};

/// What a block is: the unit that is compared, kept or removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A line, with its newline.
    #[default]
    Line,
    /// The lines between two blank lines; each blank line is a block of its own.
    Paragraph,
}

/// Cuts `text` into blocks of `unit`, without copying.
///
/// The spans cover the text without gap or overlap, each with its newline, so any of them can be cut out and the rest
/// still reads as it did. Runs at the speed of a search for newlines.
///
/// ```
/// use dehusk::text::{Unit, blocks};
///
/// let text = b"one\ntwo\n\nthree";
/// let lines: Vec<&[u8]> = blocks(text, Unit::Line).map(|span| span.of(text)).collect();
/// assert_eq!(lines, [&b"one\n"[..], b"two\n", b"\n", b"three"]);
/// let paragraphs: Vec<&[u8]> = blocks(text, Unit::Paragraph).map(|span| span.of(text)).collect();
/// assert_eq!(paragraphs, [&b"one\ntwo\n"[..], b"\n", b"three"]);
/// ```
pub fn blocks(text: &[u8], unit: Unit) -> Blocks<'_> {
    Blocks { text, unit, newlines: memchr::memchr_iter(b'\n', text), at: 0, next_line_end: None }
}

/// The blocks of a text, in order; see [`blocks`].
#[derive(Debug)]
pub struct Blocks<'t> {
    text: &'t [u8],
    unit: Unit,
    newlines: memchr::Memchr<'t>,
    at: usize,
    /// Where the line at `at` ends, if a paragraph has looked ahead that far.
    next_line_end: Option<usize>,
}

impl Blocks<'_> {
    fn line_end(&mut self) -> usize {
        self.next_line_end.take().unwrap_or_else(|| self.newlines.next().map_or(self.text.len(), |newline| newline + 1))
    }
}

impl Iterator for Blocks<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let start = self.at;
        if start == self.text.len() {
            return None;
        }
        let mut end = self.line_end();
        if self.unit == Unit::Paragraph && !is_blank(&self.text[start..end]) {
            while end < self.text.len() {
                let line_end = self.line_end();
                if is_blank(&self.text[end..line_end]) {
                    self.next_line_end = Some(line_end);
                    break;
                }
                end = line_end;
            }
        }
        self.at = end;
        Some(Span::new(start, end))
    }
}

/// Whether a block holds nothing but ASCII white space.
pub fn is_blank(block: &[u8]) -> bool {
    block.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b)
}

/// The block without the newline (`\n` or `\r\n`) that ends it.
pub fn content(block: &[u8]) -> &[u8] {
    let block = block.strip_suffix(b"\n").unwrap_or(block);
    block.strip_suffix(b"\r").unwrap_or(block)
}
