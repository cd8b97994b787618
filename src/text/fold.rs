//! The fold: the normal form in which blocks are compared.
//!
//! Folding is not editing. What is kept of a text keeps its spelling; only the comparison is made between folded forms.
//!
//! Three paths give the same bytes, and property tests hold them to it:
//!
//! ```text
//! all ASCII, single spaces   copy and lower-case in one vectorised sweep
//! simple characters          one table look-up a character (a page of 256 is filled the first time it is needed)
//! anything else              the definition: NFKC, lower case, NFKC again, over the whole run of valid UTF-8
//! ```

use super::{Span, content};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfkc_quick};

/// The version of the fold: fingerprints made under different versions must not be compared.
pub const FOLD_VERSION: u32 = 1;

/// How alike two blocks must be to count as the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Fold {
    /// Byte for byte; only the newline at the end does not count.
    Exact,
    /// Alike but for case, white space, invisible characters, and typographic or plain quotes and dashes.
    #[default]
    Loose,
    /// As loose, with every digit as 0 and without punctuation and accents, as CCNet does.
    Letters,
}

/// Appends the folded form of `block` to `out`.
///
/// Folding a loose form again changes nothing, if it is UTF-8. No folded form ends in a zero byte. The loose form of a block
/// that shows nothing is empty.
///
/// ```
/// use dehusk::text::{Fold, fold};
///
/// let mut folded = Vec::new();
/// fold("  \u{201c}Caf\u{65}\u{301}\u{201d}\u{a0}\u{2014}  No.\u{200b} 12\n".as_bytes(), Fold::Loose, &mut folded);
/// assert_eq!(folded, "\"caf\u{e9}\" - no. 12".as_bytes());
/// ```
pub fn fold(block: &[u8], how: Fold, out: &mut Vec<u8>) {
    match how {
        Fold::Exact => {
            out.extend_from_slice(content(block));
            // One newline for all, so that the form does not end in a zero byte even where the block does.
            out.push(b'\n');
        }
        Fold::Loose => loose(block, out),
        Fold::Letters => {
            let start = out.len();
            loose(block, out);
            let folded = out.split_off(start);
            letters(&folded, out);
        }
    }
}

/// Appends the loose form of `block` to `out`, and to `origins` the span of `block` that each byte of it comes from.
///
/// Much slower than [`fold`]: it is for the few blocks of which only some words go.
pub fn fold_tracked(block: &[u8], out: &mut Vec<u8>, origins: &mut Vec<Span>) {
    let base = out.len();
    let skipped = origins.len();
    let mut start = 0;
    for end in boundaries(block) {
        characters(&block[start..end], base, out);
        origins.resize(skipped + out.len() - base, Span::new(start, end));
        start = end;
    }
    if out.last() == Some(&b' ') && out.len() > base {
        out.pop();
        origins.pop();
    }
}

/// Where the characters of `block` end that do not combine with the one after them.
fn boundaries(block: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    for chunk in block.utf8_chunks() {
        for character in chunk.valid().chars() {
            if at > 0 && !combines(character) {
                ends.push(at);
            }
            at += character.len_utf8();
        }
        for _ in chunk.invalid() {
            ends.push(at);
            at += 1;
        }
    }
    ends.push(at);
    ends
}

/// How much text a folded block is, in characters of a script that writes spaces.
///
/// A character of Chinese or Japanese counts as three and one of Thai, Lao, Khmer, Burmese or Tibetan as two, so that one
/// limit serves every language. What is no letter counts for no more than the letters do, so that rules, tables and diagrams
/// are little text however wide they are. A block that shows anything at all counts as one at least.
///
/// ```
/// use dehusk::text::weight;
///
/// assert_eq!(weight(b"the ship left."), 14);
/// assert_eq!(weight("船は夜明けに出た。".as_bytes()), 25);
/// assert_eq!(weight(b"+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+"), 1);
/// assert_eq!(weight(b"a = 1234567890"), 2);
/// ```
pub fn weight(folded: &[u8]) -> usize {
    weigh(folded, usize::MAX)
}

/// Whether [`weight`] is at least so much. On long blocks beyond ASCII it looks at the first characters only.
pub(crate) fn weighs(folded: &[u8], enough: usize) -> bool {
    weigh(folded, enough) >= enough
}

/// The weight, or as much of it as is enough.
pub(crate) fn weigh(folded: &[u8], enough: usize) -> usize {
    let (mut letters, mut others) = (0, 0);
    // In steps of less than 256, so that the count is one of bytes, which becomes vector code. The letters of ASCII are
    // letters of any text, and mostly enough.
    for step in folded.chunks(128) {
        let count: u8 = step.iter().map(|byte| u8::from(byte.is_ascii_alphabetic())).sum();
        letters += usize::from(count);
        if letters >= enough {
            return letters;
        }
    }
    if folded.is_ascii() {
        others = folded.len() - letters;
    } else {
        letters = 0;
        // In steps, so that a long block is decoded only as far as it is looked at.
        for step in folded.chunk_by(|_, next| *next != b' ') {
            for chunk in step.utf8_chunks() {
                others += chunk.invalid().len();
                for character in chunk.valid().chars() {
                    let sum = if is_letter(character) { &mut letters } else { &mut others };
                    *sum += character_weight(character);
                }
            }
            if letters >= enough {
                return letters;
            }
        }
    }
    (letters + others.min(letters)).max(usize::from(!folded.is_empty()))
}

/// [`char::is_alphabetic`], answered at once for the letters that most text is of.
fn is_letter(character: char) -> bool {
    match character {
        // Latin, Greek, Cyrillic; kana, Han, Hangul.
        'a'..='z' | 'A'..='Z' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2c1}' => true,
        '\u{3a3}'..='\u{3f5}' | '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}' => true,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => true,
        _ => !character.is_ascii() && character.is_alphabetic(),
    }
}

fn character_weight(character: char) -> usize {
    match u32::from(character) {
        // Thai, Lao; Tibetan; Burmese; Khmer.
        0x0e00..=0x0eff | 0x0f00..=0x0fff | 0x1000..=0x109f | 0x1780..=0x17ff => 2,
        // Kana; Han with its extensions.
        0x3040..=0x30ff | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff => {
            3
        }
        _ => 1,
    }
}

fn loose(block: &[u8], out: &mut Vec<u8>) {
    let block = trim(block);
    let start = out.len();
    if !plain(block, out) {
        out.truncate(start);
        characters(block, start, out);
        if out.last() == Some(&b' ') && out.len() > start {
            out.pop();
        }
    }
}

fn trim(mut block: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = block
        && (first.is_ascii_whitespace() || *first == 0x0b)
    {
        block = rest;
    }
    while let [rest @ .., last] = block
        && (last.is_ascii_whitespace() || *last == 0x0b)
    {
        block = rest;
    }
    block
}

/// Copies a run of bytes in lower case, and says whether that is its folded form: it is ASCII, has no
/// control characters, and no two spaces side by side.
fn plain(block: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((&last, _)) = block.split_last() else {
        return true;
    };
    let start = out.len();
    out.extend_from_slice(block);
    // Bitwise, without a branch, so that the loop becomes vector code.
    let mut odd = not_printable(last);
    for (byte, &next) in out[start..].iter_mut().zip(&block[1..]) {
        odd |= not_printable(*byte) | (u8::from(*byte == b' ') & u8::from(next == b' '));
        byte.make_ascii_lowercase();
    }
    if let Some(last) = out.last_mut() {
        last.make_ascii_lowercase();
    }
    odd == 0
}

fn not_printable(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(0x20) >= 0x5f)
}

/// Folds character by character, with single spaces; leading space is dropped where `out` is still `start` bytes long.
fn characters(block: &[u8], start: usize, out: &mut Vec<u8>) {
    match std::str::from_utf8(block) {
        Ok(run) => valid_characters(run, start, out),
        Err(_) => {
            for chunk in block.utf8_chunks() {
                valid_characters(chunk.valid(), start, out);
                out.extend_from_slice(chunk.invalid());
            }
        }
    }
}

fn valid_characters(run: &str, start: usize, out: &mut Vec<u8>) {
    let run_start = out.len();
    if !simple_characters(run, start, out) {
        out.truncate(run_start);
        for character in defined(run) {
            push(character, start, out);
        }
    }
}

fn push(character: char, start: usize, out: &mut Vec<u8>) {
    if character == ' ' {
        if out.len() > start && out.last() != Some(&b' ') {
            out.push(b' ');
        }
    } else {
        // By constant lengths, which are stored without a call.
        let mut bytes = [0; 4];
        match *character.encode_utf8(&mut bytes).as_bytes() {
            [a] => out.push(a),
            [a, b] => out.extend_from_slice(&[a, b]),
            [a, b, c] => out.extend_from_slice(&[a, b, c]),
            _ => out.extend_from_slice(&bytes),
        }
    }
}

/// The definition of the loose form, but for the joining of spaces.
fn defined(run: &str) -> impl Iterator<Item = char> {
    run.chars()
        .filter(|character| !is_invisible(*character))
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfkc()
        .filter(|character| !is_invisible(*character))
        .map(typewriter)
}

/// Typographic quotes and dashes as those of a typewriter, every kind of white space as a space.
fn typewriter(character: char) -> char {
    match character {
        '\u{2018}'..='\u{201b}' | '\u{2032}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{301d}'..='\u{301f}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        space if space.is_whitespace() => ' ',
        other => other,
    }
}

/// Whether a character shows nothing: controls that are not white space, format characters, fillers and selectors.
fn is_invisible(character: char) -> bool {
    match character {
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' => false,
        _ if character.is_control() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// What one character becomes, where that does not depend on its neighbours.
#[derive(Clone, Copy)]
enum Folded {
    /// This character (a space joins the spaces beside it).
    One(char),
    /// Nothing.
    Gone,
    /// It takes the definition: it combines with its neighbours, or becomes several characters.
    Defined,
}

fn simple_characters(run: &str, start: usize, out: &mut Vec<u8>) -> bool {
    let mut rest = run;
    loop {
        let (ascii, after) = rest.split_at(n_ascii(rest.as_bytes()));
        ascii_characters(ascii.as_bytes(), start, out);
        let mut characters = after.chars();
        let Some(character) = characters.next() else {
            return true;
        };
        match look_up(character) {
            Folded::One(folded) => push(folded, start, out),
            Folded::Gone => {}
            Folded::Defined => return false,
        }
        rest = characters.as_str();
    }
}

/// How many bytes of ASCII a text starts with.
fn n_ascii(text: &[u8]) -> usize {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = text.as_chunks::<8>();
    for (word_idx, word) in words.iter().enumerate() {
        let high = u64::from_le_bytes(*word) & HIGH_BITS;
        if high != 0 {
            return word_idx * 8 + high.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().position(|byte| !byte.is_ascii()).unwrap_or(rest.len())
}

/// Folds a run of ASCII: at once where it is plain and no space of it meets one before it.
fn ascii_characters(run: &[u8], start: usize, out: &mut Vec<u8>) {
    let before = out.len();
    let joins = run.first() == Some(&b' ') && (before == start || out.last() == Some(&b' '));
    if !joins && plain(run, out) {
        return;
    }
    out.truncate(before);
    for &byte in run {
        match byte {
            b'\t'..=b'\r' | b' ' => push(' ', start, out),
            b'!'..=b'~' => out.push(byte.to_ascii_lowercase()),
            _ => {}
        }
    }
}

/// The loose form of a character by itself, where that is one character; else the character as it is.
pub(crate) fn fold_character(character: char) -> char {
    match look_up(character) {
        Folded::One(folded) => folded,
        Folded::Gone | Folded::Defined => character,
    }
}

fn look_up(character: char) -> Folded {
    type Page = OnceLock<Box<[Folded; 256]>>;
    static PAGES: [Page; 256] = [const { OnceLock::new() }; 256];
    let code = u32::from(character);
    let (page, cell) = ((code >> 8) as usize, (code & 0xff) as usize);
    let Some(page_cell) = PAGES.get(page) else {
        return one_character(character);
    };
    let page = page_cell.get_or_init(|| {
        let first = code & !0xff;
        Box::new(std::array::from_fn(|offset| {
            u32::try_from(offset)
                .ok()
                .and_then(|offset| char::from_u32(first + offset))
                .map_or(Folded::Defined, one_character)
        }))
    });
    page[cell]
}

fn one_character(character: char) -> Folded {
    if is_invisible(character) {
        return Folded::Gone;
    }
    let mut folded = defined(character.encode_utf8(&mut [0; 4])).collect::<Vec<_>>().into_iter();
    match (folded.next(), folded.next()) {
        (Some(one), None) if !combines(character) && !combines(one) => Folded::One(one),
        _ => Folded::Defined,
    }
}

/// Whether composition may join a character to the one before it.
fn combines(character: char) -> bool {
    canonical_combining_class(character) != 0
        || is_invisible(character)
        || is_nfkc_quick(std::iter::once(character)) == IsNormalized::Maybe
        || std::iter::once(character).nfkd().next().is_some_and(|first| {
            canonical_combining_class(first) != 0 || is_nfkc_quick(std::iter::once(first)) == IsNormalized::Maybe
        })
}

/// From the loose form to letters alone: digits as 0, no punctuation, symbols or accents.
fn letters(folded: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    for chunk in folded.utf8_chunks() {
        let run = chunk.valid();
        if run.is_ascii() {
            for byte in run.bytes() {
                push_letter(char::from(byte), start, out);
            }
        } else {
            for character in run.nfd().filter(|character| canonical_combining_class(*character) == 0) {
                push_letter(character, start, out);
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
    if out.last() == Some(&b' ') && out.len() > start {
        out.pop();
    }
}

fn push_letter(character: char, start: usize, out: &mut Vec<u8>) {
    match character {
        ' ' => push(' ', start, out),
        digit if digit.is_numeric() => push('0', start, out),
        letter if is_letter(letter) => push(letter, start, out),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_the_alphabetic_characters() {
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            assert_eq!(is_letter(character), character.is_alphabetic(), "{character:?}");
        }
    }
}
