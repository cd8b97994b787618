//! WARC and WET: text is cleaned, headers say so, all else stays.

use super::support::{BAKER, Folder, SHIP, packed, unpacked};
use sha1::{Digest, Sha1};

fn sha1(content: &str) -> String {
    data_encoding::BASE32.encode(&Sha1::digest(content.as_bytes()))
}

fn record(kind: &str, fields: &str, content: &str) -> String {
    let length = content.len();
    format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\n{fields}WARC-Block-Digest: sha1:{}\r\nContent-Length: {length}\r\n\r\n{content}\r\n\r\n",
        sha1(content)
    )
}

fn conversion(number: u32, content: &str) -> String {
    let fields = format!(
        "WARC-Target-URI: https://site{number}.example/page\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nX-Own: kept\r\n"
    );
    record("conversion", &fields, content)
}

/// Three pages and what is around them, as scraped and cleaned.
fn files() -> (Vec<String>, Vec<String>) {
    let info = record("warcinfo", "", "software: a crawler\r\nSkip to content\r\n");
    let response = record("response", "", "HTTP/1.1 200 OK\r\n\r\nSkip to content\n\0\u{1}WARC/1.0\r\n");
    let scraped = vec![
        info.clone(),
        conversion(1, &format!("Skip to content\n{SHIP}\n")),
        response.clone(),
        conversion(2, &format!("{BAKER}\n{SHIP}\n")),
        conversion(3, "Nothing to cut."),
    ];
    let cleaned = vec![
        info,
        conversion(1, &format!("{SHIP}\n")),
        response,
        conversion(2, &format!("{BAKER}\n")),
        conversion(3, "Nothing to cut."),
    ];
    (scraped, cleaned)
}

#[test]
fn text_is_cleaned_and_its_length_and_digest_are_right() {
    let (scraped, cleaned) = files();
    let folder = Folder::new().with("in/a.warc.wet", scraped.concat()).with("in/b.wet", "").with("c", scraped.concat());
    folder.run("clean in -o out --journal journal").ends_with(0);
    assert_eq!(folder.read("out/a.warc.wet"), cleaned.concat());
    assert_eq!(folder.read("out/b.wet"), "");
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.tree("back"), folder.tree("in"));
    // What the file is shows by its start, too.
    folder.run("clean c -o -").ends_with(0).says(&cleaned.concat());
    folder.run_on(scraped.concat(), "clean -").ends_with(0).says(&cleaned.concat());
    let cut = &folder.journal("journal")[3];
    assert_eq!((cut["id"].as_str(), cut["record"].as_u64()), (Some("<urn:uuid:1>"), Some(2)), "{cut}");
}

#[test]
fn each_record_is_a_member_of_its_own() {
    let (scraped, cleaned) = files();
    for extension in ["gz", "zst"] {
        let members: Vec<u8> = scraped.iter().flat_map(|record| packed(extension, record)).collect();
        let folder = Folder::new().with(&format!("in/a.warc.{extension}"), &members);
        folder.run("clean in -o out --journal journal").ends_with(0);
        let mut out = &folder.bytes(&format!("out/a.warc.{extension}"))[..];
        for record in &cleaned {
            let member = packed(extension, record);
            assert_eq!(unpacked(extension, out).map(String::from_utf8), Some(Ok(record.clone())));
            out = &out[member.len()..];
        }
        assert!(out.is_empty());
        folder.run("restore out --journal journal -o back").ends_with(0);
        let back = folder.bytes(&format!("back/a.warc.{extension}"));
        assert_eq!(unpacked(extension, &back), Some(scraped.concat().into_bytes()));
    }
}

#[test]
fn bad_records_are_told_and_stay() {
    let (scraped, _) = files();
    let short = scraped[1].replace("Content-Length: ", "Content-Length: 1");
    let bytes =
        [&scraped[0][..], &short, &scraped[3], "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 10\r\n\r\nend"]
            .concat();
    let folder = Folder::new().with("a.warc", &bytes).with("b.warc", "no WARC\r\n");
    let ran = folder.run("clean a.warc -o out");
    ran.ends_with(1);
    let place = |record: usize, start: usize| format!("a.warc:{record}: at byte {start}: Content-Length is 1");
    assert!(ran.stderr.contains(&place(2, scraped[0].len())), "{}", ran.stderr);
    let fourth = [&scraped[0], &short, &scraped[3]].map(|record| record.len()).iter().sum();
    assert!(ran.stderr.contains(&place(4, fourth)), "{}", ran.stderr);
    assert!(ran.stderr.contains("Content-Length is 10, but the content has 3 bytes"), "{}", ran.stderr);
    assert_eq!(folder.read("out"), bytes);
    let ran = folder.run_on(&bytes, "clean -");
    assert!(ran.stderr.contains(&format!("-:4: at byte {fourth}: ")), "{}", ran.stderr);
    folder.run("clean b.warc -o out --force").ends_with(1);
    assert_eq!(folder.read("out"), "no WARC\r\n");
}

#[test]
fn a_digest_of_an_unknown_kind_goes() {
    let content = format!("Skip to content\n{SHIP}\n");
    let record = |digest: &str, content: &str| {
        format!(
            "WARC/1.1\r\nwarc-type: conversion\r\n{digest}content-length: {}\r\n\r\n{content}\r\n\r\n",
            content.len()
        )
    };
    let folder = Folder::new().with("a.warc", record("WARC-Block-Digest: md5:AAAA\r\n", &content));
    folder.run("clean a.warc -o out --journal journal").ends_with(0);
    assert_eq!(folder.read("out"), record("", &format!("{SHIP}\n")));
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.bytes("back"), folder.bytes("a.warc"));
}
