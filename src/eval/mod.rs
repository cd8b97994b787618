//! Measuring a configuration on labelled pages: how much chrome goes, and how much text goes with it.
//!
//! The measures are those that the extraction of main content is commonly judged by (CleanEval, 2007, and after it): the
//! words that are left against the words of the gold text, as bags, and, as dehusk removes lines, the lines removed against
//! the lines that should go. [`PageScore`] and [`Scores`] tell them one by one.
//!
//! ```
//! use dehusk::{Config, eval::{Gold, evaluate}};
//!
//! let page = br#"{"text": "Skip to content\nThe ship left.\nHusk", "labels": [0, 1, 0]}"#;
//! let config = Config::default();
//! let gold = Gold::parse("gold.jsonl".as_ref(), page, &config)?;
//! let scores = evaluate(&gold, &config)?.macro_scores();
//! // Of two lines that should go one did, and nothing else.
//! assert_eq!((scores.removed_precision, scores.removed_recall, scores.loss), (1.0, 0.5, 0.0));
//! # Ok::<(), dehusk::Error>(())
//! ```
//!
//! How far such figures would differ on other sites, folds tell: [`evaluate_folds`].

mod align;
mod gold;
mod score;
mod table;
mod words;

pub use align::matched;
pub use gold::{Gold, Page};
pub use score::{COLUMNS, PageScore, Scores};
pub use table::{By, EVAL_SCHEMA_VERSION, Evaluation, Row};
pub use words::words;

use crate::config::{Config, Format, Framing, OnBadRecord, OnLimit};
use crate::error::{Error, Result};
use crate::run::Run;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Write;

/// Cleans all pages as one corpus, in their order, and scores what is left of each.
///
/// They are cleaned as [`Run`] cleans a JSONL file of them, with what the configuration says of packs, repeats and the like.
/// What it says of outputs, formats, limits and bad records has no meaning here: nothing is written but a temporary file,
/// and no record is bad.
///
/// # Errors
///
/// When the configuration or a pack is refused, or the temporary file cannot be written.
pub fn evaluate<'g>(gold: &'g Gold, config: &Config) -> Result<Evaluation<'g>> {
    let pages: Vec<&Page> = gold.pages().iter().collect();
    Ok(Evaluation::new(gold, scored(&pages, config)?, Vec::new()))
}

/// Cleans the pages of each of `n_folds` folds (see [`Page::fold`]) as a corpus of its own, and scores what is left of each
/// page. Pages of one site are in one fold.
///
/// `config_of` gives the configuration for a fold, by its number from 0, so that it may use what was learned from the pages
/// of all other folds.
///
/// # Errors
///
/// As [`evaluate`], what `config_of` fails with, and when less than two folds have pages.
pub fn evaluate_folds<'g>(
    gold: &'g Gold,
    n_folds: usize,
    mut config_of: impl FnMut(usize) -> Result<Config>,
) -> Result<Evaluation<'g>> {
    if n_folds < 2 {
        return Err(Error::usage(format!("folds is {n_folds}; give at least 2, or leave it out")));
    }
    let fold_of: Vec<usize> = gold.pages().iter().map(|page| page.fold(n_folds)).collect();
    let mut page_idxs: Vec<Vec<usize>> = vec![Vec::new(); n_folds];
    for (page_idx, fold_idx) in fold_of.iter().enumerate() {
        page_idxs[*fold_idx].push(page_idx);
    }
    if page_idxs.iter().filter(|page_idxs| !page_idxs.is_empty()).count() < 2 {
        let what = format!(
            "all pages are in one of {n_folds} folds, which are made by site; give pages of more sites, or leave folds out"
        );
        return Err(Error::usage(what));
    }
    let mut scores = vec![PageScore::default(); gold.pages().len()];
    for (fold_idx, page_idxs) in page_idxs.iter().enumerate() {
        if page_idxs.is_empty() {
            continue;
        }
        let pages: Vec<&Page> = page_idxs.iter().map(|page_idx| &gold.pages()[*page_idx]).collect();
        for (page_idx, score) in page_idxs.iter().zip(scored(&pages, &config_of(fold_idx)?)?) {
            scores[*page_idx] = score;
        }
    }
    Ok(Evaluation::new(gold, scores, page_idxs))
}

/// A page as a run reads it.
#[derive(Serialize)]
struct Record<'p> {
    text: &'p str,
    id: &'p str,
    url: Option<&'p str>,
    site: Option<&'p str>,
}

/// What a run wrote of it.
#[derive(Deserialize)]
struct Left {
    text: String,
}

/// Cleans pages as a corpus, and scores each.
fn scored(pages: &[&Page], config: &Config) -> Result<Vec<PageScore>> {
    let left = cleaned(pages, config)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(config.threads.unwrap_or(0)).build();
    let threads =
        threads.map_err(|error| Error::usage(format!("threads cannot be started: {error}; ask for fewer with -j")))?;
    Ok(threads.install(|| pages.par_iter().zip(&left).map(|(page, left)| PageScore::of(page, left)).collect()))
}

/// What is left of each page.
fn cleaned(pages: &[&Page], config: &Config) -> Result<Vec<String>> {
    let defaults = Config::default();
    let config = Config {
        output: None,
        format: Format::Jsonl,
        encoding: defaults.encoding,
        output_format: defaults.output_format,
        framing: Framing::None,
        text_field: defaults.text_field,
        id_field: defaults.id_field,
        url_field: defaults.url_field,
        site_field: defaults.site_field,
        compress: defaults.compress,
        compress_level: None,
        journal: None,
        report: None,
        dry_run: false,
        // The pages are not to be remembered.
        index: None,
        stdin_name: None,
        on_limit: OnLimit::Warn,
        on_bad_record: OnBadRecord::Keep,
        drop_empty: false,
        ..config.clone()
    };
    let mut records = Vec::new();
    for Page { text, id, url, site, .. } in pages {
        let record = Record { text, id, url: url.as_deref(), site: site.as_deref() };
        serde_json::to_writer(&mut records, &record).expect("text is written to memory");
        records.push(b'\n');
    }
    // A run reads files twice, which a stream cannot be.
    let fails = |source| Error::writing("temporary file".as_ref(), source);
    let mut file = tempfile::Builder::new().prefix("dehusk-").suffix(".jsonl").tempfile().map_err(fails)?;
    file.write_all(&records).map_err(fails)?;
    let mut out = Vec::new();
    let report = Run::new(&config, &())?.files_to(&[file.path().to_owned()], &mut out)?;
    if let Some(failed) = report.failed_files.first() {
        return Err(Error::record("the pages", failed.clone(), "see that the temporary folder is readable"));
    }
    let left = serde_json::Deserializer::from_slice(&out).into_iter::<Left>();
    let left: Vec<String> = left.map(|left| left.expect("a run writes the records that it reads").text).collect();
    assert_eq!(left.len(), pages.len(), "a run writes as many records as it reads, where it drops none");
    Ok(left)
}
