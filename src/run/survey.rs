//! Pass one: what repeats, and where first. Nothing is written.

use super::feed::each_part;
use super::outline::{Outline, PartLooker};
use super::plan::{Plan, PlannedFile};
use super::progress::{Phase, Progress};
use super::source::{Origin, Part, reserved_parts};
use super::templates::{Learned, learn_and_apply};
use super::workers::Workers;
use crate::clean::{Look, Looker};
use crate::config::{Config, OnBadRecord};
use crate::decide::{Displaced, Keep, Repeats, Witnesses};
use crate::error::{Error, Result};
use crate::index::{Frozen, MemoryIndex, Trace};
use crate::rules::Rules;
use crate::score::{Level, Scorer};
use crate::template::PartFacts;
use std::sync::Arc;

/// What the survey found, by the number of the part in the run.
#[derive(Debug)]
pub(super) struct Survey {
    index: Frozen,
    witnesses: Witnesses,
    pub(super) traces: Vec<Trace>,
    outlines: Vec<Outline>,
    /// What templates remove of each part.
    learned: Vec<Vec<Learned>>,
    displaced: Displaced,
    /// Where each part is from.
    pub(super) origins: Vec<Origin>,
    /// The first part of each file.
    first_parts: Vec<usize>,
}

/// A part as the survey knows it.
pub(super) struct SurveyedPart<'s> {
    /// Its number in the run.
    pub(super) number: u32,
    pub(super) outline: &'s Outline,
    pub(super) learned: &'s [Learned],
}

impl Survey {
    /// What to decide by.
    pub(super) fn repeats(&self, keep: Keep) -> Repeats<'_, Frozen> {
        let Survey { index, traces, witnesses, displaced, .. } = self;
        Repeats { lookup: index, traces, witnesses, keep, displaced: Some(displaced) }
    }

    /// What is known of a part, if it is as it was.
    pub(super) fn part(&self, file: &PlannedFile, part: &Part, bytes: &[u8]) -> Result<SurveyedPart<'_>> {
        let part_idx = self.first_parts[part.file_idx] + part.number;
        let is_of_file = self.origins.get(part_idx).is_some_and(|origin| origin.file_idx == part.file_idx);
        if !is_of_file || self.outlines[part_idx].bytes != bytes.len() {
            let place = file.input.display().to_string();
            return Err(Error::record(place, "changed between the passes", "run again when nothing writes to it"));
        }
        Ok(SurveyedPart {
            number: u32::try_from(part_idx).expect("there are no more of them than numbers for them"),
            outline: &self.outlines[part_idx],
            learned: &self.learned[part_idx],
        })
    }

    /// The first record that could not be read: its file, its number in it from 0, and what is wrong.
    pub(super) fn first_bad(&self) -> Option<(usize, u64, &str)> {
        self.outlines.iter().zip(&self.origins).find_map(|(outline, origin)| {
            let bad = outline.bad.first()?;
            Some((origin.file_idx, origin.records_before + bad.record_idx as u64, bad.what.as_str()))
        })
    }
}

/// A survey, and the plan that it is of: files that failed are no longer in it.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) plan: Plan,
    pub(super) survey: Survey,
}

/// What came of a part.
struct PartLooked {
    trace: Trace,
    outline: Outline,
    facts: PartFacts,
    origin: Origin,
}

/// The number that the first part of each file has until all is read. How many parts a file has shows only when it is
/// unpacked, and the places in the index must be in the order of the input before that, so each has numbers to spare.
fn provisional_numbers(plan: &Plan) -> Result<Vec<u32>> {
    let mut first = Vec::with_capacity(plan.files.len());
    let mut next = 0_u64;
    for file in &plan.files {
        first.push(u32::try_from(next));
        next += reserved_parts(file);
    }
    let fits = u32::try_from(next).is_ok();
    first.into_iter().collect::<std::result::Result<_, _>>().ok().filter(|_| fits).ok_or_else(|| {
        Error::usage("more than 16 TiB of input; split the corpus, or compare within documents (--scope document)")
    })
}

/// The run was told to stop before it wrote.
pub(super) fn nothing_written() -> Error {
    Error::stopped("nothing was written by this run", "give the same command again")
}

/// Surveys all files. Where one fails, the others are surveyed again without it, so that no text that is written nowhere
/// counts as a first copy.
pub(super) fn survey(
    config: &Config,
    rules: &Rules,
    scorer: Option<&Arc<Scorer>>,
    mut plan: Plan,
    workers: &Workers,
    progress: &dyn Progress,
) -> Result<Surveyed> {
    let gathers_facts = config.level >= Level::Safe;
    loop {
        progress.begin(Phase::Survey, Some(plan.bytes()));
        let index = MemoryIndex::default();
        let provisional = provisional_numbers(&plan)?;
        let outcomes = each_part(
            workers,
            &plan,
            config,
            |_| false,
            || (PartLooker::new(Looker::new(config, scorer).with_facts(gathers_facts)), Look::default()),
            |(looker, look), part, bytes, stop| -> Result<PartLooked> {
                if progress.is_stopped() || bytes.as_ref().is_err_and(Error::is_exhausted) {
                    stop.at_once();
                }
                let outline = looker.look(rules, plan.files[part.file_idx].bytes_of(part, bytes?), look)?;
                if outline.n_bad > 0 && config.on_bad_record == OnBadRecord::Stop {
                    stop.behind(part);
                }
                let mut trace = Trace::default();
                let number = u32::try_from(part.number).expect("there are no more of them than numbers for them");
                look.note(&index, provisional[part.file_idx] + number, &mut trace)?;
                trace.shrink();
                progress.advance(part.bytes_read);
                Ok(PartLooked { trace, outline, facts: look.take_facts(), origin: part.origin() })
            },
        );
        progress.end();
        if progress.is_stopped() {
            return Err(nothing_written());
        }
        let mut failed: Vec<(usize, Error)> = Vec::new();
        let (mut traces, mut outlines, mut facts, mut origins) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut first_parts = Vec::with_capacity(outcomes.len());
        for (file_idx, of_file) in outcomes.into_iter().enumerate() {
            first_parts.push(traces.len());
            for outcome in of_file {
                match outcome {
                    Ok(part) => {
                        traces.push(part.trace);
                        outlines.push(part.outline);
                        facts.push(part.facts);
                        origins.push(part.origin);
                    }
                    Err(error) if error.is_index_full() || error.is_exhausted() => return Err(error),
                    Err(error) => {
                        failed.push((file_idx, error));
                        break;
                    }
                }
            }
        }
        if failed.is_empty() {
            let mut index = index.freeze();
            index.renumber(|part| {
                let file_idx = provisional.partition_point(|first| *first <= part) - 1;
                let first = u32::try_from(first_parts[file_idx]).expect("there are no more of them than before");
                first + (part - provisional[file_idx])
            });
            let learned = learn_and_apply(workers, &facts, &traces);
            let removed =
                (0..).zip(&learned).flat_map(|(part, learned)| learned.iter().map(move |one| (part, one.block)));
            let displaced = Displaced::find(&index, &mut traces, removed, config.keep);
            let witnesses = match config.keep {
                Keep::First => Witnesses::default(),
                Keep::None => Witnesses::find(&index, &traces, Some(&displaced)),
            };
            let survey = Survey { index, witnesses, traces, outlines, learned, displaced, origins, first_parts };
            return Ok(Surveyed { plan, survey });
        }
        let files: Vec<usize> = failed.iter().map(|(file_idx, _)| *file_idx).collect();
        plan.failed.extend(failed.into_iter().map(|(_, error)| error));
        plan = plan.without(&files);
    }
}
