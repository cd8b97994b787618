//! One line as the score sees it: what it looks like, and which words it has.
//!
//! However long a line is, it is read at its ends only, so that a line costs a bounded time: chrome is short, and prose is
//! known by its beginning. This is most of what scoring a line costs, and is written for it: a table of classes for ASCII, no
//! branch for whether a word is known.

use super::words::{Said, Words};
use crate::text::{content, fold_character};

/// A line is read from its start until it has so many tokens, or so many bytes.
const HEAD_TOKENS: usize = 10;
const HEAD_BYTES: usize = 120;
/// How a line ends is seen from so many bytes.
const TAIL_BYTES: usize = 16;
/// A line of at most so many tokens is also looked up as a whole.
const WHOLE_TOKENS: usize = 8;

/// How a line ends, closing quotes and brackets aside. The order is of no meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    #[default]
    Other,
    Digit,
    Letter,
    Comma,
    Ellipsis,
    Colon,
    Sentence,
}

/// How many kinds of endings there are.
pub(crate) const N_ENDINGS: usize = 7;

/// What a line looks like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    /// Its bytes, without white space at its ends.
    pub(crate) bytes: f32,
    /// Its words, counted in the head and extrapolated to the rest; two characters of a script without spaces are a word.
    pub(crate) words: f32,
    /// The share of the words that begin with a capital.
    pub(crate) capitals: f32,
    /// The share of the tokens looked up that are function words of any language.
    pub(crate) function_words: f32,
    /// The share of the head that is digits.
    pub(crate) digits: f32,
    /// The share of the head that is signs of program code.
    pub(crate) code: f32,
    pub(crate) ending: Ending,
    /// Whether its first letter is a small one.
    pub(crate) starts_small: bool,
    /// How many tokens are looked up.
    n_unigrams: u8,
    /// Equal for lines of the same tokens.
    pub(crate) key: u64,
    /// What its words say of itself, of the line after it and of the line before it, as sums of weights over the root of the
    /// number of features.
    pub(crate) own: f32,
    pub(crate) to_next: f32,
    pub(crate) to_previous: f32,
    /// The share of its features that have a weight.
    pub(crate) known: f32,
}

/// The tokens and word features of the line at hand; for reuse.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    hashes: Vec<u64>,
    features: Vec<u32>,
}

impl Tokens {
    /// The word features of the line that was read last.
    pub(crate) fn features(&self) -> &[u32] {
        &self.features
    }
}

impl Line {
    /// Looks at a block. Nothing comes of one that has nothing but white space.
    pub(crate) fn read(block: &[u8], words: &Words, tokens: &mut Tokens) -> Option<Line> {
        let mut line = Line::shape(block, tokens)?;
        line.weigh(words, &tokens.features);
        Some(line)
    }

    /// Adds what the words say, given the features that were found with the shape.
    pub(crate) fn weigh(&mut self, words: &Words, features: &[u32]) {
        // The unigrams stand first.
        let (unigrams, others) = features.split_at(usize::from(self.n_unigrams));
        let mut said = Said::default();
        for &unigram in unigrams {
            said.add(words.get(unigram));
        }
        self.function_words = said.n_function_words as f32 / f32::from(self.n_unigrams.max(1));
        for &feature in others {
            said.add(words.get(feature));
        }
        let n_features = features.len() as f32;
        let unit = words.unit() / n_features.sqrt();
        let [own, to_next, to_previous] = said.sums.map(|sum| sum as f32 * unit);
        (self.own, self.to_next, self.to_previous) = (own, to_next, to_previous);
        self.known = said.n_known as f32 / n_features;
    }

    /// All but what the weights of words say; the features are left in `tokens`.
    pub(crate) fn shape(block: &[u8], tokens: &mut Tokens) -> Option<Line> {
        let block = content(block).trim_ascii();
        let head = &block[..floor_boundary(block, HEAD_BYTES.min(block.len()))];
        let mut reader = HeadReader::new(&mut tokens.hashes);
        let head_bytes = if head.is_ascii() {
            reader.read_ascii(head)
        } else {
            match std::str::from_utf8(head) {
                Ok(head) => reader.read(head),
                Err(_) => reader.read(&String::from_utf8_lossy(head)).min(head.len()),
            }
        };
        let Counts { n_words, n_wide, n_capitals, n_digits, n_code, first } = reader.counts;
        let first = first?;
        let is_whole = head_bytes == block.len();
        let head_words = n_words as f32 + 0.5 * n_wide as f32;
        let per_byte = 1.0 / head_bytes.max(1) as f32;
        let mut line = Line {
            bytes: block.len() as f32,
            words: head_words * block.len() as f32 * per_byte,
            capitals: n_capitals as f32 / head_words.max(1.0),
            digits: n_digits as f32 * per_byte,
            code: n_code as f32 * per_byte,
            ending: ending(&block[ceil_boundary(block, block.len().saturating_sub(TAIL_BYTES))..]),
            starts_small: first.is_lowercase(),
            n_unigrams: u8::try_from(tokens.hashes.len()).unwrap_or(u8::MAX),
            ..Line::default()
        };
        let start = u64::from(u32::from(first)) << 32 | block.len() as u64 & 0xffff_ffff;
        line.key = tokens
            .hashes
            .iter()
            .fold(start, |key, token| (key ^ token).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
        tokens.find_features(first, is_whole);
        Some(line)
    }
}

impl Tokens {
    fn find_features(&mut self, first: char, is_whole: bool) {
        let Tokens { hashes, features } = self;
        features.clear();
        features.extend(hashes.iter().map(|token| feature(Kind::Unigram, *token, 0)));
        features.extend(hashes.windows(2).map(|pair| feature(Kind::Bigram, pair[0], pair[1])));
        let Some((&head, &last)) = hashes.first().zip(hashes.last()) else {
            features.push(feature(Kind::NoToken, u64::from(u32::from(first)), 0));
            return;
        };
        features.push(feature(Kind::First, head, 0));
        if let [one, two, ..] = hashes[..] {
            features.push(feature(Kind::FirstTwo, one, two));
        }
        if is_whole {
            features.push(feature(Kind::Last, last, 0));
        }
        if is_whole && hashes.len() <= WHOLE_TOKENS {
            let whole = hashes.iter().fold(0, |whole, token| hash(Kind::Whole, whole, *token));
            features.push(feature(Kind::Whole, whole, 0));
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Unigram = 1,
    Bigram,
    First,
    Last,
    FirstTwo,
    Whole,
    NoToken,
}

/// The feature that a word of a list of function words is looked up as.
pub(crate) fn unigram(word: &str) -> Option<u32> {
    let mut hashes = Vec::new();
    HeadReader::new(&mut hashes).read(word);
    hashes.first().map(|token| feature(Kind::Unigram, *token, 0))
}

fn feature(kind: Kind, first: u64, second: u64) -> u32 {
    let [_, _, _, _, a, b, c, d] = hash(kind, first, second).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Nothing hangs on its strength but how well words are told apart.
fn hash(kind: Kind, first: u64, second: u64) -> u64 {
    const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];
    let mixed = (first ^ kind as u64).wrapping_mul(FACTORS[0]).rotate_left(29) ^ second.wrapping_mul(FACTORS[1]);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(FACTORS[0]);
    mixed ^ (mixed >> 29)
}

/// What is counted in a head.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// Words, and characters of scripts without spaces.
    n_words: u32,
    n_wide: u32,
    n_capitals: u32,
    n_digits: u32,
    n_code: u32,
    first: Option<char>,
}

/// What an ASCII byte is to a line.
#[derive(Clone, Copy)]
struct Ascii {
    /// In a word, as words are compared; zero if it is of no word.
    folded: u8,
    is_digit: bool,
    is_capital: bool,
    is_code: bool,
}

static ASCII: [Ascii; 128] = {
    let mut table = [Ascii { folded: 0, is_digit: false, is_capital: false, is_code: false }; 128];
    let mut byte: u8 = 0;
    while byte < 128 {
        let entry = &mut table[byte as usize];
        match byte {
            b'a'..=b'z' => entry.folded = byte,
            b'A'..=b'Z' => (entry.folded, entry.is_capital) = (byte | 0x20, true),
            b'0'..=b'9' => (entry.folded, entry.is_digit) = (b'0', true),
            b'{' | b'}' | b'<' | b'>' | b'=' | b'_' | b'\\' | b'`' | b'~' | b'^' | b'[' | b']' => entry.is_code = true,
            _ => {}
        }
        byte += 1;
    }
    table
};

struct HeadReader<'h> {
    counts: Counts,
    hashes: &'h mut Vec<u64>,
    token: u64,
    token_chars: usize,
}

impl<'h> HeadReader<'h> {
    fn new(hashes: &'h mut Vec<u64>) -> Self {
        hashes.clear();
        HeadReader { counts: Counts::default(), hashes, token: 0, token_chars: 0 }
    }

    /// Reads as far as it takes, and says how many bytes those are.
    fn read(&mut self, head: &str) -> usize {
        self.counts.first = head.chars().next();
        let mut characters = head.char_indices();
        while let Some((at, character)) = characters.next() {
            if self.is_full() {
                return at;
            }
            if character.is_ascii() {
                let goes_on = || characters.clone().next().is_some_and(|(_, next)| next.is_alphabetic());
                self.push_ascii(character as u8, goes_on);
            } else if is_wide(character) {
                self.end();
                self.push(u32::from(character));
                self.end_token();
                self.counts.n_wide += 1;
            } else if character.is_alphanumeric() {
                let folded = fold_character(character);
                self.counts.n_capitals +=
                    u32::from(self.token_chars == 0 && folded != character && character.is_uppercase());
                self.push(u32::from(folded));
            } else if character == '\u{2019}' {
                let goes_on = characters.clone().next().is_some_and(|(_, next)| next.is_alphabetic());
                self.push_ascii(b'\'', || goes_on);
            } else {
                self.end();
            }
        }
        self.end();
        head.len()
    }

    /// As [`read`](Self::read), for what is all ASCII.
    fn read_ascii(&mut self, head: &[u8]) -> usize {
        let ascii = |at: usize| head.get(at).map(|byte| ASCII[usize::from(byte & 0x7f)]);
        self.counts.first = head.first().map(|byte| char::from(*byte));
        let mut at = 0;
        while let Some(mut entry) = ascii(at).filter(|_| !self.is_full()) {
            if entry.folded != 0 {
                let mut token = 0;
                self.counts.n_words += 1;
                self.counts.n_capitals += u32::from(entry.is_capital);
                while entry.folded != 0 {
                    token = with(token, u32::from(entry.folded));
                    self.counts.n_digits += u32::from(entry.is_digit);
                    at += 1;
                    let Some(next) = ascii(at) else { break };
                    entry = next;
                    // An apostrophe within a word is part of it.
                    if head[at] == b'\'' && head.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
                        entry.folded = b'\'';
                    }
                }
                self.hashes.push(token);
                if at == head.len() {
                    break;
                }
            }
            self.counts.n_code += u32::from(entry.is_code);
            at += 1;
        }
        at
    }

    /// Whether it has as many tokens as it needs; so it is between two of them.
    fn is_full(&self) -> bool {
        self.hashes.len() == HEAD_TOKENS
    }

    fn push_ascii(&mut self, byte: u8, goes_on: impl FnOnce() -> bool) {
        let Ascii { folded, is_digit, is_capital, is_code } = ASCII[usize::from(byte & 0x7f)];
        self.counts.n_digits += u32::from(is_digit);
        self.counts.n_code += u32::from(is_code);
        self.counts.n_capitals += u32::from(is_capital && self.token_chars == 0);
        if folded != 0 {
            self.push(u32::from(folded));
        } else if byte == b'\'' && self.token_chars > 0 && goes_on() {
            self.push(u32::from(byte));
        } else {
            self.end();
        }
    }

    #[inline]
    fn push(&mut self, character: u32) {
        self.token = with(self.token, character);
        self.token_chars += 1;
    }

    /// Ends a word, if one has begun.
    #[inline]
    fn end(&mut self) {
        if self.token_chars > 0 {
            self.counts.n_words += 1;
            self.end_token();
        }
    }

    fn end_token(&mut self) {
        self.hashes.push(self.token);
        (self.token, self.token_chars) = (0, 0);
    }
}

/// A token with another character.
fn with(token: u64, character: u32) -> u64 {
    token.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(character))
}

/// Whether a character is of a script that writes no spaces.
fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{0e00}'..='\u{0e7f}')
}

fn ending(tail: &[u8]) -> Ending {
    match tail.last() {
        // The ends of most lines, at once.
        Some(last) if last.is_ascii_alphabetic() => return Ending::Letter,
        Some(last) if last.is_ascii_digit() => return Ending::Digit,
        _ => {}
    }
    let tail = String::from_utf8_lossy(tail);
    const CLOSERS: [char; 10] =
        ['"', '\'', ')', ']', '\u{bb}', '\u{201d}', '\u{2019}', '\u{ff09}', '\u{300d}', '\u{300f}'];
    let open = tail.trim_end_matches(CLOSERS);
    match open.chars().next_back() {
        Some('.') if open.ends_with("...") => Ending::Ellipsis,
        Some('\u{2026}') => Ending::Ellipsis,
        Some('.' | '!' | '?' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}' | '\u{61f}' | '\u{964}') => Ending::Sentence,
        Some(':' | '\u{ff1a}') => Ending::Colon,
        Some(',' | ';' | '\u{3001}' | '\u{ff0c}' | '\u{ff1b}') => Ending::Comma,
        Some(last) if last.is_numeric() => Ending::Digit,
        Some(last) if last.is_alphabetic() => Ending::Letter,
        _ => Ending::Other,
    }
}

/// The last boundary of a character at or before `at`, if the bytes are UTF-8.
fn floor_boundary(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at).rev().find(|&at| is_boundary(bytes, at)).unwrap_or(at)
}

fn ceil_boundary(bytes: &[u8], at: usize) -> usize {
    (at..(at + 4).min(bytes.len())).find(|&at| is_boundary(bytes, at)).unwrap_or(at)
}

fn is_boundary(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_is_read_as_any_text_is() {
        for line in [
            "",
            "Home",
            "Don't stop, 12 o'clock 'quoted' isn't' ''",
            "a {b} = c[1]; x_y <tag>",
            "one two three four five six seven eight nine ten.",
            "one two three four five six seven eight nine ten eleven",
            "One-Two  THREE 3rd (4) 5%",
            "'",
        ] {
            let (mut plain, mut any) = (Vec::new(), Vec::new());
            let (mut fast, mut slow) = (HeadReader::new(&mut plain), HeadReader::new(&mut any));
            assert_eq!(fast.read_ascii(line.as_bytes()), slow.read(line), "{line}");
            let counts = |Counts { n_words, n_wide, n_capitals, n_digits, n_code, first }: Counts| {
                (n_words, n_wide, n_capitals, n_digits, n_code, first)
            };
            assert_eq!(counts(fast.counts), counts(slow.counts), "{line}");
            assert_eq!(plain, any, "{line}");
        }
    }

    #[test]
    fn lines_are_told_by_their_look() {
        let read = |line: &str| Line::shape(line.as_bytes(), &mut Tokens::default()).unwrap_or_default();
        assert!(Line::shape(b" \n", &mut Tokens::default()).is_none());
        for (line, ending) in [
            ("The ship left.", Ending::Sentence),
            ("\"Did it?\"", Ending::Sentence),
            ("And then...", Ending::Ellipsis),
            ("Contents:", Ending::Colon),
            ("red, green,", Ending::Comma),
            ("Page 12", Ending::Digit),
            ("Sign in", Ending::Letter),
            ("Next\u{bb}", Ending::Letter),
            ("\u{8239}\u{51fa}\u{53d1}\u{4e86}\u{3002}", Ending::Sentence),
            ("|", Ending::Other),
        ] {
            assert_eq!(read(line).ending, ending, "{line}");
        }
        // Two characters of a script without spaces are a word.
        assert!((read("\u{8239}\u{51fa}\u{53d1}\u{4e86}").words - 2.0).abs() < 1e-6);
        // Words beyond the head are extrapolated.
        assert!((read(&"word ".repeat(200)).words - 200.0).abs() < 20.0);
        assert!((read("One Two three four").capitals - 0.5).abs() < 1e-6);
        assert_eq!(read("Home page").key, read(" Home page\n").key);
        assert_ne!(read("Home page").key, read("Page home").key);
    }
}
