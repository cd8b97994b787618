//! `dehusk eval`.

use crate::{FINE, print, terminal};
use dehusk::Config;
use dehusk::eval::{By, COLUMNS, Evaluation, Gold, Scores, evaluate};
use dehusk::train::{evaluate_folds, n_known};
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

/// So many of the worst pages are told with `--verbose`.
const WORST: usize = 20;

/// What is told, and of what.
pub(crate) struct How {
    pub(crate) folds: Option<usize>,
    pub(crate) by: By,
    pub(crate) is_json: bool,
}

pub(crate) fn eval(path: &Path, how: &How, config: &Config) -> anyhow::Result<u8> {
    terminal::set_color(config.color);
    let gold = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        Gold::parse(path, &bytes, config)?
    } else {
        Gold::read(path, config)?
    };
    let evaluation = match how.folds {
        Some(n_folds) => evaluate_folds(&gold, n_folds, config)?,
        None => {
            let n_known = n_known(&gold, config)?;
            if n_known > 0 {
                let n_pages = gold.pages().len();
                let what = format!(
                    "the score was learned from {n_known} of these {n_pages} pages, so that it looks better than it is"
                );
                terminal::warn(&format!("{what}; give --folds to score each page by what was learned from others"));
            }
            evaluate(&gold, config)?
        }
    };
    let n_worst = if config.verbose > 0 { WORST } else { 0 };
    let told = if how.is_json { evaluation.to_json(how.by, n_worst) } else { table(&evaluation, how.by, n_worst) };
    print(told.as_bytes())?;
    Ok(FINE)
}

fn table(evaluation: &Evaluation<'_>, by: By, n_worst: usize) -> String {
    let heading = match by {
        By::Dataset => "dataset",
        By::Lang => "lang",
        By::PageType => "page type",
    };
    let columns: Vec<String> = COLUMNS.iter().map(|column| format!("{column:>6}")).collect();
    let mut table = format!("{heading:22}{:>5} {}\n", "n", columns.join(" "));
    let mut push = |name: &str, scores: &Scores| {
        let shares: Vec<String> = scores.shares().iter().map(|share| format!("{share:6.3}")).collect();
        let name = terminal::printable(name);
        let _ = writeln!(table, "{name:22}{:>5} {}", scores.pages, shares.join(" "));
    };
    for row in evaluation.rows(by) {
        push(&row.name, &row.scores);
    }
    push("MACRO", &evaluation.macro_scores());
    if let Some((n_folds, mean, spread)) = evaluation.over_folds() {
        push(&format!("mean of {n_folds} folds"), &mean);
        push("standard deviation", &spread);
    }
    for (nth, (page, score)) in (0..).zip(evaluation.worst(n_worst)) {
        if nth == 0 {
            let _ = writeln!(table, "\n{:>6} {:>10}  worst pages", "loss", "words lost");
        }
        let _ = writeln!(table, "{:6.3} {:>10}  {}", score.loss(), score.words_lost, terminal::printable(&page.id));
    }
    table
}
