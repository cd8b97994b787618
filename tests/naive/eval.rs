//! Which elements a longest common subsequence takes, by the whole table of lengths.

use crate::tries;
use dehusk::eval::matched;
use proptest::prelude::*;

/// As the documentation has it: what both begin with, what both end with, and then from the end, where an element of `from`
/// is passed over if the rest does as well without it, and of `to` likewise.
fn matched_slowly(from: &[u32], to: &[u32]) -> Vec<bool> {
    if let ([first, from @ ..], [other, to @ ..]) = (from, to)
        && first == other
    {
        return [vec![true], matched_slowly(from, to)].concat();
    }
    between(from, to)
}

fn between(from: &[u32], to: &[u32]) -> Vec<bool> {
    if let ([from @ .., last], [to @ .., other]) = (from, to)
        && last == other
    {
        return [between(from, to), vec![true]].concat();
    }
    let lengths = lengths(from, to);
    let mut is_matched = vec![false; from.len()];
    let (mut row, mut column) = (to.len(), from.len());
    while row > 0 && column > 0 {
        if lengths[row][column] == lengths[row][column - 1] {
            column -= 1;
        } else if lengths[row][column] == lengths[row - 1][column] {
            row -= 1;
        } else {
            (row, column) = (row - 1, column - 1);
            assert_eq!(from[column], to[row]);
            is_matched[column] = true;
        }
    }
    is_matched
}

/// For each number of elements of `to` and of `from`, how long the longest common subsequence of so many first ones is.
fn lengths(from: &[u32], to: &[u32]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; from.len() + 1]; to.len() + 1];
    for (row, element) in to.iter().enumerate() {
        for (column, other) in from.iter().enumerate() {
            lengths[row + 1][column + 1] = if element == other {
                lengths[row][column] + 1
            } else {
                lengths[row][column + 1].max(lengths[row + 1][column])
            };
        }
    }
    lengths
}

/// Elements of few kinds, so that there are several longest subsequences; `to` is often what is left of `from`.
fn pair() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    let elements = |n_kinds: u32| prop::collection::vec(0..n_kinds, 0..200);
    (1_u32..40).prop_flat_map(move |n_kinds| {
        let any_two = (elements(n_kinds), elements(n_kinds));
        let left = elements(n_kinds).prop_flat_map(|from| {
            let left = prop::sample::subsequence(from.clone(), 0..=from.len());
            (Just(from), left)
        });
        prop_oneof![any_two, left]
    })
}

proptest! {
    #![proptest_config(tries(2000))]

    #[test]
    fn a_longest_common_subsequence_takes_the_same_elements((from, to) in pair()) {
        prop_assert_eq!(matched(&from, &to), matched_slowly(&from, &to));
    }
}
