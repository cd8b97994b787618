//! Running headers and footers, as `src/running/` tells them, by maps and sets and without its short cuts.

use crate::page::{folded, lines};
use crate::tries;
use dehusk::{Cleaner, Config, Document, Reason, Scope, Scratch};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

type Ranks = BTreeSet<usize>;

/// The form of a line: a zero for each number, with the numbers.
fn form(line: &str) -> (String, Vec<usize>) {
    let (mut form, mut numbers) = (String::new(), Vec::new());
    for run in line.as_bytes().chunk_by(|first, second| first.is_ascii_digit() == second.is_ascii_digit()) {
        let run = std::str::from_utf8(run).expect("digits are ASCII");
        if run.as_bytes()[0].is_ascii_digit() {
            form.push('0');
            numbers.push(run[..run.len().min(9)].parse().expect("nine digits"));
        } else {
            form.push_str(run);
        }
    }
    (form, numbers)
}

fn roman_form(line: &str) -> Option<String> {
    let mut words: Vec<&str> = line.split_inclusive(|character: char| !character.is_alphanumeric()).collect();
    let is_roman = |word: &&str| {
        let word = word.trim_end_matches(|character: char| !character.is_alphanumeric());
        (1..=7).contains(&word.len()) && word.chars().all(|character| "ivxlc".contains(character))
    };
    let last = words.iter().rposition(is_roman)?;
    let changed = words[last].replace(|character: char| character.is_alphanumeric(), "");
    let changed = format!("0{changed}");
    words[last] = &changed;
    let line = words.concat();
    has_word(&line).then(|| form(&line).0)
}

fn has_word(line: &str) -> bool {
    line.split(|character: char| !character.is_alphabetic()).any(|word| word.chars().count() >= 3)
}

fn is_most(some: usize, all: usize) -> bool {
    some * 5 >= all * 4
}

fn are_pages(lengths: &[f64], n_all: usize, tolerance: f64) -> bool {
    let mut sorted = lengths.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(&middle) = sorted.get(sorted.len() / 2) else { return false };
    let even = lengths.iter().filter(|length| (*length - middle).abs() <= middle * tolerance + 1e-9).count();
    (25.0..=150.0).contains(&middle) && is_most(even, n_all)
}

/// The lines that are running ones, with the number of pages.
fn running(text: &str) -> BTreeMap<usize, usize> {
    let raw: Vec<&[u8]> = lines(text.as_bytes());
    let all: Vec<String> = raw.iter().map(|line| String::from_utf8(folded(line)).expect("the text is UTF-8")).collect();
    let shown: Vec<usize> = (0..all.len()).filter(|line| !all[*line].is_empty()).collect();
    let mut found = BTreeMap::new();
    if raw.len() < 50 {
        return found;
    }
    let feeds: Vec<usize> = (0..raw.len()).filter(|line| raw[*line].contains(&b'\x0c')).collect();
    let lengths: Vec<f64> = feeds.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let is_even = are_pages(&lengths, lengths.len(), 0.25);
    let (mut tops, mut bottoms) = (Ranks::new(), Ranks::new());
    for &feed in &feeds {
        let line = std::str::from_utf8(raw[feed]).expect("the text is UTF-8");
        let starts_below = all[feed].is_empty() || line.trim_start_matches([' ', '\t']).starts_with('\x0c');
        let top = shown.partition_point(|line| *line < feed) + usize::from(!starts_below);
        bottoms.extend(top.checked_sub(1));
        tops.extend((top < shown.len() && is_even).then_some(top));
    }
    let mut edges: Ranks = &tops | &bottoms;
    if edges.len() < if is_even { 6 } else { 3 } {
        edges.clear();
        tops.clear();
        bottoms.clear();
    }
    let is_even = is_even && !edges.is_empty();
    if edges.is_empty() && raw.len() < 100 {
        return found;
    }

    let forms: Vec<(String, Vec<usize>)> = shown.iter().map(|line| form(&all[*line])).collect();
    let mut by_form: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (rank, (form, _)) in forms.iter().enumerate() {
        by_form.entry(form).or_default().push(rank);
    }
    let mut numbered: BTreeMap<&str, usize> = BTreeMap::new();
    for (&form, ranks) in by_form.iter().filter(|(form, _)| form.contains('0')) {
        let mut ranks = ranks.clone();
        ranks.retain(|rank| has_word(form) || edges.contains(rank));
        let at_edges = ranks.iter().filter(|rank| edges.contains(rank)).count();
        let is_beside_feeds = at_edges >= 3 && is_most(at_edges, ranks.len());
        let is_alone = !is_even && ranks.len() >= 5;
        let n_slots = ranks.first().map_or(0, |rank| forms[*rank].1.len());
        let grows = (0..n_slots).any(|slot| {
            let steps = ranks.windows(2).filter_map(|pair| {
                let pages = forms[pair[1]].1[slot].checked_sub(forms[pair[0]].1[slot])?;
                (1..=4).contains(&pages).then(|| (shown[pair[1]] - shown[pair[0]]) as f64 / pages as f64)
            });
            let lengths: Vec<f64> = steps.collect();
            let n_steps = ranks.len() - 1;
            is_most(lengths.len(), n_steps) && (is_beside_feeds || are_pages(&lengths, n_steps, 0.1))
        });
        if grows && (is_beside_feeds || is_alone) {
            numbered.insert(form, ranks.len());
            found.extend(ranks.iter().map(|rank| (*rank, ranks.len())));
        }
    }
    for (rank, line) in shown.iter().enumerate() {
        let roman = roman_form(&all[*line]);
        let pages = roman.and_then(|form| numbered.get(form.as_str()));
        if let Some(&pages) = pages {
            found.entry(rank).or_insert(pages);
        }
    }
    if found.is_empty() && !is_even {
        return found;
    }

    let sure: Ranks = found.keys().copied().collect();
    let marks: Vec<usize> = if sure.is_empty() { &tops } else { &sure }.iter().copied().collect();
    for _ in 0..3 {
        let mut new = BTreeMap::new();
        for is_top in [true, false] {
            let starts = &sure | if is_top { &tops } else { &bottoms };
            let mut beside: BTreeMap<&str, Ranks> = BTreeMap::new();
            for start in starts {
                let mut next: Box<dyn Iterator<Item = usize>> =
                    if is_top { Box::new(start..shown.len()) } else { Box::new((0..=start).rev()) };
                let Some(rank) = next.find(|rank| !found.contains_key(rank)) else { continue };
                if shown[rank].abs_diff(shown[start]) <= 12 {
                    beside.entry(&forms[rank].0).or_default().insert(rank);
                }
            }
            for (form, ranks) in beside {
                let page = |rank: Option<&usize>| marks.iter().filter(|mark| Some(*mark) <= rank).count();
                let between = page(ranks.last()) - page(ranks.first()) + 1;
                let is_on_most = ranks.len() as f64 >= 0.4 * between as f64 && ranks.len() * 20 >= marks.len() * 3;
                if ranks.len() >= 3 && is_most(ranks.len(), by_form[form].len()) && is_on_most {
                    new.extend(ranks.iter().map(|rank| (*rank, ranks.len())));
                }
            }
        }
        found.extend(new);
    }
    found.into_iter().map(|(rank, pages)| (shown[rank], pages)).collect()
}

/// A document of pages that are nearly alike.
fn document() -> impl Strategy<Value = String> {
    let footer = select(&["Pell  [Page #]\n", "- # -\n", "Ferries # of 12\n", "Memo\n", "Part #\n"][..]);
    let header = select(&["", "Ferries  1990\n", "\n\nThe North\nMemo 3\n", "No. #\n"][..]);
    let feed = select(&["", "\n", "\x0c\n", "\x0c\n", "\x0c"][..]);
    let body = select(&["The cat slept.\n", "A gull.\n12 loaves.\n", "Part 3\n", "Memo\n", "iv\n"][..]);
    let page = (body, select(&[24_usize, 24, 24, 25, 26, 30, 60, 3][..]), any::<prop::sample::Index>());
    (footer, header, feed, prop::collection::vec(page, 0..9), 0..3_usize, 23..27_usize).prop_map(
        |(footer, header, feed, pages, roman, usual)| {
            let mut text = String::new();
            for (number, (body, blanks, odd)) in pages.iter().enumerate() {
                let blanks = if odd.index(4) > 0 { usual } else { *blanks };
                let number = match number.checked_sub(roman) {
                    Some(number) => (number + 1).to_string(),
                    None => "i".repeat(number + 1),
                };
                let is_odd = odd.index(9) == 0;
                text += &format!("{body}{}", "\n".repeat(blanks));
                text += &if is_odd { String::new() } else { footer.replace('#', &number) };
                text += feed;
                text += &header.replace('#', &number);
            }
            text
        },
    )
}

proptest! {
    #![proptest_config(tries(2000))]

    #[test]
    fn running_lines_are_found_as_they_are_told(text in document()) {
        let config = Config { no_default_packs: true, scope: Scope::Off, ..Config::default() };
        let mut scratch = Scratch::default();
        let cleaned = Cleaner::new(&config).unwrap().clean(&Document::new(&text), &mut scratch).unwrap();
        let of_running = |cut: &dehusk::Cut| match cut.reason {
            Reason::Running(pages) => {
                let line = text.as_bytes()[..cut.span.start].iter().filter(|byte| **byte == b'\n').count();
                Some((line, usize::try_from(pages).unwrap()))
            }
            _ => None,
        };
        let own: BTreeMap<usize, usize> = cleaned.cuts().iter().filter_map(of_running).collect();
        prop_assert_eq!(own, running(&text));
    }
}
