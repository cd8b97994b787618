//! Whole runs, from files to files: packs and repeats on, the same made-up corpus in four forms.
//!
//! `DEHUSK_BENCH_BYTES` says how much text (64 MiB if it is not set), `DEHUSK_BENCH_FILES` into how many small files at
//! most (20,000, which takes some 230 MiB of text to fill), and `DEHUSK_BENCH_LEVEL` on which level (`rules`). All is written where temporary files go: finished outputs are
//! synced, so that on a disk it is mostly the disk that is measured, and with `TMPDIR=/dev/shm` it is dehusk.

use crate::corpus::{Corpus, Stats};
use dehusk::Config;
use dehusk::run::{Report, Run, restore};
use divan::Bencher;
use divan::counter::BytesCount;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use walkdir::WalkDir;

#[derive(Clone, Copy, Debug)]
struct Threads(usize);

const THREADS: [Threads; 2] = [Threads(1), Threads(2)];
const N_SHARDS: usize = 16;

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn small_files(bencher: Bencher<'_, '_>, threads: Threads) {
    let n_most = usize::try_from(parameter("DEHUSK_BENCH_FILES", 20_000)).expect("a count of files fits a usize");
    measure(bencher, threads, |corpus, input| corpus.write_text_files(input, n_most));
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn jsonl_shards(bencher: Bencher<'_, '_>, threads: Threads) {
    measure(bencher, threads, |corpus, input| corpus.write_jsonl_shards(input, N_SHARDS));
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn plain_shards(bencher: Bencher<'_, '_>, threads: Threads) {
    measure(bencher, threads, |corpus, input| corpus.write_text_shards(input, N_SHARDS));
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn one_file(bencher: Bencher<'_, '_>, threads: Threads) {
    measure(bencher, threads, Corpus::write_one_file);
}

fn measure(bencher: Bencher<'_, '_>, Threads(threads): Threads, write: impl Fn(&Corpus, &Path) -> io::Result<Stats>) {
    let corpus = Corpus::new(1, parameter("DEHUSK_BENCH_BYTES", 64 << 20));
    let folder = new_folder();
    let input = folder.path().join("in");
    write(&corpus, &input).expect("the folder for temporary files has room for a corpus");
    let expected = checked(folder.path(), &input);
    bencher.counter(BytesCount::new(expected.totals.bytes_in)).with_inputs(new_folder).bench_local_values(|out| {
        let report = clean(&input, Config { threads: Some(threads), ..into(out.path()) });
        assert_eq!(report.totals, expected.totals, "every run does the same");
        // Given back, so that the time it takes to delete it does not count.
        out
    });
}

/// Cleans the input with a journal, on as many threads as there are processors, and checks what came of it.
fn checked(folder: &Path, input: &Path) -> Report {
    let journal = folder.join("journal");
    let report = clean(input, Config { journal: Some(journal.clone()), ..into(folder) });
    let totals = &report.totals;
    assert_eq!(totals.bytes_out + totals.text_bytes_removed, totals.bytes_in, "all bytes are written or removed");
    let share = report.removed_share();
    assert!((0.2..0.4).contains(&share), "{share} of the text is removed, of which about 0.27 are repeats");

    let (output, restored) = (folder.join("out"), folder.join("restored"));
    restore(&output, &journal, &restored, false).expect("the journal is of this output");
    let (mut n_documents, mut n_bytes) = (0, 0);
    for original in files_in(input) {
        // Joined with nothing, the name of a file would become that of a folder.
        let name = original.strip_prefix(input).ok().filter(|name| *name != Path::new(""));
        let again = name.map_or(restored.clone(), |name| restored.join(name));
        let text = std::fs::read(&original).expect("it was just written");
        assert!(std::fs::read(again).is_ok_and(|again| again == text), "{}: not restored", original.display());
        n_bytes += text.len() as u64;
        let is_jsonl = original.extension().is_some_and(|extension| extension == "jsonl");
        n_documents += if is_jsonl { memchr::memchr_iter(b'\n', &text).count() as u64 } else { 1 };
    }
    assert_eq!((totals.documents, totals.bytes_in), (n_documents, n_bytes), "all documents, and all of each");
    for made in [output, restored] {
        std::fs::remove_file(&made).or_else(|_| std::fs::remove_dir_all(&made)).expect("it was just written");
    }
    report
}

fn clean(input: &Path, config: Config) -> Report {
    let report = Run::new(&config, &()).and_then(|run| run.files(&[input.to_owned()])).expect("the run comes through");
    assert!(report.is_fine(), "{:?} {:?}", report.failed_files, report.limits_crossed);
    report
}

fn into(folder: &Path) -> Config {
    let level = std::env::var("DEHUSK_BENCH_LEVEL").unwrap_or_else(|_| "rules".into());
    let config = Config::parse("DEHUSK_BENCH_LEVEL", &format!("level = {level:?}")).expect("it is a level");
    Config { output: Some(folder.join("out")), ..config }
}

/// A folder that goes with what is in it.
fn new_folder() -> TempDir {
    tempfile::tempdir().expect("the folder for temporary files can be written")
}

fn files_in(input: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = WalkDir::new(input).into_iter().map(|entry| entry.expect("the input can be listed"));
    entries.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path())
}

/// A number from the environment.
fn parameter(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |number| number.parse().expect("DEHUSK_BENCH_… is a whole number in digits"))
}
