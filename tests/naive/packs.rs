//! Random packs and documents, over so few words that they meet.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn words(tokens: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let word = (select(tokens), select(&["", " ", " ", "  "][..])).prop_map(|(token, space)| format!("{token}{space}"));
    prop::collection::vec(word, 1..=most).prop_map(|words| words.concat())
}

/// A document of few words, in all the dress that pages have.
pub(crate) fn document() -> impl Strategy<Value = String> {
    let tokens = &["aa", "b", "AB", "aab", "12", "1,2", "é", "É", "x.", "»", "-", "...", "\u{ad}", "Foo", "(", ")"];
    let topics = words(&["Aa", "B", "12", "É", "Foo", "aa", "x."], 3).prop_map(|words| format!("A B C D E F {words}"));
    let link = (
        words(tokens, 3),
        select(&["[_](/a)", "* [_](b \"c\")", "[![_](b)](aa)", "![_](b)", "[_](aa](b)", "[_](aa b)", "[_](b) x."][..]),
    );
    let link = link.prop_map(|(words, link)| link.replace('_', &words));
    let line =
        prop_oneof![8 => words(tokens, 4), 3 => link, 1 => topics, 2 => Just(" ".to_owned()), 1 => Just(String::new())];
    prop::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n"))
}

/// The TOML of a rule, which leans on rules of a lower number only.
fn rule(number: usize) -> impl Strategy<Value = String> {
    let pattern = || {
        words(&["aa", "b", "ab", "é", "x.", "»", "-", "foo", "..."], 3).prop_filter("too short", |pattern| {
            pattern.trim().chars().count() >= 2 && pattern.contains(|letter: char| letter.is_alphanumeric())
        })
    };
    let digit_pattern =
        words(&["aa", "b", "#", "foo"], 3).prop_filter("too short", |pattern| pattern.trim().len() >= 2);
    let patterns = || prop::collection::vec(pattern(), 1..4);
    let lines = prop::collection::vec(prop_oneof![pattern(), digit_pattern], 1..4);
    let matching = prop_oneof![
        2 => lines.prop_map(|patterns| format!("match = \"line\"\npatterns = {patterns:?}\n")),
        6 => (select(&["prefix", "suffix", "within"][..]), patterns())
            .prop_map(|(name, patterns)| format!("match = {name:?}\npatterns = {patterns:?}\n")),
        3 => (patterns(), patterns(), 0..3_usize, prop::option::of(1..6_usize)).prop_map(|(start, end, ends, most)| {
            let start = if ends == 0 { String::new() } else { format!("start = {start:?}\n") };
            let end = if ends == 1 { String::new() } else { format!("end = {end:?}\n") };
            let most = most.map(|most| format!("max_lines = {most}\n")).unwrap_or_default();
            format!("match = \"region\"\n{start}{end}{most}")
        }),
        1 => Just("match = \"shape\"\n".to_owned()),
    ];
    let others = subsequence((0..number).collect::<Vec<_>>(), 0..=number.min(2));
    let near = (others, 1..5_usize, select(&["above", "below", "either", "both"][..]));
    let conditions = (
        prop::option::weighted(0.2, 1..5_usize),
        prop::option::weighted(0.2, 1..5_usize),
        prop::option::weighted(0.2, select(&["a.com", "x.a.com"][..])),
        prop::option::weighted(0.2, select(&["label", "topics"][..])),
        any::<bool>(),
        prop_oneof![Just(120_usize), 8..30_usize],
    );
    (matching, near, conditions).prop_map(move |(matching, (others, lines, side), conditions)| {
        let (head, tail, site, shape, takes_words, max_chars) = conditions;
        let is_region = matching.contains("region");
        let is_shape = matching.contains("shape") && !others.is_empty();
        let matching = if matching.contains("shape") && !is_shape {
            "match = \"line\"\npatterns = [\"aa b\"]\n".to_owned()
        } else {
            matching
        };
        let mut toml = format!(
            "[[rule]]\nid = \"r{number}\"\nremoves = [\"x\"]\nkeeps = [\"y\"]\n{matching}max_chars = {max_chars}\n"
        );
        let mut add = |line: String| toml.push_str(&(line + "\n"));
        head.into_iter().for_each(|head| add(format!("head = {head}")));
        tail.into_iter().for_each(|tail| add(format!("tail = {tail}")));
        site.into_iter().for_each(|site| add(format!("sites = [{site:?}]")));
        if !is_region && !others.is_empty() {
            let others: Vec<String> = others.iter().map(|other| format!("r{other}")).collect();
            add(format!("near = {{ rule = {others:?}, lines = {lines}, side = {side:?} }}"));
        }
        if is_shape || !is_region {
            let shape = if is_shape { shape.or(Some("label")) } else { shape };
            shape.into_iter().for_each(|shape| add(format!("shape = {shape:?}")));
        }
        if takes_words && !is_region && !is_shape {
            add("remove = \"words\"".into());
        }
        toml
    })
}

/// The TOML of a pack of five rules, in any order.
pub(crate) fn pack() -> impl Strategy<Value = String> {
    let rules = (rule(0), rule(1), rule(2), rule(3), rule(4));
    let shuffled = rules.prop_map(|(r0, r1, r2, r3, r4)| vec![r0, r1, r2, r3, r4]).prop_shuffle();
    shuffled.prop_map(|rules| format!("format = 1\nname = \"t\"\nabout = \"t\"\n{}", rules.concat()))
}
