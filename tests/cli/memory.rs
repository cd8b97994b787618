//! A bound to the memory: what it refuses, what it fails, and what it needs. That the outcome is the same is said where runs with
//! different numbers of threads are compared.

use super::support::{BAKER, Folder, SHIP};
use std::fmt::Write;

/// The largest document of one line that 128 MiB allow: an eighth of what is left after 32 MiB.
const LARGEST: usize = (96 << 20) / 2 / 4;

#[test]
fn a_document_that_is_too_large_fails_its_file_alone() {
    let line = |length: usize| "a ".repeat(length / 2);
    let folder = Folder::new()
        .with("in/a.txt", line(LARGEST + 2))
        .with("in/b.jsonl", format!("{{\"text\":\"{SHIP}\"}}\n{{\"text\":\"{}\"}}\n", line(LARGEST + 2)))
        .with("in/c.txt", "\n".repeat(LARGEST / 8))
        .with("in/d.txt", line(LARGEST - 2))
        // Newlines that JSON spells are lines too.
        .with("in/f.jsonl", format!("{{\"text\":\"{}\"}}\n", "a\\n".repeat(LARGEST / 8)))
        .with("in/e.txt", format!("Skip to content\n{BAKER}\n"));
    let ran = folder.run("clean in -o out -q --memory 128MiB");
    ran.ends_with(1);
    let told: Vec<&str> = ran.stderr.lines().collect();
    let too_large = "too large to be worked on in the memory that is allowed; allow more with --memory, or split it";
    assert_eq!(
        told,
        ["a.txt", "b.jsonl:2", "c.txt", "f.jsonl:1"].map(|place| format!("error: in/{place}: {too_large}"))
    );
    assert_eq!(folder.files("out"), ["d.txt", "e.txt"]);
    assert_eq!(folder.read("out/e.txt"), format!("{BAKER}\n"));
    folder.run("clean in -o out -q --memory 2GiB --force").ends(0, &[]);
    assert_eq!(folder.files("out").len(), 6);
}

#[test]
fn a_stream_stops_where_it_takes_more_than_is_allowed() {
    let mut lines = String::new();
    for number in 0..1_000_000 {
        let _ = writeln!(lines, "line {number}");
    }
    let folder = Folder::new();
    let ran = folder.run_on(&lines, "clean - -q --framing lines --memory 128MiB");
    ran.ends_with(3);
    assert!(
        ran.stderr.contains("what must be remembered of the stream takes more memory than is allowed"),
        "{}",
        ran.stderr
    );
    assert!(lines.starts_with(&ran.stdout) && !ran.stdout.is_empty());
    let ran = folder.run_on("a ".repeat(LARGEST), "clean - -q --memory 128MiB");
    ran.ends(
        3,
        &["error: -:1: too large to be worked on in the memory that is allowed; allow more with --memory, or split it"],
    );
    folder.run_on("a\nb\n", "clean - -q --memory 128MiB").ends(0, &[]);
}

#[test]
fn too_little_and_what_is_no_size_are_refused() {
    let folder = Folder::new().with("in/a.txt", SHIP).with("low.toml", "memory = \"1MiB\"\n");
    let ran = folder.run("clean in -o out --memory 127MiB");
    ran.ends(2, &["error: configuration: memory is 127MiB; give at least 128MiB, which one thread takes"]);
    let ran = folder.run("clean in -o out --config low.toml");
    ran.ends(2, &["error: low.toml:1: memory is 1MiB; give at least 128MiB, which one thread takes"]);
    let ran = folder.run("clean in -o out --memory much");
    ran.ends_with(2);
    assert!(ran.stderr.contains("`much` is no size; give one as 4GiB, 512MB or 1000000"), "{}", ran.stderr);
    assert!(!folder.exists("out"));
}

#[test]
fn a_folder_for_temporary_files_that_cannot_be_used_stops_the_run() {
    let folder = Folder::new().with("in/a.txt", SHIP);
    let ran = folder.run("clean in -o out --memory 1GiB --tmp-dir nowhere -q");
    ran.ends_with(3);
    let remedy = "free some space, or choose another folder with --tmp-dir";
    assert!(ran.stderr.starts_with("error: nowhere: keeping temporary files failed: "), "{}", ran.stderr);
    assert!(ran.stderr.ends_with(&format!("; {remedy}\n")), "{}", ran.stderr);
    assert!(!folder.exists("out/a.txt"));
    // Without a bound nothing is kept there.
    folder.run("clean in -o out --tmp-dir nowhere -q").ends(0, &[]);

    let ran = folder.shell("ulimit -n 40; $DEHUSK clean in -o few --memory 1GiB -q");
    ran.ends_with(3);
    assert!(ran.stderr.ends_with("allow more open files (ulimit -n), or use fewer threads (-j)\n"), "{}", ran.stderr);
}

#[test]
fn temporary_files_have_no_names_and_a_full_folder_stops_the_run() {
    let mut text = String::new();
    for number in 0..40_000 {
        let _ = writeln!(text, "Line {number} of a text of which no line stands twice.");
    }
    let folder = Folder::new().with("in/a.txt", text);
    folder.run("clean in -o out --memory 1GiB --tmp-dir . -q").ends(0, &[]);
    assert_eq!(folder.files("."), ["in/a.txt", "out/a.txt"]);
    let can_mount = "mkdir -p disk && unshare -rm mount -t tmpfs -o size=400k dehusk disk";
    if folder.shell(can_mount).code != 0 {
        // Only where file systems may be mounted, which a test cannot ask for.
        return;
    }
    let script = "
        mount -t tmpfs -o size=400k dehusk disk
        $DEHUSK clean in -o more --memory 1GiB --tmp-dir disk -q; echo $?; ls disk | wc -l";
    let ran = folder.shell(&format!("unshare -rm sh -c '{script}'"));
    assert_eq!(ran.stdout.split_whitespace().collect::<Vec<_>>(), ["3", "0"], "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: disk: keeping temporary files failed: No space left"), "{}", ran.stderr);
    assert!(!folder.exists("more/a.txt"));
}

#[test]
#[cfg(target_os = "linux")]
fn the_report_tells_the_most_memory_that_there_was() {
    let folder = Folder::new().with("in/a.txt", SHIP);
    folder.run("clean in -o out --report report.json -q").ends(0, &[]);
    let peak = folder.json("report.json")["times"]["peak_memory"].as_u64().unwrap_or_default();
    assert!((1 << 20..1 << 30).contains(&peak), "{peak}");
}

#[test]
fn a_dry_run_tells_what_takes_most_if_it_can_compare() {
    let mut text = String::new();
    for number in 0..25_000 {
        let rest = " and so on".repeat(number % 9);
        let _ = writeln!(text, "Line {number} of a text of which every line of it stands twice in the folder{rest}.");
    }
    let folder = Folder::new().with("in/a.txt", &text).with("in/b.txt", format!("Another.\n{text}"));
    let told = |ran: &super::support::Ran| ran.stdout.lines().count();
    let ran = folder.run("clean in -n --memory 1GiB");
    assert_eq!((ran.code, told(&ran)), (0, 41), "{}", ran.stdout);
    let ran = folder.run("clean in -n --memory 128MiB");
    assert!(
        ran.stdout.ends_with("too many different blocks to compare in the memory that is allowed\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("25,000 repeats"), "{}", ran.stderr);
}

#[test]
fn what_is_explained_is_explained_the_same() {
    let folder = Folder::new()
        .with("in/a.txt", format!("Skip to content\n{SHIP}\nYes.\n"))
        .with("in/b.txt", format!("{BAKER}\n{SHIP}\nYes.\nNo.\n"));
    let told = folder.run("explain in/b.txt --among in --color never");
    told.ends_with(0);
    assert!(told.stdout.contains("a.txt"), "{}", told.stdout);
    let bound = folder.run("explain in/b.txt --among in --color never --memory 1GiB");
    assert_eq!(bound.stdout, told.stdout);
}
