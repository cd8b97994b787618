//! Learning the weights of the line score from labelled pages.
//!
//! ```text
//! pages ─┬─▶ lines: shapes and word features ──▶ linear score, once of all pages, and once for each fold without it
//!        │                                                │ of each page by the linear score that has not seen it
//! made-up documents without chrome, variants of pages ────┴─▶ columns ──▶ trees
//! ```
//! Trees that saw the linear scores of lines from which those were learned would trust them too much; so pages are split by
//! site, and the trees learn from linear scores of pages that were not learned from. The same pages and the same seed give
//! the same weights, byte for byte, whatever the order of the pages and the number of threads.

mod boost;
mod documents;
mod linear;
mod variants;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::eval::{self, Evaluation, Gold, Page};
use crate::score::{self, About, Line, N_COLUMNS, Score, Thresholds, Tokens, Weights, Words};
use crate::store::refuse_url;
use documents::Labelled;
use linear::{Linear, Row};
use rayon::prelude::*;
use std::path::Path;

/// The pages are split so finely that each linear score is learned from most of them.
const N_FOLDS: usize = 5;
/// One page in so many is learned from once more without its words, for pages in languages that no word is known of.
const WORDLESS: usize = 6;
const WORDLESS_WEIGHT: f64 = 0.7;
const MADE_UP_WEIGHT: f64 = 0.5;
const VARIANT_WEIGHT: f64 = 0.5;
/// The seed of the weights that come with dehusk, and of those that are made for folds.
const SEED: u64 = 1;
/// The least scores that lines go for, as chosen on the out-of-fold scores of the project's labelled pages: see
/// `docs/quality.md`.
const THRESHOLDS: [u16; 3] = [850, 550, 450];

/// What names a page among those that weights were learned from.
pub(crate) fn fingerprint(page: &Page) -> u32 {
    let [a, b, c, d, ..] = *blake3::hash(page.text.as_bytes()).as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Learns weights, as a file that `--weights` reads, and says what they were learned from.
///
/// Costs some tens of CPU-seconds for a thousand pages.
///
/// # Errors
///
/// When the pages are of less than two folds of sites, or have no line that stays or none that goes.
///
/// ```no_run
/// use dehusk::{Config, eval::Gold, train};
///
/// let gold = Gold::read("gold.jsonl".as_ref(), &Config::default())?;
/// let pages: Vec<_> = gold.pages().iter().collect();
/// let (weights, about) = train::learn(&pages, 1)?;
/// println!("{} lines", about.lines);
/// std::fs::write("own.weights", weights).expect("the folder is writable");
/// # Ok::<(), dehusk::Error>(())
/// ```
pub fn learn(pages: &[&Page], seed: u64) -> Result<(Vec<u8>, About)> {
    let mut pages = pages.to_vec();
    pages.sort_by_key(|page| (*blake3::hash(page.text.as_bytes()).as_bytes(), &page.id));
    let documents = read(&pages, seed);
    let folds: Vec<usize> =
        (0..N_FOLDS).filter(|fold| documents.iter().any(|document| document.origin.fold == *fold)).collect();
    let has =
        |is_chrome: bool| documents.iter().flat_map(|document| &document.rows).any(|row| row.is_chrome == is_chrome);
    if folds.len() < 2 || !has(true) || !has(false) {
        let what =
            "the pages are too few to learn from: they must be of several sites, and have lines that stay and that go";
        return Err(Error::usage(format!("{what}; give more pages")));
    }
    // The last is learned from all.
    let held_out: Vec<Option<usize>> = folds.iter().copied().map(Some).chain([None]).collect();
    let mut linears: Vec<Linear> = held_out
        .par_iter()
        .map(|held_out| {
            let learned =
                documents.iter().filter(|document| document.has_own_words && Some(document.origin.fold) != *held_out);
            linear::learn(&learned.map(Document::as_linear).collect::<Vec<_>>())
        })
        .collect();
    let full = linears.pop().expect("the last is learned from all");
    let scorers: Vec<(usize, LinearScorer)> =
        folds.into_iter().zip(linears.into_iter().map(LinearScorer::new)).collect();
    let mut table = boost::Table::default();
    for document in &documents {
        let scorer = scorers.iter().find(|(fold, _)| *fold == document.origin.fold);
        let (_, scorer) = scorer.expect("there is a linear score for every fold that has documents");
        document.add_to(&mut table, scorer, true, 1.0);
        if document.is_wordless_too {
            document.add_to(&mut table, scorer, false, WORDLESS_WEIGHT);
        }
    }
    let (base, trees) = boost::learn(&table, seed);
    let about = About {
        dehusk: env!("CARGO_PKG_VERSION").into(),
        seed,
        data: data_checksum(&pages),
        pages: pages.len(),
        lines: table.is_chrome.len(),
    };
    let mut known: Vec<u32> = pages.iter().map(|page| fingerprint(page)).collect();
    known.sort_unstable();
    known.dedup();
    let [safe, balanced, strict] = THRESHOLDS.map(Score::from_thousandths);
    let Linear { words, word_unit, shapes, bias } = full;
    let weights = Weights {
        about: about.clone(),
        thresholds: Thresholds { safe, balanced, strict },
        words,
        word_unit,
        shapes,
        bias,
        base,
        trees,
        pages: known,
    };
    Ok((weights.to_bytes(), about))
}

/// As [`learn`], into a file.
///
/// # Errors
///
/// As [`learn`], and when the file exists and must not be replaced, or cannot be written.
pub fn learn_to(pages: &[&Page], seed: u64, path: &Path, may_replace: bool) -> Result<About> {
    refuse_url(path, "a file of weights")?;
    let (weights, about) = learn(pages, seed)?;
    crate::run::write_whole(path, &weights, may_replace)?;
    Ok(about)
}

/// How many of some pages the weights that a configuration asks for were learned from; none where nothing is scored.
///
/// # Errors
///
/// When the weights cannot be read.
pub fn n_known(gold: &Gold, config: &Config) -> Result<usize> {
    let Some(scorer) = config.scorer()? else { return Ok(0) };
    Ok(gold.pages().iter().filter(|page| scorer.knows(fingerprint(page))).count())
}

/// Evaluates a configuration on folds as [`eval::evaluate_folds`] does, each fold by weights that were not learned from it:
/// where those of the configuration know some of the pages, by weights learned anew from the pages of the other folds.
///
/// # Errors
///
/// As [`eval::evaluate_folds`] and [`learn`], and when a temporary file cannot be written.
pub fn evaluate_folds<'g>(gold: &'g Gold, n_folds: usize, config: &Config) -> Result<Evaluation<'g>> {
    if n_known(gold, config)? == 0 {
        return eval::evaluate_folds(gold, n_folds, |_| Ok(config.clone()));
    }
    let fails = |source| Error::writing("temporary folder".as_ref(), source);
    let folder = tempfile::Builder::new().prefix("dehusk-").tempdir().map_err(fails)?;
    eval::evaluate_folds(gold, n_folds, |fold_idx| {
        let others: Vec<&Page> = gold.pages().iter().filter(|page| page.fold(n_folds) != fold_idx).collect();
        let path = folder.path().join(format!("{fold_idx}.weights"));
        learn_to(&others, SEED, &path, false)?;
        Ok(Config { weights: Some(path), ..config.clone() })
    })
}

fn data_checksum(pages: &[&Page]) -> String {
    let mut hasher = blake3::Hasher::new();
    for page in pages {
        hasher.update(blake3::hash(page.text.as_bytes()).as_bytes());
        let flags: Vec<u8> = page
            .is_gold
            .iter()
            .zip(&page.is_ignored)
            .map(|(gold, ignored)| u8::from(*gold) | u8::from(*ignored) << 1)
            .collect();
        hasher.update(blake3::hash(&flags).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Documents of one site have one group, and are in one fold.
#[derive(Clone, Copy, Debug)]
struct Origin {
    group: usize,
    fold: usize,
}

/// A document to learn from.
struct Document {
    origin: Origin,
    rows: Vec<Row>,
    lines: Vec<Line>,
    features: Vec<Vec<u32>>,
    /// Whether it is no variant of others, so that words are learned from it.
    has_own_words: bool,
    is_wordless_too: bool,
}

/// Reads all pages, and makes up documents besides. Weights are one in the mean over the pages' lines.
fn read(pages: &[&Page], seed: u64) -> Vec<Document> {
    let mut sites: Vec<&str> = pages.iter().map(|page| page.site().unwrap_or(&page.id)).collect();
    sites.sort_unstable();
    sites.dedup();
    let mut datasets: Vec<&str> = pages.iter().map(|page| page.dataset.as_str()).collect();
    datasets.sort_unstable();
    let n_datasets = datasets.chunk_by(|first, second| first == second).count();
    let mean_size = pages.len() as f64 / n_datasets as f64;
    let mut of_folds: Vec<Vec<&Page>> = vec![Vec::new(); N_FOLDS];
    for page in pages {
        of_folds[page.fold(N_FOLDS)].push(page);
    }
    let mut documents = Vec::new();
    let (mut sum, mut n_lines) = (0.0, 0_usize);
    for page in pages {
        let fold = page.fold(N_FOLDS);
        let origin = Origin { group: sites.partition_point(|site| *site < page.site().unwrap_or(&page.id)), fold };
        // So that small datasets are not forgotten beside large ones.
        let n_pages = datasets.iter().filter(|dataset| **dataset == page.dataset).count();
        let share = (mean_size / n_pages as f64).sqrt().clamp(0.7, 2.0);
        let mut random = Random::of(page.id.as_bytes(), seed ^ 1);
        let mut is_wordless_too = || random.below(WORDLESS) == 0;
        let document = Document::read(&Labelled::of(page), origin, share);
        sum += document.rows.iter().map(|row| row.weight).sum::<f64>();
        n_lines += document.rows.len();
        documents.push(Document { is_wordless_too: is_wordless_too(), ..document });
        for made_up in documents::make(page, seed) {
            let lines: Vec<Labelled<'_>> = made_up.lines.iter().map(|line| Labelled::gold(line)).collect();
            documents.push(Document::read(&lines, origin, MADE_UP_WEIGHT));
        }
        for lines in variants::make(page, &of_folds[fold], seed) {
            let document = Document::read(&lines, origin, VARIANT_WEIGHT);
            documents.push(Document { has_own_words: false, is_wordless_too: is_wordless_too(), ..document });
        }
    }
    let mean = sum / (n_lines as f64).max(1.0);
    for row in documents.iter_mut().flat_map(|document| &mut document.rows) {
        row.weight /= mean.max(1e-9);
    }
    documents
}

impl Document {
    /// Reads lines, of which those that are blank are none. `share` is how much the document counts.
    fn read(labelled: &[Labelled<'_>], origin: Origin, share: f64) -> Self {
        let (mut rows, mut lines, mut features) = (Vec::new(), Vec::new(), Vec::new());
        let mut tokens = Tokens::default();
        for Labelled { text, is_chrome, counts } in labelled.iter().copied() {
            let Some(line) = Line::look(text.as_bytes(), &mut tokens) else { continue };
            let weight = if counts { (f64::from(line.words).min(60.0) + 1.0).sqrt() } else { 0.0 };
            rows.push(Row { shape: line.shape(), is_chrome, weight });
            lines.push(line);
            features.push(tokens.features().to_vec());
        }
        // A long page counts for more than a short one, but not by as much as it is longer.
        let sum: f64 = rows.iter().map(|row| row.weight).sum();
        for row in &mut rows {
            row.weight *= share / sum.max(1.0).sqrt();
        }
        Document { origin, rows, lines, features, has_own_words: true, is_wordless_too: false }
    }

    fn as_linear(&self) -> linear::Document<'_> {
        linear::Document { group: self.origin.group, rows: &self.rows, features: &self.features }
    }

    /// Adds its lines to what trees learn from.
    fn add_to(&self, table: &mut boost::Table, scorer: &LinearScorer, with_words: bool, share: f64) {
        let mut page = score::Page::default();
        page.lines.extend(self.lines.iter().zip(&self.features).map(|(line, features)| {
            let mut line = *line;
            if with_words {
                line.weigh(&scorer.words, features);
            }
            line
        }));
        page.score_linearly(&scorer.linear.shapes, scorer.linear.bias);
        page.find_columns(&scorer.linear.shapes, scorer.linear.bias);
        table.columns.resize_with(N_COLUMNS, Vec::new);
        let counts = |row: &&Row| row.weight > 0.0;
        for (column_idx, column) in table.columns.iter_mut().enumerate() {
            let values = self.rows.iter().zip(page.columns.column(column_idx));
            column.extend(values.filter(|(row, _)| counts(row)).map(|(_, value)| value));
        }
        for row in self.rows.iter().filter(counts) {
            table.is_chrome.push(row.is_chrome);
            #[expect(clippy::cast_possible_truncation, reason = "a weight is a small number")]
            table.weights.push((row.weight * share) as f32);
        }
    }
}

struct LinearScorer {
    words: Words,
    linear: Linear,
}

impl LinearScorer {
    fn new(linear: Linear) -> Self {
        LinearScorer { words: Words::new(linear.words.iter().copied(), linear.word_unit), linear }
    }
}

/// Numbers drawn from a name and a seed (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn of(name: &[u8], seed: u64) -> Self {
        let hash = blake3::hash(&[name, &seed.to_le_bytes()].concat());
        let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
        Random(u64::from_le_bytes(*first) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    /// A number below `limit`; zero if it is zero.
    fn below(&mut self, limit: usize) -> usize {
        let drawn = self.next().checked_rem(limit as u64).unwrap_or(0);
        usize::try_from(drawn).expect("it is below a number of that size")
    }
}
