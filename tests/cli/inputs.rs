//! Inputs by pattern and from lists: what is found, what outputs are called, and what is refused.

use super::support::{BAKER, Folder, SHIP};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A crawl, in which each page has the same name.
fn crawl() -> Folder {
    Folder::new()
        .with("crawl/one/page.txt", format!("Skip to content\n{SHIP}\n"))
        .with("crawl/two/page.txt", format!("{BAKER}\n"))
        .with("crawl/two/deep/page.txt", format!("{SHIP}\nMore of it.\n"))
        .with("crawl/notes.md", "Some notes.\n")
        .with("other/page.txt", "Another page.\n")
}

const PAGES: [&str; 3] = ["one/page.txt", "two/deep/page.txt", "two/page.txt"];

#[test]
fn patterns_find_files_and_folders() {
    let folder = Folder::new()
        .with("in/a.txt", "a")
        .with("in/b1.txt", "b1")
        .with("in/b2.txt", "b2")
        .with("in/é.txt", "é")
        .with("in/.hidden.txt", "hidden")
        .with("in/.git/c.txt", "c")
        .with("in/sub/d.txt", "d")
        .with("in/sub/deep/e.txt", "e")
        .with("in/sub/.hidden/f.txt", "f")
        .with("in/table.md", "table")
        .with("in/[x].txt", "x");
    let all = ["[x].txt", "a.txt", "b1.txt", "b2.txt", "sub/d.txt", "sub/deep/e.txt", "é.txt"];
    for (pattern, found) in [
        ("in/a*", vec!["a.txt"]),
        ("in/b?.txt", vec!["b1.txt", "b2.txt"]),
        ("in/?.txt", vec!["a.txt", "é.txt"]),
        ("in/b[2-9].txt", vec!["b2.txt"]),
        ("in/b[!2-9].txt", vec!["b1.txt"]),
        ("in/[[]*.txt", vec!["[x].txt"]),
        ("in/.*.txt", vec![".hidden.txt"]),
        ("in/.g*/*", vec![".git/c.txt"]),
        // A folder comes with all that is in it, also under names that a wildcard does not stand for.
        ("in/s*", vec!["sub/.hidden/f.txt", "sub/d.txt", "sub/deep/e.txt"]),
        ("in/s*/", vec!["sub/.hidden/f.txt", "sub/d.txt", "sub/deep/e.txt"]),
        ("in/s*/*/", vec!["sub/deep/e.txt"]),
        ("in/*/*.txt", vec!["sub/d.txt"]),
        ("in/**/[d-f].txt", vec!["sub/d.txt", "sub/deep/e.txt"]),
        ("in/**/deep/*", vec!["sub/deep/e.txt"]),
        ("./in/../in/a*", vec!["a.txt"]),
        // What is there by that name is no pattern.
        ("in/[x].txt", vec!["[x].txt"]),
    ] {
        folder.run(&format!("clean {pattern} -o out/ --force")).ends_with(0);
        assert_eq!(folder.files("out"), found, "{pattern}");
        std::fs::remove_dir_all(folder.path("out")).expect("the output can be removed");
    }
    // No circle of links is gone round.
    let folder = folder.with_link("in/up", ".").with_link("in/itself", "itself").with_link("in/nothing", "nowhere");
    folder.run("clean in/**/*.txt -o out").ends_with(0);
    assert_eq!(folder.files("out"), all);
    // Two patterns, and a file by its name.
    folder.run("clean in/b* in/sub/**/e* in/a.txt -o more").ends_with(0);
    assert_eq!(folder.files("more"), ["a.txt", "b1.txt", "b2.txt", "sub/deep/e.txt"]);
}

#[test]
fn a_pattern_that_finds_nothing_is_refused() {
    let folder = crawl();
    for (pattern, error) in [
        ("crawl/*.txt", "as a pattern it matches nothing"),
        ("none/*.txt", "as a pattern it matches nothing"),
        ("crawl/notes.md/*", "as a pattern it matches nothing"),
        ("crawl/*.md/", "as a pattern it matches nothing"),
        ("crawl/[a", "no pattern: invalid range pattern"),
        ("crawl/a**", "no pattern: recursive wildcards must form a single path component"),
    ] {
        let error = format!("error: {pattern}: no such file or folder, and {error}; check the path");
        for command in ["clean -n", "clean -o out", "learn -n"] {
            folder.run(&format!("{command} {pattern}")).ends(2, &[&error]).says("");
            folder.run(&format!("{command} crawl {pattern}")).ends(2, &[&error]).says("");
        }
        folder.run(&format!("explain crawl/notes.md --among {pattern}")).ends(2, &[&error]).says("");
    }
    // A link to nothing is found, and told like one that is named.
    let folder = folder.with_link("crawl/gone.txt", "nowhere");
    folder.run("clean crawl/*.txt -o out").ends(2, &["error: crawl/gone.txt: no such file or folder; check the path"]);
    assert!(!folder.exists("out"));
}

#[test]
fn outputs_of_patterns_keep_the_paths_below_the_common_folder() {
    let folder = crawl();
    for (inputs, outputs) in [
        ("crawl/**/*.txt", PAGES.to_vec()),
        ("./crawl/**/*.txt", PAGES.to_vec()),
        ("other/../crawl/**/*.txt", PAGES.to_vec()),
        ("crawl/*", ["notes.md"].into_iter().chain(PAGES).collect()),
        // Where a file goes depends on the pattern, not on what else it finds.
        ("crawl/o*/page.txt", vec!["one/page.txt"]),
        ("crawl/one/*.txt", vec!["page.txt"]),
        ("crawl/one/*.txt crawl/two/*.txt", vec!["one/page.txt", "two/page.txt"]),
        ("crawl/one/*.txt crawl/two", PAGES.to_vec()),
        ("crawl/one/*.txt other/page.txt", vec!["crawl/one/page.txt", "other/page.txt"]),
        ("*/page.txt", vec!["other/page.txt"]),
    ] {
        folder.run(&format!("clean {inputs} -o out")).ends_with(0);
        assert_eq!(folder.files("out"), outputs, "{inputs}");
        std::fs::remove_dir_all(folder.path("out")).expect("the output can be removed");
    }
    // Also of one file, the output is a folder.
    let folder = folder.with("out", "a file");
    folder
        .run("clean crawl/one/*.txt -o out --force")
        .ends(2, &["error: out is a file, but the output must be a folder here; choose another"]);
}

#[test]
fn lists_name_files_and_folders() {
    let folder = crawl()
        .with("lines", "crawl/one/page.txt\n\n  \ncrawl/two/page.txt\r\ncrawl/two/deep\r\n")
        .with("zeros", "crawl/one/page.txt\0crawl/two/page.txt\0\0crawl/two/deep")
        .with("two", "crawl/two/page.txt\ncrawl/two/deep");
    let cleaned = format!("{SHIP}\n");
    for (nth, arguments) in [
        "--files-from lines",
        "--files-from zeros -0",
        "--null --files-from zeros",
        // Those that are named come first.
        "crawl/one/page.txt --files-from two",
        "--files-from two crawl/o*/*",
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("out{nth}");
        let ran = folder.run(&format!("clean {arguments} -o {out}"));
        ran.ends_with(0);
        assert_eq!(folder.files(&out), PAGES, "{arguments}");
        assert_eq!(folder.read(&format!("{out}/one/page.txt")), cleaned);
        assert_eq!(folder.read(&format!("{out}/two/deep/page.txt")), "More of it.\n");
    }
    folder.run_on(folder.bytes("lines"), "clean --files-from - -o piped").ends_with(0);
    assert_eq!(folder.files("piped"), PAGES);
    folder.run_on(folder.bytes("zeros"), "clean --files-from - -0 -o piped-zeros").ends_with(0);
    assert_eq!(folder.files("piped-zeros"), PAGES);
    // The order is the list's: another copy stays.
    let list = "crawl/two/deep/page.txt\ncrawl/one/page.txt\n";
    folder.run_on(list, "clean --files-from - -o ordered").ends_with(0);
    assert_eq!(folder.read("ordered/two/deep/page.txt"), format!("{SHIP}\nMore of it.\n"));
    assert_eq!(folder.read("ordered/one/page.txt"), "");
    folder.run_on(list, "clean --files-from - -o -").ends_with(0).says(&format!("{SHIP}\nMore of it.\n"));
}

#[test]
fn names_in_lists_are_any_bytes_and_no_patterns() {
    let folder = Folder::new().with("in/*.txt", "A star.\n").with("in/a b\nc.txt", "A newline.\n").with("in/d.txt", "");
    let odd = OsStr::from_bytes(b"in/\xff.txt");
    std::fs::write(folder.path("").join(odd), "No UTF-8.\n").expect("a file can be written");
    folder.run_on(b"in/*.txt\0in/a b\nc.txt\0in/\xff.txt\0", "clean --files-from - -0 -o out").ends_with(0);
    let written = |name: &[u8]| std::fs::read(folder.path("out").join(OsStr::from_bytes(name))).ok();
    assert_eq!(written(b"*.txt"), Some(b"A star.\n".to_vec()));
    assert_eq!(written(b"a b\nc.txt"), Some(b"A newline.\n".to_vec()));
    assert_eq!(written(b"\xff.txt"), Some(b"No UTF-8.\n".to_vec()));
    assert_eq!(folder.files("out").len(), 3);
    // Patterns leave none of them out.
    folder.run("clean in/?.txt -o found").ends_with(0);
    assert_eq!(folder.files("found"), ["*.txt", "d.txt", "\u{fffd}.txt"]);
    folder.run("clean in/*.txt -o star.txt").ends_with(0);
    assert_eq!(folder.read("star.txt"), "A star.\n");
    std::fs::remove_file(folder.path("in/*.txt")).expect("the file can be removed");
    folder.run("clean in/*.txt -o all").ends_with(0);
    assert_eq!(folder.files("all"), ["a b\nc.txt", "d.txt", "\u{fffd}.txt"]);
}

#[test]
fn a_list_that_names_what_is_not_there_is_refused() {
    let folder = crawl()
        .with("empty", "")
        .with("blank", "\n \r\n")
        .with("zeros", "crawl/one\0crawl/two")
        .with("lines", "crawl/one\n\ncrawl/none.txt\ncrawl/two\n");
    for (arguments, error) in [
        ("--files-from none", "none: no such list; check the path"),
        ("--files-from empty", "empty: the list names nothing; give it a name of a file or folder"),
        ("crawl --files-from blank", "blank: the list names nothing; give it a name of a file or folder"),
        ("--files-from - -0", "standard input: the list names nothing; give it a name of a file or folder"),
        ("--files-from lines", "lines:3: crawl/none.txt: no such file or folder; check the list"),
        ("--files-from zeros", "zeros:1: the name has a zero byte; if names end in such, say so with --null"),
        (
            "--files-from lines --null",
            "lines:1: no such file or folder, and the name has newlines; if they separate names, leave --null out",
        ),
        ("- --files-from lines", "standard input goes with no other input; clean them one by one"),
    ] {
        let error = format!("error: {error}");
        folder.run(&format!("clean {arguments} -o out")).ends(2, &[&error]).says("");
        assert!(!folder.exists("out"));
    }
    folder
        .run_on("crawl/one/page.txt/\0", "clean --files-from - --null -n")
        .ends(2, &["error: standard input:1: crawl/one/page.txt/: no such file or folder; check the list"]);
    // Without names, inputs are asked for; --null alone means nothing.
    folder.run("clean -o out").ends_with(2);
    folder.run("clean crawl -0 -o out").ends_with(2);
    assert!(!folder.exists("out"));
}

/// Wherever names lead, what is written is in the output, and nothing twice.
#[test]
fn nothing_is_written_outside_the_output() {
    let folder = crawl().with("work/near/a.txt", "near").with("work/../a.txt", "far");
    let root = folder.path("");
    let before = folder.tree(".");
    let absolute = format!("{}crawl/one/page.txt\n", root.display());
    for (list, outputs) in [
        ("crawl/two/../one/page.txt\ncrawl/two/page.txt\n", vec!["one/page.txt", "two/page.txt"]),
        ("work/../a.txt\nwork/near/a.txt\n", vec!["a.txt", "work/near/a.txt"]),
        ("work/../../../../../../../../../../../../a.txt\n", vec![]),
        ("work/near/..\n", vec!["work/near/a.txt"]),
        ("a.txt\nwork/near/.\n", vec!["a.txt", "work/near/a.txt"]),
        (absolute.as_str(), vec!["page.txt"]),
        (&format!("{absolute}other/page.txt"), vec!["crawl/one/page.txt", "other/page.txt"]),
    ] {
        let ran = folder.run_on(list, "clean --files-from - -o out/here");
        ran.ends_with(if outputs.is_empty() { 2 } else { 0 });
        assert_eq!(
            folder.files("out"),
            outputs.iter().map(|name| format!("here/{name}")).collect::<Vec<_>>(),
            "{list}"
        );
        let _ = std::fs::remove_dir_all(folder.path("out"));
        assert_eq!(folder.tree("."), before, "{list}");
    }
    // A folder that a name leads out of, and up to the root.
    let up = "../".repeat(root.components().count() + 3);
    let list = format!("work/{up}{}\nother/page.txt\n", absolute.trim_start_matches('/').trim_end());
    folder.run_on(&list, "clean --files-from - -o out").ends_with(0);
    assert_eq!(folder.files("out"), ["crawl/one/page.txt", "other/page.txt"]);
}

#[test]
fn clashes_and_overlaps_are_refused() {
    let folder = crawl().with_link("same", "crawl");
    let before = folder.tree(".");
    for (list, arguments, error) in [
        (
            "crawl/one/page.txt\ncrawl/two/../one/page.txt\n",
            "-o out",
            "crawl/one/page.txt and crawl/two/../one/page.txt would both be written to out/page.txt; \
             they are one; name it once",
        ),
        (
            "crawl\ncrawl/one/page.txt\n",
            "-o out",
            "crawl/one/page.txt and crawl/one/page.txt would both be written to out/crawl/one/page.txt; \
             they are one; name it once",
        ),
        (
            // The link leads elsewhere than its name says.
            "same/../other/page.txt\nother/page.txt\n",
            "other/*.txt -o out",
            "other/page.txt and same/../other/page.txt would both be written to out/page.txt; they are one; name it once",
        ),
        ("crawl/one\n", "-o crawl --force", "crawl/one and its output crawl/one overlap; choose an output elsewhere"),
        (
            "crawl/one/page.txt\n",
            "-o crawl/one",
            "crawl/one/page.txt and its output crawl/one/page.txt overlap; choose an output elsewhere",
        ),
        (
            "crawl/one/page.txt\n",
            "-o other",
            "other/page.txt: the output exists; choose another, or replace it with --force",
        ),
        (
            "crawl/one/page.txt\nother/page.txt\n",
            "-o . --force",
            "crawl/one/page.txt and its output ./crawl/one/page.txt overlap; choose an output elsewhere",
        ),
    ] {
        let error = format!("error: {error}");
        folder.run_on(list, &format!("clean --files-from - {arguments}")).ends(2, &[&error]);
        assert_eq!(folder.tree("."), before, "{list}");
    }
    let error = "error: crawl/a.txt and crawl/a.txt.gz would both be written to out/a.txt; \
                 rename one, or clean them one by one";
    let folder = folder.with("crawl/a.txt", "a").with("crawl/a.txt.gz", super::support::packed("gz", "a"));
    folder.run("clean crawl/a* -o out --compress none").ends(2, &[error]);
}

#[test]
fn what_was_found_can_be_restored() {
    let folder = crawl();
    folder.run("clean crawl/**/*.txt -o out --journal journal --report report").ends_with(0);
    let files: Vec<_> =
        folder.journal("journal").iter().filter_map(|line| line["file"].as_str().map(str::to_owned)).collect();
    assert!(files.iter().any(|file| file == "one/page.txt"), "{files:?}");
    folder.run("restore out --journal journal -o back").ends_with(0);
    for page in PAGES {
        assert_eq!(folder.bytes(&format!("back/{page}")), folder.bytes(&format!("crawl/{page}")));
    }
}

#[test]
fn other_commands_take_patterns_too() {
    let page =
        |path: &str| format!("{{\"url\":\"https://a.example/{path}\",\"text\":\"Old menu\\nThe {path}.\\n\"}}\n");
    let folder = Folder::new()
        .with("in/a/pages.jsonl", page("one") + &page("two") + &page("three"))
        .with("in/b/pages.jsonl", page("four") + &page("five"))
        .with("text/a.txt", format!("{SHIP}\nOne.\n"))
        .with("text/b.txt", format!("{SHIP}\nTwo.\n"))
        .with("list", "in/a/pages.jsonl\nin/b\n");
    folder.run("learn in -o named.toml").ends_with(0);
    folder.run("learn in/*/pages.jsonl -o found.toml").ends_with(0);
    folder.run("learn --files-from list -o listed.toml").ends_with(0);
    let rest = |name: &str| folder.read(name).replace(&format!("\"{}\"", name.trim_end_matches(".toml")), "");
    assert_eq!(rest("found.toml"), rest("named.toml"));
    assert_eq!(rest("listed.toml"), rest("named.toml"));
    let ran = folder.run("explain text/b.txt --among text/*.txt --level rules");
    assert!(ran.stdout.contains("[repeats a.txt:1]"), "{ran:?}");
}

#[cfg(not(feature = "remote"))]
#[test]
fn a_build_that_knows_no_servers_says_so() {
    let folder = crawl().with("urls", "https://host.example/b.txt\n");
    for (arguments, url) in [
        ("clean s3://bucket/crawl/ -o out", "s3://bucket/crawl/"),
        ("clean crawl -o s3://bucket/out", "s3://bucket/out"),
        ("clean crawl https://host.example/a.txt?b=c*d -o out", "https://host.example/a.txt?b=c*d"),
        ("clean --files-from urls -o out", "https://host.example/b.txt"),
        ("clean crawl http://host.example/a.txt -n", "http://host.example/a.txt"),
        ("explain https://host.example/a.txt", "https://host.example/a.txt"),
        ("learn https://host.example/a.jsonl -o out", "https://host.example/a.jsonl"),
    ] {
        let what = "is on a server, which is not in this build; build it with --features remote";
        folder.run(arguments).ends(2, &[&format!("error: {url}: {what}")]);
    }
    folder.run_on("Text.\n", "clean - -o s3://bucket/a.txt").ends_with(2);
    assert!(!folder.exists("out") && !folder.exists("s3:"));
}
