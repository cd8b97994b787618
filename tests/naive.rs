//! Each fast thing against a slow twin that is short enough to be seen right, on whatever proptest comes up with.
//!
//! The twins follow the documentation (`docs/packs.md`, the modules' own), not the code.
#![cfg(all(feature = "parquet", feature = "warc"))]

#[path = "cli/parquet_file.rs"]
mod parquet_file;

#[path = "naive/blocks.rs"]
mod blocks;
#[path = "naive/eval.rs"]
mod eval;
#[path = "naive/fold.rs"]
mod fold;
#[path = "naive/index.rs"]
mod index;
#[path = "naive/packs.rs"]
mod packs;
#[path = "naive/page.rs"]
mod page;
#[path = "naive/repeats.rs"]
mod repeats;
#[path = "naive/rules.rs"]
mod rules;
#[path = "naive/running.rs"]
mod running;
#[path = "naive/runs.rs"]
mod runs;
#[path = "naive/templates.rs"]
mod templates;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// So many tries, the same ones each time, and no files that remember failures. To look for more, change the seed and raise
/// the number.
fn tries(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

/// Characters that fold in some way of their own, beside any others.
fn character() -> impl Strategy<Value = char> {
    let odd = "\t\n\u{b}\u{c}\r \u{85}\u{a0}\u{2003}\u{3000}\u{0}\u{7f}\u{ad}\u{200b}\u{200d}\u{feff}\u{34f}\u{fe0f}\u{3164}\
        aAzZéÉßẞİıΣςσǅŉﬁﷺ½²Ⅷ①０Ａ’‘“”″‴–—−…´¨\u{301}\u{307}\u{308}\u{327}\u{338}\u{345}\u{344}\u{323}\u{f73}\u{3099}\
        ᄀ가각\u{1161}\u{11a8}\u{1100}カガｶﾞ船กำะั\u{e33}ಀ\u{cbf}\u{cd5}\u{9c7}\u{9be}ᎠꭰაᲐ😀\u{1d400}\u{2126}\u{212b}\
        א\u{5b0}\u{591}\u{5c1}\u{64b}\u{651}\u{334}\u{fb1d}.,:-#|»";
    let odd: Vec<char> = odd.chars().collect();
    prop_oneof![4 => prop::sample::select(odd), 3 => prop::char::range(' ', '~'), 1 => any::<char>()]
}

/// A text of such characters.
fn text(max_chars: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(character(), 0..=max_chars).prop_map(|characters| characters.into_iter().collect())
}

/// Bytes of which most are such a text.
fn bytes(max_pieces: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => text(6).prop_map(String::into_bytes),
        2 => Just(b"\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec(piece, 0..=max_pieces).prop_map(|pieces| pieces.concat())
}
