//! `dehusk train`.

use crate::clean::counted;
use crate::{FINE, terminal};
use dehusk::Config;
use dehusk::eval::Gold;
use std::path::Path;

pub(crate) fn train(gold: &Path, output: &Path, seed: u64, force: bool, quiet: bool) -> anyhow::Result<u8> {
    let gold = Gold::read(gold, &Config::default())?;
    let pages: Vec<_> = gold.pages().iter().collect();
    let learned = dehusk::train::learn_to(&pages, seed, output, force)?;
    if !quiet {
        let (pages, lines) = (counted(learned.pages as u64, "page"), counted(learned.lines as u64, "line"));
        terminal::say(&format!("learned from {pages} and {lines}; data {}", &learned.data[..16]));
    }
    Ok(FINE)
}
