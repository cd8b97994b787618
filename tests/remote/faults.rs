//! Servers that refuse, break off, or change what they have.

use super::server::{Reaction, Request, Server};
use super::user::{run, run_with};
use crate::support::{Folder, SHIP, packed};

/// That one input fails alone with an error, and the other comes through.
#[track_caller]
fn fails_alone(server: &Server, input: &str, error: &str) {
    let folder = Folder::new().with("good.txt", format!("Skip to content\n{SHIP}\n"));
    let ran = run(&folder, server, &format!("clean {input} good.txt -o out"));
    let first = ran.stderr.lines().next().unwrap_or_default();
    assert_eq!((ran.code, first), (1, format!("error: {error}").as_str()), "{}", ran.stderr);
    assert_eq!(folder.tree("out"), [("good.txt".to_owned(), Some(format!("{SHIP}\n").into_bytes()))]);
}

fn refuses(status: &'static str) -> Server {
    Server::start().with("b/a.txt", SHIP).with_fault(move |_, _| Reaction::Status(status))
}

#[test]
fn what_a_server_refuses_fails_alone() {
    let there = Server::start().with("b/a.txt", SHIP);
    for input in ["HTTP/b/none.txt", "s3://b/none.txt", "s3://nobucket/none.txt"] {
        fails_alone(&there, input, &format!("{input}: reading failed: the server says 404 Not Found; check the path"));
    }
    fails_alone(&there, "s3://b/none/", "s3://b/none/: reading failed: no key starts so; check the path");
    let odd = Server::start().with("b/in//x.txt", SHIP);
    let error = "s3://b/in/: reading failed: a key there has no place in folders \
                 (Path \"in//x.txt\" contained empty path segment); rename it";
    fails_alone(&odd, "s3://b/in/", error);
    for (status, remedy) in [
        ("403 Forbidden", "check its permissions"),
        ("401 Unauthorized", "check its permissions"),
        ("400 Bad Request", "see that the server can be reached, then run again"),
    ] {
        for input in ["HTTP/b/a.txt", "s3://b/a.txt", "s3://b/"] {
            let error = format!("{input}: reading failed: the server says {status}; {remedy}");
            fails_alone(&refuses(status), input, &error);
        }
    }
}

#[test]
fn a_server_that_is_not_there_fails_alone() {
    let nobody = "http://127.0.0.1:1/a.txt";
    let folder = Folder::new().with("good.txt", SHIP);
    let ran = run(&folder, &Server::start(), &format!("clean {nobody} good.txt -o out"));
    assert!(ran.stderr.starts_with(&format!("error: {nobody}: reading failed: no connection (")), "{}", ran.stderr);
    assert!(ran.stderr.contains("); see that the server can be reached, then run again\n"), "{}", ran.stderr);
    assert_eq!((ran.code, folder.files("out").len()), (1, 1));
}

#[test]
fn a_url_that_is_none_is_refused() {
    let (folder, server) = (Folder::new(), Server::start());
    for (input, error) in [
        ("s3:///a.txt", "names no bucket; give s3://BUCKET/KEY"),
        ("s3://", "names no bucket; give s3://BUCKET/KEY"),
        ("s3://b?c/a.txt", "names no bucket; give s3://BUCKET/KEY"),
        ("s3://b/x//y", "no key of a bucket; give s3://BUCKET/KEY"),
        ("s3://b/../y", "no key of a bucket; give s3://BUCKET/KEY"),
        ("HTTP/", "names no file; folders are read from s3:// only"),
        ("HTTP", "names no file; folders are read from s3:// only"),
        ("HTTP/folder/", "names no file; folders are read from s3:// only"),
        ("HTTP/folder/..", "names no file; folders are read from s3:// only"),
        ("HTTP/folder/?query=a/b", "names no file; folders are read from s3:// only"),
    ] {
        run(&folder, &server, &format!("clean {input} -o out")).ends(2, &[&format!("error: {input}: {error}")]);
    }
}

#[test]
fn an_environment_that_cannot_be_is_refused() {
    let (folder, server) = (Folder::new(), Server::start().with("b/a.txt", SHIP));
    for (name, value) in [
        ("AWS_ENDPOINT", "no url"),
        ("AWS_ENDPOINT", "nourl"),
        ("AWS_REGION", "the north"),
        ("AWS_ACCESS_KEY_ID", "key\n"),
        ("AWS_SESSION_TOKEN", "\u{e9}"),
    ] {
        let ran = run_with(&folder, &server, "clean s3://b/a.txt -o a.txt", (name, value));
        let what = "in the environment is not what it should be; see how it is set";
        ran.ends(2, &[&format!("error: s3://b/a.txt: {name} {what}")]);
    }
    let ran = run_with(&folder, &server, "clean s3://b/a.txt -o a.txt", ("AWS_ALLOW_HTTP", "perhaps"));
    ran.ends(2, &["error: s3://b/a.txt: failed to parse \"perhaps\" as boolean"]);
    let ran = run_with(&folder, &server, "clean s3://b/a.txt -o a.txt", ("AWS_ALLOW_HTTP", "false"));
    let error = "error: s3://b/a.txt: reading failed: the endpoint is http://, which takes AWS_ALLOW_HTTP=true";
    assert!(ran.code == 1 && ran.stderr.starts_with(error), "{}", ran.stderr);
}

#[test]
fn what_breaks_off_is_asked_for_again() {
    let text = format!("{SHIP}\n").repeat(3_000);
    let mut n_cut = 0;
    let server = Server::start().with("b/a.jsonl.gz", packed("gz", format!("{{\"text\":\"{SHIP}\"}}\n")));
    let server = server.with("b/b.txt", &text).with_fault(move |request, _| {
        let is_cut = request.range.is_some() && n_cut < 3;
        n_cut += usize::from(is_cut);
        if is_cut { Reaction::Cut(20) } else { Reaction::Serve }
    });
    let folder = Folder::new();
    run(&folder, &server, "clean s3://b/ -o out --scope off --level rules -j 1").ends_with(0);
    assert_eq!(folder.read("out/b.txt"), text);
}

#[test]
fn what_breaks_off_each_time_fails_alone() {
    for (name, input) in [("b/a.txt", "s3://b/a.txt"), ("b/a.jsonl.gz", "HTTP/b/a.jsonl.gz")] {
        let packed = packed("gz", format!("{{\"text\":\"{SHIP}\"}}\n"));
        let cut = |request: &Request, _: &mut _| match request.method.as_str() {
            "GET" => Reaction::Cut(0),
            _ => Reaction::Serve,
        };
        let server = Server::start().with(name, packed).with_fault(cut);
        let folder = Folder::new().with("good.txt", SHIP);
        let ran = run(&folder, &server, &format!("clean {input} good.txt -o out"));
        assert!(
            ran.stderr.starts_with(&format!("error: {input}: reading failed: no proper answer (")),
            "{}",
            ran.stderr
        );
        assert_eq!((ran.code, folder.files("out").len()), (1, 1));
    }
}

#[test]
fn less_than_a_server_says_is_not_taken_for_the_end() {
    let server = Server::start().with("b/a.txt", SHIP).with_fault(|request, _| match request.range {
        Some(_) => Reaction::Short,
        None => Reaction::Serve,
    });
    let error = "s3://b/a.txt: reading failed: no proper answer (other bytes than it says); \
                 see that the server can be reached, then run again";
    fails_alone(&server, "s3://b/a.txt", error);
}

#[test]
fn what_changes_is_told() {
    let text = format!("{SHIP}\n").repeat(3_000);
    // In the second pass; and at the second range, within the first.
    for (n_first, told) in [(2, "it is another than it was at first"), (1, "it is another than it was at first")] {
        let mut n_read = 0;
        let server = Server::start().with("b/a.txt", &text).with_fault(move |request, objects| {
            n_read += usize::from(request.method == "GET");
            if n_read > n_first {
                objects.insert("b/a.txt".into(), b"Something else.\n".repeat(20_000));
            }
            Reaction::Serve
        });
        let folder = Folder::new();
        let ran = run(&folder, &server, "clean s3://b/a.txt -o out/");
        let error = format!("error: s3://b/a.txt: reading failed: {told}; run again when nothing writes to it");
        assert_eq!((ran.code, ran.stderr.lines().next()), (1, Some(error.as_str())), "{}", ran.stderr);
        assert_eq!(folder.files("out"), if n_first == 2 { vec![".dehusk-run"] } else { vec![] });
    }
}
