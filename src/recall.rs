//! Documents that came before, as decisions want to see them: who else has what of a document, and what stands beside it there.
//!
//! A [`Compared`] is what an index is asked about a document. What it answers, with the documents that it names, is an
//! [`Elsewhere`], whose places are numbered for the one document: a part for each other document, as they are met.

use crate::config::Config;
use crate::decide::{MAX_GAP, Side, fingerprint_of_rest};
use crate::durable::{Document, Index, IndexOptions, Meaning, Word};
use crate::fingerprint::Fingerprint;
use crate::index::{EntryId, Frozen, Mark, Owner, Place, Trace};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// What an index of this configuration is opened with: all on which it depends what has which fingerprint.
pub(crate) fn options(config: &Config) -> IndexOptions {
    Index::options()
        .setting("unit", &spelled(&config.unit))
        .setting("fold", &spelled(&config.fold))
        .setting("scope", &spelled(&config.scope))
        .setting("min-chars", &config.min_chars.to_string())
}

/// A setting as configurations spell it.
fn spelled(setting: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(setting).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A document of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Known {
    /// The index, by its number among those that are only read; none for the one that remembers.
    pub(crate) against: Option<u16>,
    pub(crate) owner: Owner,
}

/// The blocks of a document that are compared, and the document as a whole if it is, with their fingerprints.
#[derive(Debug)]
pub(crate) struct Compared {
    blocks: Vec<Block>,
    /// With its entry, if it has one.
    whole: Option<(Fingerprint, Option<EntryId>)>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    /// Its number in the document.
    number: u32,
    mark: Mark,
    fingerprint: Fingerprint,
    /// Whether a template of the site removes it, so that it is kept and not compared.
    is_templated: bool,
}

impl Block {
    fn word(&self) -> Word {
        if self.is_templated {
            Word::templated(&self.fingerprint)
        } else if self.mark.is_long() {
            Word::long(&self.fingerprint)
        } else {
            Word::short(&self.fingerprint)
        }
    }
}

impl Compared {
    /// What is compared of a document of a trace, given the index that its marks name entries of. `templated` are the blocks that templates
    /// of its site remove, with the marks that they had, and `rest` is what is left of it as a whole.
    pub(crate) fn of(
        trace: &Trace,
        document_idx: usize,
        index: &Frozen,
        templated: impl Iterator<Item = (u32, Mark)>,
        rest: Option<Fingerprint>,
    ) -> Self {
        let block = |number, mark: Mark, is_templated| {
            let fingerprint = index.fingerprint(mark.entry()?);
            Some(Block { number, mark, fingerprint, is_templated })
        };
        let marks = trace.blocks_of(document_idx).map(|block| trace.mark(block));
        let mut blocks: Vec<Block> = (0..).zip(marks).filter_map(|(number, mark)| block(number, mark, false)).collect();
        let n_left = blocks.len();
        blocks.extend(templated.filter_map(|(number, mark)| block(number, mark, true)));
        if blocks.len() > n_left {
            blocks.sort_unstable_by_key(|block| block.number);
        }
        let whole = trace.whole(document_idx).map(|entry| (index.fingerprint(entry), Some(entry)));
        Compared { blocks, whole: whole.or(rest.map(|rest| (rest, None))) }
    }

    /// Whether a document of which no block is templated is the same as a version of it that an index keeps; if so, the blocks of it, by their
    /// numbers, that templates removed then.
    pub(crate) fn templated_in(&self, version: &Document) -> Option<Vec<u32>> {
        let mut blocks = self.blocks.iter();
        let (mut number, mut templated) = (0_u64, Vec::new());
        for word in &version.blocks {
            let meaning = word.meaning();
            match meaning {
                Meaning::Gap(n_blocks) => number = number.saturating_add(n_blocks),
                Meaning::Whole => {}
                Meaning::Short | Meaning::Long | Meaning::Templated => {
                    let block = blocks.next()?;
                    let is_templated = meaning == Meaning::Templated;
                    let as_then = Block { is_templated, ..*block };
                    if u64::from(block.number) != number || as_then.word() != *word {
                        return None;
                    }
                    templated.extend(is_templated.then_some(block.number));
                    number += 1;
                }
            }
        }
        blocks.next().is_none().then_some(templated)
    }

    /// Whether an index keeps nothing of it.
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The document as an index keeps it.
    pub(crate) fn words(&self) -> Vec<Word> {
        let mut words = Vec::with_capacity(self.blocks.len());
        let mut next = 0;
        for block in &self.blocks {
            if block.number > next {
                words.push(Word::gap(u64::from(block.number - next)));
            }
            words.push(block.word());
            next = block.number + 1;
        }
        words.extend(self.whole.map(|(fingerprint, _)| Word::whole(&fingerprint)));
        words
    }

    /// What is claimed: the long blocks in their order, and then the document as a whole if it is compared as one.
    pub(crate) fn claims(&self) -> impl Iterator<Item = Claim> {
        let long = self.blocks.iter().filter(|block| block.mark.is_long() && !block.is_templated);
        let long = long.map(|block| Claim {
            claimed: Claimed::Block(block.number),
            fingerprint: block.fingerprint,
            entry: block.mark.entry(),
        });
        long.chain(self.whole.map(|(fingerprint, entry)| Claim { claimed: Claimed::Whole, fingerprint, entry }))
    }
}

/// What templates leave of a document, as a whole.
pub(crate) fn rest_of(trace: &Trace, document_idx: usize, index: &Frozen) -> Option<Fingerprint> {
    let marks = trace.blocks_of(document_idx).map(|block| trace.mark(block));
    fingerprint_of_rest(marks.filter_map(|mark| Some((index.fingerprint(mark.entry()?), mark.is_long()))))
}

/// A fingerprint that a document claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) claimed: Claimed,
    pub(crate) fingerprint: Fingerprint,
    /// Its entry in the index that the document's marks name entries of, if it has one.
    pub(crate) entry: Option<EntryId>,
}

/// What a document claims a fingerprint for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// A block, by its number in the document.
    Block(u32),
    /// The document as a whole.
    Whole,
}

/// A document of an index, as others are compared with it.
#[derive(Debug)]
pub(crate) struct Recalled {
    document: Document,
    /// Of each of its words, the number of its first block.
    starts: Vec<u32>,
    /// Where its long blocks are first, by the numbers of their words.
    long: HashMap<Word, usize>,
}

impl Recalled {
    pub(crate) fn new(document: Document) -> Self {
        let (mut starts, mut long) = (Vec::with_capacity(document.blocks.len()), HashMap::new());
        let mut block = 0_u32;
        for (word_idx, word) in document.blocks.iter().enumerate() {
            starts.push(block);
            let n_blocks = match word.meaning() {
                Meaning::Gap(n_blocks) => u32::try_from(n_blocks).unwrap_or(u32::MAX),
                Meaning::Whole => 0,
                Meaning::Short | Meaning::Long | Meaning::Templated => 1,
            };
            if word.meaning() == Meaning::Long {
                long.entry(*word).or_insert(word_idx);
            }
            block = block.saturating_add(n_blocks);
        }
        Recalled { document, starts, long }
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// What it is known by, as people read it.
    pub(crate) fn shown_id(&self) -> String {
        String::from_utf8_lossy(&self.document.id).into_owned()
    }

    /// The first of its blocks that is this one.
    fn block_of(&self, word: &Word) -> Option<u32> {
        self.long.get(word).map(|word_idx| self.starts[*word_idx])
    }

    /// The blocks beside one of its blocks, outwards, as words; of many in a row that are not compared only some.
    fn beside(&self, block: u32, side: Side) -> impl Iterator<Item = (u32, Word)> {
        let words = &self.document.blocks;
        let at = self.starts.partition_point(|start| *start < block);
        let (mut after, mut before) = match side {
            Side::After => (at + 1..words.len(), 0..0),
            Side::Before => (0..0, 0..at.min(words.len())),
        };
        let next = move || after.next().or_else(|| before.next_back());
        std::iter::from_fn(next).flat_map(move |word_idx| {
            let (word, start) = (words[word_idx], self.starts[word_idx]);
            let n_blocks = match word.meaning() {
                Meaning::Gap(n_blocks) => usize::try_from(n_blocks).unwrap_or(usize::MAX),
                Meaning::Whole => 0,
                Meaning::Short | Meaning::Long | Meaning::Templated => 1,
            };
            (start..).take(n_blocks.min(MAX_GAP)).map(move |block| (block, word))
        })
    }
}

/// What others have of a document.
#[derive(Debug)]
pub(crate) struct Elsewhere<K> {
    /// The number of the part that the first of the others is.
    first_part: u32,
    /// The entries of the document's blocks in its own index.
    entries: HashMap<Word, EntryId>,
    /// The others, with what is known of them.
    others: Vec<(K, Option<Arc<Recalled>>)>,
    /// Of the document's long blocks, in their order, the first copies that others have.
    of_blocks: Vec<(u32, Place)>,
    of_whole: Option<Place>,
}

/// The entry of what another document has and the one has not.
const NOWHERE: u32 = (1 << EntryId::BITS) - 1;

/// The block of another document whose blocks are not known.
pub(crate) const UNKNOWN_BLOCK: u32 = u32::MAX;

impl<K: Copy + Eq + Hash> Elsewhere<K> {
    /// Nobody has anything of it.
    pub(crate) fn nothing(first_part: u32) -> Self {
        let (entries, others, of_blocks) = (HashMap::new(), Vec::new(), Vec::new());
        Elsewhere { first_part, entries, others, of_blocks, of_whole: None }
    }

    /// What others have, given who else has each of the claims of a document, and what they are; nothing of those of whom nothing is known.
    pub(crate) fn new(
        compared: &Compared,
        others: impl Iterator<Item = Option<K>> + Clone,
        recalled: impl Fn(K) -> Option<Arc<Recalled>>,
        first_part: u32,
    ) -> Self {
        let mut elsewhere = Self::nothing(first_part);
        if others.clone().all(|other| other.is_none()) {
            return elsewhere;
        }
        elsewhere.entries =
            compared.blocks.iter().filter_map(|block| Some((block.word(), block.mark.entry()?))).collect();
        let mut parts: HashMap<K, u32> = HashMap::new();
        let mut is_all_elsewhere = true;
        for (Claim { claimed, fingerprint, .. }, other) in compared.claims().zip(others) {
            let Some(key) = other else {
                is_all_elsewhere = false;
                continue;
            };
            let part = *parts.entry(key).or_insert_with(|| {
                elsewhere.others.push((key, recalled(key)));
                first_part + number(elsewhere.others.len()) - 1
            });
            let (_, other) = &elsewhere.others[(part - first_part) as usize];
            match claimed {
                Claimed::Block(block) => {
                    let first = other.as_ref().and_then(|other| other.block_of(&Word::long(&fingerprint)));
                    elsewhere.of_blocks.push((block, Place { part, block: first.unwrap_or(UNKNOWN_BLOCK) }));
                }
                // What it has of its own, since the other lost it to it or gave it up, must not go with the rest.
                Claimed::Whole if is_all_elsewhere => elsewhere.of_whole = Some(Place { part, block: 0 }),
                Claimed::Whole => {}
            }
        }
        elsewhere
    }

    /// Where another has a long block, by its number in the document.
    pub(crate) fn of_block(&self, block: u32) -> Option<Place> {
        let found = self.of_blocks.binary_search_by_key(&block, |(block, _)| *block);
        found.ok().map(|found| self.of_blocks[found].1)
    }

    /// Another of which the document is a copy.
    pub(crate) fn of_whole(&self) -> Option<Place> {
        self.of_whole
    }

    /// The blocks beside a place in another, outwards, naming entries of the document's own index.
    pub(crate) fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)> {
        let other = place.part.checked_sub(self.first_part).and_then(|other| self.others.get(other as usize));
        let other = other.filter(|_| place.block != UNKNOWN_BLOCK).and_then(|(_, other)| other.as_ref());
        let beside = other.into_iter().flat_map(move |other| other.beside(place.block, side));
        beside.map(|(block, word)| {
            let entry = || {
                let nowhere = EntryId::new(NOWHERE).expect("it is the largest number of an entry");
                self.entries.get(&word).copied().unwrap_or(nowhere)
            };
            let mark = match word.meaning() {
                Meaning::Short => Mark::short(entry()),
                Meaning::Long => Mark::long(entry()),
                Meaning::Gap(_) | Meaning::Templated | Meaning::Whole => Mark::UNCOMPARED,
            };
            (block, mark)
        })
    }

    /// Who the others are, in the order of their parts.
    pub(crate) fn keys(&self) -> impl Iterator<Item = K> {
        self.others.iter().map(|(key, _)| *key)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a document has no more claims than blocks, which are numbered with 32 bits")
}
