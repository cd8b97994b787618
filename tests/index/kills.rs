//! A process that writes and is killed, two hundred times: what it told is there.

use super::{Claim, assert_is, claim, model};
use dehusk::Index;
use dehusk::index::Known;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const BATCH: u32 = 25;
const KILLS: u32 = 200;
/// Says to the test below, in a process of its own, that it is the one to be killed.
const FOLDER: &str = "DEHUSK_INDEX_TO_BE_KILLED";

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

#[test]
fn what_was_told_survives_kills() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut n_told = 0;
    for kill in 0..KILLS {
        let mut writer = Command::new(std::env::current_exe().expect("the test is a program"))
            .args(["--exact", "kills::writer", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test can be started");
        let out = BufReader::new(writer.stdout.take().expect("it is piped"));
        let told = out.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("told ")?.parse::<u32>().ok());
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
