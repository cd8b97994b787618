//! The fold, a line at a time, as every block goes through it.

use crate::texts::{Text, each_line};
use dehusk::text;
use dehusk::text::Fold;
use divan::Bencher;
use divan::counter::BytesCount;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

const TEXTS: [Text; 4] = [Text::AsciiProse, Text::Scraped, Text::Cyrillic, Text::Chinese];

#[divan::bench(args = TEXTS)]
fn loose(bencher: Bencher<'_, '_>, text: Text) {
    measure(bencher, &text.make(), Fold::Loose, plainly_loose);
}

#[divan::bench(args = TEXTS)]
fn letters(bencher: Bencher<'_, '_>, text: Text) {
    measure(bencher, &text.make(), Fold::Letters, |line| plainly_letters(&plainly_loose(line)));
}

/// What the loose fold is to be compared with: the same for these texts, in the plainest way.
#[divan::bench(args = TEXTS)]
fn plainly(bencher: Bencher<'_, '_>, text: Text) {
    let text = text.make();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| text.lines().map(|line| plainly_loose(line).len()).sum::<usize>());
}

fn measure(bencher: Bencher<'_, '_>, text: &str, how: Fold, plainly: impl Fn(&str) -> String) {
    let mut folded = Vec::new();
    for line in each_line(text) {
        folded.clear();
        text::fold(line, how, &mut folded);
        let expected = plainly(&String::from_utf8_lossy(line));
        assert_eq!(String::from_utf8_lossy(&folded), expected, "the fold of {:?}", String::from_utf8_lossy(line));
    }
    bencher.counter(BytesCount::of_str(text)).bench_local(|| {
        let mut n_folded = 0;
        for line in each_line(text) {
            folded.clear();
            text::fold(line, how, &mut folded);
            n_folded += folded.len();
        }
        n_folded
    });
}

fn plainly_loose(line: &str) -> String {
    let lower = line.nfkc().collect::<String>().to_lowercase();
    let plain = lower.replace(['\u{2018}', '\u{2019}'], "'").replace(['\u{201c}', '\u{201d}'], "\"");
    let plain = plain.replace(['\u{2013}', '\u{2014}'], "-");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn plainly_letters(loose: &str) -> String {
    let bare = loose.nfd().filter(|letter| canonical_combining_class(*letter) == 0);
    let letters = bare.filter_map(|letter| match letter {
        ' ' => Some(' '),
        _ if letter.is_numeric() => Some('0'),
        _ => letter.is_alphabetic().then_some(letter),
    });
    letters.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
