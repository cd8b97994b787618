//! Standard output that is closed, or full.

use super::support::{BAKER, Folder, SHIP};
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs `dehusk` with a standard output that nobody reads; gives its exit code and what it told.
fn run_unread(folder: &Folder, arguments: &str, stdin: &str) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut child = Command::new(env!("CARGO_BIN_EXE_dehusk"))
        .args(arguments.split_whitespace())
        .current_dir(folder.path("."))
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be run");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    // The command may be done before it has read anything.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("the command ends");
    (output.status.code(), String::from_utf8(output.stderr).expect("the command writes UTF-8"))
}

#[test]
fn a_broken_pipe_is_success() {
    let text = format!("Skip to content\n{SHIP}\n{BAKER}\n");
    let records = format!("{{\"text\":\"{SHIP}\"}}\n").repeat(20_000);
    let folder = Folder::new().with("in/a.txt", &text).with("in/b.txt", &text).with("in/c.jsonl", &records);
    for (arguments, stdin) in [
        ("clean -", &*text),
        ("clean - -j 2", &*records),
        ("clean - --framing lines", &*text),
        ("clean in/a.txt -o -", ""),
        ("clean in -o -", ""),
        ("clean in -o - -j 7", ""),
        ("clean in -n --max-removed-run 1", ""),
        ("explain in/a.txt", ""),
        ("explain in/c.jsonl --color always", ""),
        ("packs list", ""),
        ("packs show web-en", ""),
        ("packs test cnet", ""),
        ("completions zsh", ""),
        ("man", ""),
    ] {
        assert_eq!(run_unread(&folder, arguments, stdin), (Some(0), String::new()), "{arguments}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_none() {
    let folder = Folder::new().with("in.txt", SHIP);
    for arguments in ["clean in.txt -o -", "clean -", "explain in.txt", "packs show cnet"] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has a full device");
        let output = Command::new(env!("CARGO_BIN_EXE_dehusk"))
            .args(arguments.split_whitespace())
            .current_dir(folder.path("."))
            .stdin(std::fs::File::open(folder.path("in.txt")).expect("the file is there"))
            .stdout(full)
            .output()
            .expect("the command can be run");
        let stderr = String::from_utf8(output.stderr).expect("the command writes UTF-8");
        assert!(matches!(output.status.code(), Some(1 | 3)), "{arguments}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains("No space left on device"), "{arguments}: {stderr}");
    }
}
