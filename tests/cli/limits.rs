//! Limits, bad records and empty documents: what is warned of, what stops a run.

use super::support::{BAKER, Folder, SHIP};

/// Two documents: a small share of the first goes, half of the second.
fn corpus() -> Folder {
    Folder::new()
        .with("in/a.txt", format!("Skip to content\n{SHIP}\n{BAKER}\n"))
        .with("in/b.txt", format!("{SHIP}\n{}\n", SHIP.replace("ship", "boat")))
}

const B_LOSES: &str = "b.txt: loses 50.0 % of its text (limit 40.0 %)";
const RUN_LOSES: &str = "the run loses 28.1 % of all text (limit 20.0 %)";
const NOTHING: &str = "nothing was written; look at what would go with --dry-run, or raise the limit";
const SUMMARY: &str = "cleaned 2 files, 2 documents: 119 of 423 bytes of text removed (28.1 %), 1 block by rules, \
                       1 repeat, 0 of copies; _ s";

#[test]
fn a_limit_that_is_crossed_is_told() {
    let folder = corpus();
    folder.run("clean in -o out --max-removed-document 0.5 --max-removed-run 0.3").ends(0, &[SUMMARY]);
    let ran = folder.run("clean in -o warned --max-removed-document 0.4 --max-removed-run 0.2 --report report.json");
    let warnings = [B_LOSES, RUN_LOSES].map(|what| format!("warning: limit crossed: {what}"));
    ran.ends(1, &[&warnings[0], &warnings[1], SUMMARY]);
    assert_eq!(folder.tree("warned"), folder.tree("out"));
    let report = folder.json("report.json");
    assert_eq!(report["limits_crossed"], serde_json::json!([B_LOSES, RUN_LOSES]));
    assert_eq!(report["totals"]["documents_over_limit"], 1);
}

#[test]
fn a_limit_can_stop_the_run_before_anything_is_written() {
    let folder = corpus();
    for (limit, what) in [("--max-removed-document 0.4", B_LOSES), ("--max-removed-run 0.2", RUN_LOSES)] {
        let error = format!("error: {what}; {NOTHING}");
        let stop = format!("{limit} --on-limit stop --report report");
        folder.run(&format!("clean in -o out --journal journal {stop}")).ends(3, &[&error]).says("");
        folder.run(&format!("clean in -o - {stop}")).ends(3, &[&error]).says("");
        assert_eq!(folder.files("."), ["in/a.txt", "in/b.txt"]);
    }
    folder.run("clean in -o out --max-removed-run 0.3 --on-limit stop").ends(0, &[SUMMARY]);
    assert_eq!(folder.files("out"), ["a.txt", "b.txt"]);
}

/// The dry run that the message advises does not itself stop at the limit.
#[test]
fn a_dry_run_shows_what_would_go_beyond_the_limit() {
    let folder = Folder::new().with("in.txt", format!("{SHIP}\n{SHIP}\n"));
    let told = [
        "warning: limit crossed: the run loses 50.0 % of all text (limit 10.0 %)",
        "looked at 1 file, 1 document: 103 of 206 bytes of text would go (50.0 %), 0 blocks by rules, 1 repeat, \
         0 of copies; _ s",
    ];
    let shown = format!(
        "       bytes   blocks  what would go\n{:>12} {:>8}  {SHIP}\n{:>23}  in.txt:2 (repeats in.txt:1)\n",
        103, 1, ""
    );
    folder.run("clean in.txt -n --max-removed-run 0.1 --on-limit stop").ends(1, &told).says(&shown);
}

#[test]
fn a_copy_of_another_document_counts_for_the_run_alone() {
    let folder = Folder::new().with("in/a.txt", "One.\nTwo.\n").with("in/b.txt", "One.\nTwo.\n");
    folder.run("clean in -o out --max-removed-document 0.1").ends_with(0);
    assert_eq!(folder.read("out/b.txt"), "");
    folder.run("clean in -o again --max-removed-run 0.4").ends_with(1);
}

#[test]
fn a_limit_stops_a_stream_behind_the_document() {
    let folder = Folder::new();
    let input = format!("{{\"text\":\"{SHIP}\"}}\n{{\"text\":\"{SHIP}\\nMore.\"}}\n");
    let error = "error: -:2: loses 95.4 % of its text (limit 50.0 %); \
                 stopped behind it; look at it with --dry-run, or raise the limit";
    let stop = "--max-removed-document 0.5 --on-limit stop";
    folder.run_on(&input, &format!("clean - {stop}")).ends(3, &[error]);
    folder.run_on(&input, &format!("clean - -o out.jsonl --journal journal {stop}")).ends(3, &[error]);
    assert_eq!(folder.files("."), [""; 0]);

    let error = "error: the run loses 49.3 % of all text (limit 40.0 %); \
                 all was written; look at it with --dry-run, or raise the limit";
    folder.run_on(&input, "clean - --max-removed-run 0.4 --on-limit stop").ends(3, &[error]);
    let error = &error.replace("all was", "no output was");
    let stop = "--journal journal --max-removed-run 0.4 --on-limit stop";
    folder.run_on(&input, &format!("clean - -o out.jsonl {stop}")).ends(3, &[error]);
    assert_eq!(folder.files("."), [""; 0]);
}

/// Records of which the second and third are bad.
fn records() -> [String; 4] {
    [
        format!("{{\"text\":\"Skip to content\\n{SHIP}\"}}\n"),
        "{\"text\":\"no end\n".into(),
        "{\"body\":\"no text\"}\n".into(),
        "{\"text\":\"The end.\"}\n".into(),
    ]
}

const BAD: [&str; 2] = [
    ":2: not valid JSON at byte 15: EOF while parsing a string; mend or remove the line",
    ":3: no field \"text\"; name the field with the text with --text-field",
];

#[test]
fn a_bad_record_is_kept_or_skipped_and_told() {
    let records = records();
    let cleaned = format!("{{\"text\":\"{SHIP}\"}}\n");
    let kept = [&cleaned, &records[1], &records[2], &records[3]].map(String::as_str).concat();
    let skipped = [&cleaned, &records[3]].map(String::as_str).concat();
    let summary = "cleaned 1 file, 2 documents: 17 of 127 bytes of text removed (13.4 %), 1 block by rules, 0 repeats, \
                   0 of copies; 2 records bad; _ s";
    for (arguments, output) in
        [("", &kept), ("--on-bad-record keep", &kept), ("--on-bad-record skip", &skipped), ("--scope off", &kept)]
    {
        let folder = Folder::new().with("in.jsonl", records.concat());
        let of = |place: &str| BAD.map(|what| format!("warning: {place}{what}"));
        let told = of("in.jsonl");
        folder
            .run(&format!("clean in.jsonl -o out.jsonl --journal journal {arguments}"))
            .ends(1, &[&told[0], &told[1], summary]);
        assert_eq!(folder.read("out.jsonl"), *output);
        let told = of("-");
        folder
            .run_on(records.concat(), &format!("clean - {arguments}"))
            .ends(1, &[&told[0], &told[1], summary])
            .says(output);
        folder.run("restore out.jsonl --journal journal -o back.jsonl").ends_with(0);
        assert_eq!(folder.read("back.jsonl"), records.concat());
    }
}

#[test]
fn a_bad_record_can_stop_the_run() {
    let folder = Folder::new().with("in/a.jsonl", records().concat()).with("in/b.txt", BAKER);
    let stop = "--on-bad-record stop --report report";
    let error = format!("error: a.jsonl{}; nothing was written, as --on-bad-record says", BAD[0]);
    folder.run(&format!("clean in -o out --journal journal {stop}")).ends(3, &[&error]).says("");
    folder.run(&format!("clean in -o - {stop}")).ends(3, &[&error]).says("");
    let error = format!("error: -{}; stopped, as --on-bad-record says", BAD[0]);
    folder.run_on(records().concat(), &format!("clean - -o out.jsonl --journal journal {stop}")).ends(3, &[&error]);
    assert_eq!(folder.files("."), ["in/a.jsonl", "in/b.txt"]);
}

/// Also where documents are compared with none other, so that the outputs could be written as they are read.
#[test]
fn a_bad_record_stops_the_run_before_anything_is_written_in_every_scope() {
    let error = "error: a.jsonl:2: not a JSON object; mend or remove the line, or read the file with --format text; \
                 nothing was written, as --on-bad-record says";
    for scope in ["corpus", "site", "document", "off"] {
        let folder = Folder::new().with("in/a.jsonl", "{\"text\":\"Fine.\"}\nbad\n").with("in/b.txt", BAKER);
        folder.run(&format!("clean in -o out --on-bad-record stop --scope {scope} -j 1")).ends(3, &[error]);
        assert_eq!(folder.files("."), ["in/a.jsonl", "in/b.txt"], "{scope}");
    }
}

#[test]
fn documents_without_text_left_can_be_dropped() {
    let page = "Skip to content\n\n";
    let json = format!("{{\"text\":\"{SHIP}\"}}\n");
    let folder = Folder::new()
        .with("in/a.txt", page)
        .with("in/b.txt", "It stays.\n")
        .with("in/c.jsonl", format!("{{\"text\":\"Skip to content\"}}\n{json}{json}"));
    folder.run("clean in -o kept").ends_with(0);
    assert_eq!(folder.files("kept"), ["a.txt", "b.txt", "c.jsonl"]);
    assert_eq!(folder.read("kept/c.jsonl"), format!("{{\"text\":\"\"}}\n{json}{{\"text\":\"\"}}\n"));

    let summary = "cleaned 3 files, 5 documents: 134 of 246 bytes of text removed (54.5 %), 2 blocks by rules, 1 repeat, \
                   0 of copies; 3 documents left without text; 3 documents dropped as empty; _ s";
    folder.run("clean in -o out --drop-empty --journal journal").ends(0, &[summary]);
    assert_eq!(folder.files("out"), ["b.txt", "c.jsonl"]);
    assert_eq!(folder.read("out/c.jsonl"), json);
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.tree("back"), folder.tree("in"));
}
