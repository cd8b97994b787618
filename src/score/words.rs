//! What words say: a table from the features of a line to their weights.
//!
//! ```text
//! feature ── low bits ──▶ bucket: [feature 4 | weights 3 | flags 1] [feature 4 | weights 3 | flags 1]
//! ```
//! A bucket is 16 bytes and is looked at as a whole, without a branch: whether a word is known cannot be foretold. What finds
//! its bucket full is left out, so [`Words::keep`] is asked which words those are before they are written to a file.

use super::line::unigram;

/// The function words of many languages, a line each.
const FUNCTION_WORDS: &str = include_str!("function-words.txt");

/// A feature, and what it says in the bytes of a number: the weights for the line itself, the line after it and the line
/// before it, and flags.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    feature: u32,
    says: u32,
}

const HAS_WEIGHTS: u32 = 1 << 24;
const IS_FUNCTION_WORD: u32 = 2 << 24;
const FLAGS: u32 = HAS_WEIGHTS | IS_FUNCTION_WORD;

const BUCKETS: usize = 1 << 14;
const BUCKET: usize = 2;

/// A table of features, of a size that stays in the second-level cache.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    buckets: Box<[[Entry; BUCKET]]>,
    unit: f32,
}

/// What some features say together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// Of the line itself, of the line after it, and of the line before it.
    pub(crate) sums: [i32; 3],
    /// How many features have weights.
    pub(crate) n_known: u32,
    /// How many are function words of some language.
    pub(crate) n_function_words: u32,
}

impl Said {
    /// Adds what [`Words::get`] gave.
    #[inline]
    pub(crate) fn add(&mut self, says: u32) {
        let [own, to_next, to_previous, _] = says.to_le_bytes();
        for (sum, weight) in self.sums.iter_mut().zip([own, to_next, to_previous]) {
            *sum += i32::from(i8::from_le_bytes([weight]));
        }
        self.n_known += says >> 24 & 1;
        self.n_function_words += says >> 25 & 1;
    }
}

impl Words {
    /// A table of features with their weights, each of which counts `unit`.
    pub(crate) fn new(weights: impl Iterator<Item = (u32, [i8; 3])>, unit: f32) -> Self {
        let mut words = Words { buckets: vec![[Entry::default(); BUCKET]; BUCKETS].into_boxed_slice(), unit };
        for feature in function_words() {
            words.insert(feature, IS_FUNCTION_WORD);
        }
        for (feature, [own, to_next, to_previous]) in weights {
            let bytes = [own, to_next, to_previous, 0].map(|weight| weight.to_le_bytes()[0]);
            words.insert(feature, u32::from_le_bytes(bytes) | HAS_WEIGHTS);
        }
        words
    }

    /// Those of some features, in the order in which they matter, that the table has room for, at most so many.
    pub(crate) fn keep(features: impl Iterator<Item = u32>, most: usize) -> Vec<u32> {
        let mut words = Words::new(std::iter::empty(), 1.0);
        features.filter(|feature| words.insert(*feature, HAS_WEIGHTS)).take(most).collect()
    }

    /// What a weight of 1 counts.
    pub(crate) fn unit(&self) -> f32 {
        self.unit
    }

    /// What a feature says, for [`Said::add`]; zero if it is not known.
    #[inline]
    pub(crate) fn get(&self, feature: u32) -> u32 {
        let [first, second] = self.buckets[feature as usize % BUCKETS];
        let if_equal = |entry: Entry| if entry.feature == feature { entry.says } else { 0 };
        if_equal(first) | if_equal(second)
    }

    /// Adds to what is known of a feature, if there is room for it.
    fn insert(&mut self, feature: u32, says: u32) -> bool {
        let bucket = &mut self.buckets[feature as usize % BUCKETS];
        let entry = bucket.iter_mut().find(|entry| entry.feature == feature || entry.says & FLAGS == 0);
        if let Some(entry) = entry {
            *entry = Entry { feature, says: entry.says | says };
            return true;
        }
        false
    }
}

fn function_words() -> impl Iterator<Item = u32> {
    let words = FUNCTION_WORDS.lines().filter_map(|line| line.split_once(':'));
    words.flat_map(|(_, words)| words.split_whitespace().filter_map(unigram))
}
