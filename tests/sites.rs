//! Tests as data: the pages of sites, with the lines marked that must go because the pages repeat them.
//!
//! Every case of `tests/sites/*.toml` is cleaned as a run over files, at 1, 2 and 7 threads; then templates are learned from
//! it, from all at once and from its halves, and a cleaner and a stream apply them page by page. All must leave the same.
//!
//! ```toml
//! [[case]]
//! name = "unique-among-all-files"
//! about = "why, for the reader"       # optional
//! config = { scope = "corpus" }       # keys of `Config`; scope is off and no packs are used if it does not say
//! in-run-only = "why"                 # optional: a pack alone would not do the same
//!
//! [[case.page]]
//! times = 10                          # so many pages; 1 if not given
//! site = "one.example"                # this one if not given; "" for none
//! text = """
//! - Acme                              # "- " in front of a line says that it must go, "-" that a blank one must
//! Title {n}                           # the number of the page in its case
//! ~                                   # a sentence that no other page has; "~~" is a few words
//! """
//! ```

use anyhow::{Context, Result, ensure};
use dehusk::run::{Run, learn, restore};
use dehusk::{Cleaner, Config, Document, Scope, Scratch};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::Cursor;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    name: String,
    #[serde(rename = "about")]
    _about: Option<String>,
    #[serde(default)]
    config: toml::Table,
    in_run_only: Option<String>,
    page: Vec<PageOfCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageOfCase {
    #[serde(default = "one")]
    times: usize,
    #[serde(default = "a_site")]
    site: String,
    text: String,
}

fn one() -> usize {
    1
}

fn a_site() -> String {
    "one.example".into()
}

/// A page, and what must be left of it.
struct Page {
    site: String,
    text: String,
    left: String,
}

impl Case {
    fn pages(&self) -> Vec<Page> {
        let mut pages = Vec::new();
        for of_case in &self.page {
            for _ in 0..of_case.times {
                pages.push(of_case.page(pages.len() + 1));
            }
        }
        pages
    }
}

impl PageOfCase {
    fn page(&self, number: usize) -> Page {
        let (mut text, mut left) = (String::new(), String::new());
        for (line_idx, line) in self.text.lines().enumerate() {
            let (line, stays) = match line.strip_prefix('-') {
                Some(line) => (line.strip_prefix(' ').unwrap_or(line), false),
                None => (line, true),
            };
            let own = match line {
                "~" => words(number * 1000 + line_idx, 18) + ".",
                "~~" => words(number * 1000 + line_idx, 3),
                line => line.replace("{n}", &number.to_string()),
            };
            text.push_str(&own);
            text.push('\n');
            if stays {
                left.push_str(&own);
                left.push('\n');
            }
        }
        Page { site: self.site.clone(), text, left }
    }
}

/// Words that only this seed gives.
fn words(seed: usize, n_words: usize) -> String {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut word = |_| {
        let letters = (0..6).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b"abcdefghijklmnopqrstuvwxyz"[(state >> 40) as usize % 26])
        });
        letters.collect::<String>()
    };
    (0..n_words).map(&mut word).collect::<Vec<_>>().join(" ")
}

fn jsonl<'p>(pages: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    pages
        .map(|(site, text)| {
            let record = if site.is_empty() { json!({ "text": text }) } else { json!({ "site": site, "text": text }) };
            record.to_string() + "\n"
        })
        .collect()
}

#[test]
fn every_case_leaves_the_same_in_a_run_and_by_its_pack() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sites");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut names = HashSet::new();
    let mut failures = Vec::new();
    for path in paths {
        let cases: CaseFile = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for case in cases.case {
            assert!(names.insert(case.name.clone()), "{} stands twice", case.name);
            if let Err(error) = check(&case) {
                failures.push(format!("{}: {error:#}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} cases fail:\n\n{}", failures.len(), names.len(), failures.join("\n\n"));
}

fn check(case: &Case) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    // No line scores that much, so that what goes goes by templates.
    let plain = Config {
        scope: Scope::Off,
        no_default_packs: true,
        max_removed_run: 1.0,
        score_threshold: (!case.config.contains_key("level")).then_some(1.0),
        ..Config::default()
    };
    let config = plain.overlaid("config", case.config.clone())?;
    let pages = case.pages();
    let input = jsonl(pages.iter().map(|page| (page.site.as_str(), page.text.as_str())));
    let left = jsonl(pages.iter().map(|page| (page.site.as_str(), page.left.as_str())));
    std::fs::write(path("in.jsonl"), &input)?;
    let mut accounts = Vec::new();
    for threads in [1, 2, 7] {
        let (output, journal) = (path(&format!("out-{threads}.jsonl")), path(&format!("journal-{threads}")));
        let config = Config {
            output: Some(output.clone()),
            journal: Some(journal.clone()),
            threads: Some(threads),
            ..config.clone()
        };
        let mut report: Value = serde_json::from_str(&Run::new(&config, &())?.files(&[path("in.jsonl")])?.to_json())?;
        report["times"] = Value::Null;
        same(&std::fs::read_to_string(&output)?, &left).with_context(|| format!("{threads} threads"))?;
        accounts.push((std::fs::read(&journal)?, report));
        let restored = restore(&output, &journal, &path(&format!("back-{threads}.jsonl")), false)?;
        ensure!(restored.failed.is_empty(), "not restored: {:?}", restored.failed);
        ensure!(std::fs::read_to_string(path(&format!("back-{threads}.jsonl")))? == input, "restored otherwise");
    }
    ensure!(accounts.windows(2).all(|pair| pair[0] == pair[1]), "the number of threads shows");
    if case.in_run_only.is_some() {
        return Ok(());
    }
    let pack = pack_of(&config, folder.path(), &input)?;
    std::fs::write(path("pack.toml"), &pack)?;
    let by_pack = Config { pack: vec![path("pack.toml").display().to_string()], ..config };
    let cleaner = Cleaner::new(&by_pack)?;
    let mut scratch = Scratch::default();
    for page in &pages {
        let site = Some(page.site.as_str()).filter(|site| !site.is_empty());
        let document = Document { site, ..Document::new(&page.text) };
        let cleaned = cleaner.clean(&document, &mut scratch)?;
        same(&String::from_utf8(cleaned.text().to_vec())?, &page.left).context("by its pack")?;
    }
    let mut out = Vec::new();
    Run::new(&by_pack, &())?.stream(Cursor::new(input), &mut out)?;
    same(&String::from_utf8(out)?, &left).context("by its pack, as a stream")?;
    let both = Config { output: Some(path("both.jsonl")), ..by_pack };
    Run::new(&both, &())?.files(&[path("in.jsonl")])?;
    same(&std::fs::read_to_string(path("both.jsonl"))?, &left).context("by its pack and in the run")
}

/// What is learned from all pages, having seen that it is learned from their halves too, which overlap.
fn pack_of(config: &Config, folder: &Path, input: &str) -> Result<String> {
    let path = |name: &str| folder.join(name);
    let lines: Vec<&str> = input.split_inclusive('\n').collect();
    let third = lines.len() / 3;
    std::fs::write(path("a.jsonl"), lines[..lines.len() - third].concat())?;
    std::fs::write(path("b.jsonl"), lines[third..].concat())?;
    let learned = |name: &str, inputs: &[&str], threads: usize| -> Result<(Vec<u8>, String)> {
        let (output, facts) = (path(&format!("{name}.toml")), path(&format!("{name}.facts")));
        let config = Config { output: Some(output.clone()), force: true, threads: Some(threads), ..config.clone() };
        let inputs: Vec<_> = inputs.iter().map(|input| path(input)).collect();
        let learned = learn(&config, &inputs, Some(&facts), &())?;
        ensure!(std::fs::read_to_string(&output)? == learned.pack, "another pack is written than is given");
        Ok((std::fs::read(&facts)?, learned.pack))
    };
    let all = learned("all", &["in.jsonl"], 1)?;
    ensure!(learned("all", &["in.jsonl"], 7)? == all, "the number of threads shows in what is learned");
    learned("b", &["b.jsonl"], 2)?;
    ensure!(learned("all", &["a.jsonl", "b.facts"], 2)? == all, "learning by halves is not learning from all");
    ensure!(learned("all", &["b.jsonl", "a.jsonl"], 2)? == all, "the order of inputs shows");
    std::fs::create_dir_all(path("again"))?;
    let again = learned("again/all", &["all.facts", "b.facts", "all.facts"], 2)?;
    ensure!(again == all, "what is known twice counts twice");
    Ok(all.1)
}

fn same(text: &str, left: &str) -> Result<()> {
    let first = text.lines().zip(left.lines()).find(|(text, left)| text != left);
    ensure!(text == left, "leaves\n    {}\n  not\n    {}", first.unwrap_or_default().0, first.unwrap_or_default().1);
    Ok(())
}
