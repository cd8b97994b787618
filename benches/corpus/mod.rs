//! A made-up scraped corpus: as large as one likes, the same bytes for the same seed.
//!
//! Real crawl text may not be copied into a repository, so the benches make theirs. It is built to the statistics
//! measured on 1.17 GB of real crawl text: lines of median 69 and mean 242 bytes, of which 53 %, with 27 % of the bytes,
//! repeat an earlier line. Repeats come from each site's chrome, from phrases that all sites share, and from pages and
//! passages copied from earlier pages:
//!
//! ```text
//! page 7, site B                page 912, site K
//!   header of B                   header of K
//!   title, own lines              title, own lines
//!   own lines  ----- passage ---> lines 5 to 11 of page 7
//!   own lines                     own lines
//!   share bar, footer of B        footer of K
//! ```
//!
//! A line is a function of (seed, page, line), so a copied passage is made again where it is needed and nothing that
//! was written has to be remembered: memory stays at a few megabytes for any size.
//!
//! A bench takes it in with `mod corpus;`, under `#[expect(dead_code, reason = "...")]` if it does not use all of it.

mod site;
mod stats;
mod words;
mod write;

pub(crate) use stats::Stats;

use site::{Layout, Site};
use words::{Marks, Rng, Vocabulary};

/// Short lines that honest texts have in common.
const INNOCENT_LINES: &[&str] = &[
    "* * *",
    "Yes.",
    "No.",
    "Introduction",
    "1. Introduction",
    "Conclusion",
    "References",
    "Summary",
    "Notes",
    "Chapter 1",
    "Thank you.",
    "---",
];
const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The streams of random numbers of one page, which must not run into one another.
const SITE: u64 = 1;
const ORIGIN: u64 = 2;
const SHAPE: u64 = 3;
const LINE: u64 = 4;
const DRESS: u64 = 5;

/// One scraped page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The registrable domain of `url`.
    pub(crate) site: String,
    /// Where it was found; no two pages share one.
    pub(crate) url: String,
    /// A name of its own; sorting by it gives the order of pages.
    pub(crate) id: String,
    /// Lines joined by `\n`, with none at the end.
    pub(crate) text: String,
}

/// Where the words of a page come from.
enum Origin {
    /// The page itself, but for the passages that it took from others.
    Own,
    /// An earlier own page, under this page's chrome.
    Syndicated(u64),
    /// An earlier own page, chrome and all: a print view, a link with a tracking tail.
    Mirrored(u64),
}

/// The description of a corpus: all of its pages follow from `seed` and `bytes`.
pub(crate) struct Corpus {
    /// Which corpus. Those of different seeds share common words and common chrome only.
    pub(crate) seed: u64,
    /// How much text to make, newlines counted; the page that reaches it is the last.
    pub(crate) bytes: u64,
    words: Vocabulary,
    /// The most popular first.
    sites: Vec<Site>,
}

impl Corpus {
    /// Describes a corpus of about `bytes` bytes of text, on 200 to 2,000 sites: a site for each half MiB, so that a
    /// smaller corpus of the same seed is not the beginning of a larger one.
    pub(crate) fn new(seed: u64, bytes: u64) -> Self {
        let words = Vocabulary::new();
        let n_sites = (bytes / (512 << 10)).clamp(200, 2_000);
        let sites = (0..n_sites)
            .map(|site_idx| {
                // Not drawn: the few largest sites would swing the statistics from seed to seed.
                let layout = if site_idx % 16 == 9 { Layout::Spaced } else { Layout::Tight };
                Site::new(&words, layout, &mut Rng::at(seed, &[SITE, site_idx]))
            })
            .collect();
        Self { seed, bytes, words, sites }
    }

    /// All pages in order.
    pub(crate) fn pages(&self) -> Pages<'_> {
        Pages { corpus: self, n_pages: 0, n_bytes: 0 }
    }

    /// Makes any one page, at the cost of that page alone.
    pub(crate) fn page(&self, page_idx: u64) -> Page {
        let dressed_as = match self.origin(page_idx) {
            Origin::Mirrored(source) => source,
            Origin::Own | Origin::Syndicated(_) => page_idx,
        };
        let mut rng = Rng::at(self.seed, &[DRESS, dressed_as]);
        let site = &self.sites[rng.zipf(self.sites.len())];
        let section = &site.sections[rng.place(site.sections.len())];
        let url = format!("https://www.{}/{}/{page_idx}.html", site.domain, section.to_lowercase());

        let mut text = String::with_capacity(16 << 10);
        site.top(&mut rng, &mut text);
        if rng.one_in(3) {
            text.push_str(&format!("Home > {section}\n"));
        }
        self.article(dressed_as, site.layout, &mut text);
        site.bottom(&self.words, &mut rng, &mut text);
        text.pop();
        Page { site: site.domain.clone(), url, id: format!("page-{page_idx:09}"), text }
    }

    /// Appends the title and the body of a page, each line with its newline.
    fn article(&self, page_idx: u64, layout: Layout, out: &mut String) {
        if let Origin::Syndicated(source) = self.origin(page_idx) {
            self.own_lines(source, 0, self.n_own_lines(source), layout, out);
            return;
        }
        let n_lines = self.n_own_lines(page_idx);
        let mut rng = Rng::at(self.seed, &[SHAPE, page_idx, 1]);
        let mut n_done = 0;
        if page_idx > 0 && rng.one_in(2) {
            for _ in 0..rng.between(1, 3) {
                let n_next = rng.between(n_done, n_lines);
                self.own_lines(page_idx, n_done, n_next, layout, out);
                n_done = n_next;
                let source = self.own_page_before(page_idx, &mut rng);
                let n_source_lines = self.n_own_lines(source);
                let start = rng.below(n_source_lines);
                self.own_lines(source, start, n_source_lines.min(start + rng.between(3, 12)), layout, out);
            }
        }
        self.own_lines(page_idx, n_done, n_lines, layout, out);
    }

    /// Where a page's words come from. The pages it names are own pages.
    fn origin(&self, page_idx: u64) -> Origin {
        let mut rng = Rng::at(self.seed, &[ORIGIN, page_idx]);
        match rng.below(100) {
            0..=2 if page_idx > 0 => Origin::Mirrored(self.own_page_before(page_idx, &mut rng)),
            3..=7 if page_idx > 0 => Origin::Syndicated(self.own_page_before(page_idx, &mut rng)),
            _ => Origin::Own,
        }
    }

    /// Draws a page before `page_idx`, which is not the first, and goes back to where its words come from.
    fn own_page_before(&self, page_idx: u64, rng: &mut Rng) -> u64 {
        let source = rng.below(page_idx);
        match self.origin(source) {
            Origin::Own => source,
            Origin::Syndicated(earlier) | Origin::Mirrored(earlier) => earlier,
        }
    }

    fn n_own_lines(&self, page_idx: u64) -> u64 {
        let mut rng = Rng::at(self.seed, &[SHAPE, page_idx]);
        rng.between(2, 12) * rng.between(1, 6)
    }

    fn own_lines(&self, page_idx: u64, start: u64, end: u64, layout: Layout, out: &mut String) {
        for line_idx in start..end {
            self.own_line(page_idx, line_idx, out);
            out.push_str(match layout {
                Layout::Tight => "\n",
                Layout::Spaced => "\n\n",
            });
        }
    }

    /// Appends one line of a page's own: its title, its byline, a paragraph, a heading, an item of a list.
    fn own_line(&self, page_idx: u64, line_idx: u64, out: &mut String) {
        let mut rng = Rng::at(self.seed, &[LINE, page_idx, line_idx]);
        let in_list = Rng::at(self.seed, &[LINE, page_idx, line_idx / 4, 1]).one_in(10);
        match (line_idx, rng.below(100)) {
            (0, _) => {
                let n_words = rng.between(4, 12);
                self.words.headline(n_words, &mut rng, out);
            }
            (1, 0..60) => {
                out.push_str("By ");
                self.words.name(Marks::one_in(6, &mut rng), &mut rng, out);
                let (month, day) = (rng.pick(MONTHS), rng.between(1, 28));
                out.push_str(&format!(", {month} {day}, {}", rng.between(2009, 2026)));
            }
            (_, 0..3) => out.push_str(rng.pick(INNOCENT_LINES)),
            (_, 3..13) => {
                let n_words = rng.between(2, 8);
                self.words.headline(n_words, &mut rng, out);
            }
            (_, 13..) if in_list => {
                out.push_str("- ");
                let n_words = rng.between(3, 14);
                self.words.headline(n_words, &mut rng, out);
            }
            (_, 13..29) => self.words.sentence(Marks::one_in(8, &mut rng), &mut rng, out),
            _ => self.words.paragraph(&mut rng, out),
        }
    }
}

/// The pages of a corpus, until there is as much text as was asked for.
pub(crate) struct Pages<'a> {
    corpus: &'a Corpus,
    n_pages: u64,
    n_bytes: u64,
}

impl Iterator for Pages<'_> {
    type Item = Page;

    fn next(&mut self) -> Option<Page> {
        if self.n_bytes >= self.corpus.bytes {
            return None;
        }
        let page = self.corpus.page(self.n_pages);
        self.n_pages += 1;
        self.n_bytes += page.text.len() as u64 + 1;
        Some(page)
    }
}
