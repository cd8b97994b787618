//! Documents one by one against an index that remembers them: what a crawl does with each page, and a run with each document of a stream.

mod copies;

pub(crate) use copies::DocumentCopies;

use crate::clean::Look;
use crate::config::Config;
use crate::decide::Template;
use crate::durable::{Index, IndexReader, Remembers};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::index::{Known as _, OnChanged};
use crate::recall::{self, Known, Recalled};
use crate::sites::Sites;
use crate::template::{DocumentFacts, PartFacts};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Merges indexes on disk: takes into the one in the folder `into`, which is made if it is not there, all that those in the folders `from` have, as if
/// their documents had come after its own, in the order in which they are given; and what they know of sites.
///
/// What was broken off can be done anew; see [`Index::take_in`].
///
/// # Errors
///
/// When one cannot be opened, or was made with other settings than the first of `from`, or when something cannot be read or written.
pub fn merge_indexes(into: &Path, from: &[PathBuf]) -> Result<()> {
    let others = from.iter().map(IndexReader::open).collect::<Result<Vec<_>>>()?;
    let index = match others.first() {
        Some(first) => first.like(into)?,
        None => Index::open_existing(into)?,
    };
    let mut theirs = Vec::new();
    for (path, other) in from.iter().zip(&others) {
        index.take_in(other)?;
        theirs.push(Sites::open(path, other.state().committed.n_commits, false)?);
    }
    if theirs.iter().any(|sites| !sites.is_empty()) {
        let n_commits = index.state().committed.n_commits;
        let sites = Sites::open(into, n_commits, true)?;
        theirs.iter().for_each(|other| sites.take_in(other));
        sites.write(n_commits)?;
    }
    Ok(())
}

/// So many documents come between two commits, unless somebody asked for another number.
pub(crate) const COMMIT_EVERY: u64 = 1000;

/// An index that is only read: its blocks go, whoever has them.
#[derive(Debug)]
pub(crate) struct Against {
    pub(crate) name: String,
    pub(crate) index: IndexReader,
}

impl Against {
    /// Opens those that a configuration names.
    pub(crate) fn open(config: &Config) -> Result<Vec<Self>> {
        let open = |path: &Path| {
            let index = recall::options(config).owners(false).read(path)?;
            Ok(Against { name: path.display().to_string(), index })
        };
        config.against.iter().map(|path| open(path)).collect()
    }

    /// Asks it, which has a number, who has what nobody has so far.
    fn ask(
        &self,
        number: u16,
        claimed: &[Fingerprint],
        holders: &mut [Option<Known>],
        documents: &mut HashMap<Known, Arc<Recalled>>,
    ) -> Result<()> {
        let mut owners = Vec::with_capacity(claimed.len());
        self.index.owners(claimed, &mut owners)?;
        for (holder, owner) in holders.iter_mut().zip(owners).filter(|(holder, _)| holder.is_none()) {
            let Some(owner) = owner else { continue };
            let known = Known { against: Some(number), owner };
            *holder = Some(known);
            if !documents.contains_key(&known)
                && let Some(document) = self.index.document(owner)?
            {
                documents.insert(known, Arc::new(Recalled::new(document)));
            }
        }
        Ok(())
    }
}

/// What documents are held against, and the index that remembers them.
#[derive(Debug)]
pub(crate) struct Visits {
    index: Index,
    /// What is known of sites beside it, if that is to remove chrome.
    sites: Option<Sites>,
    against: Vec<Against>,
    on_changed: OnChanged,
    /// Locked by who commits: what is known of sites is written under the number of the commit that comes next.
    committing: Mutex<()>,
}

/// What is known of a document that came.
#[derive(Debug)]
pub(crate) struct Visited {
    pub(crate) copies: DocumentCopies,
    /// The blocks that templates of its site remove, in their order.
    pub(crate) templated: Vec<(u32, Template)>,
    /// The documents that have what it has, by the numbers of their parts less one: the index, by its number, if it is only read, and what they
    /// are known by.
    pub(crate) sources: Vec<(Option<u16>, String)>,
}

impl Visits {
    /// Opens the index in a folder, or makes one, and those that the configuration names to be read only.
    pub(crate) fn open(path: &Path, config: &Config) -> Result<Self> {
        let visits = Self::open_for_now(path, config)?;
        let n_commits = visits.index.state().committed.n_commits;
        Ok(Visits { sites: Sites::open_for(config.level, path, n_commits, true)?, ..visits })
    }

    /// The same with an index in an empty folder that is to be of use for a while: what is known of sites is asked for nowhere.
    pub(crate) fn open_for_now(path: &Path, config: &Config) -> Result<Self> {
        let index = recall::options(config).open(path)?;
        let (against, on_changed) = (Against::open(config)?, config.on_changed);
        Ok(Visits { index, sites: None, against, on_changed, committing: Mutex::default() })
    }

    /// The index that remembers.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Whether what is known of sites is asked for, for which the facts of documents are needed.
    pub(crate) fn has_sites(&self) -> bool {
        self.sites.is_some()
    }

    /// What an index is called that is only read, by its number; nothing for the one that remembers.
    pub(crate) fn name(&self, against: Option<u16>) -> Option<&str> {
        against.map(|number| self.against[usize::from(number)].name.as_str())
    }

    /// Takes in the one document of a look, which is known by an id, or by nothing if that is empty.
    pub(crate) fn visit(&self, look: &mut Look, id: &[u8]) -> Result<Visited> {
        let facts = look.take_facts();
        let mut copies = DocumentCopies::of(look)?;
        // A document without a site is compared with no other where sites are.
        if look.is_alone(0) {
            return Ok(Visited { copies, templated: Vec::new(), sources: Vec::new() });
        }
        let templated = self.templated(&copies, id, &facts)?;
        copies.remove(&templated);
        let compared = copies.compared();
        let claimed: Vec<Fingerprint> = compared.claims().map(|claim| claim.fingerprint).collect();
        let mut holders: Vec<Option<Known>> = vec![None; claimed.len()];
        let mut documents = HashMap::new();
        for (number, against) in (0..).zip(&self.against) {
            against.ask(number, &claimed, &mut holders, &mut documents)?;
        }
        // What stands in an index that is only read is not claimed.
        let left = |holders: &[Option<Known>]| -> Vec<usize> {
            (0..holders.len()).filter(|claim| holders[*claim].is_none()).collect()
        };
        let left = left(&holders);
        let left_claimed: Vec<Fingerprint> = left.iter().map(|claim| claimed[*claim]).collect();
        let arrived = self.index.admit(id, compared.words(), &left_claimed, self.on_changed)?;
        let own = |owner| Known { against: None, owner };
        for (claim, owner) in left.into_iter().zip(arrived.others) {
            holders[claim] = owner.map(own);
        }
        let recalled = arrived.documents.into_iter().map(|(owner, document)| (own(owner), Recalled::new(document)));
        documents.extend(recalled.map(|(known, recalled)| (known, Arc::new(recalled))));
        let sources = copies.tell(&compared, &holders, &documents);
        if let Some(sites) = self.sites.as_ref().filter(|_| facts.len() > 0) {
            let DocumentFacts { site, lines, .. } = facts.document(0);
            sites.add(site, lines);
        }
        Ok(Visited { copies, templated, sources })
    }

    /// Puts on the disk what was remembered so far; see [`Index::commit`].
    pub(crate) fn commit(&self) -> Result<()> {
        let _committing = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sites) = &self.sites {
            sites.write(self.index.state().committed.n_commits + 1)?;
        }
        self.index.commit()
    }

    /// What templates of its site remove of a document: what they did when it came before, if it has not changed, or else those that are known.
    fn templated(&self, copies: &DocumentCopies, id: &[u8], facts: &PartFacts) -> Result<Vec<(u32, Template)>> {
        let Some(sites) = &self.sites else { return Ok(Vec::new()) };
        let version = self.index.last_version(id)?;
        if let Some(blocks) = version.and_then(|version| copies.compared().templated_in(&version)) {
            let before = Template { documents: 0, of: 0 };
            return Ok(blocks.into_iter().map(|block| (block, before)).collect());
        }
        let mut templated = Vec::new();
        if facts.len() > 0 {
            let DocumentFacts { site, lines, .. } = facts.document(0);
            let (templates, shown) = (sites.templates(site), copies.shown());
            templates.apply(lines, |rank, entry| {
                let template = Template { documents: entry.documents, of: templates.documents() };
                templated.push((shown[rank], template));
            });
        }
        Ok(templated)
    }
}
