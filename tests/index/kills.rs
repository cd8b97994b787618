//! A process that writes and is killed, two hundred times, and one of several threads: what it told is there.

use super::{Claim, assert_is, claim, fingerprint, model};
use dehusk::Index;
use dehusk::index::Known;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const BATCH: u32 = 25;
const KILLS: u32 = 200;
/// Says to the test below, in a process of its own, that it is the one to be killed.
const FOLDER: &str = "DEHUSK_INDEX_TO_BE_KILLED";
/// The same, with several threads.
const SHARED_FOLDER: &str = "DEHUSK_SHARED_INDEX_TO_BE_KILLED";
const THREADS: u32 = 3;
const SHARED_KILLS: u32 = 40;

fn claims_of(batch: u32) -> Vec<Claim> {
    (batch * BATCH..(batch + 1) * BATCH).map(|key| (key, u64::from(batch) + 1)).collect()
}

fn open(folder: &Path) -> Index {
    Index::options().table_records(60).open(folder).expect("it can be opened")
}

/// Commits batch after batch, and tells each.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let index = open(Path::new(&folder));
    assert!(index.len().is_multiple_of(BATCH as usize), "a commit is whole");
    for batch in index_batches(&index).. {
        claim(&index, &claims_of(batch));
        index.commit().expect("it can be written");
        writeln!(std::io::stdout(), "told {batch}").expect("the one who kills listens");
    }
}

fn index_batches(index: &Index) -> u32 {
    u32::try_from(index.len()).expect("there are few") / BATCH
}

/// Starts a test in a process of its own; gives the numbers that it tells.
fn start(test: &str, variable: &str, folder: &Path) -> (Child, impl Iterator<Item = u32>) {
    let mut writer = Command::new(std::env::current_exe().expect("the test is a program"))
        .args(["--exact", test, "--nocapture"])
        .env(variable, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test can be started");
    let out = BufReader::new(writer.stdout.take().expect("it is piped"));
    (writer, out.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("told ")?.parse().ok()))
}

#[test]
fn what_was_told_survives_kills() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut n_told = 0;
    for kill in 0..KILLS {
        let (mut writer, told) = start("kills::writer", FOLDER, folder.path());
        // Killed behind so many commits, wherever it is then: in the next, in writing a run, in merging.
        for batch in told.take(1 + kill as usize * 7 % 11) {
            assert_eq!(batch, n_told, "no commit is made twice, and none is left out");
            n_told += 1;
        }
        writer.kill().expect("it can be killed");
        writer.wait().expect("it was started");
        let index = open(folder.path());
        let n_there = index_batches(&index);
        assert!(n_there >= n_told, "{n_told} commits were told, and {n_there} are there");
        n_told = n_there;
    }
    let claims: Vec<Claim> = (0..n_told).flat_map(claims_of).collect();
    assert_is(&open(folder.path()), &model(&claims), n_told * BATCH + 10);
}

/// How many batches are there of a thread, which claims each third one; all of each, and none behind one that is missing.
fn batches_of(index: &Index, thread: u32) -> u32 {
    let mut owners = Vec::new();
    let batches = (thread..).step_by(THREADS as usize).map(|batch| {
        let keys: Vec<_> = claims_of(batch).into_iter().map(|(key, _)| fingerprint(key)).collect();
        owners.clear();
        index.owners(&keys, &mut owners).expect("an index can be read");
        let n_there = owners.iter().flatten().count();
        assert!([0, keys.len()].contains(&n_there), "a batch is whole");
        n_there > 0
    });
    u32::try_from(batches.take_while(|is_there| *is_there).count()).expect("there are few")
}

/// Commits batch after batch on several threads, and tells each.
#[test]
fn writer_of_several_threads() {
    let Some(folder) = std::env::var_os(SHARED_FOLDER) else { return };
    let index = open(Path::new(&folder));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let index = &index;
            scope.spawn(move || {
                for batch in (thread..).step_by(THREADS as usize).skip(batches_of(index, thread) as usize) {
                    claim(index, &claims_of(batch));
                    index.commit().expect("it can be written");
                    writeln!(std::io::stdout(), "told {batch}").expect("the one who kills listens");
                }
            });
        }
    });
}

#[test]
fn what_threads_were_told_survives_kills() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut n_told = [0; THREADS as usize];
    for kill in 0..SHARED_KILLS {
        let (mut writer, told) = start("kills::writer_of_several_threads", SHARED_FOLDER, folder.path());
        for batch in told.take(1 + kill as usize * 7 % 23) {
            let of_thread = &mut n_told[(batch % THREADS) as usize];
            assert_eq!(batch / THREADS, *of_thread, "no commit is made twice, and none is left out");
            *of_thread += 1;
        }
        writer.kill().expect("it can be killed");
        writer.wait().expect("it was started");
        let index = open(folder.path());
        for (thread, n_told) in (0..).zip(&mut n_told) {
            let n_there = batches_of(&index, thread);
            assert!(n_there >= *n_told, "{n_told} commits were told, and {n_there} are there");
            *n_told = n_there;
        }
        let n_batches: u32 = n_told.iter().sum();
        assert_eq!(index.len(), (n_batches * BATCH) as usize);
    }
    dehusk::IndexReader::open(folder.path()).and_then(|reader| reader.verify()).expect("it is whole");
}
