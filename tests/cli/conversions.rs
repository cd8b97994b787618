//! `--output-format`: documents written as another format than they came in.

use super::parquet_file::Parquet;
use super::support::{BAKER, Folder, SHIP, packed, unpacked};

fn record(kind: &str, id: &str, content: &str) -> String {
    let length = content.len();
    format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:{id}>\r\nWARC-Target-URI: https://a.example/{id}\r\n\
         WARC-Block-Digest: sha1:AAAA\r\nContent-Length: {length}\r\n\r\n{content}\r\n\r\n"
    )
}

/// Files of every format, and what they become as JSONL and as text.
fn folder() -> Folder {
    let page = format!("Skip to content\n\u{e9} \"{SHIP}\"\n");
    let warc = [
        record("warcinfo", "0", "software: x\r\n"),
        record("request", "1", "GET / HTTP/1.1\r\n\r\n"),
        record("conversion", "2", &page),
        "WARC/1.0\r\nbroken\r\n\r\n".to_owned(),
        record("conversion", "3", "Menu\nNo newline"),
    ]
    .concat();
    let csv = format!("id,site,text\n1,b.example,\"Skip to content\nSay \"\"{BAKER}\"\"\"\n\n2,,\n3\n");
    Folder::new()
        .with("in/w.warc.wet.gz", packed("gz", warc))
        .with("in/t.csv", csv)
        .with("in/plain/p.txt", format!("\u{feff}Skip to content\nPlain {BAKER}\n"))
        .with("in/plain/l1.text", b"Skip to content\nCaf\xe9")
        .with("in/j.ndjson", format!("{{\"n\":1,\"text\":\"Skip to content\\nJson {SHIP}\"}}\nbad\n"))
}

const SETTINGS: &str = "--scope document --level rules";

#[test]
fn every_format_becomes_jsonl() {
    let folder = folder();
    for threads in [1, 2, 7] {
        let ran = folder.run(&format!(
            "clean in -o out-{threads} --output-format jsonl -j {threads} --journal j-{threads} --report report --force {SETTINGS}"
        ));
        ran.ends_with(1);
        assert!(
            ran.stderr.contains("; 3 records bad; 1 document not all decoded; 3 records left out"),
            "{}",
            ran.stderr
        );
        assert_eq!(folder.tree(&format!("out-{threads}")), folder.tree("out-1"));
        assert_eq!(folder.read(&format!("j-{threads}")), folder.read("j-1"));
    }
    let files = ["j.ndjson", "plain/l1.jsonl", "plain/p.jsonl", "t.jsonl", "w.jsonl.gz"];
    assert_eq!(folder.files("out-1"), files);
    assert_eq!(folder.json("report")["totals"]["records_left_out"], 3);
    // JSONL stays as it is, with what cannot be read.
    assert_eq!(folder.read("out-1/j.ndjson"), format!("{{\"n\":1,\"text\":\"Json {SHIP}\"}}\nbad\n"));
    assert_eq!(folder.read("out-1/plain/l1.jsonl"), "{\"id\":\"plain/l1.text\",\"text\":\"Caf\u{fffd}\"}\n");
    assert_eq!(
        folder.read("out-1/plain/p.jsonl"),
        format!("{{\"id\":\"plain/p.txt\",\"text\":\"Plain {BAKER}\\n\"}}\n")
    );
    let rows = format!(
        "{{\"id\":\"1\",\"site\":\"b.example\",\"text\":\"Say \\\"{BAKER}\\\"\"}}\n{{\"id\":\"2\",\"text\":\"\"}}\n"
    );
    assert_eq!(folder.read("out-1/t.jsonl"), rows);
    let pages = format!(
        "{{\"id\":\"<urn:2>\",\"url\":\"https://a.example/2\",\"text\":\"\u{e9} \\\"{SHIP}\\\"\\n\"}}\n\
         {{\"id\":\"<urn:3>\",\"url\":\"https://a.example/3\",\"text\":\"No newline\"}}\n"
    );
    let written = unpacked("gz", &folder.bytes("out-1/w.jsonl.gz")).expect("it is packed as its input was");
    assert_eq!(String::from_utf8_lossy(&written), pages);
    // The same in one stream, and of streams.
    let all = files.map(|file| match file {
        "w.jsonl.gz" => pages.clone().into_bytes(),
        file => folder.bytes(&format!("out-1/{file}")),
    });
    assert_eq!(folder.output_of(&format!("clean in -o - --output-format jsonl {SETTINGS}")), all.concat());
    let streamed =
        folder.run_on(folder.bytes("in/t.csv"), &format!("clean - --format csv --output-format jsonl {SETTINGS}"));
    assert_eq!(streamed.stdout, rows);
    let lines = format!("clean - --framing lines --output-format jsonl --max-removed-run 1 {SETTINGS}");
    folder.run_on("one\nSkip to content\n", &lines).ends_with(0).says("{\"text\":\"one\"}\n{\"text\":\"\"}\n");
}

#[test]
fn every_format_becomes_text() {
    let folder = folder();
    folder.run(&format!("clean in -o out --output-format text {SETTINGS} --compress none")).ends_with(1);
    assert_eq!(folder.files("out"), ["j.txt", "plain/l1.text", "plain/p.txt", "t.txt", "w.txt"]);
    assert_eq!(folder.read("out/j.txt"), format!("Json {SHIP}\n\n"));
    assert_eq!(folder.read("out/t.txt"), format!("Say \"{BAKER}\"\n\n\n"));
    assert_eq!(folder.read("out/plain/p.txt"), format!("\u{feff}Plain {BAKER}\n"));
    assert_eq!(folder.bytes("out/plain/l1.text"), b"Caf\xe9");
    let dropped = format!("clean in/t.csv -o only --output-format text {SETTINGS} --drop-empty");
    folder.run(&dropped).ends_with(1);
    assert_eq!(folder.read("only"), format!("Say \"{BAKER}\"\n\n"));
}

#[test]
fn encoded_text_is_written_as_utf8_under_the_names_of_the_fields() {
    let row = "key,body\nÀ,\"Skip to content\nÉté\"\n";
    let latin1: Vec<u8> = row.chars().map(|character| u8::try_from(character).expect("it is Latin-1")).collect();
    let folder = Folder::new().with("a.csv", latin1);
    let arguments = "--encoding latin1 --output-format jsonl --text-field body --id-field key --max-removed-run 1";
    folder.run(&format!("clean a.csv -o out.jsonl {arguments}")).ends_with(0);
    assert_eq!(folder.read("out.jsonl"), "{\"key\":\"À\",\"body\":\"Été\"}\n");
}

#[test]
fn what_was_converted_is_not_restored_and_the_rest_is() {
    let folder = folder();
    folder.run(&format!("clean in -o out --journal journal --output-format jsonl {SETTINGS}")).ends_with(1);
    let journal = folder.journal("journal");
    let written = |name: &str| journal.iter().find(|line| line["file"] == name).map(|line| line["written"].clone());
    assert_eq!(written("t.csv"), Some("jsonl".into()));
    assert_eq!(written("j.ndjson"), Some(serde_json::Value::Null));
    assert!(journal.iter().all(|line| line["reason"] != "header"));
    assert!(journal.iter().any(|line| line["id"] == "<urn:2>" && line["text"] == "Skip to content\n"));
    let refused = |name: &str| {
        format!(
            "error: out/{name}: was written as jsonl, from which what it was cannot be put together; \
             to be able to restore, clean without --output-format"
        )
    };
    let refusals = ["plain/l1.jsonl", "plain/p.jsonl", "t.jsonl", "w.jsonl.gz"].map(refused);
    let mut told: Vec<&str> = refusals.iter().map(String::as_str).collect();
    told.push("restored 1 file, put 1 cut back");
    folder.run("restore out --journal journal -o back").ends(1, &told);
    assert_eq!(folder.files("back"), ["j.ndjson"]);
    assert_eq!(folder.read("back/j.ndjson"), folder.read("in/j.ndjson"));
}

#[test]
fn two_inputs_that_would_be_one_output_are_refused() {
    let folder = Folder::new().with("in/a.csv", "text\n").with("in/a.jsonl.gz", packed("gz", "")).with("in/a.txt", "");
    let ran = folder.run("clean in -o out --output-format jsonl --journal journal");
    let error =
        "error: in/a.csv and in/a.txt would both be written to out/a.jsonl; rename one, or clean them one by one";
    ran.ends(2, &[error]);
    assert!(!folder.exists("out") && !folder.exists("journal"));
    // Names without an extension get one.
    let folder = Folder::new().with("a", "x\n").with("b.md", "y\n").with("c.txt", "");
    folder.run("clean a b.md c.txt -o out --output-format jsonl").ends_with(0);
    assert_eq!(folder.files("out"), ["a.jsonl", "b.md.jsonl", "c.jsonl"]);
    assert_eq!(folder.read("out/c.jsonl"), "{\"id\":\"c.txt\",\"text\":\"\"}\n");
}

#[test]
fn parquet_becomes_jsonl_even_in_a_stream() {
    let rows = Parquet::default().with_group(&[Some(&format!("Skip to content\n{SHIP}\n")[..]), Some(BAKER), None]);
    let folder = Folder::new().with("a.parquet", rows.bytes());
    folder.run("clean a.parquet -o out.jsonl --output-format jsonl --drop-empty").ends_with(1);
    let written = folder.read("out.jsonl");
    let texts: Vec<serde_json::Value> =
        written.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect();
    assert_eq!(texts.len(), 2, "{written}");
    assert_eq!((&texts[0]["id"], &texts[0]["text"]), (&"0".into(), &format!("{SHIP}\n").into()));
    assert_eq!(texts[1]["text"], BAKER);
    let packed = folder.output_of("clean a.parquet -o - --output-format jsonl --drop-empty --compress gzip");
    assert_eq!(unpacked("gz", &packed).map(String::from_utf8), Some(Ok(written)));
}

#[test]
fn files_of_one_stream_do_not_share_a_line() {
    let folder = Folder::new()
        .with("a.jsonl", "{\"text\":\"one\"}")
        .with("b.csv", "id,text\n1,x\n")
        .with("c.jsonl", "{\"text\":\"\"}");
    let one = folder.run("clean a.jsonl b.csv c.jsonl -o - --output-format jsonl");
    one.says("{\"text\":\"one\"}\n{\"id\":\"1\",\"text\":\"x\"}\n{\"text\":\"\"}");
    folder.run("clean a.jsonl c.jsonl -o -").says("{\"text\":\"one\"}\n{\"text\":\"\"}");
    folder.run("clean a.jsonl -o -").says("{\"text\":\"one\"}");
}
