//! A small crawler that cleans what it fetches, and can be killed at any moment and started again.
//!
//! ```sh
//! cargo run --release --example crawler -- http://www.example.org/ -o crawled --pages 500 --threads 8
//! ```
//!
//! It begins at the pages that it is told and stays on their hosts, one request at a time for each, heeds robots.txt, and makes
//! text of HTML. What the [`Crawl`] leaves of each page becomes a line of `pages.jsonl` and a record of `pages.warc`. The same
//! command again goes on where the last one ended, however it ended; with more `--pages` it goes on further.
//!
//! Pages are taken in rounds. After each round comes what makes that safe, in this order: the index is committed; outputs and
//! the new addresses are appended and put on the disk; a new state says how far all of them go. Whoever starts cuts the
//! files off where the state says. What came after is fetched again, and comes out as it did: its claims are
//! its own, if they are there at all. With one thread even the order is the same.
//!
//! Left out for shortness: trying again what could not be fetched, sitemaps, `noindex`, TLS (see `Cargo.toml`), and a frontier
//! that is larger than the memory.

#![expect(clippy::print_stderr, reason = "an example talks to whoever runs it")]

mod fetch;
mod outputs;
mod page;

use anyhow::Context;
use clap::Parser;
use dehusk::{Config, Crawl, Document};
use fetch::{Fetched, Fetcher, Host};
use outputs::Outputs;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime};
use url::Url;

#[derive(Debug, Parser)]
struct Options {
    /// Where to begin; the crawl stays on the hosts of these pages
    #[arg(required = true)]
    seeds: Vec<Url>,
    /// The folder for outputs, index and state
    #[arg(short, long)]
    output: PathBuf,
    /// End after so many pages
    #[arg(long, default_value_t = 1000)]
    pages: usize,
    /// Addresses that are taken between two states
    #[arg(long, default_value = "64")]
    round: NonZeroUsize,
    #[arg(long, default_value = "4")]
    threads: NonZeroUsize,
    /// Seconds between two requests to a host, if its robots.txt does not say
    #[arg(long, default_value_t = 0.5)]
    delay: f64,
    /// Who asks; what stands before the slash is looked for in robots.txt
    #[arg(long, default_value = "dehusk-example-crawler/0.1")]
    agent: String,
    /// Pages with more bytes are left out
    #[arg(long, default_value_t = 2 << 20)]
    max_bytes: u64,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let delay = Duration::try_from_secs_f64(options.delay).context("--delay is no number of seconds")?;
    let fetcher = Fetcher::new(&options.agent, delay, options.max_bytes);
    // The index first: its lock keeps a second crawler out of the folder.
    let crawl = Crawl::open(options.output.join("index"), &Config::default())?.commit_every(None);
    let (mut outputs, known) = Outputs::open(&options.output)?;
    let mut frontier = Frontier::new(&options.seeds, known, outputs.visited());
    outputs.add(&[], &frontier.found)?;

    let mut hosts = BTreeMap::new();
    while outputs.pages() < options.pages {
        let n_wanted = options.round.get().min(options.pages - outputs.pages());
        let round = frontier.take(n_wanted);
        if round.is_empty() {
            break;
        }
        let visits = visit_all(round, &mut hosts, &fetcher, &crawl, options.threads)?;
        frontier.found.clear();
        visits.iter().flat_map(|visit| &visit.links).for_each(|link| frontier.add(link));
        crawl.commit()?;
        outputs.add(&visits, &frontier.found)?;
        eprintln!("{} pages, {} addresses to visit", outputs.pages(), frontier.known.len() - outputs.visited());
    }
    Ok(())
}

/// The addresses that were found so far, each once, in the order in which they were; those from some number on are to be visited.
struct Frontier {
    origins: BTreeSet<String>,
    known: HashSet<String>,
    /// In order, from the first that was not visited.
    waiting: VecDeque<Url>,
    /// Since the last state.
    found: Vec<Url>,
}

impl Frontier {
    fn new(seeds: &[Url], known: Vec<Url>, n_visited: usize) -> Self {
        let mut frontier = Frontier {
            origins: seeds.iter().map(origin_of).collect(),
            known: known.iter().map(Url::to_string).collect(),
            waiting: known.into_iter().skip(n_visited).collect(),
            found: Vec::new(),
        };
        seeds.iter().for_each(|seed| frontier.add(seed));
        frontier
    }

    /// Takes in an address that is new and on one of the hosts.
    fn add(&mut self, url: &Url) {
        let mut url = url.clone();
        url.set_fragment(None);
        let is_ours = matches!(url.scheme(), "http" | "https") && self.origins.contains(&origin_of(&url));
        if is_ours && self.known.insert(url.to_string()) {
            self.waiting.push_back(url.clone());
            self.found.push(url);
        }
    }

    fn take(&mut self, n_wanted: usize) -> Vec<Url> {
        self.waiting.drain(..n_wanted.min(self.waiting.len())).collect()
    }
}

/// Scheme, host and port: what robots.txt speaks for.
fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// What became of an address.
struct Visit {
    url: Url,
    at: SystemTime,
    /// What is left of the page, if there was one.
    text: Option<String>,
    links: Vec<Url>,
}

/// The addresses of a round that are on one host, which one thread takes one after the other.
struct Share {
    host: Host,
    urls: Vec<(usize, Url)>,
    visits: Vec<(usize, Visit)>,
}

/// Visits all addresses, each host by one thread at a time; the outcome has their order.
fn visit_all(
    round: Vec<Url>,
    hosts: &mut BTreeMap<String, Host>,
    fetcher: &Fetcher,
    crawl: &Crawl,
    n_threads: NonZeroUsize,
) -> anyhow::Result<Vec<Visit>> {
    let mut shares: BTreeMap<String, Share> = BTreeMap::new();
    for (number, url) in round.into_iter().enumerate() {
        let origin = origin_of(&url);
        let share = shares.entry(origin.clone()).or_insert_with(|| Share {
            host: hosts.remove(&origin).unwrap_or_default(),
            urls: Vec::new(),
            visits: Vec::new(),
        });
        share.urls.push((number, url));
    }
    let queue = Mutex::new(shares.values_mut());
    let work = || -> anyhow::Result<()> {
        loop {
            let Some(share) = queue.lock().expect("nobody panics while taking a share").next() else { return Ok(()) };
            for (number, url) in std::mem::take(&mut share.urls) {
                share.visits.push((number, visit(url, &mut share.host, fetcher, crawl)?));
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..n_threads.get()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    let mut visits = Vec::new();
    for (origin, share) in shares {
        hosts.insert(origin, share.host);
        visits.extend(share.visits);
    }
    visits.sort_by_key(|(number, _)| *number);
    Ok(visits.into_iter().map(|(_, visit)| visit).collect())
}

/// Fetches a page and cleans it. What cannot be fetched is told, and no error: the crawl goes on.
fn visit(url: Url, host: &mut Host, fetcher: &Fetcher, crawl: &Crawl) -> anyhow::Result<Visit> {
    let fetched = fetcher.fetch(&url, host);
    let mut visit = Visit { url, at: SystemTime::now(), text: None, links: Vec::new() };
    match fetched {
        Fetched::Html(html) => {
            let page = page::read(&html, &visit.url);
            let document = Document { url: Some(visit.url.as_str()), ..Document::new(&page.text) };
            visit.text = Some(String::from_utf8(crawl.clean(&document)?.into_text())?);
            visit.links = page.links;
        }
        // Where it leads is an address like others: on our hosts or not, allowed or not, known or not.
        Fetched::Moved(to) => visit.links.push(to),
        Fetched::Nothing(why) => eprintln!("{}: {why}", visit.url),
    }
    Ok(visit)
}
