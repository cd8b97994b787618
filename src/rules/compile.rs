//! Packs compiled into what the scan runs: one look-up of whole lines, one automaton over everything else.

use super::decoration::{core_of, without_leading, without_trailing};
use super::{Match, Near, Pack, Removal, Shape};
use crate::error::{Error, Result};
use crate::text::{Fold, fold};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::collections::HashMap;

/// A rule by its number in a [`Rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIdx(pub(crate) u16);

/// The rules of some packs, compiled once and shared by reference.
///
/// ```
/// use dehusk::rules::{Pack, Rules};
///
/// let rules = Rules::compile(&[Pack::open("web-en")?])?;
/// assert!(rules.len() > 10);
/// # Ok::<(), dehusk::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<CompiledRule>,
    /// The rules in an order in which each comes after those that it must be near.
    order: Vec<RuleIdx>,
    lines: HashMap<Box<[u8]>, Vec<RuleIdx>>,
    /// How long a folded block may be, in characters, that some whole-line rule takes.
    line_max_chars: usize,
    has_digit_lines: bool,
    automaton: Option<AhoCorasick>,
    patterns: Vec<Pattern>,
    max_chars: usize,
}

/// A rule as the scan and the decision need it.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    /// `pack/rule`.
    pub(crate) id: String,
    pub(crate) max_chars: usize,
    pub(crate) head: Option<usize>,
    pub(crate) tail: Option<usize>,
    pub(crate) near: Option<CompiledNear>,
    pub(crate) sites: Vec<String>,
    pub(crate) shape: Option<Shape>,
    /// Whether it has no pattern, and matches by its shape alone.
    pub(crate) is_by_shape: bool,
    pub(crate) removal: Removal,
    pub(crate) region: Option<CompiledRegion>,
}

#[derive(Debug)]
pub(crate) struct CompiledNear {
    pub(crate) rules: Vec<RuleIdx>,
    pub(crate) lines: usize,
    pub(crate) side: super::Side,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledRegion {
    pub(crate) has_start: bool,
    pub(crate) has_end: bool,
    pub(crate) max_lines: Option<usize>,
}

/// A pattern of the automaton.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) rule: RuleIdx,
    pub(crate) anchor: Anchor,
    pub(crate) role: Role,
}

/// Where in a block a pattern must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    End,
    Anywhere,
}

/// What a match means for its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// The block is one that the rule removes.
    Block,
    /// The block starts a region.
    RegionStart,
    /// The block ends a region.
    RegionEnd,
}

impl Rules {
    /// Compiles the rules of `packs`. Costs time and memory linear in the patterns' length.
    ///
    /// # Errors
    ///
    /// When two packs have one name, rules wait for each other in a circle, or there are too many; see [`Error::is_pack`].
    pub fn compile(packs: &[Pack]) -> Result<Self> {
        let mut rules = Rules::default();
        let mut needles: Vec<Vec<u8>> = Vec::new();
        for (pack_idx, pack) in packs.iter().enumerate() {
            if let Some(other) = packs[..pack_idx].iter().find(|other| other.name == pack.name) {
                let what = format!("pack {:?} was given already, by {}; give it once", pack.name, other.origin);
                return Err(Error::pack(pack.origin.clone(), what));
            }
            rules.add(pack, &mut needles)?;
        }
        rules.order = rules.in_order_of_need().map_err(|rule| {
            let id = &rules.rules[usize::from(rule.0)].id;
            Error::pack(id.clone(), "its \"near\" leads back to itself; break the circle")
        })?;
        if !needles.is_empty() {
            let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&needles);
            rules.automaton = Some(automaton.map_err(|error| Error::pack("rules", format!("{error}; use fewer packs")))?);
        }
        Ok(rules)
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The full id of a rule, `pack/rule`.
    pub fn id(&self, rule: RuleIdx) -> &str {
        &self.rule(rule).id
    }

    /// All rules, in the order of the packs.
    pub fn iter(&self) -> impl Iterator<Item = RuleIdx> + '_ {
        (0..self.rules.len()).map(rule_idx)
    }

    pub(crate) fn rule(&self, rule: RuleIdx) -> &CompiledRule {
        &self.rules[usize::from(rule.0)]
    }

    pub(crate) fn order(&self) -> &[RuleIdx] {
        &self.order
    }

    /// The rules that have the core of a block as a whole-line pattern. `digits` is scratch.
    pub(crate) fn line(&self, core: &[u8], digits: &mut Vec<u8>) -> [&[RuleIdx]; 2] {
        let look_up = |line: &[u8]| self.lines.get(line).map_or(&[][..], Vec::as_slice);
        let with_digits = if self.has_digit_lines && core.iter().any(u8::is_ascii_digit) {
            digits.clear();
            as_digit_line(core, digits);
            look_up(digits)
        } else {
            &[]
        };
        [look_up(core), with_digits]
    }

    /// Whether some rule holds on some sites only.
    pub(crate) fn ask_for_site(&self) -> bool {
        self.rules.iter().any(|rule| !rule.sites.is_empty())
    }

    pub(crate) fn automaton(&self) -> Option<&AhoCorasick> {
        self.automaton.as_ref()
    }

    pub(crate) fn pattern(&self, pattern: aho_corasick::PatternID) -> Pattern {
        self.patterns[pattern.as_usize()]
    }

    /// How long the folded blocks are, in characters, that the automaton may match at all.
    pub(crate) fn max_chars(&self) -> usize {
        self.max_chars
    }

    /// How long the folded blocks are, in characters, that a whole-line rule may match at all.
    pub(crate) fn line_max_chars(&self) -> usize {
        self.line_max_chars
    }

    fn add(&mut self, pack: &Pack, needles: &mut Vec<Vec<u8>>) -> Result<()> {
        let base = self.rules.len();
        let number_of = |id: &String| {
            let position = pack.rules.iter().position(|rule| rule.id == *id);
            rule_idx(base + position.expect("a pack is read only if what its rules are near exists"))
        };
        if base + pack.rules.len() > usize::from(u16::MAX) {
            return Err(Error::pack(pack.origin.clone(), format!("more than {} rules; use fewer packs", u16::MAX)));
        }
        for (offset, rule) in pack.rules.iter().enumerate() {
            let number = rule_idx(base + offset);
            let empty = |pattern: &str| {
                let what = format!("rule {:?}: pattern {pattern:?} folds to nothing; delete it", rule.id);
                Error::pack(format!("{}:{}", pack.origin, rule.line), what)
            };
            let mut region = None;
            let mut add = |patterns: &[String], anchor, role| -> Result<()> {
                for pattern in patterns {
                    let needle = folded(pattern);
                    let needle = match anchor {
                        Anchor::Start => without_leading(&needle),
                        Anchor::End => without_trailing(&needle),
                        Anchor::Anywhere => &needle,
                    };
                    if needle.is_empty() {
                        return Err(empty(pattern));
                    }
                    needles.push(needle.to_vec());
                    self.patterns.push(Pattern { rule: number, anchor, role });
                    self.max_chars = self.max_chars.max(rule.max_chars);
                }
                Ok(())
            };
            match &rule.matching {
                Match::Line(patterns) => {
                    for pattern in patterns {
                        let line = as_line_pattern(pattern);
                        if line.is_empty() {
                            return Err(empty(pattern));
                        }
                        self.has_digit_lines |= line.contains(&b'#');
                        self.line_max_chars = self.line_max_chars.max(rule.max_chars);
                        let owners = self.lines.entry(line.into()).or_default();
                        if !owners.contains(&number) {
                            owners.push(number);
                        }
                    }
                }
                Match::Prefix(patterns) => add(patterns, Anchor::Start, Role::Block)?,
                Match::Suffix(patterns) => add(patterns, Anchor::End, Role::Block)?,
                Match::Within(patterns) => add(patterns, Anchor::Anywhere, Role::Block)?,
                Match::Region { start, end, max_lines } => {
                    add(start, Anchor::Start, Role::RegionStart)?;
                    add(end, Anchor::Start, Role::RegionEnd)?;
                    let (has_start, has_end) = (!start.is_empty(), !end.is_empty());
                    region = Some(CompiledRegion { has_start, has_end, max_lines: *max_lines });
                }
                Match::Shape => {}
            }
            let near = rule.near.as_ref().map(|Near { rules, lines, side }| CompiledNear {
                rules: rules.iter().map(number_of).collect(),
                lines: *lines,
                side: *side,
            });
            self.rules.push(CompiledRule {
                id: format!("{}/{}", pack.name, rule.id),
                max_chars: rule.max_chars,
                head: rule.head,
                tail: rule.tail,
                near,
                sites: rule.sites.clone(),
                shape: rule.shape,
                is_by_shape: rule.matching == Match::Shape,
                removal: rule.removal,
                region,
            });
        }
        Ok(())
    }

    /// An order in which each rule comes after those that it must be near, or a rule of a circle.
    fn in_order_of_need(&self) -> Result<Vec<RuleIdx>, RuleIdx> {
        let mut order: Vec<RuleIdx> = Vec::new();
        let mut placed = vec![false; self.rules.len()];
        while order.len() < self.rules.len() {
            let before = order.len();
            for rule in self.iter() {
                let ready = |other: &RuleIdx| placed[usize::from(other.0)];
                let near = &self.rule(rule).near;
                if !ready(&rule) && near.as_ref().is_none_or(|near| near.rules.iter().all(ready)) {
                    placed[usize::from(rule.0)] = true;
                    order.push(rule);
                }
            }
            if order.len() == before {
                let stuck = placed.iter().position(|placed| !placed);
                return Err(rule_idx(stuck.expect("fewer rules are placed than there are")));
            }
        }
        Ok(order)
    }
}

fn rule_idx(number: usize) -> RuleIdx {
    RuleIdx(u16::try_from(number).expect("packs with more rules than that are refused"))
}

fn folded(pattern: &str) -> Vec<u8> {
    let mut out = Vec::new();
    fold(pattern.as_bytes(), Fold::Loose, &mut out);
    out
}

/// A whole-line pattern as it is looked up: its decoration gone, but for a `#` that stands for digits.
fn as_line_pattern(pattern: &str) -> Vec<u8> {
    // A letter that folds to itself and that no page has in its labels keeps the "#" from counting as decoration.
    const STAND_IN: &str = "\u{fdd0}";
    let line = folded(&pattern.replace('#', STAND_IN));
    let core = core_of(&line).of(&line);
    String::from_utf8_lossy(core).replace(STAND_IN, "#").into_bytes()
}

/// A line with `#` for each run of digits, which may have single `,` `.` or `:` between digits.
fn as_digit_line(core: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < core.len() {
        if !core[at].is_ascii_digit() {
            out.push(core[at]);
            at += 1;
            continue;
        }
        out.push(b'#');
        while at < core.len() {
            let joins = matches!(core[at], b',' | b'.' | b':') && core.get(at + 1).is_some_and(u8::is_ascii_digit);
            if !core[at].is_ascii_digit() && !joins {
                break;
            }
            at += 1;
        }
    }
}
