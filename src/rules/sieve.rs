//! A sieve: four bytes tell of most texts that none of many patterns can match.

/// Which keys were put in; a key that was not is let through now and then.
#[derive(Debug)]
pub(crate) struct Sieve {
    bits: Box<[u64; WORDS]>,
    /// Whether some pattern that is too short to have a key starts with a byte.
    short: [bool; 256],
}

/// Small enough for the first-level cache, and large enough that some thousand keys fill little of it.
const BITS: u32 = 15;
const WORDS: usize = 1 << (BITS - 6);

impl Default for Sieve {
    fn default() -> Self {
        Sieve { bits: Box::new([0; WORDS]), short: [false; 256] }
    }
}

impl Sieve {
    /// Puts in what a text must start with to come through.
    pub(crate) fn add_start(&mut self, pattern: &[u8]) {
        match (pattern.first_chunk(), pattern.first()) {
            (Some(head), _) => self.add(u32::from_le_bytes(*head)),
            (None, Some(first)) => self.short[usize::from(*first)] = true,
            (None, None) => self.short = [true; 256],
        }
    }

    /// Whether a text may start with a pattern that was put in; an empty one starts with none.
    pub(crate) fn may_start(&self, text: &[u8]) -> bool {
        let is_short = text.first().is_some_and(|first| self.short[usize::from(*first)]);
        is_short || text.first_chunk().is_some_and(|head| self.has(u32::from_le_bytes(*head)))
    }

    /// Whether a text may end with a pattern that was put in backwards.
    pub(crate) fn may_end(&self, text: &[u8]) -> bool {
        let is_short = text.last().is_some_and(|last| self.short[usize::from(*last)]);
        is_short || text.last_chunk().is_some_and(|tail| self.has(u32::from_be_bytes(*tail)))
    }

    /// Puts in a whole text.
    pub(crate) fn add_whole(&mut self, text: &[u8]) {
        self.add(whole_key(text));
    }

    /// Whether a whole text may have been put in.
    pub(crate) fn may_be(&self, text: &[u8]) -> bool {
        self.has(whole_key(text))
    }

    fn add(&mut self, key: u32) {
        let (word, bit) = slot(key);
        self.bits[word] |= bit;
    }

    fn has(&self, key: u32) -> bool {
        let (word, bit) = slot(key);
        self.bits[word] & bit != 0
    }
}

/// Of the first four bytes, the last four, and the length.
fn whole_key(text: &[u8]) -> u32 {
    let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) else {
        return text.iter().fold(0, |key, byte| key << 8 | u32::from(*byte));
    };
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    u32::from_le_bytes(*head) ^ u32::from_le_bytes(*tail).rotate_left(11) ^ length.wrapping_mul(0x85eb_ca6b)
}

/// The word and the bit of a key: the high bits of a product, which depend on all of it.
fn slot(key: u32) -> (usize, u64) {
    let hash = key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - BITS);
    (hash as usize / 64, 1 << (hash % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_put_in_comes_through(
            patterns in prop::collection::vec("[a-c]{1,6}", 1..5),
            text in "[a-c]{0,9}",
        ) {
            let (mut starts, mut ends, mut wholes) = (Sieve::default(), Sieve::default(), Sieve::default());
            for pattern in &patterns {
                starts.add_start(pattern.as_bytes());
                ends.add_start(&pattern.bytes().rev().collect::<Vec<_>>());
                wholes.add_whole(pattern.as_bytes());
            }
            let any = |matches: &dyn Fn(&str) -> bool| patterns.iter().any(|pattern| matches(pattern));
            prop_assert!(starts.may_start(text.as_bytes()) || !any(&|pattern| text.starts_with(pattern)));
            prop_assert!(ends.may_end(text.as_bytes()) || !any(&|pattern| text.ends_with(pattern)));
            prop_assert!(wholes.may_be(text.as_bytes()) || !any(&|pattern| text == pattern));
        }
    }

    #[test]
    fn little_else_comes_through() {
        let mut sieve = Sieve::default();
        for number in 0..1000 {
            sieve.add_start(format!("{number:04}").as_bytes());
        }
        let others = (1000..10_000).filter(|number| sieve.may_start(number.to_string().as_bytes())).count();
        assert!(others < 900, "{others}");
    }
}
