//! What is learned from besides the pages: documents without chrome, made from the texts of the pages.
//!
//! Pages alone teach that every document has chrome. Text that came from no page (an article as it was extracted, a book, a
//! poem, a log, a table, program code) has none, whatever its lines look like.

use super::Random;
use crate::eval::Page;

/// A line with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Labelled<'l> {
    pub(super) text: &'l str,
    pub(super) is_chrome: bool,
    /// Whether it is learned from.
    pub(super) counts: bool,
}

impl<'l> Labelled<'l> {
    /// The lines of a page.
    pub(super) fn of(page: &'l Page) -> Vec<Self> {
        let labels = page.is_gold.iter().zip(&page.is_ignored);
        let lines = page.text.split('\n').zip(labels);
        lines.map(|(text, (is_gold, is_ignored))| Labelled { text, is_chrome: !is_gold, counts: !is_ignored }).collect()
    }

    /// A line that stays.
    pub(super) fn gold(text: &'l str) -> Self {
        Labelled { text, is_chrome: false, counts: true }
    }
}

/// Lines of which all should stay.
#[derive(Debug)]
pub(super) struct MadeUp {
    pub(super) lines: Vec<String>,
}

/// Makes documents from the gold text of a page, each kind from some of the pages.
pub(super) fn make(page: &Page, seed: u64) -> Vec<MadeUp> {
    let gold: Vec<&str> = page.gold.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let words: Vec<&str> = page.gold.split_whitespace().collect();
    let mut random = Random::of(page.id.as_bytes(), seed);
    let mut documents = Vec::new();
    if gold.is_empty() {
        return documents;
    }
    let mut push = |lines: Vec<String>| documents.push(MadeUp { lines });
    let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    match random.below(20) {
        0..7 => push(own(&gold)),
        7..10 => {
            let n_lines = 1 + random.below(8);
            let start = random.below(gold.len().saturating_sub(n_lines) + 1);
            push(own(&gold[start..(start + n_lines).min(gold.len())]));
        }
        _ => {}
    }
    if words.len() >= 200 {
        match random.below(40) {
            0..3 => push(wrapped(&gold, [60, 66, 72, 76, 79][random.below(5)], "")),
            3..5 => push(verse(&words, &mut random)),
            5 => push(manual(&gold, &mut random)),
            6 => push(log(&words, &mut random)),
            7 => push(table(&words, &mut random)),
            8..10 => push(code(&words, &mut random)),
            10 => push(settings(&words, &mut random)),
            11 => push(dialogue(&words, &mut random)),
            _ => {}
        }
    }
    documents
}

/// At most so many lines.
const MOST_LINES: usize = 300;

/// Paragraphs as lines of a width.
fn wrapped(paragraphs: &[&str], width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in paragraphs {
        let mut line = indent.to_owned();
        for word in paragraph.split_whitespace() {
            if line.len() > indent.len() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
            }
            if line.len() > indent.len() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.truncate(MOST_LINES);
    lines
}

fn verse(words: &[&str], random: &mut Random) -> Vec<String> {
    let mut rest = words;
    let mut lines = Vec::new();
    while !rest.is_empty() && lines.len() < MOST_LINES {
        let (line, after) = rest.split_at((4 + random.below(6)).min(rest.len()));
        lines.push(line.join(" "));
        rest = after;
    }
    lines
}

fn manual(paragraphs: &[&str], random: &mut Random) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, paragraph) in paragraphs.iter().enumerate() {
        if number % 3 == 0 {
            let heading: Vec<&str> = paragraph.split_whitespace().take(1 + random.below(2)).collect();
            lines.push(heading.join(" ").to_uppercase());
        }
        if random.below(3) == 0 {
            let option = paragraph.split_whitespace().next().unwrap_or("x").to_lowercase();
            lines.push(format!("       -{}, --{option}=VALUE", option.chars().next().unwrap_or('x')));
        }
        lines.extend(wrapped(&[paragraph], 72, "       "));
    }
    lines.truncate(MOST_LINES);
    lines
}

fn log(words: &[&str], random: &mut Random) -> Vec<String> {
    let n_lines = 30 + random.below(150);
    let mut seconds = random.below(86_400);
    (0..n_lines)
        .map(|_| {
            seconds += random.below(40);
            let level = ["INFO", "DEBUG", "WARN", "ERROR"][random.below(4)];
            let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
            let said = some(words, 3 + random.below(9), random).join(" ");
            format!(
                "2024-03-{:02} {hour:02}:{minute:02}:{second:02} {level} [worker-{}] {said}",
                1 + seconds / 86_400 % 28,
                random.below(9)
            )
        })
        .collect()
}

fn table(words: &[&str], random: &mut Random) -> Vec<String> {
    let n_columns = 3 + random.below(5);
    let separator = [",", "\t", " | ", ";"][random.below(4)];
    let n_lines = 20 + random.below(200);
    (0..n_lines)
        .map(|line| {
            let cells: Vec<String> = (0..n_columns)
                .map(|column| {
                    if line > 0 && column % 2 == 1 {
                        random.below(100_000).to_string()
                    } else {
                        some(words, 1, random).join(" ")
                    }
                })
                .collect();
            cells.join(separator)
        })
        .collect()
}

fn code(words: &[&str], random: &mut Random) -> Vec<String> {
    let mut lines = Vec::new();
    let n_functions = 4 + random.below(20);
    let is_braced = random.below(2) == 0;
    let name = |random: &mut Random| {
        let letters = |word: &&str| word.chars().filter(|letter| letter.is_ascii_alphabetic()).collect::<String>();
        let parts: Vec<String> = some(words, 1 + random.below(2), random).iter().map(letters).collect();
        format!("x{}", parts.join("_").to_lowercase())
    };
    for _ in 0..n_functions {
        let (function, argument) = (name(random), name(random));
        if random.below(2) == 0 {
            let mark = if is_braced { "//" } else { "#" };
            lines.push(format!("{mark} {}", some(words, 4 + random.below(8), random).join(" ")));
        }
        lines.push(if is_braced {
            format!("int {function}(int {argument}) {{")
        } else {
            format!("def {function}({argument}):")
        });
        for _ in 0..2 + random.below(8) {
            let (left, right) = (name(random), name(random));
            let end = if is_braced { ";" } else { "" };
            lines.push(match random.below(5) {
                0 => format!("    return {left}{end}"),
                1 => format!("    {left} = {right}[{}]{end}", random.below(100)),
                2 => format!("    {left}.{right}({argument}, \"{}\"){end}", some(words, 2, random).join(" ")),
                3 if is_braced => format!("    if ({left} != {right}) {{ {argument} += 1; }}"),
                3 => format!("    if {left} != {right}: {argument} += 1"),
                _ => format!("    {left} = {right} + {argument}{end}"),
            });
        }
        if is_braced {
            lines.push("}".to_owned());
        }
    }
    lines
}

fn settings(words: &[&str], random: &mut Random) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..5 + random.below(15) {
        lines.push(format!("[{}]", some(words, 1, random).join("")));
        for _ in 0..2 + random.below(6) {
            let key = some(words, 2, random).join("-").to_lowercase();
            lines.push(format!("{key} = {}", random.below(5000)));
        }
    }
    lines
}

fn dialogue(words: &[&str], random: &mut Random) -> Vec<String> {
    let n_lines = 20 + random.below(100);
    let line = |random: &mut Random| {
        let said = some(words, 1 + random.below(10), random).join(" ");
        let said = said.trim_end_matches(['.', ',', '!', '?', ':', ';']);
        format!("\u{201c}{said}{}\u{201d}", [".", "?", "!", ","][random.below(4)])
    };
    (0..n_lines).map(|_| line(random)).collect()
}

/// So many words in a row, from anywhere.
fn some<'w>(words: &[&'w str], n_words: usize, random: &mut Random) -> Vec<&'w str> {
    let start = random.below(words.len().saturating_sub(n_words) + 1);
    words[start..(start + n_words).min(words.len())].to_vec()
}
