//! Which lines of a page are still in a cleaned text.

use super::words::Line;
use std::collections::{HashMap, HashSet};

/// Lines of at least so many words may be found by their words where they are not found whole.
const MIN_WORDS: usize = 5;
/// Words are found in runs of so many.
const GRAM: usize = 4;

/// Which elements of `from` a longest common subsequence with `to` takes, one for each of `from`.
///
/// Of several longest ones it is that which takes what both begin and then what both end with, and in between, from the end,
/// passes over each element of `from` without which the rest does as well, and then over each such one of `to`. That is what
/// the `rapidfuzz` library does, so that figures made with it can be compared with these. The time is that of `from.len() · to.len() / 64` steps (the bit-parallel algorithm of
/// Hyyrö, 2004), the memory `from.len() · √to.len() / 4` bytes.
///
/// ```
/// use dehusk::eval::matched;
///
/// assert_eq!(matched(&[1, 2, 3, 2, 4], &[1, 2, 4]), [true, true, false, false, true]);
/// ```
pub fn matched(from: &[u32], to: &[u32]) -> Vec<bool> {
    let mut is_matched = vec![false; from.len()];
    let n_first = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    let (from, to) = (&from[n_first..], &to[n_first..]);
    let n_last = from.iter().rev().zip(to.iter().rev()).take_while(|(one, other)| one == other).count();
    let (from, to) = (&from[..from.len() - n_last], &to[..to.len() - n_last]);
    is_matched[..n_first].fill(true);
    is_matched[n_first + from.len()..].fill(true);

    let mut rows = Rows::new(from, to);
    let (mut column, mut row) = (from.len(), to.len());
    while row > 0 && column > 0 {
        if !rows.rises(row, column) {
            column -= 1;
            continue;
        }
        row -= 1;
        if row == 0 || !rows.rises(row, column) {
            column -= 1;
            is_matched[n_first + column] = true;
        }
    }
    is_matched
}

/// The table of lengths of common subsequences of beginnings of `from` and `to`, a row for each beginning of `to`.
///
/// A row is a bit for each column: nought where the length is one more than in the column before. Only each √n-th row is
/// kept; those after it are made again when they are asked for, which is once, as rows are asked for in descending order.
struct Rows<'r> {
    to: &'r [u32],
    positions: HashMap<u32, Vec<usize>>,
    stride: usize,
    /// The rows before each stride.
    kept: Vec<Vec<u64>>,
    /// The rows of one stride, and which.
    block: Vec<Vec<u64>>,
    block_idx: Option<usize>,
    matches: Vec<u64>,
}

impl<'r> Rows<'r> {
    fn new(from: &[u32], to: &'r [u32]) -> Self {
        let mut positions: HashMap<u32, Vec<usize>> = HashMap::new();
        for (position, element) in from.iter().enumerate() {
            positions.entry(*element).or_default().push(position);
        }
        let n_blocks = from.len().div_ceil(64);
        let stride = to.len().isqrt().max(1);
        let mut rows = Rows {
            to,
            positions,
            stride,
            kept: Vec::new(),
            block: Vec::new(),
            block_idx: None,
            matches: vec![0; n_blocks],
        };
        let mut row = vec![u64::MAX; n_blocks];
        for (row_idx, element) in to.iter().enumerate() {
            if row_idx % stride == 0 {
                rows.kept.push(row.clone());
            }
            rows.step(*element, &mut row);
        }
        rows
    }

    /// Whether the length at a row and a column, both counted from 1, is more than in the column before.
    fn rises(&mut self, row: usize, column: usize) -> bool {
        let (block_idx, row_idx) = ((row - 1) / self.stride, (row - 1) % self.stride);
        if self.block_idx != Some(block_idx) {
            self.block_idx = Some(block_idx);
            self.block.clear();
            let mut row = self.kept[block_idx].clone();
            for element in self.to.iter().skip(block_idx * self.stride).take(self.stride) {
                self.step(*element, &mut row);
                self.block.push(row.clone());
            }
        }
        self.block[row_idx][(column - 1) / 64] >> ((column - 1) % 64) & 1 == 0
    }

    /// From one row to the next.
    fn step(&mut self, element: u32, row: &mut [u64]) {
        let Some(positions) = self.positions.get(&element) else { return };
        for position in positions {
            self.matches[position / 64] |= 1 << (position % 64);
        }
        let mut carry = false;
        for (bits, matches) in row.iter_mut().zip(&mut self.matches) {
            let hits = *bits & std::mem::take(matches);
            let (sum, carry_of_hits) = bits.overflowing_add(hits);
            let (sum, carry_of_carry) = sum.overflowing_add(u64::from(carry));
            carry = carry_of_hits || carry_of_carry;
            *bits = sum | (*bits - hits);
        }
    }
}

/// Which lines of a page stay in `left`, lines that have words: those that are aligned to one of `left`, and of the others
/// those of some length of which at least half lies in runs of words that `left` has too, as where words were cut out of a
/// line or lines were joined.
pub(super) fn kept(lines: &[Line], left: &[Line]) -> Vec<bool> {
    let keys = |lines: &[Line]| lines.iter().map(|line| line.key).collect::<Vec<u32>>();
    let left_keys = keys(left);
    let mut is_kept = matched(&keys(lines), &left_keys);
    let left_keys: HashSet<u32> = left_keys.into_iter().collect();
    let mut grams: Option<HashSet<[u32; GRAM]>> = None;
    for (line, is_kept) in lines.iter().zip(&mut is_kept) {
        // A line that is there as often as it can be aligned is not found a second time.
        if *is_kept || line.words.len() < MIN_WORDS || left_keys.contains(&line.key) {
            continue;
        }
        let grams = grams.get_or_insert_with(|| {
            let words: Vec<u32> = left.iter().flat_map(|line| line.words.iter().copied()).collect();
            grams_of(&words).collect()
        });
        let mut is_found = vec![false; line.words.len()];
        for (at, gram) in grams_of(&line.words).enumerate() {
            if grams.contains(&gram) {
                is_found[at..at + GRAM].fill(true);
            }
        }
        *is_kept = 2 * is_found.iter().filter(|is_found| **is_found).count() >= line.words.len();
    }
    is_kept
}

fn grams_of(words: &[u32]) -> impl Iterator<Item = [u32; GRAM]> {
    words.array_windows().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::words::Lexicon;

    #[test]
    fn of_equal_elements_those_are_taken_that_rapidfuzz_takes() {
        for (from, to, expected) in [
            ("", "", ""),
            ("aa", "", ".."),
            ("", "a", ""),
            ("abc", "abc", "aaa"),
            ("aa", "a", "a."),
            ("baab", "ab", "..aa"),
            ("xaya", "a", "...a"),
            ("xayaz", "a", ".a..."),
            ("abcbd", "bxd", ".a..a"),
            ("abcabba", "cbabac", ".a.aa.a"),
        ] {
            let elements = |text: &str| text.chars().map(u32::from).collect::<Vec<u32>>();
            let found: String = matched(&elements(from), &elements(to))
                .iter()
                .map(|is_matched| if *is_matched { 'a' } else { '.' })
                .collect();
            assert_eq!(found, expected, "{from} {to}");
        }
    }

    #[test]
    fn lines_are_found_whole_or_by_half_of_their_words() {
        for (page, left, expected) in [
            ("a b\nc d\n\ne", "c d\ne", vec![false, true, false, true]),
            // Four of eight words are left, then three.
            ("a b c d e f g h", "a b c d", vec![true]),
            ("a b c d e f g h i", "a b c d", vec![false]),
            ("a b c d e f g h", "a b c x", vec![false]),
            // Too short for that.
            ("a b c d", "a b c d e", vec![false]),
            // Lines that were joined.
            ("a b c d e\nf g h i j", "a b c d e f g h i j", vec![true, true]),
            // A copy that went is gone, though another one stays.
            ("a b c d e\na b c d e", "a b c d e", vec![true, false]),
        ] {
            let mut lexicon = Lexicon::default();
            let lines = lexicon.lines(page);
            let left: Vec<Line> = lexicon.lines(left);
            assert_eq!(kept(&lines, &left), expected, "{page:?} {left:?}");
        }
    }
}
