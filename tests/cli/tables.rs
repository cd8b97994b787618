//! CSV and TSV: one column is cleaned, in its own spelling.

use super::support::{BAKER, Folder, PACKED, SHIP, packed, unpacked};

#[test]
fn the_column_is_cleaned_and_all_else_stays() {
    let scraped = format!(
        "\u{feff}id,\"text\",note\r\n1,\"Skip to content\n{SHIP}\n\"\"Yes.\"\"\n\",\"a,\"\"b\"\"\"\r\n\r\n2,Skip to content,x\r\n3,\"{BAKER}\n{SHIP}\",\r\n"
    );
    let cleaned = format!(
        "\u{feff}id,\"text\",note\r\n1,\"{SHIP}\n\"\"Yes.\"\"\n\",\"a,\"\"b\"\"\"\r\n\r\n2,,x\r\n3,\"{BAKER}\n\",\r\n"
    );
    let folder = Folder::new().with("in/a.csv", &scraped).with("in/b.csv", "");
    folder.run("clean in -o out --journal journal").ends_with(0);
    assert_eq!(folder.read("out/a.csv"), cleaned);
    assert_eq!(folder.read("out/b.csv"), "");
    assert_eq!(folder.journal("journal")[2]["id"], "1");
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.tree("back"), folder.tree("in"));
    folder.run_on(&scraped, "clean - --format csv").ends_with(0).says(&cleaned);
    for extension in PACKED {
        let folder = Folder::new().with(&format!("a.csv.{extension}"), packed(extension, &scraped));
        folder.run(&format!("clean a.csv.{extension} -o out")).ends_with(0);
        assert_eq!(unpacked(extension, &folder.bytes("out")), Some(cleaned.clone().into_bytes()));
    }
}

#[test]
fn a_table_may_have_other_delimiters_and_names() {
    let table =
        |delimiter: &str| format!("url{delimiter}body\nhttps://a.example/{delimiter}\"Skip to content\n{SHIP}\"\n");
    let cleaned = |delimiter: &str| format!("url{delimiter}body\nhttps://a.example/{delimiter}\"{SHIP}\"\n");
    for (name, delimiter) in [("a.csv", ","), ("a.csv", ";"), ("a.csv", "|"), ("a.tsv", "\t"), ("a.csv", "\t")] {
        let folder = Folder::new().with(name, table(delimiter));
        folder.run(&format!("clean {name} -o out --text-field body")).ends_with(0);
        assert_eq!(folder.read("out"), cleaned(delimiter), "{delimiter:?}");
    }
    let folder = Folder::new().with("in/a.csv", table(",")).with("in/b.txt", "Text.\n");
    let ran = folder.run("clean in -o out");
    ran.ends_with(1);
    let error = "in/a.csv: no column \"text\" among \"url\", \"body\"; name the column with the text with --text-field";
    assert!(ran.stderr.contains(error), "{}", ran.stderr);
    assert_eq!(folder.files("out"), ["b.txt"]);
}

#[test]
fn bad_rows_are_told_and_stay() {
    let table = format!("id,text\n1\n2,\"a\" b\n3,\"Skip to content\n{SHIP}\"\n4,\"open\n");
    let folder = Folder::new().with("a.csv", &table);
    let ran = folder.run("clean a.csv -o out");
    ran.ends_with(1);
    for error in [
        "a.csv:2: 1 fields where the first row has 2; mend the row",
        "a.csv:3: the quotes of field 2 do not end as they should; mend the row",
        "a.csv:5: the quotes of field 2 do not end as they should; mend the row",
    ] {
        assert!(ran.stderr.contains(error), "{error} / {}", ran.stderr);
    }
    assert_eq!(folder.read("out"), table.replace("Skip to content\n", ""));
}

#[test]
fn long_tables_are_worked_on_in_parts() {
    let row =
        |number: u32| format!("{number},\"Page {number} of the \"\"log\"\"\nSkip to content\n{SHIP} {number}\"\n");
    let rows: String = (0..60_000).map(row).collect();
    let table = format!("id,text\n{rows}");
    let folder = Folder::new().with("a.csv", &table);
    for threads in [1, 2, 7] {
        folder.run(&format!("clean a.csv -o out{threads} -j {threads} --journal journal{threads}")).ends_with(0);
        assert_eq!(folder.bytes(&format!("out{threads}")), folder.bytes("out1"));
        assert_eq!(folder.bytes(&format!("journal{threads}")), folder.bytes("journal1"));
    }
    assert_eq!(folder.read("out1"), table.replace("Skip to content\n", ""));
    folder.run("restore out1 --journal journal1 -o back").ends_with(0);
    assert_eq!(folder.read("back"), table);
}
