//! Site templates as the definition has them, over texts: no keys, no bits, no numbers of lines. It is a word-by-word port of
//! the prototype that the thresholds were found with.

use crate::page::folded;
use crate::tries;
use dehusk::run::Run;
use dehusk::text::weight;
use dehusk::{Config, Document, Learner, Scope};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    masked: String,
    weight: usize,
    is_label: bool,
    is_code: bool,
}

impl Line {
    fn of(line: &str) -> Option<Line> {
        let fold = String::from_utf8(folded(line.as_bytes())).expect("lines are UTF-8");
        if fold.is_empty() {
            return None;
        }
        let n_letters = fold.chars().filter(|character| character.is_alphabetic()).count();
        let is_digit = |character: char| character.is_numeric() && !character.is_alphabetic();
        let mut masked = String::new();
        let mut was_digit = false;
        for character in fold.chars() {
            let is_masked = is_digit(character) && n_letters >= 2 && fold.len() <= 256;
            if !(is_masked && was_digit) {
                masked.push(if is_masked { '0' } else { character });
            }
            was_digit = is_masked;
        }
        let weight = weight(masked.as_bytes());
        let last = masked.chars().last().expect("it shows something");
        let is_short = weight <= 60;
        Some(Line {
            is_label: is_short && (last.is_alphanumeric() || ")?!:\"'".contains(last)),
            is_code: is_short
                && (masked.contains(['{', '}', '=', ';', '\\']) || masked.contains("()") || masked.contains("</")),
            weight,
            masked,
        })
    }

    fn is_prose(&self) -> bool {
        self.weight >= 80
    }

    /// A label that pages may differ in but for its numbers.
    fn is_numbered(&self) -> bool {
        let n_letters = self.masked.chars().filter(|character| character.is_alphabetic()).count();
        self.is_label && !self.is_code && self.masked.contains('0') && n_letters >= 2
    }

    fn is_text(&self) -> bool {
        let is_sentence = self.masked.len() >= 16 && self.masked.ends_with(['.', '。']) && !self.is_code;
        self.weight > 60 || is_sentence
    }
}

type Page = Vec<Line>;
type Keys = BTreeSet<Line>;

fn prose(page: &Page) -> Keys {
    page.iter().filter(|line| line.is_prose()).cloned().collect()
}

/// Of a template: whether it is one at the head, at the tail and in mid-page, and on how many pages and how often it stands.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    places: [bool; 3],
    documents: usize,
    copies: usize,
}

struct Templates {
    found: BTreeMap<Line, Entry>,
    n_pages: usize,
}

/// Nothing where it matters which of several copies of a text is looked at.
fn learn(pages: &[Page]) -> Option<Templates> {
    let mut distinct: Vec<&Page> = Vec::new();
    for page in pages {
        if !distinct.contains(&page) {
            distinct.push(page);
        }
    }
    let groups = same_text(&distinct);
    let n = groups.len();
    let mut found = BTreeMap::new();
    if n < 2 {
        return Some(Templates { found, n_pages: n });
    }
    let all: Keys = distinct.iter().flat_map(|page| page.iter().cloned()).collect();
    let has = |group: &Vec<&Page>, line: &Line| group.iter().any(|page| page.contains(line));
    let count = |line: &Line| groups.iter().filter(|group| has(group, line)).count();
    // Of a group, one page stands for all: that of the smallest identity, which nobody knows here.
    let n_on = |page: &Page, line: &Line| page.iter().filter(|other| *other == line).count();
    let least_copies = |line: &Line| -> usize {
        groups.iter().map(|group| group.iter().map(|page| n_on(page, line)).min().unwrap_or(0)).sum()
    };
    let copies = |line: &Line| -> usize {
        groups.iter().map(|group| group.iter().map(|page| n_on(page, line)).max().unwrap_or(0)).sum()
    };
    if all.iter().any(|line| (copies(line) > 3 * count(line)) != (least_copies(line) > 3 * count(line))) {
        return None;
    }
    let follows = |page: &Page, a: &Line, b: &Line| page.windows(2).any(|pair| pair[0] == *a && pair[1] == *b);
    let pairs = |a: &Line, b: &Line| groups.iter().filter(|group| group.iter().any(|page| follows(page, a, b))).count();
    let on_half: Keys = all.iter().filter(|line| count(line) >= 2 && 2 * count(line) >= n).cloned().collect();
    let is_as_much_own = |page: &Page| {
        let n_shared = page.iter().filter(|line| line.is_text() && on_half.contains(line)).count();
        page.iter().filter(|line| line.is_text() && !on_half.contains(line)).count() >= n_shared
    };
    let beside_own = |line: &Line| {
        let is_beside = |group: &&Vec<&Page>| group.iter().any(|page| page.contains(line) && is_as_much_own(page));
        groups.iter().filter(is_beside).count()
    };
    let is_theirs = |line: &Line| n < 8 && (line.is_numbered() || line.is_text() && 2 * beside_own(line) < count(line));
    let common: Keys = on_half.iter().filter(|line| !is_theirs(line)).cloned().collect();
    let often: Keys = all.iter().filter(|line| copies(line) > 3 * count(line)).cloned().collect();
    let few: Keys = all
        .iter()
        .filter(|line| {
            n >= 10 && count(line) >= 10 && !line.is_code && !on_half.contains(line) && !often.contains(line)
        })
        .cloned()
        .collect();
    let half_after = |a: &Line, b: &Line| count(a) >= 2 * count(b) && 2 * pairs(a, b) >= count(b);
    let half_before = |a: &Line, b: &Line| count(b) >= 2 * count(a) && 2 * pairs(a, b) >= count(a);
    let is_slot = |line: &Line| all.iter().any(|a| half_after(a, line)) && all.iter().any(|b| half_before(line, b));
    let wanted: Keys = common.iter().chain(few.iter().filter(|line| !is_slot(line))).cloned().collect();
    let block: Keys =
        common.iter().filter(|line| !often.contains(line) && (n >= 8 || 10 * count(line) >= 8 * n)).cloned().collect();
    let together = |a: &Line, b: &Line| 2 * pairs(a, b) >= count(a).max(count(b));
    let reached = |group: &Vec<&Page>, place: usize, line: &Line| {
        group.iter().any(|page| {
            let (head, tail) = edges(page, &wanted, &wanted, &often);
            match place {
                0 => page[..head].contains(line),
                1 => page[tail..].contains(line),
                _ => {
                    runs(page, &block, &together).iter().any(|(a, b)| b - a >= least(n) && page[*a..*b].contains(line))
                }
            }
        })
    };
    for line in &wanted {
        let n_reached = [0, 1, 2].map(|place| groups.iter().filter(|group| reached(group, place, line)).count());
        let mut places = n_reached.map(|reached| 2 * reached >= count(line));
        if !places[0] && !places[1] && 2 * (n_reached[0] + n_reached[1]) >= count(line) {
            places[0] = true;
            places[1] = true;
        }
        if places.contains(&true) {
            found.insert(line.clone(), Entry { places, documents: count(line), copies: copies(line) });
        }
    }
    Some(Templates { found, n_pages: n })
}

impl Templates {
    /// Which lines of a page go.
    fn apply(&self, page: &Page) -> BTreeSet<usize> {
        let at = |places: &[usize]| -> Keys {
            let is_at = |entry: &Entry| places.iter().any(|place| entry.places[*place]);
            self.found.iter().filter(|(_, entry)| is_at(entry)).map(|(line, _)| line.clone()).collect()
        };
        let is_often = |entry: &Entry| entry.copies > 3 * entry.documents;
        let often = self.found.iter().filter(|(_, entry)| is_often(entry)).map(|(line, _)| line.clone()).collect();
        let (head, tail) = edges(page, &at(&[0, 2]), &at(&[1, 2]), &often);
        let mut goes: BTreeSet<usize> = (0..before_text(page, 0, head, tail)).chain(tail..page.len()).collect();
        for (a, b) in runs(page, &at(&[2]), &|_, _| true) {
            if b - a >= least(self.n_pages) && head <= a && a < tail {
                goes.extend(a..before_text(page, a, b, tail));
            }
        }
        goes.retain(|rank| self.found.contains_key(&page[*rank]));
        let prose: BTreeSet<usize> = (0..page.len()).filter(|rank| page[*rank].is_prose()).collect();
        if prose.len() >= 3 && prose.is_subset(&goes) { &goes - &prose } else { goes }
    }
}

fn least(n_pages: usize) -> usize {
    if n_pages >= 8 { 4 } else { 6 }
}

fn same_text<'p>(pages: &[&'p Page]) -> Vec<Vec<&'p Page>> {
    let mut group_of: Vec<usize> = (0..pages.len()).collect();
    for one in 0..pages.len() {
        for other in 0..one {
            let (a, b) = (prose(pages[one]), prose(pages[other]));
            let (both, either) = ((&a & &b).len(), (&a | &b).len());
            if both >= 3 && 10 * both >= 9 * either {
                let (from, to) = (group_of[one].max(group_of[other]), group_of[one].min(group_of[other]));
                group_of.iter_mut().for_each(|group| *group = if *group == from { to } else { *group });
            }
        }
    }
    let group =
        |number: usize| (0..pages.len()).filter(|page| group_of[*page] == number).map(|page| pages[page]).collect();
    (0..pages.len()).map(group).filter(|group: &Vec<&Page>| !group.is_empty()).collect()
}

fn runs(page: &Page, wanted: &Keys, together: &dyn Fn(&Line, &Line) -> bool) -> Vec<(usize, usize)> {
    let is_in = |rank: usize| wanted.contains(&page[rank]) && !page[rank].is_code;
    let mut runs = Vec::new();
    let mut a = 0;
    while a < page.len() {
        let mut b = a;
        while b < page.len() && is_in(b) && (b == a || together(&page[b - 1], &page[b])) {
            b += 1;
        }
        if b > a {
            runs.push((a, b));
        }
        a = b.max(a + 1);
    }
    runs
}

fn edges(page: &Page, head: &Keys, tail: &Keys, often: &Keys) -> (usize, usize) {
    let backwards: Page = page.iter().rev().cloned().collect();
    (walk(page, head, often), page.len() - walk(&backwards, tail, often))
}

fn walk(page: &Page, wanted: &Keys, often: &Keys) -> usize {
    let mut end = 0;
    while end < page.len() {
        if wanted.contains(&page[end]) {
            end += 1;
            continue;
        }
        let gap: Vec<&Line> = page[end..].iter().take_while(|line| !wanted.contains(line)).collect();
        let after = page[end + gap.len()..].iter().take_while(|line| wanted.contains(line));
        let n_after = after.filter(|line| !often.contains(line)).count();
        if gap.len() > 3 || gap.iter().any(|line| line.weight > 60) || n_after < 4.max(gap.len() + 1) {
            break;
        }
        end += gap.len();
    }
    end
}

fn before_text(page: &Page, a: usize, mut b: usize, tail: usize) -> usize {
    if b < tail {
        while b > a && page[b - 1].weight > 60 {
            b -= 1;
        }
        if b > a && page[b - 1].is_label {
            b -= 1;
        }
    }
    b
}

/// Pages of which many have what other pages have, in an order that many have.
fn site() -> impl Strategy<Value = Vec<Vec<String>>> {
    let words = "the harbour at dawn and forty people on board of it, bound for the northern isles";
    let mut stock: Vec<String> =
        ["Acme »", "Home |", "News |", "Shop |", "Prices", "NAME", "Page 3", "Page 44", "x = 1;", "7", "a 1"]
            .map(str::to_owned)
            .to_vec();
    stock.extend((0..5).map(|number| format!("Line {} of {words}, as all say", ["a", "b", "c", "d", "e"][number])));
    stock.extend(["It left at dawn.", "It came back in spring.", "All of them were on board."].map(str::to_owned));
    stock.push("This line of the harbour is longer than sixty characters are »".into());
    stock.extend(
        (0..40).map(|number| format!("own {}", "abcdefghij".repeat(1 + number / 10)[number % 10..].to_owned())),
    );
    let menu: Vec<String> = stock[..4].to_vec();
    let foot: Vec<String> =
        vec!["Terms |".into(), "Share".into(), "© 2024 Acme".into(), "Top".into(), "Print |".into(), "Mail |".into()];
    let line = select(stock);
    let piece = prop_oneof![
        4 => prop::collection::vec(line, 1..5),
        3 => Just(menu),
        3 => Just(foot),
    ];
    let page = prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat());
    // Sites of few pages, of as many as blocks and kinds need, and of copies.
    (prop::collection::vec(page, 1..9), 1..4_usize).prop_map(|(pages, times)| {
        let copies = (0..times).flat_map(|time| {
            pages.iter().map(move |page| {
                let mut page = page.clone();
                if time > 0 {
                    page.insert(page.len() / 2, format!("{} of its own", "kiwi ".repeat(time)));
                }
                page
            })
        });
        copies.collect()
    })
}

fn jsonl(pages: &[Vec<String>]) -> String {
    let record = |page: &Vec<String>| serde_json::json!({ "site": "a.example", "text": page.join("\n") + "\n" });
    pages.iter().map(|page| record(page).to_string() + "\n").collect()
}

proptest! {
    #![proptest_config(tries(300))]

    #[test]
    fn templates_are_those_of_the_definition(pages in site()) {
        let texts: Vec<Page> = pages.iter().map(|page| page.iter().filter_map(|line| Line::of(line)).collect()).collect();
        let templates = learn(&texts);
        prop_assume!(templates.is_some());
        let Some(templates) = templates else { return Ok(()) };
        let mut learner = Learner::default();
        for page in &pages {
            let text = page.join("\n");
            learner.add(&Document { site: Some("a.example"), ..Document::new(&text) });
        }
        let learned = learner.finish();
        let mut own: Vec<(&str, usize)> =
            templates.found.iter().map(|(line, entry)| (line.masked.as_str(), entry.documents)).collect();
        own.sort_unstable();
        let mut others: Vec<(&str, usize)> = learned
            .iter()
            .flat_map(|site| &site.templates)
            .map(|template| (template.line.as_str(), template.documents as usize))
            .collect();
        others.sort_unstable();
        prop_assert_eq!(own, others);

        let folder = tempfile::tempdir()?;
        let (input, output) = (folder.path().join("in.jsonl"), folder.path().join("out.jsonl"));
        std::fs::write(&input, jsonl(&pages))?;
        let config = Config {
            output: Some(output.clone()),
            no_default_packs: true,
            scope: Scope::Off,
            score_threshold: Some(1.0),
            threads: Some(2),
            ..Config::default()
        };
        Run::new(&config, &())?.files(&[input])?;
        let left: Vec<Vec<String>> = pages
            .iter()
            .zip(&texts)
            .map(|(page, lines)| {
                let goes = templates.apply(lines);
                (0..page.len()).filter(|rank| !goes.contains(rank)).map(|rank| page[rank].clone()).collect()
            })
            .collect();
        let output = std::fs::read_to_string(&output)?;
        for (record, left) in output.lines().zip(&left) {
            let record: serde_json::Value = serde_json::from_str(record)?;
            let text: Vec<&str> = record["text"].as_str().unwrap_or_default().lines().collect();
            prop_assert_eq!(&text, left);
        }
    }

    #[test]
    fn merging_is_learning_from_both(pages in site(), sides in prop::collection::vec(0..3_u8, 40)) {
        let learners = |wanted: &dyn Fn(u8) -> bool| {
            let mut learner = Learner::default();
            for (page, side) in pages.iter().zip(&sides) {
                let text = page.join("\n");
                if wanted(*side) {
                    learner.add(&Document { site: Some(if text.len() % 7 == 0 { "b.example" } else { "a.example" }), ..Document::new(&text) });
                }
            }
            learner
        };
        // Pages of side 2 are on both.
        let (all, one, other) = (learners(&|_| true), learners(&|side| side != 0), learners(&|side| side != 1));
        let mut merged = other.clone();
        merged.merge(one.clone());
        prop_assert_eq!(merged.finish(), all.finish());
        prop_assert_eq!(merged.facts(), all.facts());
        let mut by_facts = one.clone();
        by_facts.merge_facts("one", &one.facts()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        by_facts.merge_facts("other", &other.facts()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(by_facts.facts(), all.facts());
        prop_assert_eq!(by_facts.finish_pack("x"), all.finish_pack("x"));
    }

    /// Nothing goes as a copy of what goes itself: of whatever goes as a repeat, one copy is left.
    #[test]
    fn one_copy_of_a_repeat_is_left(
        pages in site(),
        sites in prop::collection::vec(0..3_usize, 40),
        min_chars in select(&[1_usize, 6, 30][..]),
    ) {
        let records: Vec<serde_json::Value> = pages
            .iter()
            .zip(&sites)
            .map(|(page, site)| {
                let text = page.join("\n") + "\n";
                match site {
                    0 => serde_json::json!({ "text": text }),
                    site => serde_json::json!({ "site": format!("{site}.example"), "text": text }),
                }
            })
            .collect();
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("in.jsonl"), records.iter().map(|record| record.to_string() + "\n").collect::<String>())?;
        let config = Config {
            output: Some(path("out.jsonl")),
            journal: Some(path("journal")),
            no_default_packs: true,
            score_threshold: Some(1.0),
            min_chars,
            threads: Some(2),
            ..Config::default()
        };
        Run::new(&config, &())?.files(&[path("in.jsonl")])?;
        let mut left = BTreeSet::new();
        for record in std::fs::read_to_string(path("out.jsonl"))?.lines() {
            let record: serde_json::Value = serde_json::from_str(record)?;
            left.extend(record["text"].as_str().unwrap_or_default().lines().map(|line| folded(line.as_bytes())));
        }
        for cut in std::fs::read_to_string(path("journal"))?.lines() {
            let cut: serde_json::Value = serde_json::from_str(cut)?;
            if matches!(cut["reason"].as_str(), Some("repeat" | "copy")) {
                let text: String = serde_json::from_str(&format!("\"{}\"", cut["text"].as_str().unwrap_or_default()))?;
                prop_assert!(left.contains(&folded(text.trim_end().as_bytes())), "{}", cut);
            }
        }
    }
}
