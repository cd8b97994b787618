//! `dehusk clean`.

use crate::args::{ListArgs, is_dash};
use crate::terminal::{self, Screen};
use crate::{BAD, FINE};
use dehusk::Config;
use dehusk::run::{Report, Run, Tally};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) fn clean(inputs: &[PathBuf], list: &ListArgs, config: &Config) -> anyhow::Result<u8> {
    terminal::set_color(config.color);
    let screen = Screen::new(config);
    screen.heed_signals()?;
    let to_stdout = config.output.as_deref().is_some_and(is_dash);
    let config = Config { output: config.output.clone().filter(|_| !to_stdout), ..config.clone() };
    let run = Run::new(&config, &screen)?;
    let mut stdout = std::io::stdout();
    let report = if inputs.iter().any(|input| is_dash(input)) {
        if inputs.len() > 1 || list.is_given() {
            terminal::error("standard input goes with no other input; clean them one by one");
            return Ok(crate::USAGE);
        }
        run.stream(std::io::stdin(), &mut stdout)?
    } else if to_stdout && !config.dry_run {
        run.files_to(list.resolve(inputs)?, &mut stdout)?
    } else {
        run.files(list.resolve(inputs)?)?
    };
    for limit in &report.limits_crossed {
        terminal::warn(&format!("limit crossed: {limit}"));
    }
    for failed in &report.failed_files {
        terminal::error(failed);
    }
    if let Some(first) = report.undecoded.first() {
        let documents = counted(report.totals.documents_undecoded, "document");
        let what = "with bytes that could not be decoded, which stay as they are";
        terminal::warn(&format!("{documents} {what}, the first: {first}; see --encoding"));
    }
    if report.unfinished {
        terminal::error("the run is unfinished; put right what failed, then go on with the same command and --resume");
    }
    if config.quiet
        && let Some(first) = report.bad_records.first()
    {
        // They were not told as they came, but the exit code is not left unexplained.
        terminal::warn(&format!("{}, the first: {first}", counted(report.totals.bad_records, "bad record")));
    }
    if config.dry_run {
        stdout.write_all(would_go(&report).as_bytes())?;
        stdout.flush()?;
    }
    if !config.quiet {
        terminal::say(&summary(&report));
        if config.verbose > 0 {
            terminal::say(&by_rule(&report));
        }
    }
    Ok(if report.is_fine() { FINE } else { BAD })
}

/// What would go, by how many bytes it takes.
fn would_go(report: &Report) -> String {
    let mut table = format!("{:>12} {:>8}  what would go\n", "bytes", "blocks");
    if report.are_tops_too_many {
        table.push_str("               too many different blocks to compare in the memory that is allowed\n");
    }
    for top in &report.top_removed {
        let text = terminal::printable(top.text.lines().next().unwrap_or_default());
        let (bytes, blocks) = (grouped(top.bytes), grouped(top.blocks));
        let _ = writeln!(table, "{bytes:>12} {blocks:>8}  {text}\n{:>23}  {} ({})", "", top.place, top.reason);
    }
    table
}

fn summary(report: &Report) -> String {
    let totals = &report.totals;
    let removed = &report.removed;
    let by_rules: u64 = removed.rules.values().map(|tally| tally.blocks).sum();
    let mut text = format!(
        "{} {}, {}: {} of {} bytes of text {} ({:.1} %), {} by rules, {}, {} of copies",
        if report.dry_run { "looked at" } else { "cleaned" },
        counted(totals.files, "file"),
        counted(totals.documents, "document"),
        grouped(totals.text_bytes_removed),
        grouped(totals.text_bytes),
        if report.dry_run { "would go" } else { "removed" },
        100.0 * report.removed_share(),
        counted(by_rules, "block"),
        counted(removed.repeats.blocks, "repeat"),
        grouped(removed.copies.blocks),
    );
    for (tally, what) in [
        (removed.scores, "by scores"),
        (removed.templates, "by templates of their sites"),
        (removed.running, "as running headers and footers"),
    ] {
        if tally.blocks > 0 {
            let _ = write!(text, ", {} {what}", grouped(tally.blocks));
        }
    }
    for (number, thing, what) in [
        (totals.documents_emptied, "document", "left without text"),
        (totals.documents_dropped, "document", "dropped as empty"),
        (totals.bad_records, "record", "bad"),
        (totals.documents_undecoded, "document", "not all decoded"),
        (totals.records_left_out, "record", "left out, being no documents"),
        (report.failed_files.len() as u64, "file", "failed"),
        (totals.files_passed_over, "file", "passed over, of no known format by name (--format takes any)"),
    ] {
        if number > 0 {
            let _ = write!(text, "; {} {what}", counted(number, thing));
        }
    }
    let _ = write!(text, "; {:.2} s", report.times.seconds);
    text
}

fn by_rule(report: &Report) -> String {
    let mut rules: Vec<(&String, &Tally)> = report.removed.rules.iter().collect();
    rules.sort_by_key(|(id, tally)| (std::cmp::Reverse(tally.bytes), id.as_str()));
    let lines = rules
        .iter()
        .map(|(id, tally)| format!("{:>12} bytes {:>8} blocks  {id}", grouped(tally.bytes), grouped(tally.blocks)));
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
