//! Pass one: what repeats, and where first. Nothing is written.

use super::disk::{self, OnDisk};
use super::feed::each_part;
use super::indexes::Indexes;
use super::memory::Memory;
use super::names::Names;
use super::outline::{BadRecord, Outline, PartLooker};
use super::plan::{Plan, PlannedFile};
use super::progress::{Phase, Progress};
use super::remembered::{Noted, OtherDocument, PartRemembered, Remembered, Templated, as_before};
use super::source::{Origin, Part, reserved_parts};
use super::templates::{Learned, learn_and_apply};
use super::workers::Workers;
use crate::clean::{Ids, Look, Looker};
use crate::config::{Config, OnBadRecord};
use crate::decide::{self, Copies, Displaced, Keep, Side, Witnesses};
use crate::durable::Bulk;
use crate::error::{Error, Result};
use crate::index::{Frozen, Mark, MemoryIndex, Place, Trace};
use crate::rules::Rules;
use crate::score::{Level, Scorer};
use crate::template::PartFacts;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// What the survey found, by the number of the part in the run.
#[derive(Debug)]
pub(super) struct Survey {
    found: Found,
    /// What indexes remember of it, where there are any.
    remembered: Option<Remembered>,
    /// Where each part is from.
    pub(super) origins: Vec<Origin>,
    numbers: PartNumbers,
    /// The first record that could not be read: its file, its number in it from 0, and what is wrong. Only where it stops the
    /// run.
    pub(super) first_bad: Option<(usize, u64, String)>,
}

/// What was found, where it is kept.
#[derive(Debug)]
pub(super) enum Found {
    InMemory(Box<FoundInMemory>),
    OnDisk(disk::Found),
}

#[derive(Debug)]
pub(super) struct FoundInMemory {
    index: Frozen,
    witnesses: Witnesses,
    traces: Vec<Trace>,
    outlines: Vec<Outline>,
    /// What templates remove of each part.
    learned: Vec<Vec<Learned>>,
    displaced: Displaced,
    keep: Keep,
    /// The same with the marks that the blocks had, where there are indexes.
    templated: Vec<Vec<Templated>>,
}

/// A part as the survey knows it.
pub(super) struct SurveyedPart<'s> {
    pub(super) copies: PartCopies<'s>,
    pub(super) outline: Cow<'s, Outline>,
    pub(super) learned: Cow<'s, [Learned]>,
}

/// What is known of the copies of a part's blocks: in other runs, and in this one.
pub(super) struct PartCopies<'s> {
    remembered: Option<&'s PartRemembered>,
    /// The parts from this number on are documents of other runs.
    n_parts: usize,
    within: CopiesWithin<'s>,
}

/// What is known of them in this run, wherever it is kept.
enum CopiesWithin<'s> {
    InMemory(decide::PartCopies<'s, Frozen>),
    OnDisk(disk::PartCopies<'s>),
}

impl Survey {
    /// What is known of a part, if it is as it was.
    pub(super) fn part(&self, file: &PlannedFile, part: &Part, bytes: &[u8]) -> Result<SurveyedPart<'_>> {
        let part_idx = self.numbers.first[part.file_idx] + part.number;
        let changed = || {
            let place = file.input.display().to_string();
            Error::record(place, "changed between the passes", "run again when nothing writes to it")
        };
        if self.origins.get(part_idx).is_none_or(|origin| origin.file_idx != part.file_idx) {
            return Err(changed());
        }
        let (within, outline, learned) = match &self.found {
            Found::InMemory(found) => found.part(part_idx),
            Found::OnDisk(found) => {
                let (copies, outline, learned) = found.part(part_idx)?;
                (CopiesWithin::OnDisk(copies), Cow::Owned(outline), Cow::Owned(learned))
            }
        };
        if outline.bytes != bytes.len() {
            return Err(changed());
        }
        let remembered = self.remembered.as_ref().map(|remembered| remembered.part(part_idx));
        let copies = PartCopies { remembered, n_parts: self.origins.len(), within };
        Ok(SurveyedPart { copies, outline, learned })
    }

    /// The record that a place is in, by its number in its part, and which block of the record it is.
    pub(super) fn record_and_block(&self, place: Place) -> (usize, u32) {
        match &self.found {
            Found::InMemory(found) => found.traces[place.part as usize].record_and_block(place.block),
            Found::OnDisk(found) => found.record_and_block(place),
        }
    }

    /// The document of another run that a place is in, if it is in one.
    pub(super) fn other(&self, place: Place) -> Option<OtherDocument<'_>> {
        self.remembered.as_ref().and_then(|remembered| remembered.other(place))
    }

    /// Takes what is new into the index.
    pub(super) fn record(&self, bulk: &mut Bulk<'_>) -> Result<()> {
        match (&self.found, &self.remembered) {
            (Found::InMemory(found), Some(remembered)) => remembered.record(found.noted(), &self.origins, bulk),
            _ => Ok(()),
        }
    }

    /// Fails if something could not be read that was asked for, where nothing could be said of it.
    pub(super) fn check(&self) -> Result<()> {
        match &self.found {
            Found::InMemory(_) => Ok(()),
            Found::OnDisk(found) => found.check(),
        }
    }
}

impl FoundInMemory {
    fn part(&self, part_idx: usize) -> (CopiesWithin<'_>, Cow<'_, Outline>, Cow<'_, [Learned]>) {
        let copies = CopiesWithin::InMemory(self.noted().copies(number(part_idx)));
        (copies, Cow::Borrowed(&self.outlines[part_idx]), Cow::Borrowed(&self.learned[part_idx]))
    }

    fn noted(&self) -> Noted<'_> {
        let FoundInMemory { index, traces, witnesses, displaced, keep, templated, .. } = self;
        Noted { index, traces, witnesses, displaced, keep: *keep, templated }
    }
}

impl Copies for PartCopies<'_> {
    fn trace(&self) -> &Trace {
        match &self.within {
            CopiesWithin::InMemory(copies) => copies.trace(),
            CopiesWithin::OnDisk(copies) => copies.trace(),
        }
    }

    fn of_block(&self, block: usize) -> Option<Place> {
        let remembered = self.remembered.and_then(|remembered| remembered.of_block(block));
        remembered.unwrap_or_else(|| match &self.within {
            CopiesWithin::InMemory(copies) => copies.of_block(block),
            CopiesWithin::OnDisk(copies) => copies.of_block(block),
        })
    }

    fn of_document(&self, document_idx: usize) -> Option<Place> {
        let remembered = self.remembered.and_then(|remembered| remembered.of_document(document_idx));
        remembered.unwrap_or_else(|| match &self.within {
            CopiesWithin::InMemory(copies) => copies.of_document(document_idx),
            CopiesWithin::OnDisk(copies) => copies.of_document(document_idx),
        })
    }

    fn beside(&self, place: Place, side: Side) -> impl Iterator<Item = (u32, Mark)> {
        let (in_memory, on_disk) = match &self.within {
            // Short lines that go with what other runs have were found when the indexes were asked.
            _ if place.part as usize >= self.n_parts => (None, None),
            CopiesWithin::InMemory(copies) => (Some(copies.beside(place, side)), None),
            CopiesWithin::OnDisk(copies) => (None, Some(copies.beside(place, side))),
        };
        in_memory.into_iter().flatten().chain(on_disk.into_iter().flatten())
    }

    fn found_before(&self, blocks: Range<usize>) -> impl Iterator<Item = (usize, Place)> {
        let known = self.remembered.map_or(&[][..], |remembered| remembered.of_blocks(blocks));
        let short = known.iter().filter(|(block, _)| !self.trace().mark(*block as usize).is_long());
        short.filter_map(|(block, place)| Some((*block as usize, (*place)?)))
    }
}

/// A survey, and the plan that it is of: files that failed are no longer in it.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) plan: Plan,
    pub(super) survey: Survey,
}

/// What keeps what is found, until all is there.
pub(super) trait Keeper: Sync {
    /// What there is of a part.
    type Kept: Send;

    /// Takes what was seen of a part, which has number `provisional` until all are there.
    fn take(&self, provisional: u32, look: &mut Look, outline: Outline) -> Result<Self::Kept>;

    /// Finds what is to be known, given all parts in their order; and what indexes remember of it, where there are any.
    fn end(self, parts: Vec<Self::Kept>, of_run: &OfRun<'_>) -> Result<(Found, Option<Remembered>)>;
}

/// What is known of a run when all its parts are there.
pub(super) struct OfRun<'r> {
    pub(super) config: &'r Config,
    pub(super) plan: &'r Plan,
    pub(super) numbers: &'r PartNumbers,
    pub(super) origins: &'r [Origin],
    pub(super) workers: &'r Workers,
    pub(super) indexes: Option<&'r Indexes>,
}

/// Keeps all in memory.
#[derive(Default)]
struct InMemory {
    index: MemoryIndex,
}

impl Keeper for InMemory {
    type Kept = (Trace, Outline, PartFacts, Ids);

    fn take(&self, provisional: u32, look: &mut Look, outline: Outline) -> Result<Self::Kept> {
        let mut trace = Trace::default();
        look.note(&self.index, provisional, &mut trace)?;
        trace.shrink();
        let mut ids = look.take_ids();
        ids.shrink();
        Ok((trace, outline, look.take_facts(), ids))
    }

    fn end(self, parts: Vec<Self::Kept>, of_run: &OfRun<'_>) -> Result<(Found, Option<Remembered>)> {
        let OfRun { config, plan, numbers, origins, workers, indexes } = *of_run;
        let keep = config.keep;
        let (mut traces, mut outlines, mut facts, mut ids) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (trace, outline, facts_of_part, ids_of_part) in parts {
            traces.push(trace);
            outlines.push(outline);
            facts.push(facts_of_part);
            ids.push(ids_of_part);
        }
        let mut index = self.index.freeze();
        index.renumber(|provisional| number(numbers.of(provisional)));
        let sites = indexes.and_then(Indexes::sites);
        let mut learned = learn_and_apply(workers, &facts, &traces, sites);
        if let Some(sites) = sites {
            let documents = facts.iter().flat_map(|part| (0..part.len()).map(|number| part.document(number)));
            documents.for_each(|document| sites.add(document.site, document.lines));
        }
        let (mut names, mut templated) = (None, Vec::new());
        if let Some(indexes) = indexes {
            let names = names.insert(Names::new(plan, origins, ids, workers));
            if config.level >= Level::Safe {
                as_before(indexes, &index, &traces, names, origins, &mut learned, workers)?;
            }
            let marks = |(trace, learned): (&Trace, &Vec<Learned>)| {
                learned.iter().map(|one| (one.block, trace.mark(one.block as usize))).collect()
            };
            templated = traces.iter().zip(&learned).map(marks).collect();
        }
        let removed = (0..).zip(&learned).flat_map(|(part, learned)| learned.iter().map(move |one| (part, one.block)));
        let displaced = Displaced::find(&index, &mut traces, removed, keep);
        let witnesses = match keep {
            Keep::First => Witnesses::default(),
            Keep::None => Witnesses::find(&index, &traces, Some(&displaced)),
        };
        let found = FoundInMemory { index, witnesses, traces, outlines, learned, displaced, keep, templated };
        let ask = |(indexes, names)| Remembered::ask(indexes, found.noted(), names, origins, config, workers);
        let remembered = indexes.zip(names).map(ask).transpose()?;
        Ok((Found::InMemory(Box::new(found)), remembered))
    }
}

/// What came of a part.
struct PartLooked<K> {
    kept: K,
    origin: Origin,
    /// Its first record that could not be read, where that stops the run.
    bad: Option<BadRecord>,
}

/// The numbers of parts. How many parts a file has shows only when it is unpacked, and the places in the index must be in the
/// order of the input before that, so each file has numbers to spare until all is read.
#[derive(Debug)]
pub(super) struct PartNumbers {
    /// The number that the first part of each file has until then.
    provisional: Vec<u32>,
    /// And the one that it has in the end.
    first: Vec<usize>,
}

impl PartNumbers {
    fn provisional(plan: &Plan) -> Result<Self> {
        let mut provisional = Vec::with_capacity(plan.files.len());
        let mut next = 0_u64;
        for file in &plan.files {
            provisional.push(u32::try_from(next));
            next += reserved_parts(file);
        }
        let fits = u32::try_from(next).is_ok();
        let provisional = provisional.into_iter().collect::<std::result::Result<_, _>>().ok().filter(|_| fits);
        let provisional = provisional.ok_or_else(|| {
            Error::usage("more than 16 TiB of input; split the corpus, or compare within documents (--scope document)")
        })?;
        Ok(PartNumbers { provisional, first: Vec::with_capacity(plan.files.len()) })
    }

    /// The number in the end of a part that has a provisional one.
    pub(super) fn of(&self, provisional: u32) -> usize {
        let file_idx = self.provisional.partition_point(|first| *first <= provisional) - 1;
        self.first[file_idx] + (provisional - self.provisional[file_idx]) as usize
    }
}

/// A number of a part, as places have it.
fn number(part: usize) -> u32 {
    u32::try_from(part).expect("there are no more of them than numbers for them")
}

/// The run was told to stop before it wrote.
pub(super) fn nothing_written() -> Error {
    Error::stopped("nothing was written by this run", "give the same command again")
}

/// What a survey is made with.
#[derive(Clone, Copy)]
pub(super) struct Surveyor<'s> {
    pub(super) config: &'s Config,
    pub(super) rules: &'s Rules,
    pub(super) scorer: Option<&'s Arc<Scorer>>,
    pub(super) workers: &'s Workers,
    pub(super) memory: &'s Memory,
    pub(super) indexes: Option<&'s Indexes>,
    pub(super) progress: &'s dyn Progress,
}

impl Surveyor<'_> {
    /// Surveys all files. Where one fails, the others are surveyed again without it, so that no text that is written nowhere
    /// counts as a first copy.
    pub(super) fn survey(&self, mut plan: Plan) -> Result<Surveyed> {
        loop {
            let passed = match self.config.memory {
                None => self.pass(&plan, InMemory::default())?,
                Some(_) => self.pass(&plan, OnDisk::begin(&self.config.tmp_dir(), self.memory)?)?,
            };
            let failed = match passed {
                Ok(survey) => return Ok(Surveyed { plan, survey }),
                Err(failed) => failed,
            };
            let files: Vec<usize> = failed.iter().map(|(file_idx, _)| *file_idx).collect();
            plan.failed.extend(failed.into_iter().map(|(_, error)| error));
            plan = plan.without(&files);
        }
    }

    /// Goes through all files once; gives those that failed, if any did.
    fn pass<K: Keeper>(&self, plan: &Plan, keeper: K) -> Result<std::result::Result<Survey, Vec<(usize, Error)>>> {
        let Surveyor { config, workers, progress, .. } = *self;
        let gathers_facts = config.level >= Level::Safe;
        let stops_at_bad = config.on_bad_record == OnBadRecord::Stop;
        progress.begin(Phase::Survey, Some(plan.bytes()));
        let mut numbers = PartNumbers::provisional(plan)?;
        let outcomes = each_part(
            workers,
            plan,
            config,
            |_| false,
            || {
                let looker = Looker::new(config, self.scorer).with_facts(gathers_facts);
                (PartLooker::new(looker.with_ids(self.indexes.is_some())), Look::default())
            },
            |(looker, look), part, bytes, stop| -> Result<PartLooked<K::Kept>> {
                if progress.is_stopped() || bytes.as_ref().is_err_and(Error::is_exhausted) {
                    stop.at_once();
                }
                let file = &plan.files[part.file_idx];
                let bytes = bytes?;
                let _held = self.memory.hold(part.work_bytes);
                let outline = looker.look(self.rules, file.bytes_of(part, bytes), look)?;
                if outline.n_bad > 0 && stops_at_bad {
                    stop.behind(part);
                }
                let bad = outline.bad.first().filter(|_| stops_at_bad).cloned();
                let kept = keeper.take(numbers.provisional[part.file_idx] + number(part.number), look, outline);
                if kept.as_ref().is_err_and(Error::is_exhausted) {
                    stop.at_once();
                }
                progress.advance(part.bytes_read);
                Ok(PartLooked { kept: kept?, origin: part.origin(), bad })
            },
        );
        progress.end();
        if progress.is_stopped() {
            return Err(nothing_written());
        }
        let mut failed: Vec<(usize, Error)> = Vec::new();
        let (mut parts, mut origins, mut first_bad) = (Vec::new(), Vec::new(), None);
        for (file_idx, of_file) in outcomes.into_iter().enumerate() {
            numbers.first.push(parts.len());
            for outcome in of_file {
                match outcome {
                    Ok(PartLooked { kept, origin, bad }) => {
                        parts.push(kept);
                        origins.push(origin);
                        let place =
                            |bad: BadRecord| (file_idx, origin.records_before + bad.record_idx as u64, bad.what);
                        first_bad = first_bad.or_else(|| bad.map(place));
                    }
                    Err(error) if error.is_index_full() || error.is_exhausted() => return Err(error),
                    Err(error) => {
                        failed.push((file_idx, error));
                        break;
                    }
                }
            }
        }
        if !failed.is_empty() {
            return Ok(Err(failed));
        }
        let of_run = OfRun { config, plan, numbers: &numbers, origins: &origins, workers, indexes: self.indexes };
        let (found, remembered) = keeper.end(parts, &of_run)?;
        Ok(Ok(Survey { found, remembered, origins, numbers, first_bad }))
    }
}
