//! What words say: a table from the features of a line to their weights.

use super::line::unigram;

/// The function words of many languages, a line each.
const FUNCTION_WORDS: &str = include_str!("function-words.txt");

/// What is known of a feature.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    feature: u32,
    /// For the line itself, the line after it, and the line before it.
    pub(crate) weights: [i8; 3],
    flags: u8,
}

const HAS_WEIGHTS: u8 = 1;
const IS_FUNCTION_WORD: u8 = 2;

/// A table of features: open addressing in 8 bytes a slot, at most half full, so that it stays in the second-level cache.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    slots: Vec<Entry>,
    unit: f32,
}

impl Words {
    /// A table of features with their weights, each of which counts `unit`.
    pub(crate) fn new(weights: impl ExactSizeIterator<Item = (u32, [i8; 3])>, unit: f32) -> Self {
        let function_words = FUNCTION_WORDS
            .lines()
            .filter_map(|line| line.split_once(':'))
            .flat_map(|(_, words)| words.split_whitespace().filter_map(unigram));
        let n_entries = weights.len() + FUNCTION_WORDS.split_whitespace().count();
        let mut words = Words { slots: vec![Entry::default(); (n_entries * 2).next_power_of_two()], unit };
        for (feature, weights) in weights {
            let entry = words.entry(feature);
            *entry = Entry { feature, weights, flags: entry.flags | HAS_WEIGHTS };
        }
        for feature in function_words {
            let entry = words.entry(feature);
            (entry.feature, entry.flags) = (feature, entry.flags | IS_FUNCTION_WORD);
        }
        words
    }

    /// What a weight of 1 counts.
    pub(crate) fn unit(&self) -> f32 {
        self.unit
    }

    /// The weights of a feature, if it has any.
    pub(crate) fn get(&self, feature: u32) -> Option<&Entry> {
        Some(&self.slots[self.slot(feature)]).filter(|entry| entry.flags & HAS_WEIGHTS != 0)
    }

    /// Whether a feature is a function word of some language.
    pub(crate) fn is_function_word(&self, feature: u32) -> bool {
        self.slots[self.slot(feature)].flags & IS_FUNCTION_WORD != 0
    }

    fn entry(&mut self, feature: u32) -> &mut Entry {
        let slot = self.slot(feature);
        &mut self.slots[slot]
    }

    /// Where a feature stands, or would.
    fn slot(&self, feature: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = feature as usize & mask;
        while self.slots[slot].flags != 0 && self.slots[slot].feature != feature {
            slot = (slot + 1) & mask;
        }
        slot
    }
}
