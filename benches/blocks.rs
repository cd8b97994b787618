//! Cutting a text into blocks.

use crate::texts::Text;
use dehusk::text::{self, Unit};
use divan::Bencher;
use divan::counter::BytesCount;

#[divan::bench(args = [Text::AsciiProse, Text::Scraped, Text::ShortLines])]
fn line(bencher: Bencher<'_, '_>, text: Text) {
    let text = text.make();
    measure(bencher, &text, Unit::Line, text.lines().count());
}

#[divan::bench(args = [Text::AsciiProse, Text::Scraped, Text::ShortLines])]
fn paragraph(bencher: Bencher<'_, '_>, text: Text) {
    let text = text.make();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let paragraphs: Vec<String> = lines.chunks(3).map(|three| three.join("\n") + "\n").collect();
    // A blank line is a block of its own.
    measure(bencher, &paragraphs.join("\n"), Unit::Paragraph, 2 * paragraphs.len() - 1);
}

fn measure(bencher: Bencher<'_, '_>, text: &str, unit: Unit, n_expected: usize) {
    let text = text.as_bytes();
    let mut end = 0;
    for span in text::blocks(text, unit) {
        assert_eq!(span.start, end, "blocks cover the text without a gap");
        end = span.end;
    }
    assert_eq!(end, text.len(), "blocks cover the text");
    assert_eq!(text::blocks(text, unit).count(), n_expected);
    bencher
        .counter(BytesCount::of_slice(text))
        .bench_local(|| text::blocks(text, unit).map(|span| span.len() & 1).sum::<usize>());
}
