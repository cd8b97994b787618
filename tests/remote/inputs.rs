//! Reading from servers.

use super::server::{Reaction, Server};
use super::user::{run, run_on_threads};
use crate::support::{BAKER, Folder, SHIP, packed};

/// Records that repeat each other, so many that they are several parts and ranges.
fn records(seed: usize, n_records: usize) -> String {
    let record = |number: usize| {
        let own =
            format!("Page {number} of crawl {seed} tells what no other page does, at some length: {}.", number * 7919);
        let repeated = [SHIP, BAKER][number % 2];
        format!("{{\"id\":{number},\"text\":\"Skip to content\\n{own}\\n{repeated}\\n\",\"other\":[{seed}]}}\n")
    };
    (0..n_records).map(record).collect()
}

/// A crawl of several formats, by the names of its files.
fn crawl() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a.jsonl.gz", packed("gz", records(1, 2_000))),
        ("b.txt", format!("Skip to content\n{SHIP}\nOnly here.\n").into_bytes()),
        ("deep/c.jsonl.zst", packed("zst", records(2, 30_000))),
        ("deep/d.csv", format!("id,text\n1,\"{BAKER}\"\n").into_bytes()),
        ("e.jsonl", records(3, 500).into_bytes()),
        ("f.txt", Vec::new()),
        ("g.txt", b"x".to_vec()),
        ("page&more <1>.txt", format!("{SHIP}\n").into_bytes()),
    ]
}

/// The crawl on a server, and in a folder.
fn both() -> (Server, Folder) {
    let (mut server, mut folder) = (Server::start(), Folder::new());
    for (name, bytes) in crawl() {
        server = server.with(&format!("bucket/crawl/{name}"), &bytes);
        folder = folder.with(&format!("crawl/{name}"), &bytes);
    }
    (server.with("bucket/crawl/picture.png", "no text").with("bucket/crawler/z.txt", "elsewhere"), folder)
}

#[test]
fn a_folder_of_a_bucket_is_cleaned_as_one_of_this_machine() {
    let (server, folder) = both();
    let folder = folder.with("crawl/picture.png", "no text");
    let told = folder.run("clean crawl -o local --journal local.jsonl");
    for threads in [1, 2, 7] {
        let arguments =
            format!("clean s3://bucket/crawl/ -o out{threads} --journal {threads}.jsonl --report {threads}.json");
        let ran = run_on_threads(&folder, &server, threads, &arguments);
        ran.ends(0, &told.stderr.lines().collect::<Vec<_>>());
        assert!(folder.tree(&format!("out{threads}")) == folder.tree("local"), "{threads} threads");
        assert!(folder.bytes(&format!("{threads}.jsonl")) == folder.bytes("local.jsonl"), "{threads} threads");
    }
    assert_eq!(folder.json("1.json")["passed_over"][0], "s3://bucket/crawl/picture.png");
    folder.run("restore out7 --journal 7.jsonl -o back").ends_with(0);
    let restored = folder.tree("back");
    assert!(restored.iter().all(|(name, bytes)| bytes.as_ref() == Some(&folder.bytes(&format!("crawl/{name}")))));
}

#[test]
fn a_file_is_named_by_the_path_of_its_url() {
    let (server, folder) = both();
    for (input, name) in [
        ("HTTP/bucket/crawl/a.jsonl.gz", "a.jsonl.gz"),
        ("HTTP/bucket/crawl/deep/c.jsonl.zst?key=a/b&more=*#part", "c.jsonl.zst"),
        ("s3://bucket/crawl/deep/c.jsonl.zst", "c.jsonl.zst"),
        ("s3://bucket/crawl/e.jsonl", "e.jsonl"),
        ("HTTP/bucket/crawl/f.txt", "f.txt"),
        ("HTTP/bucket/crawl/g.txt", "g.txt"),
    ] {
        let local = folder.files("crawl").into_iter().find(|file| file.ends_with(name)).expect("it is of the crawl");
        let expected = folder.run(&format!("clean crawl/{local} -o local/ --force"));
        let ran = run(&folder, &server, &format!("clean {input} -o out/ --force"));
        ran.ends(0, &expected.stderr.lines().collect::<Vec<_>>());
        assert!(folder.bytes(&format!("out/{name}")) == folder.bytes(&format!("local/{name}")), "{input}");
    }
}

#[test]
fn lists_may_have_urls_and_files() {
    let (server, folder) = both();
    let url = server.url();
    let list = format!("crawl/b.txt\n{url}/bucket/crawl/deep/d.csv\ns3://bucket/crawl/e.jsonl\n");
    let folder = folder.with("list", list).with("urls", format!("{url}/b/x/one.txt\n{url}/b/x/deep/two.txt\n"));
    run(&folder, &server, "clean --files-from list -o out").ends_with(0);
    let files = folder.files("out");
    // What they have in common is nothing but the root of all: each has its whole path.
    assert!(files.iter().any(|file| file.ends_with("/crawl/b.txt")), "{files:?}");
    assert!(files.iter().any(|file| file.ends_with("/bucket/crawl/deep/d.csv")), "{files:?}");
    assert!(files.contains(&"bucket/crawl/e.jsonl".to_owned()), "{files:?}");
    let server = server.with("b/x/one.txt", "One.\n").with("b/x/deep/two.txt", "Two.\n");
    run(&folder, &server, "clean --files-from urls -o in-common").ends_with(0);
    assert_eq!(folder.files("in-common"), ["deep/two.txt", "one.txt"]);
    run(&folder, &server, "clean HTTP/b/x/one.txt crawl/b.txt s3://bucket/crawl/deep/ -o named").ends_with(0);
    assert_eq!(folder.files("named"), ["b.txt", "deep/c.jsonl.zst", "deep/d.csv", "one.txt"]);
    run(&folder, &server, "clean --files-from HTTP/list -o out2")
        .ends(2, &["error: HTTP/list: is on a server, where a list cannot be; name one on this machine"]);
}

#[test]
fn explain_and_learn_read_from_servers() {
    let (server, folder) = both();
    let local = folder.run("explain crawl/b.txt --among crawl");
    let ran = run(&folder, &server, "explain s3://bucket/crawl/b.txt --among s3://bucket/crawl/");
    ran.ends(0, &[]).says(&local.stdout);
    assert!(local.stdout.contains("[repeats a.jsonl.gz:1:3]"), "{}", local.stdout);
    let page = |number: usize| {
        let word = ["ferry", "storm", "baker", "mayor", "school", "bridge", "market", "cat"][number % 8];
        let story = format!("A {word} of the town was seen by {} people who had never met one.", word.len());
        let text = format!(
            "To the Harbour Gazette of today\\nYour tides and trains\\n{story} {}\\nAll the tides",
            word.repeat(5)
        );
        format!("{{\"url\":\"https://gazette.example/{number}\",\"text\":\"{text}\"}}\n")
    };
    let pages: String = (0..8).map(page).collect();
    let (server, folder) = (server.with("bucket/pages.jsonl", &pages), folder.with("pages.jsonl", &pages));
    folder.run("learn pages.jsonl -o pack.toml").ends_with(0);
    assert!(folder.read("pack.toml").contains("Gazette"));
    for input in ["s3://bucket/pages.jsonl", "HTTP/bucket/pages.jsonl"] {
        run(&folder, &server, &format!("learn {input} -o learned/pack.toml --force")).ends_with(0);
        assert_eq!(folder.read("learned/pack.toml"), folder.read("pack.toml"));
    }
    for (arguments, url, what) in [
        ("learn pages.jsonl -o s3://bucket/pack.toml", "s3://bucket/pack.toml", "what learn writes"),
        ("eval HTTP/gold.jsonl", "HTTP/gold.jsonl", "a file of labelled pages"),
        ("train s3://bucket/gold.jsonl -o own.weights", "s3://bucket/gold.jsonl", "a file of labelled pages"),
    ] {
        let error = format!("error: {url}: is on a server, where {what} cannot be; name one on this machine");
        run(&folder, &server, arguments).ends(2, &[&error]);
    }
}

#[test]
fn large_objects_come_in_ranges_and_small_ones_at_once() {
    let text = records(1, 60_000);
    let server = Server::start().with("b/large.jsonl", &text).with("b/small.jsonl", "{\"text\":\"Small.\"}\n");
    let folder = Folder::new();
    run(&folder, &server, "clean s3://b/small.jsonl s3://b/large.jsonl -o out --scope off --level rules").ends_with(0);
    assert_eq!(server.n_requests("GET b/small.jsonl"), 1);
    // 64 KiB, 512 KiB, and 4 MiB each.
    assert_eq!(server.n_requests("GET b/large.jsonl"), 2 + (text.len() - (576 << 10)).div_ceil(4 << 20));
}

#[test]
fn encodings_and_formats_are_told_by_what_is_there() {
    let russian: Vec<u8> = [b"\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0! ".repeat(40), b"\n".to_vec()].concat();
    let server =
        Server::start().with("b/noname", "{\"text\":\"Skip to content\\nText.\\n\"}\n").with("b/r.txt", &russian);
    let folder = Folder::new().with("r.txt", &russian);
    run(&folder, &server, "clean s3://b/noname HTTP/b/r.txt -o out --encoding auto --journal j.jsonl").ends_with(0);
    assert_eq!(folder.read("out/noname"), "{\"text\":\"Text.\\n\"}\n");
    assert!(folder.bytes("out/r.txt") == russian && folder.read("j.jsonl").contains("windows-1251"));
}

#[cfg(feature = "parquet")]
#[test]
fn what_is_read_from_its_end_is_refused() {
    let server =
        Server::start().with("b/a.parquet", b"PAR1\x15\x04").with("b/b.txt", "Text.\n").with("b/c.txt", "Text.\n");
    let folder = Folder::new();
    let ran = run(&folder, &server, "clean s3://b/ -o out");
    ran.ends_with(1);
    let told = "error: s3://b/a.parquet: Parquet is read from its end, and not from a server; download it";
    assert_eq!((ran.stderr.lines().next(), folder.files("out").len()), (Some(told), 2));
}

#[test]
fn a_server_that_gives_no_ranges_is_refused() {
    let folder = Folder::new();
    let server = Server::start().with("b/a.txt", "Text.\n").with_fault(|_, _| Reaction::Whole);
    let told =
        "error: HTTP/b/a.txt: reading failed: the server does not give parts of it; download it, and name the file";
    let ran = run(&folder, &server, "clean HTTP/b/a.txt -o x.txt");
    assert_eq!((ran.code, ran.stderr.lines().next()), (1, Some(told)));
}
