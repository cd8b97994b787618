//! The command `dehusk`: flags in, messages out; the work is the library's.

mod args;
mod clean;
mod eval;
mod explain;
mod index;
mod learn;
mod packs;
mod terminal;
mod train;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use clean::counted;
use std::io::Write;
use std::process::ExitCode;

/// All is fine.
const FINE: u8 = 0;
/// Finished, but something was bad.
const BAD: u8 = 1;
/// The command or the configuration makes no sense.
const USAGE: u8 = 2;
/// Stopped before the end.
const STOPPED: u8 = 3;

fn main() -> ExitCode {
    let code = match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => fail(&error),
    };
    ExitCode::from(code)
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Clean { inputs, list, config } => clean::clean(&inputs, &list, &config.resolve()?),
        Command::Restore { cleaned, journal, output, force, quiet } => {
            let restored = dehusk::run::restore(&cleaned, &journal, &output, force)?;
            for failed in &restored.failed {
                terminal::error(failed);
            }
            if !quiet {
                let (files, cuts) = (counted(restored.files, "file"), counted(restored.cuts, "cut"));
                terminal::say(&format!("restored {files}, put {cuts} back"));
            }
            Ok(if restored.failed.is_empty() { FINE } else { BAD })
        }
        Command::Explain { file, among, config } => explain::explain(&file, &among, &config.resolve()?),
        Command::Eval { gold, folds, by, json, config } => {
            eval::eval(&gold, &eval::How { folds, by, is_json: json }, &config.resolve()?)
        }
        Command::Learn { inputs, list, facts, config } => {
            learn::learn(&inputs, &list, facts.as_deref(), &config.resolve()?)
        }
        Command::Train { gold, output, seed, force, quiet } => train::train(&gold, &output, seed, force, quiet),
        Command::Packs(command) => packs::packs(command),
        Command::Index(command) => index::index(command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "dehusk", &mut script);
            print(&script)
        }
        Command::Man { command } => man(command.as_deref()),
    }
}

fn man(command: Option<&str>) -> anyhow::Result<u8> {
    let mut cli = Cli::command();
    cli.build();
    let page = match command {
        None => cli,
        Some(name) => match cli.find_subcommand(name) {
            Some(found) => found.clone(),
            None => {
                terminal::error(&format!("no command {name:?}; dehusk --help lists them"));
                return Ok(USAGE);
            }
        },
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    print(&text)
}

/// Writes to standard output.
fn print(bytes: &[u8]) -> anyhow::Result<u8> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(FINE)
}

/// Tells an error, and says which exit code it is.
fn fail(error: &anyhow::Error) -> u8 {
    let is_broken_pipe = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    if error.downcast_ref::<std::io::Error>().is_some_and(is_broken_pipe) {
        return FINE;
    }
    let known = error.downcast_ref::<dehusk::Error>();
    if known.is_some_and(dehusk::Error::is_broken_pipe) {
        return FINE;
    }
    terminal::error(&error.to_string());
    match known {
        Some(error) if error.is_usage() || error.is_config() || error.is_pack() => USAGE,
        _ => STOPPED,
    }
}
