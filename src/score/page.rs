//! A page as the score sees it: for each line, what it and its neighbours and the page look like, in columns of small numbers.
//!
//! ```text
//! lines ──▶ s, the linear score of each ──▶ means of s in windows, the stretch of lowest s, quantiles ──┐
//!       └─▶ prose: lines that read like text ──▶ distances, shares before and after, sums ──────────────┴─▶ columns
//! ```
//! A value becomes a small number by a fixed transform that is part of its column, so that nothing is to be looked up.

use super::line::{Ending, Line, N_ENDINGS};

/// What the linear score adds for a line's shape: for the line itself, the line after it, and the line before it.
pub(crate) type ShapeWeights = [[f32; N_SHAPES]; 3];

/// How many shapes of lines are told apart: ten classes of length and the kinds of endings.
pub(crate) const N_SHAPES: usize = 10 * N_ENDINGS;

/// The shape of a line, below [`N_SHAPES`].
pub(crate) fn shape(line: &Line) -> usize {
    const LENGTHS: [f32; 9] = [1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 22.0, 40.0];
    LENGTHS.iter().filter(|length| line.words >= **length).count() * N_ENDINGS + line.ending as usize
}

/// So many rows are worked on at once, and the number of rows is rounded up to a multiple of it.
pub(crate) const STEP: usize = 8;

/// A table of small numbers below 128, column by column, eight rows in a word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    values: Vec<u64>,
    n_rows: usize,
}

impl Columns {
    /// How many steps a column has.
    pub(crate) fn n_steps(&self) -> usize {
        self.n_rows.div_ceil(STEP)
    }

    /// The values of a column, the first row in the lowest byte.
    pub(crate) fn column(&self, column: usize) -> &[u64] {
        &self.values[column * self.n_steps()..][..self.n_steps()]
    }

    /// The values of a column, one by one.
    pub(crate) fn column_values(&self, column: usize) -> impl Iterator<Item = u8> {
        self.column(column).iter().flat_map(|step| step.to_le_bytes()).take(self.n_rows)
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.values.len().checked_div(self.n_steps()).unwrap_or(0)
    }

    /// Columns of some rows.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(rows: &[[u8; N]]) -> Self {
        let mut columns = Columns { values: Vec::new(), n_rows: rows.len() };
        for column in 0..N {
            columns.push(rows.iter().map(|row| f32::from(row[column]) * 2.0));
        }
        columns
    }

    fn clear(&mut self, n_rows: usize) {
        self.values.clear();
        self.n_rows = n_rows;
    }

    /// Adds a column of values from 0 to 255, which are halved.
    fn push(&mut self, mut values: impl Iterator<Item = f32>) {
        for _ in 0..self.n_steps() {
            let mut step = [0; STEP];
            for (cell, value) in step.iter_mut().zip(&mut values) {
                *cell = to_small(value);
            }
            self.values.push(u64::from_le_bytes(step));
        }
    }

    /// Adds a column of one value.
    fn push_all(&mut self, value: f32) {
        let step = u64::from_le_bytes([to_small(value); STEP]);
        self.values.resize(self.values.len() + self.n_steps(), step);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to what a byte holds")]
fn to_small(value: f32) -> u8 {
    (value * 0.5).clamp(0.0, 127.0) as u8
}

/// How many columns a page has.
pub(crate) const N_COLUMNS: usize = 63;

/// A page, for reuse.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Its lines that are not blank.
    pub(crate) lines: Vec<Line>,
    /// The linear score of each.
    pub(crate) linear: Vec<f32>,
    pub(crate) columns: Columns,
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Scratch {
    /// For each line, 60 words of prose at most.
    prose: Vec<f32>,
    linear_sums: Vec<f32>,
    prose_sums: Vec<f32>,
    strong_sums: Vec<f32>,
    values: Vec<f32>,
    other: Vec<f32>,
    keys: Vec<(u64, usize)>,
    repeats: Vec<f32>,
}

const LINEAR_LIMIT: f32 = 6.0;

fn is_sentence(line: &Line) -> bool {
    matches!(line.ending, Ending::Ellipsis | Ending::Sentence)
}

fn is_prose(line: &Line) -> bool {
    line.words >= 22.0 || (line.words >= 12.0 && is_sentence(line))
}

fn is_long(line: &Line) -> bool {
    line.words >= 20.0 && is_sentence(line)
}

fn is_short(line: &Line) -> bool {
    line.words <= 5.0 && !is_sentence(line)
}

/// Whether the words of a line and its neighbours say that it is chrome.
fn is_strong(lines: &[Line], idx: usize) -> bool {
    let before = idx.checked_sub(1).map_or(0.0, |before| lines[before].to_next);
    let after = lines.get(idx + 1).map_or(0.0, |after| after.to_previous);
    lines[idx].own + before + after > 1.5
}

impl Page {
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Computes the linear score of all lines.
    pub(crate) fn score_linearly(&mut self, shapes: &ShapeWeights, bias: f32) {
        let of_shape = |line: &Line, to: usize| shapes[to][shape(line)];
        self.linear.clear();
        for (idx, line) in self.lines.iter().enumerate() {
            let mut sum = line.own + of_shape(line, 0) + bias;
            if let Some(before) = idx.checked_sub(1).map(|before| &self.lines[before]) {
                sum += before.to_next + of_shape(before, 1);
            }
            if let Some(after) = self.lines.get(idx + 1) {
                sum += after.to_previous + of_shape(after, 2);
            }
            self.linear.push(sum.clamp(-LINEAR_LIMIT, LINEAR_LIMIT));
        }
    }

    /// Computes all columns, given the linear score of the lines and the weights that it was computed with.
    pub(crate) fn find_columns(&mut self, shapes: &ShapeWeights, bias: f32) {
        let Page { lines, linear, columns, scratch } = self;
        let n_lines = lines.len();
        columns.clear(n_lines);
        if n_lines == 0 {
            return;
        }
        let Scratch { prose, linear_sums, prose_sums, strong_sums, values, other, keys, repeats } = scratch;
        prose.clear();
        prose.extend(lines.iter().map(|line| if is_prose(line) { line.words.min(60.0) } else { 0.0 }));
        sum_up(linear.iter().copied(), linear_sums);
        sum_up(prose.iter().copied(), prose_sums);
        sum_up((0..n_lines).map(|idx| f32::from(u8::from(is_strong(lines, idx)))), strong_sums);
        let n = n_lines as f32;
        let mean = |sums: &[f32]| sums[n_lines] / n;
        let share = |count: usize| count as f32 / n;
        let count = |holds: &dyn Fn(usize) -> bool| share((0..n_lines).filter(|idx| holds(*idx)).count());

        // The line itself, by its linear score.
        columns.push(linear.iter().map(|s| (s + 6.0) * 21.0));
        columns.push(lines.iter().map(|line| (line.own + shapes[0][shape(line)] + bias + 6.0) * 21.0));
        columns.push(lines.iter().map(|line| (line.own + 6.0) * 21.0));
        columns.push(std::iter::once(-7.0).chain(linear.iter().copied()).map(|s| (s + 6.2) * 20.0));
        columns.push(linear[1..].iter().copied().chain([-7.0]).map(|s| (s + 6.2) * 20.0));
        // The linear score around it.
        for (reach, offset, scale) in [(2, 4.0, 32.0), (5, 3.0, 42.0), (10, 3.0, 42.0), (25, 3.0, 42.0)] {
            columns.push((0..n_lines).map(|idx| (window(linear_sums, idx, reach, reach) + offset) * scale));
        }
        columns.push((0..n_lines).map(|idx| (before(linear_sums, idx, 5) + 4.0) * 32.0));
        columns.push((0..n_lines).map(|idx| (after(linear_sums, idx, 5) + 4.0) * 32.0));
        columns.push((0..n_lines).map(|idx| (before(linear_sums, idx, 20) + 3.0) * 42.0));
        columns.push((0..n_lines).map(|idx| (after(linear_sums, idx, 20) + 3.0) * 42.0));
        // Prose around it.
        for reach in [2, 10, 25] {
            columns.push((0..n_lines).map(|idx| window(prose_sums, idx, reach, reach) * 4.2));
        }
        let all_prose = prose_sums[n_lines];
        columns.push((0..n_lines).map(|idx| prose_sums[idx] / all_prose.max(1.0) * 255.0));
        columns.push((0..n_lines).map(|idx| (1.0 - prose_sums[idx + 1] / all_prose.max(1.0)) * 255.0));
        columns.push((0..n_lines).map(|idx| prose_sums[idx].sqrt() * 4.0));
        // The stretch of lines that are least like chrome.
        let body = likely_body(lines, linear);
        let from_body = |idx: usize| match &body {
            Some(body) if idx < body.start => -((body.start - idx) as f32),
            Some(body) if idx >= body.end => (idx - body.end + 1) as f32,
            Some(_) => 0.0,
            None => 100.0,
        };
        columns.push((0..n_lines).map(|idx| (from_body(idx) + 100.0) * 1.25));
        // The longest lines before and after.
        longest_before(lines.iter(), values);
        columns.push(values.iter().map(|words| words.sqrt() * 12.0));
        longest_before(lines.iter().rev(), values);
        columns.push(values.iter().rev().map(|words| words.sqrt() * 12.0));
        // How far the next lines are that are sure to be text, or sure to be chrome.
        distances(n_lines, |idx| is_long(&lines[idx]), values, other);
        columns.push(values.iter().map(|distance| distance * 2.5));
        columns.push(other.iter().rev().map(|distance| distance * 2.5));
        distances(n_lines, |idx| strong_sums[idx + 1] > strong_sums[idx], values, other);
        columns.push(values.iter().map(|distance| distance * 2.5));
        columns.push(other.iter().rev().map(|distance| distance * 2.5));
        columns.push(strong_sums.iter().map(|sum| sum * 6.0));
        columns.push(strong_sums[1..].iter().map(|sum| (strong_sums[n_lines] - sum) * 6.0));
        // Repeats within the page.
        count_repeats(lines, keys, repeats);
        columns.push(repeats.iter().map(|count| count * 16.0));
        // The line's own look.
        let all_words: f32 = lines.iter().map(|line| line.words).sum();
        columns.push(lines.iter().map(|line| line.words.sqrt() * 12.0));
        columns.push(lines.iter().map(|line| line.words / (all_words / n).max(1.0) * 32.0));
        columns.push(lines.iter().map(|line| line.bytes.sqrt() * 5.0));
        columns.push(lines.iter().map(|line| f32::from(line.ending as u8) * 32.0));
        columns.push(lines.iter().map(|line| line.capitals * 200.0));
        let capitals = |line: Option<&Line>| line.map_or(0.0, |line| 10.0 + line.capitals * 200.0);
        columns.push((0..n_lines).map(|idx| capitals(idx.checked_sub(1).map(|before| &lines[before]))));
        columns.push((0..n_lines).map(|idx| capitals(lines.get(idx + 1))));
        columns.push(lines.iter().map(|line| line.function_words * 255.0));
        columns.push(lines.iter().map(|line| line.digits * 255.0));
        run_lengths(lines, values);
        columns.push(values.iter().map(|length| length * 4.0));
        columns.push((0..n_lines).map(|idx| (idx as f32).sqrt() * 8.0));
        columns.push((0..n_lines).map(|idx| idx as f32 / (n - 1.0).max(1.0) * 255.0));
        // The page.
        let prose_lines = || (0..n_lines).filter(|idx| is_prose(&lines[*idx]));
        let words_of = |holds: &dyn Fn(&Line) -> bool| -> f32 {
            lines.iter().filter(|line| holds(line)).map(|line| line.words).sum::<f32>() / all_words.max(1.0)
        };
        let read: f32 = lines.iter().map(|line| line.words.min(60.0)).sum();
        let function_words: f32 = lines.iter().map(|line| line.function_words * line.words.min(60.0)).sum();
        columns.push_all(n.sqrt() * 8.0);
        columns.push_all(lines.iter().map(|line| line.capitals).sum::<f32>() / n * 255.0);
        columns.push_all(lines.iter().map(|line| line.digits).sum::<f32>() / n * 510.0);
        columns.push_all(lines.iter().map(|line| line.code).sum::<f32>() / n * 2550.0);
        columns.push_all((mean(linear_sums) + 3.0) * 42.0);
        columns.push_all((quantile(linear.iter().copied(), 0.9, values) + 6.0) * 21.0);
        let tall = quantile(lines.iter().map(|line| line.bytes), 0.95, values);
        columns.push_all(tall.sqrt() * 4.0);
        columns.push_all(lines.iter().map(|line| line.bytes).fold(0.0, f32::max).sqrt() * 3.0);
        columns.push_all(all_prose.sqrt() * 3.0);
        columns.push_all(words_of(&is_long) * 255.0);
        columns.push_all(words_of(&is_prose) * 255.0);
        columns.push_all(body.map_or(0.0, |body| share(body.len())) * 255.0);
        columns.push_all(function_words / read.max(1.0) * 400.0);
        columns.push_all(lines.iter().map(|line| line.known).sum::<f32>() / n * 255.0);
        columns.push_all(count(&|idx| repeats[idx] > 1.0) * 255.0);
        columns.push_all(count(&|idx| lines[idx].words <= 4.0) * 255.0);
        columns.push_all(count(&|idx| is_sentence(&lines[idx])) * 255.0);
        columns.push_all(count(&|idx| linear[idx] < 0.0) * 255.0);
        columns.push_all(mean(strong_sums) * 255.0);
        columns.push_all(count(&|idx| (0.75 * tall..=1.05 * tall).contains(&lines[idx].bytes)) * 255.0);
        let goes_on = |idx: usize| lines[idx].starts_small && (idx == 0 || !is_sentence(&lines[idx - 1]));
        columns.push_all(count(&goes_on) * 255.0);
        let n_prose = prose_lines().count();
        let of_prose: f32 = prose_lines().map(|idx| linear[idx]).sum();
        debug_assert_eq!(columns.n_columns() + 1, N_COLUMNS, "weights of older programs must not be used");
        columns.push_all(if n_prose == 0 { 255.0 } else { (of_prose / n_prose as f32 + 7.0) * 18.0 });
    }
}

/// Sums of all values before each, and of all.
fn sum_up(values: impl Iterator<Item = f32>, sums: &mut Vec<f32>) {
    sums.clear();
    let mut sum = 0.0;
    sums.push(sum);
    sums.extend(values.map(|value| {
        sum += value;
        sum
    }));
}

/// The mean over some lines before and after, where those beyond the page count as zero.
fn window(sums: &[f32], idx: usize, n_before: usize, n_after: usize) -> f32 {
    let (start, end) = (idx.saturating_sub(n_before), (idx + n_after + 1).min(sums.len() - 1));
    (sums[end] - sums[start]) / (n_before + n_after + 1) as f32
}

fn before(sums: &[f32], idx: usize, n: usize) -> f32 {
    (sums[idx] - sums[idx.saturating_sub(n)]) / n as f32
}

fn after(sums: &[f32], idx: usize, n: usize) -> f32 {
    (sums[(idx + 1 + n).min(sums.len() - 1)] - sums[idx + 1]) / n as f32
}

/// The stretch of lines whose linear scores, weighed by their length, have the lowest sum below zero.
fn likely_body(lines: &[Line], linear: &[f32]) -> Option<std::ops::Range<usize>> {
    let (mut best, mut sum, mut start) = (0.0, 0.0, 0);
    let mut body = None;
    for (idx, (line, s)) in lines.iter().zip(linear).enumerate() {
        sum += (-s - 0.3) * line.words.min(40.0).sqrt();
        if sum <= 0.0 {
            (sum, start) = (0.0, idx + 1);
        } else if sum > best {
            best = sum;
            body = Some(start..idx + 1);
        }
    }
    body
}

/// For each line, how many words the longest before it has.
fn longest_before<'l>(lines: impl Iterator<Item = &'l Line>, words: &mut Vec<f32>) {
    let mut longest = 0.0_f32;
    words.clear();
    for line in lines {
        words.push(longest);
        longest = longest.max(line.words);
    }
}

/// How far the last line before each is that something holds for; and the same backwards, from the last line to the first.
fn distances(n_lines: usize, holds: impl Fn(usize) -> bool, forwards: &mut Vec<f32>, backwards: &mut Vec<f32>) {
    const NONE: f32 = 99.0;
    let step = |distance: &mut f32, idx: usize| {
        let own = distance.min(NONE);
        *distance = if holds(idx) { 1.0 } else { *distance + 1.0 };
        own
    };
    let mut distance = NONE;
    forwards.clear();
    forwards.extend((0..n_lines).map(|idx| step(&mut distance, idx)));
    distance = NONE;
    backwards.clear();
    backwards.extend((0..n_lines).rev().map(|idx| step(&mut distance, idx)));
}

/// For each line, how often the page has it.
fn count_repeats(lines: &[Line], keys: &mut Vec<(u64, usize)>, repeats: &mut Vec<f32>) {
    keys.clear();
    keys.extend(lines.iter().map(|line| line.key).zip(0..));
    keys.sort_unstable();
    repeats.clear();
    repeats.resize(lines.len(), 0.0);
    for alike in keys.chunk_by(|first, second| first.0 == second.0) {
        for (_, idx) in alike {
            repeats[*idx] = alike.len() as f32;
        }
    }
}

/// For each short line, how many stand in a row.
fn run_lengths(lines: &[Line], lengths: &mut Vec<f32>) {
    lengths.clear();
    for run in lines.chunk_by(|first, second| is_short(first) == is_short(second)) {
        let length = if is_short(&run[0]) { run.len() as f32 } else { 0.0 };
        lengths.resize(lengths.len() + run.len(), length);
    }
}

/// The value that such a share of the values is below.
fn quantile(values: impl Iterator<Item = f32>, share: f32, scratch: &mut Vec<f32>) -> f32 {
    scratch.clear();
    scratch.extend(values);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is a position")]
    let at = (share * (scratch.len() - 1) as f32) as usize;
    *scratch.select_nth_unstable_by(at, f32::total_cmp).1
}
