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

/// A feature in the low half; in the bytes of the high half what it says: the weights for the line itself, the line after it
/// and the line before it, each 128 too high so that they can be added with no regard to signs, and flags.
#[derive(Clone, Copy, Debug, Default)]
struct Entry(u64);

const HAS_WEIGHTS: u32 = 1 << 24;
/// So far above the other that up to 31 features with weights can be counted beside function words.
const IS_FUNCTION_WORD: u32 = 1 << 29;
const FLAGS: u32 = HAS_WEIGHTS | IS_FUNCTION_WORD;
const BIAS: i32 = 128;

impl Entry {
    fn new(feature: u32, says: u32) -> Self {
        Entry(u64::from(says) << 32 | u64::from(feature))
    }

    fn feature(self) -> u32 {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn says(self) -> u32 {
        let [.., a, b, c, d] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// What it says if it is of this feature, and zero otherwise: by arithmetic, since a branch would be foretold wrongly.
    #[inline]
    fn if_of(self, feature: u32) -> u64 {
        let differs = u64::from(self.feature() ^ feature);
        self.0 >> 32 & differs.wrapping_sub(1) >> 32
    }
}

const BUCKETS: usize = 1 << 14;
const BUCKET: usize = 2;

/// A table of features, of a size that stays in the second-level cache.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    buckets: Box<[[Entry; BUCKET]; BUCKETS]>,
    unit: f32,
}

/// What at most 31 features say together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// The sums of the bytes of entries, each of 16 bits: of the first byte, the third, the second and the fourth.
    sums: u64,
}

impl Said {
    /// Adds what [`Words::get`] gave.
    #[inline]
    pub(crate) fn add(&mut self, says: u64) {
        self.sums += says & 0x00ff_00ff | (says & 0xff00_ff00) << 24;
    }

    fn lanes(self) -> [u16; 4] {
        let [a, b, c, d, e, f, g, h] = self.sums.to_le_bytes();
        [[a, b], [c, d], [e, f], [g, h]].map(u16::from_le_bytes)
    }

    /// The sums of weights: of the line itself, of the line after it, and of the line before it.
    pub(crate) fn sums(self) -> [i32; 3] {
        let [own, to_previous, to_next, _] = self.lanes();
        let bias = BIAS * i32::from(self.n_known());
        [own, to_next, to_previous].map(|sum| i32::from(sum) - bias)
    }

    /// How many features have weights.
    pub(crate) fn n_known(self) -> u16 {
        self.lanes()[3] & 31
    }

    /// How many are function words of some language.
    pub(crate) fn n_function_words(self) -> u16 {
        self.lanes()[3] >> 5
    }
}

impl Words {
    /// A table of features with their weights, each of which counts `unit`.
    pub(crate) fn new(weights: impl Iterator<Item = (u32, [i8; 3])>, unit: f32) -> Self {
        let mut words = Words { buckets: Box::new([[Entry::default(); BUCKET]; BUCKETS]), unit };
        for feature in function_words() {
            words.insert(feature, IS_FUNCTION_WORD);
        }
        for (feature, [own, to_next, to_previous]) in weights {
            let [own, to_next, to_previous] = [own, to_next, to_previous].map(biased);
            words.insert(feature, u32::from_le_bytes([own, to_next, to_previous, 0]) | HAS_WEIGHTS);
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
    pub(crate) fn get(&self, feature: u32) -> u64 {
        let [first, second] = self.buckets[feature as usize % BUCKETS];
        first.if_of(feature) | second.if_of(feature)
    }

    /// Adds to what is known of a feature, if there is room for it.
    fn insert(&mut self, feature: u32, says: u32) -> bool {
        let bucket = &mut self.buckets[feature as usize % BUCKETS];
        let entry = bucket.iter_mut().find(|entry| entry.feature() == feature || entry.says() & FLAGS == 0);
        if let Some(entry) = entry {
            *entry = Entry::new(feature, entry.says() | says);
            return true;
        }
        false
    }
}

fn biased(weight: i8) -> u8 {
    weight.cast_unsigned() ^ 0x80
}

fn function_words() -> impl Iterator<Item = u32> {
    let words = FUNCTION_WORDS.lines().filter_map(|line| line.split_once(':'));
    words.flat_map(|(_, words)| words.split_whitespace().filter_map(unigram))
}
