//! Blocks, line by line; and the edit, cut by cut.

use crate::{bytes, tries};
use dehusk::edit;
use dehusk::text::{Span, Unit, blocks};
use proptest::prelude::*;

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Lines that hold something are joined to those before them.
fn paragraphs(text: &[u8]) -> Vec<Vec<u8>> {
    let is_blank = |line: &[u8]| line.iter().all(|byte| b" \t\n\r\x0b\x0c".contains(byte));
    let mut paragraphs: Vec<Vec<u8>> = Vec::new();
    for line in lines(text) {
        match paragraphs.last_mut() {
            Some(last) if !is_blank(last) && !is_blank(&line) => last.extend(line),
            _ => paragraphs.push(line),
        }
    }
    paragraphs
}

/// A text, and cuts in it: pairs of numbers taken as how much stays and how much goes next.
fn text_and_cuts() -> impl Strategy<Value = (Vec<u8>, Vec<Span>)> {
    (bytes(8), prop::collection::vec((0..6_usize, 0..6_usize), 0..8)).prop_map(|(text, steps)| {
        let mut at = 0;
        let mut cuts = Vec::new();
        for (stays, goes) in steps {
            let start = (at + stays).min(text.len());
            at = (start + goes).min(text.len());
            cuts.push(Span::new(start, at));
        }
        (text, cuts)
    })
}

proptest! {
    #![proptest_config(tries(2000))]

    #[test]
    fn blocks_cover_the_text_as_lines_and_paragraphs(text in prop_oneof![bytes(10), "[a\n \r\u{b}]{0,24}".prop_map(String::into_bytes)]) {
        let of_unit = |unit| blocks(&text, unit).map(|span| span.of(&text).to_vec()).collect::<Vec<_>>();
        prop_assert_eq!(of_unit(Unit::Line), lines(&text));
        prop_assert_eq!(of_unit(Unit::Paragraph), paragraphs(&text));
        for unit in [Unit::Line, Unit::Paragraph] {
            let spans: Vec<Span> = blocks(&text, unit).collect();
            prop_assert!(spans.iter().zip(spans.iter().skip(1)).all(|(one, next)| one.end == next.start));
            prop_assert_eq!(spans.iter().map(|span| span.len()).sum::<usize>(), text.len());
        }
    }

    #[test]
    fn what_is_cut_can_be_put_back((text, cuts) in text_and_cuts()) {
        let mut left = b"before ".to_vec();
        edit::cut(&text, cuts.iter().copied(), &mut left);
        let is_cut = |at: usize| cuts.iter().any(|cut| (cut.start..cut.end).contains(&at));
        let stays: Vec<u8> = text.iter().enumerate().filter(|(at, _)| !is_cut(*at)).map(|(_, byte)| *byte).collect();
        prop_assert_eq!(&left[7..], &stays[..]);
        let removed = cuts.iter().map(|cut| (cut.start, cut.of(&text)));
        let mut restored = b"before ".to_vec();
        edit::restore(&left[7..], removed, &mut restored).unwrap();
        prop_assert_eq!(&restored[7..], &text[..]);
    }

    #[test]
    fn restoring_what_does_not_fit_is_refused(left in bytes(3), start in 0..99_usize) {
        prop_assume!(start > left.len());
        prop_assert!(edit::restore(&left, [(start, &b"x"[..])], &mut Vec::new()).is_none());
    }
}
