//! Rules over one document after the other, through [`Cleaner`], with nothing compared: blocks, fold, scan, edit.
//! What the rules of the default packs cost is the difference to no packs.

use crate::texts::Text;
use dehusk::{Cleaner, Config, Document, Scope, Scratch};
use divan::Bencher;
use divan::counter::BytesCount;

/// Stands at the top of every document, where a rule removes it.
const CHROME: &str = "Skip to content\n";
const LINES_PER_DOCUMENT: usize = 40;

#[divan::bench(args = [Text::AsciiProse, Text::Scraped, Text::ShortLines])]
fn default_packs(bencher: Bencher<'_, '_>, text: Text) {
    measure(bencher, text, &Config { scope: Scope::Off, ..Config::default() });
}

#[divan::bench(args = [Text::AsciiProse, Text::Scraped, Text::ShortLines])]
fn no_packs(bencher: Bencher<'_, '_>, text: Text) {
    measure(bencher, text, &Config { scope: Scope::Off, no_default_packs: true, ..Config::default() });
}

fn measure(bencher: Bencher<'_, '_>, text: Text, config: &Config) {
    let cleaner = Cleaner::new(config).expect("the default packs compile");
    let mut scratch = Scratch::default();
    let lines = text.make();
    let lines: Vec<&str> = lines.split_inclusive('\n').collect();
    let documents: Vec<String> =
        lines.chunks(LINES_PER_DOCUMENT).map(|lines| CHROME.to_owned() + &lines.concat()).collect();
    let mut clean = |document: &String| {
        let cleaned = cleaner.clean(&Document::new(document), &mut scratch).expect("documents are small");
        (cleaned.text().len(), cleaned.cuts().iter().map(|cut| cut.span.len()).sum::<usize>(), cleaned.cuts().len())
    };
    for document in &documents {
        let (n_left, n_cut, n_cuts) = clean(document);
        assert_eq!(n_left + n_cut, document.len(), "what is left and what is cut are the document");
        match (config.no_default_packs, text) {
            (true, _) => assert_eq!(n_cuts, 0, "nothing goes without rules"),
            (false, Text::AsciiProse) => assert_eq!(n_cut, CHROME.len(), "prose loses its chrome and nothing else"),
            (false, _) => assert!(n_cut >= CHROME.len(), "the chrome goes"),
        }
    }
    let n_bytes: usize = documents.iter().map(String::len).sum();
    bencher
        .counter(BytesCount::new(n_bytes))
        .bench_local(|| documents.iter().map(|document| clean(document).0).sum::<usize>());
}
