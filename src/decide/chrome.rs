//! Which hits hold: the conditions of rules that look at the whole document.

use super::Reason;
use crate::rules::{CompiledNear, CompiledRule, Role, RuleIdx, Rules, Side};
use crate::scan::Hit;
use crate::text::{Span, fold_tracked};

/// Something that goes by what its document itself shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chrome {
    pub(crate) block: u32,
    /// The bytes of the text that go, where not the whole block does.
    pub(crate) words: Option<Span>,
    pub(crate) reason: Reason,
}

/// A document as the rules' conditions see it.
pub(crate) struct Page<'p> {
    pub(crate) text: &'p [u8],
    pub(crate) blocks: &'p [Span],
    pub(crate) site: Option<&'p str>,
    /// The blocks that are not blank, in order. Their positions in this list are the ranks that conditions count in.
    pub(crate) shown: &'p [u32],
}

/// Finds which hits hold. Its buffers are for reuse; one for each thread.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// For each rank, the first rule that removes the whole block.
    whole: Vec<Option<RuleIdx>>,
    /// For each set of rules that others must be near, the ranks of what they remove.
    near: Vec<Ranks>,
    conditioned: Vec<Hit>,
    words: Vec<Hit>,
}

impl Judge {
    /// Appends what the rules remove from a document, in the order of its blocks, given the hits in it in their order.
    ///
    /// Where several rules remove one block, the first of the packs is the reason, and one that removes all of it comes
    /// before those that remove words.
    pub(crate) fn judge(&mut self, rules: &Rules, page: &Page<'_>, hits: &[Hit], chrome: &mut Vec<Chrome>) {
        if hits.is_empty() {
            return;
        }
        self.whole.clear();
        self.whole.resize(page.shown.len(), None);
        self.near.resize_with(rules.n_near_sets(), Ranks::default);
        for ranks in &mut self.near {
            ranks.clear(page.shown.len());
        }
        self.conditioned.clear();
        self.words.clear();
        for hit in hits {
            if rules.rule(hit.rule).is_conditioned {
                self.conditioned.push(*hit);
            } else {
                self.accept(rules, *hit);
            }
        }
        self.conditioned.sort_unstable();
        let conditioned = std::mem::take(&mut self.conditioned);
        for &rule in rules.conditioned() {
            let first = conditioned.partition_point(|hit| hit.rule < rule);
            let n_hits = conditioned[first..].partition_point(|hit| hit.rule == rule);
            self.judge_rule(rules, page, rule, &conditioned[first..first + n_hits]);
        }
        self.conditioned = conditioned;
        self.finish(page, chrome);
    }

    fn accept(&mut self, rules: &Rules, hit: Hit) {
        for &set in &rules.rule(hit.rule).near_sets {
            self.near[set].insert(hit.rank);
        }
        if hit.words.is_some() {
            self.words.push(hit);
        } else {
            let first = &mut self.whole[hit.rank];
            *first = Some(first.map_or(hit.rule, |first| first.min(hit.rule)));
        }
    }

    fn judge_rule(&mut self, rules: &Rules, page: &Page<'_>, rule: RuleIdx, hits: &[Hit]) {
        let compiled = rules.rule(rule);
        let lacks_hits = hits.is_empty() && !compiled.is_by_shape;
        let lacks_company = compiled.near.as_ref().is_some_and(|near| self.near[near.set].is_empty());
        if lacks_hits || lacks_company || !on_site(compiled, page.site) {
            return;
        }
        let whole_block = |rank| Hit { rule, rank, role: Role::Block, words: None };
        if compiled.region.is_some() {
            for rank in regions(page, compiled, hits) {
                self.accept(rules, whole_block(rank));
            }
        } else if compiled.is_by_shape {
            let reach = compiled.near.as_ref().map_or(0, |near| near.lines);
            let set = compiled.near.as_ref().map_or(0, |near| near.set);
            let candidates = self.near[set].around(reach, page.shown.len());
            for rank in candidates {
                if self.holds(page, compiled, rank) {
                    self.accept(rules, whole_block(rank));
                }
            }
        } else {
            for hit in hits {
                if self.holds(page, compiled, hit.rank) {
                    self.accept(rules, *hit);
                }
            }
        }
    }

    /// Whether all conditions of a rule hold for the block of this rank, but for its patterns.
    fn holds(&self, page: &Page<'_>, rule: &CompiledRule, rank: usize) -> bool {
        let has_company = |near: &CompiledNear| {
            let ranks = &self.near[near.set];
            let above = || ranks.any(rank.saturating_sub(near.lines)..rank);
            let below = || ranks.any(rank + 1..(rank + near.lines + 1).min(page.shown.len()));
            match near.side {
                Side::Above => above(),
                Side::Below => below(),
                Side::Either => above() || below(),
                Side::Both => above() && below(),
            }
        };
        is_in_place(page, rule, rank)
            && rule.near.as_ref().is_none_or(has_company)
            && rule
                .shape
                .is_none_or(|shape| shape.fits(page.blocks[page.shown[rank] as usize].of(page.text), rule.max_chars))
    }

    fn finish(&mut self, page: &Page<'_>, chrome: &mut Vec<Chrome>) {
        let first = chrome.len();
        let gone = self.whole.iter().zip(page.shown).filter_map(|(rule, &block)| Some((block, (*rule)?)));
        chrome.extend(gone.map(|(block, rule)| Chrome { block, words: None, reason: Reason::Rule(rule) }));
        self.words.retain(|hit| self.whole[hit.rank].is_none());
        if self.words.is_empty() {
            return;
        }
        self.words.sort_by_key(|hit| (hit.rank, hit.words, hit.rule));
        for hits in self.words.chunk_by(|first, second| first.rank == second.rank) {
            cut_words(page, hits, chrome);
        }
        chrome[first..].sort_by_key(|chrome| (chrome.block, chrome.words));
    }
}

/// A set of ranks.
#[derive(Debug, Default)]
struct Ranks {
    words: Vec<u64>,
    is_empty: bool,
}

impl Ranks {
    fn clear(&mut self, n_ranks: usize) {
        self.words.clear();
        self.words.resize(n_ranks.div_ceil(64), 0);
        self.is_empty = true;
    }

    fn is_empty(&self) -> bool {
        self.is_empty
    }

    fn insert(&mut self, rank: usize) {
        self.words[rank / 64] |= 1 << (rank % 64);
        self.is_empty = false;
    }

    /// Whether one of `range` is in the set.
    fn any(&self, range: std::ops::Range<usize>) -> bool {
        range.into_iter().any(|rank| self.words[rank / 64] >> (rank % 64) & 1 == 1)
    }

    /// All ranks at most `reach` away from one in the set, ascending.
    fn around(&self, reach: usize, n_ranks: usize) -> Vec<usize> {
        let mut around = Vec::new();
        let mut next = 0;
        for (word_idx, &word) in self.words.iter().enumerate() {
            let mut word = word;
            while word != 0 {
                let rank = word_idx * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                around.extend(next.max(rank.saturating_sub(reach))..(rank + reach + 1).min(n_ranks));
                next = (rank + reach + 1).min(n_ranks);
            }
        }
        around
    }
}

fn is_in_place(page: &Page<'_>, rule: &CompiledRule, rank: usize) -> bool {
    let from_end = page.shown.len() - rank;
    match (rule.head, rule.tail) {
        (None, None) => true,
        (head, tail) => head.is_some_and(|head| rank < head) || tail.is_some_and(|tail| from_end <= tail),
    }
}

/// The ranks of a rule's regions, ascending. A region starts at the first block that starts it and stops at the first after
/// that which ends it.
fn regions(page: &Page<'_>, rule: &CompiledRule, hits: &[Hit]) -> Vec<usize> {
    let Some(region) = rule.region else {
        return Vec::new();
    };
    let n_shown = page.shown.len();
    let ranks_of = |role: Role| hits.iter().filter(move |hit| hit.role == role).map(|hit| hit.rank).collect::<Vec<_>>();
    let (starts, ends) = (ranks_of(Role::RegionStart), ranks_of(Role::RegionEnd));
    let mut ranks: Vec<usize> = Vec::new();
    let starts = if region.has_start { starts } else { vec![0] };
    for start in starts {
        if ranks.last().is_some_and(|last| start <= *last) {
            continue;
        }
        let end = if region.has_end {
            ends.get(ends.partition_point(|end| *end < start)).copied()
        } else {
            Some(n_shown - 1)
        };
        let Some(end) = end else { continue };
        let inner_edge = if region.has_start { start } else { end };
        let fits = region.max_lines.is_none_or(|max_lines| end - start < max_lines);
        if fits && is_in_place(page, rule, inner_edge) {
            ranks.extend(start..=end);
        }
    }
    ranks
}

/// Finds the bytes of the text for words that match in one folded block; the whole block goes if nothing stays of it.
fn cut_words(page: &Page<'_>, hits: &[Hit], chrome: &mut Vec<Chrome>) {
    let block = page.shown[hits[0].rank];
    let span = page.blocks[block as usize];
    let (mut folded, mut origins) = (Vec::new(), Vec::new());
    fold_tracked(span.of(page.text), &mut folded, &mut origins);
    let mut stays = vec![true; folded.len()];
    let mut cut_to = span.start;
    let base = chrome.len();
    for hit in hits {
        let Some(words) = hit.words else { continue };
        let (Some(first), Some(last)) = (origins.get(words.start), origins.get(words.end.saturating_sub(1))) else {
            continue;
        };
        stays[words.start..words.end].fill(false);
        let cut = Span::new((span.start + first.start).max(cut_to), (span.start + last.end).max(cut_to));
        if !cut.is_empty() {
            chrome.push(Chrome { block, words: Some(cut), reason: Reason::Rule(hit.rule) });
            cut_to = cut.end;
        }
    }
    let rest: Vec<u8> = folded.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(byte, _)| *byte).collect();
    if crate::rules::core_of(&rest).is_empty() {
        chrome.truncate(base);
        let first = hits.iter().map(|hit| hit.rule).min();
        chrome.extend(first.map(|rule| Chrome { block, words: None, reason: Reason::Rule(rule) }));
    }
}

/// Adds blocks that go for other reasons, in their order, to what goes of a document: `chrome` from `first` on. What removes a
/// whole block already is the reason, unless that it looks like chrome was all; words that go of a block go with it.
pub(crate) fn join(chrome: &mut Vec<Chrome>, first: usize, blocks: impl Iterator<Item = (u32, Reason)>) {
    let mut blocks = blocks.peekable();
    if blocks.peek().is_none() {
        return;
    }
    let mut others = chrome.split_off(first).into_iter().peekable();
    for (block, reason) in blocks {
        chrome.extend(std::iter::from_fn(|| others.next_if(|other| other.block < block)));
        let mut joined = Chrome { block, words: None, reason };
        while let Some(other) = others.next_if(|other| other.block == block) {
            if other.words.is_none() && !matches!(other.reason, Reason::Score(_)) {
                joined = other;
            }
        }
        chrome.push(joined);
    }
    chrome.extend(others);
}

fn on_site(rule: &CompiledRule, site: Option<&str>) -> bool {
    let is_or_under = |wanted: &String| {
        site.is_some_and(|site| {
            let above = site.len().checked_sub(wanted.len()).map(|start| site.split_at_checked(start));
            above.flatten().is_some_and(|(above, end)| {
                end.eq_ignore_ascii_case(wanted) && (above.is_empty() || above.ends_with('.'))
            })
        })
    };
    rule.sites.is_empty() || rule.sites.iter().any(is_or_under)
}
