//! Runs that remember: whatever runs there are over which documents, each comes out as in one pass over all of them in the order in which
//! they were seen first.

use super::{OnePass, page};
use dehusk::index::OnChanged;
use dehusk::run::Run;
use dehusk::{Config, Crawl, Document, IndexReader, Level, Scope};
use proptest::prelude::*;
use proptest::test_runner::{Config as Tries, RngSeed};
use std::collections::BTreeMap;
use std::path::Path;

fn config(folder: &Path, scope: Scope) -> Config {
    let index = Some(folder.join("index"));
    Config { level: Level::Rules, pack: vec!["web-es".into()], scope, index, force: true, ..Config::default() }
}

/// Every third document is a file of its own; the others are records with an address.
fn url(document_idx: usize) -> Option<String> {
    (!document_idx.is_multiple_of(3)).then(|| format!("https://site-{}.example/{document_idx}", document_idx % 2))
}

/// Writes documents as inputs, in this order: those with an address into files of some records each.
fn write_inputs(folder: &Path, texts: &[String], documents: &[usize]) {
    if folder.exists() {
        std::fs::remove_dir_all(folder).expect("it can be removed");
    }
    std::fs::create_dir(folder).expect("it can be made");
    let mut file = String::new();
    let mut records = String::new();
    for (position, &document_idx) in documents.iter().enumerate() {
        match url(document_idx) {
            None => {
                records.clear();
                std::fs::write(folder.join(format!("text-{document_idx}.txt")), &texts[document_idx])
            }
            Some(url) => {
                if records.is_empty() || records.len() > 2000 {
                    records.clear();
                    file = format!("{position:03}.jsonl");
                }
                records += &serde_json::json!({"url": url, "text": texts[document_idx]}).to_string();
                records.push('\n');
                std::fs::write(folder.join(&file), &records)
            }
        }
        .expect("it can be written");
    }
}

/// What is left of the documents of a run, by their numbers.
fn read_outputs(inputs: &Path, outputs: &Path) -> Vec<(usize, String)> {
    let mut names: Vec<_> = std::fs::read_dir(inputs)
        .expect("it is there")
        .map(|entry| entry.expect("so are its files").file_name())
        .collect();
    names.sort();
    let mut left = Vec::new();
    for name in names {
        let output = std::fs::read_to_string(outputs.join(&name)).expect("each input has its output");
        match name.to_str().and_then(|name| name.strip_prefix("text-")?.strip_suffix(".txt")) {
            Some(number) => left.push((number.parse().expect("a number"), output)),
            None => left.extend(read_records(&output)),
        }
    }
    left
}

/// Cleans documents; gives them in the order of the input.
fn clean(folder: &Path, config: &Config, texts: &[String], documents: &[usize]) -> Vec<(usize, String)> {
    let inputs = folder.join("in");
    write_inputs(&inputs, texts, documents);
    let config = Config { output: Some(folder.join("out")), ..config.clone() };
    let report =
        Run::new(&config, &()).and_then(|run| run.files(std::slice::from_ref(&inputs))).expect("it can be cleaned");
    assert!(report.failed_files.is_empty(), "{:?}", report.failed_files);
    read_outputs(&inputs, &folder.join("out"))
}

/// Cleans documents that have an address as a crawl does, with the same index.
fn crawl(config: &Config, texts: &[String], documents: &[usize]) -> Vec<(usize, String)> {
    let index = config.index.clone().expect("there is one");
    let crawl = Crawl::open(index, &Config { index: None, ..config.clone() }).expect("it can be opened");
    let mut left = Vec::new();
    for &document_idx in documents {
        let url = url(document_idx);
        let page = Document { url: url.as_deref(), ..Document::new(&texts[document_idx]) };
        let text = crawl.clean(&page).expect("it can be cleaned").into_text();
        left.push((document_idx, String::from_utf8(text).expect("it was UTF-8")));
    }
    crawl.commit().expect("it can be written");
    left
}

/// The same as a stream.
fn stream(config: &Config, texts: &[String], documents: &[usize]) -> Vec<(usize, String)> {
    let record = |&document_idx: &usize| {
        serde_json::json!({"url": url(document_idx), "text": texts[document_idx]}).to_string() + "\n"
    };
    let input: String = documents.iter().map(record).collect();
    let mut output = Vec::new();
    let run = Run::new(config, &()).expect("it can be begun");
    run.stream(std::io::Cursor::new(input), &mut output).expect("it can be cleaned");
    read_records(&String::from_utf8(output).expect("it was UTF-8")).collect()
}

/// What records have that are left, by the numbers of their documents.
fn read_records(output: &str) -> impl Iterator<Item = (usize, String)> {
    output.lines().map(|line| {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record");
        let url = record["url"].as_str().expect("it has its address");
        let number = url.rsplit('/').next().expect("behind the last slash").parse().expect("a number");
        (number, record["text"].as_str().expect("it has its text").to_owned())
    })
}

/// How documents are cleaned.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Run,
    Crawl,
    Stream,
}

impl By {
    fn clean(self, folder: &Path, config: &Config, texts: &[String], documents: &[usize]) -> Vec<(usize, String)> {
        // Only runs over files know documents by where they stand.
        let documents: Vec<usize> =
            documents.iter().copied().filter(|document| self == By::Run || url(*document).is_some()).collect();
        match self {
            By::Run => clean(folder, config, texts, &documents),
            By::Crawl => crawl(config, texts, &documents),
            By::Stream => stream(config, texts, &documents),
        }
    }
}

fn any_way() -> impl Strategy<Value = By> {
    prop::sample::select(&[By::Run, By::Crawl, By::Stream][..])
}

proptest! {
    #![proptest_config(Tries { cases: 32, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Tries::default() })]

    #[test]
    fn whatever_runs_there_are_documents_come_out_as_in_one_pass(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..14), 12),
        runs in prop::collection::vec((prop::collection::vec(0..12_usize, 1..10), any_way()), 1..7),
        scope in prop::sample::select(&[Scope::Corpus, Scope::Site][..]),
        threads in prop::sample::select(&[1, 2, 7][..]),
    ) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let texts: Vec<String> = lines.iter().map(|lines| page(lines)).collect();
        let config = Config { threads: Some(threads), ..config(folder.path(), scope) };
        let alone = Config { index: None, ..config.clone() };
        let mut one_pass = OnePass::new(&alone, &texts, url);
        for (mut documents, by) in runs {
            let mut seen = std::collections::BTreeSet::new();
            documents.retain(|document| seen.insert(*document));
            for (document_idx, left) in by.clean(folder.path(), &config, &texts, &documents) {
                prop_assert_eq!(left, one_pass.clean(document_idx), "document {}, by {:?}", document_idx, by);
            }
            IndexReader::open(config.index.as_ref().expect("there is one")).and_then(|index| index.verify()).expect("it is whole");
        }
    }
}

/// How often each long line stands in texts.
fn long_lines<'t>(texts: impl Iterator<Item = &'t str>) -> BTreeMap<&'t str, usize> {
    let mut counts = BTreeMap::new();
    for line in texts.flat_map(str::lines).filter(|line| line.len() > 60) {
        *counts.entry(line).or_insert(0) += 1;
    }
    counts
}

proptest! {
    #![proptest_config(Tries { cases: 16, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Tries::default() })]

    #[test]
    fn where_documents_give_up_what_they_had_nothing_is_lost_however_often_they_change(
        runs in prop::collection::vec((prop::collection::vec((0..8_usize, any::<u8>()), 1..8), any_way()), 1..7),
        versions in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 8), 3),
    ) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let config = Config { on_changed: OnChanged::Release, ..config(folder.path(), Scope::Corpus) };
        let mut texts: Vec<String> = versions[0].iter().map(|lines| page(lines)).collect();
        for (changes, by) in runs {
            let mut documents: Vec<usize> = Vec::new();
            for (document_idx, version) in changes {
                texts[document_idx] = page(&versions[usize::from(version) % 3][document_idx]);
                documents.push(document_idx);
            }
            documents.sort_unstable();
            documents.dedup();
            by.clean(folder.path(), &config, &texts, &documents);
            IndexReader::open(config.index.as_ref().unwrap()).and_then(|index| index.verify()).expect("it is whole");
        }
        let all: Vec<usize> = (0..8).collect();
        let left = clean(folder.path(), &config, &texts, &all);
        prop_assert_eq!(&clean(folder.path(), &config, &texts, &all), &left);
        let once: BTreeMap<&str, usize> =
            long_lines(texts.iter().map(String::as_str)).into_keys().map(|line| (line, 1)).collect();
        prop_assert_eq!(long_lines(left.iter().map(|(_, text)| text.as_str())), once);
    }
}

#[test]
fn what_a_changed_document_has_no_more_is_kept_for_it_or_given_up() {
    let lines: Vec<String> = (0..3).map(|line| page(&[line])).collect();
    for (on_changed, expected) in [(OnChanged::Keep, ""), (OnChanged::Release, lines[0].as_str())] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let config = Config { on_changed, ..config(folder.path(), Scope::Corpus) };
        let run = |first: &str, second: &str| {
            let texts = ["".into(), first.to_owned(), second.to_owned()];
            clean(folder.path(), &config, &texts, &[1, 2])
        };
        assert_eq!(run(&lines[0], &lines[0]), [(1, lines[0].clone()), (2, String::new())]);
        assert_eq!(run(&lines[1], &lines[0]), [(1, lines[1].clone()), (2, expected.to_owned())]);
        // The other way round as well: what it is now is its own.
        assert_eq!(run(&lines[1], &lines[1]), [(1, lines[1].clone()), (2, String::new())]);
    }
}
