//! What is learned from besides the pages: the pages as they might have been.
//!
//! Some thousand pages do not show every way in which chrome and text stand beside each other. Learned from them alone, an
//! article with a line for an advertisement after each paragraph was taken for a menu. So trees also see pages with chrome between
//! their paragraphs, pages with more text, pages without what is above or below the text, and lists of beginnings of articles.
//! All their lines are lines of pages of one fold, whose labels are known.

use super::Random;
use super::documents::Labelled;
use crate::eval::Page;

/// A line of text that may be interrupted behind has so many bytes, and one that stands for an article in a list.
const LEAST_PROSE: usize = 60;
/// A line of chrome that may interrupt text has at most so many.
const MOST_INTERRUPTION: usize = 24;
/// So many lines of another page are taken at most.
const MOST_TAKEN: usize = 150;

/// Makes variants of a page: each kind of some pages. `others` are the pages of its fold.
pub(super) fn make<'p>(page: &'p Page, others: &[&'p Page], seed: u64) -> Vec<Vec<Labelled<'p>>> {
    let lines = Labelled::of(page);
    let prose: Vec<usize> = (0..lines.len()).filter(|idx| is_prose(&lines[*idx])).collect();
    let mut variants = Vec::new();
    let (Some(&first), Some(&last)) = (prose.first(), prose.last()) else { return variants };
    let (head, tail) = (&lines[..first], &lines[last + 1..]);
    let mut random = Random::of(page.id.as_bytes(), seed ^ 2);
    let random = &mut random;
    if prose.len() >= 3 {
        if random.below(10) < 4 {
            variants.push(interrupted(&lines, random));
        }
        if random.below(10) < 2 {
            let (start, end) = lines.split_at(prose[prose.len() / 2] + 1);
            let alike: Vec<&Page> = others.iter().copied().filter(|other| other.lang == page.lang).collect();
            variants.push([start, &gold_of_some(&alike, random), end].concat());
        }
    }
    if random.below(10) < 2 {
        variants.push(if random.below(2) == 0 { &lines[first..] } else { &lines[..=last] }.to_vec());
    }
    if random.below(10) < 1 {
        variants.push([head, &list(&interruption(&lines, random), others, random), tail].concat());
    }
    variants
}

fn is_prose(line: &Labelled<'_>) -> bool {
    !line.is_chrome && line.text.len() >= LEAST_PROSE
}

/// A short line or two of the page's chrome, if it has any.
fn interruption<'p>(lines: &[Labelled<'p>], random: &mut Random) -> Vec<Labelled<'p>> {
    let is_short = |line: &&Labelled<'_>| line.is_chrome && (1..=MOST_INTERRUPTION).contains(&line.text.trim().len());
    let short: Vec<Labelled<'p>> = lines.iter().filter(is_short).copied().collect();
    if short.is_empty() {
        return short;
    }
    let n_lines = [1, 1, 2][random.below(3)];
    (0..n_lines).map(|_| Labelled { counts: true, ..short[random.below(short.len())] }).collect()
}

/// The lines with the same interruption behind three to all of ten lines of prose.
fn interrupted<'p>(lines: &[Labelled<'p>], random: &mut Random) -> Vec<Labelled<'p>> {
    let interruption = interruption(lines, random);
    let of_ten = 3 + random.below(8);
    let mut variant = Vec::new();
    for line in lines {
        variant.push(*line);
        if is_prose(line) && random.below(10) < of_ten {
            variant.extend(&interruption);
        }
    }
    variant
}

fn gold_lines(page: &Page) -> impl Iterator<Item = &str> {
    page.gold.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// What should be left of two to seven pages, which there are.
fn gold_of_some<'p>(pages: &[&'p Page], random: &mut Random) -> Vec<Labelled<'p>> {
    let drawn: Vec<&'p Page> = (0..2 + random.below(6)).map(|_| pages[random.below(pages.len())]).collect();
    drawn.into_iter().flat_map(|page| gold_lines(page).take(MOST_TAKEN)).map(Labelled::gold).collect()
}

/// A list of articles of some pages: a title (the beginning of a line), a line, and the interruption.
fn list<'p>(interruption: &[Labelled<'p>], pages: &[&'p Page], random: &mut Random) -> Vec<Labelled<'p>> {
    let mut list = Vec::new();
    for _ in 0..6 + random.below(30) {
        let page = pages[random.below(pages.len())];
        let prose: Vec<&str> = gold_lines(page).filter(|line| line.len() >= LEAST_PROSE).collect();
        if prose.is_empty() {
            continue;
        }
        let title = prose[random.below(prose.len())];
        let end = title.match_indices(' ').map(|(at, _)| at).nth(3 + random.below(7)).unwrap_or(title.len());
        list.push(Labelled::gold(title[..end].trim_end_matches([',', '.', ';', ':'])));
        list.push(Labelled::gold(prose[random.below(prose.len())]));
        list.extend(interruption);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::eval::Gold;

    /// Pages with two lines of chrome above and below four lines of text, each said by its number.
    fn pages(n_pages: usize) -> Gold {
        let page = |number: usize| {
            let text = |line: usize| {
                format!("The mayor of town {number} said in speech {line} that it was a fine day for the harvest.")
            };
            let lines = ["Home", "Menu", &text(0), &text(1), &text(2), &text(3), "Share", "Terms"].join("\\n");
            format!("{{\"id\": \"p{number}\", \"text\": \"{lines}\", \"labels\": [0, 0, 1, 1, 1, 1, 0, 0]}}\n")
        };
        let records: String = (0..n_pages).map(page).collect();
        Gold::parse("gold.jsonl".as_ref(), records.as_bytes(), &Config::default()).expect("the pages are well formed")
    }

    fn variants_of_all(gold: &Gold, seed: u64) -> Vec<Vec<Labelled<'_>>> {
        let pages: Vec<&Page> = gold.pages().iter().collect();
        pages.iter().flat_map(|page| make(page, &pages, seed)).collect()
    }

    #[test]
    fn lines_keep_what_is_known_of_them() {
        let gold = pages(60);
        let variants = variants_of_all(&gold, 1);
        assert!(variants.len() > 20);
        for line in variants.concat() {
            assert_eq!(line.is_chrome, ["Home", "Menu", "Share", "Terms"].contains(&line.text), "{}", line.text);
            assert!(line.counts && (line.is_chrome || line.text.starts_with("The mayor of ")), "{}", line.text);
        }
        assert_eq!(variants, variants_of_all(&gold, 1));
        assert_ne!(variants, variants_of_all(&gold, 2));
    }

    #[test]
    fn every_kind_is_made() {
        let gold = pages(200);
        let variants = variants_of_all(&gold, 1);
        let n_text = |variant: &[Labelled<'_>]| variant.iter().filter(|line| !line.is_chrome).count();
        let is_inside = |variant: &[Labelled<'_>]| variant[2..variant.len() - 2].iter().any(|line| line.is_chrome);
        let n_of = |holds: &dyn Fn(&[Labelled<'_>]) -> bool| variants.iter().filter(|variant| holds(variant)).count();
        for (kind, n_variants) in [
            ("interrupted", n_of(&|variant| n_text(variant) == 4 && is_inside(variant))),
            ("lengthened", n_of(&|variant| n_text(variant) > 8 && !is_inside(variant))),
            ("without head", n_of(&|variant| variant.len() == 6 && !variant[0].is_chrome)),
            ("without tail", n_of(&|variant| variant.len() == 6 && variant[0].is_chrome)),
            ("list", n_of(&|variant| n_text(variant) > 8 && is_inside(variant))),
        ] {
            assert!(n_variants > 5, "{kind}: {n_variants} of {}", variants.len());
        }
    }

    #[test]
    fn nothing_is_made_of_pages_without_text() {
        let page = br#"{"id": "p", "text": "Home\nMenu\nShort.", "labels": [0, 0, 1]}"#;
        let gold = Gold::parse("gold.jsonl".as_ref(), page, &Config::default()).expect("the page is well formed");
        assert_eq!(variants_of_all(&gold, 1), Vec::<Vec<Labelled<'_>>>::new());
    }
}
