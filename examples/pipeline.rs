//! A stage of a pipeline: JSONL in on stdin, the same records with cleaned text out on stdout, in order and as they come.
//!
//! ```sh
//! printf '%s\n' '{"id":1,"body":"Skip to content\nThe ship left at dawn.","lang":"en"}' '{"id":2,"body":"Sign in"}' |
//!     cargo run --release --example pipeline -- body
//! ```
//!
//! The argument names the field that is cleaned, "text" if there is none. All other fields pass through untouched, and
//! what repeats an earlier record goes. A record that has no text left is dropped, so that the tagger or tokenizer that
//! comes next never sees an empty text.

#![expect(clippy::print_stderr, reason = "an example talks to whoever runs it")]

use dehusk::Config;
use dehusk::config::{Format, OnBadRecord};
use dehusk::run::Run;

fn main() -> anyhow::Result<()> {
    let config = Config {
        format: Format::Jsonl,
        text_field: std::env::args().nth(1).unwrap_or_else(|| "text".into()),
        on_bad_record: OnBadRecord::Skip,
        drop_empty: true,
        ..Config::default()
    };
    let report = match Run::new(&config, &())?.stream(std::io::stdin(), &mut std::io::stdout()) {
        // Whoever reads our output has enough of it, as `head` does.
        Err(error) if error.is_broken_pipe() => return Ok(()),
        outcome => outcome?,
    };
    let totals = &report.totals;
    eprintln!(
        "{} documents, of which {} as they were and {} dropped; {} bad records skipped; {:.1} % of the text removed",
        totals.documents,
        totals.documents_unchanged,
        totals.documents_dropped,
        totals.bad_records,
        100.0 * report.removed_share()
    );
    for bad in report.bad_records {
        eprintln!("skipped {bad}");
    }
    Ok(())
}
