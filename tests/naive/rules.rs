//! Rules, by trying each pattern of each rule on each line, as `docs/packs.md` says.

use crate::packs::{document, pack};
use crate::page::{folded, lines, stays};
use crate::tries;
use dehusk::rules::{Match, Pack, Removal, Rule, Shape, Side};
use dehusk::text::{Span, Unit, blocks, fold_tracked};
use dehusk::{Cleaner, Config, Document, Reason, Scope, Scratch};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

const DECORATION: &str = "|*-+<>[](){}:/\\#=~_^•·»«›‹→←↑↓▶►▼▾▲△✕×✖✔★☆●○■□ ";

fn without_leading(text: &str) -> &str {
    text.trim_start_matches(|character| DECORATION.contains(character))
}

fn without_trailing(mut text: &str) -> &str {
    loop {
        let shorter = text.trim_end_matches(|character| DECORATION.contains(character));
        let shorter = shorter.strip_suffix("...").unwrap_or(shorter);
        if shorter == text {
            return text;
        }
        text = shorter;
    }
}

/// The label of the Markdown link, image or linked image that a line is; the line if it is none.
fn label(line: &str) -> &str {
    let is_target = |target: &str| {
        let address =
            target.strip_suffix('"').and_then(|titled| titled.split_once(" \"")).map_or(target, |(address, _)| address);
        !target.contains(['[', ']']) && !address.contains(char::is_whitespace)
    };
    let marks = [' ', '\t', '*', '_', '-', '+', '#', '>'];
    let link = line.trim_start_matches(marks).trim_end_matches(marks);
    let Some(inner) = link.strip_suffix(')') else { return line };
    let parts: Vec<&str> = inner.split("](").collect();
    let label = match parts[..] {
        [image, of_image, of_link]
            if of_image.ends_with(')') && [&of_image[..of_image.len() - 1], of_link].into_iter().all(is_target) =>
        {
            image.strip_prefix("[![")
        }
        [text, target] if is_target(target) && !text.starts_with("[![") => {
            text.strip_prefix("![").or(text.strip_prefix('['))
        }
        _ => None,
    };
    label.unwrap_or(line)
}

/// Where the core of a line is: what is left when decoration is cut from both ends.
fn core_of(line: &str) -> Span {
    let label = label(line);
    let start = label.as_ptr().addr() - line.as_ptr().addr() + label.len() - without_leading(label).len();
    Span::new(start, start + without_trailing(without_leading(label)).len())
}

fn as_text(line: &[u8]) -> String {
    String::from_utf8(folded(line)).expect("documents are text here")
}

/// Whether `text` is `pattern`, in which `#` stands for a run of digits.
fn is_line(text: &str, pattern: &str) -> bool {
    let Some((before, after)) = pattern.split_once('#') else {
        return text == pattern;
    };
    let Some(rest) = text.strip_prefix(before) else { return false };
    let run = digits(rest);
    run > 0 && is_line(&rest[run..], after)
}

/// How long the run of digits is that `text` starts with; `,` `.` and `:` may stand between two digits.
fn digits(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let goes_on = |at: &usize| {
        is_digit(*at) || (*at > 0 && b",.:".contains(&bytes[*at]) && is_digit(*at - 1) && is_digit(*at + 1))
    };
    (0..bytes.len()).take_while(goes_on).count()
}

/// Where `pattern` stands in `text` without a word reaching over its ends.
fn places(text: &str, pattern: &str) -> Vec<usize> {
    let in_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let splits = |at: usize| in_word(text[..at].chars().next_back()) && in_word(text[at..].chars().next());
    let starts = text.char_indices().map(|(at, _)| at).filter(|at| text[*at..].starts_with(pattern));
    starts.filter(|at| !splits(*at) && !splits(at + pattern.len())).collect()
}

/// Where the patterns of a rule match in a folded line, as spans of it.
fn matches(matching: &Match, line: &str) -> Vec<Span> {
    let Span { start, end } = core_of(line);
    let core = &line[start..end];
    let at = |place: usize, length: usize| Span::new(start + place, start + place + length);
    let mut spans = Vec::new();
    match matching {
        Match::Line(patterns) => {
            let is_pattern = |pattern: &&String| {
                // The sign for digits is no decoration.
                let pattern = as_text(pattern.replace('#', "\u{fdd0}").as_bytes());
                let span = core_of(&pattern);
                is_line(core, &pattern[span.start..span.end].replace('\u{fdd0}', "#"))
            };
            spans.extend(patterns.iter().filter(is_pattern).map(|_| at(0, core.len())));
        }
        Match::Prefix(patterns) => spans.extend(starts_with(core, patterns).map(|length| at(0, length))),
        Match::Suffix(patterns) => {
            for pattern in patterns {
                let pattern = as_text(pattern.as_bytes());
                let pattern = without_trailing(&pattern);
                let last = core.len().checked_sub(pattern.len());
                spans.extend(
                    last.filter(|last| places(core, pattern).contains(last)).map(|last| at(last, pattern.len())),
                );
            }
        }
        Match::Within(patterns) => {
            for pattern in patterns {
                let pattern = as_text(pattern.as_bytes());
                spans.extend(places(core, &pattern).into_iter().map(|place| at(place, pattern.len())));
            }
        }
        Match::Region { .. } | Match::Shape => {}
    }
    spans
}

/// How long the patterns are that `core` starts with.
fn starts_with(core: &str, patterns: &[String]) -> impl Iterator<Item = usize> {
    patterns.iter().filter_map(move |pattern| {
        let pattern = as_text(pattern.as_bytes());
        let pattern = without_leading(&pattern);
        places(core, pattern).contains(&0).then_some(pattern.len())
    })
}

fn has_shape(shape: Shape, line: &[u8], max_chars: usize) -> bool {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\n');
    let words: Vec<&str> = text.split_whitespace().collect();
    let ends_sentence = |word: &&str| word.trim_end_matches(['"', '\'', ')', '”', '’']).ends_with(['.', '!', '?', '…']);
    let is_loud =
        |word: &&str| word.chars().find(|first| first.is_alphanumeric()).is_none_or(|first| !first.is_lowercase());
    let has_shape = match shape {
        Shape::Label => (1..=6).contains(&words.len()) && !words.last().is_some_and(ends_sentence),
        // Nearly all: seven of eight.
        Shape::Topics => {
            let n_loud = words.iter().filter(|word| is_loud(word)).count();
            words.len() >= 8 && n_loud * 8 >= words.len() * 7 && !words.iter().any(ends_sentence)
        }
    };
    has_shape && text.chars().count() <= max_chars
}

/// A document as rules see it: its lines that are not blank.
struct Page<'p> {
    shown: Vec<&'p [u8]>,
    folded: Vec<String>,
    site: Option<&'p str>,
}

impl Page<'_> {
    /// The lines that a rule removes or takes words from, with those words; `others` is what the rules before it took.
    fn taken(&self, rule: &Rule, others: &BTreeMap<&str, BTreeSet<usize>>) -> BTreeMap<usize, Vec<Span>> {
        let is_under = |site: &str, wanted: &str| site == wanted || site.ends_with(&format!(".{wanted}"));
        if !rule.sites.is_empty()
            && !self.site.is_some_and(|site| rule.sites.iter().any(|wanted| is_under(site, wanted)))
        {
            return BTreeMap::new();
        }
        let n_shown = self.shown.len();
        let in_place = |rank: usize| match (rule.head, rule.tail) {
            (None, None) => true,
            (head, tail) => head.is_some_and(|head| rank < head) || tail.is_some_and(|tail| n_shown - rank <= tail),
        };
        let fits = |rank: usize| label(&self.folded[rank]).chars().count() <= rule.max_chars;
        if let Match::Region { start, end, max_lines } = &rule.matching {
            let has = |rank: usize, patterns: &[String]| {
                let core = core_of(&self.folded[rank]);
                let core = &self.folded[rank][core.start..core.end];
                fits(rank) && starts_with(core, patterns).next().is_some()
            };
            let mut taken = BTreeMap::new();
            let mut rank = 0;
            while rank < n_shown {
                let starts = if start.is_empty() { rank == 0 } else { has(rank, start) };
                let last =
                    if end.is_empty() { Some(n_shown - 1) } else { (rank..n_shown).find(|rank| has(*rank, end)) };
                let edge = if start.is_empty() { last } else { Some(rank) };
                match last.filter(|last| {
                    starts && max_lines.is_none_or(|most| last - rank < most) && edge.is_some_and(in_place)
                }) {
                    Some(last) => {
                        taken.extend((rank..=last).map(|rank| (rank, Vec::new())));
                        rank = last + 1;
                    }
                    None => rank += 1,
                }
            }
            return taken;
        }
        let has_company = |rank: usize| {
            rule.near.as_ref().is_none_or(|near| {
                let hits = || near.rules.iter().flat_map(|other| &others[other.as_str()]);
                let above = || hits().any(|hit| *hit < rank && rank - hit <= near.lines);
                let below = || hits().any(|hit| *hit > rank && hit - rank <= near.lines);
                match near.side {
                    Side::Above => above(),
                    Side::Below => below(),
                    Side::Either => above() || below(),
                    Side::Both => above() && below(),
                }
            })
        };
        let looks = |rank: usize| rule.shape.is_none_or(|shape| has_shape(shape, self.shown[rank], rule.max_chars));
        let holds = (0..n_shown).filter(|rank| in_place(*rank) && has_company(*rank) && looks(*rank));
        let is_shape = rule.matching == Match::Shape;
        let words = |rank: usize| {
            if is_shape || !fits(rank) { Vec::new() } else { matches(&rule.matching, &self.folded[rank]) }
        };
        holds.map(|rank| (rank, words(rank))).filter(|(_, words)| is_shape || !words.is_empty()).collect()
    }
}

/// What is left of a document, and the rules that removed whole lines, in order.
fn cleaned(pack: &Pack, text: &[u8], site: Option<&str>) -> (Vec<u8>, Vec<String>) {
    let lines = lines(text);
    let is_blank: Vec<bool> = lines.iter().map(|line| folded(line).is_empty()).collect();
    let ranks: Vec<usize> = (0..lines.len()).filter(|block| !is_blank[*block]).collect();
    let shown: Vec<&[u8]> = ranks.iter().map(|block| lines[*block]).collect();
    let page = Page { folded: shown.iter().map(|line| as_text(line)).collect(), shown, site };
    // Rules that lean on others wait for them.
    let mut taken: BTreeMap<&str, BTreeMap<usize, Vec<Span>>> = BTreeMap::new();
    let mut ranks_of: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    while taken.len() < pack.rules.len() {
        for rule in &pack.rules {
            if rule.near.iter().flat_map(|near| &near.rules).all(|other| ranks_of.contains_key(other.as_str())) {
                let own = page.taken(rule, &ranks_of);
                ranks_of.insert(&rule.id, own.keys().copied().collect());
                taken.insert(&rule.id, own);
            }
        }
    }
    let mut is_cut = vec![false; lines.len()];
    let mut reasons = Vec::new();
    let mut left: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
    for (rank, block) in ranks.into_iter().enumerate() {
        let of_rank = pack.rules.iter().filter_map(|rule| Some((rule, taken[rule.id.as_str()].get(&rank)?)));
        let (lines_go, words_go): (Vec<_>, Vec<_>) = of_rank.partition(|(rule, _)| rule.removal == Removal::Line);
        if let Some((rule, _)) = lines_go.first() {
            (is_cut[block], left[block]) = (true, Vec::new());
            reasons.push(format!("{}/{}", pack.name, rule.id));
        } else if !words_go.is_empty() {
            let words: Vec<Span> = words_go.iter().flat_map(|(_, words)| words.iter().copied()).collect();
            left[block] = without_words(lines[block], &words);
            is_cut[block] = left[block].is_empty();
        }
    }
    let stays = stays(&is_cut, &is_blank);
    let left = left.into_iter().zip(stays).filter(|(_, stays)| *stays).flat_map(|(line, _)| line).collect();
    (left, reasons)
}

/// A line without the words at some spans of its folded form; nothing if only decoration is left.
fn without_words(line: &[u8], words: &[Span]) -> Vec<u8> {
    let (mut folded, mut origins) = (Vec::new(), Vec::new());
    fold_tracked(line, &mut folded, &mut origins);
    let goes = |at: usize, spans: &[Span]| spans.iter().any(|span| (span.start..span.end).contains(&at));
    let rest: Vec<u8> = (0..folded.len()).filter(|at| !goes(*at, words)).map(|at| folded[at]).collect();
    if core_of(&String::from_utf8_lossy(&rest)).is_empty() {
        return Vec::new();
    }
    let spans: Vec<Span> =
        words.iter().map(|words| Span::new(origins[words.start].start, origins[words.end - 1].end)).collect();
    (0..line.len()).filter(|at| !goes(*at, &spans)).map(|at| line[at]).collect()
}

proptest! {
    #![proptest_config(tries(2000))]

    #[test]
    fn rules_remove_what_the_page_on_packs_says(
        source in pack(),
        documents in prop::collection::vec((document(), select(&[None, Some("a.com"), Some("x.a.com"), Some("ba.com")][..])), 1..6),
    ) {
        let pack = Pack::parse("t.toml", &source).map_err(|error| TestCaseError::reject(error.to_string()))?;
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), &source)?;
        let pack_file = file.path().display().to_string();
        let config = Config { no_default_packs: true, pack: vec![pack_file], scope: Scope::Off, ..Config::default() };
        let cleaner = Cleaner::new(&config)?;
        let mut scratch = Scratch::default();
        for (text, site) in &documents {
            let document = Document { text: text.as_bytes(), url: None, site: *site, id: None };
            let own = cleaner.clean(&document, &mut scratch)?;
            let (left, reasons) = cleaned(&pack, text.as_bytes(), *site);
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            prop_assert_eq!(shown(own.text()), shown(&left), "of {:?} with {}", text, source);
            let whole: Vec<Span> = blocks(text.as_bytes(), Unit::Line).collect();
            let by_rule = own.cuts().iter().filter_map(|cut| match cut.reason {
                Reason::Rule(rule) if whole.contains(&cut.span) => Some(cleaner.rules().id(rule).to_owned()),
                _ => None,
            });
            // Lines of which all words go are whole cuts too, by a rule that is no matter here.
            let mut by_rule = by_rule.peekable();
            for reason in &reasons {
                prop_assert!(by_rule.any(|rule| rule == *reason), "{} is no reason in {:?} with {}", reason, text, source);
            }
        }
    }
}
