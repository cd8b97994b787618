//! CSV and TSV: a row of fields on each line, the first of which names the columns. A field in quotes may hold delimiters,
//! newlines and doubled quotes. RFC 4180.

use super::{Escaping, Fields, Outcome, Parsed};
use crate::text::{Span, content};
use std::borrow::Cow;

/// How a file's rows are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    delimiter: u8,
    n_columns: usize,
    text: usize,
    id: Option<usize>,
    url: Option<usize>,
    site: Option<usize>,
}

/// A field of a row.
#[derive(Clone, Copy, Debug)]
struct Field {
    /// Without its quotes.
    inside: Span,
    is_quoted: bool,
}

impl Field {
    fn parsed<'r>(&self, row: &'r [u8]) -> Option<Cow<'r, str>> {
        let text = std::str::from_utf8(self.inside.of(row)).ok()?;
        let is_escaped = self.is_quoted && text.contains('"');
        Some(if is_escaped { text.replace("\"\"", "\"").into() } else { text.into() })
    }
}

impl Table {
    /// Reads the names of the columns from the bytes that a file starts with, which hold the first row. Without a delimiter,
    /// the first comma, semicolon, tab or bar outside quotes is one. Says what is wrong if no column has the text.
    pub(crate) fn of_header(start: &[u8], delimiter: Option<u8>, fields: &Fields) -> Result<Self, String> {
        let start = start.strip_prefix(super::BYTE_ORDER_MARK).unwrap_or(start);
        let delimiter = delimiter.unwrap_or_else(|| find_delimiter(start));
        let row = content(&start[..row_end(start, delimiter).unwrap_or(start.len())]);
        let names: Vec<Cow<'_, str>> =
            fields_of(row, delimiter).map(|field| field.parsed(row).unwrap_or_default()).collect();
        let column = |wanted: &str| names.iter().position(|name| name.trim() == wanted);
        // An empty file has no rows that could lack it.
        let Some(text) = column(&fields.text).or(start.is_empty().then_some(0)) else {
            let names = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "no column {:?} among {names}; name the column with the text with --text-field",
                fields.text
            ));
        };
        let (id, url, site) = (column(&fields.id), column(&fields.url), column(&fields.site));
        Ok(Table { delimiter, n_columns: names.len(), text, id, url, site })
    }

    /// Where the row that bytes start with ends, newline and all; nothing if it does not.
    pub(super) fn row_end(&self, bytes: &[u8]) -> Option<usize> {
        row_end(bytes, self.delimiter)
    }

    pub(super) fn parse<'r>(&self, record: &'r [u8], at_start: bool) -> Outcome<'r> {
        let row = content(record);
        // The first row is no document.
        if at_start || row.is_empty() {
            return Outcome::Blank;
        }
        let mut fields = [None; 4];
        let mut n_fields = 0;
        for (column, field) in fields_of(row, self.delimiter).enumerate() {
            n_fields = column + 1;
            for (slot, wanted) in fields.iter_mut().zip([Some(self.text), self.id, self.url, self.site]) {
                if wanted == Some(column) {
                    *slot = Some(field);
                }
            }
            if !is_closed(row, field) {
                return Outcome::Bad(format!("the quotes of field {n_fields} do not end as they should; mend the row"));
            }
        }
        let [Some(text), id, url, site] = fields else {
            let wanted = self.n_columns;
            return Outcome::Bad(format!("{n_fields} fields where the first row has {wanted}; mend the row"));
        };
        let parsed = |field: Option<Field>| field.and_then(|field| field.parsed(row)).filter(|text| !text.is_empty());
        Outcome::Document(Parsed {
            raw_text: text.inside,
            escaping: if text.is_quoted { Escaping::Quotes } else { Escaping::None },
            id: parsed(id),
            url: parsed(url),
            site: parsed(site),
        })
    }
}

/// Appends the text that the inside of a quoted field spells, and for each doubled quote where text and spelling go on.
pub(super) fn unescape(raw: &[u8], text: &mut Vec<u8>, escapes: &mut Vec<(usize, usize)>) {
    let mut at = 0;
    for quote in memchr::memchr_iter(b'"', raw) {
        if quote >= at {
            text.extend_from_slice(&raw[at..=quote]);
            at = (quote + 2).min(raw.len());
            escapes.push((text.len(), at));
        }
    }
    text.extend_from_slice(&raw[at..]);
}

fn find_delimiter(start: &[u8]) -> u8 {
    let mut is_quoted = false;
    for byte in start {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b',' | b';' | b'\t' | b'|' if !is_quoted => return *byte,
            b'\n' if !is_quoted => break,
            _ => {}
        }
    }
    b','
}

/// Where the field that bytes start with ends: before a delimiter, a newline or the end. Nothing if its quotes do not end.
fn field_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0;
    if bytes.first() == Some(&b'"') {
        at = 1;
        loop {
            at += memchr::memchr(b'"', &bytes[at..])? + 1;
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
    }
    Some(memchr::memchr2(delimiter, b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end))
}

fn row_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += field_end(&bytes[at..], delimiter)?;
        match bytes.get(at)? {
            b'\n' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn fields_of(row: &[u8], delimiter: u8) -> impl Iterator<Item = Field> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let end = field_end(&row[start..], delimiter).map_or(row.len(), |end| start + end);
        next = (end < row.len()).then_some(end + 1);
        let is_quoted = row.get(start) == Some(&b'"');
        let inside = if is_quoted && end > start + 1 { Span::new(start + 1, end - 1) } else { Span::new(start, end) };
        Some(Field { inside, is_quoted })
    })
}

/// Whether a field that begins with a quote ends with one, and nothing stands behind it.
fn is_closed(row: &[u8], field: Field) -> bool {
    let Field { inside, is_quoted } = field;
    if !is_quoted {
        return true;
    }
    let is_pair = |run: &[u8]| run.len().is_multiple_of(2);
    let mut quotes = inside.of(row);
    while let Some(at) = memchr::memchr(b'"', quotes) {
        let run = &quotes[at..];
        let run = &run[..run.iter().take_while(|byte| **byte == b'"').count()];
        if !is_pair(run) {
            return false;
        }
        quotes = &quotes[at + run.len()..];
    }
    inside.start > 0 && row.get(inside.start - 1) == Some(&b'"') && row.get(inside.end) == Some(&b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        Fields { text: "text".into(), id: "id".into(), url: "url".into(), site: "site".into() }
    }

    fn rows(bytes: &[u8], delimiter: u8) -> Vec<&[u8]> {
        let (mut rows, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let end = row_end(&bytes[at..], delimiter).map_or(bytes.len(), |end| at + end);
            rows.push(&bytes[at..end]);
            at = end;
        }
        rows
    }

    #[test]
    fn rows_end_at_newlines_outside_quotes() {
        let bytes = b"id,text\n1,\"a\nb, \"\"c\"\"\n\"\r\n2,d \"e\"\n\n3,\"\"\n4,\"open\n";
        let expected: [&[u8]; 6] =
            [b"id,text\n", b"1,\"a\nb, \"\"c\"\"\n\"\r\n", b"2,d \"e\"\n", b"\n", b"3,\"\"\n", b"4,\"open\n"];
        assert_eq!(rows(bytes, b','), expected);
    }

    #[test]
    fn the_text_is_found_with_its_spelling() {
        let table = Table::of_header(b"\xef\xbb\xbfurl;\"text\";id\n", None, &fields()).expect("it has a text");
        assert_eq!((table.delimiter, table.text, table.id, table.url, table.site), (b';', 1, Some(2), Some(0), None));
        let row = b"http://a.b/;\"one \"\"two\"\"\nthree\";7\r\n";
        let Outcome::Document(parsed) = table.parse(row, false) else { unreachable!("it is a document") };
        assert_eq!((parsed.id.as_deref(), parsed.url.as_deref()), (Some("7"), Some("http://a.b/")));
        let raw = parsed.raw_text.of(row);
        assert_eq!((raw, parsed.escaping), (&b"one \"\"two\"\"\nthree"[..], Escaping::Quotes));
        let (mut text, mut escapes) = (Vec::new(), Vec::new());
        unescape(raw, &mut text, &mut escapes);
        assert_eq!(text, b"one \"two\"\nthree");
        assert_eq!(escapes, [(5, 6), (9, 11)]);
        assert_eq!(table.parse(b"\r\n", false), Outcome::Blank);
    }

    #[test]
    fn bad_rows_say_why() {
        let table = Table::of_header(b"id\ttext\n", None, &fields()).expect("it has a text");
        for (row, what) in [
            (&b"1\n"[..], "1 fields where the first row has 2; mend the row"),
            (b"1\t\"open\n", "the quotes of field 2 do not end as they should; mend the row"),
            (b"1\t\"a\" b\n", "the quotes of field 2 do not end as they should; mend the row"),
            (b"1\t\"\n", "the quotes of field 2 do not end as they should; mend the row"),
            (b"1\t\"\"\"\n", "the quotes of field 2 do not end as they should; mend the row"),
        ] {
            assert_eq!(table.parse(row, false), Outcome::Bad(what.into()), "{}", row.escape_ascii());
        }
        assert!(matches!(table.parse(b"1\t\"\"\n", false), Outcome::Document(_)));
        let error = Table::of_header(b"a,b\n", None, &fields()).expect_err("it has no text");
        assert_eq!(error, "no column \"text\" among \"a\", \"b\"; name the column with the text with --text-field");
    }
}
