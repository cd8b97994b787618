//! How fast an index on disk takes fingerprints: `cargo run --release --example index_speed -- FOLDER [KEYS] [--no-owners]`.
//!
//! Random fingerprints, of which three in ten were claimed before, are claimed in batches of 10,000, each of them committed (put on
//! the disk). Then a crawl goes on with that index: pages of 40 lines, of which twelve were seen before. What every claim must answer is
//! known, and compared. Processor time and memory are of the whole process: `/usr/bin/time -v` says the same.

use anyhow::{Context, Result, ensure};
use dehusk::fingerprint::Fingerprint;
use dehusk::index::{Claims, Known, Owner};
use dehusk::{Config, Crawl, Document, Index};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const BATCH: u64 = 10_000;
/// So many fingerprints in a row have one owner.
const KEYS_PER_OWNER: u64 = 20;
const PAGES: u64 = 10_000;

fn main() -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let keeps_owners = !arguments.iter().any(|argument| argument == "--no-owners");
    arguments.retain(|argument| argument != "--no-owners");
    let folder = PathBuf::from(arguments.first().context("name a folder that is empty or not there")?);
    let n_keys: u64 = arguments.get(1).map_or(Ok(5_000_000), |keys| keys.parse())?;
    ensure!(!folder.exists() || folder.read_dir()?.next().is_none(), "the folder is not empty");

    let crawl = Crawl::open(&folder, &Config::default())?;
    let without_owners =
        if keeps_owners { None } else { Some(Index::options().owners(false).open(folder.join("keys"))?) };
    let index = without_owners.as_ref().unwrap_or_else(|| crawl.index());
    let mut keys = Keys { random: 1, n_distinct: 0 };
    let begun = (Instant::now(), cpu()?);
    let mut batches = Vec::new();
    let (mut batch, mut numbers, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    let mut making = Duration::ZERO;
    for _ in 0..n_keys / BATCH {
        let made = Instant::now();
        batch.clear();
        numbers.clear();
        for _ in 0..BATCH {
            let (number, is_new) = keys.next();
            batch.push((key(number), owner(keys.n_distinct)?));
            numbers.push((number, is_new));
        }
        making += made.elapsed();
        let claimed = Instant::now();
        owners.clear();
        index.claim(&batch, &mut owners)?;
        index.commit()?;
        batches.push(claimed.elapsed());
        let compared = Instant::now();
        for (((number, is_new), (_, claimer)), found) in numbers.iter().zip(&batch).zip(&owners) {
            let first = owner(number + 1)?;
            let is_right = if keeps_owners { *found == first } else { (*found == *claimer) || !is_new };
            ensure!(is_right, "fingerprint {number}: {found:?} has it, and should {first:?}");
        }
        making += compared.elapsed();
    }
    let (seconds, cpu_seconds) = (begun.0.elapsed().as_secs_f64(), cpu()? - begun.1);
    ensure!(index.len() as u64 == keys.n_distinct, "{} fingerprints, and not {}", index.len(), keys.n_distinct);
    let thousands = n_keys as f64 / 1e3;
    writeln!(out, "claims           {n_keys}, of which {} new", keys.n_distinct)?;
    let (seconds, cpu_seconds) = (seconds - making.as_secs_f64(), cpu_seconds - making.as_secs_f64());
    writeln!(
        out,
        "processor time   {cpu_seconds:.1} s, without {:.1} s for making keys and comparing",
        making.as_secs_f64()
    )?;
    writeln!(
        out,
        "speed            {:.0} thousand a processor second, {:.0} a second",
        thousands / cpu_seconds,
        thousands / seconds
    )?;
    tell("batch", &mut batches, &mut out)?;
    writeln!(
        out,
        "memory           {} MiB now, {} MiB at most, {} MiB of them not of files",
        memory("VmRSS:")?,
        memory("VmHWM:")?,
        memory("RssAnon:")?
    )?;

    let mut pages = Vec::new();
    for page in 0..PAGES {
        let line = |line: u64| {
            let number = if line % 10 < 3 { page * 7 % 100 + line } else { 1_000_000 + page * 40 + line };
            // Of different lengths, lest they look like lines that a program wrapped.
            let more = "which other pages may have as well, ".repeat(usize::try_from(number % 5).unwrap_or(0));
            format!("This is line {number}, a sentence that somebody wrote {number} times, {more}and that is all.\n")
        };
        let (text, url) = ((0..40).map(line).collect::<String>(), format!("https://site-{}.example/{page}", page % 50));
        let asked = Instant::now();
        let cleaned = crawl.clean(&Document { url: Some(&url), ..Document::new(&text) })?;
        pages.push(asked.elapsed());
        ensure!(page < 200 || cleaned.cuts().len() >= 12, "page {page} lost {} lines", cleaned.cuts().len());
    }
    tell("page", &mut pages, &mut out)?;
    index.commit()?;
    index.settle()?;
    let of_keys = if keeps_owners { folder } else { folder.join("keys") };
    let bytes = folder_bytes(&of_keys, |name| name != "documents")?;
    writeln!(out, "on disk          {:.2} bytes a fingerprint", bytes as f64 / index.len() as f64)?;
    Ok(())
}

/// Which fingerprints come.
struct Keys {
    random: u64,
    n_distinct: u64,
}

impl Keys {
    /// The number of the next, and whether it is new.
    fn next(&mut self) -> (u64, bool) {
        if self.n_distinct > 0 && self.random() % 10 < 3 {
            return (self.random() % self.n_distinct, false);
        }
        self.n_distinct += 1;
        (self.n_distinct - 1, true)
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.random)
    }
}

fn key(number: u64) -> Fingerprint {
    let halves = [mixed(number ^ 0x5851_F42D_4C95_7F2D), mixed(number.wrapping_mul(0xD6E8_FEB8_6659_FD93) + 7)];
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&halves[0].to_le_bytes());
    bytes[8..].copy_from_slice(&halves[1].to_le_bytes());
    Fingerprint::from_bytes(bytes)
}

/// The finisher of `SplitMix64`.
fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

fn owner(n_distinct: u64) -> Result<Owner> {
    Owner::new(n_distinct.div_ceil(KEYS_PER_OWNER)).context("there are not so many owners")
}

fn tell(what: &str, times: &mut [Duration], out: &mut impl Write) -> Result<()> {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let [median, high, worst] = [50, 99, 100].map(|percent| at(percent).as_secs_f64() * 1e3);
    writeln!(out, "{what:16} {median:.3} ms in the median, {high:.3} at 99 %, {worst:.3} at worst")?;
    Ok(())
}

/// The processor time of this process and its threads, in seconds; on Linux.
fn cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("only Linux says what a process takes")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: Option<u64> =
        fields.get(11..13).and_then(|both| both.iter().map(|ticks| ticks.parse::<u64>().ok()).sum());
    // A tick is a hundredth of a second wherever Linux runs.
    Ok(ticks.context("the times are not where they should be")? as f64 / 100.0)
}

/// What `/proc` says of the memory, in MiB.
fn memory(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("the memory is not told")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

fn folder_bytes(folder: &Path, counts: impl Fn(&std::ffi::OsStr) -> bool) -> Result<u64> {
    let entries = folder.read_dir()?.filter(|entry| entry.as_ref().map_or(true, |entry| counts(&entry.file_name())));
    entries.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
