//! `dehusk restore`: cleaned files and their journal give the originals back, bit for bit, or say why not.

use super::support::{BAKER, Folder, SHIP};

/// A folder `in`, cleaned to `out` with the journal `journal`.
fn cleaned() -> Folder {
    let folder = Folder::new()
        .with("in/a.txt", format!("Skip to content\r\n{SHIP}\n\n\n"))
        .with(
            "in/b.jsonl",
            format!("{{\"text\":\"caf\\u00e9\\n{SHIP}\\n\\nMore.\",\"n\":1.0}}\n\nbad\n{{\"text\":\"\"}}"),
        )
        .with("in/sub/c.txt", [SHIP.as_bytes(), b"\n\xff\xfe\0\n", BAKER.as_bytes(), b"\n", BAKER.as_bytes()].concat())
        .with("in/sub/empty.txt", "")
        .with("in/sub/chrome.txt", "Skip to content\n");
    folder.run("clean in -o out --journal journal -q").ends_with(1);
    folder
}

const UNFIT: &str = "does not fit the journal; restore from the cleaned file and the journal of one run";

#[test]
fn a_folder_is_restored_bit_for_bit() {
    let folder = cleaned();
    assert_ne!(folder.tree("out"), folder.tree("in"));
    folder.run("restore out --journal journal -o back").ends(0, &["restored 5 files, put 5 cuts back"]).says("");
    assert_eq!(folder.tree("back"), folder.tree("in"));
    folder.run("restore out --journal journal -o quiet -q").ends(0, &[]).says("");
    assert_eq!(folder.tree("quiet"), folder.tree("in"));
}

#[test]
fn a_file_is_restored_bit_for_bit() {
    let text = format!("Skip to content\n{SHIP}\n");
    let folder = Folder::new().with("in.txt", &text).with_folder("folder");
    folder.run("clean in.txt -o out.txt --journal journal").ends_with(0);
    let told = ["restored 1 file, put 1 cut back"];
    for (output, file) in
        [("back.txt", "back.txt"), ("folder", "folder/out.txt"), ("new/", "new/out.txt"), ("a/b.txt", "a/b.txt")]
    {
        folder.run(&format!("restore out.txt --journal journal -o {output}")).ends(0, &told);
        assert_eq!(folder.read(file), text);
    }
}

#[test]
fn a_stream_is_restored_bit_for_bit() {
    let input = format!("{{\"text\":\"{SHIP}\"}}\n{{\"text\":\"{SHIP}\\nMore.\"}}\nbad\n");
    let folder = Folder::new();
    let ran = folder.run_on(&input, "clean - --journal journal --on-bad-record skip");
    let folder = folder.with("out.jsonl", ran.stdout);
    folder.run("restore out.jsonl --journal journal -o back.jsonl").ends(0, &["restored 1 file, put 2 cuts back"]);
    assert_eq!(folder.read("back.jsonl"), input);
}

#[test]
fn what_exists_is_not_replaced_unasked() {
    let folder = cleaned().with("back/a.txt", "precious");
    let error = "error: back: the output exists; choose another, or replace it with --force";
    folder.run("restore out --journal journal -o back").ends(2, &[error]);
    assert_eq!((folder.files("back"), folder.read("back/a.txt")), (vec!["a.txt".into()], "precious".into()));
    folder.run("restore out --journal journal -o back --force").ends(0, &["restored 5 files, put 5 cuts back"]);
    assert_eq!(folder.tree("back"), folder.tree("in"));

    let folder = Folder::new().with("in.txt", "Skip to content\n").with("back.txt", "precious");
    let folder = folder.with("folder/out.txt", "precious");
    folder.run("clean in.txt -o out.txt --journal journal --max-removed-run 1").ends_with(0);
    for (output, file) in [("back.txt", "back.txt"), ("folder", "folder/out.txt")] {
        let error = format!("error: {output}: the output exists; choose another, or replace it with --force");
        folder.run(&format!("restore out.txt --journal journal -o {output}")).ends(2, &[&error]);
        assert_eq!(folder.read(file), "precious");
        let told = ["restored 1 file, put 1 cut back"];
        folder.run(&format!("restore out.txt --journal journal -o {output} --force")).ends(0, &told);
        assert_eq!(folder.read(file), folder.read("in.txt"));
    }
    // A folder with nothing in it is in nobody's way.
    let folder = cleaned().with_folder("empty");
    folder.run("restore out --journal journal -o empty").ends(0, &["restored 5 files, put 5 cuts back"]);
    assert_eq!(folder.tree("empty"), folder.tree("in"));
}

/// No output is written for a file that is dropped; its journal alone gives it back.
#[test]
fn a_file_that_was_dropped_is_restored() {
    let folder = Folder::new().with("in.txt", "Skip to content\n");
    folder.run("clean in.txt -o out.txt --drop-empty --journal journal --max-removed-run 1").ends_with(0);
    assert!(!folder.exists("out.txt"));
    folder.run("restore out.txt --journal journal -o back.txt").ends(0, &["restored 1 file, put 1 cut back"]);
    assert_eq!(folder.read("back.txt"), "Skip to content\n");
}

#[test]
fn a_cleaned_file_that_was_changed_is_named_and_the_others_come_through() {
    for (change, from) in [("more", "out/sub/c.txt"), ("less", "out/sub/c.txt"), ("other", "out/sub/c.txt")] {
        let folder = cleaned();
        let mut bytes = folder.bytes(from);
        match change {
            "more" => bytes.push(b'!'),
            "less" => bytes.truncate(20),
            _ => bytes[0] ^= 1,
        }
        let folder = folder.with(from, bytes);
        let ran = folder.run("restore out --journal journal -o back");
        ran.ends_with(1);
        assert_eq!(ran.stderr.lines().next(), Some(&*format!("error: {from}: {UNFIT}")), "{change}");
        assert_eq!(folder.files("back"), ["a.txt", "b.jsonl", "sub/chrome.txt", "sub/empty.txt"]);
    }
}

#[test]
fn a_cleaned_file_that_is_missing_is_named_and_the_others_come_through() {
    let folder = cleaned();
    std::fs::remove_file(folder.path("out/b.jsonl")).expect("the file is there");
    let missing = "error: out/b.jsonl: reading failed: No such file or directory (os error 2); check the path";
    folder.run("restore out --journal journal -o back").ends(1, &[missing, "restored 4 files, put 4 cuts back"]);
    assert_eq!(folder.files("back"), ["a.txt", "sub/c.txt", "sub/chrome.txt", "sub/empty.txt"]);
}

#[test]
fn the_journal_of_another_run_does_not_fit() {
    let folder = Folder::new().with("a.txt", format!("Skip to content\n{SHIP}\n")).with("b.txt", BAKER);
    folder.run("clean a.txt -o out.txt --journal journal").ends_with(0);
    let error = format!("error: b.txt: {UNFIT}");
    folder.run("restore b.txt --journal journal -o back.txt").ends(1, &[&error, "restored 0 files, put 0 cuts back"]);
    assert!(!folder.exists("back.txt"));
    let error = "error: journal:5: the journal is of several files; give the folder that they were written to";
    cleaned().run("restore out/a.txt --journal journal -o back.txt").ends(3, &[error]);
}

#[test]
fn a_journal_that_was_tampered_with_writes_nothing_elsewhere() {
    for name in ["../escaped.txt", "/tmp/escaped.txt", "sub/../../escaped.txt", "./a.txt"] {
        let folder = cleaned();
        let journal = folder.read("journal").replace("{\"file\":\"a.txt\"}", &format!("{{\"file\":\"{name}\"}}"));
        let folder = folder.with("tampered", journal);
        let ran = folder.run("restore out --journal tampered -o back");
        if name == "./a.txt" {
            // The same file by another name, or refused: never anything else.
            assert!(folder.files("back").iter().all(|file| folder.files("in").contains(file)));
            continue;
        }
        let error = "error: tampered:2: a file's name leads out of the folder; the journal was tampered with";
        ran.ends(3, &[error]);
        assert!(!folder.exists("escaped.txt") && !folder.exists("back"));
    }
}

#[test]
fn what_is_no_journal_is_named_with_its_line() {
    let folder = cleaned();
    let journal = folder.read("journal");
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let again = "restore from the journal as it was written";
    let cases = [
        (String::new(), ":1: not a journal of dehusk; give the file that --journal wrote".to_owned()),
        ("some text\n".into(), format!(":1: not a line of a journal; {again}")),
        (lines[1..].concat(), ":1: not a journal of dehusk; give the file that --journal wrote".into()),
        (
            journal.replacen("\"journal\":1", "\"journal\":9", 1),
            ":1: journal version 9 is not known; this dehusk reads version 1".into(),
        ),
        (format!("{journal}{}", lines[0]), format!(":{}: a second head; {again}", lines.len() + 1)),
        ([lines[0], lines[2]].concat(), ":2: a cut before the first file; the journal was tampered with".into()),
        ([lines[0], lines[3]].concat(), ":2: a part before the first file; the journal was tampered with".into()),
        (lines[..2].concat() + &lines[2][..30], format!(":3: not a line of a journal; {again}")),
        (
            lines[..2].concat() + &lines[2].replace("\"text\"", "\"hex\""),
            format!(":3: a cut without its bytes; {again}"),
        ),
        (
            lines[..2].concat() + &lines[2].replace("\"at\"", "\"where\""),
            format!(":3: not a line of a journal; {again}"),
        ),
    ];
    for (journal, error) in cases {
        let folder = cleaned().with("broken", journal);
        folder.run("restore out --journal broken -o back").ends(3, &[&format!("error: broken{error}")]);
        // What stands before the error came out whole; nothing else did.
        let whole = folder.tree("in");
        assert!(folder.tree("back").iter().all(|file| whole.contains(file)), "{error}");
    }
}

/// Each line of it is whole, but its last one is missing, or a file in the middle.
#[test]
fn a_journal_that_was_cut_off_does_not_pass_for_a_whole_one() {
    let folder = cleaned();
    let journal = folder.read("journal");
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let mut files = (0..lines.len()).filter(|line| lines[*line].starts_with("{\"file\":")).skip(1);
    let (second, third) = (files.next().expect("there are five"), files.next().expect("there are five"));
    let again = "restore from the journal as it was written";
    for (journal, error) in [
        (lines[..second].concat(), format!(":{}: the journal ends too soon; {again}", second + 1)),
        (lines[..lines.len() - 1].concat(), format!(":{}: the journal ends too soon; {again}", lines.len())),
        (
            [&lines[..second], &lines[third..]].concat().concat(),
            format!(":{}: files are missing; {again}", lines.len() - (third - second)),
        ),
    ] {
        let folder = cleaned().with("cut", journal);
        folder.run("restore out --journal cut -o back").ends(3, &[&format!("error: cut{error}")]);
        // What is restored before the end is seen is whole.
        let whole = folder.tree("in");
        assert!(folder.tree("back").iter().all(|file| whole.contains(file)), "{error}");
    }
}

#[test]
fn cleaned_and_restored_never_overlap() {
    let folder = cleaned();
    for output in ["out", "out/back", "."] {
        let error = format!("error: out and {output} overlap; restore to another place");
        folder.run(&format!("restore out --journal journal -o {output} --force")).ends(2, &[&error]);
    }
    let error = "error: out/a.txt and out/a.txt overlap; restore to another place";
    folder.run("restore out/a.txt --journal journal -o out/a.txt --force").ends(2, &[error]);
    let ran = folder.run("restore nothing --journal journal -o back");
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.starts_with("error: nothing: ") && ran.stderr.ends_with("check the path\n"), "{}", ran.stderr);
    let ran = folder.run("restore out --journal nothing -o back");
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.starts_with("error: nothing: ") && ran.stderr.ends_with("check the path\n"), "{}", ran.stderr);
    assert!(!folder.exists("back"));
}
