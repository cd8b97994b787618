//! Writes a made-up scraped corpus for benches and for trying dehusk out.
//!
//! `cargo run --release --example make_corpus -- --bytes 1GiB --seed 1 --form jsonl --count 8 OUT`

#[path = "mod.rs"]
mod corpus;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use corpus::{Corpus, Stats};

/// Writes a made-up scraped corpus and prints its statistics.
#[derive(Parser)]
struct Args {
    /// How much text, such as 8MiB, 1GiB, 500MB or 1000000
    #[arg(long, value_parser = parse_bytes)]
    bytes: u64,
    /// Which corpus; the same number gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What to write
    #[arg(long, value_enum, default_value_t = Form::One)]
    form: Form,
    /// How many shards (else 1), or the most files to write (else as many as the text needs)
    #[arg(long, value_name = "N", value_parser = parse_count)]
    count: Option<usize>,
    /// The folder to write, or the file for `one`; it must not exist yet, or be empty
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// One page a file, in a folder for each site
    Files,
    /// Shards of JSONL, one page a record
    Jsonl,
    /// Shards of plain text
    Shards,
    /// One file of plain text
    One,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let written = write(&args).and_then(|stats| writeln!(io::stdout().lock(), "{stats}"));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done if stderr is closed too.
            let _ = writeln!(io::stderr().lock(), "make_corpus: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(args: &Args) -> io::Result<Stats> {
    refuse_taken(&args.out)?;
    let corpus = Corpus::new(args.seed, args.bytes);
    match args.form {
        Form::Files => corpus.write_text_files(&args.out, args.count.unwrap_or(usize::MAX)),
        Form::Jsonl => corpus.write_jsonl_shards(&args.out, args.count.unwrap_or(1)),
        Form::Shards => corpus.write_text_shards(&args.out, args.count.unwrap_or(1)),
        Form::One => corpus.write_one_file(&args.out),
    }
}

/// Errs when something stands where the corpus is to go.
fn refuse_taken(out: &Path) -> io::Result<()> {
    let is_taken = match fs::metadata(out) {
        Ok(found) if found.is_dir() => fs::read_dir(out)?.next().is_some(),
        Ok(found) => found.len() > 0,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if is_taken {
        let message = format!("{}: exists and is not empty; name another, or remove it first", out.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    Ok(())
}

/// Reads a size: digits, then nothing or a unit.
fn parse_bytes(given: &str) -> Result<u64, String> {
    let n_digits = given.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, unit) = given.split_at(n_digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => {
            return Err(format!("unknown unit {unit:?}; write KB, MB, GB, KiB, MiB or GiB"));
        }
    };
    let number: u64 = digits.parse().map_err(|_| "not a size; write one such as 256MiB".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "too large; give less than 16 EiB".to_owned())
}

fn parse_count(given: &str) -> Result<usize, String> {
    match given.parse() {
        Ok(0) | Err(_) => Err("not a count; write a whole number from 1".to_owned()),
        Ok(count) => Ok(count),
    }
}
