//! Whether a text is hard-wrapped: its paragraphs are broken into lines of one width.

use super::{Span, content};

/// A line of a hard-wrapped text has at most so many bytes.
const WIDEST: usize = 120;
/// Lines with fewer bytes say nothing of a width.
const NARROWEST: usize = 40;
/// A text with fewer lines that could be full is not hard-wrapped.
const LEAST_LINES: usize = 20;
/// A line is full if the next word, and so many bytes more, would not have fitted.
const SLACK: usize = 6;

/// Whether a text is hard-wrapped, given its lines as `blocks`, of which those in `shown` are not blank.
///
/// Books, mail and standards are: nearly all lines fit one width, and most that go on in the next one are full, which is to
/// say that the next line's first word had no room. On pages of the web a line is a paragraph, a heading or an entry, of any
/// length. Costs a look at the ends of some lines, and next to nothing where lines are long.
pub(crate) fn is_hard_wrapped(text: &[u8], blocks: &[Span], shown: &[u32]) -> bool {
    if shown.len() < LEAST_LINES {
        return false;
    }
    let bytes = |block: u32| content(blocks[block as usize].of(text)).trim_ascii_end();
    let n_wide = shown.iter().filter(|block| blocks[**block as usize].len() > WIDEST).count();
    if n_wide * 50 > shown.len() {
        return false;
    }
    // The width is that of the widest lines, a few aside.
    let mut lengths = [0_usize; WIDEST + 1];
    for &block in shown {
        lengths[bytes(block).len().min(WIDEST)] += 1;
    }
    let mut n_wider = 0;
    let width = (0..=WIDEST).rev().find(|length| {
        n_wider += lengths[*length];
        n_wider * 50 > shown.len()
    });
    let width = width.unwrap_or(0);
    let (mut n_lines, mut n_full) = (0, 0);
    for pair in shown.windows(2) {
        let goes_on = pair[1] == pair[0] + 1;
        let (line, next) = (bytes(pair[0]), bytes(pair[1]).trim_ascii_start());
        if goes_on && line.len() >= NARROWEST {
            let word = next.iter().position(|byte| *byte == b' ').unwrap_or(next.len());
            n_lines += 1;
            n_full += usize::from(line.len() + 1 + word + SLACK > width);
        }
    }
    n_lines >= LEAST_LINES && n_full * 10 >= n_lines * 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Unit, blocks, is_blank};

    fn is_wrapped(text: &str) -> bool {
        let spans: Vec<Span> = blocks(text.as_bytes(), Unit::Line).collect();
        let is_shown = |span: &Span| !is_blank(span.of(text.as_bytes()));
        let shown: Vec<u32> = (0..).zip(&spans).filter(|(_, span)| is_shown(span)).map(|(block, _)| block).collect();
        is_hard_wrapped(text.as_bytes(), &spans, &shown)
    }

    /// Paragraphs of made-up words, in lines of at most so many bytes.
    fn paragraphs(n_paragraphs: usize, width: usize) -> String {
        let words = ["the", "harbour", "was", "quiet", "and", "a", "lanternmaker", "sang", "of", "distant", "isles"];
        let mut text = String::new();
        for paragraph in 0..n_paragraphs {
            let mut length = 0;
            for word in 0..90 {
                let word = words[(word * 7 + paragraph * 5 + word / 3) % words.len()];
                if length + 1 + word.len() > width {
                    text.push('\n');
                    length = 0;
                } else if length > 0 {
                    text.push(' ');
                    length += 1;
                }
                text.push_str(word);
                length += word.len();
            }
            text.push_str("\n\n");
        }
        text
    }

    #[test]
    fn lines_of_one_width_are_wrapped() {
        for width in [60, 72, 80] {
            assert!(is_wrapped(&paragraphs(12, width)), "{width}");
            let indented = paragraphs(12, width).replace('\n', "\n   ");
            assert!(is_wrapped(&indented), "{width}, indented");
        }
    }

    #[test]
    fn lines_of_any_length_are_not() {
        assert!(!is_wrapped(""));
        assert!(!is_wrapped("One line.\n"));
        // A line is a paragraph.
        assert!(!is_wrapped(&paragraphs(60, 100_000)));
        // Entries of a list, of many lengths.
        let list: Vec<String> =
            (0..60).map(|entry| format!("{entry} {}", "an entry ".repeat(3 + entry * 7 % 9))).collect();
        assert!(!is_wrapped(&list.join("\n")));
        // Too few to tell.
        assert!(!is_wrapped(&paragraphs(1, 72)));
    }
}
