//! JSONL: a JSON object on each line, of which one string field is the text.

use super::object;
use super::{Escaping, Outcome, Parsed};
use crate::text::{Span, content, is_blank};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The names of the fields that dehusk reads. All others pass through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) text: String,
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) site: String,
}

pub(super) fn parse<'r>(record: &'r [u8], skipped: usize, fields: &Fields) -> Outcome<'r> {
    let json = content(&record[skipped..]);
    if is_blank(json) {
        return Outcome::Blank;
    }
    let found = match find_quickly(json, fields) {
        Some(found) => found,
        None => match find(json, fields) {
            Ok(found) => found,
            Err(error) => return Outcome::Bad(complaint(json, &error)),
        },
    };
    let Found { text, id, url, site } = found;
    let Some(text) = text else {
        return Outcome::Bad(format!("no field {:?}; name the field with the text with --text-field", fields.text));
    };
    let Some(spelling) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Outcome::Bad(format!(
            "field {:?} is no string; name the field with the text with --text-field",
            fields.text
        ));
    };
    // The borrowed value lies within the record, so that the difference of addresses is its offset.
    let start = spelling.as_ptr() as usize - record.as_ptr() as usize;
    Outcome::Document(Parsed {
        raw_text: Span::new(start, start + spelling.len()),
        escaping: Escaping::Json,
        // A number names a document as well as a string does.
        id: id.map(|id| as_string(id).unwrap_or(id.into())),
        url: url.and_then(as_string),
        site: site.and_then(as_string),
    })
}

/// What a parser said, as part of one line: where, and why.
fn complaint(json: &[u8], error: &serde_json::Error) -> String {
    let said = error.to_string();
    let reason = said.split(" at line ").next().unwrap_or(&said);
    let first = json.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        format!("not valid JSON at byte {}: {reason}; mend or remove the line", error.column())
    } else {
        "not a JSON object; mend or remove the line, or read the file with --format text".into()
    }
}

fn as_string(value: &str) -> Option<Cow<'_, str>> {
    let spelling = value.strip_prefix('"')?.strip_suffix('"')?;
    if spelling.contains('\\') { serde_json::from_str(value).ok().map(Cow::Owned) } else { Some(spelling.into()) }
}

/// The fields of an object that dehusk reads, as they are spelled, by a parser that knows all of JSON.
fn find<'r>(json: &'r [u8], fields: &Fields) -> serde_json::Result<Found<'r>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let found = deserializer.deserialize_map(Find { fields })?;
    deserializer.end().map(|()| found)
}

/// The same, by one that knows the usual and gives up on anything else.
fn find_quickly<'r>(json: &'r [u8], fields: &Fields) -> Option<Found<'r>> {
    let mut found = Found::default();
    object::walk(std::str::from_utf8(json).ok()?, |name, value| found.set(&Name::of(name, fields), value))?;
    Some(found)
}

/// Fields as they are spelled. Where a name stands twice the last one counts, as in most readers of JSON.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found<'r> {
    text: Option<&'r str>,
    id: Option<&'r str>,
    url: Option<&'r str>,
    site: Option<&'r str>,
}

impl<'r> Found<'r> {
    fn set(&mut self, name: &Name, value: &'r str) {
        match name {
            Name::Text => self.text = Some(value),
            Name::Id => self.id = Some(value),
            Name::Url => self.url = Some(value),
            Name::Site => self.site = Some(value),
            Name::Other => {}
        }
    }
}

struct Find<'f> {
    fields: &'f Fields,
}

impl<'r> Visitor<'r> for Find<'_> {
    type Value = Found<'r>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'r>>(self, mut map: M) -> Result<Found<'r>, M::Error> {
        let mut found = Found::default();
        while let Some(name) = map.next_key_seed(NameSeed { fields: self.fields })? {
            match name {
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
                name => found.set(&name, map.next_value::<&RawValue>()?.get()),
            }
        }
        Ok(found)
    }
}

enum Name {
    Text,
    Id,
    Url,
    Site,
    Other,
}

impl Name {
    fn of(name: &str, fields: &Fields) -> Name {
        if name == fields.text {
            Name::Text
        } else if name == fields.id {
            Name::Id
        } else if name == fields.url {
            Name::Url
        } else if name == fields.site {
            Name::Site
        } else {
            Name::Other
        }
    }
}

struct NameSeed<'f> {
    fields: &'f Fields,
}

impl<'r> DeserializeSeed<'r> for NameSeed<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'r>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(Name::of(name, self.fields))
    }
}

/// Appends the text that the inside of a valid JSON string spells, and for each escape where text and spelling go on. A
/// lone surrogate, which is no character, becomes the three bytes that its number would have in UTF-8.
pub(super) fn unescape(raw: &[u8], text: &mut Vec<u8>, escapes: &mut Vec<(usize, usize)>) {
    text.reserve(raw.len());
    let mut at = 0;
    for backslash in memchr::memchr_iter(b'\\', raw) {
        if backslash < at {
            // The second half of an escape that was read: a backslash, or a low surrogate.
            continue;
        }
        text.extend_from_slice(&raw[at..backslash]);
        let (length, plain) = match raw.get(backslash + 1) {
            Some(b'n') => (2, b'\n'),
            Some(b't') => (2, b'\t'),
            Some(b'r') => (2, b'\r'),
            Some(b'b') => (2, 8),
            Some(b'f') => (2, 12),
            Some(b'u') => (unescape_number(&raw[backslash..], text), 0),
            Some(&other) => (2, other),
            None => (1, b'\\'),
        };
        if length <= 2 {
            text.push(plain);
        }
        at = (backslash + length).min(raw.len());
        escapes.push((text.len(), at));
    }
    text.extend_from_slice(&raw[at..]);
}

/// Appends the character that `\uXXXX`, or a pair of them, spells, and says how many bytes spell it.
fn unescape_number(raw: &[u8], text: &mut Vec<u8>) -> usize {
    let first = code_unit(raw).unwrap_or(0xfffd);
    let pair = raw.get(6..).and_then(code_unit).filter(|second| is_high(first) && (0xdc00..0xe000).contains(second));
    let (code, length) = match pair {
        Some(second) => (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12),
        None => (first, 6),
    };
    match char::from_u32(code) {
        Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => text.extend([12, 6, 0].map(|shift| {
            let bits = u8::try_from(code >> shift & 0x3f).expect("six bits fit a byte");
            if shift == 12 { 0xe0 | bits } else { 0x80 | bits }
        })),
    }
    length
}

fn is_high(code: u32) -> bool {
    (0xd800..0xdc00).contains(&code)
}

fn code_unit(raw: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(raw.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Layout, Spelled};
    use proptest::prelude::*;

    fn fields() -> Fields {
        Fields { text: "text".into(), id: "id".into(), url: "url".into(), site: "site".into() }
    }

    #[test]
    fn text_is_found_and_way_back_leads_to_its_spelling() {
        let record =
            br#" {"a":{"text":"x"},"url":"http:\/\/a.b","text":"one\ntw\u00e9\ud83d\ude00\\n\ud800z","n":1.50} "#;
        let outcome = Layout::Jsonl(fields()).parse(record, true);
        let Outcome::Document(parsed) = outcome else { unreachable!("{outcome:?}") };
        assert_eq!(parsed.url.as_deref(), Some("http://a.b"));
        let raw = parsed.raw_text.of(record);
        let mut spelled = Spelled::default();
        let (text, mut spelling) = spelled.read(raw, Escaping::Json);
        assert_eq!(text, b"one\ntw\xc3\xa9\xf0\x9f\x98\x80\\n\xed\xa0\x80z");
        for (offset, rest) in [
            (0, "one"),
            (3, r"\ntw"),
            (4, "tw"),
            (6, r"\u00e9"),
            (8, r"\ud83d"),
            (12, r"\\n"),
            (13, "n"),
            (14, r"\ud800z"),
            (17, "z"),
            (18, ""),
        ] {
            assert!(raw[spelling.raw_offset(offset)..].starts_with(rest.as_bytes()), "{offset}");
        }
        assert_eq!(spelling.raw_offset(18), raw.len());
    }

    proptest! {
        #[test]
        fn quickly_or_not_the_same_is_found(json in object_like()) {
            let slowly = find(json.as_bytes(), &fields()).ok();
            let quickly = find_quickly(json.as_bytes(), &fields());
            prop_assert!(quickly.is_none() || quickly == slowly, "{json}");
        }
    }

    /// Objects, nearly objects, and rubbish.
    fn object_like() -> impl Strategy<Value = String> {
        let string = prop::sample::select(vec![
            r#""text""#,
            r#""id""#,
            r#""\\""#,
            r#""a\"b""#,
            r#""\u00e9\ud800""#,
            r#""\u12""#,
            r#""\x""#,
            "\"\u{1}\"",
            "\"t\u{e9}\"",
            r#""te\u0078t""#,
            "\"",
            r#""open"#,
            r#""url""#,
        ]);
        let other = prop::sample::select(vec![
            "1",
            "-1.5e3",
            "01",
            "tru",
            "true",
            "null",
            "[]",
            "[1,",
            r#"{"a":{"text":"x"}}"#,
            "{}",
            "}",
            "nul l",
        ]);
        let value = prop_oneof![3 => string.clone(), 1 => other];
        let space = prop::sample::select(vec!["", "", " ", "\t", "\r ", "\u{a0}"]);
        let pair =
            (string, space.clone(), prop::sample::select(vec![":", ":", ":", ",", ""]), space.clone(), value, space)
                .prop_map(|(name, a, colon, b, value, c)| format!("{c}{name}{a}{colon}{b}{value}{a}"));
        let separator = prop::sample::select(vec![",", ",", ",", ",,", ""]);
        (
            prop::collection::vec(pair, 0..4),
            separator,
            prop::sample::select(vec!["{", "{", "{", "", "[", " {"]),
            prop::sample::select(vec!["}", "}", "}", "", "}}", "} ", "},"]),
        )
            .prop_map(|(pairs, separator, open, close)| format!("{open}{}{close}", pairs.join(separator)))
    }

    #[test]
    fn what_is_usual_is_found_quickly() {
        for json in [
            r#"{"url":"http:\/\/a.b","text":"one\ntw\u00e9\\n","n":1.50}"#,
            r#" { "id" : 7 , "text" : "a\"b" , "meta" : { "tags" : [ "x", null ] } , "ok" : true } "#,
            "{}",
        ] {
            let quickly = find_quickly(json.as_bytes(), &fields());
            assert!(quickly.is_some(), "{json}");
            assert_eq!(quickly, find(json.as_bytes(), &fields()).ok());
        }
    }

    #[test]
    fn bad_records_say_why() {
        for (record, what) in [
            ("{\"text\": \"a", "not valid JSON at byte 11: EOF while parsing a string; mend or remove the line"),
            ("{\"text\": \"a\"} x", "not valid JSON at byte 15: trailing characters; mend or remove the line"),
            ("[1]", "not a JSON object; mend or remove the line, or read the file with --format text"),
            ("{\"body\": \"a\"}", "no field \"text\"; name the field with the text with --text-field"),
            ("{\"text\": null}", "field \"text\" is no string; name the field with the text with --text-field"),
        ] {
            assert_eq!(Layout::Jsonl(fields()).parse(record.as_bytes(), false), Outcome::Bad(what.into()), "{record}");
        }
        assert_eq!(Layout::Jsonl(fields()).parse(b" \r\n", false), Outcome::Blank);
    }
}
