//! What a block looks like, whatever its words.

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
    /// Whether a block (as it was read, not folded) has this shape.
    pub fn fits(self, block: &[u8]) -> bool {
        let text = String::from_utf8_lossy(block);
        let words: Vec<&str> = text.split_whitespace().collect();
        match self {
            Shape::Topics => is_topics(&words),
            Shape::Label => (1..=6).contains(&words.len()) && !words.last().is_some_and(|word| ends_sentence(word)),
        }
    }
}

fn is_topics(words: &[&str]) -> bool {
    let n_loud = words.iter().filter(|word| is_loud(word)).count();
    // Seven of eight, so that a topic may have an "of" or an "and" in it.
    words.len() >= 8 && n_loud * 8 >= words.len() * 7 && !words.iter().any(|word| ends_sentence(word))
}

/// Whether a word starts like a name or a number.
fn is_loud(word: &str) -> bool {
    word.chars().find(|character| character.is_alphanumeric()).is_none_or(|first| !first.is_lowercase())
}

fn ends_sentence(word: &str) -> bool {
    let bare = word.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}']);
    bare.ends_with(['.', '!', '?', '\u{3002}', '\u{ff01}', '\u{ff1f}', '\u{2026}'])
}
