//! Pass one: what repeats, and where first. Nothing is written.

use super::outline::{Outline, PartLooker};
use super::plan::Plan;
use super::progress::{Phase, Progress};
use super::source::read_part;
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

/// What the survey found, by the number of the part.
#[derive(Debug)]
pub(super) struct Survey {
    index: Frozen,
    witnesses: Witnesses,
    pub(super) traces: Vec<Trace>,
    pub(super) outlines: Vec<Outline>,
    /// What templates remove of each part.
    pub(super) learned: Vec<Vec<Learned>>,
    displaced: Displaced,
}

impl Survey {
    /// What to decide by.
    pub(super) fn repeats(&self, keep: Keep) -> Repeats<'_, Frozen> {
        let Survey { index, traces, witnesses, displaced, .. } = self;
        Repeats { lookup: index, traces, witnesses, keep, displaced: Some(displaced) }
    }
}

/// A survey, and the plan that it is of: files that failed are no longer in it.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) plan: Plan,
    pub(super) survey: Survey,
}

/// Surveys all parts. Where a file fails, the others are surveyed again without it, so that no text that is written
/// nowhere counts as a first copy.
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
        let outcomes = workers.each(
            plan.parts.len(),
            || (PartLooker::new(Looker::new(config, scorer).with_facts(gathers_facts)), Look::default(), Vec::new()),
            |(looker, look, bytes), part_idx, stop| -> Result<(Trace, Outline, PartFacts)> {
                let (part, file) = (&plan.parts[part_idx], plan.file_of(part_idx));
                let start = read_part(file, part, bytes)?;
                let outline = looker.look(rules, &file.layout, bytes, start == 0, look)?;
                if outline.n_bad > 0 && config.on_bad_record == OnBadRecord::Stop {
                    stop.set();
                }
                let mut trace = Trace::default();
                let part = u32::try_from(part_idx).expect("2^32 parts of 4 MiB are more than a file system holds");
                look.note(&index, part, &mut trace)?;
                trace.shrink();
                progress.advance(outline.bytes as u64);
                Ok((trace, outline, look.take_facts()))
            },
        );
        progress.end();
        let mut failed: Vec<(usize, Error)> = Vec::new();
        let (mut traces, mut outlines, mut facts) = (Vec::new(), Vec::new(), Vec::new());
        for (part_idx, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Some(Ok((trace, outline, of_part))) => {
                    traces.push(trace);
                    outlines.push(outline);
                    facts.push(of_part);
                }
                Some(Err(error)) if error.is_index_full() => return Err(error),
                Some(Err(error)) => {
                    let file_idx = plan.parts[part_idx].file;
                    if failed.last().is_none_or(|(last, _)| *last != file_idx) {
                        failed.push((file_idx, error));
                    }
                }
                // The run was stopped before this part, by one that could not be read.
                None => break,
            }
        }
        if failed.is_empty() {
            let index = index.freeze();
            let learned = learn_and_apply(workers, &facts, &traces);
            let removed =
                (0..).zip(&learned).flat_map(|(part, learned)| learned.iter().map(move |one| (part, one.block)));
            let displaced = Displaced::find(&index, &mut traces, removed, config.keep);
            let witnesses = match config.keep {
                Keep::First => Witnesses::default(),
                Keep::None => Witnesses::find(&index, &traces, Some(&displaced)),
            };
            return Ok(Surveyed { plan, survey: Survey { index, witnesses, traces, outlines, learned, displaced } });
        }
        let files: Vec<usize> = failed.iter().map(|(file_idx, _)| *file_idx).collect();
        plan.failed.extend(failed.into_iter().map(|(_, error)| error));
        plan = plan.without(&files);
    }
}
