//! `dehusk index`: what is in an index, whether it is whole, and taking things out.

use super::support::{BAKER, Folder, SHIP};
use dehusk::{Config, Crawl, Document, Level};

fn crawl(folder: &Folder) -> Crawl {
    let config = Config { level: Level::Rules, ..Config::default() };
    Crawl::open(folder.path("index"), &config).expect("it can be opened")
}

fn clean(crawl: &Crawl, id: &str, text: &str) -> String {
    let page = Document { id: Some(id), ..Document::new(text) };
    let page = crawl.clean(&page).expect("it can be cleaned");
    String::from_utf8(page.into_text()).expect("it is text")
}

/// An index of three pages: the second repeats the first, and the third has the first's second line.
fn written() -> Folder {
    let folder = Folder::new();
    let crawl = crawl(&folder);
    assert_eq!(clean(&crawl, "a", &format!("{SHIP}\n{BAKER}\n")), format!("{SHIP}\n{BAKER}\n"));
    assert_eq!(clean(&crawl, "b", &format!("{SHIP}\n")), "");
    assert_eq!(clean(&crawl, "c", &format!("{BAKER}\nDone.\n")), "Done.\n");
    crawl.commit().expect("it can be written");
    folder
}

#[test]
fn what_is_in_it_is_told() {
    let folder = written();
    let ran = folder.run("index stats index --json");
    let stats: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    // Three ids, two lines, and the third page as a whole.
    assert_eq!((&stats["fingerprints"], &stats["documents"], &stats["commits"]), (&6.into(), &3.into(), &1.into()));
    assert_eq!((&stats["settings"]["unit"], &stats["settings"]["min-chars"]), (&"line".into(), &"60".into()));
    let told = folder.run("index stats index").stdout;
    assert!(
        told.starts_with("fingerprints           6\ndocuments              3\ncommits                1\n"),
        "{told}"
    );
    let ran = folder.run("index verify index");
    assert_eq!((ran.code, &*ran.stdout), (0, "whole: 6 fingerprints, 3 documents\n"));
}

#[test]
fn an_export_has_all_that_is_owned() {
    let folder = written();
    let lines: Vec<serde_json::Value> = folder
        .run("index export index")
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    assert_eq!(lines.len(), 6);
    assert!(lines.is_sorted_by_key(|line| line["fingerprint"].as_str().map(str::to_owned)));
    let of = |id: &str| lines.iter().filter(|line| line["id"] == id).count();
    assert_eq!([of("a"), of("b"), of("c")], [3, 1, 2]);
    let piped = folder.shell("$DEHUSK index export index | head -c 10");
    assert_eq!((piped.code, piped.stdout.len(), &*piped.stderr), (0, 10, ""));
}

#[test]
fn indexes_are_merged_in_order() {
    let folder = written();
    {
        let config = Config { level: Level::Rules, ..Config::default() };
        let other = Crawl::open(folder.path("other"), &config).expect("it can be opened");
        assert_eq!(clean(&other, "d", &format!("{SHIP}\n")), format!("{SHIP}\n"));
        other.commit().expect("it can be written");
        let paragraphs = Config { unit: dehusk::text::Unit::Paragraph, ..config };
        drop(Crawl::open(folder.path("paragraphs"), &paragraphs).expect("it can be opened"));
    }
    for (from, page, left) in [("index other", "d", ""), ("other index", "d", SHIP)] {
        let ran = folder.run(&format!("index merge merged {from}"));
        assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, "", ""));
        assert_eq!(folder.run("index verify merged").stdout, "whole: 7 fingerprints, 4 documents\n");
        let config = Config { level: Level::Rules, ..Config::default() };
        let merged = Crawl::open(folder.path("merged"), &config).expect("it can be opened");
        assert_eq!(clean(&merged, page, &format!("{SHIP}\n")).trim_end(), left);
        drop(merged);
        std::fs::remove_dir_all(folder.path("merged")).expect("it is there");
    }
    let ran = folder.run("index merge index paragraphs");
    let wanted = "the index was made with unit \"paragraph\", and now it is \"line\"; say what it was made with, or use another index\n";
    assert!(ran.code == 2 && ran.stderr.ends_with(wanted), "{ran:?}");
    assert_eq!(folder.run("index merge new nowhere").code, 2);
    assert!(!folder.exists("new"));
}

#[test]
fn what_is_given_up_may_be_claimed() {
    let folder = written();
    let ran = folder.run("index remove-owner index a nobody");
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr, "a: gave up 3 fingerprints\nerror: nobody: no document is known by that\n");
    assert_eq!(folder.run("index verify index").stdout, "whole: 3 fingerprints, 3 documents\n");
    // Nor does another index take in what was given up, or keep it when all is put together.
    assert_eq!(folder.run("index merge other index").code, 0);
    assert_eq!(folder.run("index verify other").stdout, "whole: 3 fingerprints, 2 documents\n");
    for other in ["index", "other"] {
        assert_eq!(folder.run(&format!("index compact {other}")).code, 0);
        let stats: serde_json::Value =
            serde_json::from_str(&folder.run(&format!("index stats {other} --json")).stdout).expect("it is JSON");
        assert_eq!(stats["records_in_runs"], 3);
    }
    for _ in 0..2 {
        let crawl = crawl(&folder);
        // The second page has its line now, the third has its own, and the first comes as if it never had.
        assert_eq!(clean(&crawl, "b", &format!("{SHIP}\n")), format!("{SHIP}\n"));
        assert_eq!(clean(&crawl, "c", &format!("{BAKER}\nDone.\n")), format!("{BAKER}\nDone.\n"));
        assert_eq!(clean(&crawl, "a", &format!("{SHIP}\n{BAKER}\n")), "");
        crawl.commit().expect("it can be written");
        drop(crawl);
        assert_eq!(folder.run("index verify index").stdout, "whole: 6 fingerprints, 4 documents\n");
        assert_eq!(folder.run("index compact index").code, 0);
    }
    let stats: serde_json::Value =
        serde_json::from_str(&folder.run("index stats index --json").stdout).expect("it is JSON");
    assert_eq!((&stats["runs"], &stats["records_in_runs"]), (&1.into(), &6.into()));
}

#[test]
fn damage_and_misuse_are_told() {
    let folder = written().with_folder("empty").with("file", "");
    assert_eq!(folder.run("index compact index").code, 0);
    let run = folder.files("index").into_iter().find(|name| name.starts_with("run-")).expect("there is a run");
    let mut bytes = folder.bytes(&format!("index/{run}"));
    bytes[20] ^= 1;
    std::fs::write(folder.path(&format!("index/{run}")), bytes).expect("it can be written");
    let ran = folder.run("index verify index");
    let wanted =
        "the index is damaged: bucket 0 of 1 is not what was written; take the index from a backup, or make it anew\n";
    assert!(ran.code == 3 && ran.stderr.ends_with(wanted), "{ran:?}");
    for command in ["stats", "verify", "export", "compact", "remove-owner"] {
        let id = if command == "remove-owner" { "a" } else { "" };
        for place in ["empty", "nowhere"] {
            let ran = folder.run(&format!("index {command} {place} {id}"));
            let wanted = format!("error: {place}: there is no index; name the folder of one\n");
            assert_eq!((ran.code, ran.stderr), (2, wanted));
        }
        let ran = folder.run(&format!("index {command} file {id}"));
        ran.ends(2, &["error: file: is a file, and an index is a folder; name another"]);
    }
    assert!(!folder.exists("nowhere"));
}

#[test]
fn who_writes_is_alone() {
    let folder = written();
    let crawl = crawl(&folder);
    let ran = folder.run("index compact index");
    let wanted = "index: another process writes to this index; wait until it has ended, or only read it\n";
    assert!(ran.code == 2 && ran.stderr.ends_with(wanted), "{ran:?}");
    assert_eq!(folder.run("index verify index").code, 0);
    drop(crawl);
    assert_eq!(folder.run("index compact index").code, 0);
}
