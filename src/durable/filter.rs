//! The filter before a run: ten bits a fingerprint tell nearly all that the run does not hold.
//!
//! A Bloom filter in blocks of one cache line (Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient Bloom Filters"): four
//! bits in one of a block's first four words, and four in one of the others. The first half of a fingerprint names the block, as
//! it does the place in the run, so that what is built or asked in order goes through the filter in order; words and bits are named by
//! the other half. Some 1.5 in 100 of what is not there seem to be, and are then looked for in vain.

use super::record::{high, low, range_of};
use crate::fingerprint::Fingerprint;

const WORDS: usize = 8;
const BITS_PER_KEY: usize = 10;

#[derive(Debug)]
pub(super) struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    /// A filter for up to so many fingerprints.
    pub(super) fn for_keys(n_keys: usize) -> Self {
        let n_blocks = (n_keys * BITS_PER_KEY).div_ceil(WORDS * 64).max(1);
        Filter { blocks: vec![[0; WORDS]; n_blocks] }
    }

    pub(super) fn add(&mut self, fingerprint: &Fingerprint) {
        let block = range_of(high(fingerprint), self.blocks.len());
        for Bits { word, bits } in bits(fingerprint) {
            self.blocks[block][word] |= bits;
        }
    }

    /// Whether it may have been added.
    pub(super) fn may_hold(&self, fingerprint: &Fingerprint) -> bool {
        let block = &self.blocks[range_of(high(fingerprint), self.blocks.len())];
        let [first, second] = bits(fingerprint).map(|Bits { word, bits }| !block[word] & bits);
        first | second == 0
    }

    /// How many bytes it has.
    pub(super) fn n_bytes(&self) -> usize {
        self.blocks.len() * WORDS * 8
    }

    /// Its bytes, some at a time.
    pub(super) fn each_bytes(&self, mut take: impl FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        for blocks in self.blocks.chunks(1 << 12) {
            bytes.clear();
            blocks.iter().flatten().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
            take(&bytes)?;
        }
        Ok(())
    }

    /// The filter of so many bytes, which `fill` reads some at a time. None if a filter does not have so many.
    pub(super) fn read(
        n_bytes: usize,
        mut fill: impl FnMut(&mut [u8]) -> std::io::Result<()>,
    ) -> std::io::Result<Option<Self>> {
        const BLOCK: usize = WORDS * 8;
        if n_bytes == 0 || !n_bytes.is_multiple_of(BLOCK) {
            return Ok(None);
        }
        let mut blocks = Vec::with_capacity(n_bytes / BLOCK);
        let mut bytes = vec![0; BLOCK << 12];
        let mut left = n_bytes;
        while left > 0 {
            let piece = &mut bytes[..left.min(BLOCK << 12)];
            fill(piece)?;
            let (block_bytes, _) = piece.as_chunks::<BLOCK>();
            blocks.extend(block_bytes.iter().map(|block| {
                let (words, _) = block.as_chunks::<8>();
                std::array::from_fn(|word_idx| u64::from_le_bytes(words[word_idx]))
            }));
            left -= piece.len();
        }
        Ok(Some(Filter { blocks }))
    }
}

/// Bits of one word of a block.
struct Bits {
    word: usize,
    bits: u64,
}

fn bits(fingerprint: &Fingerprint) -> [Bits; 2] {
    let half = low(fingerprint);
    let four = |number: u64| (0..4).fold(0, |bits, bit_idx| bits | 1 << (number >> (bit_idx * 6) & 63));
    let word = |number: u64| (number & 3) as usize;
    [Bits { word: word(half >> 24), bits: four(half) }, Bits { word: 4 + word(half >> 26), bits: four(half >> 32) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_added_is_held_and_little_else() {
        let key = |number: u32| Fingerprint::of(&number.to_le_bytes());
        let mut filter = Filter::for_keys(20_000);
        (0..20_000).for_each(|number| filter.add(&key(number)));
        let mut bytes = Vec::new();
        let take = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        filter.each_bytes(take).expect("memory can be written");
        assert_eq!(bytes.len(), filter.n_bytes());
        let mut left = &bytes[..];
        let read = Filter::read(bytes.len(), |piece| std::io::Read::read_exact(&mut left, piece));
        let read = read.expect("memory can be read").expect("it has the bytes of a filter");
        for filter in [&filter, &read] {
            assert!((0..20_000).all(|number| filter.may_hold(&key(number))));
            let n_wrong = (20_000..120_000).filter(|number| filter.may_hold(&key(*number))).count();
            assert!((1..2_000).contains(&n_wrong), "{n_wrong} of 100,000");
        }
        assert!(Filter::read(63, |_| Ok(())).is_ok_and(|filter| filter.is_none()));
    }
}
