//! Indexes that earlier versions wrote, which open for ever.
//!
//! `format-1` is what two runs of `dehusk clean --index --pack cnet` made, and `dehusk index remove-owner` after them: twelve pages of a gazette
//! with their templates, and three pages elsewhere of which one was given up. So it has runs and a log.

use dehusk::{Config, Crawl, Document, IndexReader};
use std::path::Path;
use tempfile::TempDir;

const SHIP: &str =
    "The ship left the harbour at dawn, with forty people and a cat on board, bound for the northern isles.";
const BAKER: &str = "The baker of the lower town opened his shop at four every morning, and nobody ever asked him why.";

/// A copy of an index as it was written.
fn written(name: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/index").join(name);
    for entry in std::fs::read_dir(source).expect("it is there") {
        let entry = entry.expect("it can be read");
        let bytes = std::fs::read(entry.path()).expect("it can be read");
        std::fs::write(folder.path().join(entry.file_name()), bytes).expect("it can be written");
    }
    folder
}

#[test]
fn format_1_is_read() {
    let folder = written("format-1");
    let reader = IndexReader::open(folder.path()).expect("it can be opened");
    reader.verify().expect("it is whole");
    let stats = reader.stats().expect("it can be read");
    assert_eq!((stats.fingerprints, stats.documents, stats.commits, stats.runs), (41, 15, 3, 2));
    let mut ids = std::collections::BTreeSet::new();
    reader
        .each(|_, _, id| {
            ids.extend(id.map(str::to_owned));
            Ok(true)
        })
        .expect("it can be read");
    assert_eq!(ids.len(), 14);
    assert!(!ids.contains("https://two.example/b") && ids.contains("https://one.example/a"));
}

#[test]
fn format_1_is_gone_on_with() {
    let folder = written("format-1");
    let config = Config { pack: vec!["cnet".into()], ..Config::default() };
    let crawl = Crawl::open(folder.path(), &config).expect("it can be opened");
    let clean = |url: &str, text: &str| {
        let page = crawl.clean(&Document { url: Some(url), ..Document::new(text) }).expect("it can be cleaned");
        let sources: Vec<String> = page.cuts().iter().filter_map(|cut| Some(page.source(cut)?.id.to_owned())).collect();
        (String::from_utf8(page.into_text()).expect("it is text"), sources)
    };
    let first = format!("Yes.\n{SHIP}\nNo.\n");
    assert_eq!(clean("https://one.example/a", &first), (first.clone(), vec![]));
    assert_eq!(clean("https://new.example/", &first), (String::new(), vec!["https://one.example/a".into(); 3]));
    // What was given up is whose it is that comes.
    let baker = format!("{BAKER}\n");
    assert_eq!(clean("https://new.example/2", &baker), (baker.clone(), vec![]));
    assert_eq!(clean("https://two.example/b", &baker), (String::new(), vec!["https://new.example/2".into()]));
    // A page that lost templates when it came, and one that comes for the first time.
    for (number, letters) in [(7, "vwxyzabcd"), (99, "quincunx")] {
        let text = format!(
            "The tale of {letters}\nIn {letters} they say that the ship left the harbour at dawn, with forty people on \
             board. And so did {letters}.\n"
        );
        let page = format!("HARBOUR Gazette\nNews | Sport\nSign in »\n{text}Imprint of it\n");
        assert_eq!(clean(&format!("https://gazette.example/{number}"), &page), (text, vec![]));
    }
    crawl.commit().expect("it can be written");
    drop(crawl);
    IndexReader::open(folder.path()).and_then(|index| index.verify()).expect("it is whole");
}
