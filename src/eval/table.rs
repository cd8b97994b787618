//! What came of an evaluation, put together by dataset, language or kind of page.

use super::gold::{Gold, Page};
use super::score::{PageScore, Scores};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The version of the JSON. A new number means that a field is gone or means something else.
pub const EVAL_SCHEMA_VERSION: u32 = 1;

/// The datasets that the mean is over, where they are: whole pages of the web with their main content by hand.
const MAIN: [&str; 5] = ["wcxb", "zyte", "cleaneval", "cleanportaleval", "fundus"];
/// Sites of so many pages, on which repeats can be seen, have a row of their own.
const PAGES_OF_SITES: usize = 3;

/// What rows are pages of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Of a dataset, of a kind of page in it, and of sites of several pages.
    #[default]
    Dataset,
    /// Of a language.
    Lang,
    /// Of a kind of page.
    PageType,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// What the pages are of.
    pub name: String,
    /// What cleaning them is worth.
    #[serde(flatten)]
    pub scores: Scores,
}

/// What a configuration is worth on labelled pages.
#[derive(Clone, Debug)]
pub struct Evaluation<'g> {
    gold: &'g Gold,
    /// One for each page.
    scores: Vec<PageScore>,
    /// The pages of each fold; nothing without folds.
    folds: Vec<Vec<usize>>,
}

impl<'g> Evaluation<'g> {
    pub(super) fn new(gold: &'g Gold, scores: Vec<PageScore>, folds: Vec<Vec<usize>>) -> Self {
        Evaluation { gold, scores, folds }
    }

    /// The pages, in the order of their file, with their scores.
    pub fn pages(&self) -> impl Iterator<Item = (&'g Page, &PageScore)> {
        self.gold.pages().iter().zip(&self.scores)
    }

    /// Rows of scores, in the order in which they are told. A page may be in several rows.
    pub fn rows(&self, by: By) -> Vec<Row> {
        let mut pages_of_sites: HashMap<&str, usize> = HashMap::new();
        for site in self.gold.pages().iter().filter_map(Page::site) {
            *pages_of_sites.entry(site).or_default() += 1;
        }
        let mut rows: BTreeMap<(bool, String), Vec<&PageScore>> = BTreeMap::new();
        for (page, score) in self.pages() {
            let mut push = |is_part, name: String| rows.entry((is_part, name)).or_default().push(score);
            let or_none = |name: &Option<String>| name.clone().unwrap_or_else(|| "(none)".into());
            match by {
                By::Dataset => {
                    push(false, page.dataset.clone());
                    if let Some(page_type) = &page.page_type {
                        push(true, format!("{}:{page_type}", page.dataset));
                    }
                    if page.site().is_some_and(|site| pages_of_sites[site] >= PAGES_OF_SITES) {
                        push(true, format!("~sites>={PAGES_OF_SITES} pages"));
                    }
                }
                By::Lang => push(false, or_none(&page.lang)),
                By::PageType => push(false, or_none(&page.page_type)),
            }
        }
        rows.into_iter().map(|((_, name), scores)| Row { name, scores: Scores::of(scores) }).collect()
    }

    /// The mean over datasets, so that a large one does not count for more: over wcxb, zyte, cleaneval, cleanportaleval and
    /// fundus, as far as they are there, or else over all.
    pub fn macro_scores(&self) -> Scores {
        self.macro_of(&mut (0..self.scores.len()))
    }

    /// For each fold, its number from 0 and the mean over its datasets; not for folds without pages of them.
    pub fn folds(&self) -> impl Iterator<Item = (usize, Scores)> {
        let folds = self.folds.iter().enumerate();
        let scored = folds.map(|(fold_idx, page_idxs)| (fold_idx, self.macro_of(&mut page_idxs.iter().copied())));
        scored.filter(|(_, scores)| scores.pages > 0)
    }

    /// How many folds there are, and the mean and the standard deviation (as of a sample) of [`Evaluation::folds`]; nothing
    /// without folds. The deviation tells how far the figures would differ on other sites.
    pub fn over_folds(&self) -> Option<(usize, Scores, Scores)> {
        let folds: Vec<Scores> = self.folds().map(|(_, scores)| scores).collect();
        (!folds.is_empty()).then(|| (folds.len(), Scores::mean(&folds), Scores::spread(&folds)))
    }

    /// The pages that lose the largest share of their gold words, the worst first; none that loses nothing.
    pub fn worst(&self, n_pages: usize) -> Vec<(&'g Page, &PageScore)> {
        let mut worst: Vec<(&Page, &PageScore)> = self.pages().filter(|(_, score)| score.words_lost > 0).collect();
        worst.sort_by(|(_, one), (_, other)| {
            other.loss().total_cmp(&one.loss()).then(other.words_lost.cmp(&one.words_lost))
        });
        worst.truncate(n_pages);
        worst
    }

    /// All of it as JSON, with so many of the worst pages.
    pub fn to_json(&self, by: By, n_worst: usize) -> String {
        let told = Told {
            schema_version: EVAL_SCHEMA_VERSION,
            dehusk: env!("CARGO_PKG_VERSION"),
            by,
            rows: self.rows(by),
            r#macro: self.macro_scores(),
            folds: self.over_folds().map(|(_, mean, spread)| ToldFolds {
                each: self.folds().map(|(fold, scores)| ToldFold { fold, scores }).collect(),
                mean,
                spread,
            }),
            worst: self
                .worst(n_worst)
                .into_iter()
                .map(|(page, score)| ToldPage { id: &page.id, loss: score.loss(), words_lost: score.words_lost })
                .collect(),
        };
        let mut json = serde_json::to_string_pretty(&told).expect("an evaluation has only strings for keys");
        json.push('\n');
        json
    }

    fn macro_of(&self, page_idxs: &mut dyn Iterator<Item = usize>) -> Scores {
        let mut of_datasets: BTreeMap<&str, Vec<&PageScore>> = BTreeMap::new();
        for page_idx in page_idxs {
            of_datasets.entry(&self.gold.pages()[page_idx].dataset).or_default().push(&self.scores[page_idx]);
        }
        let is_main = |dataset: &str| MAIN.contains(&dataset);
        if self.gold.pages().iter().any(|page| is_main(&page.dataset)) {
            of_datasets.retain(|dataset, _| is_main(dataset));
        }
        Scores::mean(&of_datasets.into_values().map(Scores::of).collect::<Vec<Scores>>())
    }
}

#[derive(Serialize)]
struct Told<'e> {
    schema_version: u32,
    dehusk: &'static str,
    by: By,
    rows: Vec<Row>,
    r#macro: Scores,
    #[serde(skip_serializing_if = "Option::is_none")]
    folds: Option<ToldFolds>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    worst: Vec<ToldPage<'e>>,
}

#[derive(Serialize)]
struct ToldFolds {
    each: Vec<ToldFold>,
    mean: Scores,
    spread: Scores,
}

#[derive(Serialize)]
struct ToldFold {
    fold: usize,
    #[serde(flatten)]
    scores: Scores,
}

#[derive(Serialize)]
struct ToldPage<'e> {
    id: &'e str,
    loss: f64,
    words_lost: usize,
}
