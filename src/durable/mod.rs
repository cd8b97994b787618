//! The index on disk: who has which fingerprint, from run to run.
//!
//! ```text
//! claim ─▶ what the view holds of it: full tables, runs (a filter, then one read)   no lock
//!      └─▶ the table that is being filled, and what waits for the commit            a lock, for a look and a note
//! commit ─▶ what waits is taken; a table that is full joins the view               the same lock, for a copy
//!      └─▶ log, and put on the disk                                                a lock that only commits take
//!           └─▶ a thread writes the full table as a run, another merges runs
//! ```
//! The claims of a commit are one entry of the log, with a checksum: all of them are there after a crash, or none. What the
//! view is made of never changes, so that merging and looking up do not know of each other. Which files are in force says the list,
//! which is replaced whole. A log goes when its claims are in a run on the disk.

mod arrivals;
mod background;
mod bulk;
mod commit;
mod contents;
mod documents;
mod files;
mod filter;
mod mark;
mod merge;
mod reader;
mod record;
mod releases;
mod run;
mod sealed;
mod table;
mod upkeep;
mod view;

use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::index::{Claims, Known, Owner};
use crate::log::Log;
use crate::text::FOLD_VERSION;
use background::Background;
pub(crate) use bulk::Bulk;
use commit::Disk;
use contents::{Contents, head_of};
pub(crate) use documents::{Document, Meaning, Word};
use documents::{DocumentsFile, DocumentsReader, NewDocuments};
use files::{Folder, Lock, Series};
use mark::{Mark, Marker};
pub use reader::IndexReader;
use record::{Held, Record, Width};
pub(crate) use sealed::{Committed, IndexState};
use sealed::{Head, List};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use table::Table;
pub use upkeep::IndexStats;
use view::{View, in_order};

/// So many fingerprints fill a table: what a hash table of 2²⁰ slots takes before it grows.
const TABLE_RECORDS: usize = (1 << 20) / 8 * 7;

/// An index on disk, which one process at a time writes to, from any thread.
///
/// It is exact, grows, and needs no size to be guessed. It holds [`Owner`]s (numbers) of [`Fingerprint`]s; what they are the numbers
/// of is for the caller to know. What was [claimed](Claims::claim) can be looked up at once, and is there after a crash if
/// [`commit`](Index::commit) has returned since; what was not committed is as if it had never happened.
///
/// A fingerprint takes some 17 bytes on disk and 1.6 in memory, and 5 more on disk with its owner; what was claimed last takes up
/// to 75 MB in memory.
///
/// ```
/// use dehusk::Index;
/// use dehusk::fingerprint::Fingerprint;
/// use dehusk::index::{Claims, Owner};
///
/// let folder = tempfile::tempdir()?;
/// let (first, second) = (Owner::new(1).unwrap(), Owner::new(2).unwrap());
/// let block = Fingerprint::of(b"the ship left at dawn");
/// let mut owners = Vec::new();
/// {
///     let index = Index::open(folder.path())?;
///     index.claim(&[(block, first)], &mut owners)?;
///     index.commit()?;
/// }
/// let index = Index::open(folder.path())?;
/// index.claim(&[(block, second)], &mut owners)?;
/// assert_eq!(owners, [first, first]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Index {
    shared: Arc<Shared>,
    /// Runs and merges go on until it is dropped.
    background: Background,
    /// Locked as long as it lives.
    _lock: Lock,
}

/// How an index is opened; see [`Index::options`].
#[derive(Clone, Debug)]
pub struct IndexOptions {
    owners: bool,
    settings: BTreeMap<String, String>,
    table_records: usize,
}

#[derive(Debug)]
struct Shared {
    folder: Folder,
    /// What tells it from other indexes.
    identity: String,
    width: Width,
    table_records: usize,
    view: Mutex<Arc<View>>,
    /// Locked before the table that is being filled, by those who need both.
    disk: Mutex<Disk>,
    active: Mutex<Active>,
    list: Mutex<List>,
    documents: Option<DocumentsReader>,
}

/// What is being filled.
#[derive(Debug)]
struct Active {
    /// How many tables were full before.
    generation: u64,
    table: Table,
    /// How many of its records change what is held below it: with none, what is found there need not be looked for here.
    n_changes: u64,
    /// The bytes of the records that the next commit writes.
    uncommitted: Vec<u8>,
    /// Room for those of the one after it.
    spare: Vec<u8>,
    n_keys: u64,
    n_documents: u64,
    documents: NewDocuments,
}

impl IndexOptions {
    /// Whether a new index says who has a fingerprint, and not only that somebody has. It does unless it is told not to.
    #[must_use]
    pub fn owners(mut self, owners: bool) -> Self {
        self.owners = owners;
        self
    }

    /// A setting on which it depends what has which fingerprint. An index that was made with another is refused.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// How many fingerprints that were claimed last are held in memory before they become a run: 900,000 unless told. A
    /// larger number takes more memory (some 80 bytes each) and less merging.
    #[must_use]
    pub fn table_records(mut self, records: usize) -> Self {
        self.table_records = records.max(1);
        self
    }

    /// What an index is that is made with these options.
    fn head(&self) -> Head {
        let (owners, settings) = (self.owners, self.settings.clone());
        Head { dehusk_index: Head::VERSION, fold: FOLD_VERSION, identity: String::new(), owners, settings }
    }

    /// Opens what is committed of the index in a folder, for reading.
    ///
    /// # Errors
    ///
    /// When there is none, when it was made with other settings or by a newer version, when what was committed is damaged, or when
    /// something cannot be read.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<IndexReader> {
        let reader = IndexReader::open(path)?;
        reader.head.refuse_difference(&self.head(), &reader.folder)?;
        Ok(reader)
    }

    /// Opens the index in a folder for writing, or makes one.
    ///
    /// # Errors
    ///
    /// When another process writes to it, when it was made with other settings or by a newer version, when what was
    /// committed is damaged, or when something cannot be read or written.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Index> {
        let folder = Folder::new(path.as_ref());
        let wanted = self.head();
        let head = Head::read(&folder)?;
        if head.is_none() && !folder.is_unused()? {
            let what = "the folder is not empty, and is no index; name another, or an empty one";
            return Err(Error::usage(what).at(folder.path()));
        }
        folder.make()?;
        let lock = folder.lock()?;
        // Once more, now that nobody else can make it.
        let head = match Head::read(&folder)? {
            Some(head) => head,
            None => {
                List::default().write(&folder)?;
                let head = wanted.clone().identified();
                head.write(&folder)?;
                head
            }
        };
        head.refuse_difference(&wanted, &folder)?;
        let shared = Arc::new(Shared::open(folder, &head, self.table_records)?);
        let background = Background::start(&shared)?;
        Ok(Index { shared, background, _lock: lock })
    }
}

impl Index {
    /// Opens the index in a folder for writing, or makes one, with the usual options.
    ///
    /// # Errors
    ///
    /// See [`IndexOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open(path)
    }

    /// Opens the index in a folder for writing, whatever it was made with; none is made.
    ///
    /// # Errors
    ///
    /// See [`IndexOptions::open`]; and when there is none.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self> {
        let head = head_of(&Folder::new(path.as_ref()))?;
        Self::options().owners(head.owners).open(path)
    }

    /// Options to choose before opening.
    pub fn options() -> IndexOptions {
        IndexOptions { owners: true, settings: BTreeMap::new(), table_records: TABLE_RECORDS }
    }

    /// What it is, and what is committed.
    pub(crate) fn state(&self) -> IndexState {
        IndexState { identity: self.shared.identity.clone(), committed: self.shared.disk().committed }
    }

    /// Waits until what was committed is in runs, and as many are merged as shall be.
    ///
    /// # Errors
    ///
    /// When something cannot be written.
    pub fn settle(&self) -> Result<()> {
        self.background.settle()
    }
}

/// What can say what an owner is.
pub(crate) trait Remembers: Known {
    /// The document that an owner is, where documents are kept.
    fn document(&self, owner: Owner) -> Result<Option<Document>>;

    /// The fingerprints that words stand for, and who has them, if anybody has.
    fn find_words(&self, words: &[Word]) -> Result<Vec<Option<(Fingerprint, Owner)>>>;
}

impl Remembers for Index {
    fn document(&self, owner: Owner) -> Result<Option<Document>> {
        self.shared.document(owner).map(Some)
    }

    fn find_words(&self, words: &[Word]) -> Result<Vec<Option<(Fingerprint, Owner)>>> {
        let (below, active) = self.shared.look_for_words(words)?;
        Ok(active.owned(words, &below))
    }
}

impl Known for Index {
    fn owners(&self, fingerprints: &[Fingerprint], owners: &mut Vec<Option<Owner>>) -> Result<()> {
        let (below, active) = self.shared.look(fingerprints, &in_order(fingerprints))?;
        let found = fingerprints.iter().zip(below);
        owners.extend(found.map(|(fingerprint, below)| active.table.find(fingerprint).or(below).and_then(Held::owner)));
        Ok(())
    }

    fn len(&self) -> usize {
        usize::try_from(self.shared.active().n_keys).unwrap_or(usize::MAX)
    }
}

impl Claims for Index {
    fn claim(&self, batch: &[(Fingerprint, Owner)], owners: &mut Vec<Owner>) -> Result<()> {
        self.background.check()?;
        let fingerprints: Vec<Fingerprint> = batch.iter().map(|(fingerprint, _)| *fingerprint).collect();
        let order = in_order(&fingerprints);
        let (below, mut active) = self.shared.look(&fingerprints, &order)?;
        let start = owners.len();
        owners.extend(batch.iter().map(|(_, claimer)| *claimer));
        for idx in order.into_iter().map(|idx| idx as usize) {
            let (fingerprint, claimer) = batch[idx];
            owners[start + idx] = active.claim(self.shared.width, fingerprint, claimer, below[idx]);
        }
        Ok(())
    }
}

impl Shared {
    /// Opens what is in a folder, of which the lock is held.
    fn open(folder: Folder, head: &Head, table_records: usize) -> Result<Self> {
        let (width, identity) = (head.width(), head.identity.clone());
        let Contents { list, runs, table, committed, log_number, log_end } = Contents::read(&folder, width)?;
        let log = Log::go_on(&folder.numbered(Series::Log, log_number), log_end)?;
        // What a process that was killed had written, and nobody was told of, counts as committed from now on.
        log.sync()?;
        let mut marker = Marker::open(&folder)?;
        marker.write(Mark { log: log_number, end: log.end() })?;
        DocumentsReader::open(&folder, committed.n_words)?;
        let file = DocumentsFile::open(&folder, committed.n_words)?;
        let documents = NewDocuments::behind(committed.n_words, &folder);
        let reader = DocumentsReader::open(&folder, documents.n_words())?;
        let is_listed = |series: Series, number: u64| match series {
            Series::Run => list.runs.contains(&number),
            Series::Log => (list.log..=log_number).contains(&number),
        };
        folder.remove_leftovers(is_listed)?;
        folder.sync()?;
        let view = Arc::new(View { generation: 0, tables: Vec::new(), runs });
        let active = Active {
            generation: 0,
            // What logs held may change what runs hold.
            n_changes: table.len() as u64,
            table,
            uncommitted: Vec::new(),
            spare: Vec::new(),
            n_keys: committed.n_keys,
            n_documents: committed.n_documents,
            documents,
        };
        let disk = Mutex::new(Disk::new(log, log_number, marker, file, committed));
        let (view, active, list) = (Mutex::new(view), Mutex::new(active), Mutex::new(list));
        Ok(Shared { folder, identity, width, table_records, view, disk, active, list, documents: reader })
    }

    fn active(&self) -> MutexGuard<'_, Active> {
        // A claim that did not come to its end has claimed nothing, or some of what it should.
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_view(&self, change: impl FnOnce(&mut View)) {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = View::clone(&view);
        change(&mut changed);
        *view = Arc::new(changed);
    }

    /// What is held of each fingerprint below the table that is being filled, and that table, locked.
    fn look(&self, fingerprints: &[Fingerprint], order: &[u32]) -> Result<(Vec<Option<Held>>, MutexGuard<'_, Active>)> {
        loop {
            let view = self.view();
            let below = view.find(fingerprints, order)?;
            let active = self.active();
            // Else a table was full in between, and what it holds was not looked for.
            if active.generation == view.generation {
                return Ok((below, active));
            }
        }
    }

    /// The records of what words stand for below the table that is being filled, and that table, locked.
    fn look_for_words(&self, words: &[Word]) -> Result<(Vec<Option<Record>>, MutexGuard<'_, Active>)> {
        loop {
            let view = self.view();
            let below = view.find_words(words)?;
            let active = self.active();
            if active.generation == view.generation {
                return Ok((below, active));
            }
        }
    }
}

/// A table that is full.
#[derive(Debug)]
struct Full {
    table: Arc<Table>,
    /// The number of the log that was begun after it.
    next_log: u64,
    /// What was committed up to it.
    committed: Committed,
}

impl Active {
    /// How many bytes wait for a commit.
    fn n_waiting(&self) -> usize {
        self.uncommitted.len() + self.documents.n_waiting()
    }

    /// Claims a fingerprint, of which `below` is held but for this table; says who has it then.
    fn claim(&mut self, width: Width, fingerprint: Fingerprint, claimer: Owner, below: Option<Held>) -> Owner {
        if let Some(Held::By(owner)) = below
            && owner <= claimer
            && self.n_changes == 0
        {
            return owner;
        }
        let mut owner = claimer;
        let Active { table, uncommitted, n_keys, n_changes, .. } = self;
        table.update(&fingerprint, |here| {
            let held = here.or(below).and_then(Held::owner);
            owner = held.map_or(claimer, |owner| owner.min(claimer));
            if held == Some(owner) {
                return None;
            }
            *n_keys += u64::from(held.is_none());
            *n_changes += u64::from(here.is_none() && below.is_some());
            // Where owners are not kept, nobody is told one for as long as it happens to be known.
            let kept = if width == Width::Key { Owner::SOMEONE } else { owner };
            let record = Record::new(fingerprint, Held::By(kept));
            width.write(&record, uncommitted);
            Some(record)
        });
        owner
    }
}
