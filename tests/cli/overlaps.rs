//! Nothing is read from where it is written, and nothing that exists is replaced unasked.

use super::support::{BAKER, Folder, SHIP};

#[test]
fn input_and_output_never_overlap() {
    let page = format!("Skip to content\n{SHIP}\n");
    let folder = Folder::new()
        .with("in/sub/a.txt", &page)
        .with_folder("elsewhere")
        .with_link("to-a", "in/sub/a.txt")
        .with_link("to-in", "in");
    let before = folder.tree(".");
    for (arguments, overlap) in [
        ("clean in -o in", "in and its output in overlap"),
        ("clean in -o in/out", "in and its output in/out overlap"),
        ("clean in -o in/sub/deep/out", "in and its output in/sub/deep/out overlap"),
        ("clean in/sub -o in", "in/sub and its output in overlap"),
        ("clean in -o .", "in and its output . overlap"),
        ("clean in/sub/a.txt -o in/sub/a.txt", "in/sub/a.txt and its output in/sub/a.txt overlap"),
        ("clean in/sub/a.txt -o in/sub", "in/sub/a.txt and its output in/sub/a.txt overlap"),
        ("clean in/sub/a.txt -o in/sub/", "in/sub/a.txt and its output in/sub/a.txt overlap"),
        ("clean in/sub/a.txt -o in/../in/sub/a.txt", "in/sub/a.txt and its output in/../in/sub/a.txt overlap"),
        ("clean in/sub/a.txt -o to-a", "in/sub/a.txt and its output to-a overlap"),
        ("clean to-a -o in/sub/a.txt", "to-a and its output in/sub/a.txt overlap"),
        ("clean in -o to-in", "in and its output to-in overlap"),
        ("clean in -o to-in/out", "in and its output to-in/out overlap"),
        ("clean to-in -o in/out", "to-in and its output in/out overlap"),
        ("clean in elsewhere -o .", "in and its output ./in overlap"),
        ("clean in elsewhere -o elsewhere", "elsewhere and its output elsewhere/elsewhere overlap"),
    ] {
        let error = format!("error: {overlap}; choose an output elsewhere");
        folder.run(arguments).ends(2, &[&error]);
        folder.run(&format!("{arguments} --force")).ends(2, &[&error]);
    }
    assert_eq!(folder.tree("."), before);
}

#[test]
fn an_output_that_links_to_its_input_is_refused() {
    let folder = Folder::new().with("in/a.txt", SHIP).with_folder("out").with_link("out/a.txt", "../in/a.txt");
    folder.run("clean in -o out --force").ends(2, &["error: out/a.txt: the output is an input; choose another output"]);
    assert_eq!(folder.read("in/a.txt"), SHIP);
}

/// One input stands where the output of another goes.
#[test]
fn an_input_is_not_replaced_by_the_output_of_another() {
    let folder = Folder::new().with("a/deep/f.txt", SHIP).with("out/a/deep/f.txt", BAKER);
    let error = "error: out/a/deep/f.txt: the output is an input; choose another output";
    folder.run("clean a out/a/deep -o out --force").ends(2, &[error]);
    assert_eq!(folder.read("out/a/deep/f.txt"), BAKER);

    let folder = Folder::new().with("in/a.txt", SHIP).with("out/a.txt", BAKER).with_link("in/b.txt", "../out/a.txt");
    let error = "error: out/a.txt: the output is an input; choose another output";
    folder.run("clean in -o out --force").ends(2, &[error]);
    assert_eq!(folder.read("out/a.txt"), BAKER);
}

#[test]
fn an_output_that_exists_is_replaced_only_by_force() {
    let page = format!("Skip to content\n{SHIP}\n");
    let folder = Folder::new()
        .with("in/a.txt", &page)
        .with("old.txt", "an old file")
        .with("old/a.txt", "an old file")
        .with("old/b.txt", "another")
        .with_folder("empty");
    for (arguments, output) in
        [("clean in/a.txt -o old.txt", "old.txt"), ("clean in/a.txt -o old", "old/a.txt"), ("clean in -o old", "old")]
    {
        let error = format!("error: {output}: the output exists; choose another, or replace it with --force");
        folder.run(arguments).ends(2, &[&error]);
    }
    folder
        .run_on(&page, "clean - -o old.txt")
        .ends(2, &["error: old.txt: exists; choose another, or replace it with --force"]);
    assert_eq!((folder.read("old.txt"), folder.read("old/a.txt")), ("an old file".into(), "an old file".into()));

    folder.run("clean in/a.txt -o old.txt --force").ends_with(0);
    assert_eq!(folder.read("old.txt"), format!("{SHIP}\n"));
    folder.run("clean in -o old --force").ends_with(0);
    assert_eq!(folder.read("old/a.txt"), format!("{SHIP}\n"));
    assert_eq!(folder.read("old/b.txt"), "another");
    folder.run_on("Only this.\n", "clean - -o old.txt --force").ends_with(0);
    assert_eq!(folder.read("old.txt"), "Only this.\n");
    // A folder with nothing in it is in nobody's way.
    folder.run("clean in -o empty").ends_with(0);
    assert_eq!(folder.files("empty"), ["a.txt"]);
}

#[test]
fn journal_and_report_are_not_written_over_anything() {
    let folder = Folder::new().with("in/a.txt", SHIP).with("old.jsonl", "an old journal");
    for (arguments, error) in [
        ("--journal old.jsonl", "old.jsonl: exists; choose another, or replace it with --force"),
        ("--report old.jsonl", "old.jsonl: exists; choose another, or replace it with --force"),
        ("--journal in/a.txt --force", "in/a.txt: is an input or an output too; choose another file"),
        ("--report in/a.txt --force", "in/a.txt: is an input or an output too; choose another file"),
        (
            "--journal in/new/cuts.jsonl",
            "in/new/cuts.jsonl: is in the input folder in, and would be an input of the next run; choose a place outside of it",
        ),
        ("--journal new --report new", "journal and report are the same file; choose two"),
    ] {
        folder.run(&format!("clean in -o out {arguments}")).ends(2, &[&format!("error: {error}")]);
        assert_eq!(folder.files("."), ["in/a.txt", "old.jsonl"]);
    }
    assert_eq!((folder.read("in/a.txt"), folder.read("old.jsonl")), (SHIP.into(), "an old journal".into()));
    folder.run("clean in -o out --journal old.jsonl --force").ends_with(0);
    assert!(folder.read("old.jsonl").starts_with("{\"journal\":1,"));
}

#[test]
fn an_output_is_not_replaced_by_its_own_journal_or_report() {
    let folder = Folder::new().with("in/a.txt", SHIP);
    for (arguments, path) in [
        ("clean in/a.txt -o out --journal out", "out"),
        ("clean in/a.txt -o out --report out", "out"),
        ("clean in -o out --journal out/a.txt", "out/a.txt"),
        ("clean in -o out --report ./out/../out/a.txt", "./out/../out/a.txt"),
        ("clean - -o out --journal out", "out"),
        ("clean - -o out --report ./out", "./out"),
    ] {
        let error = format!("error: {path}: is an input or an output too; choose another file");
        for force in ["", "--force"] {
            folder.run_on(SHIP, &format!("{arguments} {force}")).ends(2, &[&error]).says("");
            assert_eq!(folder.files("."), ["in/a.txt"], "{arguments}");
        }
    }
}
