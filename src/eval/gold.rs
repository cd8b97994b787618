//! Pages with what should be left of them.

use super::align::kept;
use super::words::{Lexicon, Line};
use crate::clean::Document;
use crate::codec::Unpacked;
use crate::config::Config;
use crate::encoding::looks_like;
use crate::error::{Error, Result};
use crate::store::refuse_url;
use serde_json::{Map, Value};
use std::io::Read;
use std::path::Path;

/// The dataset of a page that names none.
const NO_DATASET: &str = "all";

/// A page with what should be left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// What names the page; the number of its record, from 1, if nothing does.
    pub id: String,
    /// What the page is of; "all" if it does not say.
    pub dataset: String,
    /// The kind of page, if it says.
    pub page_type: Option<String>,
    /// The language, if it says.
    pub lang: Option<String>,
    /// The address, if it says.
    pub url: Option<String>,
    /// The site, if it says.
    pub site: Option<String>,
    /// The text as it was scraped.
    pub text: String,
    /// The text that should be left.
    pub gold: String,
    /// For each line of the text, which are cut at newlines, whether it should stay.
    pub is_gold: Vec<bool>,
    /// For each line of the text, whether it does not count.
    pub is_ignored: Vec<bool>,
}

impl Page {
    /// The site: the one given, or the registrable domain of the address.
    pub fn site(&self) -> Option<&str> {
        Document { text: &[], url: self.url.as_deref(), site: self.site.as_deref(), id: None }.site()
    }

    /// In which of `n_folds` folds the page is: that of the hash of its site, or else of its id (the first eight bytes of
    /// BLAKE3, as a little-endian number, modulo `n_folds`). It does not depend on what other pages there are, and pages of
    /// one site are in one fold.
    ///
    /// # Panics
    ///
    /// If there are no folds.
    pub fn fold(&self, n_folds: usize) -> usize {
        let hash = blake3::hash(self.site().unwrap_or(&self.id).as_bytes());
        let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
        let fold_idx = u64::from_le_bytes(*first) % n_folds as u64;
        usize::try_from(fold_idx).expect("it is less than the number of folds")
    }
}

/// Labelled pages, in the order of their file.
///
/// The file is JSONL, compressed or not, with an object for each page. The fields of text, id, address and
/// site have the names that the configuration gives; of the others:
///
/// | field | meaning |
/// | --- | --- |
/// | `gold` | the text that should be left |
/// | `labels` | for each line of the text, cut at `\n`: 1 keep, 0 remove |
/// | `ignore` | numbers of lines, from 0, that do not count, such as copies of the title |
/// | `dataset`, `page_type`, `lang` | what the page is counted among |
///
/// One of `gold` and `labels` is needed. Without `gold`, it is the lines that are kept. Without `labels`, a line is kept if
/// it is found in the gold as it would be found in a cleaned text (see [`PageScore`](super::PageScore)). Without `ignore`,
/// lines without words do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gold {
    pages: Vec<Page>,
}

impl Gold {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or decompressed, has no pages, or one that lacks a field or has one of another type.
    pub fn read(path: &Path, config: &Config) -> Result<Self> {
        refuse_url(path, "a file of labelled pages")?;
        let what = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "no such file; check the path",
            Ok(metadata) if metadata.is_dir() => "is a folder; name one file of labelled pages",
            _ => {
                let bytes = std::fs::read(path).map_err(|source| Error::reading(path, source))?;
                return Gold::parse(path, &bytes, config);
            }
        };
        Err(Error::usage(format!("{}: {what}", path.display())))
    }

    /// Reads bytes, as [`Gold::read`] does; `origin` names them in messages.
    ///
    /// # Errors
    ///
    /// As [`Gold::read`].
    pub fn parse(origin: &Path, bytes: &[u8], config: &Config) -> Result<Self> {
        let mut unpacked = Vec::new();
        let read = Unpacked::new(bytes).and_then(|mut source| source.read_to_end(&mut unpacked));
        read.map_err(|source| Error::reading(origin, source))?;
        let guess = || Ok::<_, Error>(looks_like(&unpacked, true));
        if let Some(encoding) = config.otherwise().encoding(&unpacked, guess)? {
            unpacked = encoding.shown(&unpacked).into_bytes();
        }
        let bytes = &unpacked[..];
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut pages = Vec::new();
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if !line.iter().all(u8::is_ascii_whitespace) {
                let complain =
                    |Complaint(what, remedy)| Error::record(format!("{}:{number}", origin.display()), what, remedy);
                pages.push(page(line, number, config).map_err(complain)?);
            }
        }
        if pages.is_empty() {
            let remedy = "give JSONL with a labelled page on each line";
            return Err(Error::record(origin.display().to_string(), "no pages", remedy));
        }
        Ok(Gold { pages })
    }

    /// The pages.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }
}

/// What is wrong with a record, and what to do.
struct Complaint(String, String);

fn complain<T>(what: impl Into<String>, remedy: impl Into<String>) -> Result<T, Complaint> {
    Err(Complaint(what.into(), remedy.into()))
}

fn page(line: &[u8], number: usize, config: &Config) -> Result<Page, Complaint> {
    let record: Map<String, Value> = match serde_json::from_slice(line) {
        Ok(record) => record,
        Err(error) => {
            let said = error.to_string();
            let reason = said.split(" at line ").next().unwrap_or(&said);
            return complain(
                format!("not a JSON object: {reason} at byte {}", error.column()),
                "mend or remove the line",
            );
        }
    };
    let string = |name: &str| string(&record, name);
    let Some(text) = string(&config.text_field)? else {
        return complain(format!("no field {:?}", config.text_field), "name the field with the text with --text-field");
    };
    let n_lines = text.split('\n').count();
    let labels = labels(&record, n_lines)?;
    let ignored = ignored(&record, n_lines)?;
    let (gold, is_gold) = match (string("gold")?, labels) {
        (Some(gold), Some(is_gold)) => (gold, is_gold),
        (Some(gold), None) => {
            let is_gold = found_in(&gold, &text);
            (gold, is_gold)
        }
        (None, Some(is_gold)) => {
            let kept_lines = text.split('\n').zip(&is_gold).filter(|(_, is_gold)| **is_gold);
            (kept_lines.map(|(line, _)| line).collect::<Vec<_>>().join("\n"), is_gold)
        }
        (None, None) => {
            let remedy = "give the text that should be left as \"gold\", or for each line 1 (keep) or 0 (remove) as \
                          \"labels\"";
            return complain("neither field \"gold\" nor \"labels\"", remedy);
        }
    };
    Ok(Page {
        id: match record.get(&config.id_field) {
            // A number names a page as well as a string does.
            Some(Value::Number(id)) => id.to_string(),
            _ => string(&config.id_field)?.unwrap_or_else(|| number.to_string()),
        },
        dataset: string("dataset")?.unwrap_or_else(|| NO_DATASET.into()),
        page_type: string("page_type")?,
        lang: string("lang")?,
        url: string(&config.url_field)?,
        site: string(&config.site_field)?,
        is_ignored: ignored.unwrap_or_else(|| without_words(&text)),
        text,
        gold,
        is_gold,
    })
}

/// Which lines of a text are found in the gold.
fn found_in(gold: &str, text: &str) -> Vec<bool> {
    let mut lexicon = Lexicon::default();
    let lines = lexicon.lines(text);
    let gold: Vec<Line> = lexicon.lines(gold).into_iter().filter(|line| !line.words.is_empty()).collect();
    kept(&lines, &gold)
}

/// Which lines of a text have no words.
fn without_words(text: &str) -> Vec<bool> {
    Lexicon::default().lines(text).iter().map(|line| line.words.is_empty()).collect()
}

fn string(record: &Map<String, Value>, name: &str) -> Result<Option<String>, Complaint> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => complain(format!("field {name:?} is no string"), "make it one, or leave it out"),
    }
}

fn labels(record: &Map<String, Value>, n_lines: usize) -> Result<Option<Vec<bool>>, Complaint> {
    let remedy = "give for each line of the text, cut at newlines, 1 (keep) or 0 (remove)";
    let Some(values) = list(record, "labels", remedy)? else { return Ok(None) };
    if values.len() != n_lines {
        return complain(format!("\"labels\" has {} values for {n_lines} lines", values.len()), remedy);
    }
    let mut is_gold = Vec::with_capacity(n_lines);
    for value in values {
        is_gold.push(match (value.as_bool(), value.as_u64()) {
            (Some(is_gold), _) => is_gold,
            (_, Some(label @ (0 | 1))) => label == 1,
            _ => return complain(format!("\"labels\" has {value}"), remedy),
        });
    }
    Ok(Some(is_gold))
}

fn ignored(record: &Map<String, Value>, n_lines: usize) -> Result<Option<Vec<bool>>, Complaint> {
    let remedy = "give the numbers of lines of the text, the first of which is 0";
    let Some(values) = list(record, "ignore", remedy)? else { return Ok(None) };
    let mut is_ignored = vec![false; n_lines];
    for value in values {
        let line_idx = value.as_u64().and_then(|number| usize::try_from(number).ok());
        match line_idx.and_then(|line_idx| is_ignored.get_mut(line_idx)) {
            Some(is_ignored) => *is_ignored = true,
            None => return complain(format!("\"ignore\" has {value} for {n_lines} lines"), remedy),
        }
    }
    Ok(Some(is_ignored))
}

fn list<'r>(record: &'r Map<String, Value>, name: &str, remedy: &str) -> Result<Option<&'r Vec<Value>>, Complaint> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) => Ok(Some(values)),
        Some(_) => complain(format!("field {name:?} is no list"), remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &str) -> Result<Gold> {
        Gold::parse("gold.jsonl".as_ref(), bytes.as_bytes(), &Config::default())
    }

    #[test]
    fn what_a_record_does_not_say_follows_from_what_it_says() {
        let gold = parse(
            "\u{feff}{\"text\": \"Menu\\nThe ship left.\\n\\nThe end\", \"gold\": \"The ship left.\\nThe end\"}\n \r\n\
             {\"id\": 7, \"text\": \"Menu\\n—\\nText\", \"labels\": [false, 0, true], \"ignore\": [], \"dataset\": \"d\", \
             \"lang\": null, \"page_type\": \"forum\", \"url\": \"https://www.one.example.com/a\"}\n",
        );
        let gold = gold.expect("the pages are fine");
        let [first, second] = gold.pages() else { unreachable!("two pages") };
        assert_eq!((first.id.as_str(), first.dataset.as_str(), first.site()), ("1", "all", None));
        assert_eq!(first.is_gold, [false, true, false, true]);
        assert_eq!(first.is_ignored, [false, false, true, false]);
        assert_eq!((second.id.as_str(), second.dataset.as_str(), second.site()), ("7", "d", Some("example.com")));
        assert_eq!((second.lang.as_deref(), second.page_type.as_deref()), (None, Some("forum")));
        assert_eq!(second.gold, "Text");
        assert_eq!(second.is_ignored, [false; 3]);
    }

    #[test]
    fn fields_have_the_names_that_the_configuration_gives() {
        let config = Config { text_field: "body".into(), id_field: "key".into(), ..Config::default() };
        let record = br#"{"body": "Text", "text": 1, "key": "k", "id": [], "gold": "Text"}"#;
        let gold = Gold::parse("gold.jsonl".as_ref(), record, &config).expect("the page is fine");
        assert_eq!((gold.pages()[0].id.as_str(), gold.pages()[0].text.as_str()), ("k", "Text"));
    }

    #[test]
    fn bad_records_say_where_why_and_what_to_do() {
        const LABELS: &str = "give for each line of the text, cut at newlines, 1 (keep) or 0 (remove)";
        const IGNORE: &str = "give the numbers of lines of the text, the first of which is 0";
        const STRING: &str = "make it one, or leave it out";
        for (record, what, remedy) in [
            ("x", "not a JSON object: expected value at byte 1", "mend or remove the line"),
            (r#"{"text": "a"#, "not a JSON object: EOF while parsing a string at byte 11", "mend or remove the line"),
            (r#"{"gold": "a"}"#, "no field \"text\"", "name the field with the text with --text-field"),
            (r#"{"text": ["a"], "gold": "a"}"#, "field \"text\" is no string", STRING),
            (r#"{"text": "a", "gold": 1}"#, "field \"gold\" is no string", STRING),
            (r#"{"text": "a", "gold": "a", "id": []}"#, "field \"id\" is no string", STRING),
            (r#"{"text": "a", "gold": "a", "lang": 1}"#, "field \"lang\" is no string", STRING),
            (r#"{"text": "a", "labels": "1"}"#, "field \"labels\" is no list", LABELS),
            (r#"{"text": "a\nb", "labels": [1]}"#, "\"labels\" has 1 values for 2 lines", LABELS),
            (r#"{"text": "a", "labels": [2]}"#, "\"labels\" has 2", LABELS),
            (r#"{"text": "a", "gold": "a", "ignore": 0}"#, "field \"ignore\" is no list", IGNORE),
            (r#"{"text": "a", "gold": "a", "ignore": [1]}"#, "\"ignore\" has 1 for 1 lines", IGNORE),
            (r#"{"text": "a", "gold": "a", "ignore": [-1]}"#, "\"ignore\" has -1 for 1 lines", IGNORE),
            (
                r#"{"text": "a", "gold": null}"#,
                "neither field \"gold\" nor \"labels\"",
                "give the text that should be left as \"gold\", or for each line 1 (keep) or 0 (remove) as \"labels\"",
            ),
        ] {
            let error = parse(&format!("\n{record}\n")).expect_err(record);
            assert!(error.is_record(), "{record}");
            assert_eq!(error.to_string(), format!("gold.jsonl:2: {what}; {remedy}"));
        }
        for empty in ["", "\n \n", "\u{feff}"] {
            let error = parse(empty).expect_err(empty);
            let told = "gold.jsonl: no pages; give JSONL with a labelled page on each line";
            assert_eq!((error.to_string().as_str(), error.is_record()), (told, true));
        }
    }

    #[test]
    fn folds_are_by_site_and_stay_what_they_are() {
        let page = |id: &str, site: &str, url: &str| {
            let record = serde_json::json!({"id": id, "site": site, "url": url, "text": "", "gold": ""});
            let mut record = record.to_string();
            record = record.replace("\"site\":\"\",", "").replace(",\"url\":\"\"", "");
            parse(&record).expect("the page is fine").pages()[0].clone()
        };
        let folds = |page: Page| [2, 5, 100].map(|n_folds| page.fold(n_folds));
        let example = folds(page("1", "example.com", ""));
        assert_eq!(example, [0, 0, 40]);
        assert_eq!(folds(page("2", "", "https://www.example.com/")), example);
        assert_eq!(folds(page("example.com", "", "")), example);
        assert_eq!(folds(page("3", "", "")), [0, 3, 8]);
    }
}
