//! Learning trees: gradient boosting of symmetric trees over columns of bytes, with a logistic loss.
//!
//! Each tree is learned on half of the rows and its questions from half of the columns, drawn anew, which keeps trees from
//! being alike (Friedman, 2002). What its leaves add comes from all rows.

use super::Random;
use crate::score::{DEPTH, LEAVES, Split, Tree, UNIT, logistic};

/// The rows to learn from, column by column.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Vec<u8>>,
    pub(super) is_chrome: Vec<bool>,
    /// How much each row counts.
    pub(super) weights: Vec<f32>,
}

const TREES: usize = 64;
/// How far each tree goes towards what its rows want.
const RATE: f64 = 0.2;
/// How strongly leaves are held near zero.
const PENALTY: f64 = 5.0;

/// Learns trees; gives them with what all sums begin at.
pub(super) fn learn(table: &Table, seed: u64) -> (i32, Vec<Tree>) {
    let n_rows = table.is_chrome.len();
    let mut random = Random::of(b"trees", seed);
    let weight_of = |chrome: bool| -> f64 {
        let rows = table.weights.iter().zip(&table.is_chrome).filter(|(_, is_chrome)| **is_chrome == chrome);
        rows.map(|(weight, _)| f64::from(*weight)).sum()
    };
    let base = (weight_of(true).max(1e-9) / weight_of(false).max(1e-9)).ln();
    let mut sums = vec![base; n_rows];
    let mut slopes = vec![Slope::default(); n_rows];
    let mut drawn = Vec::new();
    let mut trees = Vec::new();
    for _ in 0..TREES {
        drawn.clear();
        for row_idx in 0..n_rows {
            let chance = logistic(sums[row_idx]);
            let weight = f64::from(table.weights[row_idx]);
            let error = chance - f64::from(u8::from(table.is_chrome[row_idx]));
            slopes[row_idx] = Slope::new(weight * error, weight * chance * (1.0 - chance));
            if random.below(2) == 0 {
                drawn.push(Drawn { row_idx, slope: slopes[row_idx], leaf: 0 });
            }
        }
        let splits = grow(table, &mut drawn, &mut random);
        let leaf_of = |row_idx: usize| {
            let answers = splits.iter().enumerate().map(|(level, split)| {
                usize::from(table.columns[usize::from(split.column)][row_idx] > split.border) << level
            });
            answers.sum::<usize>()
        };
        let mut totals = [(0.0, 0.0); LEAVES];
        let leaf_of_rows: Vec<usize> = (0..n_rows).map(leaf_of).collect();
        for (slope, &leaf) in slopes.iter().zip(&leaf_of_rows) {
            totals[leaf].0 += f64::from(slope.first);
            totals[leaf].1 += f64::from(slope.second);
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is clamped to what fits")]
        let leaves = totals
            .map(|(first, second)| (-RATE * first / (second + PENALTY) / UNIT).round().clamp(-32767.0, 32767.0) as i16);
        for (sum, &leaf) in sums.iter_mut().zip(&leaf_of_rows) {
            *sum += f64::from(leaves[leaf]) * UNIT;
        }
        trees.push(Tree { splits, leaves });
    }
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a share is a small number")]
    let base = (base / UNIT).round() as i32;
    (base, trees)
}

/// The first and second derivative of the loss at a row.
#[derive(Clone, Copy, Debug, Default)]
struct Slope {
    first: f32,
    second: f32,
}

impl Slope {
    #[expect(clippy::cast_possible_truncation, reason = "the precision of f32 is enough for sums of many rows")]
    fn new(first: f64, second: f64) -> Self {
        Slope { first: first as f32, second: second as f32 }
    }
}

struct Drawn {
    row_idx: usize,
    slope: Slope,
    leaf: usize,
}

/// Values are below this.
const BORDERS: usize = 128;

/// Finds the questions of a tree, each the best for all leaves so far together.
fn grow(table: &Table, drawn: &mut [Drawn], random: &mut Random) -> [Split; DEPTH] {
    let mut splits = [Split { column: 0, border: 0 }; DEPTH];
    let mut sums = vec![Slope::default(); LEAVES / 2 * BORDERS];
    for (level, split) in splits.iter_mut().enumerate() {
        let n_leaves = 1 << level;
        let mut best = f64::NEG_INFINITY;
        for (number, column) in (0..).zip(&table.columns) {
            if !random.below(2) == 0 {
                continue;
            }
            let sums = &mut sums[..n_leaves * BORDERS];
            sums.fill(Slope::default());
            for row in &*drawn {
                let sum = &mut sums[row.leaf * BORDERS + usize::from(column[row.row_idx])];
                sum.first += row.slope.first;
                sum.second += row.slope.second;
            }
            let gains = gains(sums);
            for (border, gain) in (0_u8..).zip(gains).take(BORDERS - 1) {
                if gain > best {
                    best = gain;
                    *split = Split { column: number, border };
                }
            }
        }
        let column = &table.columns[usize::from(split.column)];
        for row in &mut *drawn {
            row.leaf |= usize::from(column[row.row_idx] > split.border) << level;
        }
    }
    splits
}

/// For each border, how much is gained by asking whether a value is above it, given the sums of each leaf's rows by value.
fn gains(sums: &[Slope]) -> [f64; BORDERS] {
    let mut gains = [0.0; BORDERS];
    for of_leaf in sums.chunks_exact(BORDERS) {
        let total = of_leaf
            .iter()
            .fold((0.0, 0.0), |(first, second), sum| (first + f64::from(sum.first), second + f64::from(sum.second)));
        let (mut first, mut second) = (0.0, 0.0);
        for (gain, sum) in gains.iter_mut().zip(of_leaf) {
            first += f64::from(sum.first);
            second += f64::from(sum.second);
            let (rest_first, rest_second) = (total.0 - first, total.1 - second);
            *gain += first * first / (second + PENALTY) + rest_first * rest_first / (rest_second.max(0.0) + PENALTY);
        }
    }
    gains
}
