//! Plain text and JSONL, from files and from standard input.

use super::support::{BAKER, Folder, SHIP};

#[test]
fn what_is_kept_of_a_record_keeps_its_spelling() {
    let records = [
        format!(r#"{{ "n": 1.50, "text" : "Skip to content\n{SHIP}", "z":null}}"#),
        format!(r#"{{"text":"caf\u00e9 \/ \ud83d\ude00\nSkip to content\n{BAKER}\t!","url":"http:\/\/a.example\/"}}"#),
        format!(r#"{{"id":"3","text":"{SHIP}\r\nThe end of the \"story\".","tags":["a", "b"]}}"#),
        r#"{"text":"Nothing   goes \u0041 here.", "deep":{"text":"Skip to content"}}"#.to_owned(),
    ];
    let cleaned = [
        format!(r#"{{ "n": 1.50, "text" : "{SHIP}", "z":null}}"#),
        format!(r#"{{"text":"caf\u00e9 \/ \ud83d\ude00\n{BAKER}\t!","url":"http:\/\/a.example\/"}}"#),
        r#"{"id":"3","text":"The end of the \"story\".","tags":["a", "b"]}"#.to_owned(),
        records[3].clone(),
    ];
    // A newline of each kind, a blank line, and none at the end.
    let file = |lines: &[String; 4]| format!("{}\n{}\r\n\n{}\n{}", lines[0], lines[1], lines[2], lines[3]);
    let folder = Folder::new().with("in.jsonl", file(&records));
    folder.run("clean in.jsonl -o out.jsonl").ends_with(0);
    assert_eq!(folder.read("out.jsonl"), file(&cleaned));
    folder.run_on(file(&records), "clean -").ends_with(0).says(&file(&cleaned));
}

#[test]
fn the_format_is_told_by_name_and_else_by_content() {
    let json = format!("{{\"text\":\"Skip to content\\n{SHIP}\"}}\n");
    let json_cleaned = format!("{{\"text\":\"{SHIP}\"}}\n");
    let text = format!("Skip to content\n{SHIP}\n");
    let text_cleaned = format!("{SHIP}\n");
    for (name, content, cleaned) in [
        ("a.txt", &text, &text_cleaned),
        ("a.TEXT", &text, &text_cleaned),
        ("a.jsonl", &json, &json_cleaned),
        ("a.NDJSON", &json, &json_cleaned),
        ("a.json", &json, &json_cleaned),
        ("a.md", &text, &text_cleaned),
        ("a", &format!("\n  \n{json}"), &format!("\n  \n{json_cleaned}")),
        // A name counts more than what the file looks like.
        ("json.txt", &json, &json),
    ] {
        let folder = Folder::new().with(name, content);
        folder.run(&format!("clean {name} -o out")).ends_with(0);
        assert_eq!(folder.read("out"), *cleaned, "{name}");
        if name != "json.txt" {
            folder.run_on(content, "clean -").ends_with(0).says(cleaned);
        }
    }
}

#[test]
fn the_format_can_be_said() {
    let folder = Folder::new().with("a.txt", format!("{{\"text\":\"Skip to content\\n{SHIP}\"}}\n"));
    folder.run("clean a.txt -o as-jsonl --format jsonl").ends_with(0);
    assert_eq!(folder.read("as-jsonl"), format!("{{\"text\":\"{SHIP}\"}}\n"));
    folder.run("clean a.txt -o as-text --format text").ends_with(0);
    assert_eq!(folder.bytes("as-text"), folder.bytes("a.txt"));
    folder.run_on(folder.bytes("a.txt"), "clean - --format text").ends_with(0).says(&folder.read("a.txt"));

    let folder = Folder::new().with("a.txt", "no JSON\n");
    folder.run("clean a.txt -o out --format jsonl").ends(
        1,
        &[
            "warning: a.txt:1: not a JSON object; mend or remove the line, or read the file with --format text",
            "cleaned 1 file, 0 documents: 0 of 0 bytes of text removed (0.0 %), 0 blocks by rules, 0 repeats, \
             0 of copies; 1 record bad; _ s",
        ],
    );
    assert_eq!(folder.read("out"), "no JSON\n");
}

#[test]
fn fields_go_by_the_names_that_are_given() {
    let record = |text: &str, site: &str, url: &str| {
        format!(
            "{{\"key\":\"7\",\"body\":\"{text}\",\"host\":\"{site}\",\"link\":\"{url}\",\"text\":\"Skip to content\"}}\n"
        )
    };
    // Two pages of one site, by its name and by its address; one of another site.
    let input = [
        record(SHIP, "a.example", ""),
        record(SHIP, "b.example", ""),
        format!("{{\"body\":\"{SHIP}\",\"link\":\"https://www.b.example/page\"}}\n"),
    ];
    let input = [&input[..2], &[input[2].replace("{", "{\"key\":7,")]].concat();
    let folder = Folder::new().with("in.jsonl", input.concat());
    let fields = "--text-field body --id-field key --site-field host --url-field link";
    folder.run(&format!("clean in.jsonl -o out.jsonl --scope site --journal journal {fields}")).ends_with(0);
    let cut = &folder.journal("journal")[2];
    assert_eq!((&cut["id"], &cut["record"], &cut["first"]["record"]), (&"7".into(), &3.into(), &2.into()));
    assert_eq!(
        folder.read("out.jsonl"),
        format!("{}{}{{\"key\":7,\"body\":\"\",\"link\":\"https://www.b.example/page\"}}\n", input[0], input[1])
    );
}

#[test]
fn the_framing_says_what_a_document_of_a_stream_is() {
    let lines = format!("{SHIP}\n{SHIP}\nno\nno\n");
    let folder = Folder::new();
    let cases = [
        ("none", &lines, format!("{SHIP}\nno\nno\n"), "1 document"),
        ("lines", &lines, format!("{SHIP}\n\nno\nno\n"), "4 documents"),
        ("nul", &lines.replace('\n', "\0"), format!("{SHIP}\0\0no\0no\0"), "4 documents"),
        ("nul", &format!("{SHIP}\nOne\nmore.\0{SHIP}\nTwo.\0"), format!("{SHIP}\nOne\nmore.\0Two.\0"), "2 documents"),
        ("lines", &"no newline at the end".to_owned(), "no newline at the end".to_owned(), "1 document"),
    ];
    for (framing, input, output, documents) in cases {
        let ran = folder.run_on(input, &format!("clean - --framing {framing}"));
        ran.ends_with(0).says(&output);
        assert!(ran.stderr.starts_with(&format!("cleaned 1 file, {documents}: ")), "{framing}: {}", ran.stderr);
    }
    // With a framing the input is text, whatever it looks like.
    let json = format!("{{\"text\":\"Skip to content\\n{SHIP}\"}}\n");
    folder.run_on(&json, "clean - --framing lines").ends_with(0).says(&json);
    // A file is a document, and has no framing.
    let folder = folder.with("in.txt", lines);
    let error = "error: framing is for plain text on standard input; leave it out, or give the files one by one to -";
    for arguments in ["clean in.txt -o out.txt", "clean in.txt -n", "explain in.txt"] {
        folder.run(&format!("{arguments} --framing lines")).ends(2, &[error]).says("");
    }
    assert!(!folder.exists("out.txt"));
}

#[test]
fn units_scopes_folds_and_copies_can_be_chosen() {
    let (shout, other) = (SHIP.to_uppercase(), SHIP.replace(',', ""));
    let text = format!("{SHIP}\nOne.\n\n{shout}\nTwo.\n\n{other}\nThree.\n\n{SHIP}\nOne.\n");
    let folder = Folder::new().with("in.txt", &text);
    for (arguments, gone) in [
        ("", format!("{SHIP}\nOne.\n\nTwo.\n\n{other}\nThree.\n")),
        ("--scope document", format!("{SHIP}\nOne.\n\nTwo.\n\n{other}\nThree.\n")),
        ("--fold exact", format!("{SHIP}\nOne.\n\n{shout}\nTwo.\n\n{other}\nThree.\n")),
        ("--fold letters", format!("{SHIP}\nOne.\n\nTwo.\n\nThree.\n")),
        ("--unit paragraph", format!("{SHIP}\nOne.\n\n{shout}\nTwo.\n\n{other}\nThree.\n")),
        ("--scope off", text.clone()),
        ("--min-chars 500", text.clone()),
        // Its own short line stays: it is no part of what the two copies have in common.
        ("--keep none", format!("One.\n\nTwo.\n\n{other}\nThree.\n")),
    ] {
        folder.run(&format!("clean in.txt -o out.txt --force {arguments}")).ends_with(0);
        assert_eq!(folder.read("out.txt"), gone, "{arguments}");
    }
}
