//! `dehusk learn`.

use crate::args::{ListArgs, is_dash};
use crate::clean::counted;
use crate::terminal::{self, Screen};
use crate::{BAD, FINE, print};
use dehusk::Config;
use dehusk::run::learn as learn_from;
use std::path::{Path, PathBuf};

pub(crate) fn learn(inputs: &[PathBuf], list: &ListArgs, facts: Option<&Path>, config: &Config) -> anyhow::Result<u8> {
    terminal::set_color(config.color);
    let screen = Screen::new(config);
    if inputs.iter().any(|input| is_dash(input)) {
        terminal::error("learn reads files only; save the input to a file, and name that");
        return Ok(crate::USAGE);
    }
    if config.output.is_none() && !config.dry_run {
        terminal::error("no output; say where the pack goes with -o, or - for standard output");
        return Ok(crate::USAGE);
    }
    let to_stdout = config.output.as_deref().is_some_and(is_dash);
    let config = Config { output: config.output.clone().filter(|_| !to_stdout), ..config.clone() };
    let learned = learn_from(&config, list.resolve(inputs)?, facts, &screen)?;
    if to_stdout && !config.dry_run {
        print(learned.pack.as_bytes())?;
    }
    for failed in &learned.failed_files {
        terminal::error(failed);
    }
    if config.quiet
        && let Some(first) = learned.bad_records.first()
    {
        let n_bad = counted(learned.bad_records.len() as u64, "bad record");
        terminal::warn(&format!("{n_bad}, the first: {first}"));
    }
    if !config.quiet {
        let mut said = format!(
            "learned {} of {} from {} of {}",
            counted(learned.n_templates(), "template"),
            counted(learned.sites.len() as u64, "site"),
            counted(learned.n_documents, "page"),
            counted(learned.n_sites, "site"),
        );
        if learned.n_without_site > 0 {
            said.push_str(&format!("; {} without a site", counted(learned.n_without_site, "document")));
        }
        terminal::say(&said);
        if config.verbose > 0 {
            for site in &learned.sites {
                let (templates, pages) = (site.templates.len() as u64, u64::from(site.documents));
                let (templates, pages) = (counted(templates, "template"), counted(pages, "page"));
                terminal::say(&format!("{templates} from {pages}  {}", terminal::printable(&site.site)));
            }
        }
    }
    Ok(if learned.is_fine() { FINE } else { BAD })
}
