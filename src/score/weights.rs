//! The weights of the score as a file: what was learned, from what, and a checksum.
//!
//! ```text
//! dehusk line score 3
//! {"about":{…},"n_words":…,"n_trees":…,…}
//! words     a feature (4 bytes) and three weights (1 byte each), by ascending features
//! shapes    three times a number (4 bytes) for each shape
//! trees     six columns and six borders (1 byte each), 64 leaves (2 bytes each)
//! pages     the fingerprints (4 bytes) of the pages that it was learned from, ascending
//! checksum  BLAKE3 of all before it
//! ```
//! Numbers are little-endian.

use super::line::N_SHAPES;
use super::page::{N_COLUMNS, ShapeWeights};
use super::trees::{DEPTH, LEAVES, Split, Tree};
use super::{Level, Score};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The version of the format, of the features and of the columns: weights of another version cannot be used.
pub const WEIGHTS_VERSION: u32 = 3;

const MAGIC: &str = "dehusk line score ";

/// What weights were learned from and how, for those who read the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct About {
    /// The version of dehusk that learned them.
    pub dehusk: String,
    /// What drew the random numbers.
    pub seed: u64,
    /// BLAKE3 of the pages, whatever their order.
    pub data: String,
    /// How many pages.
    pub pages: usize,
    /// How many lines, those of made-up documents with them.
    pub lines: usize,
}

/// The least score that a line goes for, by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Thresholds {
    pub(crate) safe: Score,
    pub(crate) balanced: Score,
    pub(crate) strict: Score,
}

impl Thresholds {
    pub(crate) fn of(&self, level: Level) -> Option<Score> {
        match level {
            Level::Rules => None,
            Level::Safe => Some(self.safe),
            Level::Balanced => Some(self.balanced),
            Level::Strict => Some(self.strict),
        }
    }
}

/// All that was learned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub(crate) about: About,
    pub(crate) thresholds: Thresholds,
    pub(crate) words: Vec<(u32, [i8; 3])>,
    pub(crate) word_unit: f32,
    pub(crate) shapes: ShapeWeights,
    pub(crate) bias: f32,
    pub(crate) base: i32,
    pub(crate) trees: Vec<Tree>,
    pub(crate) pages: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Head {
    about: About,
    thresholds: Thresholds,
    n_words: usize,
    n_trees: usize,
    n_pages: usize,
    word_unit: f32,
    bias: f32,
    base: i32,
}

impl Weights {
    /// The file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let head = Head {
            about: self.about.clone(),
            thresholds: self.thresholds,
            n_words: self.words.len(),
            n_trees: self.trees.len(),
            n_pages: self.pages.len(),
            word_unit: self.word_unit,
            bias: self.bias,
            base: self.base,
        };
        let mut bytes = format!("{MAGIC}{WEIGHTS_VERSION}\n").into_bytes();
        serde_json::to_writer(&mut bytes, &head).expect("a head has only strings and numbers");
        bytes.push(b'\n');
        for (feature, weights) in &self.words {
            bytes.extend(feature.to_le_bytes());
            bytes.extend(weights.iter().flat_map(|weight| weight.to_le_bytes()));
        }
        bytes.extend(self.shapes.iter().flatten().flat_map(|weight| weight.to_le_bytes()));
        for tree in &self.trees {
            bytes.extend(tree.splits.iter().map(|split| split.column));
            bytes.extend(tree.splits.iter().map(|split| split.border));
            bytes.extend(tree.leaves.iter().flat_map(|leaf| leaf.to_le_bytes()));
        }
        bytes.extend(self.pages.iter().flat_map(|page| page.to_le_bytes()));
        let checksum = blake3::hash(&bytes);
        bytes.extend(checksum.as_bytes());
        bytes
    }

    /// Reads a file; `origin` names it in messages.
    ///
    /// # Errors
    ///
    /// When it is no file of weights, is of another version, or is damaged; see [`Error::is_config`].
    pub(crate) fn parse(origin: &str, bytes: &[u8]) -> Result<Self> {
        let fails = |what: &str| Error::config(origin, what);
        let damaged = || fails("the weights are damaged; get the file again");
        let text = bytes
            .strip_prefix(MAGIC.as_bytes())
            .ok_or_else(|| fails("no weights of the line score; make them with \"dehusk train\""))?;
        let version_end = memchr::memchr(b'\n', text).ok_or_else(damaged)?;
        let (version, text) = text.split_at(version_end);
        if version != WEIGHTS_VERSION.to_string().as_bytes() {
            let version = String::from_utf8_lossy(version);
            let what = format!("weights of version {version}, where {WEIGHTS_VERSION} is wanted; train them again");
            return Err(fails(&what));
        }
        let (body, checksum) = bytes.split_last_chunk::<{ blake3::OUT_LEN }>().ok_or_else(damaged)?;
        if blake3::hash(body) != blake3::Hash::from_bytes(*checksum) {
            return Err(damaged());
        }
        let text = &text[1..text.len().checked_sub(checksum.len()).ok_or_else(damaged)?.max(1)];
        let head_end = memchr::memchr(b'\n', text).ok_or_else(damaged)?;
        let head: Head = serde_json::from_slice(&text[..head_end]).map_err(|_| damaged())?;
        let mut numbers = Numbers { bytes: &text[head_end + 1..] };
        let weights = numbers.weights(head).ok_or_else(damaged)?;
        if numbers.bytes.is_empty() { Ok(weights) } else { Err(damaged()) }
    }
}

/// Reads numbers, as long as there are bytes.
struct Numbers<'b> {
    bytes: &'b [u8],
}

impl Numbers<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*taken)
    }

    fn weights(&mut self, head: Head) -> Option<Weights> {
        let mut words = Vec::new();
        for _ in 0..head.n_words {
            words.push((u32::from_le_bytes(self.take()?), self.take::<3>()?.map(|byte| i8::from_le_bytes([byte]))));
        }
        let mut shapes = [[0.0; N_SHAPES]; 3];
        for weight in shapes.iter_mut().flatten() {
            *weight = f32::from_le_bytes(self.take()?);
        }
        let mut trees = Vec::new();
        for _ in 0..head.n_trees {
            let (columns, borders) = (self.take::<DEPTH>()?, self.take::<DEPTH>()?);
            let mut tree = Tree { splits: [Split { column: 0, border: 0 }; DEPTH], leaves: [0; LEAVES] };
            for (split, (column, border)) in tree.splits.iter_mut().zip(columns.into_iter().zip(borders)) {
                if usize::from(column) >= N_COLUMNS || border >= 127 {
                    return None;
                }
                *split = Split { column, border };
            }
            for leaf in &mut tree.leaves {
                *leaf = i16::from_le_bytes(self.take()?);
            }
            trees.push(tree);
        }
        let mut pages = Vec::new();
        for _ in 0..head.n_pages {
            pages.push(u32::from_le_bytes(self.take()?));
        }
        let Head { about, thresholds, word_unit, bias, base, .. } = head;
        Some(Weights { about, thresholds, words, word_unit, shapes, bias, base, trees, pages })
    }
}
