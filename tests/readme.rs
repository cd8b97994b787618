//! The README's example: its pages, its commands, and what it says that they print.
#![cfg(feature = "cli")]

use assert_cmd::cargo::cargo_bin_cmd;
use std::path::Path;

/// The fenced blocks of the README that are marked with `language`.
fn fenced<'r>(readme: &'r str, language: &str) -> Vec<&'r str> {
    let fence = format!("```{language}\n");
    readme.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// What the README says that a command prints, without spaces at the ends of lines and without times.
fn without_times(output: &str) -> String {
    let lines = output.lines().map(|line| match line.rsplit_once("; ") {
        Some((rest, time)) if time.ends_with(" s") => rest,
        _ => line.trim_end(),
    });
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn run(folder: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    if words[0] == "cat" {
        return std::fs::read_to_string(folder.join(words[1])).expect("the file that is shown can be read");
    }
    assert_eq!(words[0], "dehusk", "{line}");
    let output = cargo_bin_cmd!("dehusk").current_dir(folder).args(&words[1..]).output();
    let output = output.expect("the command can be run");
    assert!(output.status.success(), "{line}: {output:?}");
    let text = |bytes| String::from_utf8(bytes).expect("the command writes UTF-8");
    text(output.stdout) + &text(output.stderr)
}

#[test]
fn the_example_prints_what_the_readme_says() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    let pages = fenced(&readme, "text");
    assert_eq!(pages.len(), 2);
    for (name, page) in ["a.txt", "b.txt"].iter().zip(pages) {
        std::fs::write(folder.path().join("pages").join(name), page).unwrap();
    }
    let session = fenced(&readme, "console")[0];
    let steps: Vec<&str> = session.split("$ ").filter(|step| !step.is_empty()).collect();
    assert_eq!(steps.len(), 4);
    for step in steps {
        let (line, says) = step.split_once('\n').unwrap();
        // The last step compares with a tool of the shell's, which here is done below.
        let line = line.split(" && ").next().unwrap();
        let says = says.trim_end().trim_end_matches("nothing lost");
        assert_eq!(without_times(&run(folder.path(), line)), without_times(says), "{line}");
    }
    for name in ["a.txt", "b.txt"] {
        let read = |folder_name: &str| std::fs::read(folder.path().join(folder_name).join(name)).unwrap();
        assert_eq!(read("back"), read("pages"));
    }
}
