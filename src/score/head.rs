//! The beginning of a line, as bytes to compare and bits that say what they are, one for each byte.
//!
//! ```text
//! folded    d o n ' t _ s t o p , _ p a g e _ 0 0
//! words     1 1 1 1 1 . 1 1 1 1 . . 1 1 1 1 . 1 1
//! starts    1 . . . . . 1 . . . . . 1 . . . . 1 .
//! ends      . . . . . 1 . . . . 1 . . . . . 1 . .
//! ```
//! Most of what scoring a line costs is reading it, and most lines begin with ASCII: its bytes are told apart by loops without a
//! branch, which become vector code.

use crate::text::fold_character;

/// A line is read from its start until so many bytes: as many as a word has bits.
const HEAD_BYTES: usize = 64;
/// Hashing reads eight bytes at any place.
const ROOM: usize = HEAD_BYTES + 8;

/// The head of a line.
#[derive(Debug)]
pub(super) struct Head {
    /// Capitals as small letters, all digits as zeros.
    folded: [u8; ROOM],
    /// The first character, as it stands.
    first: char,
    /// How many bytes of the line were read, and whether those are all.
    n_read: usize,
    is_whole: bool,
    /// Which bytes are of words, and where words start.
    words: u64,
    starts: u64,
    /// Where characters stand of scripts that write no spaces: each is a word by itself.
    wide: u64,
    capitals: u64,
    digits: u64,
}

impl Head {
    /// Reads the head of a line; nothing comes of an empty one.
    pub(super) fn read(line: &[u8]) -> Option<Head> {
        let bytes = if line.len() <= HEAD_BYTES { line } else { &line[..floor_boundary(line, HEAD_BYTES)] };
        let mut head = Head {
            folded: [0; ROOM],
            first: char::from(*bytes.first()?),
            n_read: bytes.len(),
            is_whole: bytes.len() == line.len(),
            words: 0,
            starts: 0,
            wide: 0,
            capitals: 0,
            digits: 0,
        };
        if bytes.is_ascii() {
            head.read_ascii(bytes);
        } else {
            match std::str::from_utf8(bytes) {
                Ok(text) => head.read_any(text),
                Err(_) => head.read_any(&String::from_utf8_lossy(bytes)),
            }
        }
        Some(head)
    }

    fn read_ascii(&mut self, bytes: &[u8]) {
        self.folded[..bytes.len()].copy_from_slice(bytes);
        let mut kinds = [0; HEAD_BYTES];
        for (byte, kind) in self.folded.iter_mut().zip(&mut kinds) {
            *kind = kind_of(*byte);
            *byte = folded_ascii(*byte);
        }
        let (kinds, _) = kinds.as_chunks();
        let any = kinds.iter().fold(0, |any, kinds| any | u64::from_le_bytes(*kinds));
        let bits = |kind| if any & kind == 0 { 0 } else { bits(kinds, kind) };
        let words = bits(WORD);
        (self.capitals, self.digits) = (bits(CAPITAL), bits(DIGIT));
        self.find_starts(words, bits(APOSTROPHE), 0);
    }

    /// As [`read_ascii`](Self::read_ascii), for any text.
    fn read_any(&mut self, text: &str) {
        self.first = text.chars().next().unwrap_or_default();
        let (mut words, mut apostrophes, mut after_wide) = (0, 0, 0);
        let mut at = 0;
        for character in text.chars() {
            let is_wide = is_wide(character);
            // What is of no word takes one byte, so that more words fit.
            let (folded, kind) = match character {
                '\u{2019}' => ('\'', of_one(APOSTROPHE)),
                '\0'..='\x7f' => (char::from(folded_ascii(character as u8)), kind_of(character as u8)),
                _ if is_wide => (character, of_one(WORD)),
                _ if character.is_alphanumeric() => {
                    let folded = fold_character(character);
                    let is_capital = folded != character && character.is_uppercase();
                    (folded, of_one(if is_capital { WORD | CAPITAL } else { WORD }))
                }
                _ => (' ', 0),
            };
            let end = at + folded.len_utf8();
            if end > HEAD_BYTES {
                break;
            }
            folded.encode_utf8(&mut self.folded[at..end]);
            let bytes = u64::MAX >> (64 - folded.len_utf8()) << at;
            let if_has = |of: u64, bits: u64| if kind & of_one(of) == 0 { 0 } else { bits };
            words |= if_has(WORD, bytes);
            apostrophes |= if_has(APOSTROPHE, bytes);
            self.capitals |= if_has(CAPITAL, 1 << at);
            self.digits |= if_has(DIGIT, 1 << at);
            if is_wide {
                self.wide |= 1 << at;
                after_wide |= 1_u64.checked_shl(u32::try_from(end).unwrap_or(u32::MAX)).unwrap_or(0);
            }
            at = end;
        }
        self.find_starts(words, apostrophes, self.wide | after_wide);
    }

    /// Finds where words start: after what is of no word, and wherever `cuts` says.
    fn find_starts(&mut self, words: u64, apostrophes: u64, cuts: u64) {
        // An apostrophe within a word is part of it.
        self.words = words | apostrophes & (words << 1) & (words >> 1);
        self.starts = self.words & (!(self.words << 1) | cuts);
    }

    pub(super) fn first(&self) -> char {
        self.first
    }

    /// How many bytes of the line were read; not zero.
    pub(super) fn n_read(&self) -> usize {
        self.n_read
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How many words it has; two characters of a script without spaces are one.
    pub(super) fn n_words(&self) -> f32 {
        self.starts.count_ones() as f32 - 0.5 * self.wide.count_ones() as f32
    }

    /// How many words begin with a capital.
    pub(super) fn n_capitals(&self) -> u32 {
        (self.capitals & self.starts).count_ones()
    }

    pub(super) fn n_digits(&self) -> u32 {
        self.digits.count_ones()
    }

    /// A hash of each word, as many as there is room for.
    pub(super) fn tokens<'t>(&self, tokens: &'t mut [u64]) -> &'t [u64] {
        let (mut starts, mut ends) = (self.starts, (!self.words | self.starts) & (self.words << 1));
        let mut n_tokens = 0;
        for token in &mut *tokens {
            if starts == 0 {
                break;
            }
            // If it does not end, it goes to the last byte.
            *token = self.token(starts.trailing_zeros() as usize, ends.trailing_zeros() as usize);
            starts &= starts - 1;
            ends &= ends.wrapping_sub(1);
            n_tokens += 1;
        }
        &tokens[..n_tokens]
    }

    /// A hash of the folded bytes from `start` to `end`: of their number, the first eight and the last eight. Nothing hangs on
    /// its strength but how well words are told apart.
    fn token(&self, start: usize, end: usize) -> u64 {
        const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];
        let n_bytes = end - start;
        let at_most_eight = u64::MAX >> (64 - 8 * n_bytes.min(8));
        let at =
            |at: usize| self.folded[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)) & at_most_eight;
        let last = at(if n_bytes > 8 { end - 8 } else { start });
        let mixed = at(start).wrapping_mul(FACTORS[0]) ^ last.rotate_left(32) ^ n_bytes as u64;
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(FACTORS[1]);
        mixed ^ mixed >> 32
    }
}

/// What a byte is, as bits; all eight bytes of a number can be asked at once.
const WORD: u64 = 0x0101_0101_0101_0101;
const CAPITAL: u64 = WORD << 1;
const DIGIT: u64 = WORD << 2;
const APOSTROPHE: u64 = WORD << 3;

/// The bit in each byte.
const fn of_one(kind: u64) -> u8 {
    kind.to_le_bytes()[0]
}

/// What an ASCII byte is.
#[inline]
fn kind_of(byte: u8) -> u8 {
    let if_true = |holds: bool, kind: u64| if holds { of_one(kind) } else { 0 };
    if_true(byte.is_ascii_alphanumeric(), WORD)
        | if_true(byte.is_ascii_uppercase(), CAPITAL)
        | if_true(byte.is_ascii_digit(), DIGIT)
        | if_true(byte == b'\'', APOSTROPHE)
}

#[inline]
fn folded_ascii(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_lowercase() }
}

/// Which bytes have a kind, as bits.
fn bits(kinds: &[[u8; 8]], kind: u64) -> u64 {
    // Brings the lowest bit of each byte into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    kinds.iter().rev().fold(0, |bits, kinds| {
        let of_kind = (u64::from_le_bytes(*kinds) & kind) >> kind.trailing_zeros();
        bits << 8 | of_kind.wrapping_mul(GATHER) >> 56
    })
}

/// Whether a character is of a script that writes no spaces.
fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{0e00}'..='\u{0e7f}')
}

/// The last boundary of a character at or before `at`, if the bytes are UTF-8.
fn floor_boundary(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at).rev().find(|&at| is_boundary(bytes, at)).unwrap_or(at)
}

/// Whether a character may begin, or the bytes end, at `at`.
pub(super) fn is_boundary(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_as(line: &str, read: impl FnOnce(&mut Head)) -> Head {
        let mut head = Head::read(line.as_bytes()).expect("it has a byte");
        (head.words, head.starts, head.wide, head.capitals, head.digits) = (0, 0, 0, 0, 0);
        head.folded = [0; ROOM];
        read(&mut head);
        head
    }

    fn words_of(line: &str) -> Vec<String> {
        let head = Head::read(line.as_bytes()).expect("it has a byte");
        let mut words = Vec::new();
        for at in (0..HEAD_BYTES).filter(|at| head.words >> at & 1 == 1) {
            if head.starts >> at & 1 == 1 {
                words.push(Vec::new());
            }
            words.last_mut().expect("words start before they go on").push(head.folded[at]);
        }
        words.into_iter().map(|word| String::from_utf8(word).expect("characters are whole")).collect()
    }

    fn hashes_of(line: &str) -> Vec<u64> {
        let head = Head::read(line.as_bytes()).expect("it has a byte");
        head.tokens(&mut [0; HEAD_BYTES]).to_vec()
    }

    proptest! {
        #[test]
        fn ascii_is_read_as_any_text_is(line in "[ -~]{1,64}|([A-Za-z']{1,12}[ 0-9,.]){1,5}") {
            let fast = read_as(&line, |head| head.read_ascii(line.as_bytes()));
            let slow = read_as(&line, |head| head.read_any(&line));
            let words_only = |head: &Head| {
                (0..HEAD_BYTES).map(|at| if head.words >> at & 1 == 1 { head.folded[at] } else { 0 }).collect::<Vec<_>>()
            };
            let all = |head: &Head| (head.words, head.starts, head.wide, head.capitals, head.digits, head.first);
            prop_assert_eq!(all(&fast), all(&slow));
            prop_assert_eq!(words_only(&fast), words_only(&slow));
        }

        #[test]
        fn every_word_has_a_hash(line in "\\PC{1,80}") {
            prop_assert_eq!(words_of(&line).len(), hashes_of(&line).len());
        }
    }

    #[test]
    fn words_are_found_and_folded() {
        for (line, words) in [
            (",", &[][..]),
            ("Home", &["home"]),
            ("Don't stop, 12 o'clock 'quoted' isn' ''", &["don't", "stop", "00", "o'clock", "quoted", "isn"]),
            ("Don\u{2019}t stop", &["don't", "stop"]),
            ("\u{c9}t\u{e9} 2\u{e8}me", &["\u{e9}t\u{e9}", "0\u{e8}me"]),
            ("a\u{8239}\u{51fa}b c", &["a", "\u{8239}", "\u{51fa}", "b", "c"]),
            ("One-Two {x_y}", &["one", "two", "x", "y"]),
        ] {
            assert_eq!(words_of(line), words, "{line}");
        }
    }

    #[test]
    fn a_word_has_one_hash_wherever_it_stands() {
        let words = ["a", "to", "an apple", "internationally", "internationalism", "don't", "8 pages", "\u{e9}t\u{e9}"];
        for word in words {
            let alone = hashes_of(word);
            for line in [format!("{word} x"), format!("\u{2014} {}", word.to_uppercase()), format!(">>> {word}.")] {
                assert_eq!(hashes_of(&line)[..alone.len()], alone, "{line}");
            }
        }
        let mut all: Vec<u64> = words.iter().flat_map(|word| hashes_of(word)).collect();
        all.sort_unstable();
        let n_words = all.len();
        all.dedup();
        assert_eq!(all.len(), n_words);
    }
}
