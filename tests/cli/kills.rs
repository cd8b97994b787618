//! Runs that are killed at any moment, or told to stop, and gone on with.

use super::support::{BAKER, Folder, Ran, SHIP, packed};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Some hundred files of all kinds, with chrome, repeats within them and between them, bad records, and a packed shard.
fn corpus() -> Folder {
    let mut folder = Folder::new();
    let page = |number: usize| {
        let mut page = format!("Skip to content\nPage {number}\n{SHIP}\n");
        for line in 0..40 {
            let _ =
                writeln!(page, "Line {line} of page {number} tells what nobody else tells, in some words of its own.");
            let _ = writeln!(
                page,
                "Line {} stands on more pages than one, and goes from all of them but the first.",
                line + number % 7
            );
        }
        page + "Share on Facebook\n\n" + BAKER + "\n"
    };
    let record = |number: usize| {
        let text = page(number).replace('\n', "\\n");
        format!("{{\"id\":{number},\"url\":\"https://site{}.example/{number}\",\"text\":\"{text}\"}}\n", number % 5)
    };
    for number in 0..150 {
        folder = match number % 10 {
            0 => folder
                .with(&format!("in/{number}.jsonl"), [record(number), "no JSON\n".into(), record(number + 7)].concat()),
            1 => folder.with(&format!("in/deep/{number}.csv"), format!("id,text\n{number},\"{}\"\n", page(number))),
            2 => folder.with(&format!("in/{number}.txt.gz"), packed("gz", page(number))),
            _ => folder.with(&format!("in/deep/{}/{number}.txt", number % 3), page(number)),
        };
    }
    let shard: String = (1000..1060).map(record).collect();
    folder.with("in/shard.jsonl.zst", packed("zst", shard))
}

/// All that a run leaves, but for how long it took.
#[derive(PartialEq)]
struct Outcome {
    files: Vec<(String, Option<Vec<u8>>)>,
    journal: Vec<u8>,
    report: serde_json::Value,
}

fn outcome(folder: &Folder, number: &str) -> Outcome {
    let mut report = folder.json(&format!("report{number}"));
    report["times"] = serde_json::Value::Null;
    let (files, journal) = (folder.tree(&format!("out{number}")), folder.bytes(&format!("journal{number}")));
    Outcome { files, journal, report }
}

fn arguments(number: &str) -> String {
    format!("clean in -o out{number} --journal journal{number} --report report{number} --drop-empty -q -j 2")
}

/// Removes what a run left.
fn clear(folder: &Folder, number: &str) {
    let _ = std::fs::remove_dir_all(folder.path(&format!("out{number}")));
    for side in ["journal", "report"] {
        let _ = std::fs::remove_file(folder.path(&format!("{side}{number}")));
    }
}

#[expect(clippy::disallowed_methods, reason = "a kill comes at some moment, and the outcome is the same at each")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// The part of the run's time after which the `count`-th run is killed: all over it, at the same moments in every test run.
fn moment(count: u32) -> f64 {
    f64::from(count.wrapping_mul(2_654_435_769) >> 16) / f64::from(1 << 16)
}

#[test]
fn fifty_killed_runs_come_to_the_same_bytes() {
    let folder = corpus();
    folder.run(&arguments("1")).ends_with(1);
    let expected = outcome(&folder, "1");
    let started = Instant::now();
    clear(&folder, "1");
    folder.run(&arguments("1")).ends_with(1);
    let whole = started.elapsed();
    assert!(outcome(&folder, "1") == expected);

    let (mut n_killed, mut n_unfinished) = (0, 0);
    for count in 0..500 {
        let mut run = folder.start(&arguments("2"));
        pause(whole.mul_f64(moment(count)));
        run.kill().expect("it can be killed");
        let is_killed = run.wait().expect("it ends").signal().is_some();
        // A run that was killed behind its last step has done all there was to do.
        let is_unfinished = folder.exists("out2/.dehusk-run");
        if is_unfinished || !folder.exists("report2") {
            n_unfinished += u32::from(is_unfinished);
            folder.run(&format!("{} --resume", arguments("2"))).ends_with(1);
        }
        assert!(outcome(&folder, "2") == expected, "run {count}");
        let left = folder.files(".").into_iter().find(|file| file.contains(".dehusk-"));
        assert_eq!(left, None, "run {count}");
        clear(&folder, "2");
        n_killed += u32::from(is_killed);
        // On a machine that is busy with something else, few of them are killed while they write.
        if n_killed >= 50 && n_unfinished > 5 {
            break;
        }
    }
    assert!(n_killed >= 50);
    assert!(n_unfinished > 5, "only {n_unfinished} of {n_killed} were killed while they wrote");
}

/// Copies a folder that has no folders in it.
fn copy(folder: &Folder, from: &str, to: &str) {
    let _ = std::fs::remove_dir_all(folder.path(to));
    std::fs::create_dir(folder.path(to)).expect("it can be made");
    for (file, bytes) in folder.tree(from) {
        std::fs::write(folder.path(to).join(file), bytes.expect("it is a file")).expect("it can be written");
    }
}

#[test]
fn outputs_and_the_index_are_there_together_or_can_be_had() {
    let folder = corpus().with("before/a.txt", format!("{BAKER}\nLine 3 stands on more pages than one, and goes.\n"));
    folder.run("clean before -o before.out -q --index base").ends_with(0);
    let arguments = |number: &str| format!("{} --index seen", arguments(number));
    let started = Instant::now();
    copy(&folder, "base", "seen");
    folder.run(&arguments("1")).ends_with(1);
    let whole = started.elapsed();
    let expected = outcome(&folder, "1");
    let remembered = folder.run("index export seen").stdout;
    assert!(remembered.lines().count() > 1000);

    let (mut n_killed, mut n_between) = (0, 0);
    for count in 0..300 {
        copy(&folder, "base", "seen");
        let mut run = folder.start(&arguments("2"));
        // Most of what can go wrong is at the end.
        pause(whole.mul_f64(0.5 + 0.55 * moment(count)));
        run.kill().expect("it can be killed");
        n_killed += u32::from(run.wait().expect("it ends").signal().is_some());
        let is_unfinished = folder.exists("out2/.dehusk-run");
        let is_remembered = folder.run("index export seen").stdout == remembered;
        assert!(is_remembered || is_unfinished || !folder.exists("report2"), "run {count}");
        n_between += u32::from(is_unfinished && is_remembered);
        if is_unfinished || !folder.exists("report2") {
            folder.run(&format!("{} --resume", arguments("2"))).ends_with(1);
        }
        assert!(outcome(&folder, "2") == expected, "run {count}");
        assert!(folder.run("index export seen").stdout == remembered, "run {count}");
        folder.run("index verify seen").ends_with(0);
        clear(&folder, "2");
        if n_killed >= 15 {
            break;
        }
    }
    assert!(n_killed >= 15, "{n_killed}, {n_between} of them when the index had it");
}

/// Each resumed run is killed too, until one comes through.
#[test]
fn a_run_that_is_killed_again_and_again_comes_to_its_end() {
    let folder = corpus();
    let started = Instant::now();
    folder.run(&arguments("1")).ends_with(1);
    let whole = started.elapsed();
    let mut run = folder.start(&arguments("2"));
    let mut patience = whole.mul_f64(0.6);
    loop {
        pause(patience);
        run.kill().expect("it can be killed");
        let is_killed = run.wait().expect("it ends").signal().is_some();
        if !is_killed || (folder.exists("report2") && !folder.exists("out2/.dehusk-run")) {
            break;
        }
        run = folder.start(&format!("{} --resume", arguments("2")));
        patience += whole / 20;
    }
    assert!(outcome(&folder, "2") == outcome(&folder, "1"));
}

fn signal(run: &Child, name: &str) {
    let pid = run.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.expect("signals can be sent").success());
}

/// Waits until something is there, or the run is over.
fn wait_for(run: &mut Child, is_there: impl Fn() -> bool) {
    while !is_there() && run.try_wait().expect("it can be asked").is_none() {
        pause(Duration::from_millis(1));
    }
}

#[test]
fn the_first_signal_ends_a_run_that_can_be_gone_on_with() {
    let folder = corpus();
    folder.run(&arguments("1")).ends_with(1);
    for name in ["INT", "TERM"] {
        let ran = (0..10).find_map(|_| {
            clear(&folder, "2");
            let mut run = folder.start(&arguments("2"));
            wait_for(&mut run, || folder.exists("out2/.dehusk-run"));
            signal(&run, name);
            let ran = Ran::of(&run.wait_with_output().expect("it ends"));
            // On a slow day it is at its end before the signal comes.
            (ran.code != 1).then_some(ran)
        });
        let ran = ran.expect("one of ten is stopped");
        ran.ends_with(3);
        let told = ran.stderr.trim_end().strip_prefix("error: stopped: ");
        let told =
            told.and_then(|told| told.strip_suffix(" of 151 files are done; go on with the same command and --resume"));
        let n_done: usize = told.and_then(|told| told.parse().ok()).expect("it tells how many files are done");
        // What is done has its name, and nothing else is left but the manifest. Dropped files have no output.
        let files = folder.files("out2");
        assert!(files.len() <= n_done + 1 && files.iter().filter(|file| file.contains(".dehusk-")).count() == 1);
        assert!(!folder.exists("journal2") && !folder.exists("report2"));
        folder.run(&format!("{} --resume", arguments("2"))).ends_with(1);
        assert!(outcome(&folder, "2") == outcome(&folder, "1"));
    }
}

#[test]
fn the_second_signal_ends_a_run_at_once() {
    let folder = Folder::new().with("in.txt", format!("{SHIP} 1\n").repeat(300_000));
    let mut run = folder.start("clean in.txt -o out.txt --report report");
    // The run has begun when it has begun its report.
    wait_for(&mut run, || folder.files(".").len() > 1);
    signal(&run, "INT");
    signal(&run, "TERM");
    let ran = Ran::of(&run.wait_with_output().expect("it ends"));
    ran.ends_with(3);
    assert!(!ran.stderr.contains("stopped:"), "{}", ran.stderr);
    assert!(!folder.exists("out.txt") && !folder.exists("report"));
    // What it left is in nobody's way.
    let small = folder.with("in.txt", "Text.\n");
    small.run("clean in.txt -o out.txt --report report").ends_with(0);
    assert_eq!(small.files("."), ["in.txt", "out.txt", "report"]);
}

/// Stops a stream that waits for more, when its one record so far has come out.
fn stopped_stream(folder: &Folder, arguments: &str) -> Ran {
    let mut run = folder.start(arguments);
    let mut stdin = run.stdin.take().expect("it is a pipe");
    writeln!(stdin, "{{\"text\":\"{SHIP}\"}}").expect("it can be written to");
    let mut line = String::new();
    let mut stdout = BufReader::new(run.stdout.take().expect("it is a pipe"));
    stdout.read_line(&mut line).expect("it can be read");
    assert!(line.contains(SHIP));
    signal(&run, "INT");
    Ran::of(&run.wait_with_output().expect("it ends"))
}

#[test]
fn a_stream_is_stopped_while_it_waits() {
    let folder = Folder::new();
    let ran = stopped_stream(&folder, "clean - --journal journal");
    let warning = "warning: stopping when the files in hand are done; the same signal once more stops at once";
    ran.ends(3, &[warning, "error: stopped: the input was not read to its end; begin anew"]);
    assert_eq!(folder.files("."), [""; 0]);
}

#[test]
fn a_stream_that_is_stopped_remembers_what_it_wrote() {
    let folder = Folder::new();
    stopped_stream(&folder, "clean - --level rules --index seen --stdin-name feed").ends_with(3);
    let other = "clean - --level rules -q --max-removed-run 1 --index seen --stdin-name other";
    folder.run_on(format!("{{\"text\":\"{SHIP}\"}}\n"), other).ends(0, &[]).says("{\"text\":\"\"}\n");
}
