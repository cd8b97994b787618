//! Whole runs over whatever there may be: what was removed can be put back, and threads and spellings do not show.

use crate::parquet_file::Parquet;
use crate::{character, tries};
use dehusk::config::{Format, Framing, OnBadRecord, Size};
use dehusk::run::{Run, restore};
use dehusk::text::{Fold, Unit};
use dehusk::{Cleaner, Config, Document, Keep, Scope, Scratch};
use proptest::prelude::*;
use proptest::sample::select;
use std::io::Cursor;
use std::path::Path;

const PACK: &str = r##"
format = 1
name = "t"
about = "Chrome of every kind"
[[rule]]
id = "menu"
match = "line"
patterns = ["menu", "page #"]
removes = ["menu"]
keeps = ["no"]
[[rule]]
id = "share"
match = "within"
patterns = ["share this", "é!"]
remove = "words"
removes = [{ line = "do share this", leaves = "do " }]
keeps = ["no"]
[[rule]]
id = "label"
match = "shape"
shape = "label"
near = { rule = "menu", lines = 1 }
removes = [{ line = "label", before = "menu" }]
keeps = ["no"]
"##;

fn config() -> impl Strategy<Value = Config> {
    let scope = select(&[Scope::Corpus, Scope::Corpus, Scope::Site, Scope::Document, Scope::Off][..]);
    let fold = select(&[Fold::Exact, Fold::Loose, Fold::Loose, Fold::Letters][..]);
    let encoding = select(&["utf-8", "utf-8", "auto", "shift_jis", "gb18030", "big5"][..]);
    let settings = (any::<[bool; 3]>(), scope, any::<bool>(), 0..20_usize, fold, encoding);
    settings.prop_map(|(flags, scope, keep, min_chars, fold, encoding)| Config {
        encoding: encoding.into(),
        unit: if flags[0] { Unit::Paragraph } else { Unit::Line },
        keep: if keep && scope != Scope::Off { Keep::None } else { Keep::First },
        drop_empty: flags[1],
        on_bad_record: if flags[2] { OnBadRecord::Skip } else { OnBadRecord::Keep },
        no_default_packs: true,
        scope,
        min_chars,
        fold,
        ..Config::default()
    })
}

/// Bytes of lines that repeat, are chrome, are blank, or are no text at all.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let lines: &[&[u8]] = &[
        b"Menu\n",
        b"Page 12\r\n",
        b"do share this, please",
        b"\xc3\xa9! \xc3\xa9!\n",
        b"a\n",
        b"a",
        b"\n",
        b" \r\n",
        b"\0",
        b"The ship left the harbour.\n",
        b"The SHIP left the harbour.\r\n",
        b"the crew slept",
        b"\xff\xfe\n",
        b"\xef\xbb\xbf",
        b"\xff\xfeM\0e\0n\0u\0\n\0",
        b"\xfe\xff\0a\0\n",
        b"\0\n",
        b"\x81\x5c\x81",
        b"{\"text\":\"Menu\\nThe ship left the harbour.\\n",
        b"\\u00e9!",
        b"\"}\n",
        b"{\"text\":\"a\\nb\"}\n",
        b"{\"x\":1}\n",
        b"{\"text\":\"Menu\\n\",\"site\":\"a.com\"}\n",
    ];
    let piece = prop_oneof![9 => select(lines).prop_map(<[u8]>::to_vec), 1 => prop::collection::vec(any::<u8>(), 1..4)];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// The configuration with the pack, which is written to `folder`.
fn with_pack(config: Config, folder: &Path) -> std::io::Result<Config> {
    let pack = folder.join("pack.toml");
    std::fs::write(&pack, PACK)?;
    Ok(Config { pack: vec![pack.display().to_string()], ..config })
}

/// A text as JSON spells it, each character in one of the ways that are allowed for it.
fn spelled(text: &str, ways: &[u8]) -> String {
    let mut spelled = String::from("\"");
    for (character, way) in text.chars().zip(ways.iter().cycle()) {
        let short = "\"\\/\u{8}\u{c}\n\r\t".find(character).map(|at| &"\"\\/bfnrt"[at..=at]);
        match (way % 3, short) {
            (0, _) if !character.is_control() && !"\"\\".contains(character) => spelled.push(character),
            (1, Some(short)) => spelled.extend(["\\", short]),
            (2, _) => {
                character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| spelled.push_str(&format!("\\u{unit:04x}")))
            }
            _ => {
                character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| spelled.push_str(&format!("\\u{unit:04X}")))
            }
        }
    }
    spelled.push('"');
    spelled
}

fn json_text() -> impl Strategy<Value = String> {
    let line = select(
        &["Menu\n", "do share this\n", "é! ship é!\n", "The ship left the harbour.\n", "\n", "a\n", "/ \"b\\\n"][..],
    );
    let odd = prop::collection::vec(character(), 0..5).prop_map(|characters| characters.into_iter().collect());
    let piece = prop_oneof![3 => line.prop_map(str::to_owned), 1 => odd];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Files of records are worked on in parts of 4 MiB; this one has records across their bounds, and one that is a part and
/// more. Pieces of a stream end elsewhere, so that the two must agree for neither to depend on where.
#[test]
fn parts_of_a_large_file_do_not_show() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let mut input = String::new();
    for number in 0..50_000_u64 {
        // Numbers of a simple congruence, so that lines repeat near and far.
        let pick = |salt: u64| (number * 2_654_435_761 + salt * 40_503) % 9973;
        let lines = format!("Line {} of the log of the ship.\\nMenu\\n{}\\nLine {}", pick(1), pick(2), pick(3));
        input.push_str(&format!("{{\"id\":{number},\"text\":\"{lines} of the log of the ship.\\n\"}}\n"));
        if number == 25_000 {
            let long: String =
                (0..150_000).map(|line| format!("Line {line} of the long log of the ship.\\n")).collect();
            input.push_str(&format!("{{\"text\":\"{long}\"}}\n{{\"text\":1}}\n"));
        }
    }
    std::fs::write(path("in.jsonl"), &input)?;
    let config = with_pack(Config { min_chars: 20, no_default_packs: true, ..Config::default() }, folder.path())?;
    for (name, threads) in [("1", 1), ("3", 3)] {
        let (output, journal) = (path(&format!("out-{name}.jsonl")), path(&format!("journal-{name}")));
        let (output, journal) = (Some(output), Some(journal));
        let config = Config { output, journal, threads: Some(threads), ..config.clone() };
        let report = Run::new(&config, &())?.files(&[path("in.jsonl")])?;
        assert_eq!(report.totals.documents, 50_001);
        assert_eq!(report.bad_records.len(), 1);
        assert!(report.bad_records[0].starts_with("in.jsonl:25003: "), "{}", report.bad_records[0]);
    }
    let output = std::fs::read(path("out-1.jsonl"))?;
    assert!(output.len() < input.len() * 3 / 4, "only so much repeats: {} of {}", output.len(), input.len());
    assert!(output == std::fs::read(path("out-3.jsonl"))?);
    let journal = std::fs::read_to_string(path("journal-1"))?;
    assert!(journal == std::fs::read_to_string(path("journal-3"))?);
    let restored = restore(&path("out-3.jsonl"), &path("journal-3"), &path("restored"), false)?;
    assert!(restored.failed.is_empty() && std::fs::read(path("restored"))? == input.as_bytes());

    let config = Config { format: Format::Jsonl, journal: Some(path("journal-stream")), ..config };
    let mut streamed = Vec::new();
    Run::new(&config, &())?.stream(Cursor::new(input), &mut streamed)?;
    assert!(streamed == output, "a stream is cleaned otherwise");
    let cuts = |journal: &str| -> Vec<String> {
        let cuts = journal.lines().filter(|line| line.starts_with("{\"at\""));
        cuts.map(|line| line.replace("\"in.jsonl\"", "\"-\"")).collect()
    };
    assert!(cuts(&journal) == cuts(&std::fs::read_to_string(path("journal-stream"))?), "for other reasons");
    Ok(())
}

/// A file that can be read as it is called: it begins as such files do, and goes on as it likes.
fn of_kind(kind: &str, bytes: Vec<u8>) -> Vec<u8> {
    match kind {
        "csv" => [b"id,text\n1,\"", &bytes[..], b"\"\n2,", &bytes].concat(),
        "tsv" => [b"text\tid\n", &bytes[..]].concat(),
        "warc" => {
            let head = format!(
                "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Block-Digest: sha1:AA\r\nContent-Length: {}\r\n\r\n",
                bytes.len()
            );
            [head.as_bytes(), &bytes, b"\r\n\r\n", head.as_bytes(), &bytes, b"\r\n\r\n", &bytes].concat()
        }
        "parquet" => {
            let text = String::from_utf8_lossy(&bytes);
            let (first, second) = text.split_at(text.floor_char_boundary(text.len() / 2));
            let parquet = Parquet::default().with_group(&[Some(&*text), None, Some(first)]).with_group(&[Some(second)]);
            parquet.with_group(&[Some(second), Some(&*text)]).bytes()
        }
        _ => bytes,
    }
}

/// What of a file of a kind must come back: of Parquet the values, of all others the bytes.
fn content(kind: &str, bytes: Vec<u8>) -> Vec<Vec<String>> {
    match kind {
        "parquet" => Parquet::read(&bytes),
        _ => vec![vec![bytes.escape_ascii().to_string()]],
    }
}

proptest! {
    #![proptest_config(tries(150))]

    #[test]
    fn files_come_back_and_neither_threads_nor_memory_show(
        config in config(),
        files in prop::collection::vec((input(), select(&["txt", "jsonl", "csv", "tsv", "warc", "parquet"][..])), 1..4),
    ) {
        let files: Vec<(Vec<u8>, &str)> = files.into_iter().map(|(bytes, kind)| (of_kind(kind, bytes), kind)).collect();
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let config = with_pack(config, folder.path())?;
        std::fs::create_dir(path("in"))?;
        let names: Vec<String> = (0..).zip(&files).map(|(number, (_, kind))| format!("{number}.{kind}")).collect();
        for (name, (bytes, _)) in names.iter().zip(&files) {
            std::fs::write(path("in").join(name), bytes)?;
        }
        for (of, threads, memory) in [("", 1, None), ("-3", 3, None), ("-bound", 2, Some(Size::new(256 << 20)))] {
            let (output, journal) = (Some(path(&format!("out{of}"))), Some(path(&format!("journal{of}"))));
            let config = Config { output, journal, memory, threads: Some(threads), ..config.clone() };
            let report = Run::new(&config, &())?.files(&[path("in")])?;
            prop_assert_eq!(&report.failed_files, &Vec::<String>::new());
        }
        for of in ["-3", "-bound"] {
            let journal = std::fs::read(path(&format!("journal{of}")))?;
            prop_assert_eq!(&std::fs::read(path("journal"))?, &journal, "{}", of);
        }
        let restored = restore(&path("out"), &path("journal"), &path("restored"), false)?;
        prop_assert_eq!(restored.failed, Vec::<String>::new());
        for (name, (bytes, kind)) in names.iter().zip(&files) {
            let back = std::fs::read(path("restored").join(name))?;
            prop_assert_eq!(content(kind, back), content(kind, bytes.clone()));
            for of in ["-3", "-bound"] {
                let output = std::fs::read(path(&format!("out{of}")).join(name)).ok();
                prop_assert_eq!(&std::fs::read(path("out").join(name)).ok(), &output, "{}", of);
            }
        }
    }

    #[test]
    fn streams_come_back(
        config in config(),
        input in input(),
        framing in select(&[Framing::None, Framing::Lines, Framing::Nul][..]),
        format in select(&[Format::Auto, Format::Text, Format::Jsonl][..]),
    ) {
        prop_assume!(config.keep == Keep::First || config.scope == Scope::Document);
        prop_assume!(framing == Framing::None || format != Format::Jsonl);
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let (output, journal) = (Some(path("out.txt")), Some(path("journal")));
        let config = Config { output, journal, framing, format, ..with_pack(config, folder.path())? };
        Run::new(&config, &())?.stream(Cursor::new(input.clone()), &mut Vec::new())?;
        let restored = restore(&path("out.txt"), &path("journal"), &path("restored"), false)?;
        prop_assert_eq!(restored.failed, Vec::<String>::new());
        prop_assert_eq!(std::fs::read(path("restored"))?, input);
    }

    #[test]
    fn spelling_does_not_show(
        config in config(),
        texts in prop::collection::vec(json_text(), 1..5),
        ways in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let config = Config { drop_empty: false, keep: Keep::First, encoding: "utf-8".into(), ..config };
        let folder = tempfile::tempdir()?;
        let config = with_pack(config, folder.path())?;
        let record = |text: &String| format!("{{\"n\" : 1.50,\"text\":{}, \"e\":1e5}}\n", spelled(text, &ways));
        let input: String = texts.iter().map(record).collect();
        let stream = Config { format: Format::Jsonl, threads: Some(2), ..config.clone() };
        let mut output = Vec::new();
        let report = Run::new(&stream, &())?.stream(Cursor::new(input), &mut output)?;
        prop_assert_eq!(report.bad_records, Vec::<String>::new());
        let cleaner = Cleaner::new(&config)?;
        let mut scratch = Scratch::default();
        let output = String::from_utf8(output)?;
        prop_assert_eq!(output.lines().count(), texts.len());
        for (record, text) in output.lines().zip(&texts) {
            let spelled = record.strip_prefix("{\"n\" : 1.50,\"text\":").and_then(|rest| rest.strip_suffix(", \"e\":1e5}"));
            prop_assert!(spelled.is_some(), "{}", record);
            let left: String = serde_json::from_str(spelled.unwrap_or_default())?;
            let cleaned = cleaner.clean(&Document::new(text), &mut scratch)?;
            prop_assert_eq!(left.as_bytes(), cleaned.text(), "of {:?}", text);
        }
    }
}
