//! Running headers and footers, as the journal, the report and `dehusk explain` tell them.

use super::support::Folder;
use serde_json::Value;

/// Four pages with a footer above the form feed and a header below it.
fn memo() -> String {
    let page = |number: usize| {
        let blanks = "\n".repeat(22);
        format!("Ship {number} left.\n{blanks}Pell            [Page {number}]\n\x0c\nMemo 12      May 1990\n\n")
    };
    (1..=4).map(page).collect::<String>() + "The end.\n"
}

#[test]
fn headers_and_footers_go_and_come_back() {
    let folder = Folder::new().with("memo.txt", memo());
    let ran = folder.run("clean memo.txt -o out.txt --max-removed-run 1 --journal cuts --report report.json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(folder.read("out.txt"), "Ship 1 left.\n\nShip 2 left.\n\nShip 3 left.\n\nShip 4 left.\n\nThe end.\n");
    let journal = folder.journal("cuts");
    let running: Vec<&Value> = journal.iter().filter(|line| line["reason"] == "running").collect();
    assert_eq!(running.len(), 8);
    assert!(running.iter().all(|line| line["pages"] == 4));
    assert_eq!(running[0]["text"], "Pell            [Page 1]\n");
    assert_eq!(folder.json("report.json")["removed"]["running"]["blocks"], 8);
    assert_eq!(folder.run("restore out.txt --journal cuts -o back.txt").code, 0);
    assert_eq!(folder.read("back.txt"), memo());
}

#[test]
fn they_are_explained_and_stay_where_only_rules_count() {
    let folder = Folder::new().with("memo.txt", memo());
    let told = folder.run("explain memo.txt").stdout;
    assert!(told.contains("- Pell            [Page 1]  [running header or footer: on 4 pages]\n"), "{told}");
    assert_eq!(folder.run("clean memo.txt -o out.txt --level rules").code, 0);
    assert_eq!(folder.read("out.txt"), memo());
}
