//! Sites whose pages came, from run to run and in a crawl: facts of some pages of each, and the templates that follow from them.
//!
//! ```text
//! file      a log beside the index: an entry with the versions, then one for each commit
//! entry     the number of the commit 8 │ what happened, in order
//! a page    bytes of its site's name 4 │ lines 4 │ the name │ 8 bytes for each line that shows something
//! learning  the same, of a page of 2³² − 1 lines and without them: what follows goes by the templates of the pages so far
//! ```
//! Numbers are little-endian. Of each site the pages with the smallest identities are kept, which are a fair sample of all that came, in whatever
//! order. It is knowledge that no promise depends on: what a page lost to templates is kept with the page. So the file is not put on the disk by itself;
//! what a crash of the machine tears off is forgotten, and sites that were not met for longest go where there are too many. But where a process is killed,
//! what was not committed is as if it had not come, here too: a crawl that goes on knows what it knew then.

use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::log::{self, Log};
use crate::score::Level;
use crate::template::{FEW, LEARNED_VERSION, Line, SiteTemplates, identity, learn};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name of the file.
const NAME: &str = "sites";
/// The version of its format.
const FORMAT: u32 = 1;
/// So many pages of a site are kept.
const PAGES: usize = 128;
/// So many bytes of lines are kept of all sites.
const MOST_BYTES: usize = 64 << 20;
/// What a page and a site take besides their lines, more or less.
const PAGE_BYTES: usize = 64;

/// What is known of sites.
#[derive(Debug)]
pub(crate) struct Sites {
    state: Mutex<State>,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    sites: HashMap<Box<str>, Site>,
    /// What is kept takes so much.
    bytes: usize,
    /// How often sites were met.
    clock: u64,
    /// What was added and is not in the file yet.
    pending: Vec<u8>,
    /// The file, if it is written to.
    log: Option<Log>,
}

#[derive(Debug, Default)]
struct Site {
    pages: BTreeMap<Fingerprint, Arc<[Line]>>,
    /// The pages that templates are learned from.
    sample: Vec<Arc<[Line]>>,
    /// The templates, once they were asked for.
    templates: Option<Arc<SiteTemplates>>,
    /// How many pages were added since that sample was taken.
    n_new: usize,
    last_met: u64,
}

impl Site {
    /// Whether so much is new that its templates should be learned again.
    fn is_stale(&self) -> bool {
        self.pages.len() >= FEW && 4 * self.n_new >= self.pages.len()
    }

    fn take_sample(&mut self) {
        (self.sample, self.templates, self.n_new) = (self.pages.values().cloned().collect(), None, 0);
    }
}

impl Sites {
    /// Reads what is known beside the index in a folder that has so many commits, and goes on with it if it is written to, which one process does
    /// at a time.
    pub(crate) fn open(index: &Path, n_commits: u64, writes: bool) -> Result<Self> {
        Self::open_with(index, n_commits, writes, MOST_BYTES)
    }

    /// The same, if a level removes what templates of sites are.
    pub(crate) fn open_for(level: Level, index: &Path, n_commits: u64, writes: bool) -> Result<Option<Self>> {
        (level >= Level::Safe).then(|| Self::open(index, n_commits, writes)).transpose()
    }

    fn open_with(index: &Path, n_commits: u64, writes: bool, most_bytes: usize) -> Result<Self> {
        let path = index.join(NAME);
        let sites = Sites { state: Mutex::default(), most_bytes };
        let head_of = |learned: u32| [FORMAT.to_le_bytes(), learned.to_le_bytes()].concat();
        let head = head_of(LEARNED_VERSION);
        let mut is_of_this_version = None;
        let mut end = 0;
        if path.exists() {
            end = log::read(&path, |entry, _| {
                let Some(is_of_this_version) = is_of_this_version else {
                    // Lines of earlier versions differ in what ends as a sentence or has numbers, which pages of then do not share with those of now.
                    let is_known = (1..=LEARNED_VERSION).any(|learned| entry == head_of(learned));
                    return Ok(*is_of_this_version.insert(is_known));
                };
                let damaged = || Error::damaged_index(&path, "an entry is none of sites");
                let (commit, events) = entry.split_first_chunk().ok_or_else(damaged)?;
                // What was written of a commit that never was goes.
                let is_committed = is_of_this_version && u64::from_le_bytes(*commit) <= n_commits;
                if is_committed {
                    sites.replay(events).ok_or_else(damaged)?;
                }
                Ok(is_committed)
            })?;
        }
        let is_of_this_version = is_of_this_version.unwrap_or(false);
        let mut state = sites.state();
        state.pending.clear();
        if writes && (!is_of_this_version || end > 4 * state.bytes as u64 + (1 << 20)) {
            let mut log = Log::create(&path)?;
            log.append(&[&head])?;
            state.log = Some(log);
            let State { sites, pending, .. } = &mut *state;
            for (name, site) in &*sites {
                site.sample.iter().for_each(|lines| write_event(name, Some(lines), pending));
                write_event(name, None, pending);
                site.pages.values().for_each(|lines| write_event(name, Some(lines), pending));
            }
        } else if writes {
            state.log = Some(Log::go_on(&path, end)?);
        }
        drop(state);
        Ok(sites)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever was left half-done is a page more or less.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets happen again what is written down, if it is that.
    fn replay(&self, mut events: &[u8]) -> Option<()> {
        while !events.is_empty() {
            let (site_bytes, rest) = events.split_first_chunk()?;
            let (n_lines, rest) = rest.split_first_chunk()?;
            let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*site_bytes) as usize)?;
            let name = std::str::from_utf8(name).ok()?;
            events = match u32::from_le_bytes(*n_lines) {
                LEARNING => {
                    if let Some(site) = self.state().sites.get_mut(name) {
                        site.take_sample();
                    }
                    rest
                }
                n_lines => {
                    let (lines, rest) = rest.split_at_checked((n_lines as usize).checked_mul(8)?)?;
                    let (lines, _) = lines.as_chunks::<8>();
                    let lines: Vec<Line> = lines.iter().map(|line| Line::from_bytes(*line)).collect();
                    self.add(name, &lines);
                    rest
                }
            };
        }
        Some(())
    }

    /// Adds a page of a site.
    pub(crate) fn add(&self, name: &str, lines: &[Line]) {
        let identity = identity(lines);
        let mut state = self.state();
        let State { sites, bytes, clock, pending, .. } = &mut *state;
        *clock += 1;
        let site = match sites.get_mut(name) {
            Some(site) => site,
            None => {
                *bytes += PAGE_BYTES + name.len();
                sites.entry(name.into()).or_default()
            }
        };
        site.last_met = *clock;
        let is_sampled =
            site.pages.len() < PAGES || site.pages.last_key_value().is_some_and(|(last, _)| identity < *last);
        if !is_sampled || site.pages.contains_key(&identity) {
            return;
        }
        site.pages.insert(identity, lines.into());
        site.n_new += 1;
        *bytes += page_bytes(lines);
        if site.pages.len() > PAGES
            && let Some((_, lines)) = site.pages.pop_last()
        {
            *bytes -= page_bytes(&lines);
        }
        write_event(name, Some(lines), pending);
        if *bytes > self.most_bytes {
            state.forget_some(self.most_bytes / 8 * 7);
        }
    }

    /// The templates of a site, as far as enough of its pages are known.
    pub(crate) fn templates(&self, name: &str) -> Arc<SiteTemplates> {
        let mut state = self.state();
        let State { sites, pending, .. } = &mut *state;
        let Some(site) = sites.get_mut(name) else { return Arc::default() };
        if site.is_stale() {
            site.take_sample();
            write_event(name, None, pending);
        }
        if let Some(templates) = &site.templates {
            return Arc::clone(templates);
        }
        let sample = site.sample.clone();
        // Learning takes no lock.
        drop(state);
        let templates = Arc::new(learn(&sample.iter().map(|lines| &**lines).collect::<Vec<_>>()));
        if let Some(site) = self.state().sites.get_mut(name) {
            site.templates = Some(Arc::clone(&templates));
        }
        templates
    }

    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().sites.is_empty()
    }

    /// Adds all pages that another knows, its sites as they were met there.
    pub(crate) fn take_in(&self, other: &Sites) {
        let other = other.state();
        let mut sites: Vec<_> = other.sites.iter().collect();
        sites.sort_unstable_by_key(|(_, site)| site.last_met);
        for (name, site) in sites {
            site.pages.values().for_each(|lines| self.add(name, lines));
        }
    }

    /// The pages that are known of a site, by their identities.
    pub(crate) fn pages(&self, name: &str) -> Vec<(Fingerprint, Arc<[Line]>)> {
        let state = self.state();
        let pages = state.sites.get(name).map(|site| &site.pages);
        pages.into_iter().flatten().map(|(identity, lines)| (*identity, lines.clone())).collect()
    }

    /// Writes down what has happened, as belonging to the commit with a number, which is yet to come.
    pub(crate) fn write(&self, commit: u64) -> Result<()> {
        let mut state = self.state();
        let State { pending, log, .. } = &mut *state;
        if let Some(log) = log
            && !pending.is_empty()
        {
            log.append(&[&commit.to_le_bytes(), pending])?;
        }
        pending.clear();
        Ok(())
    }
}

impl State {
    /// Forgets the sites that were not met for longest, until what is left takes at most so much.
    fn forget_some(&mut self, most_bytes: usize) {
        let mut by_age: Vec<(u64, Box<str>)> =
            self.sites.iter().map(|(name, site)| (site.last_met, name.clone())).collect();
        by_age.sort_unstable();
        for (_, name) in by_age {
            if self.bytes <= most_bytes {
                return;
            }
            if let Some(site) = self.sites.remove(&name) {
                let of_pages: usize = site.pages.values().map(|lines| page_bytes(lines)).sum();
                self.bytes -= PAGE_BYTES + name.len() + of_pages;
            }
        }
    }
}

fn page_bytes(lines: &[Line]) -> usize {
    PAGE_BYTES + size_of_val(lines)
}

/// In the place of a number of lines: that templates are learned.
const LEARNING: u32 = u32::MAX;

/// Appends that a page came, or that templates are learned.
fn write_event(site: &str, page: Option<&[Line]>, out: &mut Vec<u8>) {
    let n_lines = page.map_or(Ok(LEARNING), |lines| u32::try_from(lines.len()));
    let (Ok(site_bytes), Ok(n_lines)) = (u32::try_from(site.len()), n_lines) else { return };
    out.extend_from_slice(&site_bytes.to_le_bytes());
    out.extend_from_slice(&n_lines.to_le_bytes());
    out.extend_from_slice(site.as_bytes());
    page.into_iter().flatten().for_each(|line| out.extend_from_slice(&line.to_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: impl IntoIterator<Item = u32>) -> Vec<Line> {
        numbers.into_iter().map(|number| Line::of_masked(format!("line {number:x}").as_bytes())).collect()
    }

    fn open(folder: &Path) -> Sites {
        Sites::open(folder, 9, true).expect("it can be opened")
    }

    fn known(sites: &Sites, name: &str) -> Vec<Fingerprint> {
        sites.pages(name).into_iter().map(|(identity, _)| identity).collect()
    }

    #[test]
    fn what_was_written_is_known_again_in_whatever_order_it_came() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let other = tempfile::tempdir().expect("a folder can be made");
        let (forth, back) = (open(folder.path()), open(other.path()));
        for number in 0..500 {
            forth.add("a.example", &lines([1, 2, number]));
            back.add("a.example", &lines([1, 2, 499 - number]));
            forth.add(&format!("{number}.example"), &lines([number]));
        }
        let sample = known(&forth, "a.example");
        assert_eq!((sample.len(), &sample), (PAGES, &known(&back, "a.example")));
        forth.write(9).expect("it can be written");
        // What was not written is not known, nor what is of a commit that never came.
        forth.add("c.example", &lines([1]));
        forth.write(10).expect("it can be written");
        forth.add("b.example", &lines([1]));
        drop(forth);
        for _ in 0..2 {
            let again = open(folder.path());
            assert_eq!(known(&again, "a.example"), sample);
            let others = ["77.example", "b.example", "c.example"].map(|name| known(&again, name).len());
            assert_eq!(others, [1, 0, 0]);
        }
    }

    #[test]
    fn templates_are_learned_as_pages_come() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let straight = open(folder.path());
        let other = tempfile::tempdir().expect("a folder can be made");
        let page = |number: u32| lines([1, 2, 3, 100 + number, 200 + number, 4, 5]);
        for number in 0..40 {
            // One that goes on, and one that is begun again for each page.
            let again = open(other.path());
            let [gone, gone_again] = [&straight, &again].map(|sites| {
                let mut gone = Vec::new();
                sites.templates("a.example").apply(&page(number), |rank, entry| gone.push((rank, entry)));
                sites.add("a.example", &page(number));
                gone
            });
            assert_eq!(gone, gone_again, "page {number}");
            again.write(1).expect("it can be written");
            let gone: Vec<usize> = gone.into_iter().map(|(rank, _)| rank).collect();
            // Of some pages nothing is said yet.
            assert_eq!(gone.is_empty(), number < 8, "page {number}: {gone:?}");
            assert!(gone.iter().all(|rank| ![3, 4].contains(rank)));
        }
        assert!(straight.templates("b.example").iter().next().is_none());
    }

    #[test]
    fn sites_that_were_not_met_for_longest_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let sites = Sites::open_with(folder.path(), 9, true, 100_000).expect("it can be opened");
        for number in 0..2000 {
            sites.add(&format!("{number}.example"), &lines(0..10));
            sites.add("kept.example", &lines([number, 1, 2]));
            assert!(sites.state().bytes <= 100_000);
        }
        let (first, last) = (known(&sites, "0.example"), known(&sites, "1999.example"));
        assert_eq!((first.len(), last.len(), known(&sites, "kept.example").len()), (0, 1, PAGES));
        sites.write(2).expect("it can be written");
        // Most of what is written is of no use any more, and goes when it is opened again.
        let size = || std::fs::metadata(folder.path().join(NAME)).expect("it is there").len();
        for _ in 0..10 {
            for number in 0..2000 {
                sites.add(&format!("{number}.example"), &lines(0..10));
            }
            sites.write(2).expect("it can be written");
        }
        let before = size();
        drop(sites);
        let sites = Sites::open_with(folder.path(), 9, true, 100_000).expect("it can be opened");
        sites.write(2).expect("it can be written");
        assert!(size() < before / 4, "{before} bytes, and then {}", size());
        assert_eq!(known(&sites, "1999.example").len(), 1);
    }

    #[test]
    fn damage_is_forgotten_and_never_a_panic() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join(NAME);
        let sites = open(folder.path());
        for number in 0..10 {
            sites.add("a.example", &lines([number]));
            sites.write(2).expect("it can be written");
        }
        drop(sites);
        let whole = std::fs::read(&path).expect("it is there");
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            for bytes in [&damaged[..], &whole[..at]] {
                std::fs::write(&path, bytes).expect("it can be written");
                assert!(known(&open(folder.path()), "a.example").len() < 10);
            }
        }
    }
}
