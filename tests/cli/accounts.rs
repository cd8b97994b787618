//! What a run tells of itself: the dry run, the journal, the report.

use super::support::{BAKER, Folder, SHIP};
use serde_json::{Value, json};

/// A folder with chrome, repeats, a copy, a bad record and a file that is passed over.
fn corpus() -> Folder {
    Folder::new()
        .with("in/a.txt", format!("Skip to content\n{SHIP}\n\n{BAKER}\n"))
        .with("in/b.txt", format!("{SHIP}\nMore of it.\nSkip to content\n"))
        .with("in/c.jsonl", format!("{{\"text\":\"{BAKER}\\nAgain.\"}}\nbad\n{{\"text\":\"Fine.\"}}\n"))
        .with("in/d.txt", "One line.\nAnother line.\n")
        .with("in/e.txt", "One line.\nAnother line.\n")
        .with("in/f.png", "\x01")
}

#[test]
fn a_dry_run_writes_nothing_and_shows_what_would_go() {
    let folder = Folder::new()
        .with("in/a.txt", format!("Skip to content\n{SHIP}\n"))
        .with("in/b.txt", format!("{SHIP}\nMore.\n{BAKER}\n\n{SHIP}\nSkip to content\n"));
    let shown = format!(
        "       bytes   blocks  what would go\n\
         {:>12} {:>8}  {SHIP}\n{:>23}  b.txt:1 (repeats a.txt:2)\n\
         {:>12} {:>8}  Skip to content\n{:>23}  a.txt:1 (rule web-en/skip-link)\n",
        206, 2, "", 32, 2, ""
    );
    let summary = "looked at 2 files, 2 documents: 239 of 446 bytes of text would go (53.6 %), 2 blocks by rules, \
                   2 repeats, 0 of copies; _ s";
    let before = folder.tree(".");
    for arguments in ["clean in -n", "clean in --dry-run -o out", "clean in -n --journal journal", "clean in -n -o in"]
    {
        folder.run(arguments).ends(0, &[summary]).says(&shown);
    }
    folder.run("clean in -n -q").ends(0, &[]).says(&shown);
    assert_eq!(folder.tree("."), before);

    let ran = folder.run_on(format!("{SHIP}\n{SHIP}\n"), "clean - -n -o out.txt");
    ran.ends_with(0).says(&format!(
        "       bytes   blocks  what would go\n{:>12} {:>8}  {SHIP}\n{:>23}  -:2 (repeats -:1)\n",
        103, 1, ""
    ));
    assert_eq!(folder.tree("."), before);
}

#[test]
fn a_dry_run_shows_the_twenty_largest() {
    let text: String = (10..40).map(|number| format!("{SHIP} {}\n", "Chapter ".repeat(number))).collect();
    let folder = Folder::new().with("a.txt", text.repeat(2));
    let ran = folder.run("clean a.txt -n");
    let sizes: Vec<usize> = ran
        .stdout
        .lines()
        .skip(1)
        .step_by(2)
        .map(|line| line.split_whitespace().next().expect("a line has bytes").parse().expect("bytes are a number"))
        .collect();
    let wanted: Vec<usize> = (20..40).rev().map(|number| SHIP.len() + 2 + 8 * number).collect();
    assert_eq!(sizes, wanted);
}

#[test]
fn the_journal_tells_each_cut_with_its_reason() {
    let folder = corpus();
    folder.run("clean in -o out --journal journal.jsonl").ends_with(1);
    let journal = folder.journal("journal.jsonl");
    let whole = |file: &str| {
        let bytes = folder.bytes(&format!("in/{file}"));
        json!({"bytes": bytes.len(), "blake3": blake3_of(&journal, bytes.len())})
    };
    assert_eq!(
        journal,
        [
            json!({"journal": 1, "dehusk": env!("CARGO_PKG_VERSION"), "fold": 1}),
            json!({"file": "a.txt"}),
            json!({"at": 0, "record": 1, "line": 1, "reason": "rule", "rule": "web-en/skip-link", "text": "Skip to content\n"}),
            whole("a.txt"),
            json!({"file": "b.txt"}),
            json!({"at": 0, "record": 1, "line": 1, "reason": "repeat", "text": format!("{SHIP}\n"),
                   "first": {"file": "a.txt", "record": 1, "line": 2}}),
            json!({"at": 115, "record": 1, "line": 3, "reason": "rule", "rule": "web-en/skip-link", "text": "Skip to content\n"}),
            whole("b.txt"),
            json!({"file": "c.jsonl"}),
            json!({"at": 9, "record": 1, "line": 1, "reason": "repeat", "text": format!("{BAKER}\\n"),
                   "first": {"file": "a.txt", "record": 1, "line": 4}}),
            whole("c.jsonl"),
            json!({"file": "d.txt"}),
            whole("d.txt"),
            json!({"file": "e.txt"}),
            json!({"at": 0, "record": 1, "line": 1, "reason": "copy", "text": "One line.\n",
                   "first": {"file": "d.txt", "record": 1, "line": 1}}),
            json!({"at": 10, "record": 1, "line": 2, "reason": "copy", "text": "Another line.\n",
                   "first": {"file": "d.txt", "record": 1, "line": 1}}),
            whole("e.txt"),
            json!({"files": 5}),
        ]
    );
}

/// The hash that the journal has of a file of so many bytes, which is 64 digits.
fn blake3_of(journal: &[Value], bytes: usize) -> String {
    let line = journal.iter().find(|line| line["bytes"] == bytes).expect("the journal has the file's size");
    let hash = line["blake3"].as_str().expect("the hash is a string");
    assert!(hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
    hash.to_owned()
}

#[test]
fn bytes_that_are_no_text_are_in_the_journal_as_hex() {
    let line: Vec<u8> = [SHIP.as_bytes(), b" \xff\xfe\n"].concat();
    let folder = Folder::new().with("a.txt", line.repeat(2));
    folder.run("clean a.txt -o out.txt --journal journal").ends_with(0);
    let hex: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(folder.journal("journal")[2]["hex"], hex.as_str());
    folder.run("restore out.txt --journal journal -o back.txt").ends_with(0);
    assert_eq!(folder.bytes("back.txt"), folder.bytes("a.txt"));
}

#[test]
fn the_numbers_of_the_report_add_up() {
    let folder = corpus();
    folder.run("clean in -o out --report report.json --drop-empty --min-chars 50").ends_with(1);
    let report = folder.json("report.json");
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["dehusk"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["dry_run"], false);
    assert_eq!((&report["config"]["min-chars"], &report["config"]["drop-empty"]), (&json!(50), &json!(true)));
    assert!(report["times"]["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));

    let bytes_of = |name: &str| folder.tree(name).iter().flat_map(|(_, bytes)| bytes).map(Vec::len).sum::<usize>();
    let read = bytes_of("in") - 1;
    let text = read - "{\"text\":\"\"}\n{\"text\":\"\"}\nbad\n".len();
    let gone = 2 * "Skip to content\n".len() + SHIP.len() + 1 + BAKER.len() + 2 + "One line.\nAnother line.\n".len();
    assert_eq!(
        report["totals"],
        json!({
            "files": 5, "files_passed_over": 1, "documents": 6, "documents_unchanged": 2, "documents_emptied": 1,
            "documents_dropped": 1, "bad_records": 1, "records_left_out": 0, "documents_undecoded": 0,
            "documents_over_limit": 0, "blocks": 14,
            "bytes_in": read, "text_bytes": text, "bytes_out": bytes_of("out"), "text_bytes_removed": gone,
        })
    );
    assert_eq!(read - bytes_of("out"), gone);
    assert_eq!(
        report["removed"],
        json!({
            "rules": {"web-en/skip-link": {"blocks": 2, "bytes": 32}},
            "repeats": {"blocks": 2, "bytes": SHIP.len() + 1 + BAKER.len() + 2},
            "scores": {"blocks": 0, "bytes": 0},
            "templates": {"blocks": 0, "bytes": 0},
            "running": {"blocks": 0, "bytes": 0},
            "copies": {"blocks": 2, "bytes": 24},
            "gaps": {"blocks": 0, "bytes": 0},
        })
    );
    let bad = "c.jsonl:2: not a JSON object; mend or remove the line, or read the file with --format text";
    assert_eq!(report["bad_records"], json!([bad]));
    assert_eq!((&report["passed_over"], &report["undecoded"]), (&json!(["in/f.png"]), &json!([])));
    assert_eq!((&report["failed_files"], &report["limits_crossed"]), (&json!([]), &json!([])));
}

#[test]
fn a_dry_run_and_a_run_report_the_same() {
    let folder = corpus();
    folder.run("clean in -o out --report real.json").ends_with(1);
    folder.run("clean in -n --report dry.json").ends_with(1);
    let (real, dry) = (folder.json("real.json"), folder.json("dry.json"));
    assert_eq!(dry["dry_run"], true);
    for part in ["config", "totals", "removed", "bad_records", "passed_over", "limits_crossed"] {
        assert_eq!(real[part], dry[part], "{part}");
    }
    let first = &dry["top_removed"][0];
    assert_eq!((&first["place"], &first["reason"]), (&json!("b.txt:1"), &json!("repeats a.txt:2")));
    assert_eq!((&first["bytes"], &first["text"]), (&json!(SHIP.len() + 1), &json!(SHIP)));
}

/// Files that failed, and those that were passed over, are told in the order of their names, not of the directory.
#[test]
fn files_are_told_in_the_order_of_their_names() {
    let mut folder = Folder::new();
    for number in [3, 9, 1, 7, 5, 2, 8, 0, 6, 4] {
        folder = folder.with(&format!("in/{number}.png"), "").with_link(&format!("in/{number}.txt"), "nowhere");
    }
    folder.run("clean in -o out --report report").ends_with(1);
    let report = folder.json("report");
    let failed =
        |number| format!("in/{number}.txt: reading failed: No such file or directory (os error 2); check the path");
    let passed_over = |number| format!("in/{number}.png");
    assert_eq!(report["failed_files"], json!((0..10).map(failed).collect::<Vec<_>>()));
    assert_eq!(report["passed_over"], json!((0..10).map(passed_over).collect::<Vec<_>>()));
}

/// Several files in one stream have no journal, for `restore` could not tell one from the next.
#[test]
fn a_journal_that_nothing_can_be_restored_with_is_not_written() {
    let folder = Folder::new()
        .with("in/a.txt", format!("Skip to content\n{SHIP}\n"))
        .with("in/b.txt", "Skip to content\nText.\n");
    let error = "error: a journal of several files in one stream would restore nothing; name a folder as output";
    folder.run("clean in -o - --journal journal").ends(2, &[error]).says("");
    assert_eq!(folder.files("."), ["in/a.txt", "in/b.txt"]);

    let ran = folder.run("clean in/a.txt -o - --journal journal");
    ran.ends_with(0).says(&format!("{SHIP}\n"));
    let folder = folder.with("out.txt", ran.stdout);
    folder.run("restore out.txt --journal journal -o back.txt").ends_with(0);
    assert_eq!(folder.read("back.txt"), folder.read("in/a.txt"));
}

/// What JSONL spells with escapes is shown as it reads, but for what would be a command to the terminal.
#[test]
fn a_dry_run_shows_text_as_it_reads() {
    let text = format!("caf\\u00e9 \\u001b[31m\\\"tea\\\" {SHIP}");
    let shown = format!("café \u{fffd}[31m\"tea\" {SHIP}");
    let records = format!("{{\"text\":\"{text}\"}}\n{{\"text\":\"{text}\\nMore.\"}}\n");
    let folder = Folder::new().with("in.jsonl", &records);
    let row = |file| {
        format!(
            "       bytes   blocks  what would go\n{:>12} {:>8}  {shown}\n{:>23}  {file}:2:1 (repeats {file}:1:1)\n",
            text.len() + 2,
            1,
            ""
        )
    };
    folder.run("clean in.jsonl -n --max-removed-run 1 --max-removed-document 1").ends_with(0).says(&row("in.jsonl"));
    folder.run_on(records, "clean - -n --max-removed-run 1 --max-removed-document 1").ends_with(0).says(&row("-"));
}
