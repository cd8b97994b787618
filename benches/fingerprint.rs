//! Fingerprints of folded lines: in batches, as dehusk takes them, and one by one.

use crate::texts::{Text, each_line};
use dehusk::fingerprint::{Fingerprint, Fingerprinter};
use dehusk::text::content;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

const TEXTS: [Text; 3] = [Text::AsciiProse, Text::Scraped, Text::ShortLines];

#[divan::bench(args = TEXTS)]
fn in_batches(bencher: Bencher<'_, '_>, text: Text) {
    let text = text.make();
    let lines: Vec<&[u8]> = each_line(&text).map(content).collect();
    let mut fingerprinter = Fingerprinter::default();
    let mut fingerprints = vec![Fingerprint::default(); lines.len()];
    let mut take_all = || {
        for (slot, line) in lines.iter().enumerate() {
            fingerprinter.begin().extend_from_slice(line);
            fingerprinter.end(slot, &mut fingerprints);
        }
        fingerprinter.flush(&mut fingerprints);
        fingerprints[lines.len() / 2]
    };
    take_all();
    bencher.counter(BytesCount::of_str(&text)).counter(ItemsCount::new(lines.len())).bench_local(&mut take_all);
    let plainly: Vec<Fingerprint> = lines.iter().map(|line| Fingerprint::of(line)).collect();
    assert!(fingerprints == plainly, "a fingerprint taken in a batch differs from the one taken by itself");
}

#[divan::bench(args = TEXTS)]
fn one_by_one(bencher: Bencher<'_, '_>, text: Text) {
    let text = text.make();
    let lines: Vec<&[u8]> = each_line(&text).map(content).collect();
    let mut padded = lines[0].to_vec();
    padded.resize(padded.len().next_multiple_of(64), 0);
    assert_eq!(Fingerprint::of(lines[0]).as_bytes(), &blake3::hash(&padded).as_bytes()[..16]);
    bencher
        .counter(BytesCount::of_str(&text))
        .counter(ItemsCount::new(lines.len()))
        .bench_local(|| lines.iter().map(|line| Fingerprint::of(line)).max());
}
