//! What a block looks like, whatever its words.

use crate::text::content;
use serde::Deserialize;

/// A shape that a rule may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A run of at least 8 words, nearly all capitalised or numbers, with no sentence in it: a bar of topics.
    Topics,
    /// At most 6 words and no end of a sentence: a button, a menu's entry.
    Label,
}

impl Shape {
    /// Whether a block (as it was read, not folded) has this shape and at most `max_chars` characters.
    pub fn fits(self, block: &[u8], max_chars: usize) -> bool {
        let block = content(block);
        // A character has at most four bytes, so that most paragraphs need not be looked at.
        if block.len() > max_chars * 4 {
            return false;
        }
        let text = String::from_utf8_lossy(block);
        if text.chars().count() > max_chars {
            return false;
        }
        match self {
            Shape::Topics => is_topics(&text),
            Shape::Label => is_label(&text),
        }
    }
}

fn is_topics(text: &str) -> bool {
    let n_words = text.split_whitespace().count();
    let n_loud = text.split_whitespace().filter(|word| is_loud(word)).count();
    // Seven of eight, so that a topic may have an "of" or an "and" in it.
    n_words >= 8 && n_loud * 8 >= n_words * 7 && !text.split_whitespace().any(ends_sentence)
}

fn is_label(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let last = words.by_ref().take(6).last();
    last.is_some_and(|last| !ends_sentence(last)) && words.next().is_none()
}

/// Whether a word starts like a name or a number.
fn is_loud(word: &str) -> bool {
    word.chars().find(|character| character.is_alphanumeric()).is_none_or(|first| !first.is_lowercase())
}

fn ends_sentence(word: &str) -> bool {
    let bare = word.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}']);
    bare.ends_with(['.', '!', '?', '\u{3002}', '\u{ff01}', '\u{ff1f}', '\u{2026}'])
}
