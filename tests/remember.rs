//! What remembers, in runs and in crawls: whatever comes in whatever order, it comes out as in one pass over all that ever came.

#[path = "remember/crawls.rs"]
mod crawls;
#[path = "remember/runs.rs"]
mod runs;

use dehusk::{Cleaner, Config, Document, Scratch};

/// A page of lines: long ones, which repeat, short ones, which go only beside those, blank ones, and chrome.
fn page(lines: &[u8]) -> String {
    let line = |number: &u8| match number % 16 {
        kind @ 0..6 => {
            format!("Line {kind} is long enough to be dropped where it repeats, as it says itself, number {kind}.\n")
        }
        kind @ 6..11 => format!("Short {kind}.\n"),
        11 | 12 => "\n".into(),
        13 => "Saltar al contenido\n".into(),
        _ => format!("Only page {number} has this line, or very few do, and it is long enough to repeat: {number}.\n"),
    };
    lines.iter().map(line).collect()
}

/// One pass over pages in the order in which they came first.
struct OnePass<'p> {
    config: &'p Config,
    pages: &'p [String],
    url: fn(usize) -> Option<String>,
    cleaner: Cleaner,
    /// The pages so far, and what is left of them.
    cleaned: Vec<(usize, String)>,
}

impl<'p> OnePass<'p> {
    fn new(config: &'p Config, pages: &'p [String], url: fn(usize) -> Option<String>) -> Self {
        let cleaner = Cleaner::new(config).expect("the configuration is right");
        OnePass { config, pages, url, cleaner, cleaned: Vec::new() }
    }

    /// What is left of a page, which comes last if it has not come yet.
    fn clean(&mut self, page_idx: usize) -> String {
        if let Some((_, cleaned)) = self.cleaned.iter().find(|(known, _)| *known == page_idx) {
            return cleaned.clone();
        }
        let (url, mut scratch) = ((self.url)(page_idx), Scratch::default());
        let page = Document { url: url.as_deref(), ..Document::new(&self.pages[page_idx]) };
        let cleaned = self.cleaner.clean(&page, &mut scratch).expect("a page can be cleaned");
        let text = String::from_utf8(cleaned.text().to_vec()).expect("what is left of a text is a text");
        self.cleaned.push((page_idx, text.clone()));
        text
    }

    /// The same pass, over so many of its pages.
    fn truncated(self, n_pages: usize) -> Self {
        let mut shorter = OnePass::new(self.config, self.pages, self.url);
        self.cleaned.iter().take(n_pages).for_each(|(page_idx, _)| drop(shorter.clean(*page_idx)));
        shorter
    }
}
