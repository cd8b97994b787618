//! Unfinished runs: what is gone on with, and what is refused.

use super::support::{BAKER, Folder, SHIP};
use dehusk::Config;
use dehusk::run::{Phase, Progress, Run};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

fn pack(about: &str) -> String {
    format!(
        "format = 1\nname = \"own\"\nabout = \"{about}\"\n[[rule]]\nid = \"no\"\nmatch = \"line\"\npatterns = [\"no such line\"]\nremoves = [\"no such line\"]\nkeeps = [\"a line\"]\n"
    )
}

/// Three files of which the second cannot be written, for a folder has its name: an unfinished run.
fn unfinished(arguments: &str) -> Folder {
    let folder = Folder::new()
        .with("in/a.txt", format!("Skip to content\n{SHIP}\n"))
        .with("in/b.txt", format!("{SHIP}\n{BAKER}\n"))
        .with("in/c.txt", format!("{BAKER}\nThe end.\n"))
        .with("pack.toml", pack("Own."))
        .with_folder("out/b.txt");
    let ran = folder.run(&format!("clean in -o out --force -q --journal journal {arguments}"));
    ran.ends_with(1);
    let told =
        ["error: out/b.txt: writing failed: ", "error: the run is unfinished; put right what failed, then go on"];
    for (line, told) in ran.stderr.lines().zip(told) {
        assert!(line.starts_with(told), "{line}");
    }
    assert_eq!(folder.files("out"), [".dehusk-run", "a.txt", "c.txt"]);
    std::fs::remove_dir(folder.path("out/b.txt")).expect("the folder is empty");
    folder
}

fn inodes(folder: &Folder) -> Vec<(String, u64)> {
    let inode =
        |file: String| (file.clone(), std::fs::metadata(folder.path("out").join(file)).expect("it is there").ino());
    folder.files("out").into_iter().map(inode).collect()
}

#[test]
fn what_could_not_be_written_is_tried_again() {
    let folder = unfinished("--report report");
    assert_eq!(folder.json("report")["unfinished"], true);
    // What came through can be restored.
    folder.run("restore out --journal journal -o some").ends(0, &["restored 2 files, put 2 cuts back"]);
    assert_eq!(folder.read("some/a.txt"), folder.read("in/a.txt"));

    folder.run("clean in -o out --journal journal --report report --resume -q").ends(0, &[]);
    folder.run("clean in -o whole --journal whole-journal --report whole-report -q").ends(0, &[]);
    assert_eq!(folder.tree("out"), folder.tree("whole"));
    assert_eq!(folder.read("journal"), folder.read("whole-journal"));
    let report = |name| {
        let mut report = folder.json(name);
        report["times"] = serde_json::Value::Null;
        report
    };
    assert_eq!(report("report"), report("whole-report"));
}

#[test]
fn an_unfinished_run_is_not_begun_again_unasked() {
    let folder = unfinished("");
    let refused = "error: out: a run into it is unfinished; go on with it with --resume, or begin anew with --force";
    folder.run("clean in -o out").ends(2, &[refused]);
    folder.run("clean in/a.txt in/b.txt -o out").ends(2, &[refused]);
    folder.run("clean in -o out --resume --force").ends(
        2,
        &["error: configuration: force and resume are both given: one begins anew, the other goes on; leave one out"],
    );
    folder.run("clean in -n -q").ends_with(0);
    assert!(folder.exists("out/.dehusk-run"));
    folder.run("clean in -o out --force --level rules -q").ends(0, &[]);
    assert_eq!(folder.files("out"), ["a.txt", "b.txt", "c.txt"]);
}

#[test]
fn another_configuration_is_refused_and_what_differs_is_told() {
    let folder = unfinished("--pack pack.toml");
    let begun = "error: out: the unfinished run cannot be gone on with: ";
    let remedy = "; give the command it was begun with, or begin anew with --force in place of --resume";
    for (arguments, difference) in [
        ("--level strict", "it was begun with level as \"safe\", not \"strict\""),
        ("--min-chars 70 --unit paragraph", "it was begun with min-chars as 60, not 70"),
        ("--report report", "it was begun with report as none, not report"),
    ] {
        folder
            .run(&format!("clean in -o out --resume --journal journal --pack pack.toml {arguments}"))
            .ends(2, &[&format!("{begun}{difference}{remedy}")]);
    }
    let resume = "clean in -o out --resume --journal journal --pack pack.toml -q";
    folder
        .run(&resume.replace("--journal journal", ""))
        .ends(2, &[&format!("{begun}it was begun with journal as journal, not none{remedy}")]);
    let folder = folder.with("pack.toml", pack("Changed."));
    folder.run(resume).ends(2, &[&format!("{begun}a pack or the weights changed since it was begun{remedy}")]);
    // How many threads, and how loud, is all one.
    let folder = folder.with("pack.toml", pack("Own."));
    folder.run(&format!("{resume} -j 1 --progress off")).ends(0, &[]);
}

#[test]
fn other_inputs_are_refused_and_told() {
    let begun = "error: out: the unfinished run cannot be gone on with: ";
    let remedy = "; give the command it was begun with, or begin anew with --force in place of --resume";
    let resume = "clean in -o out --resume --journal journal -q";
    let folder = unfinished("").with("in/aa.txt", SHIP);
    folder.run(resume).ends(2, &[&format!("{begun}in/aa.txt is new since it was begun{remedy}")]);
    std::fs::remove_file(folder.path("in/aa.txt")).expect("it is there");
    folder.shell("mv in/c.txt .").ends(0, &[]);
    folder.run(resume).ends(2, &[&format!("{begun}in/c.txt is gone or cannot be read{remedy}")]);
    folder.shell("mv c.txt in").ends(0, &[]);
    let folder = folder.with("in/b.txt", format!("{SHIP}\n{BAKER}\n"));
    folder.run(resume).ends(2, &[&format!("{begun}in/b.txt changed since it was begun{remedy}")]);
}

/// A file that the first run could not read is none of its inputs: with it, others would be cleaned otherwise.
#[test]
fn a_file_that_can_be_read_again_is_another_input() {
    let folder = unfinished("");
    std::fs::remove_dir_all(folder.path("out")).expect("it is there");
    let folder = folder.with("in/bad.txt.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03cut").with_folder("out/b.txt");
    let command = "clean in -o out --journal journal -q";
    folder.run(&format!("{command} --force")).ends_with(1);
    std::fs::remove_dir(folder.path("out/b.txt")).expect("the folder is empty");
    let ran = folder.run(&format!("{command} --resume"));
    ran.ends_with(1);
    assert!(ran.stderr.starts_with("error: in/bad.txt.gz: reading failed: ") && ran.stderr.lines().count() == 1);
    // What cannot be read is an outcome, and the run is at its end.
    assert_eq!(folder.files("out"), ["a.txt", "b.txt", "c.txt"]);
}

#[test]
fn where_nothing_is_begun_to_resume_is_to_begin() {
    let folder = Folder::new().with("in/a.txt", format!("Skip to content\n{SHIP}\n")).with_folder("out");
    folder.run("clean in -o out --resume -q").ends(0, &[]);
    assert_eq!(folder.read("out/a.txt"), format!("{SHIP}\n"));
    let exists = "error: out: the output exists; choose another, or replace it with --force";
    folder.run("clean in -o out --resume -q").ends(2, &[exists]);
    folder.run("clean in/a.txt -o one.txt --resume -q").ends(0, &[]);
    folder.run_on("Text.\n", "clean - -o two.txt --resume -q").ends(0, &[]);
    assert_eq!(folder.files("."), ["in/a.txt", "one.txt", "out/a.txt", "two.txt"]);
    // Of a run that was killed before it had noted anything, nothing is left to go on with.
    let folder = folder.with("new/.dehusk-run", "torn");
    folder.run("clean in -o new --resume -q").ends(0, &[]);
    assert_eq!(folder.files("new"), ["a.txt"]);
}

#[test]
fn an_output_that_is_gone_or_cut_short_is_written_again() {
    let folder = unfinished("");
    std::fs::remove_file(folder.path("out/a.txt")).expect("it is there");
    let folder = folder.with("out/c.txt", "cut");
    folder.run("clean in -o out --resume --journal journal -q").ends(0, &[]);
    folder.run("clean in -o whole --journal whole-journal -q").ends(0, &[]);
    assert_eq!(folder.tree("out"), folder.tree("whole"));
    assert_eq!(folder.read("journal"), folder.read("whole-journal"));
}

#[test]
fn two_runs_do_not_work_at_one_output() {
    let folder = unfinished("");
    let manifest = std::fs::File::open(folder.path("out/.dehusk-run")).expect("it is there");
    manifest.lock().expect("it can be locked");
    let error = "error: out/.dehusk-run: another run is at work here; wait until it has ended";
    folder.run("clean in -o out --resume --journal journal").ends(2, &[error]);
    folder.run("clean in -o out --force").ends(2, &[error]);
    drop(manifest);
    folder.run("clean in -o out --resume --journal journal -q").ends(0, &[]);

    // Nor at one file.
    folder.run("clean in/a.txt -o one.txt -q").ends(0, &[]);
    let left = |name: &str| format!(".dehusk-{}.part", &blake3::hash(name.as_bytes()).to_hex()[..16]);
    let folder = folder.with(&left("two.txt"), "left by a killed run");
    let other = std::fs::File::open(folder.path(&left("two.txt"))).expect("it is there");
    other.lock().expect("it can be locked");
    let error = "error: two.txt: writing failed: another run is writing it";
    let ran = folder.run("clean in/a.txt -o two.txt -q");
    ran.ends_with(1);
    assert!(ran.stderr.starts_with(error), "{}", ran.stderr);
    drop(other);
    folder.run("clean in/a.txt -o two.txt -q").ends(0, &[]);
    assert!(!folder.exists(&left("two.txt")));
}

#[test]
fn what_is_dehusks_own_is_no_input() {
    let folder =
        Folder::new().with("in/a.txt", SHIP).with("in/.dehusk-run", "x").with("in/.dehusk-0123456789abcdef.part", "x");
    folder.run("clean in -o out --format text -q").ends(0, &[]);
    assert_eq!(folder.files("out"), ["a.txt"]);
    folder
        .run("clean in/.dehusk-run -o own")
        .ends(2, &["error: in/.dehusk-run: is what an unfinished run left; it is no input, leave it out"]);
}

/// Says stop after so many parts of the rewrite.
struct StopAfter {
    parts: usize,
    done: AtomicUsize,
}

impl StopAfter {
    fn new(parts: usize) -> Self {
        StopAfter { parts, done: AtomicUsize::new(0) }
    }
}

impl Progress for StopAfter {
    fn begin(&self, _: Phase, _: Option<u64>) {
        self.done.store(0, Ordering::Relaxed);
    }

    fn advance(&self, _: u64) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.done.load(Ordering::Relaxed) > self.parts
    }
}

#[test]
fn what_is_done_is_not_done_again() {
    let mut folder = Folder::new();
    for number in 0..300 {
        folder = folder.with(&format!("in/{number:03}.txt"), format!("Skip to content\n{SHIP}\nFile {number}.\n"));
    }
    let config = Config {
        output: Some(folder.path("out")),
        journal: Some(folder.path("journal")),
        threads: Some(1),
        ..Config::default()
    };
    let inputs = [folder.path("in")];
    // The survey is of as many parts, so that the first time nothing is written.
    let stopped = Run::new(&config, &StopAfter::new(100)).and_then(|run| run.files(&inputs));
    let told = stopped.expect_err("it was stopped").to_string();
    assert_eq!(told, "stopped: nothing was written by this run; give the same command again");
    assert!(!folder.exists("out") && !folder.exists("journal"));

    // Each time some more, of files that are not in need of a survey.
    let config = Config { scope: dehusk::Scope::Off, level: dehusk::Level::Rules, ..config };
    let mut before = Vec::new();
    for (parts, n_done) in [(99, 100), (149, 250)] {
        let config = Config { resume: true, ..config.clone() };
        let stopped = Run::new(&config, &StopAfter::new(parts)).and_then(|run| run.files(&inputs));
        let stopped = stopped.expect_err("it was stopped");
        assert!(stopped.is_stopped());
        let told = format!("stopped: {n_done} of 300 files are done; go on with the same command and --resume");
        assert_eq!(stopped.to_string(), told);
        let now: Vec<(String, u64)> = inodes(&folder).into_iter().filter(|(file, _)| file != ".dehusk-run").collect();
        assert_eq!(now.len(), n_done);
        assert!(before.iter().all(|file| now.contains(file)), "a file was written again");
        before = now;
    }
    let config = Config { resume: true, ..config };
    let report = Run::new(&config, &()).and_then(|run| run.files(&inputs)).expect("it comes to its end");
    assert_eq!((report.totals.files, report.totals.documents, report.unfinished), (300, 300, false));
    let now = inodes(&folder);
    assert!(now.len() == 300 && before.iter().all(|file| now.contains(file)), "a file was written again");
    folder.run("restore out --journal journal -o back -q").ends(0, &[]);
    assert_eq!(folder.tree("back"), folder.tree("in"));
}

/// Does something to the inputs when the rewrite begins.
struct Between<F>(F);

impl<F: Fn() + Sync> Progress for Between<F> {
    fn begin(&self, phase: Phase, _: Option<u64>) {
        if phase == Phase::Rewrite {
            (self.0)();
        }
    }
}

#[test]
fn files_that_vanish_or_change_between_the_passes_fail_alone() {
    for (scope, is_unfinished) in [(dehusk::Scope::Corpus, true), (dehusk::Scope::Off, false)] {
        let folder = Folder::new()
            .with("in/a.txt", format!("Skip to content\n{SHIP}\n"))
            .with("in/b.txt", format!("{SHIP}\n"))
            .with("in/c.txt", format!("{BAKER}\n"))
            .with("in/d.jsonl", format!("{{\"text\":\"{BAKER}\"}}\n"))
            .with("in/e.txt", "The end.\n");
        let config = Config {
            output: Some(folder.path("out")),
            journal: Some(folder.path("journal")),
            scope,
            level: dehusk::Level::Rules,
            ..Config::default()
        };
        let change = Between(|| {
            std::fs::remove_file(folder.path("in/b.txt")).expect("it is there");
            std::fs::write(folder.path("in/c.txt"), "Another text, which is shorter.\n").expect("it can be written");
            std::fs::write(folder.path("in/d.jsonl"), "{\"text\":\"More.\"}\n{\"text\":\"And more.\"}\n")
                .expect("it can be written");
        });
        let inputs: [PathBuf; 1] = [folder.path("in")];
        let report = Run::new(&config, &change).and_then(|run| run.files(&inputs)).expect("it comes to its end");
        let told = [
            "b.txt: reading failed: No such file or directory",
            "c.txt: changed while it was read; run again",
            "d.jsonl: changed while it was read; run again",
        ];
        assert_eq!(report.failed_files.len(), told.len());
        for (failed, told) in report.failed_files.iter().zip(told) {
            assert!(failed.contains(told), "{failed}");
        }
        assert!(!report.is_fine());
        // What was surveyed may be there again; what was not has failed, and that is that.
        assert_eq!(report.unfinished, is_unfinished);
        let expected: &[&str] = if is_unfinished { &[".dehusk-run", "a.txt", "e.txt"] } else { &["a.txt", "e.txt"] };
        assert_eq!(folder.files("out"), expected);
        assert_eq!(folder.read("out/a.txt"), format!("{SHIP}\n"));
        folder.run("restore out --journal journal -o back").ends(0, &["restored 2 files, put 1 cut back"]);
    }
}
