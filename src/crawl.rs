//! Cleaning pages as a crawler brings them, for weeks, against all that came before.

use crate::clean::{Cut, Document, Looker, Scratch};
use crate::config::Config;
use crate::decide::{Keep, Reason, Scope};
use crate::durable::Index;
use crate::error::{Error, Result};
use crate::rules::Rules;
use crate::score::Scorer;
use crate::visit::{COMMIT_EVERY, Visited, Visits};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Cleans pages against rules and against all pages that ever came, which an index on disk remembers.
///
/// It is opened once and shared by reference, between threads or asynchronous tasks: a call takes some tenths of a millisecond, for pages
/// as they are on the web, and waits for nothing but, once in 1,000 pages, the disk. Folding, scanning, hashing and looking up are done without a lock,
/// and while one call commits others go on.
///
/// Pages are known by their [`id`](Document::id), or else their address. One that comes again under the same id gets the same
/// output as the first time, since its blocks are its own. One that has changed keeps what it had, and claims what is new of it. A page
/// without either is another one each time.
///
/// What was claimed is there after a crash if a commit has returned since: after every 1,000 pages, unless told otherwise
/// ([`commit_every`](Crawl::commit_every)), and whenever [`commit`](Crawl::commit) is called. So commit first, and then write down what
/// pages were cleaned to, and that they are done: a page that was committed and not written comes out the same when it comes
/// again. One that was written and not committed would leave others what it has said already. `docs/crawlers.md` has the whole of it.
///
/// ```
/// use dehusk::{Config, Crawl, Document};
///
/// let folder = tempfile::tempdir()?;
/// let crawl = Crawl::open(folder.path(), &Config::default())?;
/// let story = "The ship left the harbour at dawn, with forty people and a cat on board.\n";
/// let first = Document { url: Some("https://example.org/1"), ..Document::new(story) };
/// let second = Document { url: Some("https://example.org/2"), ..Document::new(story) };
/// assert_eq!(crawl.clean(&first)?.text(), story.as_bytes());
///
/// let cleaned = crawl.clean(&second)?;
/// assert_eq!(cleaned.text(), b"");
/// assert_eq!(cleaned.source(&cleaned.cuts()[0]).unwrap().id, "https://example.org/1");
///
/// // The same page again, even after a restart: all of it is its own.
/// crawl.commit()?;
/// drop(crawl);
/// let crawl = Crawl::open(folder.path(), &Config::default())?;
/// assert_eq!(crawl.clean(&first)?.text(), story.as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Crawl {
    rules: Rules,
    scorer: Option<Arc<Scorer>>,
    config: Config,
    visits: Visits,
    commit_every: Option<u64>,
    n_uncommitted: AtomicU64,
    /// Buffers that nobody uses right now.
    scratches: Mutex<Vec<Scratch>>,
}

/// What [`Crawl::clean`] made of a page.
#[derive(Clone, Debug)]
pub struct Page {
    text: Vec<u8>,
    cuts: Vec<Cut>,
    /// Of the parts in the places of the cuts, from the second on: the index, if it is only read, and the document.
    sources: Vec<(Option<u16>, String)>,
}

/// Where a block stands that was removed as a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'p> {
    /// What the page is known by; empty if it is not known by anything, or is the page itself.
    pub id: &'p str,
    /// The number of the block in the page, from 0.
    pub block: u32,
    /// Whether it is the page itself, further up.
    pub is_same_page: bool,
    /// The index that the page is in, by its number in [`Config::against`], if it is one of those.
    pub against: Option<usize>,
}

impl Page {
    /// What is left of the text, byte for byte; UTF-8 if the page was.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The same, taken out.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// What was removed, in the order of the text.
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// Where the first copy stands of something that was removed, if that is why.
    pub fn source(&self, cut: &Cut) -> Option<Source<'_>> {
        let (Reason::Repeat(place) | Reason::Copy(place)) = cut.reason else { return None };
        let other = (place.part as usize).checked_sub(1).and_then(|other| self.sources.get(other));
        let id = other.map_or("", |(_, id)| id);
        let against = other.and_then(|(against, _)| against.map(usize::from));
        Some(Source { id, block: place.block, is_same_page: place.part == 0, against })
    }
}

impl Crawl {
    /// Opens the index in a folder, or makes one, and what cleans against it.
    ///
    /// # Errors
    ///
    /// When the configuration or a pack is refused, when repeats are to lose their first copy too (which needs all pages at
    /// hand) or are looked for in documents only (which needs no index), or when the index cannot be opened; see [`IndexOptions::open`](crate::IndexOptions::open).
    pub fn open(path: impl AsRef<Path>, config: &Config) -> Result<Self> {
        config.validate()?;
        if config.keep == Keep::None {
            let what = "keep is \"none\", which needs all documents before the first is done; a crawl cannot know them";
            return Err(Error::config("configuration", what));
        }
        if !matches!(config.scope, Scope::Corpus | Scope::Site) {
            let what =
                "scope is such that documents are not compared with each other; a Cleaner does that without an index";
            return Err(Error::config("configuration", what));
        }
        let (rules, scorer) = (config.rules()?, config.scorer()?);
        Ok(Crawl {
            rules,
            scorer,
            config: config.clone(),
            visits: Visits::open(path.as_ref(), config)?,
            commit_every: Some(COMMIT_EVERY),
            n_uncommitted: AtomicU64::new(0),
            scratches: Mutex::default(),
        })
    }

    /// Commits when so many pages were cleaned and the next one comes; `None` leaves it to [`commit`](Crawl::commit). What is not committed is in
    /// memory: some 100 bytes for each new block.
    #[must_use]
    pub fn commit_every(mut self, pages: Option<u64>) -> Self {
        self.commit_every = pages;
        self
    }

    /// The rules that it cleans with.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The index.
    pub fn index(&self) -> &Index {
        self.visits.index()
    }

    /// Cleans a page, and remembers its blocks. Pages count as coming in the order in which they reach the index.
    ///
    /// # Errors
    ///
    /// When the page has more blocks than can be numbered (2³² − 1), or the index cannot be read or written.
    pub fn clean(&self, page: &Document<'_>) -> Result<Page> {
        // Before the page, which has not come if this fails.
        if self.commit_every.is_some_and(|every| self.n_uncommitted.load(Ordering::Relaxed) >= every) {
            self.commit()?;
        }
        let scratches = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = scratches().pop().unwrap_or_default();
        let cleaned = self.clean_with(page, &mut scratch);
        scratches().push(scratch);
        self.n_uncommitted.fetch_add(1, Ordering::Relaxed);
        cleaned
    }

    /// Puts on the disk what was remembered so far; see [`Index::commit`].
    ///
    /// # Errors
    ///
    /// When something cannot be written.
    pub fn commit(&self) -> Result<()> {
        self.n_uncommitted.store(0, Ordering::Relaxed);
        self.visits.commit()
    }

    fn clean_with(&self, page: &Document<'_>, scratch: &mut Scratch) -> Result<Page> {
        let new = || Looker::new(&self.config, self.scorer.as_ref()).with_facts(self.visits.has_sites());
        let look = scratch.look(&self.rules, new, page)?;
        let id = page.id.or(page.url).unwrap_or_default();
        let Visited { copies, templated, sources } = self.visits.visit(look, id.as_bytes())?;
        scratch.decide(&copies, &templated);
        let (text, cuts) = scratch.take_cut(page.text);
        Ok(Page { text, cuts, sources })
    }
}
