//! Decisions: which blocks of a document go, and why. Nothing is edited here.
//!
//! ```text
//! hits ──▶ chrome: which rules' conditions hold in this document ─┐
//!                                                                ├─▶ gaps: blank blocks left between cuts ──▶ decisions
//! marks ─▶ repeats: what stands earlier, with its short lines ────┘
//! ```

mod chrome;
mod displaced;
mod repeats;

pub(crate) use chrome::{Chrome, Judge, Page, join};
pub(crate) use displaced::{Displaced, fingerprint_of_rest};
pub(crate) use repeats::{Copies, MAX_GAP, PartCopies, Repeats, Side, Witnesses, decide_repeats};

use crate::index::{Mark, Place};
use crate::rules::RuleIdx;
use crate::score::Score;
use crate::text::Span;
use serde::{Deserialize, Serialize};

/// Where repeats are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Within each document.
    Document,
    /// Within the documents of one site; a document without a site is one of its own.
    Site,
    /// Within all documents.
    #[default]
    Corpus,
    /// Nowhere: repeats stay.
    Off,
}

/// Which copy of a repeated block stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The first in input order.
    #[default]
    First,
    /// None: what stands twice goes everywhere.
    None,
}

/// Why something is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A rule matched.
    Rule(RuleIdx),
    /// It looks like chrome.
    Score(Score),
    /// The pages of its site repeat it.
    Template(Template),
    /// The pages of its document repeat it, so many times: a running header or footer.
    Running(u32),
    /// The block, or the passage that it is a short line of, stands at this place too (the first, unless no copy stays).
    Repeat(Place),
    /// The whole document is a copy of the one that starts at this place.
    Copy(Place),
    /// A blank block that separated something removed from its neighbours.
    Gap,
}

impl Reason {
    /// What it is called in a journal.
    pub fn name(&self) -> &'static str {
        match self {
            Reason::Rule(_) => "rule",
            Reason::Score(_) => "score",
            Reason::Template(_) => "template",
            Reason::Running(_) => "running",
            Reason::Repeat(_) => "repeat",
            Reason::Copy(_) => "copy",
            Reason::Gap => "gap",
        }
    }
}

/// How many of a site's pages have a block that is a template of the site; none where it was learned when the page came first, in another run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// The pages that have it.
    pub documents: u32,
    /// The pages that were looked at.
    pub of: u32,
}

/// A removal: of one block, or of some words in it. What has no decision stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The block, by its number in the document.
    pub block: u32,
    /// The bytes of the text that go, where not the whole block does.
    pub words: Option<Span>,
    /// Why.
    pub reason: Reason,
}

/// Decides on one document: appends what goes to `decisions`, in the order of the text.
///
/// The document is number `document_idx` of the part that `copies` are of; `chrome` is what a [`Judge`] found in it.
pub(crate) fn decide(copies: &impl Copies, document_idx: usize, chrome: &[Chrome], decisions: &mut Vec<Decision>) {
    let base = decisions.len();
    let trace = copies.trace();
    let blocks = trace.blocks_of(document_idx);
    decide_repeats(copies, document_idx, decisions);
    let n_repeats = decisions.len();
    for chrome in chrome {
        let decision = Decision { block: chrome.block, words: chrome.words, reason: chrome.reason };
        match decisions[base..n_repeats].binary_search_by_key(&chrome.block, |decision| decision.block) {
            Err(_) => decisions.push(decision),
            // A rule that removes the block is the reason, even in a copy of a whole document.
            Ok(offset) if chrome.words.is_none() => decisions[base + offset] = decision,
            // What goes as a repeat goes whole, and rules take no words of it.
            Ok(_) => {}
        }
    }
    if decisions.len() == base {
        return;
    }
    let start = blocks.start;
    gaps(blocks.len(), |block_idx| trace.mark(start + block_idx) == Mark::BLANK, base, decisions);
    decisions[base..].sort_by_key(|decision| (decision.block, decision.words));
}

/// Removes the blank blocks that only separated what is removed. Between two blocks that stay, the blank ones before the
/// first cut stay, or else those after the last; at a page break only one of them, since the others filled the page.
fn gaps(n_blocks: usize, is_blank: impl Fn(usize) -> bool, base: usize, decisions: &mut Vec<Decision>) {
    let mut is_cut = vec![false; n_blocks];
    for decision in decisions[base..].iter().filter(|decision| decision.words.is_none()) {
        is_cut[decision.block as usize] = true;
    }
    let running = decisions[base..].iter().filter(|decision| matches!(decision.reason, Reason::Running(_)));
    let mut page_breaks: Vec<usize> = running.map(|decision| decision.block as usize).collect();
    page_breaks.sort_unstable();
    let mut block_idx = 0;
    while block_idx < n_blocks {
        if !is_cut[block_idx] && !is_blank(block_idx) {
            block_idx += 1;
            continue;
        }
        // A run of cut and blank blocks, between blocks that stay or the document's edges.
        let run_start = block_idx;
        while block_idx < n_blocks && (is_cut[block_idx] || is_blank(block_idx)) {
            block_idx += 1;
        }
        let run = run_start..block_idx;
        let Some(first_cut) = run.clone().find(|&idx| is_cut[idx]) else {
            continue;
        };
        let last_cut = run.clone().rfind(|&idx| is_cut[idx]).unwrap_or(first_cut);
        let at_edge = run.start == 0 || run.end == n_blocks;
        let is_above = first_cut > run.start;
        let stay = if is_above { run.start..first_cut } else { last_cut + 1..run.end };
        let one = if is_above { run.start } else { run.end - 1 };
        let first_break = page_breaks.partition_point(|block| *block < run.start);
        let has_break = page_breaks.get(first_break).is_some_and(|block| run.contains(block));
        let stays = |idx: usize| !at_edge && stay.contains(&idx) && (idx == one || !has_break);
        for idx in run.filter(|&idx| !is_cut[idx] && !stays(idx)) {
            let block = u32::try_from(idx).expect("the blocks of a part are numbered with 32 bits");
            decisions.push(Decision { block, words: None, reason: Reason::Gap });
        }
    }
}
