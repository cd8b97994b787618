//! The texts that single steps are measured on, cut from the made-up corpus.

use crate::corpus::Corpus;
use dehusk::text::{Unit, blocks};

/// How much text a step goes through at a time: what fits the second-level cache, as a page does.
const BYTES: usize = 256 << 10;

/// Lines, each with its newline.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    /// Paragraphs of ASCII, without chrome.
    AsciiProse,
    /// Lines as they were scraped, long and short: 6 % of them are not all ASCII.
    Scraped,
    /// Short lines as they were scraped: chrome, headings, list items.
    ShortLines,
    /// The ASCII prose in Cyrillic letters.
    Cyrillic,
    /// The ASCII prose with two Chinese characters for each word, and no spaces.
    Chinese,
}

impl Text {
    /// Makes the text.
    pub(crate) fn make(self) -> String {
        match self {
            Text::AsciiProse => lines(|line| line.len() > 100 && line.is_ascii() && !line.contains("cookie")),
            Text::Scraped => lines(|_| true),
            Text::ShortLines => lines(|line| line.len() < 60),
            Text::Cyrillic => cyrillic(&Text::AsciiProse.make()),
            Text::Chinese => chinese(&Text::AsciiProse.make()),
        }
    }
}

/// The first lines of the corpus that pass.
fn lines(pass: impl Fn(&str) -> bool) -> String {
    let corpus = Corpus::new(1, u64::MAX);
    let mut text = String::new();
    for page in corpus.pages() {
        for line in page.text.lines().filter(|line| pass(line)) {
            text.push_str(line);
            text.push('\n');
        }
        if text.len() >= BYTES {
            break;
        }
    }
    text
}

fn cyrillic(text: &str) -> String {
    let shifted = |letter: char, from: char, to: u32| char::from_u32(to + u32::from(letter) - u32::from(from));
    let letters = text.chars().map(|letter| match letter {
        'a'..='z' => shifted(letter, 'a', 0x430).unwrap_or(letter),
        'A'..='Z' => shifted(letter, 'A', 0x410).unwrap_or(letter),
        _ => letter,
    });
    letters.collect()
}

fn chinese(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        for word in line.split(' ') {
            let hash = blake3::hash(word.as_bytes());
            for pair in hash.as_bytes().chunks(2).take(2) {
                let code = 0x4e00 + (u32::from(pair[0]) << 8 | u32::from(pair[1])) % 0x5000;
                out.extend(char::from_u32(code));
            }
            if word.ends_with([',', '.']) {
                out.push(if word.ends_with(',') { '，' } else { '。' });
            }
        }
        out.push('\n');
    }
    out
}

/// The lines of a text, each with its newline.
pub(crate) fn each_line(text: &str) -> impl Iterator<Item = &[u8]> {
    blocks(text.as_bytes(), Unit::Line).map(|span| span.of(text.as_bytes()))
}
