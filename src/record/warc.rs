//! WARC, of which WET is the kind that holds text: records of a header and a content whose length the header says.
//!
//! ```text
//! WARC/1.0 \r\n  Name: value \r\n  ...  \r\n  content (Content-Length bytes)  \r\n\r\n
//! ```
//! Of `conversion` records, whose content is text, the content is cleaned, and what the header says of it is amended: its
//! length and its digests. All other records stay as they are. ISO 28500.

use super::{Amendment, Outcome, Parsed};
use crate::text::Span;
use data_encoding::{BASE32, HEXLOWER};
use memchr::memmem;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::borrow::Cow;

/// What a record starts with.
pub(crate) const MAGIC: &[u8] = b"WARC/";

/// The header of a record.
struct Head<'r> {
    record: &'r [u8],
    /// The lines of its fields.
    fields: Span,
    /// The content, as the header says.
    content_start: usize,
    length: usize,
}

impl<'r> Head<'r> {
    /// Reads the header that bytes start with, behind newlines that may be left of the record before. Nothing if it does
    /// not end, or says no length.
    fn parse(record: &'r [u8]) -> Option<Self> {
        let start = n_newlines(record);
        let head = &record[start..];
        if !head.starts_with(MAGIC) {
            return None;
        }
        let first_line = memchr::memchr(b'\n', head)? + 1;
        let (end, gap) = match (memmem::find(head, b"\r\n\r\n"), memmem::find(head, b"\n\n")) {
            (Some(end), Some(other)) if other < end => (other + 1, 1),
            (Some(end), _) => (end + 2, 2),
            (None, Some(end)) => (end + 1, 1),
            (None, None) => return None,
        };
        let fields = Span::new(start + first_line.min(end), start + end);
        let mut parsed = Head { record, fields, content_start: start + end + gap, length: 0 };
        parsed.length = parsed.value("Content-Length")?.parse().ok()?;
        Some(parsed)
    }

    /// The fields' names, lines and values.
    fn fields(&self) -> impl Iterator<Item = (&'r str, Span, Span)> {
        let (record, mut start, end) = (self.record, self.fields.start, self.fields.end);
        std::iter::from_fn(move || {
            while start < end {
                let line_end = memchr::memchr(b'\n', &record[start..end]).map_or(end, |at| start + at + 1);
                let line = Span::new(start, line_end);
                start = line_end;
                let Ok(text) = std::str::from_utf8(line.of(record)) else { continue };
                let Some((name, rest)) = text.split_once(':') else { continue };
                let value_start = line_end - rest.trim_start().len();
                let value = Span::new(value_start, value_start + rest.trim().len());
                return Some((name, line, value));
            }
            None
        })
    }

    fn value(&self, wanted: &str) -> Option<&'r str> {
        let (_, _, value) = self.fields().find(|(name, ..)| name.eq_ignore_ascii_case(wanted))?;
        std::str::from_utf8(value.of(self.record)).ok()
    }

    /// Where the content ends; nothing if that is beyond all memory.
    fn content_end(&self) -> Option<usize> {
        self.content_start.checked_add(self.length)
    }
}

fn n_newlines(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Where the record that bytes start with ends; nothing if more bytes must be seen. Where the length is wrong, the record
/// goes on to the next line that starts one.
pub(super) fn record_end(bytes: &[u8], is_all: bool) -> Option<usize> {
    match Head::parse(bytes).and_then(|head| head.content_end()) {
        Some(content_end) if content_end <= bytes.len() => {
            let rest = &bytes[content_end..];
            let end = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().find(|end| rest.starts_with(end));
            match end {
                Some(end) => {
                    let after = &rest[end.len()..];
                    let after = &after[n_newlines(after)..];
                    let n_shared = after.len().min(MAGIC.len());
                    if after[..n_shared] == MAGIC[..n_shared] {
                        return Some(content_end + end.len());
                    }
                }
                None if b"\r\n\r\n".starts_with(rest) => return is_all.then_some(bytes.len()),
                None => {}
            }
        }
        // Not all of it is here; or the length is wrong, which shows when all is.
        Some(_) if !is_all => return None,
        _ => {}
    }
    let next = memmem::find_iter(bytes, b"\nWARC/1.").map(|at| at + 1).find(|at| n_newlines(bytes) < *at);
    next.or(is_all.then_some(bytes.len()))
}

pub(super) fn parse(record: &[u8]) -> Outcome<'_> {
    if n_newlines(record) == record.len() {
        return Outcome::Blank;
    }
    let Some(head) = Head::parse(record) else {
        return Outcome::Bad("not a WARC record with a Content-Length; mend or remove it".into());
    };
    let content_end = head.content_end().filter(|end| *end <= record.len());
    // At the end of a file, the newlines that end a record may be missing.
    let is_end = |rest: &[u8]| b"\r\n\r\n".starts_with(rest) || rest == b"\n\n";
    let Some(end) = content_end.filter(|end| is_end(&record[*end..])) else {
        let n_bytes = record.len().saturating_sub(head.content_start);
        return Outcome::Bad(format!(
            "Content-Length is {}, but the content has {n_bytes} bytes with the record's end; mend or remove it",
            head.length
        ));
    };
    if head.value("WARC-Type") != Some("conversion") {
        return Outcome::Blank;
    }
    let address = head.value("WARC-Target-URI").map(|address| address.trim_start_matches('<').trim_end_matches('>'));
    Outcome::Document(Parsed {
        raw_text: Span::new(head.content_start, end),
        is_escaped: false,
        id: head.value("WARC-Record-ID").map(Cow::Borrowed),
        url: address.map(Cow::Borrowed),
        site: None,
    })
}

/// What the header must say when `cuts` are gone from the content.
pub(super) fn amend(record: &[u8], cuts: &[Span]) -> Vec<Amendment> {
    let Some(head) = Head::parse(record) else {
        return Vec::new();
    };
    let Some(end) = head.content_end().filter(|end| *end <= record.len()) else {
        return Vec::new();
    };
    let mut kept = Vec::with_capacity(cuts.len() + 1);
    let mut at = head.content_start;
    for cut in cuts {
        kept.push(&record[at..cut.start]);
        at = cut.end;
    }
    kept.push(&record[at..end]);
    let mut amendments = Vec::new();
    for (name, line, value) in head.fields() {
        let is_digest =
            ["WARC-Block-Digest", "WARC-Payload-Digest"].iter().any(|digest| name.eq_ignore_ascii_case(digest));
        if name.eq_ignore_ascii_case("Content-Length") {
            let length: usize = kept.iter().map(|piece| piece.len()).sum();
            amendments.push(Amendment { span: value, instead: length.to_string() });
        } else if is_digest {
            let said = std::str::from_utf8(value.of(record)).unwrap_or_default();
            amendments.push(match digest(said, &kept) {
                Some(instead) => Amendment { span: value, instead },
                // It would be wrong, and what it should be cannot be known.
                None => Amendment { span: line, instead: String::new() },
            });
        }
    }
    amendments
}

/// The digest of some bytes, as another is made and spelled.
fn digest(like: &str, pieces: &[&[u8]]) -> Option<String> {
    fn of<D: Digest>(pieces: &[&[u8]]) -> Vec<u8> {
        let mut hasher = D::new();
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher.finalize().to_vec()
    }
    let (algorithm, spelled) = like.split_once(':')?;
    let bytes = match algorithm.to_ascii_lowercase().as_str() {
        "sha1" | "sha-1" => of::<Sha1>(pieces),
        "sha256" | "sha-256" => of::<Sha256>(pieces),
        _ => return None,
    };
    let encoded = match spelled.len() {
        length if length == 2 * bytes.len() => HEXLOWER.encode(&bytes),
        _ => BASE32.encode(&bytes),
    };
    let encoded = if spelled.ends_with('=') { &encoded } else { encoded.trim_end_matches('=') };
    Some(format!("{algorithm}:{encoded}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str, content: &str) -> String {
        let length = content.len();
        format!("WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{content}\r\n\r\n")
    }

    fn ends(bytes: &str) -> Vec<usize> {
        let (mut ends, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            at += record_end(&bytes.as_bytes()[at..], true).expect("all bytes are there");
            ends.push(at);
        }
        ends
    }

    #[test]
    fn records_end_where_their_length_says() {
        let records =
            [record("warcinfo", "a: b\r\n\r\nWARC/1.0"), record("conversion", "Text.\n"), record("response", "")];
        let expected: Vec<usize> = (1..=3).map(|n| records[..n].concat().len()).collect();
        assert_eq!(ends(&records.concat()), expected);
        // However much of what follows is seen, none ends elsewhere.
        let bytes = records.concat();
        for seen in 0..bytes.len() {
            let end = record_end(&bytes.as_bytes()[..seen], false);
            assert!(end.is_none_or(|end| end == expected[0]), "{seen}: {end:?}");
            assert!(end.is_some() || seen < expected[1], "{seen}");
        }
    }

    #[test]
    fn a_wrong_length_costs_one_record() {
        let good = record("conversion", "Text.\n");
        for wrong in ["3", "7", "9999999", "99999999999999999999", "-1", "", "x"] {
            let bad = good.replace("Content-Length: 6", &format!("Content-Length: {wrong}"));
            let bytes = [good.as_str(), &bad, &good].concat();
            let lengths = [good.len(), good.len() + bad.len(), bytes.len()];
            assert_eq!(ends(&bytes), lengths, "{wrong}");
            assert!(matches!(parse(bad.as_bytes()), Outcome::Bad(_)), "{wrong}");
        }
        assert!(matches!(parse(b"WARC/1.0"), Outcome::Bad(_)));
        assert!(matches!(parse(b"no such thing"), Outcome::Bad(_)));
        assert_eq!(parse(b"\r\n\r\n"), Outcome::Blank);
    }

    #[test]
    fn digests_are_spelled_as_they_were() {
        // What sha1sum and sha256sum say of "abc".
        let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let abc: [&[u8]; 2] = [b"a", b"bc"];
        assert_eq!(digest(&format!("sha1:{}", "0".repeat(40)), &abc), Some(format!("sha1:{sha1}")));
        assert_eq!(digest(&format!("SHA-256:{}", "0".repeat(64)), &abc), Some(format!("SHA-256:{sha256}")));
        assert_eq!(digest("sha1:AAAA", &abc).as_deref(), Some("sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5"));
        assert_eq!(digest("md5:AAAA", &abc), None);
        assert_eq!(digest("AAAA", &abc), None);
    }
}
