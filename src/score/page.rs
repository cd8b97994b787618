//! A page as the score sees it: for each line, what it and its neighbours and the page look like, in columns of small numbers.
//!
//! ```text
//! lines ──▶ s, the linear score of each ──▶ means of s in windows, the stretch of lowest s, quantiles ──┐
//!       └─▶ prose: lines that read like text ──▶ distances, shares before and after, sums ──────────────┴─▶ columns
//! ```
//! A value becomes a small number by a fixed transform that is part of its column, so that nothing is to be looked up.

use super::line::{Line, N_SHAPES};

/// What the linear score adds for a line's shape: for the line itself, the line after it, and the line before it.
pub(crate) type ShapeWeights = [[f32; N_SHAPES]; 3];

/// So many rows are worked on at once, and the number of rows is rounded up to a multiple of it.
pub(crate) const STEP: usize = 8;

/// How many columns a page has.
pub(crate) const N_COLUMNS: usize = 46;

/// A table of small numbers below 128, column by column, each with its highest bit set: see [`trees`](super::trees).
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    values: Vec<[u8; STEP]>,
    n_rows: usize,
    n_columns: usize,
}

const HIGH_BIT: u8 = 0x80;

impl Columns {
    /// How many steps a column has.
    pub(crate) fn n_steps(&self) -> usize {
        self.n_rows.div_ceil(STEP)
    }

    /// The values of a column with their highest bits set, and some to pad them.
    pub(crate) fn marked(&self, column: usize) -> &[[u8; STEP]] {
        &self.values[column * self.n_steps()..][..self.n_steps()]
    }

    /// The values of a column, one by one.
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = u8> {
        self.marked(column).as_flattened()[..self.n_rows].iter().map(|marked| marked & !HIGH_BIT)
    }

    /// Columns of some rows; further ones are zero.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(rows: &[[u8; N]]) -> Self {
        let mut columns = Columns::default();
        columns.clear(rows.len());
        columns.values.fill([HIGH_BIT; STEP]);
        for column in 0..N {
            let mut values: Vec<f32> = rows.iter().map(|row| f32::from(row[column]) * 2.0).collect();
            values.resize(padded(rows.len()), 0.0);
            columns.push(&values, 1.0, 0.0);
        }
        columns
    }

    fn clear(&mut self, n_rows: usize) {
        (self.n_rows, self.n_columns) = (n_rows, 0);
        // What was there is written over.
        self.values.resize(N_COLUMNS * self.n_steps(), [0; STEP]);
    }

    fn next_column(&mut self) -> &mut [[u8; STEP]] {
        let n_steps = self.n_steps();
        self.n_columns += 1;
        &mut self.values[(self.n_columns - 1) * n_steps..][..n_steps]
    }

    /// Adds a column, given a value for each row and those that pad them: of the values, scaled and moved. What comes out goes
    /// from 0 to 255 and is halved.
    #[inline(never)]
    fn push(&mut self, values: &[f32], scale: f32, offset: f32) {
        self.push_each(values, |value| value * scale + offset);
    }

    /// As [`push`](Self::push), of the roots of the values.
    #[inline(never)]
    fn push_roots(&mut self, values: &[f32], scale: f32) {
        self.push_each(values, |value| value.sqrt() * scale);
    }

    /// As [`push`](Self::push), of the differences between some values and others.
    #[inline(never)]
    fn push_differences(&mut self, values: &[f32], less: &[f32], scale: f32, offset: f32) {
        let pairs = values.as_chunks::<STEP>().0.iter().zip(less.as_chunks::<STEP>().0);
        for (step, (values, less)) in self.next_column().iter_mut().zip(pairs) {
            for (cell, (value, less)) in step.iter_mut().zip(values.iter().zip(less)) {
                *cell = to_small((value - less) * scale + offset) | HIGH_BIT;
            }
        }
    }

    fn push_each(&mut self, values: &[f32], of: impl Fn(f32) -> f32) {
        for (step, values) in self.next_column().iter_mut().zip(values.as_chunks::<STEP>().0) {
            for (cell, value) in step.iter_mut().zip(values) {
                *cell = to_small(of(*value)) | HIGH_BIT;
            }
        }
    }

    /// Adds a column of one value.
    #[inline(never)]
    fn push_all(&mut self, value: f32) {
        self.next_column().fill([to_small(value) | HIGH_BIT; STEP]);
    }
}

fn to_small(value: f32) -> u8 {
    // With so much added, the last bits of the number are its whole part. A cast to an integer is not made for many at once.
    const TO_WHOLE: f32 = 8_388_608.0;
    let [whole, ..] = ((value * 0.5).clamp(0.0, 127.0) + TO_WHOLE).to_bits().to_le_bytes();
    whole
}

/// So many values are for so many rows.
fn padded(n_rows: usize) -> usize {
    n_rows.next_multiple_of(STEP)
}

/// A page, for reuse.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Its lines that are not blank.
    pub(crate) lines: Vec<Line>,
    /// The linear score of each.
    pub(crate) linear: Vec<f32>,
    pub(crate) columns: Columns,
    /// Whether the words of a line and its neighbours say that it is chrome.
    is_strong: Vec<bool>,
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Scratch {
    linear_sums: Sums,
    prose_sums: Sums,
    strong_sums: Sums,
    values: Vec<f32>,
    repeats: Repeats,
}

const LINEAR_LIMIT: f32 = 6.0;
/// The sum of what words say that makes a line a strong one.
const STRONG: f32 = 1.5;
/// A line that the page has more often than this counts as much as so many do, for the lines around it.
const MOST_COUNTED: f32 = 3.0;

fn is_prose(line: &Line) -> bool {
    line.words >= 22.0 || (line.words >= 12.0 && line.is_sentence())
}

fn is_long(line: &Line) -> bool {
    line.words >= 20.0 && line.is_sentence()
}

impl Page {
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Computes the linear score of all lines.
    pub(crate) fn score_linearly(&mut self, shapes: &ShapeWeights, bias: f32) {
        let Page { lines, linear, is_strong, .. } = self;
        linear.clear();
        is_strong.clear();
        for (idx, line) in lines.iter().enumerate() {
            let mut of_words = line.own;
            let mut of_shapes = shapes[0][line.shape()];
            if let Some(before) = idx.checked_sub(1).map(|before| &lines[before]) {
                of_words += before.to_next;
                of_shapes += shapes[1][before.shape()];
            }
            if let Some(after) = lines.get(idx + 1) {
                of_words += after.to_previous;
                of_shapes += shapes[2][after.shape()];
            }
            linear.push((of_words + of_shapes + bias).clamp(-LINEAR_LIMIT, LINEAR_LIMIT));
            is_strong.push(of_words > STRONG);
        }
    }

    /// Computes all columns, given the linear score of the lines and the weights that it was computed with.
    pub(crate) fn find_columns(&mut self, shapes: &ShapeWeights, bias: f32) {
        let Page { lines, linear, columns, is_strong, scratch } = self;
        let n_lines = lines.len();
        columns.clear(n_lines);
        if n_lines == 0 {
            return;
        }
        let Scratch { linear_sums, prose_sums, strong_sums, values, repeats } = scratch;
        repeats.count(lines);
        // What stands on a page again and again, such as a label below each paragraph, says little of the lines around it.
        let weighed = linear.iter().zip(repeats.counts()).map(|(s, count)| s * (MOST_COUNTED / count).min(1.0));
        linear_sums.of(weighed);
        let strong =
            is_strong.iter().zip(repeats.counts()).map(|(is_strong, count)| *is_strong && count <= MOST_COUNTED);
        prose_sums.of(lines.iter().map(|line| if is_prose(line) { line.words.min(60.0) } else { 0.0 }));
        strong_sums.of(strong.clone().map(|is_strong| f32::from(u8::from(is_strong))));
        let n = n_lines as f32;

        // The line itself, by its linear score.
        fill(values, linear.iter().copied());
        let linear_column = columns.n_columns;
        columns.push(values, 21.0, 126.0);
        fill(values, lines.iter().map(|line| line.own + shapes[0][line.shape()] + bias));
        columns.push(values, 21.0, 126.0);
        // The linear score around it.
        for (reach, scale, offset) in [(2, 32.0, 128.0), (5, 42.0, 126.0), (10, 42.0, 126.0), (25, 42.0, 126.0)] {
            linear_sums.push_means(reach, reach, columns, scale, offset);
        }
        linear_sums.push_means(0, 20, columns, 42.0, 126.0);
        // Prose around it.
        for reach in [2, 25] {
            prose_sums.push_means(reach, reach, columns, 4.2, 0.0);
        }
        let all_prose = prose_sums.all();
        let share_of_prose = 255.0 / all_prose.max(1.0);
        columns.push(prose_sums.before(), share_of_prose, 0.0);
        columns.push(prose_sums.through(), -share_of_prose, 255.0);
        columns.push_roots(prose_sums.before(), 4.0);
        // The stretch of lines that are least like chrome.
        let body = likely_body(lines, linear);
        fill(values, (0..n_lines).map(|idx| body.as_ref().map_or(100.0, |body| distance_from(body, idx))));
        columns.push(values, 1.25, 125.0);
        // The longest lines before and after.
        fill(values, longest_before(lines.iter()));
        columns.push_roots(values, 12.0);
        fill_backwards(values, longest_before(lines.iter().rev()));
        columns.push_roots(values, 12.0);
        // How far the next lines are that are sure to be text, or sure to be chrome.
        fill(values, distances(lines.iter().map(is_long)));
        columns.push(values, 2.5, 0.0);
        fill_backwards(values, distances(lines.iter().rev().map(is_long)));
        columns.push(values, 2.5, 0.0);
        fill(values, distances(strong));
        columns.push(values, 2.5, 0.0);
        columns.push(strong_sums.before(), 6.0, 0.0);
        // Repeats within the page.
        fill(values, repeats.counts());
        columns.push(values, 16.0, 0.0);
        let n_repeated = values.iter().filter(|count| **count > 1.0).count();
        // The line's own look.
        let all = Totals::of(lines, linear);
        fill(values, lines.iter().map(|line| line.words));
        columns.push_roots(values, 12.0);
        columns.push(values, 32.0 / (all.words / n).max(1.0), 0.0);
        fill(values, lines.iter().map(|line| line.bytes));
        let bytes_column = columns.n_columns;
        columns.push_roots(values, 5.0);
        let tallest = values.iter().copied().fold(0.0, f32::max);
        let tall = {
            let root = quantile(columns.column(bytes_column), n_lines, 0.95) / 2.5;
            root * root
        };
        let n_tall = values.iter().filter(|bytes| (0.75 * tall..=1.05 * tall).contains(*bytes)).count();
        fill(values, lines.iter().map(|line| f32::from(line.ending as u8)));
        columns.push(values, 32.0, 0.0);
        fill(values, (0..n_lines).map(|idx| idx as f32));
        columns.push(values, 255.0 / (n - 1.0).max(1.0), 0.0);
        // The page.
        let share = |count: usize| count as f32 / n;
        columns.push_all(n.sqrt() * 8.0);
        columns.push_all(all.capitals / n * 255.0);
        columns.push_all(all.digits / n * 510.0);
        columns.push_all((linear_sums.all() / n + 3.0) * 42.0);
        columns.push_all(2.0 * quantile(columns.column(linear_column), n_lines, 0.9));
        columns.push_all(tall.sqrt() * 4.0);
        columns.push_all(tallest.sqrt() * 3.0);
        columns.push_all(all_prose.sqrt() * 3.0);
        columns.push_all(all.words_of_long / all.words.max(1.0) * 255.0);
        columns.push_all(all.words_of_prose / all.words.max(1.0) * 255.0);
        columns.push_all(body.map_or(0.0, |body| share(body.len())) * 255.0);
        columns.push_all(all.function_words / all.read.max(1.0) * 400.0);
        columns.push_all(all.known / n * 255.0);
        columns.push_all(share(n_repeated) * 255.0);
        columns.push_all(share(all.n_short) * 255.0);
        columns.push_all(share(all.n_sentences) * 255.0);
        columns.push_all(share(all.n_below) * 255.0);
        columns.push_all(strong_sums.all() / n * 255.0);
        columns.push_all(share(n_tall) * 255.0);
        columns.push_all(share(all.n_going_on) * 255.0);
        let of_prose = if all.n_prose == 0 { 255.0 } else { (all.linear_of_prose / all.n_prose as f32 + 7.0) * 18.0 };
        columns.push_all(of_prose);
        debug_assert_eq!(columns.n_columns, N_COLUMNS, "weights of older programs must not be used");
    }
}

/// Puts a value for each row, and zeros that pad them.
fn fill(values: &mut Vec<f32>, of_rows: impl Iterator<Item = f32>) {
    values.clear();
    values.extend(of_rows);
    values.resize(padded(values.len()), 0.0);
}

/// As [`fill`], given the values from the last row to the first.
fn fill_backwards(values: &mut Vec<f32>, of_rows: impl Iterator<Item = f32>) {
    values.clear();
    values.extend(of_rows);
    values.reverse();
    values.resize(padded(values.len()), 0.0);
}

/// What all lines of a page have together.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    words: f32,
    /// At most 60 words of a line, and those of them that are function words.
    read: f32,
    function_words: f32,
    words_of_long: f32,
    words_of_prose: f32,
    linear_of_prose: f32,
    n_prose: usize,
    capitals: f32,
    digits: f32,
    known: f32,
    n_short: usize,
    n_sentences: usize,
    /// Of a linear score below zero.
    n_below: usize,
    /// Lines that go on with the sentence of the line before.
    n_going_on: usize,
}

impl Totals {
    fn of(lines: &[Line], linear: &[f32]) -> Self {
        let mut all = Totals::default();
        let mut after_sentence = false;
        for (line, s) in lines.iter().zip(linear) {
            let read = line.words.min(60.0);
            all.words += line.words;
            all.read += read;
            all.function_words += read * line.function_words;
            all.words_of_long += if is_long(line) { line.words } else { 0.0 };
            if is_prose(line) {
                all.words_of_prose += line.words;
                all.linear_of_prose += s;
                all.n_prose += 1;
            }
            all.capitals += line.capitals;
            all.digits += line.digits;
            all.known += line.known;
            all.n_short += usize::from(line.words <= 4.0);
            all.n_sentences += usize::from(line.is_sentence());
            all.n_below += usize::from(*s < 0.0);
            all.n_going_on += usize::from(line.starts_small && !after_sentence);
            after_sentence = line.is_sentence();
        }
        all
    }
}

/// Sums of the values before each, and of all, so padded that those before the first and after the last are there too.
#[derive(Debug, Default)]
struct Sums(Vec<f32>);

impl Sums {
    /// So many lines beyond the page may be asked for.
    const PADDING: usize = 26;

    fn of(&mut self, values: impl ExactSizeIterator<Item = f32>) {
        let after = Self::PADDING + padded(values.len()) - values.len();
        let mut sum = 0.0;
        self.0.clear();
        self.0.resize(Self::PADDING + 1, sum);
        self.0.extend(values.map(|value| {
            sum += value;
            sum
        }));
        self.0.resize(self.0.len() + after, sum);
    }

    fn all(&self) -> f32 {
        self.0.last().copied().unwrap_or(0.0)
    }

    /// For each line, the sum before it.
    fn before(&self) -> &[f32] {
        &self.0[Self::PADDING..]
    }

    /// For each line, the sum up to it and with it.
    fn through(&self) -> &[f32] {
        &self.0[Self::PADDING + 1..]
    }

    /// Adds a column: for each line, of the mean over some lines around it, where those beyond the page count as zero. The line
    /// itself is one of them if there are some before it.
    fn push_means(&self, n_before: usize, n_behind: usize, columns: &mut Columns, scale: f32, offset: f32) {
        let itself = usize::from(n_before > 0);
        let starts = &self.0[Self::PADDING + 1 - itself - n_before..];
        let ends = &self.0[Self::PADDING + 1 + n_behind..];
        columns.push_differences(ends, starts, scale / (n_before + itself + n_behind) as f32, offset);
    }
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

/// How many lines one is before the stretch (less than zero) or behind it.
fn distance_from(stretch: &std::ops::Range<usize>, idx: usize) -> f32 {
    let before = stretch.start.saturating_sub(idx) as f32;
    let behind = (idx + 1).saturating_sub(stretch.end) as f32;
    behind - before
}

/// For each line, how many words the longest before it has.
fn longest_before<'l>(lines: impl Iterator<Item = &'l Line>) -> impl Iterator<Item = f32> {
    let mut longest = 0.0_f32;
    lines.map(move |line| {
        let before = longest;
        longest = longest.max(line.words);
        before
    })
}

/// For each line, how far the last line before it is that something holds for.
fn distances(holds: impl Iterator<Item = bool>) -> impl Iterator<Item = f32> {
    const FAR: usize = 99;
    let mut last = 0;
    (FAR..).zip(holds).map(move |(idx, holds)| {
        let distance = idx - last;
        last = if holds { idx } else { last };
        distance.min(FAR) as f32
    })
}

/// How often the page has each line.
#[derive(Debug, Default)]
struct Repeats {
    /// The number of a line, and one, at a place that its key gives or soon after.
    slots: Vec<u32>,
    /// For each line, the first that is like it; for that one, how many are.
    firsts: Vec<u32>,
    counts: Vec<u32>,
}

impl Repeats {
    /// So many slots are looked at for a line. One that finds them taken is taken to stand alone: keys may be made to collide.
    const TRIES: usize = 16;

    fn count(&mut self, lines: &[Line]) {
        let n_slots = (lines.len() * 2).next_power_of_two();
        self.slots.clear();
        self.slots.resize(n_slots, 0);
        self.firsts.clear();
        self.counts.clear();
        self.counts.resize(lines.len(), 0);
        for (idx, line) in (0_u32..).zip(lines) {
            let mut first = idx;
            for probe in 0..Self::TRIES {
                #[expect(clippy::cast_possible_truncation, reason = "the low bits are asked for")]
                let slot = &mut self.slots[(line.key as usize).wrapping_add(probe) & (n_slots - 1)];
                match slot.checked_sub(1) {
                    None => *slot = idx + 1,
                    Some(other) if lines[other as usize].key == line.key => first = other,
                    Some(_) => continue,
                }
                break;
            }
            self.firsts.push(first);
            self.counts[first as usize] += 1;
        }
    }

    fn counts(&self) -> impl ExactSizeIterator<Item = f32> + Clone {
        self.firsts.iter().map(|first| self.counts[*first as usize] as f32)
    }
}

/// The value that such a share of some small numbers is below.
fn quantile(values: impl Iterator<Item = u8>, n_values: usize, share: f32) -> f32 {
    let mut counts = [0_u32; 128];
    for value in values {
        counts[usize::from(value) % 128] += 1;
    }
    let least_above = (1.0 - share) * n_values as f32;
    let mut n_above = 0;
    let value = (0_u8..128).rev().find(|value| {
        n_above += counts[usize::from(*value)];
        n_above as f32 > least_above
    });
    f32::from(value.unwrap_or(0))
}
