//! Learning the linear score: a logistic regression over the words of a line and of the lines beside it, and their shapes.
//!
//! The weights are found by L-BFGS (Liu and Nocedal, 1989), which needs no rate to be set and gives the same each time.

use crate::score::{N_SHAPES, ShapeWeights, Words, logistic};
use hashbrown::HashMap;

/// A line as the linear score learns from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) shape: usize,
    pub(super) is_chrome: bool,
    /// How much it counts.
    pub(super) weight: f64,
}

/// A document: some rows, each with some features.
#[derive(Debug)]
pub(super) struct Document<'d> {
    /// Documents of one site have one group.
    pub(super) group: usize,
    pub(super) rows: &'d [Row],
    pub(super) features: &'d [Vec<u32>],
}

/// What was learned.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    /// By ascending features.
    pub(super) words: Vec<(u32, [i8; 3])>,
    pub(super) word_unit: f32,
    pub(super) shapes: ShapeWeights,
    pub(super) bias: f32,
}

/// A feature is learned if so many sites have it.
const LEAST_SITES: u32 = 3;
/// So many features are kept.
const MOST_WORDS: usize = 16_000;
const STEPS: usize = 45;
/// How strongly weights are held near zero.
const WORD_PENALTY: f64 = 5.0;
const SHAPE_PENALTY: f64 = 0.5;

/// Learns from documents.
pub(super) fn learn(documents: &[Document<'_>]) -> Linear {
    let sites = count_sites(documents);
    let mut features: Vec<u32> =
        sites.iter().filter(|(_, n_sites)| **n_sites >= LEAST_SITES).map(|(feature, _)| *feature).collect();
    features.sort_unstable();
    let problem = Problem::new(documents, &features);
    let mut weights = vec![0.0; problem.n_weights()];
    minimise(&mut weights, STEPS, |weights, gradient| problem.loss(weights, gradient));
    pruned(&features, &sites, &weights)
}

/// For each feature, how many groups have it.
fn count_sites(documents: &[Document<'_>]) -> HashMap<u32, u32> {
    let mut pairs: Vec<(u32, usize)> = documents
        .iter()
        .flat_map(|document| document.features.iter().flatten().map(|feature| (*feature, document.group)))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut sites = HashMap::new();
    for (feature, _) in pairs {
        *sites.entry(feature).or_insert(0) += 1;
    }
    sites
}

/// Keeps the weights that matter most, as bytes.
fn pruned(features: &[u32], sites: &HashMap<u32, u32>, weights: &[f64]) -> Linear {
    let of_word = |idx: usize| [weights[idx * 3], weights[idx * 3 + 1], weights[idx * 3 + 2]];
    let size = |word: [f64; 3]| word.into_iter().fold(0.0, |size: f64, weight| size.max(weight.abs()));
    let mut order: Vec<usize> = (0..features.len()).collect();
    let matters = |idx: usize| size(of_word(idx)) * f64::from(sites[&features[idx]]).sqrt();
    order.sort_by(|first, second| matters(*second).total_cmp(&matters(*first)).then(first.cmp(second)));
    let kept = Words::keep(order.iter().map(|idx| features[*idx]), MOST_WORDS);
    order = kept.iter().filter_map(|feature| features.binary_search(feature).ok()).collect();
    order.sort_unstable();
    // All but one of two thousand weights fit the range; those beyond it are cut.
    let mut sizes: Vec<f64> = order.iter().flat_map(|idx| of_word(*idx)).map(f64::abs).collect();
    sizes.sort_by(f64::total_cmp);
    let largest = sizes.get(sizes.len() - (sizes.len() / 2000).max(1).min(sizes.len())).copied().unwrap_or(1.0);
    let unit = (largest / 127.0).max(1e-9);
    #[expect(clippy::cast_possible_truncation, reason = "it is clamped to what a byte holds")]
    let byte = |weight: f64| (weight / unit).round().clamp(-127.0, 127.0) as i8;
    let words = order.iter().map(|idx| (features[*idx], of_word(*idx).map(byte)));
    let words = words.filter(|(_, weights)| *weights != [0; 3]).collect();
    #[expect(clippy::cast_possible_truncation, reason = "weights are small numbers of few digits")]
    let single = |weight: f64| weight as f32;
    let mut shapes = [[0.0; N_SHAPES]; 3];
    let after_words = &weights[features.len() * 3..];
    for (weight, learned) in shapes.iter_mut().flatten().zip(after_words) {
        *weight = single(*learned);
    }
    Linear { words, word_unit: single(unit), shapes, bias: single(after_words[3 * N_SHAPES]) }
}

/// The loss and its gradient. Weights: three for each feature, then three times one for each shape, then the bias.
struct Problem {
    n_features: usize,
    rows: Vec<Row>,
    /// Whether a row is the first, and the last, of its document.
    is_first: Vec<bool>,
    is_last: Vec<bool>,
    /// The features of row `i` are `features[starts[i]..starts[i + 1]]`, each of value `values[i]`.
    starts: Vec<usize>,
    features: Vec<u32>,
    values: Vec<f64>,
}

impl Problem {
    fn new(documents: &[Document<'_>], features: &[u32]) -> Self {
        let ids: HashMap<u32, u32> = features.iter().copied().zip(0..).collect();
        let mut problem = Problem {
            n_features: features.len(),
            rows: Vec::new(),
            is_first: Vec::new(),
            is_last: Vec::new(),
            starts: vec![0],
            features: Vec::new(),
            values: Vec::new(),
        };
        for document in documents {
            for (row_idx, (row, of_row)) in document.rows.iter().zip(document.features).enumerate() {
                problem.rows.push(*row);
                problem.is_first.push(row_idx == 0);
                problem.is_last.push(row_idx + 1 == document.rows.len());
                problem.features.extend(of_row.iter().filter_map(|feature| ids.get(feature)));
                problem.starts.push(problem.features.len());
                problem.values.push(1.0 / (of_row.len().max(1) as f64).sqrt());
            }
        }
        problem
    }

    fn n_weights(&self) -> usize {
        self.n_features * 3 + N_SHAPES * 3 + 1
    }

    fn features_of(&self, row_idx: usize) -> &[u32] {
        &self.features[self.starts[row_idx]..self.starts[row_idx + 1]]
    }

    fn loss(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let n_rows = self.rows.len();
        let shapes_start = self.n_features * 3;
        // What each row says of itself, of the row after it, and of the row before it.
        let mut says = vec![[0.0; 3]; n_rows];
        for (row_idx, says) in says.iter_mut().enumerate() {
            for &feature in self.features_of(row_idx) {
                let at = feature as usize * 3;
                for (sum, weight) in says.iter_mut().zip(&weights[at..at + 3]) {
                    *sum += weight;
                }
            }
            for (to, sum) in says.iter_mut().enumerate() {
                *sum = *sum * self.values[row_idx] + weights[shapes_start + to * N_SHAPES + self.rows[row_idx].shape];
            }
        }
        let bias = weights[weights.len() - 1];
        let mut loss = 0.0;
        let mut errors = vec![0.0; n_rows];
        for row_idx in 0..n_rows {
            let mut sum = says[row_idx][0] + bias;
            if !self.is_first[row_idx] {
                sum += says[row_idx - 1][1];
            }
            if !self.is_last[row_idx] {
                sum += says[row_idx + 1][2];
            }
            let Row { is_chrome, weight, .. } = self.rows[row_idx];
            let chance = logistic(sum);
            let right = if is_chrome { chance } else { 1.0 - chance };
            loss -= weight * right.max(1e-12).ln();
            errors[row_idx] = weight * (chance - f64::from(u8::from(is_chrome)));
        }
        gradient.fill(0.0);
        for row_idx in 0..n_rows {
            let after = if self.is_last[row_idx] { 0.0 } else { errors[row_idx + 1] };
            let before = if self.is_first[row_idx] { 0.0 } else { errors[row_idx - 1] };
            let of_row = [errors[row_idx], after, before];
            for &feature in self.features_of(row_idx) {
                let at = feature as usize * 3;
                for (slope, error) in gradient[at..at + 3].iter_mut().zip(of_row) {
                    *slope += error * self.values[row_idx];
                }
            }
            for (to, error) in of_row.into_iter().enumerate() {
                gradient[shapes_start + to * N_SHAPES + self.rows[row_idx].shape] += error;
            }
        }
        gradient[weights.len() - 1] = errors.iter().sum();
        for (weight_idx, weight) in weights[..weights.len() - 1].iter().enumerate() {
            let penalty = if weight_idx < shapes_start { WORD_PENALTY } else { SHAPE_PENALTY };
            gradient[weight_idx] += penalty * weight;
            loss += penalty / 2.0 * weight * weight;
        }
        loss
    }
}

/// How many steps back L-BFGS remembers.
const MEMORY: usize = 6;

/// Minimises `loss`, which also gives its gradient, from `at` on.
fn minimise(at: &mut [f64], n_steps: usize, loss: impl Fn(&[f64], &mut [f64]) -> f64) {
    let mut gradient = vec![0.0; at.len()];
    let mut value = loss(at, &mut gradient);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for _ in 0..n_steps {
        let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
        let mut shares = vec![0.0; memory.len()];
        for (share, (moved, bent, inverse)) in shares.iter_mut().zip(&memory).rev() {
            *share = inverse * dot(moved, &direction);
            add(&mut direction, -*share, bent);
        }
        match memory.last() {
            Some((moved, bent, _)) => scale(&mut direction, dot(moved, bent) / dot(bent, bent)),
            None => scale(&mut direction, 1.0 / dot(&gradient, &gradient).sqrt().max(1e-12)),
        }
        for (share, (moved, bent, inverse)) in shares.iter().zip(&memory) {
            let back = inverse * dot(bent, &direction);
            add(&mut direction, share - back, moved);
        }
        let slope = dot(&gradient, &direction);
        let (mut length, mut next, mut next_gradient) = (1.0, at.to_vec(), vec![0.0; at.len()]);
        let mut next_value;
        let mut tries = 0;
        loop {
            next.copy_from_slice(at);
            add(&mut next, length, &direction);
            next_value = loss(&next, &mut next_gradient);
            tries += 1;
            if next_value <= value + 1e-4 * length * slope || tries == 20 {
                break;
            }
            length *= 0.5;
        }
        if next_value >= value {
            return;
        }
        let moved: Vec<f64> = next.iter().zip(&*at).map(|(next, at)| next - at).collect();
        let bent: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(next, now)| next - now).collect();
        let product = dot(&moved, &bent);
        at.copy_from_slice(&next);
        (value, gradient) = (next_value, next_gradient);
        if product > 1e-12 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((moved, bent, 1.0 / product));
        }
    }
}

fn dot(first: &[f64], second: &[f64]) -> f64 {
    first.iter().zip(second).map(|(first, second)| first * second).sum()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += times * what;
    }
}

fn scale(vector: &mut [f64], times: f64) {
    for value in vector {
        *value *= times;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_of_a_bowl_is_found() {
        let centre = [3.0, -1.0, 0.5];
        let mut at = [0.0; 3];
        minimise(&mut at, 30, |at, gradient| {
            let mut loss = 0.0;
            for (idx, (at, centre)) in at.iter().zip(centre).enumerate() {
                let steepness = 1.0 + 10.0 * idx as f64;
                loss += steepness * (at - centre) * (at - centre);
                gradient[idx] = 2.0 * steepness * (at - centre);
            }
            loss
        });
        for (at, centre) in at.iter().zip(centre) {
            assert!((at - centre).abs() < 1e-6, "{at} is not {centre}");
        }
    }
}
