//! Repeats, over the lines themselves: no fingerprints, no index, no traces.

use crate::page::stays;
use crate::tries;
use dehusk::run::Run;
use dehusk::{Cleaner, Config, Document, Keep, Level, Scope, Scratch};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::HashMap;
use std::path::Path;

const MIN_CHARS: usize = 5;
/// A line that a rule removes.
const CHROME: &str = "chrome!";

/// Where a line stands: its document and its number in that.
type Place = (usize, usize);

#[derive(Clone, Debug)]
struct Doc {
    lines: Vec<&'static str>,
    site: Option<&'static str>,
}

impl Doc {
    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The numbers of the lines that are compared.
    fn compared(&self) -> Vec<usize> {
        (0..self.lines.len()).filter(|line| !self.lines[*line].is_empty() && self.lines[*line] != CHROME).collect()
    }
}

fn is_long(line: &str) -> bool {
    line.len() >= MIN_CHARS
}

/// All documents, and where repeats are looked for.
struct Corpus<'c> {
    docs: &'c [Doc],
    scope: Scope,
    keep: Keep,
}

impl Corpus<'_> {
    /// Whether a line of one document may repeat one of another.
    fn are_together(&self, one: usize, other: usize) -> bool {
        one == other
            || match self.scope {
                Scope::Corpus => true,
                Scope::Site => self.docs[one].site.is_some() && self.docs[one].site == self.docs[other].site,
                Scope::Document | Scope::Off => false,
            }
    }

    /// Among `places`, in order, the one that makes what stands at `here` go.
    fn other_copy(&self, here: Place, places: impl Iterator<Item = Place>) -> Option<Place> {
        let places: Vec<Place> = places.filter(|place| self.are_together(place.0, here.0)).collect();
        match self.keep {
            Keep::First => places.first().copied().filter(|first| *first != here),
            Keep::None => places.into_iter().find(|place| *place != here),
        }
    }

    fn copy_of_line(&self, here: Place) -> Option<Place> {
        let line = self.docs[here.0].lines[here.1];
        let in_doc = |doc: usize| self.docs[doc].compared().into_iter().map(move |line| (doc, line));
        let places = (0..self.docs.len()).flat_map(in_doc);
        self.other_copy(here, places.filter(|place| self.docs[place.0].lines[place.1] == line))
    }

    /// Documents of several lines, some of them short, are compared as a whole.
    fn copy_of_doc(&self, doc: usize) -> Option<Place> {
        let whole = |doc: usize| {
            let lines: Vec<&str> =
                self.docs[doc].compared().into_iter().map(|line| self.docs[doc].lines[line]).collect();
            let is_alone = self.scope == Scope::Site && self.docs[doc].site.is_none();
            let is_whole = lines.len() > 1 && !lines.iter().all(|line| is_long(line));
            (is_whole && !is_alone).then_some(lines)
        };
        let own = whole(doc)?;
        self.other_copy(
            (doc, 0),
            (0..self.docs.len()).filter(|other| whole(*other).as_ref() == Some(&own)).map(|other| (other, 0)),
        )
    }

    /// Which lines of a document go as repeats.
    fn repeats(&self, doc: usize) -> Vec<bool> {
        let mut goes = vec![false; self.docs[doc].lines.len()];
        if self.scope == Scope::Off {
            return goes;
        }
        let own = self.docs[doc].compared();
        if self.copy_of_doc(doc).is_some() {
            own.iter().for_each(|line| goes[*line] = true);
            return goes;
        }
        for (rank, &line) in own.iter().enumerate().filter(|(_, line)| is_long(self.docs[doc].lines[**line])) {
            let Some((other_doc, other_line)) = self.copy_of_line((doc, line)) else { continue };
            goes[line] = true;
            let others = self.docs[other_doc].compared();
            let other_rank = others.iter().position(|line| *line == other_line).expect("a copy is compared");
            let same = |one: &usize, other: &usize| {
                let text = self.docs[doc].lines[*one];
                !is_long(text) && text == self.docs[other_doc].lines[*other]
            };
            let below = own[rank + 1..].iter().zip(&others[other_rank + 1..]);
            let above = own[..rank].iter().rev().zip(others[..other_rank].iter().rev());
            below.take_while(|(one, other)| same(one, other)).for_each(|(one, _)| goes[*one] = true);
            above.take_while(|(one, other)| same(one, other)).for_each(|(one, _)| goes[*one] = true);
        }
        goes
    }

    fn cleaned(&self, doc: usize) -> String {
        let lines = &self.docs[doc].lines;
        let repeats = self.repeats(doc);
        let is_cut: Vec<bool> = lines.iter().zip(repeats).map(|(line, repeats)| repeats || *line == CHROME).collect();
        let is_blank: Vec<bool> = lines.iter().map(|line| line.is_empty()).collect();
        let stays = stays(&is_cut, &is_blank);
        lines.iter().zip(stays).filter(|(_, stays)| *stays).map(|(line, _)| format!("{line}\n")).collect()
    }
}

fn docs() -> impl Strategy<Value = Vec<Doc>> {
    let line = select(&["a", "a", "b", "c", "", "", CHROME, "long one", "long two", "long three", "long four"][..]);
    let passage = prop::collection::vec(line, 0..7);
    // Documents of passages that they share.
    prop::collection::vec(passage, 1..5).prop_flat_map(|passages| {
        let picks = prop::collection::vec(select(passages), 0..4);
        let doc = (picks, select(&[None, Some("a.com"), Some("b.com")][..]));
        prop::collection::vec(doc.prop_map(|(picks, site)| Doc { lines: picks.concat(), site }), 1..6)
    })
}

/// Cleans the documents as records of two files.
fn by_run(config: &Config, docs: &[Doc], folder: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    std::fs::create_dir(folder.join("in"))?;
    for (name, docs) in ["a.jsonl", "b.jsonl"].iter().zip(docs.chunks(docs.len().div_ceil(2).max(1))) {
        let record = |doc: &Doc| serde_json::json!({ "text": doc.text(), "site": doc.site }).to_string() + "\n";
        std::fs::write(folder.join("in").join(name), docs.iter().map(record).collect::<String>())?;
    }
    let config = Config { output: Some(folder.join("out")), threads: Some(2), ..config.clone() };
    Run::new(&config, &())?.files(&[folder.join("in")])?;
    let mut texts = Vec::new();
    for name in ["a.jsonl", "b.jsonl"] {
        for line in std::fs::read_to_string(folder.join("out").join(name)).unwrap_or_default().lines() {
            let record: HashMap<String, Option<String>> = serde_json::from_str(line)?;
            texts.push(record["text"].clone().unwrap_or_default());
        }
    }
    Ok(texts)
}

proptest! {
    #![proptest_config(tries(1500))]

    #[test]
    fn repeats_are_those_of_the_lines_themselves(
        docs in docs(),
        scope in select(&[Scope::Corpus, Scope::Corpus, Scope::Site, Scope::Document, Scope::Off][..]),
        keep in select(&[Keep::First, Keep::First, Keep::None][..]),
    ) {
        prop_assume!(scope != Scope::Off || keep == Keep::First);
        let folder = tempfile::tempdir()?;
        let pack = folder.path().join("pack.toml");
        let rule = format!("id = \"r\"\nmatch = \"line\"\npatterns = [{CHROME:?}]\nremoves = [{CHROME:?}]\nkeeps = [\"x\"]\n");
        std::fs::write(&pack, format!("format = 1\nname = \"t\"\nabout = \"t\"\n[[rule]]\n{rule}"))?;
        let pack = vec![pack.display().to_string()];
        let level = Level::Rules;
        let config = Config { level, scope, keep, min_chars: MIN_CHARS, no_default_packs: true, pack, ..Config::default() };
        let corpus = Corpus { docs: &docs, scope, keep };
        let wanted: Vec<String> = (0..docs.len()).map(|doc| corpus.cleaned(doc)).collect();
        let run = by_run(&config, &docs, folder.path()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&run, &wanted, "of {:?}", &docs);
        if keep == Keep::First || scope == Scope::Document {
            let cleaner = Cleaner::new(&config)?;
            let mut scratch = Scratch::default();
            for (doc, wanted) in docs.iter().zip(&wanted) {
                let text = doc.text();
                let document = Document { text: text.as_bytes(), url: None, site: doc.site, id: None };
                prop_assert_eq!(cleaner.clean(&document, &mut scratch)?.text(), wanted.as_bytes(), "of {:?}", &docs);
            }
        }
    }
}
