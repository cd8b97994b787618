//! The scan: which rules have a pattern in a folded block.
//!
//! Chrome is short, and so is what rules may match: a block longer than any rule allows is not looked at. The others
//! are looked up as whole lines and run through one automaton.

use crate::rules::{Anchor, Removal, Role, RuleIdx, Rules, core_of};
use crate::text::Span;

/// A rule's pattern in a block. Whether the block goes depends on the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) rule: RuleIdx,
    /// The block, by its number in the document.
    pub(crate) block: u32,
    pub(crate) role: Role,
    /// The bytes of the folded block that match, where the rule removes words only.
    pub(crate) words: Option<Span>,
}

/// Appends the hits of all rules in one folded block, which is number `block` of its document. `scratch` is for reuse.
pub(crate) fn scan(rules: &Rules, folded: &[u8], block: u32, scratch: &mut Vec<u8>, hits: &mut Vec<Hit>) {
    // A character has at most four bytes, so that most long blocks need not be counted.
    let longest = rules.max_chars().max(rules.line_max_chars());
    if folded.is_empty() || folded.len() > longest * 4 {
        return;
    }
    let n_chars = if folded.is_ascii() { folded.len() } else { count_chars(folded) };
    if n_chars > longest {
        return;
    }
    let span = core_of(folded);
    let core = span.of(folded);
    let fits = |rule: RuleIdx| n_chars <= rules.rule(rule).max_chars;
    for rules_of_line in rules.line(core, scratch) {
        for &rule in rules_of_line.iter().filter(|rule| fits(**rule)) {
            let words = (rules.rule(rule).removal == Removal::Words).then_some(span);
            hits.push(Hit { rule, block, role: Role::Block, words });
        }
    }
    let Some(automaton) = rules.automaton().filter(|_| n_chars <= rules.max_chars()) else { return };
    for found in automaton.find_overlapping_iter(core) {
        let pattern = rules.pattern(found.pattern());
        let in_place = match pattern.anchor {
            Anchor::Start => found.start() == 0,
            Anchor::End => found.end() == core.len(),
            Anchor::Anywhere => true,
        };
        if in_place && fits(pattern.rule) && is_whole_words(core, found.start(), found.end()) {
            let words = (rules.rule(pattern.rule).removal == Removal::Words)
                .then(|| Span::new(span.start + found.start(), span.start + found.end()));
            hits.push(Hit { rule: pattern.rule, block, role: pattern.role, words });
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
    character.is_alphanumeric() && crate::text::weight(character.encode_utf8(&mut [0; 4]).as_bytes()) == 1
}
