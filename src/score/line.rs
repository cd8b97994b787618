//! One line as the score sees it: what it looks like, and which words it has.
//!
//! However long a line is, it is read at its ends only, so that a line costs a bounded time: chrome is short, and prose is
//! known by its beginning.

use super::words::{Entry, Words};
use crate::text::{content, fold_character};

/// So many bytes of a line are read from its start, and so many from its end if it is longer.
const HEAD: usize = 240;
const TAIL: usize = 60;
/// Of so many tokens at the start and at the end of the head, the words count.
const FIRST_TOKENS: usize = 16;
const LAST_TOKENS: usize = 4;
/// So many characters of a token count.
const TOKEN_CHARS: usize = 20;
/// A line of at most so many characters is also looked up as a whole.
const WHOLE_CHARS: usize = 60;

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
        let (mut own, mut to_next, mut to_previous, mut n_known) = (0_i32, 0_i32, 0_i32, 0_u16);
        for &feature in features {
            if let Some(Entry { weights, .. }) = words.get(feature) {
                own += i32::from(weights[0]);
                to_next += i32::from(weights[1]);
                to_previous += i32::from(weights[2]);
                n_known += 1;
            }
        }
        let n_features = features.len() as f32;
        let unit = words.unit() / n_features.sqrt();
        (self.own, self.to_next, self.to_previous) =
            (own as f32 * unit, to_next as f32 * unit, to_previous as f32 * unit);
        self.known = f32::from(n_known) / n_features;
        // The unigrams stand first.
        let unigrams = &features[..usize::from(self.n_unigrams)];
        let n_function_words = unigrams.iter().filter(|unigram| words.is_function_word(**unigram)).count();
        self.function_words = n_function_words as f32 / f32::from(self.n_unigrams.max(1));
    }

    /// All but what the weights of words say; the features are left in `tokens`.
    pub(crate) fn shape(block: &[u8], tokens: &mut Tokens) -> Option<Line> {
        let block = content(block).trim_ascii();
        let head_end = if block.len() <= HEAD { block.len() } else { floor_boundary(block, HEAD) };
        let head = String::from_utf8_lossy(&block[..head_end]);
        let mut reader = HeadReader::new(&mut tokens.hashes);
        reader.read(&head);
        let Counts { n_chars, n_words, n_wide, n_capitals, n_digits, n_code, first, .. } = reader.counts;
        let first = first?;
        let head_words = n_words as f32 + 0.5 * n_wide as f32;
        let tail = if block.len() <= HEAD {
            head
        } else {
            String::from_utf8_lossy(&block[ceil_boundary(block, block.len() - TAIL)..])
        };
        let share = |count: u32| count as f32 / head_end.max(1) as f32;
        let mut line = Line {
            bytes: block.len() as f32,
            words: head_words * (block.len() as f32 / head_end.max(1) as f32),
            capitals: n_capitals as f32 / head_words.max(1.0),
            digits: share(n_digits),
            code: share(n_code),
            ending: ending(&tail),
            starts_small: first.is_lowercase(),
            ..Line::default()
        };
        line.key = tokens
            .hashes
            .iter()
            .fold(hash(Kind::Whole, u64::from(u32::from(first)), 0), |key, token| hash(Kind::Whole, key, *token));
        let whole = (block.len() <= HEAD && n_chars as usize <= WHOLE_CHARS).then_some(line.key);
        tokens.find_features(first, whole);
        line.n_unigrams = u8::try_from(tokens.hashes.len()).unwrap_or(u8::MAX);
        Some(line)
    }
}

impl Tokens {
    fn find_features(&mut self, first: char, whole: Option<u64>) {
        let Tokens { hashes, features } = self;
        features.clear();
        if hashes.len() > FIRST_TOKENS + LAST_TOKENS {
            hashes.drain(FIRST_TOKENS..hashes.len() - LAST_TOKENS);
        }
        features.extend(hashes.iter().map(|token| feature(Kind::Unigram, *token, 0)));
        features.extend(hashes.windows(2).map(|pair| feature(Kind::Bigram, pair[0], pair[1])));
        match (hashes.first(), hashes.last()) {
            (Some(&head), Some(&last)) => {
                features.push(feature(Kind::First, head, 0));
                features.push(feature(Kind::Last, last, 0));
                if let [one, two, ..] = hashes[..] {
                    features.push(feature(Kind::FirstTwo, one, two));
                }
                features.extend(whole.map(|whole| feature(Kind::Whole, whole, 0)));
            }
            _ => features.push(feature(Kind::NoToken, u64::from(u32::from(first)), 0)),
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

/// Multiply and fold, as wyhash does; nothing hangs on its strength but how well words are told apart.
fn hash(kind: Kind, first: u64, second: u64) -> u64 {
    let mixed = (first ^ 0xa076_1d64_78bd_642f).wrapping_mul(second ^ 0xe703_7ed1_a0b4_28db ^ ((kind as u64) << 32));
    let high = (mixed ^ (mixed >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ first.rotate_left(17));
    high ^ (high >> 29)
}

/// What is counted in a head.
#[derive(Clone, Copy, Default)]
struct Counts {
    n_chars: u32,
    /// Words, and characters of scripts without spaces.
    n_words: u32,
    n_wide: u32,
    n_capitals: u32,
    n_digits: u32,
    n_code: u32,
    first: Option<char>,
}

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

    fn read(&mut self, head: &str) {
        let mut characters = head.chars();
        self.counts.first = characters.clone().next();
        while let Some(character) = characters.next() {
            self.counts.n_chars += 1;
            if character.is_ascii() {
                match character {
                    'a'..='z' => self.push(character),
                    'A'..='Z' => {
                        self.counts.n_capitals += u32::from(self.token_chars == 0);
                        self.push(character.to_ascii_lowercase());
                    }
                    '0'..='9' => {
                        self.counts.n_digits += 1;
                        self.push('0');
                    }
                    '\'' if self.goes_on(&characters) => self.push('\''),
                    _ => {
                        self.end();
                        let is_code =
                            matches!(character, '{' | '}' | '<' | '>' | '=' | '_' | '\\' | '`' | '~' | '^' | '[' | ']');
                        self.counts.n_code += u32::from(is_code);
                    }
                }
            } else if is_wide(character) {
                self.end();
                self.push(character);
                self.end_token();
                self.counts.n_wide += 1;
            } else if character.is_alphanumeric() {
                let folded = fold_character(character);
                self.counts.n_capitals +=
                    u32::from(self.token_chars == 0 && folded != character && character.is_uppercase());
                self.push(folded);
            } else if character == '\u{2019}' && self.goes_on(&characters) {
                self.push('\'');
            } else {
                self.end();
            }
        }
        self.end();
    }

    /// Whether an apostrophe stands within a word.
    fn goes_on(&self, rest: &std::str::Chars<'_>) -> bool {
        self.token_chars > 0 && rest.clone().next().is_some_and(char::is_alphabetic)
    }

    fn push(&mut self, character: char) {
        if self.token_chars < TOKEN_CHARS {
            self.token = (self.token ^ u64::from(u32::from(character))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.token ^= self.token >> 32;
        }
        self.token_chars += 1;
    }

    /// Ends a word, if one has begun.
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

/// Whether a character is of a script that writes no spaces.
fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{0e00}'..='\u{0e7f}')
}

fn ending(tail: &str) -> Ending {
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
