//! Learning the templates of sites from facts that were written down, and what they remove of each part.
//!
//! ```text
//! document   part 4 │ number in it 4 │ bytes of the site 4 │ lines 4 │ identity 16 │ site │ lines, 8 each
//! removed    document 4 │ rank of the line 4 │ pages that have it 4 │ pages 4
//! ```
//! Documents are sorted into partitions by site, so that a thread learns all of a partition by itself.

use super::notes::N_PARTITIONS;
use super::pile::{Numbers, Pile, Stretch, number};
use crate::decide::Template;
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::index::{Mark, Trace};
use crate::run::survey::PartNumbers;
use crate::run::templates::Learned;
use crate::run::workers::Workers;
use crate::template::{Line, MAX_DOCUMENTS, PartFacts, SiteTemplates, learn};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::path::Path;

/// The bytes of a document before its site.
const HEAD_BYTES: usize = 32;
const LINE_BYTES: usize = 8;
const REMOVED_BYTES: usize = 16;
/// So much of a partition is read at a time, and what it takes to hold a document.
const BYTES_AT_ONCE: usize = 1 << 18;

/// The facts of all documents that have a site.
#[derive(Debug)]
pub(super) struct Sites {
    piles: Vec<Pile>,
}

/// What templates remove, by part.
#[derive(Debug)]
pub(super) struct RemovedLines {
    pile: Pile,
    parts: Vec<Vec<Stretch>>,
}

/// A document as it was written down.
struct Document<'d> {
    part: u32,
    document_idx: u32,
    site: &'d [u8],
    identity: Fingerprint,
    lines: &'d [u8],
}

/// What is known of a site.
#[derive(Default)]
struct Site {
    n_documents: usize,
    /// Where the lines lie of the documents that are learned from.
    chosen: BTreeMap<Fingerprint, Stretch>,
}

impl Sites {
    pub(super) fn create(folder: &Path) -> Result<Self> {
        Ok(Sites { piles: (0..N_PARTITIONS).map(|_| Pile::create(folder)).collect::<Result<_>>()? })
    }

    /// Writes down the facts of a part.
    pub(super) fn add(&self, part: u32, facts: &PartFacts) -> Result<()> {
        let mut sorted: Vec<Vec<u8>> = vec![Vec::new(); N_PARTITIONS];
        for document in (0..facts.len()).map(|number| facts.document(number)) {
            let partition = Fingerprint::of(document.site.as_bytes()).as_bytes()[0];
            let out = &mut sorted[usize::from(partition) % N_PARTITIONS];
            for value in
                [part, number(document.document_idx), number(document.site.len()), number(document.lines.len())]
            {
                out.extend_from_slice(&value.to_le_bytes());
            }
            out.extend_from_slice(document.identity.as_bytes());
            out.extend_from_slice(document.site.as_bytes());
            document.lines.iter().for_each(|line| out.extend_from_slice(&line.to_bytes()));
        }
        for (pile, documents) in self.piles.iter().zip(&sorted).filter(|(_, documents)| !documents.is_empty()) {
            pile.add(documents)?;
        }
        Ok(())
    }

    /// Learns the templates of all sites, and finds what they remove of each of `n_parts`.
    pub(super) fn learn(
        &self,
        workers: &Workers,
        folder: &Path,
        n_parts: usize,
        numbers: &PartNumbers,
    ) -> Result<RemovedLines> {
        let removed = Pile::create(folder)?;
        let found = workers.each(
            self.piles.len(),
            || (),
            |(), partition| learn_partition(&self.piles[partition], &removed, numbers),
        );
        let mut parts = vec![Vec::new(); n_parts];
        for of_partition in found {
            of_partition?.into_iter().for_each(|(part, stretch)| parts[part].push(stretch));
        }
        Ok(RemovedLines { pile: removed, parts })
    }
}

impl RemovedLines {
    /// What is removed of a part, in the order of its blocks.
    pub(super) fn of_part(&self, part: usize, trace: &Trace) -> Result<Vec<Learned>> {
        let mut lines: Vec<(u32, u32, Template)> = Vec::new();
        for stretch in &self.parts[part] {
            let bytes = self.pile.read_stretch(*stretch)?;
            lines.extend(bytes.chunks_exact(REMOVED_BYTES).map(|line| {
                let mut numbers = Numbers(line);
                let (document_idx, rank) = (numbers.next(), numbers.next());
                (document_idx, rank, Template { documents: numbers.next(), of: numbers.next() })
            }));
        }
        lines.sort_unstable_by_key(|(document_idx, rank, _)| (*document_idx, *rank));
        let mut learned = Vec::with_capacity(lines.len());
        for of_document in lines.chunk_by(|line, next| line.0 == next.0) {
            let blocks = trace.blocks_of(of_document[0].0 as usize);
            let mut shown = blocks.filter(|block| trace.mark(*block) != Mark::BLANK);
            let mut next_rank = 0;
            for (_, rank, template) in of_document {
                let block = shown.nth((rank - next_rank) as usize);
                let block = block.expect("a document has facts for each block that shows something");
                next_rank = rank + 1;
                learned.push(Learned { block: number(block), template: *template });
            }
        }
        Ok(learned)
    }
}

fn learn_partition(pile: &Pile, removed: &Pile, numbers: &PartNumbers) -> Result<Vec<(usize, Stretch)>> {
    let mut sites: HashMap<Box<[u8]>, Site> = HashMap::new();
    each_document(pile, |document, lines_at| {
        let site = match sites.get_mut(document.site) {
            Some(site) => site,
            None => sites.entry(document.site.into()).or_default(),
        };
        site.n_documents += 1;
        site.chosen.insert(document.identity, Stretch { start: lines_at, bytes: document.lines.len() });
        if site.chosen.len() > MAX_DOCUMENTS {
            site.chosen.pop_last();
        }
        Ok(())
    })?;
    let mut templates: HashMap<Box<[u8]>, SiteTemplates> = HashMap::new();
    for (name, site) in sites.into_iter().filter(|(_, site)| site.n_documents > 1) {
        let of_document = |stretch: &Stretch| pile.read_stretch(*stretch).map(|bytes| read_lines(&bytes));
        let documents: Vec<Vec<Line>> = site.chosen.values().map(of_document).collect::<Result<_>>()?;
        let documents: Vec<&[Line]> = documents.iter().map(|lines| &lines[..]).collect();
        templates.insert(name, learn(&documents));
    }
    let mut found = Vec::new();
    let (mut part, mut out) = (None, Vec::new());
    let mut end_part = |part: Option<u32>, out: &mut Vec<u8>| -> Result<()> {
        if let Some(part) = part.filter(|_| !out.is_empty()) {
            found.push((numbers.of(part), removed.add(out)?));
            out.clear();
        }
        Ok(())
    };
    each_document(pile, |document, _| {
        if part != Some(document.part) {
            end_part(part, &mut out)?;
            part = Some(document.part);
        }
        let Some(templates) = templates.get(document.site) else {
            return Ok(());
        };
        templates.apply(&read_lines(document.lines), |rank, entry| {
            for value in [document.document_idx, number(rank), entry.documents, templates.documents()] {
                out.extend_from_slice(&value.to_le_bytes());
            }
        });
        Ok(())
    })?;
    end_part(part, &mut out)?;
    Ok(found)
}

/// Goes through the documents of a partition; `job` is also told where the lines of each lie.
fn each_document(pile: &Pile, mut job: impl FnMut(&Document<'_>, u64) -> Result<()>) -> Result<()> {
    let end = pile.len();
    let (mut bytes, mut start) = (Vec::new(), 0);
    while start < end {
        let at_once = usize::try_from(end - start).unwrap_or(usize::MAX).min(BYTES_AT_ONCE);
        bytes.resize(at_once, 0);
        pile.read(start, &mut bytes)?;
        if let Some(needed) = document_bytes(&bytes).filter(|needed| *needed > bytes.len()) {
            bytes.resize(needed, 0);
            pile.read(start, &mut bytes)?;
        }
        let mut at = 0;
        while let Some(n_bytes) = document_bytes(&bytes[at..])
            && at + n_bytes <= bytes.len()
        {
            let document = read_document(&bytes[at..at + n_bytes]);
            let lines_at = start + (at + n_bytes - document.lines.len()) as u64;
            job(&document, lines_at)?;
            at += n_bytes;
        }
        start += at as u64;
    }
    Ok(())
}

/// The bytes of the document that comes next, if its head is there.
fn document_bytes(bytes: &[u8]) -> Option<usize> {
    let mut numbers = Numbers(bytes.get(8..HEAD_BYTES)?);
    let (site, lines) = (numbers.next() as usize, numbers.next() as usize);
    Some(HEAD_BYTES + site + lines * LINE_BYTES)
}

fn read_document(bytes: &[u8]) -> Document<'_> {
    let mut numbers = Numbers(bytes);
    let (part, document_idx) = (numbers.next(), numbers.next());
    let (site, lines) = (numbers.next() as usize, numbers.next() as usize);
    let mut identity = [0; 16];
    identity.copy_from_slice(numbers.take(16));
    let identity = Fingerprint::from_bytes(identity);
    Document { part, document_idx, site: numbers.take(site), identity, lines: numbers.take(lines * LINE_BYTES) }
}

fn read_lines(bytes: &[u8]) -> Vec<Line> {
    let line = |bytes: &[u8]| {
        let mut line = [0; LINE_BYTES];
        line.copy_from_slice(bytes);
        Line::from_bytes(line)
    };
    bytes.chunks_exact(LINE_BYTES).map(line).collect()
}
