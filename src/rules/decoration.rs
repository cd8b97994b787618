//! Decoration: the bullets, arrows, bars and brackets that pages put around their labels, and what Markdown makes a link with.

use crate::text::{Span, label_of};

/// The part of a folded block, or of the label of the link that it is, that is left when decoration is cut from both ends.
pub(crate) fn core_of(folded: &[u8]) -> Span {
    core_of_label(folded, label_of(folded))
}

/// The same, where the label is known already.
pub(crate) fn core_of_label(folded: &[u8], label: Span) -> Span {
    let start = label.end - without_leading(label.of(folded)).len();
    let end = start + without_trailing(&folded[start..label.end]).len();
    Span::new(start, end)
}

/// `folded` without the decoration at its start.
pub(crate) fn without_leading(mut folded: &[u8]) -> &[u8] {
    while let Some(length) = leading(folded) {
        folded = &folded[length..];
    }
    folded
}

/// `folded` without the decoration at its end.
pub(crate) fn without_trailing(mut folded: &[u8]) -> &[u8] {
    while let Some(length) = trailing(folded) {
        folded = &folded[..folded.len() - length];
    }
    folded
}

fn leading(folded: &[u8]) -> Option<usize> {
    match folded.first()? {
        byte if byte.is_ascii_alphanumeric() => None,
        byte if byte.is_ascii() => is_decoration(char::from(*byte)).then_some(1),
        _ => {
            let character = folded.utf8_chunks().next()?.valid().chars().next()?;
            is_decoration(character).then_some(character.len_utf8())
        }
    }
}

fn trailing(folded: &[u8]) -> Option<usize> {
    match folded.last()? {
        byte if byte.is_ascii_alphanumeric() => None,
        b'.' => folded.ends_with(b"...").then_some(3),
        b')' | b']' | b'}' if is_call(folded) => None,
        byte if byte.is_ascii() => is_decoration(char::from(*byte)).then_some(1),
        _ => {
            // A character has at most four bytes, and starts at the last byte that does not continue one.
            let start = folded.iter().rposition(|byte| byte & 0xc0 != 0x80)?;
            let character = std::str::from_utf8(&folded[start..]).ok()?.chars().next()?;
            is_decoration(character).then_some(character.len_utf8())
        }
    }
}

/// Whether a text ends in an empty pair of brackets at a word, as calls in program code do.
fn is_call(folded: &[u8]) -> bool {
    let before = [&b"()"[..], b"[]", b"{}"].iter().find_map(|pair| folded.strip_suffix(*pair));
    before.and_then(<[u8]>::last).is_some_and(|last| *last != b' ')
}

fn is_decoration(character: char) -> bool {
    matches!(
        character,
        ' ' | '|'
            | '*'
            | '-'
            | '+'
            | '<'
            | '>'
            | '['
            | ']'
            | '('
            | ')'
            | '{'
            | '}'
            | ':'
            | '/'
            | '\\'
            | '#'
            | '='
            | '~'
            | '_'
            | '^'
            | '•'
            | '·'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '→'
            | '←'
            | '↑'
            | '↓'
            | '▶'
            | '►'
            | '▼'
            | '▾'
            | '▲'
            | '△'
            | '✕'
            | '×'
            | '✖'
            | '✔'
            | '★'
            | '☆'
            | '●'
            | '○'
            | '■'
            | '□'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoration_goes_and_words_and_quotes_stay() {
        for (folded, core) in [
            ("read more", "read more"),
            ("» read more", "read more"),
            ("[ read more... ] →", "read more"),
            ("--- \"no.\" ---", "\"no.\""),
            ("* * *", ""),
            ("© 2024 us", "© 2024 us"),
            ("wait....", "wait."),
            ("close()", "close()"),
            ("cart ()", "cart"),
            ("menu (3)", "menu (3"),
            ("* [» menu (3)](/a_menu)", "menu (3"),
            ("* [](/a_menu)", ""),
            ("", ""),
        ] {
            assert_eq!(core_of(folded.as_bytes()).of(folded.as_bytes()), core.as_bytes(), "{folded}");
        }
    }
}
