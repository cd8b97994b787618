//! Conversion: what is left of documents, written as another format than they came in.
//!
//! Only documents can be written so. What else a file holds (requests and responses of WARC, the first row of a table, blank
//! lines, records that cannot be read) has no place in the other format and is left out.

use super::edits::{EditedRecord, PartBytes, Why};
use super::outline::RecordKind;
use crate::config::{Config, OutputFormat};
use crate::edit;
use crate::record::{Layout, Outcome, Parsed};
use crate::text::{Span, is_blank};
use std::borrow::Cow;

/// What documents are written as that came as something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// The texts, each with an empty line behind it.
    Text,
    /// An object on each line, with the text and what names it.
    Jsonl,
}

impl Conversion {
    /// What becomes of documents that come in a layout; nothing where they are written as they came.
    pub(crate) fn of(config: &Config, layout: &Layout) -> Option<Self> {
        match (config.output_format, layout) {
            (OutputFormat::Same, _)
            | (OutputFormat::Text, Layout::Whole | Layout::Lines | Layout::Nul)
            | (OutputFormat::Jsonl, Layout::Jsonl(_)) => None,
            (OutputFormat::Text, _) => Some(Conversion::Text),
            (OutputFormat::Jsonl, _) => Some(Conversion::Jsonl),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Conversion::Text => "text",
            Conversion::Jsonl => "jsonl",
        }
    }

    /// Appends what is left of a record, if it is a document that stays; says whether something was left out that is none.
    /// A file that is a document goes by the name of the file.
    pub(crate) fn write(
        self,
        config: &Config,
        source: PartBytes<'_>,
        edited: &EditedRecord<'_>,
        file: Option<&str>,
        out: &mut Vec<u8>,
    ) -> bool {
        let record = edited.record;
        match record.kind {
            RecordKind::Document if edited.is_dropped => return false,
            RecordKind::Document => {}
            RecordKind::Between => return !is_blank(&source.reading.text(record.span.of(source.bytes))),
            RecordKind::Bad => return false,
        }
        let cuts = edited.cuts.iter().filter(|cut| matches!(cut.why, Why::Decided(_)));
        let within = |span: Span| Span::new(span.start - record.text.start, span.end - record.text.start);
        let mut left = Vec::with_capacity(record.text.len());
        edit::cut(record.text.of(source.bytes), cuts.map(|cut| within(cut.span)), &mut left);
        let text = source.reading.text(&left);
        let text = String::from_utf8_lossy(&text);
        match self {
            Conversion::Text => {
                out.extend_from_slice(text.as_bytes());
                if !text.is_empty() && !text.ends_with('\n') {
                    out.push(b'\n');
                }
            }
            Conversion::Jsonl => write_object(config, source, record.span, file, &text, out),
        }
        out.push(b'\n');
        false
    }
}

fn write_object(
    config: &Config,
    source: PartBytes<'_>,
    record: Span,
    file: Option<&str>,
    text: &str,
    out: &mut Vec<u8>,
) {
    let decoded = source.reading.shown(record.of(source.bytes));
    let parsed = match source.reading.layout.parse(&decoded, source.starts_file(record.start)) {
        Outcome::Document(parsed) => parsed,
        // It was a document when it was looked at.
        Outcome::Blank | Outcome::Bad(_) => Parsed::default(),
    };
    let id = parsed.id.or(file.map(Cow::Borrowed).filter(|_| *source.reading.layout == Layout::Whole));
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in [
        (&config.id_field, id.as_deref()),
        (&config.url_field, parsed.url.as_deref()),
        (&config.site_field, parsed.site.as_deref()),
        (&config.text_field, Some(text)),
    ] {
        let Some(value) = value.filter(|_| !names.contains(&name.as_str())) else { continue };
        out.push(if names.is_empty() { b'{' } else { b',' });
        names.push(name);
        let fails = "strings are written to memory";
        serde_json::to_writer(&mut *out, name).expect(fails);
        out.push(b':');
        serde_json::to_writer(&mut *out, value).expect(fails);
    }
    out.push(b'}');
}
