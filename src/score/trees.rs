//! Symmetric trees: every node of a level asks the same question, so that a tree is six comparisons and a look-up, made for
//! many lines at a time.

use super::page::{Columns, STEP};

/// How many questions a tree asks.
pub(crate) const DEPTH: usize = 6;
/// How many answers it has.
pub(crate) const LEAVES: usize = 1 << DEPTH;

/// A question: whether the value in a column is above a border. Values are below 128, borders below 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) column: u8,
    pub(crate) border: u8,
}

/// A tree: six questions, and what each combination of answers adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) splits: [Split; DEPTH],
    /// In units of [`UNIT`].
    pub(crate) leaves: [i16; LEAVES],
}

/// What 1 in a leaf counts, in the logarithm of the odds.
pub(crate) const UNIT: f64 = 1.0 / 4096.0;

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const LOW_BITS: u64 = 0x0101_0101_0101_0101;

impl Tree {
    /// Adds what the tree says of each row to `sums`, which are as many as the columns' rows with those that pad them.
    /// `leaves` is for reuse.
    pub(crate) fn add(&self, columns: &Columns, leaves: &mut Vec<u64>, sums: &mut [i32]) {
        let [c0, c1, c2, c3, c4, c5] = self.splits.map(|split| columns.marked(usize::from(split.column)));
        // With its high bit set, a value less its border and one keeps that bit if it is above the border.
        let [b0, b1, b2, b3, b4, b5] = self.splits.map(|split| LOW_BITS * (u64::from(split.border) + 1));
        let is_above = |values: &[u8; STEP], borders: u64| (u64::from_le_bytes(*values) - borders) & HIGH_BITS;
        leaves.clear();
        let answers = c0.iter().zip(c1).zip(c2).zip(c3).zip(c4).zip(c5);
        leaves.extend(answers.map(|(((((v0, v1), v2), v3), v4), v5)| {
            is_above(v0, b0) >> 7
                | is_above(v1, b1) >> 6
                | is_above(v2, b2) >> 5
                | is_above(v3, b3) >> 4
                | is_above(v4, b4) >> 3
                | is_above(v5, b5) >> 2
        }));
        for (sums, leaves) in sums.as_chunks_mut::<STEP>().0.iter_mut().zip(&*leaves) {
            for (sum, leaf) in sums.iter_mut().zip(leaves.to_le_bytes()) {
                *sum += i32::from(self.leaves[usize::from(leaf) % LEAVES]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_rows_at_once_say_what_one_says() {
        let mut random = 12_345_u64;
        let mut draw = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let byte = |number: u64| u8::try_from(number).expect("it is below 128");
        for n_rows in [1, 7, 8, 9, 50] {
            let rows: Vec<[u8; 5]> = (0..n_rows)
                .map(|_| std::array::from_fn(|_| byte(if draw(2) == 0 { 126 + draw(2) } else { draw(128) })))
                .collect();
            let columns = Columns::of(&rows);
            let tree = Tree {
                splits: std::array::from_fn(|_| Split { column: byte(draw(5)), border: byte(draw(127)) }),
                leaves: std::array::from_fn(|leaf| i16::from(byte(leaf as u64)) * 100 - 3000),
            };
            let mut sums = vec![7; columns.n_steps() * STEP];
            tree.add(&columns, &mut Vec::new(), &mut sums);
            for (row, sum) in rows.iter().zip(sums) {
                let answers = tree.splits.iter().enumerate();
                let leaf: usize = answers
                    .map(|(level, split)| usize::from(row[usize::from(split.column)] > split.border) << level)
                    .sum();
                assert_eq!(sum, 7 + i32::from(tree.leaves[leaf]));
            }
        }
    }
}
