//! Files that are cut, flipped, or missing: what was committed is there, or the damage is told. Nothing else is ever answered.

use super::{Claim, Model, assert_is, claim, fingerprint, model};
use dehusk::index::Known;
use dehusk::{Index, IndexReader};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const N_KEYS: u32 = 300;
const BATCH: usize = 20;

/// An index of three runs and a log, and what was claimed.
fn written() -> (TempDir, Vec<Claim>) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let index = Index::options().table_records(80).open(folder.path()).expect("it can be made");
    let claims: Vec<Claim> = (0..N_KEYS - 20).map(|key| (key, u64::from(key / 3) + 1)).collect();
    for batch in claims.chunks(BATCH) {
        claim(&index, batch);
        index.commit().expect("it can be written");
    }
    index.settle().expect("it can be written");
    (folder, claims)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

fn copied(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder can be made");
    for file in files(folder) {
        let to = copy.path().join(file.file_name().expect("files have names"));
        fs::write(to, fs::read(&file).expect("it can be read")).expect("it can be written");
    }
    copy
}

/// Whether the index answers as the model does. If not, it must say that it is damaged.
fn is_whole(folder: &Path, model: &Model) -> bool {
    let opened = [
        IndexReader::open(folder).map(|index| Box::new(index) as Box<dyn Known>),
        Index::open(folder).map(|index| Box::new(index) as Box<dyn Known>),
    ];
    let whole = opened.map(|index| {
        let answers = index.and_then(|index| {
            let mut owners = Vec::new();
            (0..N_KEYS).try_for_each(|key| index.owners(&[fingerprint(key)], &mut owners))?;
            assert_is(&*index, model, N_KEYS);
            Ok(())
        });
        let error = answers.err();
        assert!(error.as_ref().is_none_or(dehusk::Error::is_damaged_index), "{error:?}");
        error.is_none()
    });
    assert_eq!(whole[0], whole[1], "who reads and who writes see the same");
    whole[0]
}

#[test]
fn a_torn_commit_is_as_if_it_had_never_happened() {
    let (folder, claims) = written();
    let log =
        files(folder.path()).into_iter().rfind(|file| file.to_string_lossy().contains("log-")).expect("there is a log");
    let whole = fs::read(&log).expect("it can be read");
    // The last commit is not told of: the process was killed in it.
    let copy = copied(folder.path());
    let last = whole.len() - ENTRY;
    fs::remove_file(copy.path().join("mark")).expect("it is there");
    let torn = copy.path().join(log.file_name().expect("it has a name"));
    for cut in (last..whole.len()).step_by(13) {
        fs::write(&torn, &whole[..cut]).expect("it can be written");
        assert!(is_whole(copy.path(), &model(&claims[..claims.len() - BATCH])), "cut to {cut}");
    }
    // It was told of.
    let copy = copied(folder.path());
    let torn = copy.path().join(log.file_name().expect("it has a name"));
    for cut in (last..whole.len()).step_by(13) {
        fs::write(&torn, &whole[..cut]).expect("it can be written");
        assert!(!is_whole(copy.path(), &model(&claims)), "cut to {cut}");
    }
    fs::write(&torn, &whole).expect("it can be written");
    assert!(is_whole(copy.path(), &model(&claims)));
}

/// The bytes of an entry of a log that commits a batch.
const ENTRY: usize = 16 + 32 + BATCH * 21;

#[test]
fn of_two_logs_both_are_needed() {
    let (folder, claims) = written();
    let model = model(&claims);
    let log =
        files(folder.path()).into_iter().rfind(|file| file.to_string_lossy().contains("log-")).expect("there is a log");
    let number: u64 =
        log.to_string_lossy().rsplit('-').next().and_then(|number| number.parse().ok()).expect("it has a number");
    let next = log.with_file_name(format!("log-{:08}", number + 1));
    // As if the last commit had come when the table before it was full, and not written as a run yet.
    let whole = fs::read(&log).expect("it can be read");
    let (first, second) = whole.split_at(whole.len() - ENTRY);
    fs::write(&log, first).expect("it can be written");
    fs::write(&next, second).expect("it can be written");
    let mut mark = [(number + 1).to_le_bytes(), (ENTRY as u64).to_le_bytes()].concat();
    mark.extend(crc32fast::hash(&mark).to_le_bytes());
    fs::write(folder.path().join("mark"), &mark).expect("it can be written");
    assert!(is_whole(copied(folder.path()).path(), &model));
    for (damaged, bytes) in [(&log, first), (&next, second)] {
        for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1 << (at % 8);
            fs::write(damaged, flipped).expect("it can be written");
            assert!(!is_whole(copied(folder.path()).path(), &model), "byte {at} of {}", damaged.display());
            fs::write(damaged, &bytes[..at]).expect("it can be written");
            assert!(!is_whole(copied(folder.path()).path(), &model), "{} cut to {at}", damaged.display());
        }
        fs::remove_file(damaged).expect("it is there");
        assert!(!is_whole(copied(folder.path()).path(), &model), "{} is gone", damaged.display());
        fs::write(damaged, bytes).expect("it can be written");
    }
    // Without the mark, what is behind a log that has a next one is missed all the same.
    fs::remove_file(folder.path().join("mark")).expect("it is there");
    assert!(is_whole(copied(folder.path()).path(), &model));
    fs::write(&log, &first[..first.len() - ENTRY]).expect("it can be written");
    assert!(!is_whole(copied(folder.path()).path(), &model));
}

#[test]
fn an_index_that_was_not_made_to_its_end_is_made() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    drop(Index::open(folder.path()).expect("it can be made"));
    for name in ["head", "mark", "documents", "log-00000000"] {
        fs::remove_file(folder.path().join(name)).expect("it is there");
    }
    drop(Index::open(folder.path()).expect("it can be made"));
    assert!(is_whole(folder.path(), &model(&[])));
}

#[test]
fn what_follows_a_torn_commit_is_kept() {
    let (folder, claims) = written();
    let log =
        files(folder.path()).into_iter().rfind(|file| file.to_string_lossy().contains("log-")).expect("there is a log");
    let mut torn = fs::read(&log).expect("it can be read");
    torn.extend_from_slice(&[7; 50]);
    fs::write(&log, torn).expect("it can be written");
    let more: Vec<Claim> = (N_KEYS - 20..N_KEYS).map(|key| (key, 500)).collect();
    {
        let index = Index::open(folder.path()).expect("what is torn was not committed");
        claim(&index, &more);
        index.commit().expect("it can be written");
    }
    assert!(is_whole(folder.path(), &model(&[claims, more].concat())));
}

#[test]
fn flipped_bytes_are_told_or_do_no_harm() {
    let (folder, claims) = written();
    let model = model(&claims);
    assert!(is_whole(folder.path(), &model));
    let mut n_told = 0;
    for file in files(folder.path()) {
        let whole = fs::read(&file).expect("it can be read");
        let copy = copied(folder.path());
        let damaged = copy.path().join(file.file_name().expect("it has a name"));
        for at in (0..whole.len()).step_by(whole.len() / 60 + 1) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&damaged, &bytes).expect("it can be written");
            let is_told = !is_whole(copy.path(), &model);
            assert!(is_told || damaged.ends_with("mark"), "byte {at} of {}", file.display());
            n_told += usize::from(is_told);
        }
        for cut in [0, 1, whole.len() / 2, whole.len().saturating_sub(1)] {
            fs::write(&damaged, &whole[..cut.min(whole.len())]).expect("it can be written");
            let is_told = !is_whole(copy.path(), &model);
            assert!(is_told || damaged.ends_with("mark") || whole.is_empty(), "{} cut to {cut}", file.display());
        }
        let is_needed = !["lock", "mark"].iter().any(|name| file.ends_with(name));
        fs::remove_file(&damaged).expect("it is there");
        if is_needed {
            let opened = Index::open(copy.path());
            assert!(opened.is_err(), "{} is gone", file.display());
        }
    }
    assert!(n_told > 200, "{n_told}");
}
