//! Inputs that are small, strange, or not there.

use super::support::{BAKER, Folder, SHIP};

#[test]
fn an_empty_folder_is_cleaned() {
    let folder = Folder::new().with_folder("in/deep").with_folder("in/deeper/still");
    let summary = "cleaned 0 files, 0 documents: 0 of 0 bytes of text removed (0.0 %), 0 blocks by rules, 0 repeats, \
                   0 of copies; _ s";
    folder.run("clean in -o out --journal journal --report report").ends(0, &[summary]).says("");
    assert!(folder.path("out").is_dir());
    assert_eq!(folder.files("out"), [""; 0]);
    assert_eq!(folder.json("report")["totals"]["files"], 0);
    folder.run("restore out --journal journal -o back").ends(0, &["restored 0 files, put 0 cuts back"]);
    folder.run("clean in -n").ends_with(0).says("       bytes   blocks  what would go\n");
}

#[test]
fn small_and_strange_files_come_through_as_they_are() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let folder = Folder::new()
        .with("in/nothing.txt", "")
        .with("in/one.txt", "x")
        .with("in/newline.txt", "\n")
        .with("in/nul.txt", "\0")
        .with("in/bytes.txt", every_byte)
        .with("in/blank.txt", " \n\t\n\r\n\u{a0}\n")
        .with("in/mark.txt", "\u{feff}A text that begins with a mark.\n")
        .with("in/long.txt", "word ".repeat(50_000))
        .with("in/nothing.jsonl", "")
        .with("in/blank.jsonl", "\n \n\r\n")
        .with("in/mark.jsonl", "\u{feff}{\"text\":\"A record that begins with a mark.\"}\n")
        .with("in/object.jsonl", "{\"text\":\"\"}");
    folder.run("clean in -o out --journal journal").ends_with(0);
    assert_eq!(folder.tree("out"), folder.tree("in"));
    folder.run("restore out --journal journal -o back").ends(0, &["restored 12 files, put 0 cuts back"]);
    assert_eq!(folder.tree("back"), folder.tree("in"));
    for name in folder.files("in") {
        let bytes = folder.bytes(&format!("in/{name}"));
        if std::str::from_utf8(&bytes).is_err() {
            continue;
        }
        let format = if name.ends_with(".jsonl") { "jsonl" } else { "text" };
        let ran = folder.run_on(&bytes, &format!("clean - --format {format}"));
        ran.ends_with(0);
        assert_eq!(ran.stdout.as_bytes(), bytes, "{name}");
    }
}

#[test]
fn chrome_goes_from_between_bytes_that_are_no_text() {
    let folder = Folder::new().with("in.txt", b"\xff\xfd\0 bytes\nSkip to content\r\nmore \x80 bytes\r\n");
    folder.run("clean in.txt -o out.txt").ends_with(0);
    assert_eq!(folder.bytes("out.txt"), b"\xff\xfd\0 bytes\nmore \x80 bytes\r\n");
    folder
        .run("explain in.txt --level rules")
        .ends(0, &[])
        .says("     1   \u{fffd}\u{fffd}\u{fffd} bytes\n     2 - Skip to content  [rule web-en/skip-link]\n     3   more \u{fffd} bytes\n");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_come_through() {
    let folder = Folder::new()
        .with("in/a.txt", format!("{SHIP}\n"))
        .with("in/c.txt", format!("{SHIP}\n{BAKER}\n"))
        .with_link("in/b.txt", "nowhere");
    let ran = folder.run("clean in -o out --journal journal --report report");
    ran.ends_with(1).says("");
    let (error, summary) = ran.stderr.split_once('\n').expect("an error and a summary are told");
    assert!(error.starts_with("error: in/b.txt: reading failed: ") && error.ends_with("; check the path"), "{error}");
    assert!(error.contains("No such file or directory"), "{error}");
    assert_eq!(
        summary,
        "cleaned 2 files, 2 documents: 103 of 304 bytes of text removed (33.9 %), 0 blocks by rules, 1 repeat, \
         0 of copies; 1 file failed; _ s\n"
    );
    assert_eq!(folder.files("out"), ["a.txt", "c.txt"]);
    assert_eq!(folder.read("out/c.txt"), format!("{BAKER}\n"));
    let failed = error.strip_prefix("error: ");
    assert_eq!(folder.json("report")["failed_files"][0].as_str(), failed);
    let files: Vec<_> =
        folder.journal("journal").iter().filter_map(|line| line["file"].as_str().map(str::to_owned)).collect();
    assert_eq!(files, ["a.txt", "c.txt"]);
    // A file that is named must be there.
    folder.run("clean in/b.txt -o b.txt").ends(2, &["error: in/b.txt: no such file or folder; check the path"]);
}

#[test]
fn a_loop_of_links_is_named_and_the_files_come_through() {
    let folder = Folder::new().with("in/sub/a.txt", SHIP).with_link("in/sub/up", "../../in");
    let ran = folder.run("clean in -o out");
    ran.ends_with(1);
    assert!(ran.stderr.starts_with("error: in/sub/up: reading failed: File system loop found: "), "{}", ran.stderr);
    assert_eq!(folder.files("out"), ["sub/a.txt"]);
}

#[test]
fn links_to_files_and_folders_are_followed() {
    let folder = Folder::new()
        .with("elsewhere/a.txt", format!("Skip to content\n{SHIP}\n"))
        .with("one.txt", format!("Skip to content\n{BAKER}\n"))
        .with_folder("in")
        .with_link("in/folder", "../elsewhere")
        .with_link("in/file.txt", "../one.txt");
    folder.run("clean in -o out").ends_with(0);
    assert_eq!(folder.files("out"), ["file.txt", "folder/a.txt"]);
    assert_eq!(folder.read("out/folder/a.txt"), format!("{SHIP}\n"));
    assert!(!folder.path("out/file.txt").is_symlink());
    assert_eq!(folder.read("one.txt"), format!("Skip to content\n{BAKER}\n"));
}

#[test]
fn a_name_that_is_no_utf8_is_cleaned_but_not_journalled() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new().with_folder("in");
    let name = std::ffi::OsStr::from_bytes(b"in/caf\xe9.txt");
    std::fs::write(folder.path(".").join(name), format!("Skip to content\n{SHIP}\n")).expect("the file can be written");
    folder.run("clean in -o out").ends_with(0);
    let cleaned = std::fs::read(folder.path("out").join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")));
    assert_eq!(cleaned.expect("the output is there"), format!("{SHIP}\n").as_bytes());
    let error = "error: in/caf\u{fffd}.txt: the name is not UTF-8, which a journal needs; rename it";
    folder.run("clean in -o again --journal journal").ends(2, &[error]);
    assert!(!folder.exists("again") && !folder.exists("journal"));
}

#[test]
fn no_unfinished_file_is_left_behind() {
    let folder = Folder::new().with("in.jsonl", "{\"text\":\"a\"}\nbad\n").with("file", "here");
    folder.run("clean in.jsonl -o out.jsonl --on-bad-record stop --report report").ends_with(3);
    let ran = folder.run("clean in.jsonl -o file/out.jsonl");
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.starts_with("error: file/out.jsonl: writing failed: "), "{}", ran.stderr);
    assert_eq!(folder.files("."), ["file", "in.jsonl"]);
}
