//! Cleaning documents in memory, one at a time, as they arrive.

mod alone;
mod examples;
mod facts;
mod ids;
mod learner;
mod look;

pub(crate) use alone::Alone;
pub use examples::{Failure, check_examples};
pub(crate) use ids::{Id, Ids};
pub use learner::Learner;
pub use look::Document;
pub(crate) use look::{Look, Looker};

use crate::config::Config;
use crate::decide::{Copies, Decision, Keep, Reason, Repeats, Scope, Template, Witnesses, decide, join};
use crate::edit;
use crate::error::{Error, Result};
use crate::index::{MemoryIndex, Place, Trace};
use crate::rules::Rules;
use crate::score::Scorer;
use crate::text::Span;
use std::sync::{Arc, Mutex, PoisonError};

/// Cleans documents against rules and against what it has seen before; what a crawler calls on each page.
///
/// It is shared between threads by reference. Each thread has a [`Scratch`] of its own; folding, scanning and hashing need
/// no lock, only the moment of asking what was seen does. Documents count as arriving in the order in which they reach that
/// moment, and of a repeated block exactly one copy stays.
///
/// What was seen is kept in memory, some 40 to 50 bytes for each different block, until the cleaner is dropped.
///
/// ```
/// use dehusk::{Cleaner, Config, Document, Scratch};
///
/// let cleaner = Cleaner::new(&Config::default())?;
/// let mut scratch = Scratch::default();
/// let page = Document::new("Skip to content\nThe ship left the harbour at dawn, with forty people and a cat on board.\n");
/// let cleaned = cleaner.clean(&page, &mut scratch)?;
/// assert_eq!(cleaned.text(), b"The ship left the harbour at dawn, with forty people and a cat on board.\n");
/// assert_eq!(cleaned.cuts().len(), 1);
///
/// // The same page again: all of it was seen.
/// assert_eq!(cleaner.clean(&page, &mut scratch)?.text(), b"");
/// # Ok::<(), dehusk::Error>(())
/// ```
#[derive(Debug)]
pub struct Cleaner {
    rules: Rules,
    scorer: Option<Arc<Scorer>>,
    config: Config,
    memory: Mutex<Memory>,
}

/// The buffers that cleaning a document needs; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    looker: Option<Looker>,
    look: Look,
    decisions: Vec<Decision>,
    cuts: Vec<Cut>,
    out: Vec<u8>,
}

/// What [`Cleaner::clean`] made of a document.
#[derive(Clone, Copy, Debug)]
pub struct Cleaned<'s> {
    text: &'s [u8],
    cuts: &'s [Cut],
    document: Option<u64>,
}

/// Something that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The bytes of the document that are gone.
    pub span: Span,
    /// Why.
    pub reason: Reason,
}

/// A document and a block in it, both counted from 0: documents in the order in which they arrived at a [`Cleaner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// The number of the document.
    pub document: u64,
    /// The number of the block in it.
    pub block: u32,
}

impl Scratch {
    /// Looks at a document, for as long as the scratch lives with what it is given first. Fails if its blocks could not be numbered.
    pub(crate) fn look(
        &mut self,
        rules: &Rules,
        new: impl FnOnce() -> Looker,
        document: &Document<'_>,
    ) -> Result<&mut Look> {
        check_size(document.text)?;
        let Scratch { looker, look, decisions, .. } = self;
        let looker = looker.get_or_insert_with(new);
        look.clear();
        looker.look(rules, document, look);
        looker.finish(look);
        decisions.clear();
        Ok(look)
    }

    /// Decides on the document that was looked at, which is the first of what `copies` are of. `templated` are blocks, in their order, that templates
    /// of its site remove.
    pub(crate) fn decide(&mut self, copies: &impl Copies, templated: &[(u32, Template)]) {
        let mut chrome = self.look.chrome_of(0).to_vec();
        join(&mut chrome, 0, templated.iter().map(|(block, template)| (*block, Reason::Template(*template))));
        decide(copies, 0, &chrome, &mut self.decisions);
    }

    /// Cuts what was decided on out of the text.
    fn cut(&mut self, text: &[u8]) {
        let Scratch { looker, decisions, cuts, out, .. } = self;
        let blocks = looker.as_ref().map_or(&[][..], Looker::blocks);
        cuts.clear();
        cuts.extend(decisions.iter().map(|decision| Cut {
            span: decision.words.unwrap_or_else(|| blocks[decision.block as usize]),
            reason: decision.reason,
        }));
        out.clear();
        edit::cut(text, cuts.iter().map(|cut| cut.span), out);
    }

    /// The same; gives what is left, and what was cut.
    pub(crate) fn take_cut(&mut self, text: &[u8]) -> (Vec<u8>, Vec<Cut>) {
        self.cut(text);
        (std::mem::take(&mut self.out), std::mem::take(&mut self.cuts))
    }
}

impl<'s> Cleaned<'s> {
    /// What is left of the text, byte for byte; UTF-8 if the document was.
    pub fn text(&self) -> &'s [u8] {
        self.text
    }

    /// The number that the document got as it arrived, which [`Cleaner::locate`] calls it by later; none where documents are
    /// not compared with each other.
    pub fn document(&self) -> Option<u64> {
        self.document
    }

    /// What was removed, in the order of the text.
    pub fn cuts(&self) -> &'s [Cut] {
        self.cuts
    }
}

impl Cleaner {
    /// Makes a cleaner that has seen nothing yet.
    ///
    /// # Errors
    ///
    /// When the configuration or a pack is refused, or repeats are to lose their first copy too, which needs all documents
    /// at hand.
    pub fn new(config: &Config) -> Result<Self> {
        config.validate()?;
        if config.keep == Keep::None && matches!(config.scope, Scope::Corpus | Scope::Site) {
            let what = "keep is \"none\", which needs all documents before the first is done; \
                        give files to a run, or let scope be \"document\"";
            return Err(Error::config("configuration", what));
        }
        Ok(Cleaner {
            rules: config.rules()?,
            scorer: config.scorer()?,
            config: config.clone(),
            memory: Mutex::default(),
        })
    }

    /// The rules that it cleans with.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Cleans one document, and remembers its blocks.
    ///
    /// # Errors
    ///
    /// When the index is full, or the document has more blocks than can be numbered (2³² − 1).
    pub fn clean<'s>(&self, document: &Document<'_>, scratch: &'s mut Scratch) -> Result<Cleaned<'s>> {
        scratch.look(&self.rules, || Looker::new(&self.config, self.scorer.as_ref()), document)?;
        let Scratch { look, decisions, .. } = scratch;
        let number = if matches!(self.config.scope, Scope::Corpus | Scope::Site) {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let admitted = memory.admit(look)?;
            memory.decide(admitted, look, decisions);
            Some(memory.number(admitted))
        } else {
            let alone = Alone::of(look)?;
            decide(&alone.copies(self.config.keep), 0, look.chrome_of(0), decisions);
            None
        };
        scratch.cut(document.text);
        Ok(Cleaned { text: &scratch.out, cuts: &scratch.cuts, document: number })
    }

    /// Which document and block a place in a [`Reason`] is. A place within the same document where repeats are looked for in
    /// documents only.
    pub fn locate(&self, place: Place) -> Arrival {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).locate(place)
    }
}

/// Refuses a document whose blocks could not be numbered.
pub(crate) fn check_size(text: &[u8]) -> Result<()> {
    let limit = u32::MAX as usize;
    if text.len() > limit && memchr::memchr_iter(b'\n', text).count() >= limit {
        return Err(Error::record("document", "more than 4,294,967,294 lines", "split it"));
    }
    Ok(())
}

/// What was seen so far, where documents come in one after the other.
#[derive(Debug, Default)]
struct Memory {
    index: MemoryIndex,
    /// Documents that came in together share a part, up to some size.
    traces: Vec<Trace>,
    /// For each part, how many documents came before it.
    documents_before: Vec<u64>,
    witnesses: Witnesses,
}

/// Where the documents of a look stand in a memory.
#[derive(Clone, Copy, Debug)]
struct Admitted {
    part: u32,
    /// The first of them, by its number in the part.
    document_idx: usize,
}

/// A new part is begun when one holds this many blocks.
const PART_BLOCKS: usize = 1 << 16;

impl Memory {
    /// Notes the documents of a look as coming next.
    fn admit(&mut self, look: &Look) -> Result<Admitted> {
        let has_room = |trace: &Trace| trace.n_blocks() < PART_BLOCKS && trace.has_room(look.n_blocks());
        if !self.traces.last().is_some_and(has_room) {
            let before = self.traces.last().map_or(0, |last| last.n_documents() as u64);
            self.documents_before.push(self.documents_before.last().map_or(0, |first| first + before));
            self.traces.push(Trace::default());
        }
        let part_idx = self.traces.len() - 1;
        let part = u32::try_from(part_idx).expect("2^32 parts of 2^16 blocks do not fit in memory");
        let trace = &mut self.traces[part_idx];
        let document_idx = trace.n_documents();
        look.note(&self.index, part, trace)?;
        Ok(Admitted { part, document_idx })
    }

    /// Decides on a document that was admitted, the only one of its look.
    fn decide(&self, admitted: Admitted, look: &Look, decisions: &mut Vec<Decision>) {
        let (lookup, traces, witnesses) = (&self.index, &self.traces, &self.witnesses);
        let repeats = Repeats { lookup, traces, witnesses, keep: Keep::First, displaced: None };
        decide(&repeats.of_part(admitted.part), admitted.document_idx, look.chrome_of(0), decisions);
    }

    /// The number of a document that was admitted, in the order of arrival.
    fn number(&self, admitted: Admitted) -> u64 {
        self.documents_before[admitted.part as usize] + admitted.document_idx as u64
    }

    /// Which document and block a place is.
    fn locate(&self, place: Place) -> Arrival {
        let Some(trace) = self.traces.get(place.part as usize) else {
            return Arrival { document: 0, block: place.block };
        };
        let document_idx = trace.document_at(place.block);
        let start = trace.blocks_of(document_idx).start;
        Arrival {
            document: self.documents_before[place.part as usize] + document_idx as u64,
            block: place.block - u32::try_from(start).expect("blocks of a part are numbered with 32 bits"),
        }
    }
}
