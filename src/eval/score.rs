//! The measures: of a page, and of many.

use super::align::kept;
use super::gold::Page;
use super::words::{Lexicon, Line};
use serde::Serialize;
use std::collections::HashSet;

/// A page that loses more than this share of its gold is lost.
const BAD_SHARE: f64 = 0.2;

/// What a cleaned page is worth beside its gold.
///
/// Words are counted as a bag: how often each one stands in both. Lines are counted as removed if they are no longer in the
/// cleaned text: neither aligned to a line of it nor, if they have five words or more, there with half of their words in
/// runs of four.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PageScore {
    /// The share of the words left that are gold. Of nothing left: 0, or 1 if the gold has no words either.
    pub precision: f64,
    /// The share of the gold that is left; 1 if it has no words.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f: f64,
    /// Lines removed that were to go.
    pub removed_rightly: usize,
    /// Lines removed that were to stay.
    pub removed_wrongly: usize,
    /// Lines that stay and were to go.
    pub stayed_wrongly: usize,
    /// Words of the gold that the page had and the cleaned text has no longer.
    pub words_lost: usize,
    /// Words of the gold that the page had.
    pub words_to_stay: usize,
    /// Words of lines that stay and were to go.
    pub chrome_left: usize,
    /// Words of lines that were to go.
    pub chrome: usize,
}

impl PageScore {
    /// Scores what is left of a page's text.
    pub fn of(page: &Page, left: &str) -> Self {
        let mut lexicon = Lexicon::default();
        let lines = lexicon.lines(&page.text);
        let gold = lexicon.words(&page.gold);
        let left: Vec<Line> = lexicon.lines(left).into_iter().filter(|line| !line.words.is_empty()).collect();
        let is_kept = kept(&lines, &left);

        let counts = |words: &mut dyn Iterator<Item = u32>| {
            let mut counts = vec![0_usize; lexicon.n_words()];
            words.for_each(|word| counts[word as usize] += 1);
            counts
        };
        let in_gold = counts(&mut gold.iter().copied());
        let shared = |counts: &[usize]| counts.iter().zip(&in_gold).map(|(one, other)| one.min(other)).sum::<usize>();
        let words_to_stay = shared(&counts(&mut lines.iter().flat_map(|line| line.words.iter().copied())));
        let neutral = neutral_keys(page, &lines);
        let judged = left.iter().filter(|line| !neutral.contains(&line.key));
        let in_left = counts(&mut judged.flat_map(|line| line.words.iter().copied()));
        let (n_left, n_shared) = (in_left.iter().sum::<usize>(), shared(&in_left));

        let precision = match (n_left, gold.len()) {
            (0, 0) => 1.0,
            (0, _) => 0.0,
            _ => n_shared as f64 / n_left as f64,
        };
        let recall = if gold.is_empty() { 1.0 } else { n_shared as f64 / gold.len() as f64 };
        let f = harmonic_mean(precision, recall);
        let words_lost = words_to_stay.saturating_sub(n_shared);
        let mut score = PageScore { precision, recall, f, words_lost, words_to_stay, ..PageScore::default() };
        for (line_idx, line) in lines.iter().enumerate() {
            if page.is_ignored[line_idx] {
                continue;
            }
            match (page.is_gold[line_idx], is_kept[line_idx]) {
                (true, true) => {}
                (true, false) => score.removed_wrongly += 1,
                (false, true) => {
                    score.stayed_wrongly += 1;
                    score.chrome_left += line.words.len();
                    score.chrome += line.words.len();
                }
                (false, false) => {
                    score.removed_rightly += 1;
                    score.chrome += line.words.len();
                }
            }
        }
        score
    }

    /// The share of the page's gold words that are lost.
    pub fn loss(&self) -> f64 {
        self.words_lost as f64 / self.words_to_stay.max(1) as f64
    }

    /// Whether more than a fifth of the page's gold words are lost.
    pub fn is_bad(&self) -> bool {
        self.words_lost as f64 > BAD_SHARE * self.words_to_stay as f64
    }
}

/// Lines that count neither for nor against a cleaned text: those that are like an ignored line and like none that stays.
fn neutral_keys(page: &Page, lines: &[Line]) -> HashSet<u32> {
    let keys = |which: &[bool]| {
        let lines = lines.iter().zip(which).filter(|(_, is_one)| **is_one);
        lines.map(|(line, _)| line.key).collect::<HashSet<u32>>()
    };
    &keys(&page.is_ignored) - &keys(&page.is_gold)
}

fn harmonic_mean(one: f64, other: f64) -> f64 {
    if one + other > 0.0 { 2.0 * one * other / (one + other) } else { 0.0 }
}

/// What cleaning some pages is worth. All but `pages` are shares, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// How many pages.
    pub pages: usize,
    /// Words left that are gold: the mean over pages.
    pub precision: f64,
    /// Gold words that are left: the mean over pages.
    pub recall: f64,
    /// The harmonic mean of both, of each page: the mean over pages.
    pub f: f64,
    /// Lines removed that were to go, of all removed.
    pub removed_precision: f64,
    /// Lines removed that were to go, of all that were to go.
    pub removed_recall: f64,
    /// The harmonic mean of both.
    pub removed_f: f64,
    /// Gold words lost, of all that the pages had.
    pub loss: f64,
    /// Words of lines to go that stay, of all of them.
    pub left: f64,
    /// Pages that lose more than a fifth of their gold words.
    pub bad20: f64,
}

/// The shares of [`Scores`], under the names that tables have for them.
pub const COLUMNS: [&str; 9] = ["P", "R", "F", "rmP", "rmR", "rmF", "loss", "left", "bad20"];

impl Scores {
    /// The scores of some pages. Shares of nothing are 0, those of removed lines 1.
    pub fn of<'s>(pages: impl IntoIterator<Item = &'s PageScore>) -> Self {
        let (mut of_pages, mut lines, mut words) = ([0.0; 3], [0; 3], [0; 4]);
        let (mut n_pages, mut n_bad) = (0, 0);
        for page in pages {
            n_pages += 1;
            n_bad += usize::from(page.is_bad());
            for (sum, share) in of_pages.iter_mut().zip([page.precision, page.recall, page.f]) {
                *sum += share;
            }
            for (sum, count) in lines.iter_mut().zip([page.removed_rightly, page.removed_wrongly, page.stayed_wrongly])
            {
                *sum += count;
            }
            for (sum, count) in
                words.iter_mut().zip([page.words_lost, page.words_to_stay, page.chrome_left, page.chrome])
            {
                *sum += count;
            }
        }
        let [precision, recall, f] = of_pages.map(|sum| sum / n_pages.max(1) as f64);
        let [rightly, wrongly, stayed] = lines;
        let of_lines = |all: usize| if all == 0 { 1.0 } else { rightly as f64 / all as f64 };
        let (removed_precision, removed_recall) = (of_lines(rightly + wrongly), of_lines(rightly + stayed));
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        Scores {
            pages: n_pages,
            precision,
            recall,
            f,
            removed_precision,
            removed_recall,
            removed_f: harmonic_mean(removed_precision, removed_recall),
            loss: share(words[0], words[1]),
            left: share(words[2], words[3]),
            bad20: share(n_bad, n_pages),
        }
    }

    /// The shares, in the order of [`COLUMNS`].
    pub fn shares(&self) -> [f64; 9] {
        let Scores { precision, recall, f, removed_precision, removed_recall, removed_f, loss, left, bad20, .. } =
            *self;
        [precision, recall, f, removed_precision, removed_recall, removed_f, loss, left, bad20]
    }

    /// For each share the mean of those of several; the pages of all.
    pub(super) fn mean(several: &[Scores]) -> Self {
        let n = several.len().max(1) as f64;
        Scores::each(several, |shares| shares.iter().sum::<f64>() / n)
    }

    /// For each share the standard deviation among those of several, as a sample (n - 1); the pages of all.
    pub(super) fn spread(several: &[Scores]) -> Self {
        let n = several.len() as f64;
        Scores::each(several, |shares| {
            let mean = shares.iter().sum::<f64>() / n;
            let squares: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
            (squares / (n - 1.0).max(1.0)).sqrt()
        })
    }

    fn each(several: &[Scores], of: impl Fn(&[f64]) -> f64) -> Self {
        let column = |column: usize| of(&several.iter().map(|scores| scores.shares()[column]).collect::<Vec<f64>>());
        Scores {
            pages: several.iter().map(|scores| scores.pages).sum(),
            precision: column(0),
            recall: column(1),
            f: column(2),
            removed_precision: column(3),
            removed_recall: column(4),
            removed_f: column(5),
            loss: column(6),
            left: column(7),
            bad20: column(8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::eval::Gold;

    fn page(record: &str) -> Page {
        let gold = Gold::parse("gold.jsonl".as_ref(), record.as_bytes(), &Config::default()).expect("the page is fine");
        gold.pages()[0].clone()
    }

    /// Two lines of chrome, of four words, and two of text, of nine.
    fn ferry() -> Page {
        page(
            r#"{"text": "Home | About\nThe ship left at dawn.\nShare this\nA cat came back.", "labels": [0, 1, 0, 1]}"#,
        )
    }

    #[test]
    fn figures_are_as_by_hand() {
        let score = PageScore::of(&ferry(), "The ship left at dawn.\nShare this");
        let expected = PageScore {
            precision: 5.0 / 7.0,
            recall: 5.0 / 9.0,
            f: 10.0 / 16.0,
            removed_rightly: 1,
            removed_wrongly: 1,
            stayed_wrongly: 1,
            words_lost: 4,
            words_to_stay: 9,
            chrome_left: 2,
            chrome: 4,
        };
        assert!((score.f - expected.f).abs() < 1e-12);
        assert_eq!(PageScore { f: expected.f, ..score }, expected);
        assert_eq!((score.loss(), score.is_bad()), (4.0 / 9.0, true));

        // Nothing lost, half of the chrome left.
        let other = PageScore::of(&ferry(), "Home | About\nThe ship left at dawn.\nA cat came back.");
        assert_eq!((other.precision, other.recall, other.f), (9.0 / 11.0, 1.0, 0.9));
        let scores = Scores::of([&score, &other]);
        let shares = [
            (5.0 / 7.0 + 9.0 / 11.0) / 2.0,
            (5.0 / 9.0 + 1.0) / 2.0,
            (10.0 / 16.0 + 0.9) / 2.0,
            2.0 / 3.0,
            2.0 / 4.0,
            4.0 / 7.0,
            4.0 / 18.0,
            4.0 / 8.0,
            1.0 / 2.0,
        ];
        assert_eq!(scores.pages, 2);
        for ((share, expected), column) in scores.shares().into_iter().zip(shares).zip(COLUMNS) {
            assert!((share - expected).abs() < 1e-12, "{column}: {share} {expected}");
        }
    }

    #[test]
    fn ignored_lines_count_neither_way() {
        let page = page(
            r#"{"text": "Ferry news\nThe ship left at dawn.\nFerry news\nThe end", "gold": "The ship left at dawn.",
                "labels": [0, 1, 0, 1], "ignore": [0, 3]}"#
                .replace('\n', " ")
                .as_str(),
        );
        let score = PageScore::of(&page, "Ferry news\nThe ship left at dawn.\nFerry news\nThe end");
        // Lines like an ignored one do not count as words, unless they are like one that stays.
        assert_eq!((score.precision, score.recall), (5.0 / 7.0, 1.0));
        assert_eq!((score.removed_rightly, score.removed_wrongly, score.stayed_wrongly), (0, 0, 1));
        assert_eq!((score.chrome_left, score.chrome), (2, 2));
        let score = PageScore::of(&page, "");
        assert_eq!((score.precision, score.recall, score.f), (0.0, 0.0, 0.0));
        assert_eq!((score.removed_rightly, score.removed_wrongly, score.stayed_wrongly), (1, 1, 0));
    }

    #[test]
    fn a_page_without_gold_is_best_left_empty() {
        let page = page(r#"{"text": "Menu\nImprint", "gold": ""}"#);
        assert_eq!(page.is_gold, [false, false]);
        let score = PageScore::of(&page, "");
        assert_eq!((score.precision, score.recall, score.f, score.is_bad()), (1.0, 1.0, 1.0, false));
        let score = PageScore::of(&page, "Menu");
        assert_eq!((score.precision, score.recall, score.f, score.loss()), (0.0, 1.0, 0.0, 0.0));
    }

    #[test]
    fn scores_of_nothing_are_told_as_documented() {
        let scores = Scores::of([]);
        assert_eq!(scores.shares(), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let several = [1.0, 2.0, 6.0].map(|f| Scores { pages: 2, f, ..Scores::default() });
        assert_eq!((Scores::mean(&several).f, Scores::mean(&several).pages), (3.0, 6));
        assert!((Scores::spread(&several).f - 7_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Scores::spread(&several).recall, 0.0);
    }
}
