//! What indexes remember of a run's documents, and what is new of them.
//!
//! When the survey has ended, the indexes are asked, for each document: who has its blocks? What somebody else has goes, with the short
//! lines around it, as it would if the other stood earlier in this run. What is its own, from when it came before, stays. For what nobody has,
//! the first in the run counts, as without an index; and when all is written, it is claimed for that one.
//!
//! Documents of other runs have places too: their parts are numbered behind those of the run.

use super::indexes::Indexes;
use super::names::Names;
use super::source::Origin;
use super::templates::Learned;
use super::workers::Workers;
use crate::config::Config;
use crate::decide::{Copies, Displaced, Keep, PartCopies, Reason, Repeats, Side, Template, Witnesses, decide_repeats};
use crate::durable::{Bulk, Document};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::index::{EntryOwners, Frozen, Mark, OnChanged, Owner, Place, Trace};
use crate::recall::{Claim, Claimed, Compared, Elsewhere, Known, Recalled, UNKNOWN_BLOCK, rest_of};
use crate::score::Level;
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// What was noted of a run.
#[derive(Clone, Copy)]
pub(super) struct Noted<'n> {
    pub(super) index: &'n Frozen,
    pub(super) traces: &'n [Trace],
    pub(super) witnesses: &'n Witnesses,
    pub(super) displaced: &'n Displaced,
    pub(super) keep: Keep,
    /// What templates remove of each part.
    pub(super) templated: &'n [Vec<Templated>],
}

/// A block of a part that a template removes, with the mark that it had.
pub(super) type Templated = (u32, Mark);

impl<'n> Noted<'n> {
    /// What is known of the copies of a part's blocks in the run.
    pub(super) fn copies(self, part: u32) -> PartCopies<'n, Frozen> {
        let Noted { index: lookup, traces, witnesses, displaced, keep, .. } = self;
        Repeats { lookup, traces, witnesses, keep, displaced: Some(displaced) }.of_part(part)
    }

    /// What is compared of a document.
    fn compared(self, part: u32, document_idx: usize) -> Compared {
        let trace = &self.traces[part as usize];
        let blocks = trace.blocks_of(document_idx);
        let start = number(blocks.start);
        let has_rest = self.displaced.has_rest(Place { part, block: start });
        let rest = if has_rest { rest_of(trace, document_idx, self.index) } else { None };
        let templated = self.templated.get(part as usize).map_or(&[][..], Vec::as_slice);
        let from = templated.partition_point(|(block, _)| *block < start);
        let templated = templated[from..].iter().take_while(|(block, _)| (*block as usize) < blocks.end);
        let templated = templated.map(|(block, mark)| (block - start, *mark));
        Compared::of(trace, document_idx, self.index, templated, rest)
    }
}

/// Has what templates remove of each part, which is to be found before it is removed, be what they removed when its documents came first, where these
/// have not changed: a template that is learned from other pages is not the same each time.
pub(super) fn as_before(
    indexes: &Indexes,
    index: &Frozen,
    traces: &[Trace],
    names: &Names,
    origins: &[Origin],
    learned: &mut [Vec<Learned>],
    workers: &Workers,
) -> Result<()> {
    if !indexes.has_documents() {
        return Ok(());
    }
    let of_part = |part_idx: usize| -> Result<Vec<Learned>> {
        let (trace, mut left) = (&traces[part_idx], learned[part_idx].iter().peekable());
        let named = names.of_part(part_idx, origins[part_idx]);
        let keys: Vec<Option<Fingerprint>> = named.map(|name| Some(Fingerprint::of_id(&name?))).collect();
        let asked: Vec<Fingerprint> = keys.iter().copied().flatten().collect();
        let mut owners = indexes.owners(None, &asked)?.into_iter();
        let mut all = Vec::with_capacity(learned[part_idx].len());
        for (document_idx, key) in keys.iter().enumerate() {
            let blocks = trace.blocks_of(document_idx);
            let now = std::iter::from_fn(|| left.next_if(|one| (one.block as usize) < blocks.end));
            let now: Vec<Learned> = now.copied().collect();
            let owner = key.and_then(|_| owners.next().flatten());
            let before = owner.map_or(Ok(None), |owner| indexes.document(Known { against: None, owner }))?;
            let compared = Compared::of(trace, document_idx, index, std::iter::empty(), None);
            let Some(templated) = before.and_then(|before| compared.templated_in(&before)) else {
                all.extend(now);
                continue;
            };
            all.extend(templated.into_iter().map(|block| {
                let block = number(blocks.start) + block;
                let known = now.iter().find(|one| one.block == block).copied();
                known.unwrap_or(Learned { block, template: Template { documents: 0, of: 0 } })
            }));
        }
        Ok(all)
    };
    let parts = workers.each(traces.len(), || (), |(), part_idx| of_part(part_idx));
    for (learned, as_before) in learned.iter_mut().zip(parts) {
        *learned = as_before?;
    }
    Ok(())
}

/// What indexes remember of a run.
#[derive(Debug)]
pub(super) struct Remembered {
    parts: Vec<PartRemembered>,
    names: Names,
    /// What documents had that have changed, where they give it up.
    released: HashSet<Fingerprint>,
    /// The documents of other runs, by the numbers of their parts behind those of this run.
    others: Vec<Known>,
    /// What they are known by, one behind the other, and where each ends.
    ids: String,
    id_ends: Vec<usize>,
}

/// The same, of a part.
#[derive(Debug, Default)]
pub(super) struct PartRemembered {
    /// Of blocks, in their order, of which the index knows other than the run: where the copy is that makes it go, if it goes.
    blocks: Vec<(u32, Option<Place>)>,
    /// The same of documents as wholes.
    wholes: Vec<(u32, Option<Place>)>,
    /// The blocks that are claimed: a bit for each block.
    claimed: Vec<u64>,
    /// The documents that are claimed as wholes.
    claimed_wholes: Vec<u32>,
    /// The documents that are kept, each with what it was last, if it came before.
    kept: Vec<(u32, Option<Owner>)>,
}

impl PartRemembered {
    /// What the index knows of a block: where the copy is that makes it go, or that it stays. Nothing where the run decides.
    pub(super) fn of_block(&self, block: usize) -> Option<Option<Place>> {
        find(&self.blocks, block)
    }

    /// The same of a document as a whole.
    pub(super) fn of_document(&self, document_idx: usize) -> Option<Option<Place>> {
        find(&self.wholes, document_idx)
    }

    /// Of some blocks those of which the index knows.
    pub(super) fn of_blocks(&self, blocks: Range<usize>) -> &[(u32, Option<Place>)] {
        let at = |block: usize| self.blocks.partition_point(|(known, _)| (*known as usize) < block);
        if self.blocks.is_empty() { &[] } else { &self.blocks[at(blocks.start)..at(blocks.end)] }
    }

    fn claim(&mut self, block: usize) {
        let word = block / WORD_BITS;
        if self.claimed.len() <= word {
            self.claimed.resize(word + 1, 0);
        }
        self.claimed[word] |= 1 << (block % WORD_BITS);
    }

    fn is_claimed(&self, block: usize) -> bool {
        self.claimed.get(block / WORD_BITS).is_some_and(|word| word >> (block % WORD_BITS) & 1 == 1)
    }
}

const WORD_BITS: usize = u64::BITS as usize;

fn find<T: Copy>(sorted: &[(u32, T)], wanted: usize) -> Option<T> {
    if sorted.is_empty() {
        return None;
    }
    let found = sorted.binary_search_by(|(key, _)| (*key as usize).cmp(&wanted));
    found.ok().map(|found| sorted[found].1)
}

/// A document of another run, as people look for it.
pub(super) struct OtherDocument<'r> {
    /// The index that it is in, by its number among those that are only read; none for the one that remembers.
    pub(super) against: Option<u16>,
    /// What it is known by; empty where the index keeps no documents.
    pub(super) id: &'r str,
    /// The block in it, where that is known.
    pub(super) block: Option<u32>,
}

impl Remembered {
    /// Asks the indexes about all documents of a run.
    pub(super) fn ask(
        indexes: &Indexes,
        noted: Noted<'_>,
        names: Names,
        origins: &[Origin],
        config: &Config,
        workers: &Workers,
    ) -> Result<Self> {
        let keeps_all = config.level >= Level::Safe;
        let which = || std::iter::once(None).chain((0..indexes.n_against()).map(Some));
        // All distinct fingerprints at once, in their order: they lie side by side in the index as well.
        let ask = |against| {
            let of_shard = |shard_idx| {
                noted.index.owners_of_shard(shard_idx, |fingerprints| indexes.owners(against, fingerprints))
            };
            let shards = workers.each(noted.index.n_shards(), || (), |(), shard_idx| of_shard(shard_idx));
            shards.into_iter().collect::<Result<_>>().map(EntryOwners)
        };
        let held: Vec<EntryOwners> = which().map(ask).collect::<Result<_>>()?;
        let mut asking = Asking { indexes, noted, names: &names, origins, held, released: HashSet::new(), keeps_all };
        if config.on_changed == OnChanged::Release {
            let released =
                workers.each(noted.traces.len(), || (), |(), part_idx| asking.released_of_part(number(part_idx)));
            for of_part in released {
                asking.released.extend(of_part?);
            }
        }
        let answers = workers.each(noted.traces.len(), || (), |(), part_idx| asking.part(number(part_idx)));
        let released = asking.released;
        let (parts, others, id_ends) = (Vec::new(), Vec::new(), Vec::new());
        let mut remembered = Remembered { parts, names, released, others, ids: String::new(), id_ends };
        let mut numbers: HashMap<Known, u32> = HashMap::new();
        let n_parts = number(noted.traces.len());
        for answer in answers {
            let Answer { mut part, others } = answer?;
            let others: Vec<u32> = others
                .into_iter()
                .map(|(known, id)| {
                    *numbers.entry(known).or_insert_with(|| {
                        remembered.others.push(known);
                        remembered.ids.push_str(&id);
                        remembered.id_ends.push(remembered.ids.len());
                        number(noted.traces.len() + remembered.others.len() - 1)
                    })
                })
                .collect();
            let places = part.blocks.iter_mut().chain(&mut part.wholes).filter_map(|(_, place)| place.as_mut());
            for place in places.filter(|place| place.part >= n_parts) {
                place.part = others[(place.part - n_parts) as usize];
            }
            remembered.parts.push(part);
        }
        Ok(remembered)
    }

    pub(super) fn part(&self, part_idx: usize) -> &PartRemembered {
        &self.parts[part_idx]
    }

    /// The document that a place is in, if it is one of another run.
    pub(super) fn other(&self, place: Place) -> Option<OtherDocument<'_>> {
        let other = (place.part as usize).checked_sub(self.parts.len())?;
        let start = other.checked_sub(1).map_or(0, |before| self.id_ends[before]);
        let id = &self.ids[start..self.id_ends[other]];
        let block = (place.block != UNKNOWN_BLOCK).then_some(place.block);
        Some(OtherDocument { against: self.others[other].against, id, block })
    }

    /// Takes into the index what is new.
    pub(super) fn record(&self, noted: Noted<'_>, origins: &[Origin], bulk: &mut Bulk<'_>) -> Result<()> {
        bulk.release(self.released.iter().copied());
        for (part_idx, part) in self.parts.iter().enumerate() {
            let trace = &noted.traces[part_idx];
            for (document_idx, name) in self.names.of_part(part_idx, origins[part_idx]).enumerate() {
                let (Some(id), Some(previous)) = (name, find(&part.kept, document_idx)) else { continue };
                let blocks = trace.blocks_of(document_idx);
                let is_claimed_whole = part.claimed_wholes.binary_search(&number(document_idx)).is_ok();
                let compared = noted.compared(number(part_idx), document_idx);
                let is_claimed = |claim: &Claim| match claim.claimed {
                    Claimed::Block(block) => part.is_claimed(blocks.start + block as usize),
                    Claimed::Whole => is_claimed_whole,
                };
                let claims = compared.claims().filter(is_claimed);
                let document = Document { id, previous, blocks: compared.words() };
                bulk.add(&document, claims.map(|claim| claim.fingerprint))?;
            }
        }
        Ok(())
    }
}

/// What is asked, and of whom.
struct Asking<'a> {
    indexes: &'a Indexes,
    noted: Noted<'a>,
    names: &'a Names,
    origins: &'a [Origin],
    /// Who has what was noted: of the index that remembers, and then of the others.
    held: Vec<EntryOwners>,
    /// What counts as nobody's, since the document that had it gives it up.
    released: HashSet<Fingerprint>,
    /// Whether documents are kept that have nothing of their own: what templates remove of them may be something else when they come again.
    keeps_all: bool,
}

/// What is remembered of a part, whose places number the documents of other runs by themselves.
struct Answer {
    part: PartRemembered,
    /// Those documents, with what they are known by.
    others: Vec<(Known, String)>,
}

/// A document that is asked about.
struct Asked {
    document_idx: usize,
    name: Vec<u8>,
    compared: Compared,
    /// Which of the fingerprints is the document as a whole, where that is not among what was noted.
    rest: Option<usize>,
    /// Which of the fingerprints is what it is known by.
    id: usize,
}

impl Asking<'_> {
    /// What the documents of a part have given up that came before and have changed.
    fn released_of_part(&self, part: u32) -> Result<Vec<Fingerprint>> {
        let part_idx = part as usize;
        let named = self.names.of_part(part_idx, self.origins[part_idx]).enumerate();
        let named: Vec<(usize, Vec<u8>)> =
            named.filter_map(|(document_idx, name)| Some((document_idx, name?))).collect();
        let keys: Vec<Fingerprint> = named.iter().map(|(_, name)| Fingerprint::of_id(name)).collect();
        let (mut released, mut holders) = (Vec::new(), HashMap::new());
        for ((document_idx, name), last) in named.iter().zip(self.indexes.owners(None, &keys)?) {
            let Some(owner) = last else { continue };
            let Some(last) = self.indexes.document(Known { against: None, owner })? else { continue };
            let words = last.claimed_and_gone(&self.noted.compared(part, *document_idx).words());
            for (fingerprint, owner) in self.indexes.find_words(&words)?.into_iter().flatten() {
                let holder: &Vec<u8> = match holders.entry(owner) {
                    Entry::Occupied(occupied) => occupied.into_mut(),
                    Entry::Vacant(vacant) => {
                        let holder = self.indexes.document(Known { against: None, owner })?;
                        vacant.insert(holder.map_or_else(Vec::new, |holder| holder.id))
                    }
                };
                released.extend((holder == name).then_some(fingerprint));
            }
        }
        Ok(released)
    }

    fn part(&self, part: u32) -> Result<Answer> {
        let part_idx = part as usize;
        let trace = &self.noted.traces[part_idx];
        // What was not noted.
        let mut fingerprints = Vec::new();
        let mut documents = Vec::new();
        for (document_idx, name) in self.names.of_part(part_idx, self.origins[part_idx]).enumerate() {
            let Some(name) = name else { continue };
            let compared = self.noted.compared(part, document_idx);
            let last = compared.claims().last();
            if last.is_none() && (!self.keeps_all || compared.is_empty()) {
                continue;
            }
            let rest = last.filter(|claim| claim.entry.is_none()).map(|claim| {
                fingerprints.push(claim.fingerprint);
                fingerprints.len() - 1
            });
            fingerprints.push(Fingerprint::of_id(&name));
            documents.push(Asked { document_idx, name, compared, rest, id: fingerprints.len() - 1 });
        }
        let own = self.indexes.owners(None, &fingerprints)?;
        let against = (0..self.indexes.n_against()).map(|number| self.indexes.owners(Some(number), &fingerprints));
        let held = std::iter::once(Ok(own)).chain(against).collect::<Result<_>>()?;
        let mut answering = Answering {
            asking: self,
            part,
            here: self.noted.copies(part),
            trace,
            held,
            known: HashMap::new(),
            numbers: HashMap::new(),
            answer: Answer { part: PartRemembered::default(), others: Vec::new() },
        };
        documents.iter().try_for_each(|asked| answering.document(asked))?;
        Ok(answering.answer)
    }
}

/// Answers of one part.
struct Answering<'a> {
    asking: &'a Asking<'a>,
    part: u32,
    here: PartCopies<'a, Frozen>,
    trace: &'a Trace,
    /// Who has what was not noted: of the index that remembers, and then of the others.
    held: Vec<Vec<Option<Owner>>>,
    /// Documents of other runs that were looked up.
    known: HashMap<Known, Option<Arc<Recalled>>>,
    /// The numbers of those that are among the answer's others.
    numbers: HashMap<Known, u32>,
    answer: Answer,
}

/// Who has a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    /// The document itself, since it came before.
    Itself,
    Other(Known),
}

impl Holder {
    fn other(self) -> Option<Known> {
        match self {
            Holder::Other(known) => Some(known),
            Holder::Nobody | Holder::Itself => None,
        }
    }
}

impl Answering<'_> {
    fn document(&mut self, asked: &Asked) -> Result<()> {
        let last = self.held[0][asked.id];
        let holders: Vec<Holder> =
            asked.compared.claims().map(|claim| self.holder(asked, claim, last)).collect::<Result<_>>()?;
        self.tell_others(asked, &holders);
        let claims_any = self.tell_own(asked, &holders);
        if claims_any || ((self.asking.keeps_all || last.is_some()) && !self.is_same(asked, last)?) {
            self.answer.part.kept.push((number(asked.document_idx), last));
        }
        Ok(())
    }

    /// Whether a document is what it was last.
    fn is_same(&self, asked: &Asked, last: Option<Owner>) -> Result<bool> {
        let Some(owner) = last else { return Ok(false) };
        let last = self.asking.indexes.document(Known { against: None, owner })?;
        Ok(last.is_some_and(|last| last.blocks == asked.compared.words()))
    }

    /// Who has a claim of a document, of which `last` is what it was when it came before.
    fn holder(&mut self, asked: &Asked, claim: Claim, last: Option<Owner>) -> Result<Holder> {
        let asking = self.asking;
        let owner = |which: usize| match (claim.entry, asked.rest) {
            (Some(entry), _) => asking.held[which].of(entry),
            (None, rest) => self.held[which][rest?],
        };
        let against = (0..asking.indexes.n_against())
            .find_map(|number| Some(Known { against: Some(number), owner: owner(1 + usize::from(number))? }));
        let known = match (against, owner(0)) {
            (Some(known), _) => known,
            (None, Some(owner)) if !asking.released.contains(&claim.fingerprint) => Known { against: None, owner },
            (None, _) => return Ok(Holder::Nobody),
        };
        if known.against.is_none() && self.is_own(known, last, &asked.name)? {
            return Ok(Holder::Itself);
        }
        self.look_up(known)?;
        Ok(Holder::Other(known))
    }

    /// Whether a document of the index that remembers is the one that is asked about, as it was when it came before; `last` is what it was
    /// last.
    fn is_own(&mut self, known: Known, last: Option<Owner>, name: &[u8]) -> Result<bool> {
        if last.is_none_or(|last| last == known.owner) {
            return Ok(last.is_some());
        }
        self.look_up(known)?;
        Ok(self.known[&known].as_ref().is_some_and(|recalled| recalled.document().id == name))
    }

    fn look_up(&mut self, known: Known) -> Result<()> {
        if !self.known.contains_key(&known) {
            let document = self.asking.indexes.document(known)?;
            self.known.insert(known, document.map(|document| Arc::new(Recalled::new(document))));
        }
        Ok(())
    }

    /// Notes what goes since others have it.
    fn tell_others(&mut self, asked: &Asked, holders: &[Holder]) {
        let known = &self.known;
        let recalled = |other: Known| known.get(&other).cloned().flatten();
        let elsewhere = Elsewhere::new(&asked.compared, holders.iter().map(|holder| holder.other()), recalled, 0);
        let keys: Vec<Known> = elsewhere.keys().collect();
        if keys.is_empty() {
            return;
        }
        let numbers: Vec<u32> = keys.into_iter().map(|key| self.number(key)).collect();
        let here = |place: Place| Place { part: numbers[place.part as usize], ..place };
        let blocks = self.trace.blocks_of(asked.document_idx);
        let copies = OthersCopies { trace: self.trace, start: blocks.start, elsewhere };
        let mut decisions = Vec::new();
        decide_repeats(&copies, asked.document_idx, &mut decisions);
        let PartRemembered { blocks: of_blocks, wholes, .. } = &mut self.answer.part;
        for decision in decisions {
            match decision.reason {
                Reason::Copy(place) => {
                    wholes.push((number(asked.document_idx), Some(here(place))));
                    break;
                }
                Reason::Repeat(place) => {
                    let block = number(blocks.start) + decision.block;
                    of_blocks.push((block, Some(here(place))));
                }
                _ => {}
            }
        }
    }

    /// The number of another document in the answer, which takes it in.
    fn number(&mut self, key: Known) -> u32 {
        let Answering { answer, numbers, known, asking, .. } = self;
        let first = asking.noted.traces.len();
        *numbers.entry(key).or_insert_with(|| {
            let id = known.get(&key).and_then(Option::as_ref).map(|recalled| recalled.shown_id());
            answer.others.push((key, id.unwrap_or_default()));
            number(first + answer.others.len() - 1)
        })
    }

    /// Notes what stays since it has it, and what it claims; says whether it claims anything.
    fn tell_own(&mut self, asked: &Asked, holders: &[Holder]) -> bool {
        let document_idx = number(asked.document_idx);
        let blocks = self.trace.blocks_of(asked.document_idx);
        let part = &mut self.answer.part;
        let n_told = part.blocks.len();
        let mut firsts: HashMap<Fingerprint, u32> = HashMap::new();
        let mut claims_any = false;
        // What another of the run is a copy of may have lost what this one has.
        let is_no_copy = holders.contains(&Holder::Itself) && self.here.of_document(asked.document_idx).is_some();
        if is_no_copy {
            part.wholes.push((document_idx, None));
        }
        for (Claim { claimed, fingerprint, .. }, holder) in asked.compared.claims().zip(holders) {
            match (claimed, holder) {
                (_, Holder::Other(_)) => {}
                (Claimed::Block(block), Holder::Nobody) => {
                    let block = blocks.start + block as usize;
                    if self.here.of_block(block).is_none() {
                        part.claim(block);
                        claims_any = true;
                    }
                }
                (Claimed::Block(block), Holder::Itself) => {
                    let block = number(blocks.start) + block;
                    let own_first = *firsts.entry(fingerprint).or_insert(block);
                    let is_elsewhere =
                        |first: &Place| first.part != self.part || !blocks.contains(&(first.block as usize));
                    if self.here.of_block(block as usize).filter(is_elsewhere).is_some() {
                        let own_first = Place { part: self.part, block: own_first };
                        part.blocks.push((block, (own_first.block != block).then_some(own_first)));
                    }
                }
                (Claimed::Whole, Holder::Nobody) => {
                    if self.here.of_document(asked.document_idx).is_none() {
                        part.claimed_wholes.push(document_idx);
                        claims_any = true;
                    }
                }
                (Claimed::Whole, Holder::Itself) => {}
            }
        }
        if part.blocks.len() > n_told {
            let start = part.blocks.partition_point(|(block, _)| (*block as usize) < blocks.start);
            part.blocks[start..].sort_unstable_by_key(|(block, _)| *block);
        }
        claims_any
    }
}

/// What others have of a document, and nothing else.
struct OthersCopies<'a> {
    trace: &'a Trace,
    /// The document's first block.
    start: usize,
    elsewhere: Elsewhere<Known>,
}

impl Copies for OthersCopies<'_> {
    fn trace(&self) -> &Trace {
        self.trace
    }

    fn of_block(&self, block: usize) -> Option<Place> {
        self.elsewhere.of_block(number(block - self.start))
    }

    fn of_document(&self, _document_idx: usize) -> Option<Place> {
        self.elsewhere.of_whole()
    }

    fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)> {
        self.elsewhere.beside(place, side)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("parts, and blocks of a part, are numbered with 32 bits")
}
