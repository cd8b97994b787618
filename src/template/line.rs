//! A line as templates see it: what it is but for its numbers, and what shape it has.

use crate::fingerprint::Fingerprint;
use crate::text::{mask_digits, weigh};

/// Up to this weight a line may be stepped over, or be a heading.
const SHORT: usize = 60;
/// A sentence has so many bytes; what is shorter and ends in a full stop is a number or an abbreviation.
const SENTENCE_BYTES: usize = 16;
/// From this weight on a line tells which text a page is.
const PROSE: usize = 80;
/// Numbers are masked in lines that have so many letters to tell them by.
const MASKED_LETTERS: usize = 2;
/// And in lines of no more bytes: what is longer is text, and hashing it twice costs as much as the rest of the look.
const MASKED_BYTES: usize = 256;

/// A line that shows something: 61 bits of the fingerprint of its masked fold, and its shape, which follows from that too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Line(u64);

/// What shape a line has, in its masked form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// No more than 60 characters: it may be stepped over.
    Short {
        /// Whether it may be the heading of what follows.
        is_label: bool,
        /// Whether it looks like program code.
        is_code: bool,
    },
    /// As short, it may be a heading, and it has numbers, which may be all that pages differ in.
    Numbered,
    /// As short, and it ends as a sentence does.
    Sentence,
    /// Longer, but not yet prose.
    Long,
    /// At least 80 characters.
    Prose,
}

impl Line {
    /// What is like no other line, and no template.
    pub(crate) const NONE: Line = Line(0);

    const SHAPE: u64 = 0b111;
    const LABEL: u64 = 1;
    const CODE: u64 = 2;
    const LONG: u64 = 4;
    const PROSE: u64 = 5;
    const SENTENCE: u64 = 6;
    const NUMBERED: u64 = 7;

    /// The line of which the masked fold has this fingerprint and this shape.
    pub(crate) fn new(fingerprint: Fingerprint, shape: Shape) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *fingerprint.as_bytes();
        let shape = match shape {
            Shape::Short { is_label, is_code } => u64::from(is_label) * Self::LABEL + u64::from(is_code) * Self::CODE,
            Shape::Numbered => Self::NUMBERED,
            Shape::Sentence => Self::SENTENCE,
            Shape::Long => Self::LONG,
            Shape::Prose => Self::PROSE,
        };
        Line(u64::from_le_bytes([a, b, c, d, e, f, g, h]) & !Self::SHAPE | shape)
    }

    /// The line with this masked fold.
    pub(crate) fn of_masked(masked: &[u8]) -> Self {
        Line::new(Fingerprint::of(masked), Shape::of(masked))
    }

    /// The line with this fold.
    pub(crate) fn of_folded(folded: &[u8]) -> Self {
        let mut masked = Vec::new();
        Line::of_masked(if mask(folded, &mut masked) { &masked } else { folded })
    }

    pub(crate) fn is_short(self) -> bool {
        !matches!(self.0 & Self::SHAPE, Self::LONG | Self::PROSE)
    }

    pub(crate) fn is_prose(self) -> bool {
        self.0 & Self::SHAPE == Self::PROSE
    }

    /// Whether it looks like text: it is long, or ends as a sentence does.
    pub(crate) fn is_text(self) -> bool {
        matches!(self.0 & Self::SHAPE, Self::LONG | Self::PROSE | Self::SENTENCE)
    }

    /// Whether it is a label with numbers: what it says may be another thing on each page.
    pub(crate) fn is_numbered(self) -> bool {
        self.0 & Self::SHAPE == Self::NUMBERED
    }

    /// Whether it may be the heading of what follows.
    pub(crate) fn is_label(self) -> bool {
        self.is_numbered() || self.0 & Self::SHAPE < Self::LONG && self.0 & Self::LABEL != 0
    }

    /// Whether it looks like program code.
    pub(crate) fn is_code(self) -> bool {
        self.0 & Self::SHAPE < Self::LONG && self.0 & Self::CODE != 0
    }

    pub(crate) fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Self {
        Line(u64::from_le_bytes(bytes))
    }
}

impl Shape {
    /// The shape of a line, given its masked fold.
    pub(crate) fn of(masked: &[u8]) -> Self {
        Shape::with(masked, None)
    }

    /// The same, where it may be known already what the line has.
    fn with(masked: &[u8], marks: Option<u8>) -> Self {
        // A character weighs all of its bytes at most.
        let weight = if masked.len() <= SHORT { 0 } else { weigh(masked, PROSE) };
        match weight {
            0..=SHORT => match is_code(masked, marks.unwrap_or_else(|| marks_of(masked))) {
                false if is_sentence(masked) => Shape::Sentence,
                false if is_label(masked) && is_numbered(masked) => Shape::Numbered,
                is_code => Shape::Short { is_label: is_label(masked), is_code },
            },
            PROSE.. => Shape::Prose,
            _ => Shape::Long,
        }
    }
}

/// Headings end in a word, or as a question, an exclamation, a quotation, a bracket or a colon does; "Python »" and
/// "next |" are none.
fn is_label(masked: &[u8]) -> bool {
    match masked.last() {
        Some(last) if last.is_ascii() => last.is_ascii_alphanumeric() || b")?!:\"'".contains(last),
        Some(_) => {
            let start = masked.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
            let last = masked[start..].utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
            last.is_some_and(char::is_alphanumeric)
        }
        None => false,
    }
}

/// Whether numbers were masked in it.
fn is_numbered(masked: &[u8]) -> bool {
    masked.contains(&b'0') && has_letters(masked)
}

/// Questions and exclamations may be headings.
fn is_sentence(masked: &[u8]) -> bool {
    let ends = [".", "\u{2026}", "\u{3002}", "\u{ff0e}", "\u{964}", "\u{6d4}", "\u{1362}", "\u{104b}"];
    masked.len() >= SENTENCE_BYTES && ends.iter().any(|end| masked.ends_with(end.as_bytes()))
}

fn is_code(masked: &[u8], marks: u8) -> bool {
    let has_pair = || masked.windows(2).any(|pair| pair == b"()" || pair == b"</");
    marks & CODE != 0 || marks & OPENS != 0 && has_pair()
}

/// What a line may have. None of it depends on numbers but the first.
const DIGIT: u8 = 1;
const LEAD: u8 = 2;
const CODE: u8 = 4;
const OPENS: u8 = 8;

/// Which of these a line has. To its end in any case, which is vector code.
fn marks_of(folded: &[u8]) -> u8 {
    let mark = |is_there: bool, mark: u8| u8::from(is_there) * mark;
    folded.iter().fold(0, |marks, &byte| {
        let is_code = matches!(byte, b'{' | b'}' | b'=' | b';' | b'\\');
        marks
            | mark(byte.is_ascii_digit(), DIGIT)
            | mark(byte >= FIRST_LEAD, LEAD)
            | mark(is_code, CODE)
            | mark((byte == b'(') | (byte == b'<'), OPENS)
    })
}

/// Appends the masked form of a folded line to `out`, if it differs from the line itself, and tells whether it does: in a
/// line of no more than 256 bytes, every run of digits is one `0` if there are two letters to tell the line by.
///
/// Masking again changes nothing.
pub(crate) fn mask(folded: &[u8], out: &mut Vec<u8>) -> bool {
    folded.len() <= MASKED_BYTES && mask_marked(folded, marks_of(folded), out)
}

/// As [`mask`], with the shape of the masked form.
pub(crate) fn mask_shaped(folded: &[u8], out: &mut Vec<u8>) -> (bool, Shape) {
    if folded.len() > MASKED_BYTES {
        return (false, Shape::of(folded));
    }
    let marks = marks_of(folded);
    let start = out.len();
    let is_masked = mask_marked(folded, marks, out);
    (is_masked, Shape::with(if is_masked { &out[start..] } else { folded }, Some(marks)))
}

fn mask_marked(folded: &[u8], marks: u8, out: &mut Vec<u8>) -> bool {
    match marks & (DIGIT | LEAD) {
        0 => false,
        DIGIT => mask_ascii(folded, out),
        _ => mask_any(folded, out),
    }
}

/// The first byte of the UTF-8 of U+0640: up to there, all digits that a fold leaves are those of ASCII.
const FIRST_LEAD: u8 = 0xd9;

/// Masks the digits of ASCII.
fn mask_ascii(folded: &[u8], out: &mut Vec<u8>) -> bool {
    let has_letters = if folded.is_ascii() {
        folded.iter().filter(|byte| byte.is_ascii_alphabetic()).nth(MASKED_LETTERS - 1).is_some()
    } else {
        has_letters(folded)
    };
    if !has_letters {
        return false;
    }
    mask_digits(folded, out);
    true
}

/// Masks the digits of all scripts.
fn mask_any(folded: &[u8], out: &mut Vec<u8>) -> bool {
    let has_digit = folded.utf8_chunks().any(|chunk| chunk.valid().chars().any(is_digit));
    if !has_digit || !has_letters(folded) {
        return false;
    }
    let mut was_digit = false;
    for chunk in folded.utf8_chunks() {
        for character in chunk.valid().chars() {
            let is_digit = is_digit(character);
            if !is_digit {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            } else if !was_digit {
                out.push(b'0');
            }
            was_digit = is_digit;
        }
        out.extend_from_slice(chunk.invalid());
        was_digit &= chunk.invalid().is_empty();
    }
    true
}

fn has_letters(folded: &[u8]) -> bool {
    let characters = folded.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
    characters.filter(|character| character.is_alphabetic()).nth(MASKED_LETTERS - 1).is_some()
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || !character.is_ascii() && character.is_numeric() && !character.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_masked_in_lines_with_letters() {
        for (folded, masked) in [
            ("page 12 of 345", "page 0 of 0"),
            ("page 0", "page 0"),
            ("3.11.2", "3.11.2"),
            ("a 1", "a 1"),
            ("no number", "no number"),
            ("стр. 15", "стр. 0"),
            ("صفحة ١٢", "صفحة 0"),
            ("第 15 頁", "第 0 頁"),
        ] {
            let mut out = Vec::new();
            let has_changed = mask(folded.as_bytes(), &mut out);
            let form = if has_changed { String::from_utf8(out).unwrap() } else { folded.to_owned() };
            assert_eq!(form, masked, "of {folded}");
        }
    }

    #[test]
    fn what_is_no_text_stays_as_it_is() {
        let mut out = Vec::new();
        assert!(mask(b"caf\xff 12\xff3 \xd9", &mut out));
        assert_eq!(out, b"caf\xff 0\xff0 \xd9");
    }

    #[test]
    fn up_to_the_first_lead_all_digits_are_of_ascii() {
        for character in ('\u{80}'..'\u{640}').filter(|character| is_digit(*character)) {
            let mut folded = Vec::new();
            crate::text::fold(character.encode_utf8(&mut [0; 4]).as_bytes(), crate::text::Fold::Loose, &mut folded);
            assert!(folded.is_ascii() || folded != character.to_string().as_bytes(), "{character:?}");
        }
    }

    #[test]
    fn shapes_are_told_by_the_line() {
        let label = Shape::Short { is_label: true, is_code: false };
        let neither = Shape::Short { is_label: false, is_code: false };
        let code = Shape::Short { is_label: false, is_code: true };
        let (long, prose) = ("long ".repeat(15), "prose ".repeat(15));
        for (line, shape) in [
            ("name", label),
            ("what now?", label),
            ("début", label),
            ("price: 0", Shape::Numbered),
            ("第 0 頁", Shape::Numbered),
            ("12:30", label),
            ("20 |", neither),
            ("python \u{bb}", neither),
            ("they live in the sea.", Shape::Sentence),
            ("\u{9cb8}\u{751f}\u{6d3b}\u{5728}\u{6d77}\u{91cc}\u{3002}", Shape::Sentence),
            ("run() it, then {x}.", code),
            ("p. 5.", neither),
            ("next |", neither),
            ("run();", code),
            ("</div>", code),
            (long.as_str(), Shape::Long),
            (prose.as_str(), Shape::Prose),
            ("+-----------+-----------+-----------+-----------+-----------+-----------+-----------+", neither),
        ] {
            assert_eq!(Shape::of(line.as_bytes()), shape, "{line}");
            let own = Line::of_masked(line.as_bytes());
            assert_eq!(own.is_short(), !matches!(shape, Shape::Long | Shape::Prose), "{line}");
            assert_eq!(own.is_text(), matches!(shape, Shape::Long | Shape::Prose | Shape::Sentence), "{line}");
            assert_eq!(own.is_prose(), shape == Shape::Prose, "{line}");
            assert_eq!(own.is_label(), shape == label || shape == Shape::Numbered, "{line}");
            assert_eq!((own.is_code(), own.is_numbered()), (shape == code, shape == Shape::Numbered), "{line}");
        }
    }
}
