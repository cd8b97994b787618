//! What templates remove of one document.

use super::{Entry, GUARD, Line, SiteTemplates, least};
use std::ops::Range;

/// So many short lines in a row may be stepped over.
const GAP: usize = 3;
/// So many wanted lines must follow what is stepped over, and more than it has itself.
const AFTER: usize = 4;

impl SiteTemplates {
    /// Tells what goes of a document, given its lines that show something: their ranks, ascending, and what is known of them.
    pub(crate) fn apply(&self, lines: &[Line], mut tell: impl FnMut(usize, Entry)) {
        if self.found.is_empty() {
            return;
        }
        let found: Vec<Option<Entry>> = lines.iter().map(|line| self.found.get(line).copied()).collect();
        let is_often = |rank: usize| found[rank].is_some_and(|entry| entry.is_often());
        let is_at = |rank: usize, is_at: fn(Entry) -> bool| found[rank].is_some_and(is_at);
        let is_in_head = |rank| is_at(rank, |entry| entry.place.head || entry.place.mid);
        let is_in_tail = |rank| is_at(rank, |entry| entry.place.tail || entry.place.mid);
        let Range { start: head_end, end: tail_start } = between_edges(lines, is_in_head, is_in_tail, is_often);
        let mut goes = vec![false; lines.len()];
        goes[..before_text(lines, 0..head_end, tail_start)].fill(true);
        goes[tail_start..].fill(true);
        for run in runs(lines, |rank| is_at(rank, |entry| entry.place.mid), |_, _| true) {
            if run.len() >= least(self.documents as usize) && (head_end..tail_start).contains(&run.start) {
                let end = before_text(lines, run.clone(), tail_start);
                goes[run.start..end].fill(true);
            }
        }
        // What a run steps over stays.
        goes.iter_mut().zip(&found).for_each(|(goes, entry)| *goes &= entry.is_some());
        let n_prose = lines.iter().filter(|line| line.is_prose()).count();
        let n_prose_goes = lines.iter().zip(&goes).filter(|(line, goes)| **goes && line.is_prose()).count();
        let is_guarded = n_prose >= GUARD && n_prose_goes == n_prose;
        for (rank, entry) in found.iter().enumerate() {
            if let Some(entry) = entry
                && goes[rank]
                && !(is_guarded && lines[rank].is_prose())
            {
                tell(rank, *entry);
            }
        }
    }
}

/// The lines between what is reached from the head and what is reached from the tail. Where the two meet, the first may
/// reach beyond the second, and the range is from a larger to a smaller number.
pub(super) fn between_edges(
    lines: &[Line],
    is_in_head: impl Fn(usize) -> bool,
    is_in_tail: impl Fn(usize) -> bool,
    is_often: impl Fn(usize) -> bool,
) -> Range<usize> {
    let last = lines.len().wrapping_sub(1);
    let is_short = |rank: usize| lines[rank].is_short();
    let from_head = walk(lines.len(), is_in_head, is_short, &is_often);
    let mirrored = |rank: usize| last - rank;
    let from_tail = walk(
        lines.len(),
        |rank| is_in_tail(mirrored(rank)),
        |rank| is_short(mirrored(rank)),
        |rank| is_often(mirrored(rank)),
    );
    from_head..lines.len() - from_tail
}

/// How far wanted lines reach from the start of `n_lines`, stepping over a few short ones where more wanted ones follow.
fn walk(
    n_lines: usize,
    is_wanted: impl Fn(usize) -> bool,
    is_short: impl Fn(usize) -> bool,
    is_often: impl Fn(usize) -> bool,
) -> usize {
    let mut end = 0;
    while end < n_lines {
        if is_wanted(end) {
            end += 1;
            continue;
        }
        let Some(gap) = (end..n_lines)
            .take_while(|rank| !is_wanted(*rank))
            .try_fold(0, |gap, rank| (gap < GAP && is_short(rank)).then_some(gap + 1))
        else {
            break;
        };
        let after = end + gap;
        let follow = (after..n_lines).take_while(|rank| is_wanted(*rank));
        let n_needed = AFTER.max(gap + 1);
        if follow.filter(|rank| !is_often(*rank)).take(n_needed).count() < n_needed {
            break;
        }
        end = after + 1;
    }
    end
}

/// Where a run ends whose last lines may belong to the text after it: its long ones do, and one before them that may be
/// their heading. Nothing does where the run meets the tail.
fn before_text(lines: &[Line], run: Range<usize>, tail_start: usize) -> usize {
    let Range { start, mut end } = run;
    if end < tail_start {
        while end > start && !lines[end - 1].is_short() {
            end -= 1;
        }
        if end > start && lines[end - 1].is_label() {
            end -= 1;
        }
    }
    end
}

/// The longest runs of wanted lines of which each goes together with the next; code ends them.
pub(super) fn runs(
    lines: &[Line],
    is_wanted: impl Fn(usize) -> bool,
    go_together: impl Fn(usize, usize) -> bool,
) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let is_in = |rank: usize| !lines[rank].is_code() && is_wanted(rank);
        while start < lines.len() && !is_in(start) {
            start += 1;
        }
        if start == lines.len() {
            return None;
        }
        let mut end = start + 1;
        while end < lines.len() && is_in(end) && go_together(end - 1, end) {
            end += 1;
        }
        Some(std::mem::replace(&mut start, end)..end)
    })
}
