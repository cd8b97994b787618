//! The fields of a JSON object, found at the speed of a search for quotes.
//!
//! It knows objects whose names are spelled without escapes; values that are no strings it leaves to the library. On anything
//! else it gives up, and so it does on what is no JSON: then the library says what is wrong.

use serde_json::Deserializer;
use serde_json::value::RawValue;

/// Tells the name and the spelling of each field. Gives nothing if it gives up, which may be after some fields.
pub(super) fn walk<'j>(json: &'j str, mut tell: impl FnMut(&'j str, &'j str)) -> Option<()> {
    let bytes = json.as_bytes();
    let mut at = skip(bytes, 0, b'{')?;
    if bytes.get(at) == Some(&b'}') {
        return ends(bytes, at + 1);
    }
    loop {
        let name_end = string_end(bytes, at)?;
        let name = &json[at + 1..name_end - 1];
        if name.contains('\\') {
            return None;
        }
        let start = skip(bytes, name_end, b':')?;
        let end = value_end(json, start)?;
        tell(name, &json[start..end]);
        let next = skip_space(bytes, end);
        match bytes.get(next)? {
            b',' => at = skip_space(bytes, next + 1),
            b'}' => return ends(bytes, next + 1),
            _ => return None,
        }
    }
}

/// Where the next word starts, behind a certain byte that has to come first.
fn skip(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = skip_space(bytes, at);
    (bytes.get(at) == Some(&byte)).then(|| skip_space(bytes, at + 1))
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    let n_spaces = bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    at + n_spaces
}

/// Whether nothing but space is left.
fn ends(bytes: &[u8], at: usize) -> Option<()> {
    (skip_space(bytes, at) == bytes.len()).then_some(())
}

fn value_end(json: &str, at: usize) -> Option<usize> {
    if json.as_bytes().get(at) == Some(&b'"') {
        return string_end(json.as_bytes(), at);
    }
    let value = Deserializer::from_str(&json[at..]).into_iter::<&RawValue>().next()?.ok()?;
    Some(at + value.get().len())
}

/// Where the string ends that starts at `at`, behind its quote.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let inside = bytes.get(at..)?.strip_prefix(b"\"")?;
    let mut length = 0;
    loop {
        length += memchr::memchr2(b'"', b'\\', &inside[length..])?;
        match inside[length..] {
            [b'"', ..] => break,
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => length += 2,
            [b'\\', b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) => length += 6,
            _ => return None,
        }
    }
    // To the end in any case, which is vector code.
    let has_control = inside[..length].iter().fold(false, |has_control, byte| has_control | (*byte < b' '));
    (!has_control).then_some(at + 1 + length + 1)
}
