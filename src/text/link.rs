//! Markdown links that a line consists of: scrapers that write Markdown turn each entry of a menu into one.

use super::Span;

/// The label of the Markdown link, image or linked image that a line is; the whole line if it is none.
///
/// ```text
/// * [Skip to content](#main)       Skip to content
/// [![Home](logo.png)](/)           Home
/// See [the list](list.html).       See [the list](list.html).
/// ```
/// Marks of lists and headings may stand before it, and marks of emphasis on both sides; they are no part of the label.
pub(crate) fn label_of(line: &[u8]) -> Span {
    let whole = Span::new(0, line.len());
    // Nearly all lines end otherwise.
    let end = line.iter().rposition(|byte| !is_mark(*byte)).map_or(0, |last| last + 1);
    let Some(link) = line[..end].strip_suffix(b")") else { return whole };
    let Some(start) = link.iter().position(|byte| !is_mark(*byte)) else { return whole };
    let (opening, is_linked_image) = match &link[start..] {
        [b'[', b'!', b'[', ..] => (3, true),
        [b'!', b'[', ..] => (2, false),
        [b'[', ..] => (1, false),
        _ => return whole,
    };
    let label = start + opening;
    let Some(length) = memchr::memmem::find(&link[label..], b"](") else { return whole };
    let target = &link[label + length + 2..];
    let is_one = if is_linked_image {
        let ends_image = memchr::memmem::find(target, b")](");
        ends_image.is_some_and(|at| is_target(&target[..at]) && is_target(&target[at + 3..]))
    } else {
        is_target(target)
    };
    if is_one { Span::new(label, label + length) } else { whole }
}

/// White space, and what stands for lists, headings, quotes and emphasis.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'*' | b'_' | b'-' | b'+' | b'#' | b'>')
}

/// Whether it is one target, perhaps with a title in quotes, and not the rest of another link or of a sentence.
fn is_target(target: &[u8]) -> bool {
    let address = match memchr::memmem::find(target, b" \"") {
        Some(title) if target.ends_with(b"\"") => &target[..title],
        _ => target,
    };
    !target.iter().any(|byte| matches!(byte, b'[' | b']')) && !address.iter().any(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_a_link_has_a_label() {
        for (line, label) in [
            ("[Home](/)", "Home"),
            ("* [Skip to content](#main)\n", "Skip to content"),
            ("  -  **[Sign in](https://a.example/in?x=1&y=(2))**", "Sign in"),
            ("### [News](/news \"All the news\")", "News"),
            ("![A ship](ship.png)", "A ship"),
            ("[![Home](logo.png)](/)", "Home"),
            ("[![](logo.png)](/)", ""),
            ("[](/)", ""),
            ("[a](<b>)", "a"),
        ] {
            assert_eq!(label_of(line.as_bytes()).of(line.as_bytes()), label.as_bytes(), "{line}");
        }
    }

    #[test]
    fn any_other_line_is_left_as_it_is() {
        for line in [
            "",
            ")",
            "* ",
            "[Home]",
            "[Home](",
            "Home (1)",
            "[1] Smith (1990)",
            "[Home](/) | [News](/news)",
            "[Home](/) and (more)",
            "[![Home](logo.png) News](/)",
            "[![Home](logo.png)](/) [News](/)",
            "See [the list](list.html)",
            "f[0](x, y)",
            "[f](a b)",
            "[(1, 2)](x [y])",
            "[a](b](c)",
        ] {
            assert_eq!(label_of(line.as_bytes()).of(line.as_bytes()), line.as_bytes(), "{line}");
        }
    }
}
