//! The corpus is the same every time and looks like what it stands for. Here and not in `mod.rs`, so that they run once
//! and not in every bench.

use std::fs;
use std::path::{Path, PathBuf};

use crate::corpus::{Corpus, Stats};

const BYTES: u64 = 8 << 20;

/// A number that any change of any byte changes, in all likelihood.
fn digest(corpus: &Corpus) -> u64 {
    corpus.pages().fold(0, |digest, page| {
        page.text.bytes().fold(digest, |digest: u64, byte| digest.wrapping_mul(0x0100_0000_01B3) ^ u64::from(byte))
    })
}

#[test]
fn same_seed_same_bytes() {
    let (one, other) = (Corpus::new(1, BYTES), Corpus::new(1, BYTES));
    assert!(one.pages().eq(other.pages()), "two runs of seed 1 differ");
    assert_ne!(digest(&one), digest(&Corpus::new(2, BYTES)), "seeds 1 and 2 give the same");
}

/// Figures that were measured on a corpus are no longer comparable when this number changes.
#[test]
fn same_bytes_as_ever() {
    assert_eq!(digest(&Corpus::new(1, BYTES)), 15_084_809_557_982_736_694);
}

/// At 8 MiB the chrome of many small sites is seen for the first time, so that fewer lines repeat than the 53 % of
/// 1 GiB.
#[test]
fn looks_like_crawl_text() {
    for seed in [1, 2, 3] {
        let mut stats = Stats::default();
        for page in Corpus::new(seed, BYTES).pages() {
            stats.note(&page);
        }
        for (what, low, value, high) in [
            ("text asked for", 1.0, stats.bytes() as f64 / BYTES as f64, 1.01),
            ("median line length", 58.0, stats.median_line() as f64, 80.0),
            ("mean line length", 225.0, stats.mean_line(), 260.0),
            ("share of repeated lines", 0.45, stats.repeated_lines(), 0.57),
            ("share of repeated bytes", 0.25, stats.repeated_bytes(), 0.31),
            ("share of lines beyond ASCII", 0.05, stats.non_ascii_lines(), 0.08),
        ] {
            assert!((low..=high).contains(&value), "seed {seed}: {what} is {value}, not {low} to {high}");
        }
    }
}

fn sorted_files(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(|entry| entry.expect("the folder was just written").into_path())
        .filter(|path| path.is_file())
        .collect();
    // Pages by their name, whatever their site's folder; parts by their number.
    paths.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    paths
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file that was just written is there and UTF-8")
}

#[test]
fn every_form_has_the_same_text() -> std::io::Result<()> {
    let dir = tempfile::tempdir()?;
    let corpus = Corpus::new(7, 1 << 20);
    let (one, shards, jsonl, files) =
        (dir.path().join("one"), dir.path().join("shards"), dir.path().join("jsonl"), dir.path().join("files"));
    corpus.write_one_file(&one)?;
    corpus.write_text_shards(&shards, 3)?;
    corpus.write_jsonl_shards(&jsonl, 3)?;
    corpus.write_text_files(&files, usize::MAX)?;

    let text = read(&one);
    assert_eq!(sorted_files(&shards).len(), 3);
    assert!(sorted_files(&shards).iter().map(|path| read(path)).collect::<String>() == text, "shards differ");
    assert!(sorted_files(&files).iter().map(|path| read(path)).collect::<String>() == text, "files differ");
    assert_eq!(sorted_files(&jsonl).len(), 3);
    let mut from_records = String::new();
    for record in sorted_files(&jsonl).iter().map(|path| read(path)).collect::<String>().lines() {
        let record: serde_json::Value = serde_json::from_str(record)?;
        from_records.push_str(record["text"].as_str().expect("every record has a text"));
        from_records.push('\n');
    }
    assert!(from_records == text, "records differ");
    Ok(())
}
