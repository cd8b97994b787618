//! How much is told, and in which colours.

use super::support::{Folder, SHIP};

const SUMMARY: &str = "cleaned 1 file, 2 documents: 17 of 30 bytes of text removed (56.7 %), 1 block by rules, \
                       0 repeats, 0 of copies; 1 record bad; _ s";
const BAD: &str = "in.jsonl:2: not a JSON object; mend or remove the line, or read the file with --format text";

fn corpus() -> Folder {
    let records = "{\"text\":\"Skip to content\\nText.\"}\nbad\n{\"text\":\"The end.\"}\n";
    Folder::new().with("in.jsonl", records)
}

#[test]
fn quiet_tells_only_what_is_bad() {
    let folder = corpus();
    // The exit code does not stay unexplained.
    let told = format!("warning: 1 bad record, the first: {BAD}");
    folder.run("clean in.jsonl -o out.jsonl -q").ends(1, &[&told]).says("");
    folder
        .run("clean in.jsonl -o out.jsonl --quiet")
        .ends(2, &["error: out.jsonl: the output exists; choose another, or replace it with --force"]);
    let folder = Folder::new().with("in/a.txt", "Text.\n").with_link("in/b.txt", "nowhere");
    let ran = folder.run("clean in -o out -q");
    ran.ends_with(1);
    assert!(ran.stderr.starts_with("error: in/b.txt: reading failed: "), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn verbose_tells_what_each_rule_took() {
    let pack = "format = 1\nname = \"test\"\nabout = \"Two rules\"\n\
                [[rule]]\nid = \"small\"\nmatch = \"line\"\npatterns = [\"husk\"]\nremoves = [\"husk\"]\nkeeps = [\"grain\"]\n\
                [[rule]]\nid = \"large\"\nmatch = \"line\"\npatterns = [\"more husk\"]\nremoves = [\"more husk\"]\nkeeps = [\"grain\"]\n";
    let folder = Folder::new().with("test.toml", pack).with("in.txt", format!("husk\n{SHIP}\nhusk\nmore husk\n"));
    let summary = "cleaned 1 file, 1 document: 20 of 123 bytes of text removed (16.3 %), 3 blocks by rules, 0 repeats, \
                   0 of copies; _ s";
    let by_rule = ["          10 bytes        2 blocks  test/small", "          10 bytes        1 blocks  test/large"];
    let packs = "--no-default-packs --pack test.toml";
    folder.run(&format!("clean in.txt -o out.txt {packs}")).ends(0, &[summary]);
    // Of two that took as much, the first by name comes first.
    let verbose = [summary, by_rule[1], by_rule[0]];
    folder.run(&format!("clean in.txt -o v.txt {packs} -v")).ends(0, &verbose);
    folder.run(&format!("clean in.txt -o verbose.txt {packs} --verbose")).ends(0, &verbose);
    folder.run(&format!("clean in.txt -o vq.txt {packs} -v -q")).ends(0, &[]);
}

#[test]
fn progress_is_not_told_of_a_short_run() {
    for progress in ["auto", "plain", "off"] {
        let folder = corpus();
        let ran = folder.run(&format!("clean in.jsonl -o out.jsonl --progress {progress}"));
        ran.ends(1, &[&format!("warning: {BAD}"), SUMMARY]).says("");
    }
    corpus().run("clean in.jsonl -o out.jsonl --progress loud").ends_with(2);
}

#[test]
fn messages_are_coloured_where_it_is_asked_for() {
    for (color, mark) in
        [("always", "\u{1b}[1m\u{1b}[33mwarning:\u{1b}[0m"), ("never", "warning:"), ("auto", "warning:")]
    {
        let folder = corpus();
        let ran = folder.run(&format!("clean in.jsonl -o out.jsonl --color {color}"));
        ran.ends(1, &[&format!("{mark} {BAD}"), SUMMARY]);
    }
}

#[test]
fn an_error_before_the_run_is_coloured_too() {
    let folder = corpus();
    let ran = folder.run("clean nothing -o out.jsonl --color always");
    let error = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m nothing: no such file or folder; check the path";
    ran.ends(2, &[error]);
}
