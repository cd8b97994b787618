//! A pack's own tests: the lines that its rules must remove and must keep.

use super::{Cleaner, Document, Scratch};
use crate::config::Config;
use crate::decide::{Reason, Scope};
use crate::error::Result;
use crate::rules::{Example, Pack, Rule, Rules};
use std::fmt;

/// An example that a pack does not live up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where the pack is from.
    pub origin: String,
    /// The line of the pack's file that the example starts on, from 1.
    pub file_line: usize,
    /// The rule that the example belongs to.
    pub rule: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: rule {:?}: {}", self.origin, self.file_line, self.rule, self.what)
    }
}

/// Runs the examples of a pack's rules; gives how many there are, and those that fail, in the order of the file.
///
/// # Errors
///
/// When the pack cannot be compiled.
pub fn check_examples(pack: &Pack) -> Result<(usize, Vec<Failure>)> {
    let config = Config { no_default_packs: true, scope: Scope::Off, ..Config::default() };
    let cleaner = Cleaner { rules: Rules::compile(std::slice::from_ref(pack))?, ..Cleaner::new(&config)? };
    let mut scratch = Scratch::default();
    let mut n_examples = 0;
    let mut failures = Vec::new();
    for rule in &pack.rules {
        let id = format!("{}/{}", pack.name, rule.id);
        let examples =
            rule.removes.iter().map(|example| (example, true)).chain(rule.keeps.iter().map(|example| (example, false)));
        for (example, must_go) in examples {
            n_examples += 1;
            let outcome = outcome(&cleaner, example, &mut scratch)?;
            if let Some(what) = complaint(rule, &id, example, must_go, &outcome) {
                let rule = rule.id.clone();
                failures.push(Failure { origin: pack.origin.clone(), file_line: example.file_line, rule, what });
            }
        }
    }
    Ok((n_examples, failures))
}

/// What became of the line under test: what is left of it, and the rules that took something.
struct Outcome {
    left: String,
    by: Vec<String>,
}

fn outcome(cleaner: &Cleaner, example: &Example, scratch: &mut Scratch) -> Result<Outcome> {
    let (text, n_before) = example.document();
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let (start, end) = (starts[n_before], starts.get(n_before + 1).copied().unwrap_or(text.len()));
    let document = Document { text: text.as_bytes(), url: None, site: example.site.as_deref(), id: None };
    let cleaned = cleaner.clean(&document, scratch)?;
    let mut left = String::new();
    let mut at = start;
    let mut by = Vec::new();
    for cut in cleaned.cuts().iter().filter(|cut| cut.span.start < end && cut.span.end > start) {
        left.push_str(text.get(at..cut.span.start.max(at)).unwrap_or_default());
        at = cut.span.end.min(end);
        if let Reason::Rule(rule) = cut.reason {
            by.push(cleaner.rules().id(rule).to_owned());
        }
    }
    left.push_str(text.get(at..end).unwrap_or_default());
    Ok(Outcome { left, by })
}

fn complaint(rule: &Rule, id: &str, example: &Example, must_go: bool, outcome: &Outcome) -> Option<String> {
    let line = example.line.trim_end_matches('\n');
    let left = outcome.left.trim_end_matches('\n');
    let by = outcome.by.join(", ");
    if !must_go {
        return (left != line).then(|| format!("{line:?} must stay, but {by} leaves {left:?}; narrow the rule"));
    }
    let wanted = example.leaves.as_deref().unwrap_or("");
    if left == line {
        Some(format!("{line:?} must go, but stays; widen {:?} or mend the example", rule.id))
    } else if left != wanted {
        Some(format!("{line:?} must leave {wanted:?}, but leaves {left:?}; mend the rule or the example"))
    } else if !outcome.by.iter().any(|by| by == id) {
        Some(format!("{line:?} must go by this rule, but goes by {by}; mend the example or reorder the rules"))
    } else {
        None
    }
}
