//! The line score: how much a line looks like chrome, from its own shape and words and from those around it.
//!
//! ```text
//! a line's words ──▶ table of weights ─┐
//! its shape, those of its neighbours ──┴─▶ linear score ──▶ windows, stretches, the page ──▶ trees ──▶ score
//! ```
//! The linear score says of a line by itself how much it looks like chrome; most of what the trees add is what the linear
//! scores around it say. Both were learned from labelled pages by [`crate::train`]. A page that shows no sure chrome is no
//! web page (a book, a log, a table, one paragraph) and is left alone.

mod head;
mod line;
mod page;
mod trees;
mod weights;
mod words;

pub use weights::{About, WEIGHTS_VERSION};

pub(crate) use line::{Line, N_SHAPES, Tokens};
use page::STEP;
pub(crate) use page::{N_COLUMNS, Page, ShapeWeights};
pub(crate) use trees::{DEPTH, LEAVES, Split, Tree, UNIT};
pub(crate) use weights::{Thresholds, Weights};
pub(crate) use words::Words;

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a line looks like chrome: from 0, which is content, to 1, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "f64", from = "f64")]
pub struct Score(u16);

impl Score {
    /// The score of so many thousandths; more than 1000 are 1000.
    pub fn from_thousandths(thousandths: u16) -> Self {
        Score(thousandths.min(1000))
    }

    /// How many thousandths it is.
    pub fn thousandths(self) -> u16 {
        self.0
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        f64::from(score.0) / 1000.0
    }
}

impl From<f64> for Score {
    /// The nearest score.
    fn from(value: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and 1000")]
        Score((value.clamp(0.0, 1.0) * 1000.0).round() as u16)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// How much is removed of what looks like chrome and no rule names. Each level removes what the one before it does, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What rules name, and repeats.
    Rules,
    /// Also what the pages of a site or a document repeat at their edges, and lines that are chrome almost surely.
    #[default]
    Safe,
    /// Also lines that are chrome more likely than not.
    Balanced,
    /// Also lines that may well be chrome.
    Strict,
}

/// The weights that come with dehusk.
#[expect(
    clippy::disallowed_macros,
    reason = "they are numbers that nobody reads, with a checksum that the program does"
)]
static BUILT_IN: &[u8] = include_bytes!("weights.bin");

/// Scores the lines of pages; made once, and shared by reference.
#[derive(Debug)]
pub(crate) struct Scorer {
    words: Words,
    shapes: ShapeWeights,
    bias: f32,
    base: i32,
    trees: Vec<Tree>,
    thresholds: Thresholds,
    pages: Vec<u32>,
}

/// What scoring a page needs; for reuse.
#[derive(Debug, Default)]
pub(crate) struct ScoreScratch {
    tokens: Tokens,
    page: Page,
    leaves: Vec<u64>,
    sums: Vec<i32>,
}

/// Pages with fewer lines are left alone: there is nothing to compare a line with.
const LEAST_LINES: usize = 4;
/// Where no line has a linear score of so much, nothing on the page is chrome.
const LEAST_LINEAR: f32 = 2.0;
/// Lines of at least this score are sure to be chrome; a page must have so many, and such a share, to be a web page.
const SURE: Score = Score(950);
const LEAST_SURE: usize = 3;
const LEAST_SURE_SHARE: f64 = 0.1;
/// Where it is none, no line has a higher score than this.
const NO_WEB_PAGE: Score = Score(50);

impl Scorer {
    /// A scorer with the weights that come with dehusk.
    ///
    /// # Errors
    ///
    /// Never, unless the program was built with damaged weights.
    pub(crate) fn built_in() -> Result<Self> {
        Ok(Self::new(Weights::parse("built-in weights", BUILT_IN)?))
    }

    pub(crate) fn new(weights: Weights) -> Self {
        let Weights { about: _, thresholds, words, word_unit, shapes, bias, base, trees, pages } = weights;
        Scorer { words: Words::new(words.into_iter(), word_unit), shapes, bias, base, trees, thresholds, pages }
    }

    /// The least score that a line goes for on a level.
    pub(crate) fn threshold(&self, level: Level) -> Option<Score> {
        self.thresholds.of(level)
    }

    /// Whether the weights were learned from a page of this fingerprint.
    pub(crate) fn knows(&self, page: u32) -> bool {
        self.pages.binary_search(&page).is_ok()
    }

    /// Begins a page.
    pub(crate) fn begin(&self, scratch: &mut ScoreScratch) {
        scratch.page.clear();
    }

    /// Adds the next line of the page; blank ones are no lines.
    pub(crate) fn add(&self, block: &[u8], scratch: &mut ScoreScratch) {
        // What folding calls not blank may still be white space to the score, which then has a line of no words.
        let line = Line::read(block, &self.words, &mut scratch.tokens).unwrap_or_default();
        scratch.page.lines.push(line);
    }

    /// Scores the lines of the page: appends a score for each to `scores`.
    pub(crate) fn score(&self, scratch: &mut ScoreScratch, scores: &mut Vec<Score>) {
        let ScoreScratch { page, leaves, sums, .. } = scratch;
        let n_lines = page.lines.len();
        let base = scores.len();
        scores.resize(base + n_lines, Score::default());
        if n_lines < LEAST_LINES {
            return;
        }
        page.score_linearly(&self.shapes, self.bias);
        if !page.linear.iter().any(|linear| *linear >= LEAST_LINEAR) {
            return;
        }
        page.find_columns(&self.shapes, self.bias);
        sums.clear();
        sums.resize(page.columns.n_steps() * STEP, self.base);
        for tree in &self.trees {
            tree.add(&page.columns, leaves, sums);
        }
        let scores = &mut scores[base..];
        for (score, sum) in scores.iter_mut().zip(&*sums) {
            *score = probability(f64::from(*sum) * UNIT);
        }
        limit_where_no_web_page(scores);
    }
}

/// A page without enough sure chrome is no web page, and has none at all.
fn limit_where_no_web_page(scores: &mut [Score]) {
    let n_sure = scores.iter().filter(|score| **score >= SURE).count();
    if n_sure < LEAST_SURE || (n_sure as f64) < LEAST_SURE_SHARE * scores.len() as f64 {
        for score in scores {
            *score = NO_WEB_PAGE.min(*score);
        }
    }
}

/// The chance that the logarithm of the odds gives, in thousandths.
fn probability(log_odds: f64) -> Score {
    let thousandths = 1000.0 * logistic(log_odds) + 0.5;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and 1000")]
    Score::from_thousandths(thousandths as u16)
}

/// The logistic function, in operations that give the same on every machine.
pub(crate) fn logistic(x: f64) -> f64 {
    // e^-x as (1 - x / 4096)^4096, which takes twelve squarings.
    let mut power = 1.0 - x.clamp(-40.0, 40.0) / 4096.0;
    for _ in 0..12 {
        power *= power;
    }
    1.0 / (1.0 + power)
}
