//! The fold, by its definition over the whole block at once.

use crate::{bytes, text, tries};
use dehusk::text::{Fold, Span, fold, fold_tracked};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Characters that show nothing: format characters, fillers, selectors, tags.
const INVISIBLE: [(u32, u32); 22] = [
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff9, 0xfffb),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
    // Controls but for the white space among them.
    (0x00, 0x08),
    (0x0e, 0x1f),
    (0x7f, 0x7f),
    (0x80, 0x84),
    (0x86, 0x9f),
];

fn shows(character: &char) -> bool {
    let code = u32::from(*character);
    !INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

fn typewriter(character: char) -> char {
    match character {
        '‘' | '’' | '‚' | '‛' | '′' => '\'',
        '“' | '”' | '„' | '‟' | '〝' | '〞' | '〟' => '"',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        space if space.is_whitespace() => ' ',
        other => other,
    }
}

fn loose(block: &[u8]) -> Vec<u8> {
    let mut folded = Vec::new();
    for chunk in block.utf8_chunks() {
        let shown: String = chunk.valid().chars().filter(shows).nfkc().collect();
        let lower: String = shown.chars().flat_map(char::to_lowercase).nfkc().collect();
        folded.extend_from_slice(lower.chars().filter(shows).map(typewriter).collect::<String>().as_bytes());
        folded.extend_from_slice(chunk.invalid());
    }
    single_spaced(&folded)
}

fn letters(block: &[u8]) -> Vec<u8> {
    let mut folded = Vec::new();
    for chunk in loose(block).utf8_chunks() {
        let bare = chunk.valid().nfd().filter(|character| canonical_combining_class(*character) == 0);
        let letters = bare.map(|character| if character.is_numeric() { '0' } else { character });
        let letters: String = letters.filter(|letter| matches!(letter, '0' | ' ') || letter.is_alphabetic()).collect();
        folded.extend_from_slice(letters.as_bytes());
        folded.extend_from_slice(chunk.invalid());
    }
    single_spaced(&folded)
}

fn single_spaced(folded: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = folded.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

fn folded(block: &[u8], how: Fold) -> Vec<u8> {
    let mut out = b"before ".to_vec();
    fold(block, how, &mut out);
    out.split_off(7)
}

proptest! {
    #![proptest_config(tries(3000))]

    #[test]
    fn loose_is_its_definition(block in bytes(6)) {
        prop_assert_eq!(folded(&block, Fold::Loose), loose(&block), "{}", block.escape_ascii());
    }

    #[test]
    fn loose_of_ascii_is_its_definition(block in "[ -~\t\r\n\\x00]{0,40}") {
        let words: Vec<&str> = block.split_ascii_whitespace().collect();
        let plain = words.join(" ").replace('\0', "").to_ascii_lowercase();
        prop_assert_eq!(folded(block.as_bytes(), Fold::Loose), single_spaced(plain.as_bytes()));
    }

    #[test]
    fn letters_is_its_definition(block in bytes(6)) {
        prop_assert_eq!(folded(&block, Fold::Letters), letters(&block), "{}", block.escape_ascii());
    }

    #[test]
    fn exact_is_the_bytes_but_for_the_newline(line in "[a \r\\x00é]{0,8}", newline in "\n?") {
        let wanted = format!("{}\n", line.strip_suffix('\r').unwrap_or(&line));
        prop_assert_eq!(folded((line + &newline).as_bytes(), Fold::Exact), wanted.as_bytes());
    }

    /// Bytes that are no characters may come together to be some when what is between them goes, so this is of texts.
    #[test]
    fn folding_again_changes_nothing(block in text(12)) {
        for how in [Fold::Loose, Fold::Letters] {
            let once = folded(block.as_bytes(), how);
            prop_assert_eq!(&folded(&once, how), &once, "{:?} of {:?}", how, block);
        }
    }

    #[test]
    fn folded_forms_are_single_spaced_and_end_in_no_zero_byte(block in bytes(6)) {
        for how in [Fold::Loose, Fold::Letters, Fold::Exact] {
            prop_assert!(!folded(&block, how).ends_with(b"\0"));
        }
        for how in [Fold::Loose, Fold::Letters] {
            let folded = folded(&block, how);
            prop_assert_eq!(&single_spaced(&folded), &folded);
        }
    }

    #[test]
    fn tracked_is_the_fold_and_knows_where_from(block in bytes(6)) {
        let (mut out, mut origins) = (b"before ".to_vec(), vec![Span::new(0, 0)]);
        fold_tracked(&block, &mut out, &mut origins);
        let (out, origins) = (out.split_off(7), origins.split_off(1));
        prop_assert_eq!(&out, &folded(&block, Fold::Loose));
        prop_assert_eq!(out.len(), origins.len());
        for pair in origins.windows(2) {
            prop_assert!(pair[0] == pair[1] || pair[0].end <= pair[1].start, "{:?}", origins);
        }
        // What the spans hold is what became of them, but for spaces, which are joined and cut.
        let mut spans = origins.clone();
        spans.dedup();
        let shown = |bytes: Vec<u8>| bytes.into_iter().filter(|byte| *byte != b' ').collect::<Vec<u8>>();
        let pieces: Vec<u8> = spans.iter().flat_map(|span| loose(span.of(&block))).collect();
        prop_assert_eq!(shown(pieces), shown(out));
    }
}
