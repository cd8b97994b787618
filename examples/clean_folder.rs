//! Cleans a folder of scraped text in bulk, shows how far it is, and tells what was removed and why.
//!
//! ```sh
//! cargo run --release --example clean_folder -- corpora/seeds out
//! ```
//!
//! The output folder gets a file for each one of the input, and beside it stands a journal, from which `dehusk restore`
//! puts everything back.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to whoever runs it")]

use dehusk::Config;
use dehusk::run::{Phase, Progress, Run};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard};

fn main() -> anyhow::Result<ExitCode> {
    let [input, output] = std::env::args_os()
        .skip(1)
        .map(PathBuf::from)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| anyhow::anyhow!("give a folder of .txt or .jsonl files, and a folder to write to"))?;
    let config = Config {
        journal: Some(output.with_extension("journal")),
        output: Some(output),
        // A page that loses more than this is worth a look; it is told of below.
        max_removed_document: 0.9,
        ..Config::default()
    };
    let report = Run::new(&config, &Percent::default())?.files(&[input])?;

    let (totals, removed) = (&report.totals, &report.removed);
    println!("{} files with {} documents", totals.files, totals.documents);
    println!(
        "{} of {} bytes removed ({:.1} %)",
        totals.text_bytes_removed,
        totals.text_bytes,
        100.0 * report.removed_share()
    );
    let others =
        [("repeats", &removed.repeats), ("copies of documents", &removed.copies), ("blank lines", &removed.gaps)];
    let rules = removed.rules.iter().map(|(id, tally)| (id.as_str(), tally));
    let mut reasons: Vec<_> = rules.chain(others).filter(|(_, tally)| tally.blocks > 0).collect();
    reasons.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.bytes));
    for (reason, tally) in reasons.into_iter().take(10) {
        println!("{:>10} bytes in {:>6} blocks: {reason}", tally.bytes, tally.blocks);
    }
    for bad in report.failed_files.iter().chain(&report.bad_records).chain(&report.limits_crossed) {
        println!("look at {bad}");
    }
    Ok(if report.is_fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows each phase in steps of ten percent. It is told of progress from all threads at once, hence the lock.
#[derive(Default)]
struct Percent(Mutex<Bytes>);

#[derive(Default)]
struct Bytes {
    total: u64,
    done: u64,
}

impl Progress for Percent {
    fn begin(&self, phase: Phase, bytes: Option<u64>) {
        *self.lock() = Bytes { total: bytes.unwrap_or(0), done: 0 };
        eprint!("{}:", phase.name());
    }

    fn advance(&self, bytes: u64) {
        let mut counted = self.lock();
        let tenths = |done: u64| 10 * done / counted.total.max(1);
        for tenth in tenths(counted.done) + 1..=tenths(counted.done + bytes) {
            eprint!(" {} %", 10 * tenth);
        }
        counted.done += bytes;
    }

    fn warn(&self, message: &str) {
        eprintln!("\n{message}");
    }

    fn end(&self) {
        eprintln!();
    }
}

impl Percent {
    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().expect("nobody panics while counting")
    }
}
