//! The company of numbered lines and form feeds: lines that stand beside them on page after page.

use super::form::Form;
use super::{LEAST, Pages, is_most};

/// How many lines at most are between a page break and the running lines beside it.
const REACH: u32 = 12;
/// How many lines there may be on each side of a numbered line or a form feed.
const ROUNDS: usize = 3;

/// Buffers for reuse.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// For each rank, its form, if it can be a running line.
    forms: Vec<Option<Form>>,
    /// The forms of all lines, sorted.
    all: Vec<Form>,
    /// The numbered lines, and their forms, sorted, with the number of pages.
    numbered: Vec<u32>,
    numbered_forms: Vec<(Form, u32)>,
    /// Where pages begin, or end: the numbered lines, or else the tops.
    marks: Vec<u32>,
    /// Lines beside a mark.
    beside: Vec<(Form, u32)>,
    found: Vec<(u32, u32)>,
}

#[derive(Clone, Copy)]
enum Side {
    /// Below a break, at the top of a page.
    Top,
    /// Above a break, at the bottom of a page.
    Bottom,
}

impl Pages<'_> {
    /// Adds the company to the running lines.
    pub(super) fn find_company(&mut self) {
        self.scratch.pages.resize(self.shown.len(), 0);
        let mut company = std::mem::take(&mut self.scratch.company);
        company.forms.clear();
        for &block in self.shown {
            company.forms.push(self.scratch.forms.of(self.blocks[block as usize].of(self.text)));
        }
        company.all.clear();
        company.all.extend(company.forms.iter().flatten());
        company.all.sort_unstable();
        self.find_roman(&mut company);
        company.numbered.clear();
        company.numbered.extend((0..).zip(&self.scratch.pages).filter(|(_, pages)| **pages > 0).map(|(rank, _)| rank));
        company.marks.clear();
        company.marks.extend(if company.numbered.is_empty() { &self.scratch.feeds.tops } else { &company.numbered });
        for _ in 0..ROUNDS {
            company.found.clear();
            for side in [Side::Top, Side::Bottom] {
                self.look_beside(side, &mut company);
                company.judge();
            }
            if company.found.is_empty() {
                break;
            }
            for (rank, n_pages) in &company.found {
                self.scratch.pages[*rank as usize] = *n_pages;
            }
        }
        self.scratch.company = company;
    }

    /// Adds the lines that are numbered as the running ones are, but in Roman numbers.
    fn find_roman(&mut self, company: &mut Scratch) {
        let Scratch { forms, numbered_forms: numbered, .. } = company;
        numbered.clear();
        let forms_and_pages = forms.iter().zip(&self.scratch.pages).filter(|(_, pages)| **pages > 0);
        numbered.extend(forms_and_pages.filter_map(|(form, pages)| Some(((*form)?, *pages))));
        numbered.sort_unstable();
        numbered.dedup();
        if numbered.is_empty() {
            return;
        }
        for (&block, pages) in self.shown.iter().zip(&mut self.scratch.pages).filter(|(_, pages)| **pages == 0) {
            let form = self.scratch.forms.of_roman(self.blocks[block as usize].of(self.text));
            let place = form.map(|form| numbered.binary_search_by_key(&form, |(form, _)| *form));
            if let Some(Ok(place)) = place {
                *pages = numbered[place].1;
            }
        }
    }

    /// Finds the first line on one side of each numbered line and form feed that is not yet a running one.
    fn look_beside(&self, side: Side, company: &mut Scratch) {
        let n_shown = self.shown.len();
        let edges = match side {
            Side::Top => &self.scratch.feeds.tops,
            Side::Bottom => &self.scratch.feeds.bottoms,
        };
        company.beside.clear();
        for &start in company.numbered.iter().chain(edges) {
            let is_running = |rank: usize| self.scratch.pages[rank] > 0;
            let next = match side {
                Side::Top => (start as usize..n_shown).find(|rank| !is_running(*rank)),
                Side::Bottom => (0..=start as usize).rev().find(|rank| !is_running(*rank)),
            };
            let Some(rank) = next.and_then(|rank| u32::try_from(rank).ok()) else { continue };
            let is_near = self.line(rank).abs_diff(self.line(start)) <= REACH;
            company.beside.extend(company.forms[rank as usize].filter(|_| is_near).map(|form| (form, rank)));
        }
        company.beside.sort_unstable();
        company.beside.dedup();
    }
}

impl Scratch {
    /// Finds the forms that most pages have beside their marks, and that stand nearly nowhere else.
    fn judge(&mut self) {
        for group in self.beside.chunk_by(|(first, _), (second, _)| first == second) {
            let [(form, first), .., (_, last)] = *group else { continue };
            let page = |rank: u32| self.marks.partition_point(|mark| *mark <= rank);
            let n_all =
                self.all.partition_point(|other| *other <= form) - self.all.partition_point(|other| *other < form);
            let n_pages_between = page(last) - page(first) + 1;
            let is_on_most = group.len() * 5 >= n_pages_between * 2 && group.len() * 20 >= self.marks.len() * 3;
            if group.len() >= LEAST && is_most(group.len(), n_all) && is_on_most {
                let n_pages = u32::try_from(group.len()).unwrap_or(u32::MAX);
                self.found.extend(group.iter().map(|(_, rank)| (*rank, n_pages)));
            }
        }
    }
}
