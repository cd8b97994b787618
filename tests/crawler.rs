//! The example of a crawler, run against a small site of this test's own, killed at many moments and gone on with.
#![cfg(unix)]

#[path = "crawler/site.rs"]
mod site;

use assert_cmd::cargo::cargo_bin_cmd;
use site::{Answer, Site};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// The example, which `cargo test` builds beside the tests.
fn crawler() -> Command {
    let test = std::env::current_exe().expect("a test knows where it is");
    let built = test.ancestors().nth(2).expect("it lies two folders below what is built");
    let path = built.join("examples").join("crawler");
    assert!(path.exists(), "{} is missing; cargo build --example crawler", path.display());
    let mut command = Command::new(path);
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command.args(["--delay", "0", "--max-bytes", "100000", "--round", "4"]);
    command
}

fn crawl(seeds: &[&Site], folder: &Path, options: &[&str]) -> Output {
    let mut command = crawler();
    command.args(seeds.iter().map(|site| site.url("/"))).arg("-o").arg(folder).args(options);
    let output = command.output().expect("the crawler can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("what the crawl left can be read")
}

/// Addresses and texts of the pages that came out.
fn pages(folder: &Path) -> Vec<(String, String)> {
    let field = |line: &serde_json::Value, name: &str| line[name].as_str().expect("it is a string").to_owned();
    let jsonl = read(folder, "pages.jsonl");
    let lines = jsonl.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
    lines.map(|line: serde_json::Value| (field(&line, "url"), field(&line, "text"))).collect()
}

/// The records, without what no two crawls have in common.
fn warc(folder: &Path) -> String {
    let warc = read(folder, "pages.warc");
    let lines = warc.split_inclusive("\r\n");
    lines.filter(|line| !line.starts_with("WARC-Date: ") && !line.starts_with("WARC-Record-ID: ")).collect()
}

/// All that a crawl leaves and that another one of the same pages leaves too.
fn outcome(folder: &Path) -> [String; 4] {
    [read(folder, "pages.jsonl"), warc(folder), read(folder, "frontier.txt"), read(folder, "state.json")]
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder can be made"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("crawled")
    }
}

const ONE_THREAD: &[&str] = &["--threads", "1"];

#[test]
fn pages_come_out_once_each_and_without_what_others_had_before() {
    let (site, folder) = (Site::start(), Folder::new());
    let told = crawl(&[&site], &folder.path(), ONE_THREAD);
    assert_eq!(pages(&folder.path()), site.expected());

    let requests = site.requests();
    let once: BTreeSet<&String> = requests.iter().collect();
    assert_eq!(once.len(), requests.len(), "{requests:?}");
    assert_eq!(requests[0], "/robots.txt");
    assert!(!requests.iter().any(|path| path.starts_with("/private")), "{requests:?}");

    let told = String::from_utf8(told.stderr).expect("it tells text");
    for (path, why) in [
        ("/private/letters", "robots.txt forbids it, or cannot be had"),
        ("/missing", "404 Not Found"),
        ("/picture", "it is no HTML"),
        ("/huge", "the response body is larger than request limit: 100000"),
    ] {
        let line = format!("{}: {why}", site.url(path));
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
    // Nothing is left to do.
    let before = outcome(&folder.path());
    crawl(&[&site], &folder.path(), ONE_THREAD);
    assert_eq!(outcome(&folder.path()), before);
    assert_eq!(site.requests(), requests);
}

#[test]
fn the_warc_is_one_that_dehusk_reads() {
    let (site, folder) = (Site::start(), Folder::new());
    crawl(&[&site], &folder.path(), ONE_THREAD);
    let mut command = cargo_bin_cmd!("dehusk");
    command.current_dir(folder.path()).args(["clean", "--format", "warc", "pages.warc", "-o", "back"]);
    command.args(["--output-format", "jsonl", "--scope", "off", "--level", "rules"]);
    let output = command.output().expect("the command can be run");
    assert!(output.status.success(), "{output:?}");
    let texts = |jsonl: String| -> Vec<serde_json::Value> {
        let lines = jsonl.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
        lines.map(|mut line: serde_json::Value| line["text"].take()).collect()
    };
    assert_eq!(texts(read(&folder.path(), "back")), texts(read(&folder.path(), "pages.jsonl")));
}

#[test]
fn killed_at_any_moment_and_gone_on_with_it_comes_to_the_same_end() {
    let (site, [straight, killed]) = (Site::start(), [Folder::new(), Folder::new()]);
    crawl(&[&site], &straight.path(), ONE_THREAD);
    let mut n_kills = 0;
    for moment in [
        Moment::Request(1, Answer::Not),
        Moment::Request(3, Answer::Not),
        Moment::Request(5, Answer::Not),
        Moment::Request(1, Answer::First),
        Moment::State,
        Moment::Request(5, Answer::First),
        Moment::Request(4, Answer::Not),
        Moment::State,
        Moment::Request(6, Answer::First),
        Moment::Request(3, Answer::Not),
        Moment::State,
        Moment::Request(5, Answer::First),
        Moment::State,
        Moment::Request(4, Answer::First),
        Moment::Request(2, Answer::Not),
    ] {
        n_kills += u32::from(kill_at(&site, &killed.path(), moment));
        // As if it had been about to write.
        for (name, torn) in
            [("pages.jsonl", "{\"url\":\"htt"), ("pages.warc", "WARC/1.1\r\nWA"), ("frontier.txt", "ht")]
        {
            let path = killed.path().join(name);
            if path.exists() {
                let whole = std::fs::read(&path).expect("it can be read");
                std::fs::write(&path, [&whole, torn.as_bytes()].concat()).expect("it can be written");
            }
        }
    }
    // The first three wait for an answer when they are killed; on a slow machine, others may have come to their end.
    assert!(n_kills >= 3, "{n_kills}");
    crawl(&[&site], &killed.path(), ONE_THREAD);
    assert_eq!(outcome(&killed.path()), outcome(&straight.path()));
}

/// When a crawl is killed.
#[derive(Clone, Copy)]
enum Moment {
    /// When so many requests came.
    Request(usize, Answer),
    /// When there is a new state.
    State,
}

/// Runs a crawl until some moment, and kills it. Says whether it had not come to its end before.
fn kill_at(site: &Site, folder: &Path, moment: Moment) -> bool {
    let state = || std::fs::read(folder.join("state.json")).ok();
    let before = state();
    // The connection is held until the crawl is dead: it must not see it end.
    let reached = match moment {
        Moment::Request(at, answer) => Some(site.watch(at, answer)),
        Moment::State => None,
    };
    let mut command = crawler();
    command.arg(site.url("/")).arg("-o").arg(folder).args(ONE_THREAD).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the crawler can be run");
    while child.try_wait().expect("it can be asked").is_none() {
        let connection = reached.as_ref().map(|reached| reached.recv_timeout(Duration::from_millis(50)));
        let is_reached = connection.as_ref().map_or_else(|| state() != before, Result::is_ok);
        if is_reached {
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn an_index_that_is_ahead_of_the_state_changes_nothing() {
    let (site, folder) = (Site::start(), Folder::new());
    let state = folder.path().join("state.json");
    crawl(&[&site], &folder.path(), &["--threads", "1", "--pages", "7"]);
    let early = std::fs::read(&state).expect("it can be read");
    crawl(&[&site], &folder.path(), ONE_THREAD);
    let end = outcome(&folder.path());
    // As if no state had been written since: all pages but seven are fetched again, against an index that has all.
    std::fs::write(&state, early).expect("it can be written");
    crawl(&[&site], &folder.path(), ONE_THREAD);
    assert_eq!(outcome(&folder.path()), end);
}

#[test]
fn hosts_share_what_has_come_and_threads_do_not_change_what_is_found() {
    let sites = [Site::start(), Site::start()];
    let folder = Folder::new();
    crawl(&[&sites[0], &sites[1]], &folder.path(), &["--threads", "7"]);
    let pages = pages(&folder.path());
    let urls: BTreeSet<String> = pages.iter().map(|(url, _)| url.clone()).collect();
    let expected = sites.iter().flat_map(|site| site.expected().into_iter().map(|(url, _)| url)).collect();
    assert_eq!((urls, pages.len()), (expected, 2 * sites[0].expected().len()));
    // Who came first is up to the threads, and there is one of them.
    for paragraph in site::paragraphs() {
        let n_copies: usize = pages.iter().map(|(_, text)| text.matches(&paragraph).count()).sum();
        assert_eq!(n_copies, 1, "{paragraph}");
    }
}
