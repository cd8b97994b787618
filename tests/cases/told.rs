//! What a run tells, in words that compare between paths; and documents in other clothes.

use crate::case::{Case, CaseFile};
use anyhow::{Context, Result, bail};
use dehusk::{Cleaner, Reason};
use serde_json::Value;
use std::collections::BTreeMap;

/// The reasons of all cuts, by the name of the document.
pub(crate) type Cuts = BTreeMap<String, Vec<String>>;

/// Reads the cuts from a journal; `name` tells the document that is record number `record`, from 1, of `file`.
pub(crate) fn cuts_of(journal: &str, name: impl Fn(&str, usize) -> String) -> Result<Cuts> {
    let mut cuts = Cuts::new();
    let mut file = String::new();
    for line in journal.lines() {
        let line: Value = serde_json::from_str(line)?;
        if let Some(name) = line["file"].as_str() {
            file = name.to_owned();
        }
        let Some(reason) = line["reason"].as_str() else { continue };
        let named = |file: &Value, record: &Value| -> Result<String> {
            let record = usize::try_from(record.as_u64().context("a record's number")?)?;
            Ok(name(file.as_str().context("a file's name")?, record))
        };
        let (document, first) = (named(&Value::from(file.as_str()), &line["record"])?, &line["first"]);
        let told = match reason {
            "rule" => format!("rule {}", line["rule"].as_str().context("a rule's id")?),
            "repeat" => format!("repeat {}:{}", named(&first["file"], &first["record"])?, first["line"]),
            "copy" => format!("copy {}", named(&first["file"], &first["record"])?),
            "running" => format!("running {}", line["pages"]),
            other => other.to_owned(),
        };
        cuts.entry(document).or_default().push(told);
    }
    Ok(cuts)
}

/// How many bytes the cuts of a journal have.
pub(crate) fn bytes_cut(journal: &str) -> Result<u64> {
    let mut n_bytes = 0;
    for line in journal.lines() {
        let line: Value = serde_json::from_str(line)?;
        n_bytes += match (line["text"].as_str(), line["hex"].as_str()) {
            (Some(text), None) => text.len(),
            (None, Some(hex)) => hex.len() / 2,
            _ => 0,
        };
    }
    Ok(u64::try_from(n_bytes)?)
}

/// A cleaner's reason in the same words, where documents are called `names` in the order of their arrival.
pub(crate) fn reason_of(cleaner: &Cleaner, reason: Reason, names: &[&str]) -> String {
    let located = |place| {
        let arrival = cleaner.locate(place);
        let name = usize::try_from(arrival.document).ok().and_then(|document_idx| names.get(document_idx));
        (*name.unwrap_or(&"nowhere"), arrival.block + 1)
    };
    match reason {
        Reason::Rule(rule) => format!("rule {}", cleaner.rules().id(rule)),
        Reason::Repeat(place) => {
            let (name, line) = located(place);
            format!("repeat {name}:{line}")
        }
        Reason::Copy(place) => format!("copy {}", located(place).0),
        Reason::Score(_) => "score".into(),
        Reason::Template(template) => format!("template {} of {}", template.documents, template.of),
        Reason::Running(pages) => format!("running {pages}"),
        Reason::Gap => "gap".into(),
    }
}

/// A document by itself.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
    pub(crate) url: Option<String>,
    pub(crate) site: Option<String>,
    pub(crate) left: Option<Vec<u8>>,
}

impl Named {
    pub(crate) fn of_file(file: &CaseFile) -> Self {
        Named { name: file.name.clone(), text: file.text.clone(), url: None, site: None, left: file.left.clone() }
    }
}

/// The documents in a case's JSONL, by `FILE:RECORD`, with what the records that are left say.
pub(crate) fn jsonl_documents(case: &Case) -> Result<Vec<Named>> {
    let mut documents = Vec::new();
    for file in &case.files {
        let left = parsed(file.left.as_deref().unwrap_or_default())?;
        let records = parsed(&file.text)?;
        if left.len() != records.len() {
            bail!("{}: records were dropped, so that they cannot be paired; skip the cleaner", file.name);
        }
        for ((record, value), (_, left)) in records.into_iter().zip(left) {
            let field = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
            let text = |value: &Value| {
                let text = field(value, &case.config.text_field).context("a bad record; skip the cleaner")?;
                anyhow::Ok(text.into_bytes())
            };
            documents.push(Named {
                name: format!("{}:{record}", file.name),
                text: text(&value)?,
                url: field(&value, &case.config.url_field),
                site: field(&value, &case.config.site_field),
                left: Some(text(&left)?),
            });
        }
    }
    Ok(documents)
}

/// The records of JSONL that are not blank, with their numbers from 1.
fn parsed(jsonl: &[u8]) -> Result<Vec<(usize, Value)>> {
    let text = std::str::from_utf8(jsonl).context("not UTF-8; skip the cleaner")?.trim_start_matches('\u{feff}');
    let lines = (1..).zip(text.split('\n')).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(record, line)| Ok((record, serde_json::from_str(line).context("skip the cleaner")?))).collect()
}

/// All files of a case one behind the other, what is left of them, and the names of their records.
pub(crate) fn joined(case: &Case) -> (Vec<u8>, Vec<u8>, Vec<String>) {
    let (mut input, mut left, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for file in &case.files {
        input.extend_from_slice(&file.text);
        left.extend_from_slice(file.left.as_deref().unwrap_or_default());
        let n_records = file.text.split_inclusive(|byte| *byte == b'\n').count();
        names.extend((1..=n_records).map(|record| format!("{}:{record}", file.name)));
    }
    (input, left, names)
}

/// How a text is spelled in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spelling {
    /// Escapes only where there must be one.
    Raw,
    /// Escapes wherever there may be one that somebody writes.
    Escaped,
}

/// A case's documents as records of one file, and what must be left of that file.
pub(crate) fn as_jsonl(case: &Case, spelling: Spelling) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut records, mut kept) = (String::new(), String::new());
    for (number, file) in (1..).zip(&case.files) {
        let record = |text: &[u8]| -> Result<String> {
            let text = std::str::from_utf8(text).context("not UTF-8; skip jsonl")?;
            let field = &case.config.text_field;
            let text = spelled(text, spelling);
            Ok(format!("{{ \"n\":{number}.50,\"{field}\" : {text}, \"rest\":[1e5, \"\\u00e9\\/\"]}}\n"))
        };
        records.push_str(&record(&file.text)?);
        if let Some(left) = &file.left {
            kept.push_str(&record(left)?);
        }
    }
    Ok((records.into_bytes(), kept.into_bytes()))
}

fn spelled(text: &str, spelling: Spelling) -> String {
    match spelling {
        Spelling::Raw => Value::from(text).to_string(),
        Spelling::Escaped => {
            let escaped = text.chars().map(|character| match character {
                '/' => "\\/".into(),
                '"' | '\\' => format!("\\{character}"),
                '\t' => "\\t".into(),
                ' '..='~' => character.into(),
                _ => character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect(),
            });
            format!("\"{}\"", escaped.collect::<String>())
        }
    }
}
