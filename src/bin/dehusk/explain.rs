//! `dehusk explain`.

use crate::args::expanded;
use crate::{FINE, terminal};
use anstyle::{AnsiColor, Style};
use dehusk::run::{Explained, Run};
use dehusk::{Config, Level};
use std::io::Write;
use std::path::{Path, PathBuf};

const GONE: Style = AnsiColor::Red.on_default().strikethrough();
const WHY: Style = AnsiColor::Cyan.on_default();
const DIM: Style = Style::new().dimmed();

pub(crate) fn explain(file: &Path, among: &[PathBuf], config: &Config) -> anyhow::Result<u8> {
    terminal::set_color(config.color);
    let run = Run::new(config, &())?;
    let mut stdout = anstream::stdout().lock();
    let mut written = Ok(());
    let mut record = 0;
    run.explain(expanded(among)?, file, &mut |explained| {
        if written.is_ok() {
            written = show(&mut stdout, explained, config.level > Level::Rules, &mut record);
        }
    })?;
    written?;
    stdout.flush()?;
    Ok(FINE)
}

fn show(out: &mut impl Write, explained: &Explained<'_>, is_scored: bool, record: &mut u64) -> std::io::Result<()> {
    if explained.record != *record {
        if *record > 0 || explained.record > 1 {
            writeln!(out, "{DIM}record {}{DIM:#}", explained.record)?;
        }
        *record = explained.record;
    }
    let stays = explained.pieces.iter().any(|piece| piece.reason.is_none());
    let goes = explained.pieces.iter().any(|piece| piece.reason.is_some());
    let mark = match (stays, goes) {
        (_, false) => ' ',
        (false, true) => '-',
        (true, true) => '~',
    };
    write!(out, "{DIM}{:>6}", explained.line)?;
    if is_scored {
        let score = explained.score.map_or_else(String::new, |score| score.to_string());
        write!(out, " {score:>5}")?;
    }
    write!(out, "{DIM:#} {mark} ")?;
    let mut reasons: Vec<&str> = Vec::new();
    for piece in explained.pieces {
        let text = String::from_utf8_lossy(&piece.text);
        let text = terminal::printable(text.trim_end_matches(['\n', '\r'])).replace('\n', "\n         ");
        match &piece.reason {
            Some(reason) => {
                write!(out, "{GONE}{text}{GONE:#}")?;
                if !reasons.contains(&reason.as_str()) {
                    reasons.push(reason);
                }
            }
            None => write!(out, "{text}")?,
        }
    }
    if !reasons.is_empty() {
        write!(out, "  {WHY}[{}]{WHY:#}", reasons.join("; "))?;
    }
    writeln!(out)
}
