//! Packs: rules as TOML, with the examples that test them. `docs/packs.md` describes the format for its users.

use super::{BUILT_IN, Shape};
use crate::error::{Error, Result};
use crate::template::LearnedSite;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;
use toml::Spanned;

/// The version of the pack format that is read.
const FORMAT: u32 = 1;
/// How long a folded block may be, in characters, where a rule does not say.
const MAX_CHARS: usize = 120;
/// How long a rule may let a folded block be. It bounds what the scan of a block costs.
const MAX_CHARS_LIMIT: usize = 400;
/// How far "near" may reach.
const MAX_NEAR_LINES: usize = 100;
/// Fewer characters than this in a pattern eat prose.
const MIN_PATTERN_CHARS: usize = 2;

/// A named set of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// Its name, the first half of its rules' full ids.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// Its rules, in the order of the file. Where two remove the same block, the first is the reason.
    pub rules: Vec<Rule>,
    /// What `dehusk learn` found on sites.
    pub sites: Vec<LearnedSite>,
    /// Where it came from, for messages: a path, or the name of a built-in pack.
    pub origin: String,
}

/// A pattern with conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name within the pack.
    pub id: String,
    /// Why it is there, for the reader.
    pub about: Option<String>,
    /// How a block is matched.
    pub matching: Match,
    /// How long the folded block may be, in characters.
    pub max_chars: usize,
    /// Only within so many blocks that are not blank from the document's start.
    pub head: Option<usize>,
    /// Only within so many blocks that are not blank from the document's end.
    pub tail: Option<usize>,
    /// Only beside what another rule removes.
    pub near: Option<Near>,
    /// Only on these sites and their subdomains; everywhere if empty.
    pub sites: Vec<String>,
    /// Only blocks of this shape.
    pub shape: Option<Shape>,
    /// What goes.
    pub removal: Removal,
    /// Lines that it must remove.
    pub removes: Vec<Example>,
    /// Lines that its pack must keep.
    pub keeps: Vec<Example>,
    /// The line of the file that the rule's id stands on, from 1.
    pub line: usize,
}

/// How a rule matches folded blocks.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// The block equals a pattern, but for decoration.
    Line(Vec<String>),
    /// The block starts with a pattern.
    Prefix(Vec<String>),
    /// The block ends with a pattern.
    Suffix(Vec<String>),
    /// The block contains a pattern.
    Within(Vec<String>),
    /// All blocks from one that starts with a pattern to one that starts with another. Without start patterns from the
    /// document's start, without end patterns to its end.
    Region {
        /// What starts the region.
        start: Vec<String>,
        /// What ends it.
        end: Vec<String>,
        /// How many blocks that are not blank it may have.
        max_lines: Option<usize>,
    },
    /// By its shape alone.
    Shape,
}

/// The condition that a block stands near one that other rules remove.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// The ids of the other rules, of the same pack.
    pub rules: Vec<String>,
    /// How many blocks away, not counting blank ones.
    pub lines: usize,
    /// On which side the other block is.
    pub side: Side,
}

/// On which side of a block another one stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Before it.
    Above,
    /// After it.
    Below,
    /// Before or after it.
    #[default]
    Either,
    /// One before and one after it.
    Both,
}

/// What a rule removes of a block that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// All of it.
    #[default]
    Line,
    /// The words that match.
    Words,
}

/// A line in its surroundings, to test a rule with.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The line under test.
    pub line: String,
    /// The lines before it.
    pub before: String,
    /// The lines after it.
    pub after: String,
    /// The document's site.
    pub site: Option<String>,
    /// What must be left of the line, where only words go.
    pub leaves: Option<String>,
    /// The line of the file that the example starts on, from 1.
    pub file_line: usize,
}

impl Pack {
    /// Reads a pack from TOML; `origin` names it in messages.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, has unknown keys, or a rule that cannot be; see [`Error::is_pack`].
    ///
    /// ```
    /// use dehusk::rules::Pack;
    ///
    /// let pack = Pack::parse("shop.toml", r#"
    /// format = 1
    /// name = "shop"
    /// about = "Buttons of a shop"
    ///
    /// [[rule]]
    /// id = "add-to-cart"
    /// match = "line"
    /// patterns = ["add to cart"]
    /// removes = ["Add to cart"]
    /// keeps = ["Add to cart abandonment the cost of returns."]
    /// "#)?;
    /// assert_eq!(pack.rules[0].id, "add-to-cart");
    /// # Ok::<(), dehusk::Error>(())
    /// ```
    pub fn parse(origin: &str, source: &str) -> Result<Self> {
        let lines = Lines { source };
        let file: PackFile = toml::from_str(source).map_err(|error| {
            let line = error.span().map_or(1, |span| lines.number(span.start));
            Error::pack(format!("{origin}:{line}"), error.message())
        })?;
        let at_top = |what: String| Error::pack(format!("{origin}:1"), what);
        if file.format != FORMAT {
            return Err(at_top(format!("format {} is not known; this version reads format {FORMAT}", file.format)));
        }
        if !is_name(&file.name) {
            return Err(at_top(format!("name {:?} must be letters, digits and hyphens", file.name)));
        }
        let mut ids = HashSet::new();
        let mut rules = Vec::new();
        for rule in file.rule {
            let line = lines.number(rule.id.span().start);
            let id = rule.id.as_ref().clone();
            let fails = |what: String| Error::pack(format!("{origin}:{line}"), format!("rule {id:?}: {what}"));
            if !is_name(&id) {
                return Err(fails("the id must be letters, digits and hyphens".into()));
            }
            if !ids.insert(id.clone()) {
                return Err(fails("the id stands twice; rename one".into()));
            }
            rules.push(rule.check(line, &lines).map_err(fails)?);
        }
        let mut sites: Vec<LearnedSite> = Vec::new();
        for site in file.site {
            let line = lines.number(site.span().start);
            let site = site.into_inner();
            let is_twice = sites.iter().any(|other| other.key() == site.key());
            let twice = is_twice.then(|| "the site stands twice; delete one".to_owned());
            if let Some(what) = site.complaint().or(twice) {
                return Err(Error::pack(format!("{origin}:{line}"), format!("site {:?}: {what}", site.site)));
            }
            sites.push(site);
        }
        let pack = Pack { name: file.name, about: file.about, rules, sites, origin: origin.to_owned() };
        pack.check_near()?;
        Ok(pack)
    }

    /// Reads a pack from a file.
    ///
    /// # Errors
    ///
    /// As [`Pack::parse`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::reading(path, source))?;
        let origin = path.display().to_string();
        let source = String::from_utf8(bytes)
            .map_err(|_| Error::pack(format!("{origin}:1"), "not UTF-8; a pack is a TOML file, save it as UTF-8"))?;
        Pack::parse(&origin, &source)
    }

    /// Reads a pack that comes with dehusk, or else the file of that name.
    ///
    /// # Errors
    ///
    /// As [`Pack::read`].
    pub fn open(name_or_file: &str) -> Result<Self> {
        if let Some(source) = Pack::built_in_source(name_or_file) {
            return Pack::parse(name_or_file, source);
        }
        if !Path::new(name_or_file).exists() {
            let names: Vec<&str> = Pack::built_in_names().collect();
            let what = format!("no such pack or file; the packs that come with dehusk are {}", names.join(", "));
            return Err(Error::pack(name_or_file, what));
        }
        Pack::read(Path::new(name_or_file))
    }

    /// The TOML of a pack that comes with dehusk.
    pub fn built_in_source(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(built_in, _)| *built_in == name).map(|(_, source)| *source)
    }

    /// The names of the packs that come with dehusk, in alphabetical order.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// How many patterns its rules have.
    pub fn n_patterns(&self) -> usize {
        self.rules.iter().map(|rule| rule.matching.patterns().count()).sum()
    }

    fn check_near(&self) -> Result<()> {
        for rule in &self.rules {
            let Some(near) = &rule.near else { continue };
            for other in &near.rules {
                let what = if *other == rule.id {
                    "a rule cannot be near itself; name another"
                } else if self.rules.iter().all(|rule| rule.id != *other) {
                    "there is no such rule in this pack; check its id"
                } else {
                    continue;
                };
                let place = format!("{}:{}", self.origin, rule.line);
                return Err(Error::pack(place, format!("rule {:?}: near {other:?}: {what}", rule.id)));
            }
        }
        Ok(())
    }
}

impl Match {
    /// All its patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        let (first, second): (&[String], &[String]) = match self {
            Match::Line(patterns) | Match::Prefix(patterns) | Match::Suffix(patterns) | Match::Within(patterns) => {
                (patterns, &[])
            }
            Match::Region { start, end, .. } => (start, end),
            Match::Shape => (&[], &[]),
        };
        first.iter().chain(second).map(String::as_str)
    }
}

impl Example {
    /// The text of the whole example, and the number of lines before the one under test.
    pub fn document(&self) -> (String, usize) {
        let mut text = String::new();
        for lines in [&self.before, &self.line, &self.after] {
            text.push_str(lines);
            if !lines.is_empty() && !lines.ends_with('\n') {
                text.push('\n');
            }
        }
        (text, self.before.lines().count())
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Line numbers in a source.
struct Lines<'s> {
    source: &'s str,
}

impl Lines<'_> {
    fn number(&self, offset: usize) -> usize {
        1 + memchr::memchr_iter(b'\n', &self.source.as_bytes()[..offset.min(self.source.len())]).count()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    format: u32,
    name: String,
    about: String,
    #[serde(default)]
    rule: Vec<RuleFile>,
    #[serde(default)]
    site: Vec<Spanned<LearnedSite>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MatchName {
    Line,
    Prefix,
    Suffix,
    Within,
    Region,
    Shape,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: Spanned<String>,
    about: Option<String>,
    #[serde(rename = "match")]
    matching: MatchName,
    patterns: Option<Vec<String>>,
    start: Option<Vec<String>>,
    end: Option<Vec<String>>,
    max_lines: Option<usize>,
    max_chars: Option<usize>,
    head: Option<usize>,
    tail: Option<usize>,
    near: Option<NearFile>,
    #[serde(default)]
    sites: Vec<String>,
    shape: Option<Shape>,
    remove: Option<Removal>,
    removes: Vec<Spanned<ExampleFile>>,
    keeps: Vec<Spanned<ExampleFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NearFile {
    rule: OneOrMany,
    lines: usize,
    #[serde(default)]
    side: Side,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an example is a string, or a table of line, before, after, site and leaves")]
enum ExampleFile {
    Line(String),
    Document(ExampleTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleTable {
    line: String,
    #[serde(default)]
    before: String,
    #[serde(default)]
    after: String,
    site: Option<String>,
    leaves: Option<String>,
}

impl RuleFile {
    fn check(self, line: usize, lines: &Lines<'_>) -> Result<Rule, String> {
        let is_region = self.matching == MatchName::Region;
        let is_shape = self.matching == MatchName::Shape;
        let wants_patterns = !is_region && !is_shape;
        for (key, given, fits) in [
            ("patterns", self.patterns.is_some(), wants_patterns),
            ("start", self.start.is_some(), is_region),
            ("end", self.end.is_some(), is_region),
            ("max_lines", self.max_lines.is_some(), is_region),
            ("remove", self.remove.is_some(), wants_patterns),
            ("near", self.near.is_some(), !is_region),
            ("shape", self.shape.is_some(), !is_region),
        ] {
            if given && !fits {
                return Err(format!("{key:?} does not go with this match; delete it"));
            }
        }
        if is_shape && (self.shape.is_none() || self.near.is_none()) {
            return Err("match by shape needs \"shape\" and \"near\"; add them".into());
        }
        let max_chars = self.max_chars.unwrap_or(MAX_CHARS);
        if !(1..=MAX_CHARS_LIMIT).contains(&max_chars) {
            return Err(format!("max_chars is {max_chars}; give 1 to {MAX_CHARS_LIMIT}"));
        }
        for (key, number) in [("head", self.head), ("tail", self.tail), ("max_lines", self.max_lines)] {
            if number == Some(0) {
                return Err(format!("{key} is 0, so that the rule could never apply; give at least 1"));
            }
        }
        let near = self.near.map(|near| Near {
            rules: match near.rule {
                OneOrMany::One(rule) => vec![rule],
                OneOrMany::Many(rules) => rules,
            },
            lines: near.lines,
            side: near.side,
        });
        if near.as_ref().is_some_and(|near| near.rules.is_empty() || !(1..=MAX_NEAR_LINES).contains(&near.lines)) {
            return Err(format!("near needs a rule, and 1 to {MAX_NEAR_LINES} for lines; complete it"));
        }
        let patterns = self.patterns.unwrap_or_default();
        let matching = match self.matching {
            MatchName::Line => Match::Line(patterns),
            MatchName::Prefix => Match::Prefix(patterns),
            MatchName::Suffix => Match::Suffix(patterns),
            MatchName::Within => Match::Within(patterns),
            MatchName::Shape => Match::Shape,
            MatchName::Region => Match::Region {
                start: self.start.unwrap_or_default(),
                end: self.end.unwrap_or_default(),
                max_lines: self.max_lines,
            },
        };
        if !is_shape && matching.patterns().next().is_none() {
            return Err("it has no pattern; add one, or delete the rule".into());
        }
        for pattern in matching.patterns() {
            let n_chars = pattern.trim().chars().count();
            if n_chars == 0 {
                return Err(format!("pattern is empty; delete it or give at least {MIN_PATTERN_CHARS} characters"));
            }
            if n_chars < MIN_PATTERN_CHARS && !matches!(matching, Match::Line(_)) {
                return Err(format!("pattern {pattern:?} is too short; give at least {MIN_PATTERN_CHARS} characters"));
            }
            if matches!(matching, Match::Line(_))
                && pattern.contains('#')
                && pattern.contains(|digit: char| digit.is_ascii_digit())
            {
                return Err(format!(
                    "pattern {pattern:?} has \"#\", which stands for all digits, and a digit; use one"
                ));
            }
            if n_chars > max_chars {
                return Err(format!("pattern {pattern:?} is longer than max_chars ({max_chars}); raise it"));
            }
        }
        if self.removes.is_empty() || self.keeps.is_empty() {
            return Err("it needs an example in \"removes\" and one in \"keeps\"; add them".into());
        }
        let examples = |examples: Vec<Spanned<ExampleFile>>| {
            examples
                .into_iter()
                .map(|example| {
                    let file_line = lines.number(example.span().start);
                    example.into_inner().into_example(file_line)
                })
                .collect::<Result<Vec<_>, String>>()
        };
        Ok(Rule {
            id: self.id.into_inner(),
            about: self.about,
            matching,
            max_chars,
            head: self.head,
            tail: self.tail,
            near,
            sites: self.sites.into_iter().map(|site| site.to_ascii_lowercase()).collect(),
            shape: self.shape,
            removal: self.remove.unwrap_or_default(),
            removes: examples(self.removes)?,
            keeps: examples(self.keeps)?,
            line,
        })
    }
}

impl ExampleFile {
    fn into_example(self, file_line: usize) -> Result<Example, String> {
        let table = match self {
            ExampleFile::Line(line) => {
                ExampleTable { line, before: String::new(), after: String::new(), site: None, leaves: None }
            }
            ExampleFile::Document(table) => table,
        };
        let ExampleTable { line, before, after, site, leaves } = table;
        if line.is_empty() || line.trim_end_matches('\n').contains('\n') {
            return Err(format!(
                "the example on line {file_line} must be one line; put the others in before and after"
            ));
        }
        Ok(Example { line, before, after, site, leaves, file_line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let near = "near = { rule = \"footer\", lines = 1 }";
        for (keys, what) in [
            ("match = \"line\"", "it has no pattern; add one, or delete the rule"),
            ("match = \"prefix\"\npatterns = [\" \"]", "pattern is empty; delete it or give at least 2 characters"),
            ("match = \"within\"\npatterns = [\"x\"]", "pattern \"x\" is too short; give at least 2 characters"),
            (
                "match = \"line\"\npatterns = [\"page 1 of #\"]",
                "pattern \"page 1 of #\" has \"#\", which stands for all digits, and a digit; use one",
            ),
            (
                "match = \"line\"\npatterns = [\"home\"]\nmax_chars = 3",
                "pattern \"home\" is longer than max_chars (3); raise it",
            ),
            ("match = \"line\"\npatterns = [\"home\"]\nmax_chars = 500", "max_chars is 500; give 1 to 400"),
            (
                "match = \"line\"\npatterns = [\"home\"]\nhead = 0",
                "head is 0, so that the rule could never apply; give at least 1",
            ),
            ("match = \"region\"\npatterns = [\"home\"]", "\"patterns\" does not go with this match; delete it"),
            ("match = \"shape\"\nshape = \"label\"", "match by shape needs \"shape\" and \"near\"; add them"),
            (
                &format!("match = \"line\"\npatterns = [\"home\"]\n{near}"),
                "near \"footer\": a rule cannot be near itself; name another",
            ),
        ] {
            let source = format!(
                "format = 1\nname = \"site\"\nabout = \"a\"\n[[rule]]\nid = \"footer\"\n{keys}\n\
                 removes = [\"a\"]\nkeeps = [\"b\"]\n"
            );
            let error = Pack::parse("site.toml", &source).expect_err("it cannot be").to_string();
            assert_eq!(error, format!("site.toml:5: rule \"footer\": {what}"));
        }
    }
}
