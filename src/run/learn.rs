//! Learning site templates from files: what `dehusk learn` does.

use super::edits::PartBytes;
use super::feed::each_part;
use super::inputs::Inputs;
use super::plan::{Destination, Plan};
use super::progress::{Phase, Progress};
use super::reading::DecodedText;
use super::source::Part;
use super::workers::Workers;
use super::{open, refuse_existing_file, write_whole};
use crate::clean::{Document, Learner};
use crate::config::{Config, OnBadRecord};
use crate::encoding::Decoded;
use crate::error::{Error, Result};
use crate::record::{Outcome, Spelled};
use crate::store::{Address, Store, canonical_to_be, refuse_url};
use crate::template::{LearnedSite, is_facts, pack_toml};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What was learned.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Learned {
    /// What was learned of each site that has templates, by name.
    pub sites: Vec<LearnedSite>,
    /// How many sites have documents.
    pub n_sites: u64,
    /// How many documents of sites were looked at, exact copies once.
    pub n_documents: u64,
    /// How many documents have no site, so that nothing was learned from them.
    pub n_without_site: u64,
    /// Records that could not be read, with their places.
    pub bad_records: Vec<String>,
    /// Files that could not be read.
    pub failed_files: Vec<String>,
    /// The TOML of the pack.
    pub pack: String,
}

impl Learned {
    /// Whether nothing was bad.
    pub fn is_fine(&self) -> bool {
        self.bad_records.is_empty() && self.failed_files.is_empty()
    }

    /// How many templates were learned.
    pub fn n_templates(&self) -> u64 {
        self.sites.iter().map(|site| site.templates.len() as u64).sum()
    }
}

/// What became of a part.
struct PartLearned {
    learner: Learner,
    n_without_site: u64,
    /// The bad records by their numbers in the file, from 1.
    bad: Vec<(u64, String)>,
}

/// Learns the templates of sites from files and folders as [`Run::files`](super::Run::files) takes them, and from files of
/// facts that an earlier call wrote. Writes the pack to the output that the configuration names, and all that it takes to
/// learn more later to `facts`; with `dry_run`, or without an output, neither.
///
/// # Errors
///
/// When inputs and outputs do not go together, a file of facts is damaged, a bad record stops the run, no document has a
/// site, or an output cannot be written.
pub fn learn(
    config: &Config,
    inputs: impl Into<Inputs>,
    facts: Option<&Path>,
    progress: &dyn Progress,
) -> Result<Learned> {
    config.validate()?;
    for path in config.output.iter().map(PathBuf::as_path).chain(facts) {
        refuse_url(path, "what learn writes")?;
    }
    let workers = Workers::start(config.threads)?;
    let mut of_documents = inputs.into();
    let of_facts = of_documents.take_out(|input| Ok(input.is_file() && is_facts_file(input)?))?;
    let plan = match of_documents.paths() {
        [] if !of_facts.is_empty() => Plan::default(),
        _ => Plan::make(
            &Store::default(),
            &Config { journal: None, ..config.clone() },
            &of_documents,
            Destination::Stream,
        )?,
    };
    let output = config.output.as_deref().filter(|_| !config.dry_run);
    let facts = facts.filter(|_| !config.dry_run);
    let inputs = of_facts.iter().chain(of_documents.paths());
    refuse_outputs(config, inputs, &plan, output, facts)?;
    let mut learner = Learner::new(config.unit);
    for path in &of_facts {
        let mut bytes = Vec::new();
        open(path)?.read_to_end(&mut bytes).map_err(|source| Error::reading(path, source))?;
        learner.merge_facts(&path.display().to_string(), &bytes)?;
    }
    let mut learned = Learned::default();
    learn_parts(config, &plan, &workers, progress, &mut learner, &mut learned)?;
    let known: Vec<_> = learner.sites().collect();
    learned.n_sites = known.len() as u64;
    learned.n_documents = known.iter().map(|(_, site)| site.len() as u64).sum();
    if known.is_empty() {
        let what = "no document has a site, so that nothing can be learned; \
                    name the field that has one with --url-field or --site-field";
        return Err(Error::usage(what));
    }
    let of_sites = workers.each(known.len(), || (), |(), site_idx| known[site_idx].1.learn(known[site_idx].0));
    learned.sites = of_sites.into_iter().flatten().collect();
    learned.pack = pack_toml(&pack_name(config.output.as_deref()), &learned.sites);
    for (path, bytes) in [(facts, facts.map(|_| learner.facts())), (output, Some(learned.pack.clone().into_bytes()))] {
        if let (Some(path), Some(bytes)) = (path, bytes) {
            write_whole(path, &bytes, config.force)?;
        }
    }
    Ok(learned)
}

fn learn_parts(
    config: &Config,
    plan: &Plan,
    workers: &Workers,
    progress: &dyn Progress,
    learner: &mut Learner,
    learned: &mut Learned,
) -> Result<()> {
    progress.begin(Phase::Learn, Some(plan.bytes()));
    let outcomes = each_part(
        workers,
        plan,
        config,
        |_| false,
        || (),
        |(), part, bytes, stop| -> Result<PartLearned> {
            let done = learn_part(config, plan, part, bytes?);
            if config.on_bad_record == OnBadRecord::Stop && !done.bad.is_empty() {
                stop.behind(part);
            }
            progress.advance(part.bytes_read);
            Ok(done)
        },
    );
    progress.end();
    learned.failed_files = plan.failed.iter().map(ToString::to_string).collect();
    for (file, outcomes) in plan.files.iter().zip(outcomes) {
        for outcome in outcomes {
            let part = match outcome {
                Ok(part) => part,
                Err(error) => {
                    learned.failed_files.push(error.to_string());
                    break;
                }
            };
            for (record, what) in part.bad {
                let place = format!("{}:{record}", file.name.display());
                if config.on_bad_record == OnBadRecord::Stop {
                    return Err(Error::record(place, what, "nothing was written, as --on-bad-record says"));
                }
                let message = format!("{place}: {what}");
                progress.warn(&message);
                learned.bad_records.push(message);
            }
            learned.n_without_site += part.n_without_site;
            learner.merge(part.learner);
        }
    }
    Ok(())
}

fn learn_part(config: &Config, plan: &Plan, part: &Part, bytes: &[u8]) -> PartLearned {
    let source = plan.files[part.file_idx].bytes_of(part, bytes);
    let PartBytes { reading, bytes, .. } = source;
    let mut decoded = Decoded::default();
    let DecodedText { text, .. } = reading.decode(bytes, &mut decoded);
    let mut done = PartLearned { learner: Learner::new(config.unit), n_without_site: 0, bad: Vec::new() };
    let mut spelled = Spelled::default();
    for (number, record) in (part.records_before + 1..).zip(reading.layout.records(text)) {
        match reading.layout.parse(record.of(text), source.starts_file(record.start)) {
            Outcome::Document(parsed) => {
                let raw = parsed.raw_text.of(record.of(text));
                let (text, _) = spelled.read(raw, parsed.escaping);
                let document = Document { text, url: parsed.url.as_deref(), site: parsed.site.as_deref(), id: None };
                done.n_without_site += u64::from(!done.learner.add(&document));
            }
            Outcome::Blank => {}
            Outcome::Bad(what) => done.bad.push((number, what)),
        }
    }
    done
}

fn is_facts_file(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    open(path)?.take(32).read_to_end(&mut start).map_err(|source| Error::reading(path, source))?;
    Ok(is_facts(&start))
}

/// Refuses outputs that exist, or that would take the place of an input or of each other.
fn refuse_outputs<'i>(
    config: &Config,
    inputs: impl Iterator<Item = &'i PathBuf>,
    plan: &'i Plan,
    output: Option<&Path>,
    facts: Option<&Path>,
) -> Result<()> {
    let of_plan = plan.files.iter().map(|file| file.input.path());
    let inputs = inputs.map(PathBuf::as_path).chain(of_plan);
    let inputs: Vec<Option<PathBuf>> = inputs.map(canonical_to_be).collect();
    for path in [output, facts].into_iter().flatten() {
        let canonical = canonical_to_be(path);
        if canonical.is_some() && inputs.contains(&canonical) {
            return Err(Error::usage(format!("{}: is an input too; choose another file", path.display())));
        }
        refuse_existing_file(&Address::local(path), config.force)?;
    }
    if let (Some(output), Some(facts)) = (output, facts)
        && canonical_to_be(output) == canonical_to_be(facts)
    {
        return Err(Error::usage("pack and facts are the same file; choose two"));
    }
    Ok(())
}

/// What a pack is called: as its file is, as far as a pack may be called that.
fn pack_name(output: Option<&Path>) -> String {
    let stem = output.and_then(Path::file_stem).unwrap_or_default().to_string_lossy();
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || character == '-';
    let name: String = stem.chars().map(|character| if is_allowed(character) { character } else { '-' }).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "learned".into() } else { name.into() }
}
