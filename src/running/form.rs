//! Lines as they are compared: folded, with a zero for each number.

use crate::text::{Fold, fold, mask_digits};

/// How long a running line may be: folded, and as it was read, with its padding.
const MAX_FOLDED: usize = 200;
const MAX_READ: usize = 400;

/// The form of a line, by a hash. Forms that share one count as the same, which costs no more than a line of the document
/// whose author made them so.
pub(super) type Form = u64;

/// Finds forms, in buffers of its own.
#[derive(Debug, Default)]
pub(super) struct Forms {
    folded: Vec<u8>,
    masked: Vec<u8>,
}

impl Forms {
    /// A line, folded.
    pub(super) fn folded(&mut self, line: &[u8]) -> &[u8] {
        self.folded.clear();
        fold(line, Fold::Loose, &mut self.folded);
        &self.folded
    }

    /// The form of a block that is a line and not too long for a running one.
    pub(super) fn of(&mut self, block: &[u8]) -> Option<Form> {
        let is_line = || memchr::memchr(b'\n', block).is_none_or(|newline| newline + 1 == block.len());
        if block.len() > MAX_READ || !is_line() || self.folded(block).len() > MAX_FOLDED {
            return None;
        }
        self.masked.clear();
        mask_digits(&self.folded, &mut self.masked);
        Some(hash(&self.masked))
    }

    /// The form that a line would have if the last of its words that could be a Roman number were one; it must have a word besides.
    pub(super) fn of_roman(&mut self, block: &[u8]) -> Option<Form> {
        self.of(block)?;
        let is_letter = |byte: &u8| !byte.is_ascii() || byte.is_ascii_alphanumeric();
        let is_roman = |word: &[u8]| (1..=7).contains(&word.len()) && word.iter().all(|byte| b"ivxlc".contains(byte));
        let mut end = self.folded.len();
        let number = loop {
            let start = self.folded[..end].iter().rposition(|byte| !is_letter(byte)).map_or(0, |before| before + 1);
            if is_roman(&self.folded[start..end]) {
                break start..end;
            }
            end = start.checked_sub(1)?;
        };
        self.folded.splice(number, *b"0");
        if !has_word(&self.folded) {
            return None;
        }
        self.masked.clear();
        mask_digits(&self.folded, &mut self.masked);
        Some(hash(&self.masked))
    }
}

/// Whether a block has a digit, of those that ASCII has.
pub(super) fn has_digit(block: &[u8]) -> bool {
    // Without a branch, so that the loop becomes vector code.
    block.len() <= MAX_READ && block.iter().fold(false, |has_digit, byte| has_digit | byte.is_ascii_digit())
}

/// Whether a folded line has three letters side by side.
pub(super) fn has_word(folded: &[u8]) -> bool {
    folded.utf8_chunks().any(|chunk| {
        let mut n_letters = 0;
        chunk.valid().chars().any(|character| {
            n_letters = if character.is_alphabetic() { n_letters + 1 } else { 0 };
            n_letters == 3
        })
    })
}

/// Appends the numbers of a folded line; of long ones the first nine digits.
pub(super) fn read_numbers(folded: &[u8], numbers: &mut Vec<u32>) {
    let digits = folded.chunk_by(|first, second| first.is_ascii_digit() == second.is_ascii_digit());
    for run in digits.filter(|run| run[0].is_ascii_digit()) {
        numbers.push(run.iter().take(9).fold(0, |number, digit| number * 10 + u32::from(digit - b'0')));
    }
}

/// Eight bytes at a time, each folded in by a wide product, as wyhash does.
fn hash(bytes: &[u8]) -> Form {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(ODD);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
        let folded = (product >> 64) as u64 ^ product as u64;
        folded
    };
    let mut words = bytes.chunks_exact(8);
    let mut state = bytes.len() as u64 ^ ODD.rotate_left(32);
    for word in &mut words {
        state = mix(state, u64::from_le_bytes(word.try_into().expect("a chunk has eight bytes")));
    }
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    mix(mix(state, u64::from_le_bytes(last)), ODD)
}
