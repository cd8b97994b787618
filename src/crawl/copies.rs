//! What is known of the copies of a page's blocks: in the page, and in pages that came before.
//!
//! Places are numbered for the page alone: part 0 is the page, the parts from 1 on are other pages, as they are met.

use crate::decide::{Copies, MAX_GAP, Side};
use crate::durable::{Arrived, Document, Meaning, Word};
use crate::fingerprint::Fingerprint;
use crate::index::{EntryId, Lookup, Mark, MemoryIndex, Owner, Place, Trace};
use std::collections::HashMap;

pub(super) struct PageCopies {
    within: MemoryIndex,
    trace: Trace,
    others: Vec<Other>,
    /// Of the page's long blocks, the first copies in other pages.
    of_blocks: HashMap<u32, Place>,
    of_whole: Option<Place>,
}

/// Another page.
struct Other {
    id: String,
    /// Its blocks with their numbers, naming entries of this page's index. Of many in a row that are not compared only some.
    marks: Vec<(u32, Mark)>,
    /// Where its long blocks are first.
    long: HashMap<Word, u32>,
}

/// A fingerprint that is claimed for a page, and what it is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) fingerprint: Fingerprint,
    /// A long block; nothing for the page as a whole.
    block: Option<u32>,
}

/// The entry of what another page has and this one has not.
const ELSEWHERE: u32 = (1 << EntryId::BITS) - 1;

/// A page as an index keeps it. Of each block that is compared there is a fingerprint.
pub(super) fn words_of(trace: &Trace, fingerprints: &[Fingerprint]) -> Vec<Word> {
    let mut fingerprints = fingerprints.iter();
    let mut words = Vec::new();
    let mut n_gap = 0;
    for block in trace.blocks_of(0) {
        let mark = trace.mark(block);
        let fingerprint = mark.entry().and_then(|_| fingerprints.next());
        let Some(fingerprint) = fingerprint else {
            n_gap += 1;
            continue;
        };
        if n_gap > 0 {
            words.push(Word::gap(std::mem::take(&mut n_gap)));
        }
        words.push(if mark.is_long() { Word::long(fingerprint) } else { Word::short(fingerprint) });
    }
    words
}

impl PageCopies {
    pub(super) fn new(within: MemoryIndex, trace: Trace) -> Self {
        PageCopies { within, trace, others: Vec::new(), of_blocks: HashMap::new(), of_whole: None }
    }

    /// What is claimed: the long blocks, and the page as a whole. Of each block that is compared there is a fingerprint, and
    /// then that of the whole.
    pub(super) fn claims(&self, fingerprints: &[Fingerprint]) -> Vec<Claim> {
        let mut left = fingerprints.iter();
        let compared = self.trace.blocks_of(0).filter(|block| self.trace.mark(*block).entry().is_some());
        let mut claims: Vec<Claim> = compared
            .zip(left.by_ref())
            .filter(|(block, _)| self.trace.mark(*block).is_long())
            .map(|(block, fingerprint)| Claim { fingerprint: *fingerprint, block: Some(number(block)) })
            .collect();
        if self.trace.whole(0).is_some() {
            claims.extend(left.next().map(|fingerprint| Claim { fingerprint: *fingerprint, block: None }));
        }
        claims
    }

    /// Takes in who else has what was claimed.
    pub(super) fn tell(&mut self, claims: &[Claim], fingerprints: &[Fingerprint], arrived: &Arrived) {
        if arrived.others.iter().all(Option::is_none) {
            return;
        }
        let words = words_of(&self.trace, fingerprints);
        let compared = self.trace.blocks_of(0).filter_map(|block| self.trace.mark(block).entry());
        let compared_words = words.into_iter().filter(|word| !matches!(word.meaning(), Meaning::Gap(_)));
        let entries: HashMap<Word, EntryId> = compared_words.zip(compared).collect();
        let mut parts: HashMap<Owner, u32> = HashMap::new();
        for (claim, owner) in claims.iter().zip(&arrived.others) {
            let Some((owner, document)) = owner.and_then(|owner| arrived.documents.get_key_value(&owner)) else {
                continue;
            };
            let part = *parts.entry(*owner).or_insert_with(|| {
                self.others.push(Other::new(document, &entries));
                number(self.others.len())
            });
            match claim.block {
                Some(block) => {
                    let first = self.others[part as usize - 1].long.get(&Word::long(&claim.fingerprint)).copied();
                    self.of_blocks.insert(block, Place { part, block: first.unwrap_or_default() });
                }
                None => self.of_whole = Some(Place { part, block: 0 }),
            }
        }
    }

    /// What the other pages are known by.
    pub(super) fn into_ids(self) -> Vec<String> {
        self.others.into_iter().map(|other| other.id).collect()
    }
}

impl Other {
    fn new(document: &Document, entries: &HashMap<Word, EntryId>) -> Self {
        let elsewhere = EntryId::new(ELSEWHERE).expect("it is the largest number of an entry");
        let entry = |word: &Word| entries.get(word).copied().unwrap_or(elsewhere);
        let mut marks = Vec::with_capacity(document.blocks.len());
        let mut long = HashMap::new();
        let mut block = 0_u32;
        for word in &document.blocks {
            let n_blocks = match word.meaning() {
                Meaning::Gap(n_blocks) => {
                    marks.extend((block..).take(MAX_GAP).zip(0..n_blocks).map(|(block, _)| (block, Mark::UNCOMPARED)));
                    u32::try_from(n_blocks).unwrap_or(u32::MAX)
                }
                Meaning::Short => {
                    marks.push((block, Mark::short(entry(word))));
                    1
                }
                Meaning::Long => {
                    long.entry(*word).or_insert(block);
                    marks.push((block, Mark::long(entry(word))));
                    1
                }
            };
            block = block.saturating_add(n_blocks);
        }
        Other { id: String::from_utf8_lossy(&document.id).into_owned(), marks, long }
    }
}

impl Copies for PageCopies {
    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn of_block(&self, block: usize) -> Option<Place> {
        let here = Place { part: 0, block: number(block) };
        let of_others = self.of_blocks.get(&here.block).copied();
        of_others.or_else(|| {
            let first = self.within.seen(self.trace.mark(block).entry()?).first;
            (first != here).then_some(first)
        })
    }

    fn of_document(&self, _document_idx: usize) -> Option<Place> {
        self.of_whole
    }

    fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)> {
        let other = (place.part as usize).checked_sub(1).map(|other| &self.others[other].marks);
        let (at, n_marks) = match other {
            None => (place.block as usize, self.trace.n_blocks()),
            Some(marks) => (marks.partition_point(|(block, _)| *block < place.block), marks.len()),
        };
        let (mut after, mut before) = match side {
            Side::After => (at + 1..n_marks, 0..0),
            Side::Before => (0..0, 0..at.min(n_marks)),
        };
        let next = move || after.next().or_else(|| before.next_back());
        std::iter::from_fn(next).map(move |at| match other {
            None => (number(at), self.trace.mark(at)),
            Some(marks) => marks[at],
        })
    }
}

fn number(block: usize) -> u32 {
    u32::try_from(block).expect("blocks of a page are numbered with 32 bits")
}
