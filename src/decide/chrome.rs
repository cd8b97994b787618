//! Which hits hold: the conditions of rules that look at the whole document.

use crate::rules::{CompiledRule, Removal, Role, RuleIdx, Rules, Side};
use crate::scan::Hit;
use crate::text::{Span, fold_tracked};
use std::collections::BTreeMap;

/// Something that a rule removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ruled {
    pub(crate) block: u32,
    /// The bytes of the text that go, where not the whole block does.
    pub(crate) words: Option<Span>,
    pub(crate) rule: RuleIdx,
}

/// A document as the rules' conditions see it.
pub(crate) struct Page<'p> {
    pub(crate) text: &'p [u8],
    pub(crate) blocks: &'p [Span],
    pub(crate) site: Option<&'p str>,
    /// The blocks that are not blank, in order. Their positions in this list are the ranks that conditions count in.
    pub(crate) shown: &'p [u32],
}

/// Appends what the rules remove from a document, in the order of its blocks, given the hits in it.
///
/// Where several rules remove one block, the first of the packs is the reason, and one that removes all of it comes before
/// those that remove words.
pub(crate) fn chrome(rules: &Rules, page: &Page<'_>, hits: &mut [Hit], ruled: &mut Vec<Ruled>) {
    if hits.is_empty() {
        return;
    }
    hits.sort_unstable();
    let mut judge = Judge { rules, page, accepted: BTreeMap::new(), whole: BTreeMap::new(), words: Vec::new() };
    for &rule in rules.order() {
        let first = hits.partition_point(|hit| hit.rule < rule);
        let end = hits.partition_point(|hit| hit.rule <= rule);
        judge.judge(rule, &hits[first..end]);
    }
    judge.finish(ruled);
}

struct Judge<'j> {
    rules: &'j Rules,
    page: &'j Page<'j>,
    /// For each rule that others may be near, the ranks of what it removes, ascending.
    accepted: BTreeMap<RuleIdx, Vec<usize>>,
    /// For each block that goes whole, the first rule that removes it.
    whole: BTreeMap<u32, RuleIdx>,
    words: Vec<Hit>,
}

impl Judge<'_> {
    fn judge(&mut self, rule: RuleIdx, hits: &[Hit]) {
        let compiled = self.rules.rule(rule);
        if !on_site(compiled, self.page.site) {
            return;
        }
        let mut ranks = Vec::new();
        if compiled.region.is_some() {
            ranks.extend(self.region(compiled, hits));
        } else if compiled.is_by_shape {
            ranks.extend(self.neighbours(compiled).into_iter().filter(|&rank| self.holds(compiled, rank)));
        } else {
            for hit in hits {
                let rank = self.rank(hit.block);
                if self.holds(compiled, rank) {
                    ranks.push(rank);
                    if hit.words.is_some() {
                        self.words.push(*hit);
                    }
                }
            }
            ranks.dedup();
        }
        if compiled.removal == Removal::Line {
            for &rank in &ranks {
                let first = self.whole.entry(self.page.shown[rank]).or_insert(rule);
                *first = rule.min(*first);
            }
        }
        if !ranks.is_empty() {
            self.accepted.insert(rule, ranks);
        }
    }

    fn rank(&self, block: u32) -> usize {
        self.page.shown.partition_point(|shown| *shown < block)
    }

    /// Whether all conditions of a rule hold for the block of this rank, but for its patterns.
    fn holds(&self, rule: &CompiledRule, rank: usize) -> bool {
        self.is_in_place(rule, rank)
            && rule.near.as_ref().is_none_or(|near| {
                let [above, below] = self.company(&near.rules, rank, near.lines);
                match near.side {
                    Side::Above => above,
                    Side::Below => below,
                    Side::Either => above || below,
                    Side::Both => above && below,
                }
            })
            && rule.shape.is_none_or(|shape| {
                let block = self.page.blocks[self.page.shown[rank] as usize];
                shape.fits(block.of(self.page.text))
            })
    }

    fn is_in_place(&self, rule: &CompiledRule, rank: usize) -> bool {
        let from_end = self.page.shown.len() - rank;
        match (rule.head, rule.tail) {
            (None, None) => true,
            (head, tail) => head.is_some_and(|head| rank < head) || tail.is_some_and(|tail| from_end <= tail),
        }
    }

    /// Whether one of `rules` removes something at most `lines` above, and below, a rank.
    fn company(&self, rules: &[RuleIdx], rank: usize, lines: usize) -> [bool; 2] {
        let mut sides = [false; 2];
        for ranks in rules.iter().filter_map(|rule| self.accepted.get(rule)) {
            let above = ranks.partition_point(|other| *other < rank);
            sides[0] |= above > 0 && ranks[above - 1] + lines >= rank;
            let below = ranks.partition_point(|other| *other <= rank);
            sides[1] |= ranks.get(below).is_some_and(|other| *other <= rank + lines);
        }
        sides
    }

    /// The ranks within reach of what a rule must be near, ascending.
    fn neighbours(&self, rule: &CompiledRule) -> Vec<usize> {
        let Some(near) = &rule.near else { return Vec::new() };
        let mut ranks = Vec::new();
        for &other in near.rules.iter().filter_map(|rule| self.accepted.get(rule)).flatten() {
            let last = self.page.shown.len() - 1;
            ranks.extend(other.saturating_sub(near.lines)..=(other + near.lines).min(last));
        }
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    /// The ranks of a rule's regions, ascending. A region starts at the first block that starts it and stops at the first
    /// after that which ends it.
    fn region(&self, rule: &CompiledRule, hits: &[Hit]) -> Vec<usize> {
        let Some(region) = rule.region else { return Vec::new() };
        let n_shown = self.page.shown.len();
        let ranks_of = |role: Role| {
            hits.iter().filter(move |hit| hit.role == role).map(|hit| self.rank(hit.block)).collect::<Vec<_>>()
        };
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
            if fits && self.is_in_place(rule, inner_edge) {
                ranks.extend(start..=end);
            }
        }
        ranks
    }

    fn finish(mut self, ruled: &mut Vec<Ruled>) {
        let mut kept = Vec::new();
        self.words.retain(|hit| !self.whole.contains_key(&hit.block));
        self.words.sort_by_key(|hit| (hit.block, hit.words));
        for hits in self.words.chunk_by(|first, second| first.block == second.block) {
            self.cut_words(hits, &mut kept);
        }
        let whole = self.whole.iter().map(|(&block, &rule)| Ruled { block, words: None, rule });
        kept.extend(whole);
        kept.sort_by_key(|ruled| (ruled.block, ruled.words));
        ruled.append(&mut kept);
    }

    /// Finds the bytes of the text for words that match in one folded block; the whole block goes if nothing stays of it.
    fn cut_words(&self, hits: &[Hit], ruled: &mut Vec<Ruled>) {
        let block = hits[0].block;
        let span = self.page.blocks[block as usize];
        let (mut folded, mut origins) = (Vec::new(), Vec::new());
        fold_tracked(span.of(self.page.text), &mut folded, &mut origins);
        let mut stays = vec![true; folded.len()];
        let mut cut_to = span.start;
        let base = ruled.len();
        for hit in hits {
            let Some(words) = hit.words else { continue };
            let (Some(first), Some(last)) = (origins.get(words.start), origins.get(words.end.saturating_sub(1))) else {
                continue;
            };
            stays[words.start..words.end].fill(false);
            let cut = Span::new((span.start + first.start).max(cut_to), (span.start + last.end).max(cut_to));
            if !cut.is_empty() {
                ruled.push(Ruled { block, words: Some(cut), rule: hit.rule });
                cut_to = cut.end;
            }
        }
        let rest: Vec<u8> = folded.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(byte, _)| *byte).collect();
        if crate::rules::core_of(&rest).is_empty() {
            ruled.truncate(base);
            ruled.push(Ruled { block, words: None, rule: hits[0].rule });
        }
    }
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
