//! The report: what a run read, removed and wrote, and what was bad.

use super::edits::{EditedRecord, PartBytes, Why};
use super::outline::RecordKind;
use super::top::Tops;
use crate::config::Config;
use crate::decide::{Reason, Template};
use crate::index::Place;
use crate::rules::{RuleIdx, Rules};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The version of the report's format. A new number means that a field is gone or means something else.
pub const REPORT_SCHEMA_VERSION: u32 = 1;

/// What a run did. All numbers of bytes are of bytes as they stand in the files.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// [`REPORT_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of dehusk.
    pub dehusk: &'static str,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The settings that the outcome depends on, by the names of [`Config`]'s fields.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// What was read and written.
    pub totals: Totals,
    /// What was removed, by reason.
    pub removed: Removed,
    /// With a dry run, the removed blocks that take most bytes, most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top_removed: Vec<TopRemoved>,
    /// Whether they are not told, since there were more different blocks than [`memory`](Config::memory) allows to compare.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub are_tops_too_many: bool,
    /// Limits that were crossed, in words.
    pub limits_crossed: Vec<String>,
    /// Records that could not be read, in words; a long list is cut short.
    pub bad_records: Vec<String>,
    /// Where documents are that have bytes which could not be decoded: the first of them.
    pub undecoded: Vec<String>,
    /// Files that could not be read or written, in words.
    pub failed_files: Vec<String>,
    /// Whether some of them can be tried again with [`resume`](Config::resume): they were read, but could not be written.
    pub unfinished: bool,
    /// Files in folders that are of no known format by their names; a long list is cut short.
    pub passed_over: Vec<String>,
    /// How long it took, and how much memory. The only part that differs from run to run.
    pub times: Times,
}

/// What a run read and wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Files that came through.
    pub files: u64,
    /// Files in folders that were passed over.
    pub files_passed_over: u64,
    /// Documents.
    pub documents: u64,
    /// Documents that nothing was removed from.
    pub documents_unchanged: u64,
    /// Documents that had text and have none left.
    pub documents_emptied: u64,
    /// Documents that were dropped because they have no text left.
    pub documents_dropped: u64,
    /// Records that could not be read.
    pub bad_records: u64,
    /// Records that are no documents, and were left out since documents were written as something else than they came as.
    pub records_left_out: u64,
    /// Documents with bytes that could not be decoded, which stay as they are.
    pub documents_undecoded: u64,
    /// Documents that lost a larger share than `max-removed-document`.
    pub documents_over_limit: u64,
    /// Blocks of all documents.
    pub blocks: u64,
    /// Bytes of all input.
    pub bytes_in: u64,
    /// Bytes of the documents' text.
    pub text_bytes: u64,
    /// Bytes of all output.
    pub bytes_out: u64,
    /// Bytes that were removed from the documents' text.
    pub text_bytes_removed: u64,
}

/// What was removed, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// By rules, by their ids.
    pub rules: BTreeMap<String, Tally>,
    /// Blocks that look like chrome.
    pub scores: Tally,
    /// Blocks that the pages of their site repeat.
    pub templates: Tally,
    /// Headers and footers that the pages of a document repeat.
    pub running: Tally,
    /// Blocks that stand elsewhere too, with the short lines beside them.
    pub repeats: Tally,
    /// Documents that are copies of others as a whole.
    pub copies: Tally,
    /// Blank blocks beside what was removed.
    pub gaps: Tally,
}

/// How much of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tally {
    /// Blocks, whole or in part.
    pub blocks: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A block that was removed, once or often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TopRemoved {
    /// Bytes that it takes, all copies together.
    pub bytes: u64,
    /// How often it was removed.
    pub blocks: u64,
    /// Why the first of them was removed, in words.
    pub reason: String,
    /// Where the first of them stands.
    pub place: String,
    /// How it begins.
    pub text: String,
}

/// How long a run took, and how much memory.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Times {
    /// Seconds from start to end.
    pub seconds: f64,
    /// The most memory that the process had at any time, in bytes, where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
}

/// Fields of the configuration that say where or how loudly, not what.
const NOT_OF_THE_OUTCOME: [&str; 13] = [
    "output", "force", "resume", "threads", "memory", "tmp-dir", "journal", "report", "dry-run", "quiet", "verbose",
    "progress", "color",
];

/// The settings that the outcome depends on, by the names of [`Config`]'s fields.
pub(super) fn settings(config: &Config) -> serde_json::Map<String, serde_json::Value> {
    // Paths that are no UTF-8 cannot be told.
    let config = Config { output: None, journal: None, report: None, tmp_dir: None, ..config.clone() };
    let mut settings = match serde_json::to_value(config) {
        Ok(serde_json::Value::Object(settings)) => settings,
        _ => serde_json::Map::new(),
    };
    settings.retain(|name, _| !NOT_OF_THE_OUTCOME.contains(&name.as_str()));
    settings
}

impl Report {
    pub(super) fn new(config: &Config) -> Self {
        Report {
            schema_version: REPORT_SCHEMA_VERSION,
            dehusk: env!("CARGO_PKG_VERSION"),
            dry_run: config.dry_run,
            config: settings(config),
            ..Report::default()
        }
    }

    /// Whether nothing was bad: no file failed, no record was unreadable, no limit was crossed.
    pub fn is_fine(&self) -> bool {
        self.failed_files.is_empty() && self.limits_crossed.is_empty() && self.totals.bad_records == 0
    }

    /// The share of the documents' text that was removed, from 0 to 1.
    pub fn removed_share(&self) -> f64 {
        share(self.totals.text_bytes_removed, self.totals.text_bytes)
    }

    /// The report as JSON, with a newline at the end.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("a report has only strings, numbers and flags");
        json.push('\n');
        json
    }
}

pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// So many numbers are totals.
const N_TOTALS: usize = 15;

impl Totals {
    /// All numbers, each in its place.
    fn numbers(&mut self) -> [&mut u64; N_TOTALS] {
        let Totals {
            files,
            files_passed_over,
            documents,
            documents_unchanged,
            documents_emptied,
            documents_dropped,
            bad_records,
            records_left_out,
            documents_undecoded,
            documents_over_limit,
            blocks,
            bytes_in,
            text_bytes,
            bytes_out,
            text_bytes_removed,
        } = self;
        [
            files,
            files_passed_over,
            documents,
            documents_unchanged,
            documents_emptied,
            documents_dropped,
            bad_records,
            records_left_out,
            documents_undecoded,
            documents_over_limit,
            blocks,
            bytes_in,
            text_bytes,
            bytes_out,
            text_bytes_removed,
        ]
    }
}

/// Where a record stands: its file, and its number in that file.
pub(super) type RecordPlace = (usize, u64);

/// What came of a part.
#[derive(Debug, Default)]
pub(super) struct PartDone {
    pub(super) counts: Counts,
    /// Bad records by their numbers in the file, from 0.
    pub(super) bad: Vec<(u64, String)>,
}

/// The same, to be written down: numbers without names, since there may be a million of them.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PartNumbers {
    totals: [u64; N_TOTALS],
    tallies: [Tally; 6],
    rules: Vec<(u16, Tally)>,
    over_limit: Vec<(RecordPlace, Loss)>,
    undecoded: Vec<RecordPlace>,
    bad: Vec<(u64, String)>,
}

impl PartDone {
    /// Adds what came of another part of the same file.
    pub(super) fn merge(&mut self, config: &Config, other: PartDone) {
        self.counts.merge(config, other.counts);
        self.bad.extend(other.bad);
    }

    /// The numbers, but for removed blocks to be told one by one, which are of dry runs.
    pub(super) fn numbers(&self) -> PartNumbers {
        let Counts { totals, rules, scores, templates, running, repeats, copies, gaps, over_limit, undecoded, top: _ } =
            &self.counts;
        PartNumbers {
            totals: totals.clone().numbers().map(|number| *number),
            tallies: [*scores, *templates, *running, *repeats, *copies, *gaps],
            rules: rules.iter().map(|(rule, tally)| (rule.0, *tally)).collect(),
            over_limit: over_limit.iter().map(|(place, loss)| (*place, *loss)).collect(),
            undecoded: undecoded.iter().copied().collect(),
            bad: self.bad.clone(),
        }
    }
}

impl From<PartNumbers> for PartDone {
    fn from(numbers: PartNumbers) -> Self {
        let [scores, templates, running, repeats, copies, gaps] = numbers.tallies;
        let mut totals = Totals::default();
        for (number, known) in totals.numbers().into_iter().zip(numbers.totals) {
            *number = known;
        }
        let rules = numbers.rules.into_iter().map(|(rule, tally)| (RuleIdx(rule), tally)).collect();
        let over_limit = numbers.over_limit.into_iter().collect();
        let undecoded = numbers.undecoded.into_iter().collect();
        let top = Tops::default();
        let counts =
            Counts { totals, rules, scores, templates, running, repeats, copies, gaps, over_limit, undecoded, top };
        PartDone { counts, bad: numbers.bad }
    }
}

/// What one thread counted. Sums and unions only, so that threads can be merged in any order.
#[derive(Debug, Default)]
pub(super) struct Counts {
    totals: Totals,
    rules: HashMap<RuleIdx, Tally>,
    scores: Tally,
    templates: Tally,
    running: Tally,
    repeats: Tally,
    copies: Tally,
    gaps: Tally,
    /// Documents over the limit, with what they lose: some of the first.
    over_limit: BTreeMap<RecordPlace, Loss>,
    /// Documents with bytes that could not be decoded: some of the first.
    undecoded: BTreeSet<RecordPlace>,
    top: Tops,
}

/// What a document loses.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Loss {
    removed: u64,
    of: u64,
}

/// So many documents of a kind that is told are told one by one.
const TOLD: usize = 20;

impl Counts {
    /// Counts a record.
    pub(super) fn add(&mut self, config: &Config, place: RecordPlace, edited: &EditedRecord<'_>) {
        let totals = &mut self.totals;
        match edited.record.kind {
            RecordKind::Document => {}
            RecordKind::Between => return,
            RecordKind::Bad => {
                totals.bad_records += 1;
                return;
            }
        }
        totals.documents += 1;
        totals.documents_dropped += u64::from(edited.is_dropped);
        totals.blocks += edited.record.blocks.len() as u64;
        let text_bytes = edited.record.text.len() as u64;
        totals.text_bytes += text_bytes;
        let mut removed = 0;
        for cut in edited.cuts {
            let bytes = cut.span.len() as u64;
            let Why::Decided(reason) = cut.why else {
                continue;
            };
            removed += bytes;
            let tally = match reason {
                Reason::Rule(rule) => self.rules.entry(rule).or_default(),
                Reason::Score(_) => &mut self.scores,
                Reason::Template(_) => &mut self.templates,
                Reason::Running(_) => &mut self.running,
                Reason::Repeat(_) => &mut self.repeats,
                Reason::Copy(_) => &mut self.copies,
                Reason::Gap => &mut self.gaps,
            };
            tally.blocks += 1;
            tally.bytes += bytes;
        }
        totals.text_bytes_removed += removed;
        totals.documents_unchanged += u64::from(edited.cuts.is_empty());
        if edited.record.has_undecoded {
            totals.documents_undecoded += 1;
            self.undecoded.insert(place);
            if self.undecoded.len() > TOLD {
                self.undecoded.pop_last();
            }
        }
        totals.documents_emptied += u64::from(text_bytes > 0 && removed == text_bytes);
        if share(removed, text_bytes) > config.max_removed_document && !edited.is_copy() {
            totals.documents_over_limit += 1;
            self.over_limit.insert(place, Loss { removed, of: text_bytes });
            if self.over_limit.len() > TOLD {
                self.over_limit.pop_last();
            }
        }
    }

    /// Remembers the blocks that are removed, to tell those that take most.
    pub(super) fn add_to_top(
        &mut self,
        config: &Config,
        place: RecordPlace,
        source: PartBytes<'_>,
        edited: &EditedRecord<'_>,
    ) {
        self.top.add(config, place, source, edited);
    }

    pub(super) fn add_left_out(&mut self, n_records: u64) {
        self.totals.records_left_out += n_records;
    }

    pub(super) fn add_bytes(&mut self, bytes_in: usize, bytes_out: usize) {
        self.totals.bytes_in += bytes_in as u64;
        self.totals.bytes_out += bytes_out as u64;
    }

    pub(super) fn merge(&mut self, config: &Config, mut other: Counts) {
        for (sum, number) in self.totals.numbers().into_iter().zip(other.totals.numbers()) {
            *sum += *number;
        }
        for (rule, tally) in other.rules {
            self.rules.entry(rule).or_default().merge(tally);
        }
        self.scores.merge(other.scores);
        self.templates.merge(other.templates);
        self.running.merge(other.running);
        self.repeats.merge(other.repeats);
        self.copies.merge(other.copies);
        self.gaps.merge(other.gaps);
        self.undecoded.extend(other.undecoded);
        while self.undecoded.len() > TOLD {
            self.undecoded.pop_last();
        }
        self.over_limit.extend(other.over_limit);
        while self.over_limit.len() > TOLD {
            self.over_limit.pop_last();
        }
        self.top.merge(config, other.top);
    }

    /// The first document that is over the limit, in words.
    pub(super) fn first_over_limit(&self, config: &Config, tell: impl Fn(RecordPlace) -> String) -> Option<String> {
        self.told_over_limit(config, &tell).next()
    }

    fn told_over_limit(&self, config: &Config, tell: &impl Fn(RecordPlace) -> String) -> impl Iterator<Item = String> {
        let limit = 100.0 * config.max_removed_document;
        self.over_limit.iter().map(move |(place, loss)| {
            let percent = 100.0 * share(loss.removed, loss.of);
            format!("{}: loses {percent:.1} % of its text (limit {limit:.1} %)", tell(*place))
        })
    }

    /// Puts what was counted into a report. `tell_place` words the place of a record, `tell_block` of a block.
    pub(super) fn report(
        self,
        config: &Config,
        rules: &Rules,
        tell_record: impl Fn(RecordPlace) -> String,
        tell_block: impl Fn(RecordPlace, u32) -> String,
        tell_first: impl Fn(Place) -> String,
    ) -> Report {
        let mut report = Report::new(config);
        report.limits_crossed = self.told_over_limit(config, &tell_record).collect();
        let untold = self.totals.documents_over_limit.saturating_sub(self.over_limit.len() as u64);
        if untold > 0 {
            report.limits_crossed.push(format!("and {untold} more documents over the limit"));
        }
        report.undecoded = self.undecoded.into_iter().map(&tell_record).collect();
        report.totals = self.totals;
        report.removed = Removed {
            rules: self.rules.into_iter().map(|(rule, tally)| (rules.id(rule).to_owned(), tally)).collect(),
            scores: self.scores,
            templates: self.templates,
            running: self.running,
            repeats: self.repeats,
            copies: self.copies,
            gaps: self.gaps,
        };
        let run_share = report.removed_share();
        if run_share > config.max_removed_run {
            let (percent, limit) = (100.0 * run_share, 100.0 * config.max_removed_run);
            report.limits_crossed.push(format!("the run loses {percent:.1} % of all text (limit {limit:.1} %)"));
        }
        let top_removed = self.top.told(rules, tell_block, tell_first);
        report.are_tops_too_many = top_removed.is_none();
        report.top_removed = top_removed.unwrap_or_default();
        report
    }
}

impl Tally {
    fn merge(&mut self, other: Tally) {
        self.blocks += other.blocks;
        self.bytes += other.bytes;
    }
}

/// Why something goes, in words.
pub(super) fn tell_reason(rules: &Rules, why: Why, tell_first: impl Fn(Place) -> String) -> String {
    match why {
        Why::Decided(Reason::Rule(rule)) => format!("rule {}", rules.id(rule)),
        Why::Decided(Reason::Score(score)) => format!("score {score}"),
        Why::Decided(Reason::Template(Template { of: 0, .. })) => "template: as when the page came first".into(),
        Why::Decided(Reason::Template(Template { documents, of })) => {
            format!("template: on {documents} of {of} pages of the site")
        }
        Why::Decided(Reason::Running(pages)) => format!("running header or footer: on {pages} pages"),
        Why::Decided(Reason::Repeat(place)) => format!("repeats {}", tell_first(place)),
        Why::Decided(Reason::Copy(place)) => {
            format!("copy of the document at {}", tell_first(place))
        }
        Why::Decided(Reason::Gap) => "blank beside a cut".into(),
        Why::Empty => "no text left".into(),
        Why::Bad => "bad record".into(),
        Why::Header => "said what the text was".into(),
    }
}
