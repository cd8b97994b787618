//! Inputs are paired with outputs: files with files, folders with folders, several inputs with entries of a folder.

use super::support::{BAKER, Folder, SHIP};

/// A chapter with a line that goes, and what stays of it.
fn chapter(text: &str) -> (String, String) {
    (format!("Skip to content\n{text}\n"), format!("{text}\n"))
}

fn told(files: &str, rest: &str) -> String {
    format!("cleaned {files}: {rest}; _ s")
}

#[test]
fn a_file_becomes_a_file() {
    let (page, cleaned) = chapter(SHIP);
    let folder = Folder::new().with("page.txt", &page);
    let summary = told(
        "1 file, 1 document",
        "16 of 119 bytes of text removed (13.4 %), 1 block by rules, 0 repeats, 0 of copies",
    );
    folder.run("clean page.txt -o new.txt").ends(0, &[&summary]).says("");
    assert_eq!(folder.read("new.txt"), cleaned);
    assert_eq!(folder.read("page.txt"), page);
    folder.run("clean page.txt --output a/b/new.txt").ends_with(0);
    assert_eq!(folder.read("a/b/new.txt"), cleaned);
    assert_eq!(folder.files("."), ["a/b/new.txt", "new.txt", "page.txt"]);
}

#[test]
fn a_file_goes_into_a_folder_under_its_own_name() {
    let (page, cleaned) = chapter(SHIP);
    let folder = Folder::new().with("pages/page.txt", &page).with_folder("there");
    folder.run("clean pages/page.txt -o there").ends_with(0);
    assert_eq!(folder.read("there/page.txt"), cleaned);
    folder.run("clean pages/page.txt -o new/").ends_with(0);
    assert_eq!(folder.read("new/page.txt"), cleaned);
    folder.run("clean pages/page.txt -o new/deep/").ends_with(0);
    assert_eq!(folder.files("new"), ["deep/page.txt", "page.txt"]);
}

#[test]
fn a_folder_becomes_a_folder_with_the_same_paths() {
    let ((ship, cleaned_ship), (baker, cleaned_baker)) = (chapter(SHIP), chapter(BAKER));
    let folder = Folder::new()
        .with("in/z.txt", &ship)
        .with("in/a/b/c.text", &baker)
        .with("in/a/records.jsonl", "{\"text\":\"A short one.\"}\n")
        .with("in/a/more.ndjson", "{\"text\":\"Another short one.\"}\n")
        .with("in/picture.png", "\x01")
        .with("in/notes", "Notes without a name that says what they are.\n");
    let summary = told(
        "4 files, 4 documents",
        "32 of 263 bytes of text removed (12.2 %), 2 blocks by rules, 0 repeats, 0 of copies; \
         2 files passed over, of no known format by name (--format takes any)",
    );
    folder.run("clean in -o out").ends(0, &[&summary]);
    assert_eq!(folder.files("out"), ["a/b/c.text", "a/more.ndjson", "a/records.jsonl", "z.txt"]);
    assert_eq!(folder.read("out/z.txt"), cleaned_ship);
    assert_eq!(folder.read("out/a/b/c.text"), cleaned_baker);
    assert_eq!(folder.read("out/a/records.jsonl"), "{\"text\":\"A short one.\"}\n");

    folder.run("clean in/ -o everything --format text").ends_with(0);
    assert_eq!(folder.files("everything"), folder.files("in"));
    assert_eq!(folder.read("everything/notes"), folder.read("in/notes"));
}

#[test]
fn the_first_copy_is_the_first_by_path() {
    let folder = Folder::new()
        .with("in/b.txt", format!("{SHIP}\nThe second one.\n"))
        .with("in/a/z.txt", format!("{SHIP}\nThe first one.\n"))
        .with("in/c.txt", format!("{SHIP}\nThe third one.\n"));
    folder.run("clean in -o out").ends_with(0);
    assert_eq!(folder.read("out/a/z.txt"), format!("{SHIP}\nThe first one.\n"));
    assert_eq!(folder.read("out/b.txt"), "The second one.\n");
    assert_eq!(folder.read("out/c.txt"), "The third one.\n");
    // With inputs named one by one, the order is theirs.
    folder.run("clean in/c.txt in/b.txt -o named").ends_with(0);
    assert_eq!(folder.read("named/c.txt"), format!("{SHIP}\nThe third one.\n"));
    assert_eq!(folder.read("named/b.txt"), "The second one.\n");
}

#[test]
fn several_inputs_become_entries_of_a_folder() {
    let ((ship, cleaned_ship), (baker, cleaned_baker)) = (chapter(SHIP), chapter(BAKER));
    let folder = Folder::new().with("x/news/one.txt", &ship).with("y/two.txt", &baker);
    folder.run("clean x/news y/two.txt -o out").ends_with(0);
    assert_eq!(folder.files("out"), ["news/one.txt", "two.txt"]);
    assert_eq!(folder.read("out/news/one.txt"), cleaned_ship);
    assert_eq!(folder.read("out/two.txt"), cleaned_baker);
    folder.run("clean x/news/ y/two.txt -o again/").ends_with(0);
    assert_eq!(folder.files("again"), ["news/one.txt", "two.txt"]);

    let folder = folder.with("file.txt", "here");
    folder
        .run("clean x/news y/two.txt -o file.txt")
        .ends(2, &["error: file.txt is a file, but the output must be a folder here; choose another"]);
    folder
        .run("clean x/news -o file.txt")
        .ends(2, &["error: file.txt is a file, but the input is a folder; choose a folder as output"]);
    assert_eq!(folder.read("file.txt"), "here");
}

#[test]
fn two_inputs_of_one_name_are_refused() {
    let folder = Folder::new().with("x/a.txt", SHIP).with("y/a.txt", BAKER).with("z/a.txt/b.txt", SHIP);
    let remedy = "rename one, or clean them one by one";
    for (inputs, clash, remedy) in [
        ("x/a.txt y/a.txt", "x/a.txt and y/a.txt would both be written to out/a.txt", remedy),
        ("x/a.txt z/a.txt", "x/a.txt and z/a.txt would both be written to out/a.txt", remedy),
        ("x x", "x and x would both be written to out/x", "they are one; name it once"),
    ] {
        let error = format!("error: {clash}; {remedy}");
        folder.run(&format!("clean {inputs} -o out")).ends(2, &[&error]);
        folder.run(&format!("clean {inputs} -o out --force")).ends(2, &[&error]);
    }
    assert!(!folder.exists("out"));
}

#[test]
fn a_dash_means_a_stream() {
    let (page, cleaned) = chapter(SHIP);
    let folder = Folder::new().with("in/a.txt", &page).with("in/b.txt", format!("{SHIP}\nMore.\n"));
    let summary = told(
        "1 file, 1 document",
        "16 of 119 bytes of text removed (13.4 %), 1 block by rules, 0 repeats, 0 of copies",
    );
    for arguments in ["clean - -o -", "clean -"] {
        folder.run_on(&page, arguments).ends(0, &[&summary]).says(&cleaned);
    }
    folder.run_on(&page, "clean - -o new/page.txt").ends(0, &[&summary]).says("");
    assert_eq!(folder.read("new/page.txt"), cleaned);
    folder.run("clean in -o -").ends_with(0).says(&format!("{cleaned}More.\n"));
    folder.run("clean in/a.txt -o -").ends_with(0).says(&cleaned);
    assert_eq!(folder.files("."), ["in/a.txt", "in/b.txt", "new/page.txt"]);

    // A folder is one that is there, and one that is to be.
    for output in ["in", "new", "none/"] {
        let error = format!("error: {output}: is a folder, but a stream has no name; name a file");
        folder.run_on(&page, &format!("clean - -o {output}")).ends(2, &[&error]);
        assert_eq!(folder.files("."), ["in/a.txt", "in/b.txt", "new/page.txt"]);
    }
    folder
        .run_on(&page, "clean - in -o out")
        .ends(2, &["error: standard input goes with no other input; clean them one by one"]);
    assert!(!folder.exists("out"));
}

#[test]
fn an_output_must_be_named_for_files() {
    let folder = Folder::new().with("in/a.txt", SHIP);
    let remedy = "error: no output; say where the cleaned text goes with -o, or see what would go with --dry-run";
    folder.run("clean in").ends(2, &[remedy]);
    folder.run("clean in/a.txt").ends(2, &[remedy]);
    folder.run("clean nothing -o out").ends(2, &["error: nothing: no such file or folder; check the path"]);
    folder.run("clean in nothing -o out").ends(2, &["error: nothing: no such file or folder; check the path"]);
    assert_eq!(folder.files("."), ["in/a.txt"]);
}

#[test]
fn a_run_that_is_refused_or_stopped_makes_no_folder() {
    let folder = Folder::new().with("in/a.txt", format!("Skip to content\n{SHIP}\n")).with("journal", "");
    folder.run("clean in -o out --max-removed-run 0.01 --on-limit stop").ends_with(3);
    assert!(!folder.exists("out"));
    folder.run("clean in -o out --journal journal").ends_with(2);
    assert!(!folder.exists("out"));
}

#[test]
fn what_is_no_file_is_not_replaced() {
    let folder = Folder::new().with("in/a.txt", SHIP);
    folder.shell("mkfifo pipe").ends_with(0);
    let told = |path: &str| format!("error: {path}: is no file that can be replaced; choose another, or write to -");
    for path in ["pipe", "/dev/null"] {
        for arguments in ["in/a.txt -o PATH --force", "in/a.txt -o PATH", "in -o out --report PATH --force"] {
            let arguments = arguments.replace("PATH", path);
            folder.run(&format!("clean {arguments}")).ends(2, &[&told(path)]);
        }
        folder.run_on(SHIP, &format!("clean - -o {path} --force")).ends(2, &[&told(path)]);
    }
    assert!(!std::fs::metadata("/dev/null").expect("it is there").is_file());
}

#[test]
fn what_an_earlier_run_wrote_goes_where_this_one_drops_it() {
    let folder = Folder::new().with("in/a.txt", SHIP).with("in/b.txt", format!("{SHIP}\n"));
    folder.run("clean in -o out -q --scope off").ends(0, &[]);
    assert_eq!(folder.files("out"), ["a.txt", "b.txt"]);
    folder.run("clean in -o out -q --force --drop-empty --journal journal").ends(0, &[]);
    assert_eq!(folder.files("out"), ["a.txt"]);
    folder.run("restore out --journal journal -o back -q").ends(0, &[]);
    assert_eq!(folder.tree("back"), folder.tree("in"));
}
