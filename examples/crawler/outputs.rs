//! What a crawl leaves on the disk: files that only grow, and a state that says how far they count.

use crate::Visit;
use anyhow::{Context, bail, ensure};
use dehusk::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use url::Url;

const STATE: &str = "state.json";
/// A line with address and text for each page.
const PAGES: &str = "pages.jsonl";
/// A `conversion` record for each page.
const WARC: &str = "pages.warc";
/// All addresses that were found, a line each, in the order in which they are visited.
const FRONTIER: &str = "frontier.txt";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// So many lines of the frontier were visited.
    visited: usize,
    /// So many of those were pages.
    pages: usize,
    jsonl_bytes: u64,
    warc_bytes: u64,
    frontier_bytes: u64,
}

pub(crate) struct Outputs {
    folder: PathBuf,
    state: State,
    jsonl: File,
    warc: File,
    frontier: File,
}

impl Outputs {
    /// Opens what an earlier crawl left, cut off where its last state says, or begins. Gives also the addresses that are known.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<(Self, Vec<Url>)> {
        let state = match fs::read(folder.join(STATE)) {
            Ok(state) => serde_json::from_slice(&state).context("state.json is none of a crawl")?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => begin(folder)?,
            Err(error) => return Err(error).context("state.json cannot be read"),
        };
        let jsonl = open_cut(&folder.join(PAGES), state.jsonl_bytes)?;
        let warc = open_cut(&folder.join(WARC), state.warc_bytes)?;
        let mut frontier = open_cut(&folder.join(FRONTIER), state.frontier_bytes)?;
        let mut lines = String::new();
        frontier.read_to_string(&mut lines).context("the frontier cannot be read")?;
        let known = lines.lines().map(Url::parse).collect::<Result<_, _>>().context("the frontier is damaged")?;
        Ok((Outputs { folder: folder.into(), state, jsonl, warc, frontier }, known))
    }

    pub(crate) fn visited(&self) -> usize {
        self.state.visited
    }

    pub(crate) fn pages(&self) -> usize {
        self.state.pages
    }

    /// Writes down what became of a round. What pages claimed must be committed; when this returns, the round is done for ever.
    pub(crate) fn add(&mut self, visits: &[Visit], found: &[Url]) -> anyhow::Result<()> {
        let (mut jsonl, mut warc) = (Vec::new(), Vec::new());
        if self.state.warc_bytes == 0 {
            let about = "software: the example crawler of dehusk\r\nformat: WARC File Format 1.1\r\n";
            write_record(&mut warc, "warcinfo", None, SystemTime::now(), "application/warc-fields", about)?;
        }
        for visit in visits {
            let Some(text) = &visit.text else { continue };
            let url = visit.url.as_str();
            serde_json::to_writer(&mut jsonl, &Line { url, text })?;
            jsonl.push(b'\n');
            write_record(&mut warc, "conversion", Some(url), visit.at, "text/plain; charset=utf-8", text)?;
            self.state.pages += 1;
        }
        let found: String = found.iter().map(|url| format!("{url}\n")).collect();
        self.state.visited += visits.len();
        self.state.jsonl_bytes += append(&mut self.jsonl, &jsonl)?;
        self.state.warc_bytes += append(&mut self.warc, &warc)?;
        self.state.frontier_bytes += append(&mut self.frontier, found.as_bytes())?;
        self.state.save(&self.folder)
    }
}

#[derive(Serialize)]
struct Line<'v> {
    url: &'v str,
    text: &'v str,
}

/// Begins a crawl in a folder that has none. The state comes before the files: where it is, they are ours to cut.
fn begin(folder: &Path) -> anyhow::Result<State> {
    for name in [PAGES, WARC, FRONTIER] {
        if folder.join(name).exists() {
            bail!("{} is there, and no {STATE}; name another folder", folder.join(name).display());
        }
    }
    let state = State::default();
    state.save(folder)?;
    Ok(state)
}

impl State {
    /// Puts it in the place of the one before, whole or not at all.
    #[expect(clippy::disallowed_methods, reason = "it is renamed when it is whole and on the disk")]
    fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let unfinished = folder.join("state.json.new");
        let mut file = File::create(&unfinished)?;
        serde_json::to_writer(&mut file, self)?;
        file.sync_all()?;
        fs::rename(unfinished, folder.join(STATE))?;
        // The names of new files, and this one, are on the disk when their folder is.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}

/// Opens a file to append to, and cuts off what came after the last state.
fn open_cut(path: &Path, n_bytes: u64) -> anyhow::Result<File> {
    let file = File::options().create(true).read(true).append(true).open(path);
    let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
    ensure!(file.metadata()?.len() >= n_bytes, "{} is shorter than it was; somebody changed it", path.display());
    file.set_len(n_bytes)?;
    Ok(file)
}

/// Appends, waits for the disk, and says how much it was.
fn append(file: &mut File, bytes: &[u8]) -> anyhow::Result<u64> {
    file.write_all(bytes)?;
    file.sync_data()?;
    Ok(u64::try_from(bytes.len())?)
}

fn write_record(
    out: &mut Vec<u8>,
    kind: &str,
    url: Option<&str>,
    at: SystemTime,
    mime_type: &str,
    content: &str,
) -> anyhow::Result<()> {
    let date = humantime::format_rfc3339_seconds(at);
    let id = record_id(&format!("{kind} {} {}", url.unwrap_or_default(), humantime::format_rfc3339_nanos(at)))?;
    write!(out, "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{id}>\r\nWARC-Date: {date}\r\n")?;
    if let Some(url) = url {
        write!(out, "WARC-Target-URI: {url}\r\n")?;
    }
    write!(out, "Content-Type: {mime_type}\r\nContent-Length: {}\r\n\r\n{content}\r\n\r\n", content.len())?;
    Ok(())
}

/// A UUID (of version 8, made of a hash) that no other record has.
fn record_id(unique: &str) -> anyhow::Result<String> {
    let mut bytes = *Fingerprint::of(unique.as_bytes()).as_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut id = String::new();
    for (byte_idx, byte) in bytes.iter().enumerate() {
        if matches!(byte_idx, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        write!(id, "{byte:02x}")?;
    }
    Ok(id)
}
