//! Symmetric trees: every node of a level asks the same question, so that a tree is six comparisons and a look-up, made for
//! many lines at a time.

use super::page::Columns;

/// How many questions a tree asks.
pub(crate) const DEPTH: usize = 6;
/// How many answers it has.
pub(crate) const LEAVES: usize = 1 << DEPTH;

/// A question: whether the value in a column is above a border.
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

impl Tree {
    /// Adds what the tree says of each row to `sums`. `leaves` is for reuse.
    pub(crate) fn add(&self, columns: &Columns, leaves: &mut Vec<u8>, sums: &mut [i32]) {
        self.find_leaves(columns, leaves);
        for (sum, &leaf) in sums.iter_mut().zip(&*leaves) {
            *sum += i32::from(self.leaves[usize::from(leaf)]);
        }
    }

    /// Puts the leaf of each row into `leaves`.
    pub(crate) fn find_leaves(&self, columns: &Columns, leaves: &mut Vec<u8>) {
        leaves.clear();
        leaves.resize(columns.n_rows(), 0);
        for (level, split) in self.splits.iter().enumerate() {
            for (leaf, value) in leaves.iter_mut().zip(columns.column(usize::from(split.column))) {
                *leaf |= u8::from(*value > split.border) << level;
            }
        }
    }
}
