//! `dehusk learn`, and `clean` with what it learned.

use super::support::Folder;

/// Pages of a site, of which two lines are chrome.
fn pages(site: &str, numbers: std::ops::Range<usize>) -> String {
    let page = |number: usize| {
        let story =
            format!("Story {}\\nThe ship number {number} left at dawn.\\n", ["a", "b"].join(&"x".repeat(number)));
        format!("{{\"site\":\"{site}\",\"text\":\"Harbour Gazette »\\n{story}Page {number} of 99\\n\"}}\n")
    };
    numbers.map(page).collect()
}

const PACK: &str = r#"format = 1
name = "sites"
about = "What the pages of sites repeat, as dehusk learn found it. Delete what should stay"

[[site]]
site = "gazette.example"
learned = 3
documents = 12

[[site.template]]
line = "harbour gazette »"
sample = "Harbour Gazette »"
where = ["head"]
documents = 12
copies = 12

[[site.template]]
line = "page 0 of 0"
sample = "SAMPLE"
where = ["tail"]
documents = 12
copies = 12

[[site.template]]
line = "the ship number 0 left at dawn."
sample = "The ship number 7 left at dawn."
where = ["tail"]
documents = 12
copies = 12
"#;

#[test]
fn a_pack_tells_what_was_learned_and_cleans_what_comes() {
    let folder = Folder::new().with("in.jsonl", pages("gazette.example", 0..12) + &pages("other.example", 3..4));
    folder.run("learn in.jsonl -o sites.toml -v").ends(
        0,
        &["learned 3 templates of 1 site from 13 pages of 2 sites", "3 templates from 12 pages  gazette.example"],
    );
    let pack = folder.read("sites.toml");
    let without_samples = |pack: &str| -> Vec<String> {
        pack.lines().filter(|line| !line.starts_with("sample = ")).map(str::to_owned).collect()
    };
    assert_eq!(without_samples(&pack), without_samples(PACK));
    assert!(pack.contains("sample = \"Harbour Gazette »\"") && pack.contains("sample = \"Page "), "{pack}");

    let page = "{\"site\":\"gazette.example\",\"text\":\"HARBOUR Gazette »\\nA new one\\nIt is told in full.\\nPage 7 of 8\"}\n";
    let left = "{\"site\":\"gazette.example\",\"text\":\"A new one\\nIt is told in full.\\n\"}\n";
    folder.run_on(page, "clean - --format jsonl --no-default-packs --pack sites.toml -q").ends(0, &[]).says(left);
    folder
        .run_on(page, "clean - --format jsonl --no-default-packs --pack sites.toml -q --level rules")
        .ends(0, &[])
        .says(page);
    folder
        .run_on(page.replace("gazette.", "other."), "clean - --format jsonl --no-default-packs --pack sites.toml -q")
        .ends(0, &[])
        .says(&page.replace("gazette.", "other."));
    folder.run("packs test sites.toml").ends(0, &[]).says("sites.toml: 0 of 0 examples hold\n");

    // What a reviewer deletes stays.
    let reviewed = pack.replacen("line = \"page 0 of 0\"", "line = \"something else\"", 1);
    let folder = folder.with("reviewed.toml", reviewed);
    let left = "{\"site\":\"gazette.example\",\"text\":\"A new one\\nIt is told in full.\\nPage 7 of 8\"}\n";
    folder.run_on(page, "clean - --format jsonl --no-default-packs --pack reviewed.toml -q").ends(0, &[]).says(left);
}

#[test]
fn a_run_says_what_templates_removed() {
    let folder = Folder::new().with("in.jsonl", pages("gazette.example", 0..12));
    folder.run("clean in.jsonl -o out.jsonl --journal journal.jsonl --report report.json --scope off -q --max-removed-run 1 --no-default-packs").ends(0, &[]);
    assert_eq!(folder.json("report.json")["removed"]["templates"]["blocks"], 36);
    let cut = folder.journal("journal.jsonl").into_iter().find(|line| line["reason"] == "template").expect("a cut");
    assert_eq!((cut["pages"].as_u64(), cut["of"].as_u64()), (Some(12), Some(12)), "{cut}");
    let told = folder.run("explain in.jsonl --scope off").ends_with(0).stdout.clone();
    assert!(told.contains("Harbour Gazette »  [template: on 12 of 12 pages of the site]"), "{told}");
}

#[test]
fn facts_are_inputs_again() {
    let folder = Folder::new()
        .with("a.jsonl", pages("gazette.example", 0..5) + &pages("other.example", 0..2))
        .with("b.jsonl", pages("gazette.example", 4..12) + &pages("other.example", 2..9));
    folder.run("learn a.jsonl b.jsonl -o both.toml --facts both.facts -q").ends(0, &[]);
    folder.run("learn a.jsonl -o a.toml --facts a.facts -q").ends(0, &[]);
    folder.run("learn b.jsonl a.facts -o merged.toml --facts merged.facts -q -j 7").ends(0, &[]);
    folder
        .run("learn both.facts a.facts -o - -q")
        .ends(0, &[])
        .says(&folder.read("both.toml").replace("\"both\"", "\"learned\""));
    assert_eq!(folder.read("merged.toml").replace("\"merged\"", "\"both\""), folder.read("both.toml"));
    assert_eq!(folder.read("merged.facts"), folder.read("both.facts"));
    assert_ne!(folder.read("a.toml").replace("\"a\"", "\"both\""), folder.read("both.toml"));
}

#[test]
fn damaged_facts_are_refused() {
    let folder = Folder::new().with("in.jsonl", pages("gazette.example", 0..3));
    folder.run("learn in.jsonl -o site.toml --facts site.facts -q").ends(0, &[]);
    let facts = folder.read("site.facts");
    let cut = facts.lines().take(3).collect::<Vec<_>>().join("\n") + "\n";
    let changed = facts.replacen("harbour", "harvest", 1);
    let newer = "{\"dehusk-facts\":2,\"learned\":2,\"unit\":\"line\"}\n";
    let newer = format!("{newer}{{\"blake3\":\"{}\"}}\n", blake3_of(newer));
    let folder = folder.with("cut.facts", cut).with("changed.facts", changed).with("newer.facts", newer);
    let remedy = "make the file again with dehusk learn --facts";
    let damaged = format!("error: cut.facts:1: the file of facts is cut off or was changed; {remedy}");
    folder.run("learn cut.facts -o x.toml").ends(3, &[&damaged]);
    folder.run("learn changed.facts -o x.toml").ends(3, &[&damaged.replace("cut.facts", "changed.facts")]);
    let newer = "facts of format 2 and learned version 2; this version reads 1 and 3";
    folder.run("learn newer.facts -o x.toml").ends(3, &[&format!("error: newer.facts:1: {newer}; {remedy}")]);
    let unit = "facts of another unit, line or paragraph, than asked for; give the same --unit";
    folder.run("learn site.facts -o x.toml --unit paragraph").ends(2, &[&format!("error: site.facts: {unit}")]);
    assert!(!folder.exists("x.toml"));
}

fn blake3_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

#[test]
fn what_cannot_be_learned_is_said() {
    let folder = Folder::new()
        .with("in.jsonl", pages("gazette.example", 0..3))
        .with("none.jsonl", "{\"text\":\"Home\"}\n")
        .with("bad.jsonl", pages("gazette.example", 0..3) + "{\n")
        .with("there.toml", "");
    for (arguments, code, said) in [
        ("learn in.jsonl", 2, "error: no output; say where the pack goes with -o, or - for standard output"),
        ("learn - -o x.toml", 2, "error: learn reads files only; save the input to a file, and name that"),
        ("learn nowhere -o x.toml", 2, "error: nowhere: no such file or folder; check the path"),
        (
            "learn none.jsonl -o x.toml",
            2,
            "error: no document has a site, so that nothing can be learned; \
             name the field that has one with --url-field or --site-field",
        ),
        ("learn in.jsonl -o there.toml", 2, "error: there.toml: exists; choose another, or replace it with --force"),
        ("learn in.jsonl -o in.jsonl --force", 2, "error: in.jsonl: is an input too; choose another file"),
        ("learn in.jsonl -o x.toml --facts x.toml", 2, "error: pack and facts are the same file; choose two"),
        (
            "learn bad.jsonl -o x.toml --on-bad-record stop",
            3,
            "error: bad.jsonl:4: not valid JSON at byte 1: EOF while parsing an object; mend or remove the line; \
             nothing was written, as --on-bad-record says",
        ),
        (
            "learn bad.jsonl -o x.toml -q",
            1,
            "warning: 1 bad record, the first: bad.jsonl:4: not valid JSON at byte 1: EOF while parsing an object; \
             mend or remove the line",
        ),
        (
            "learn in.jsonl none.jsonl -n",
            0,
            "learned 1 template of 1 site from 3 pages of 1 site; 1 document without a site",
        ),
    ] {
        folder.run(arguments).ends(code, &[said]);
    }
    assert_eq!(folder.files("."), ["bad.jsonl", "in.jsonl", "none.jsonl", "there.toml", "x.toml"]);
}

#[test]
fn packs_of_sites_that_cannot_be_are_refused() {
    let site = |keys: &str| {
        format!(
            "format = 1\nname = \"s\"\nabout = \"a\"\n\n[[site]]\nsite = \"a.example\"\nlearned = 3\ndocuments = 9\n\
             [[site.template]]\nline = \"home\"\nsample = \"Home\"\nwhere = [\"head\"]\ndocuments = 9\ncopies = 9\n{keys}"
        )
    };
    let again =
        "[[site.template]]\nline = \"Home\"\nsample = \"Home\"\nwhere = [\"head\"]\ndocuments = 9\ncopies = 9\n";
    for (pack, said) in [
        (
            site("").replace("learned = 3", "learned = 1"),
            "learned version 1 is not known; this version reads 3, so learn it again",
        ),
        (site("").replace("\"home\"", "\" \""), "line \" \": it folds to nothing; delete it"),
        (site(again), "line \"Home\": it stands twice; delete one"),
        (
            site("").replace("[\"head\"]", "[]"),
            "line \"home\": \"where\" is empty; give head, tail or mid, or delete it",
        ),
        (
            site("").replace("copies = 9", "copies = 8"),
            "line \"home\": its counts cannot be; copies are at least documents, and those at most the site's",
        ),
    ] {
        let folder = Folder::new().with("s.toml", pack).with("in.txt", "a\n");
        let said = format!("error: s.toml:5: site \"a.example\": {said}");
        folder.run("clean in.txt -o out.txt --pack s.toml").ends(2, &[&said]);
    }
    let folder = Folder::new().with("s.toml", site("near = 1\n")).with("in.txt", "a\n");
    folder.run("clean in.txt -o out.txt --pack s.toml").ends_with(2);
    assert!(!folder.exists("out.txt"));
}
