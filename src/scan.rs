//! The scan: which rules have a pattern in a folded block.
//!
//! Chrome is short, and so is what rules may match: a block longer than any rule allows is not looked at. The others
//! are looked up as whole lines; one automaton is walked from their start for what a block must start with, and backwards
//! from their end for what it must end with; another is run over all of them for the rest.

use crate::rules::{Anchor, Pattern, Removal, Role, RuleIdx, Rules, core_of_label};
use crate::text::{Span, label_of, weight};
use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, PatternID};

/// A rule's pattern in a block. Whether the block goes depends on the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) rule: RuleIdx,
    /// The block, by its number among those of the document that are not blank.
    pub(crate) rank: usize,
    pub(crate) role: Role,
    /// The bytes of the folded block that match, where the rule removes words only.
    pub(crate) words: Option<Span>,
}

/// Appends the hits of all rules in one folded block, which is number `rank` of those of its document that are not blank. `scratch` is for reuse.
pub(crate) fn scan(rules: &Rules, folded: &[u8], rank: usize, scratch: &mut Vec<u8>, hits: &mut Vec<Hit>) {
    let label = label_of(folded);
    let line = label.of(folded);
    // A character has at most four bytes, so that most long blocks need not be counted.
    let longest = rules.line_max_chars().max(rules.edges_max_chars()).max(rules.anywhere_max_chars());
    if line.is_empty() || line.len() > longest * 4 {
        return;
    }
    let n_chars = if line.is_ascii() { line.len() } else { count_chars(line) };
    if n_chars > longest {
        return;
    }
    let span = core_of_label(folded, label);
    let core = span.of(folded);
    let fits = |rule: RuleIdx| n_chars <= rules.rule(rule).max_chars;
    for rules_of_line in rules.line(core, scratch) {
        for &rule in rules_of_line.iter().filter(|rule| fits(**rule)) {
            let words = (rules.rule(rule).removal == Removal::Words).then_some(span);
            hits.push(Hit { rule, rank, role: Role::Block, words });
        }
    }
    let mut take = |pattern: Pattern, start: usize, end: usize| {
        if fits(pattern.rule) && is_whole_words(core, start, end) {
            let words = (rules.rule(pattern.rule).removal == Removal::Words)
                .then(|| Span::new(span.start + start, span.start + end));
            hits.push(Hit { rule: pattern.rule, rank, role: pattern.role, words });
        }
    };
    if let Some(edges) = rules.edges().filter(|_| n_chars <= rules.edges_max_chars()) {
        if rules.may_start(core) {
            walk(edges, core.iter(), |pattern, length| {
                let pattern = rules.edge_pattern(pattern);
                if pattern.anchor == Anchor::Start {
                    take(pattern, 0, length);
                }
            });
        }
        if rules.may_end(core) {
            walk(edges, core.iter().rev(), |pattern, length| {
                let pattern = rules.edge_pattern(pattern);
                if pattern.anchor == Anchor::End {
                    take(pattern, core.len() - length, core.len());
                }
            });
        }
    }
    if let Some(anywhere) = rules.anywhere().filter(|_| n_chars <= rules.anywhere_max_chars())
        // Whether there is any match is found much faster than where all of them are.
        && anywhere.is_match(core)
    {
        for found in anywhere.find_overlapping_iter(core) {
            take(rules.anywhere_pattern(found.pattern()), found.start(), found.end());
        }
    }
}

/// Walks the automaton over some bytes from their start, and tells the patterns that they start with, with their length. It
/// ends where no pattern can match any more, which is soon.
fn walk<'b>(automaton: &NFA, bytes: impl Iterator<Item = &'b u8>, mut tell: impl FnMut(PatternID, usize)) {
    let start = automaton.start_state(Anchored::Yes);
    let mut state = start.expect("the automaton is built for anchored walks");
    for (at, &byte) in bytes.enumerate() {
        state = automaton.next_state(Anchored::Yes, state, byte);
        if automaton.is_special(state) {
            if automaton.is_dead(state) {
                return;
            }
            for match_idx in 0..if automaton.is_match(state) { automaton.match_len(state) } else { 0 } {
                let pattern = automaton.match_pattern(state, match_idx);
                // A state also knows patterns that end here but begin later.
                if automaton.pattern_len(pattern) == at + 1 {
                    tell(pattern, at + 1);
                }
            }
        }
    }
}

/// How many characters there are, where a byte that continues none counts as one.
fn count_chars(folded: &[u8]) -> usize {
    folded.iter().filter(|byte| *byte & 0xc0 != 0x80).count()
}

/// Whether no word of `text` reaches over the start or the end of a match.
fn is_whole_words(text: &[u8], start: usize, end: usize) -> bool {
    let splits_word = |at: usize| last_in_word(&text[..at]) && first_in_word(&text[at..]);
    !splits_word(start) && !splits_word(end)
}

fn first_in_word(text: &[u8]) -> bool {
    match text.first() {
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric(),
        _ => text.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()).is_some_and(in_word),
    }
}

fn last_in_word(text: &[u8]) -> bool {
    match text.last() {
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric(),
        Some(_) => {
            let start = text.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
            std::str::from_utf8(&text[start..]).ok().and_then(|last| last.chars().next()).is_some_and(in_word)
        }
        None => false,
    }
}

/// Whether a character belongs to a word that has spaces around it.
fn in_word(character: char) -> bool {
    character.is_alphanumeric() && weight(character.encode_utf8(&mut [0; 4]).as_bytes()) == 1
}
