//! Writing to buckets.

use super::server::{Reaction, Server};
use super::user::{end, run, run_on, run_on_threads, start};
use crate::support::{BAKER, Folder, SHIP};
use std::process::Command;
use std::sync::mpsc::sync_channel;

fn pages() -> Folder {
    let page = |number: usize| format!("Skip to content\n{SHIP}\nOnly in {number}.\n");
    let folder = Folder::new().with("in/a.txt", page(1)).with("in/deep/b.txt", page(2)).with("in/other", "no text");
    (0..9).fold(folder, |folder, number| folder.with(&format!("in/more/{number}.jsonl"), record(number)))
}

fn record(number: usize) -> String {
    let own = format!("Record {number} of this folder has a line that no other record of it has: {}.", number * 7919);
    format!("{{\"text\":\"{BAKER}\\n{own}\"}}\n")
}

fn as_objects(tree: Vec<(String, Option<Vec<u8>>)>) -> Vec<(String, Vec<u8>)> {
    tree.into_iter().map(|(name, bytes)| (name, bytes.expect("it is a file"))).collect()
}

#[test]
fn a_folder_is_written_to_a_bucket_as_to_this_machine() {
    let folder = pages();
    let told = folder.run("clean in -o local --journal local.jsonl");
    for (threads, output) in [(1, "s3://b/one"), (2, "s3://b/two/"), (7, "s3://seven")] {
        let server = Server::start();
        let arguments = format!("clean in -o {output} --journal {threads}.jsonl");
        run_on_threads(&folder, &server, threads, &arguments).ends(0, &told.stderr.lines().collect::<Vec<_>>());
        let prefix = format!("{}/", output["s3://".len()..].trim_end_matches('/'));
        assert!(server.objects(&prefix) == as_objects(folder.tree("local")), "{output}");
        assert_eq!(server.objects("").len(), folder.files("local").len(), "{output}");
        assert_eq!(folder.bytes(&format!("{threads}.jsonl")), folder.bytes("local.jsonl"));
    }
}

#[test]
fn a_bucket_is_cleaned_into_a_bucket() {
    let folder = pages();
    folder.run("clean in -o local --compress gzip").ends_with(0);
    let server = as_objects(folder.tree("in"))
        .into_iter()
        .fold(Server::start(), |server, (name, bytes)| server.with(&format!("b/in/{name}"), bytes));
    run(&folder, &server, "clean s3://b/in/ -o s3://b/clean/ --compress gzip").ends_with(0);
    assert!(server.objects("b/clean/") == as_objects(folder.tree("local")));
    run(&folder, &server, "clean s3://b/in/a.txt -o s3://b/a.txt").ends_with(0);
    run(&folder, &server, "clean s3://b/in/a.txt -o s3://other").ends_with(0);
    assert_eq!(server.objects("other/a.txt"), server.objects("b/a.txt"));
    run(&folder, &server, "clean s3://b/in/a.txt HTTP/b/in/deep/b.txt -o s3://b/named").ends_with(0);
    let (a, b) = (format!("{SHIP}\nOnly in 1.\n"), "Only in 2.\n".to_owned());
    let named = [("a.txt", &a), ("b.txt", &b)].map(|(name, text)| (name.to_owned(), text.clone().into_bytes()));
    assert_eq!(server.objects("b/named/"), named);
    assert_eq!(server.objects("b/a.txt"), [(String::new(), a.into_bytes())]);
}

#[test]
fn a_stream_is_written_to_an_object() {
    let (folder, server) = (Folder::new(), Server::start());
    let input = format!("{{\"text\":\"Skip to content\\n{SHIP}\\n\"}}\n");
    run_on(&input, &folder, &server, "clean - -o s3://b/out.jsonl").ends_with(0);
    let written = format!("{{\"text\":\"{SHIP}\\n\"}}\n").into_bytes();
    assert_eq!(server.objects("b/"), [("out.jsonl".to_owned(), written)]);
    run_on(&input, &folder, &server, "clean - -o s3://b/out.jsonl")
        .ends(2, &["error: s3://b/out.jsonl: exists; choose another, or replace it with --force"]);
    run_on(&input, &folder, &server, "clean - -o s3://b/out.jsonl --force").ends_with(0);
    run_on(&input, &folder, &server, "clean - -o s3://b/out/")
        .ends(2, &["error: s3://b/out/: is a folder, but a stream has no name; name a file"]);
}

#[test]
fn what_exists_is_replaced_only_by_force() {
    let folder = pages();
    let server =
        Server::start().with("b/out/old.txt", "Old.\n").with("b/a.txt", "Old.\n").with("b/named/a.txt", "Old.\n");
    for (arguments, output) in [
        ("in -o s3://b/out", "s3://b/out/"),
        ("in -o s3://b", "s3://b"),
        ("in/a.txt -o s3://b/a.txt", "s3://b/a.txt"),
        ("in/a.txt in/deep/b.txt -o s3://b/named", "s3://b/named/a.txt"),
    ] {
        let error = format!("error: {output}: the output exists; choose another, or replace it with --force");
        run(&folder, &server, &format!("clean {arguments}")).ends(2, &[&error]);
        assert_eq!(server.n_requests("PUT"), 0);
    }
    for arguments in ["in -o s3://b/out", "in/a.txt -o s3://b/a.txt", "in/a.txt in/deep/b.txt -o s3://b/named"] {
        run(&folder, &server, &format!("clean {arguments} --force")).ends_with(0);
    }
    assert_eq!(server.objects("b/a.txt")[0].1, format!("{SHIP}\nOnly in 1.\n").into_bytes());
    assert!(server.objects("b/out/old.txt").len() == 1 && server.objects("b/out/deep/b.txt").len() == 1);
}

#[test]
fn what_cannot_be_written_to_is_refused() {
    let folder = pages();
    let server = Server::start().with("b/in/a.txt", "Text.\n");
    for (arguments, error) in [
        ("in -o HTTP/out", "output is HTTP/out, which can only be read from; give a path, or s3://BUCKET/KEY"),
        (
            "in -o s3://b/out --resume",
            "resume is given while output is s3://b/out: a run to there cannot be gone on with; begin anew with --force",
        ),
        ("in -o out --journal s3://b/j", "journal is s3://b/j, but must be a file on this machine"),
        ("in -o out --report HTTP/r", "report is HTTP/r, but must be a file on this machine"),
    ] {
        run(&folder, &server, &format!("clean {arguments}")).ends(2, &[&format!("error: configuration: {error}")]);
    }
    for (arguments, error) in [
        (
            "clean s3://b/in/ -o s3://b/in/clean",
            "s3://b/in/ and its output s3://b/in/clean/ overlap; choose an output elsewhere",
        ),
        ("clean s3://b/in/ -o s3://b", "s3://b/in/ and its output s3://b overlap; choose an output elsewhere"),
        (
            "clean s3://b/in/a.txt -o s3://b/in/ --force",
            "s3://b/in/a.txt and its output s3://b/in/a.txt overlap; choose an output elsewhere",
        ),
        (
            "restore s3://b/in --journal j -o out",
            "s3://b/in: is on a server, where what restore reads or writes cannot be; name one on this machine",
        ),
        (
            "restore in --journal j -o s3://b/x",
            "s3://b/x: is on a server, where what restore reads or writes cannot be; name one on this machine",
        ),
    ] {
        run(&folder, &server, arguments).ends(2, &[&format!("error: {error}")]);
    }
    assert_eq!(server.objects("").len(), 1);
}

#[test]
fn nothing_is_left_of_what_fails() {
    let folder = pages();
    // One object is refused; the others come through.
    let server = Server::start().with_fault(|request, _| match (request.method.as_str(), request.path.as_str()) {
        ("PUT", "b/out/a.txt") => Reaction::Status("403 Forbidden"),
        _ => Reaction::Serve,
    });
    let ran = run(&folder, &server, "clean in -o s3://b/out --report report.json");
    let error =
        "error: s3://b/out/a.txt: writing failed: the server says 403 Forbidden; choose an output that may be written";
    assert_eq!((ran.code, ran.stderr.lines().next()), (1, Some(error)));
    assert_eq!(server.objects("b/out/").len(), 10);
    // There is nothing to go on with.
    assert_eq!(folder.json("report.json")["unfinished"], false);
    // A run that stops before it writes has written nothing.
    let server = Server::start();
    let folder = folder.with("in/bad.jsonl", "no record\n");
    run(&folder, &server, "clean in -o s3://b/out --on-bad-record stop").ends_with(3);
    assert!(server.objects("").is_empty());
}

#[test]
fn large_outputs_go_in_parts_and_appear_whole() {
    let line = |number: usize| format!("{{\"text\":\"Number {number} of many: {}\"}}\n", SHIP.repeat(100));
    let text: String = (0..2_000).map(line).collect();
    let folder = Folder::new().with("large.jsonl", &text);
    let arguments = "clean large.jsonl -o s3://b/large.jsonl --scope off --level rules";
    let server = Server::start();
    run(&folder, &server, arguments).ends_with(0);
    assert!(server.objects("b/") == [("large.jsonl".to_owned(), text.clone().into_bytes())]);
    assert_eq!(server.n_requests("PUT b/large.jsonl"), text.len().div_ceil(8 << 20));
    // A part that fails takes the whole with it.
    let server = Server::start().with_fault(|request, _| match request.query.get("partNumber").map(String::as_str) {
        Some("2") => Reaction::Status("403 Forbidden"),
        _ => Reaction::Serve,
    });
    run(&folder, &server, arguments).ends_with(1);
    assert!(server.objects("").is_empty() && !server.has_loose_parts());
}

#[test]
fn a_run_that_is_stopped_is_begun_anew() {
    let folder = (0..300).fold(Folder::new(), |folder, number| folder.with(&format!("in/{number:03}.txt"), "Text.\n"));
    let (seen, is_seen) = sync_channel(1);
    let (go_on, may_go_on) = sync_channel(1);
    let mut is_first = true;
    let server = Server::start().with_fault(move |request, _| {
        if request.method == "PUT" && std::mem::take(&mut is_first) {
            seen.send(()).expect("the test waits for it");
            may_go_on.recv().expect("the test says so");
        }
        Reaction::Serve
    });
    let child = start(&folder, &server, "clean in -o s3://b/out -j 1 --scope off");
    is_seen.recv().expect("something is written");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is a kill");
    assert!(killed.success());
    go_on.send(()).expect("the server waits for it");
    let ran = end(child, &server);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.ends_with(" of 300 files are done; begin anew with --force\n"), "{}", ran.stderr);
    let n_done = server.objects("b/out/").len();
    assert!(n_done > 0 && n_done < 300, "{n_done}");
    run(&folder, &server, "clean in -o s3://b/out --scope off").ends_with(2);
    run(&folder, &server, "clean in -o s3://b/out --scope off --force").ends_with(0);
    assert_eq!(server.objects("b/out/").len(), 300);
}
