//! One line as the score sees it: what it looks like, and which words it has.
//!
//! However long a line is, it is read at its ends only, so that a line costs a bounded time: chrome is short, and prose is
//! known by its beginning.

use super::head::{Head, is_boundary};
use super::words::{Said, Words};
use crate::text::label_of;

/// So many tokens of a head are looked up at most.
const HEAD_TOKENS: usize = 10;
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
const N_ENDINGS: u8 = 7;

/// How many shapes of lines are told apart: ten classes of length and the kinds of endings.
pub(crate) const N_SHAPES: usize = 10 * N_ENDINGS as usize;

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
    pub(crate) ending: Ending,
    /// Whether its first letter is a small one.
    pub(crate) starts_small: bool,
    /// How many tokens are looked up.
    n_tokens: u8,
    /// Equal for lines of the same tokens.
    pub(crate) key: u64,
    /// Its class of length and its ending: below [`N_SHAPES`].
    shape: u8,
    /// What its words say of itself, of the line after it and of the line before it, as sums of weights over the root of the
    /// number of features.
    pub(crate) own: f32,
    pub(crate) to_next: f32,
    pub(crate) to_previous: f32,
    /// The share of its features that have a weight.
    pub(crate) known: f32,
}

/// The word features of the line at hand; for reuse.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    features: Vec<u32>,
}

impl Tokens {
    /// The word features of the line that was read last.
    pub(crate) fn features(&self) -> &[u32] {
        &self.features
    }
}

impl Line {
    /// The shape of the line, below [`N_SHAPES`].
    pub(crate) fn shape(&self) -> usize {
        usize::from(self.shape)
    }

    pub(crate) fn is_sentence(&self) -> bool {
        matches!(self.ending, Ending::Ellipsis | Ending::Sentence)
    }

    /// Looks at a block. Nothing comes of one that has nothing but white space.
    pub(crate) fn read(block: &[u8], words: &Words, tokens: &mut Tokens) -> Option<Line> {
        let mut line = Line::look(block, tokens)?;
        line.weigh(words, &tokens.features);
        Some(line)
    }

    /// Adds what the words say, given the features that were found with the shape.
    pub(crate) fn weigh(&mut self, words: &Words, features: &[u32]) {
        let mut said = Said::default();
        for &feature in features {
            said.add(words.get(feature));
        }
        let n_features = features.len() as f32;
        let unit = words.unit() / n_features.sqrt();
        let [own, to_next, to_previous] = said.sums().map(|sum| sum as f32 * unit);
        (self.own, self.to_next, self.to_previous) = (own, to_next, to_previous);
        self.known = f32::from(said.n_known()) / n_features;
        self.function_words = f32::from(said.n_function_words()) / f32::from(self.n_tokens.max(1));
    }

    /// All but what the weights of words say; the features are left in `tokens`.
    pub(crate) fn look(block: &[u8], tokens: &mut Tokens) -> Option<Line> {
        let block = label_of(block).of(block).trim_ascii();
        let head = Head::read(block)?;
        let mut hashes = [0; HEAD_TOKENS];
        let hashes = head.tokens(&mut hashes);
        let head_words = head.n_words();
        let per_byte = 1.0 / head.n_read() as f32;
        let whole = hashes.iter().fold(0, |whole, token| followed_by(whole, *token));
        find_features(hashes, &head, whole, &mut tokens.features);
        let words = head_words * block.len() as f32 * per_byte;
        let ending = ending(&block[ceil_boundary(block, block.len().saturating_sub(TAIL_BYTES))..]);
        Some(Line {
            bytes: block.len() as f32,
            words,
            capitals: head.n_capitals() as f32 / head_words.max(1.0),
            digits: head.n_digits() as f32 * per_byte,
            ending,
            shape: shape(words, ending),
            starts_small: head.first().is_lowercase(),
            n_tokens: u8::try_from(hashes.len()).unwrap_or(u8::MAX),
            key: followed_by(followed_by(whole, u64::from(u32::from(head.first()))), block.len() as u64),
            ..Line::default()
        })
    }
}

fn shape(words: f32, ending: Ending) -> u8 {
    const LENGTHS: [f32; 9] = [1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 22.0, 40.0];
    let length: u8 = LENGTHS.iter().map(|length| u8::from(words >= *length)).sum();
    length * N_ENDINGS + ending as u8
}

/// One hash of two, in which their order matters.
fn followed_by(first: u64, second: u64) -> u64 {
    first.rotate_left(17) ^ second
}

fn find_features(tokens: &[u64], head: &Head, whole: u64, features: &mut Vec<u32>) {
    features.clear();
    let Some((&first, &last)) = tokens.first().zip(tokens.last()) else {
        features.push(feature(Kind::NoToken, u64::from(u32::from(head.first()))));
        return;
    };
    features.extend(tokens.iter().map(|token| feature(Kind::Unigram, *token)));
    features.extend(tokens.windows(2).map(|pair| feature(Kind::Bigram, followed_by(pair[0], pair[1]))));
    features.push(feature(Kind::First, first));
    if let [one, two, ..] = *tokens {
        features.push(feature(Kind::FirstTwo, followed_by(one, two)));
    }
    if head.is_whole() {
        features.push(feature(Kind::Last, last));
        if tokens.len() <= WHOLE_TOKENS {
            features.push(feature(Kind::Whole, whole));
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
    let head = Head::read(word.as_bytes())?;
    let mut hashes = [0; HEAD_TOKENS];
    head.tokens(&mut hashes).first().map(|token| feature(Kind::Unigram, *token))
}

/// Tokens are mixed already, so that little is left to do.
fn feature(kind: Kind, token: u64) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (token ^ FACTOR.wrapping_mul(kind as u64)).wrapping_mul(FACTOR);
    let [_, _, _, _, a, b, c, d] = mixed.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn ending(tail: &[u8]) -> Ending {
    let mut open = tail;
    loop {
        let last = match open.last() {
            // The ends of most lines, at once.
            Some(last) if last.is_ascii() => char::from(*last),
            _ => match last_character(open) {
                Some(last) => last,
                None => return Ending::Other,
            },
        };
        return match last {
            '"' | '\'' | ')' | ']' | '\u{bb}' | '\u{201d}' | '\u{2019}' | '\u{ff09}' | '\u{300d}' | '\u{300f}' => {
                open = &open[..open.len() - last.len_utf8()];
                continue;
            }
            'a'..='z' | 'A'..='Z' => Ending::Letter,
            '.' if open.ends_with(b"...") => Ending::Ellipsis,
            '\u{2026}' => Ending::Ellipsis,
            '.' | '!' | '?' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}' | '\u{61f}' | '\u{964}' => Ending::Sentence,
            ':' | '\u{ff1a}' => Ending::Colon,
            ',' | ';' | '\u{3001}' | '\u{ff0c}' | '\u{ff1b}' => Ending::Comma,
            last if last.is_numeric() => Ending::Digit,
            last if last.is_alphabetic() => Ending::Letter,
            _ => Ending::Other,
        };
    }
}

/// The last character, if the bytes end in one.
fn last_character(bytes: &[u8]) -> Option<char> {
    let start = (0..bytes.len()).rev().take(4).find(|at| is_boundary(bytes, *at))?;
    std::str::from_utf8(&bytes[start..]).ok()?.chars().next()
}

/// The first boundary of a character at or after `at`, if the bytes are UTF-8.
fn ceil_boundary(bytes: &[u8], at: usize) -> usize {
    (at..(at + 4).min(bytes.len())).find(|&at| is_boundary(bytes, at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_by_their_look() {
        let read = |line: &str| Line::look(line.as_bytes(), &mut Tokens::default()).unwrap_or_default();
        assert!(Line::look(b" \n", &mut Tokens::default()).is_none());
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
