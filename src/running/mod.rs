//! Running lines: the headers and footers that the pages of one document repeat, but for the number of the page.
//!
//! ```text
//!   … and so the ship left.             the last line above a page break: a bottom
//!
//!   Harbour Gazette         [Page 7]    numbered: one of its numbers grows from page to page
//!   ␌                                   pages end at form feeds, or just every so many lines
//!   Vol. 3     Ships and cats   1990    company: most pages have it beside the break
//!
//!   The cat came back when …            the first line below: a top
//! ```
//!
//! Chapters, lists, tables and verses are numbered too, but they are not as long as each other, or not as long as a page. So a
//! line counts as numbered only where its copies stand beside form feeds that divide the document evenly, or divide it
//! evenly themselves.

mod company;
mod form;

use crate::text::{Span, Unit};
use form::{Form, Forms, has_word, read_numbers};

/// How many lines a page has.
const FEWEST_LINES: u32 = 25;
const MOST_LINES: u32 = 150;
/// How many copies a running line has at least.
const LEAST: usize = 3;
/// How many it has where nothing but itself tells the pages.
const LEAST_PLAIN: usize = 5;

/// A running line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    /// Its block.
    pub(crate) block: u32,
    /// How many pages have it.
    pub(crate) pages: u32,
}

/// Buffers for reuse; one for each thread.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    forms: Forms,
    feeds: Feeds,
    /// For paragraphs, the line that each block starts with.
    first_lines: Vec<u32>,
    /// The lines with a number, by their ranks, which are their positions among the blocks that are not blank.
    candidates: Vec<(Form, u32)>,
    members: Vec<u32>,
    numbers: Vec<u32>,
    distances: Vec<u32>,
    /// For each rank, how many pages have the line, if it is a running one.
    pages: Vec<u32>,
    company: company::Scratch,
}

/// The form feeds of a document. Where they are not even, they may divide chapters, and what stands below them is no top.
#[derive(Debug, Default)]
struct Feeds {
    /// The lines that they stand on.
    lines: Vec<u32>,
    /// The ranks of the first lines below them, and of the last ones above.
    tops: Vec<u32>,
    bottoms: Vec<u32>,
    /// Both, sorted; none if they are too few.
    edges: Vec<u32>,
    are_even: bool,
}

/// Appends the running lines of a document to `running`, in the order of the text.
///
/// `shown` are the blocks that are not blank. A block of several lines is no running line. Costs a search for digits; a document
/// that is too short for several pages is not looked at.
pub(crate) fn find(
    text: &[u8],
    unit: Unit,
    blocks: &[Span],
    shown: &[u32],
    scratch: &mut Scratch,
    running: &mut Vec<Running>,
) {
    let n_lines = match unit {
        Unit::Line => blocks.len(),
        Unit::Paragraph => memchr::memchr_iter(b'\n', text).count(),
    };
    let fewest = |copies: usize| (copies - 1) * FEWEST_LINES as usize;
    if n_lines < fewest(LEAST) || shown.len() < LEAST_PLAIN {
        return;
    }
    let mut pages = Pages { text, unit, blocks, shown, scratch };
    pages.find_feeds();
    if !pages.has_feeds() && n_lines < fewest(LEAST_PLAIN) {
        return;
    }
    if pages.find_numbered() || pages.scratch.feeds.are_even {
        pages.find_company();
        let all = pages.scratch.pages.iter().zip(shown).filter(|(pages, _)| **pages > 0);
        running.extend(all.map(|(&pages, &block)| Running { block, pages }));
    }
}

/// A document, and what is known of its pages.
struct Pages<'d> {
    text: &'d [u8],
    unit: Unit,
    blocks: &'d [Span],
    shown: &'d [u32],
    scratch: &'d mut Scratch,
}

impl Pages<'_> {
    fn has_feeds(&self) -> bool {
        !self.scratch.feeds.edges.is_empty()
    }

    fn block(&self, rank: u32) -> Span {
        self.blocks[self.shown[rank as usize] as usize]
    }

    /// The number of the line that a block of this rank starts with.
    fn line(&self, rank: u32) -> u32 {
        let block = self.shown[rank as usize];
        self.scratch.first_lines.get(block as usize).copied().unwrap_or(block)
    }

    fn find_feeds(&mut self) {
        self.scratch.feeds.clear();
        self.scratch.first_lines.clear();
        if self.unit == Unit::Paragraph {
            self.scratch.first_lines.extend(self.blocks.iter().scan(0u32, |line, block| {
                let n_lines = memchr::memchr_iter(b'\n', block.of(self.text)).count();
                Some(std::mem::replace(line, line.saturating_add(u32::try_from(n_lines).unwrap_or(u32::MAX))))
            }));
        }
        let Scratch { feeds, first_lines, distances, .. } = &mut *self.scratch;
        for at in memchr::memchr_iter(b'\x0c', self.text) {
            let block_idx = self.blocks.partition_point(|block| block.end <= at);
            let block = u32::try_from(block_idx).expect("a document's blocks are numbered with 32 bits");
            feeds.lines.push(first_lines.get(block_idx).copied().unwrap_or(block));
            let rank = self.shown.partition_point(|shown| *shown < block);
            let is_shown = self.shown.get(rank) == Some(&block);
            let before = &self.text[self.blocks[block_idx].start..at];
            // A form feed behind the text of its line ends the page below it.
            let top = if is_shown && !before.iter().all(|byte| matches!(byte, b' ' | b'\t')) { rank + 1 } else { rank };
            let rank_of = |rank: usize| u32::try_from(rank).expect("ranks are no more than blocks");
            feeds.bottoms.extend(top.checked_sub(1).map(rank_of));
            feeds.tops.extend((top < self.shown.len()).then(|| rank_of(top)));
        }
        feeds.finish(distances);
    }

    /// Finds the lines one of whose numbers grows from page to page. Whether there are any.
    fn find_numbered(&mut self) -> bool {
        let n_shown = u32::try_from(self.shown.len()).expect("blocks are numbered with 32 bits");
        self.scratch.candidates.clear();
        for rank in 0..n_shown {
            let block = self.block(rank).of(self.text);
            if form::has_digit(block)
                && let Some(form) = self.scratch.forms.of(block)
            {
                self.scratch.candidates.push((form, rank));
            }
        }
        self.scratch.pages.clear();
        let least = if self.has_feeds() { LEAST } else { LEAST_PLAIN };
        if self.scratch.candidates.len() < least {
            return false;
        }
        let mut candidates = std::mem::take(&mut self.scratch.candidates);
        candidates.sort_unstable();
        let groups = candidates.chunk_by(|(first, _), (second, _)| first == second);
        for group in groups.filter(|group| group.len() >= least) {
            if self.is_numbered(group) {
                self.scratch.pages.resize(self.shown.len(), 0);
                let n_pages = u32::try_from(self.scratch.members.len()).unwrap_or(u32::MAX);
                for member in &self.scratch.members {
                    self.scratch.pages[*member as usize] = n_pages;
                }
            }
        }
        self.scratch.candidates = candidates;
        !self.scratch.pages.is_empty()
    }

    /// Whether lines of one form are numbered as pages are; they are then the members.
    fn is_numbered(&mut self, group: &[(Form, u32)]) -> bool {
        let [(_, first), .., (_, last)] = *group else { return false };
        let n_at_edges = group.iter().filter(|(_, rank)| self.scratch.feeds.are_beside(*rank)).count();
        let n_steps = u32::try_from(group.len() - 1).unwrap_or(u32::MAX);
        // Four fifths of the steps are nine tenths of a page long, at least.
        let is_dense = self.line(last) - self.line(first) < n_steps.saturating_mul(FEWEST_LINES * 18 / 25);
        let may_be_alone = !self.scratch.feeds.are_even && group.len() >= LEAST_PLAIN && !is_dense;
        if n_at_edges < LEAST && !may_be_alone {
            return false;
        }
        let has_word = has_word(self.scratch.forms.folded(self.block(first).of(self.text)));
        let mut members = std::mem::take(&mut self.scratch.members);
        members.clear();
        // Without a word, only form feeds make a number a page's.
        let counts = |rank: &u32| has_word || self.scratch.feeds.are_beside(*rank);
        members.extend(group.iter().map(|(_, rank)| *rank).filter(counts));
        let is_beside_feeds = n_at_edges >= LEAST && is_most(n_at_edges, members.len());
        let is_numbered = if is_beside_feeds {
            self.grows(&members, |_| true)
        } else {
            let n_steps = members.len().saturating_sub(1);
            may_be_alone && has_word && self.grows(&members, |twelfths| are_pages(twelfths, 12, n_steps, 10))
        };
        self.scratch.members = members;
        is_numbered
    }

    /// Whether one of the numbers of some lines grows as that of a page does, and the pages are fit, given how many twelfths
    /// of a line each has.
    fn grows(&mut self, members: &[u32], are_fit: impl Fn(&mut [u32]) -> bool) -> bool {
        let mut numbers = std::mem::take(&mut self.scratch.numbers);
        let mut distances = std::mem::take(&mut self.scratch.distances);
        numbers.clear();
        for member in members {
            let block = self.block(*member).of(self.text);
            read_numbers(self.scratch.forms.folded(block), &mut numbers);
        }
        let n_slots = numbers.len() / members.len();
        let grows = (0..n_slots).any(|slot| {
            let number = |member: usize| numbers[member * n_slots + slot];
            distances.clear();
            for (member, pair) in (1..).zip(members.windows(2)) {
                let n_pages =
                    number(member).checked_sub(number(member - 1)).filter(|n_pages| (1..=4).contains(n_pages));
                // In twelfths, so that all of the quotients are whole.
                let twelfths = (self.line(pair[1]) - self.line(pair[0])).saturating_mul(12);
                distances.extend(n_pages.map(|n_pages| twelfths / n_pages));
            }
            is_most(distances.len(), members.len() - 1) && are_fit(&mut distances)
        });
        self.scratch.distances = distances;
        self.scratch.numbers = numbers;
        grows
    }
}

impl Feeds {
    fn clear(&mut self) {
        for list in [&mut self.lines, &mut self.tops, &mut self.bottoms, &mut self.edges] {
            list.clear();
        }
        self.are_even = false;
    }

    /// Sees what they divide, given all lines beside them.
    fn finish(&mut self, distances: &mut Vec<u32>) {
        for list in [&mut self.lines, &mut self.tops, &mut self.bottoms] {
            list.dedup();
        }
        distances.clear();
        distances.extend(self.lines.windows(2).map(|pair| pair[1] - pair[0]));
        let n_distances = distances.len();
        self.are_even = are_pages(distances, 1, n_distances, 4);
        if !self.are_even {
            self.tops.clear();
        }
        self.edges.extend(self.tops.iter().chain(&self.bottoms));
        self.edges.sort_unstable();
        self.edges.dedup();
        let enough = if self.are_even { 2 * LEAST } else { LEAST };
        if self.edges.len() < enough {
            self.clear();
        }
    }

    fn are_beside(&self, rank: u32) -> bool {
        self.edges.binary_search(&rank).is_ok()
    }
}

/// Whether distances, in so many parts of a line, are those of pages: most of `n_all`, some of which are not there, are as the
/// one in the middle, but for one part in `tolerance`.
fn are_pages(distances: &mut [u32], parts: u32, n_all: usize, tolerance: u32) -> bool {
    distances.sort_unstable();
    let Some(&middle) = distances.get(distances.len() / 2) else { return false };
    let n_even = distances.iter().filter(|distance| distance.abs_diff(middle) <= middle / tolerance).count();
    (FEWEST_LINES * parts..=MOST_LINES * parts).contains(&middle) && is_most(n_even, n_all)
}

/// Whether some are four fifths of all.
fn is_most(n_some: usize, n_all: usize) -> bool {
    n_some * 5 >= n_all * 4
}
