//! Packs compiled into what the scan runs: one look-up of whole lines, one automaton for what a block starts or ends with,
//! and one for what may stand anywhere in it.
//!
//! Two automata, not one: the first is only walked from the edges, where it ends after a few bytes on most blocks, and may
//! be large; the second is run over whole blocks, and is much faster if it is small.

use super::decoration::{core_of, without_leading, without_trailing};
use super::sieve::Sieve;
use super::{Match, Near, Pack, Removal, Shape};
use crate::error::{Error, Result};
use crate::template::{SiteTemplates, site_name};
use crate::text::{Fold, fold};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, PatternID};
use hashbrown::HashMap;

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
    /// The rules with conditions that look at the whole document, each after those that it must be near.
    conditioned: Vec<RuleIdx>,
    /// How many different sets of rules other rules must be near.
    n_near_sets: usize,
    lines: Lines,
    /// The same for patterns in which "#" stands for digits.
    digit_lines: Lines,
    /// How long a folded block may be, in characters, that some whole-line rule takes.
    line_max_chars: usize,
    /// Over the patterns that a block must start with, and backwards those that it must end with.
    edges: Option<NFA>,
    edge_patterns: Vec<Pattern>,
    starts: Sieve,
    ends: Sieve,
    /// Over the patterns that may stand anywhere in a block.
    anywhere: Option<AhoCorasick>,
    anywhere_patterns: Vec<Pattern>,
    edges_max_chars: usize,
    anywhere_max_chars: usize,
    /// What was learned of sites; of one, several packs may have something.
    sites: HashMap<Box<str>, Vec<SiteTemplates>>,
}

/// Whole lines, and the rules that take them.
#[derive(Debug, Default)]
struct Lines {
    owners: HashMap<Box<[u8]>, Vec<RuleIdx>>,
    sieve: Sieve,
    /// How long the longest line is, in bytes.
    longest: usize,
}

impl Lines {
    fn add(&mut self, line: &[u8], owner: RuleIdx) {
        self.sieve.add_whole(line);
        self.longest = self.longest.max(line.len());
        let owners = self.owners.entry(line.into()).or_default();
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }

    fn look_up(&self, line: &[u8]) -> &[RuleIdx] {
        let may_be = line.len() <= self.longest && self.sieve.may_be(line);
        if may_be { self.owners.get(line).map_or(&[], Vec::as_slice) } else { &[] }
    }
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
    /// Whether a hit is not enough: the whole document must be looked at.
    pub(crate) is_conditioned: bool,
    /// The near sets that it is in.
    pub(crate) near_sets: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct CompiledNear {
    /// The set of rules that one must be near of.
    pub(crate) set: usize,
    pub(crate) lines: usize,
    pub(crate) side: super::Side,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledRegion {
    pub(crate) has_start: bool,
    pub(crate) has_end: bool,
    pub(crate) max_lines: Option<usize>,
}

/// What the automata are made of.
#[derive(Debug, Default)]
struct Needles {
    edges: Vec<Vec<u8>>,
    anywhere: Vec<Vec<u8>>,
}

/// A pattern of an automaton.
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
        let mut near_sets: Vec<Vec<RuleIdx>> = Vec::new();
        let mut needles = Needles::default();
        for (pack_idx, pack) in packs.iter().enumerate() {
            if let Some(other) = packs[..pack_idx].iter().find(|other| other.name == pack.name) {
                let what = format!("pack {:?} was given already, by {}; give it once", pack.name, other.origin);
                return Err(Error::pack(pack.origin.clone(), what));
            }
            rules.add(pack, &mut needles, &mut near_sets)?;
            for site in &pack.sites {
                rules.sites.entry(site.key().into()).or_default().push(site.compile());
            }
        }
        let mut order = rules
            .in_order_of_need(&near_sets)
            .map_err(|rule| Error::pack(rules.id(rule), "its \"near\" leads back to itself; break the circle"))?;
        order.retain(|rule| rules.rule(*rule).is_conditioned);
        rules.conditioned = order;
        rules.n_near_sets = near_sets.len();
        for (set_idx, set) in near_sets.iter().enumerate() {
            for rule in set {
                rules.rules[usize::from(rule.0)].near_sets.push(set_idx);
            }
        }
        let fails = |error: aho_corasick::BuildError| Error::pack("rules", format!("{error}; use fewer packs"));
        if !needles.edges.is_empty() {
            // A walk looks at a few states near the root, which are dense in this form too; a DFA took 50 ms to build.
            let automaton = NFA::builder().match_kind(MatchKind::Standard).build(&needles.edges);
            rules.edges = Some(automaton.map_err(fails)?);
        }
        if !needles.anywhere.is_empty() {
            let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&needles.anywhere);
            rules.anywhere = Some(automaton.map_err(fails)?);
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

    pub(crate) fn conditioned(&self) -> &[RuleIdx] {
        &self.conditioned
    }

    pub(crate) fn n_near_sets(&self) -> usize {
        self.n_near_sets
    }

    /// The rules that have the core of a block as a whole-line pattern. `digits` is scratch.
    pub(crate) fn line<'r>(&'r self, core: &[u8], digits: &mut Vec<u8>) -> [&'r [RuleIdx]; 2] {
        let with_digits = if has_digit(&core[..core.len().min(self.digit_lines.longest)]) {
            digits.clear();
            as_digit_line(core, digits);
            self.digit_lines.look_up(digits)
        } else {
            &[]
        };
        [self.lines.look_up(core), with_digits]
    }

    /// Whether it matters which site a document is of.
    pub(crate) fn ask_for_site(&self) -> bool {
        !self.sites.is_empty() || self.rules.iter().any(|rule| !rule.sites.is_empty())
    }

    /// What was learned of a site.
    pub(crate) fn templates(&self, site: &str) -> &[SiteTemplates] {
        if self.sites.is_empty() { &[] } else { self.sites.get(&*site_name(site)).map_or(&[], Vec::as_slice) }
    }

    /// The automaton over the patterns that a block must start with, and backwards those that it must end with.
    pub(crate) fn edges(&self) -> Option<&NFA> {
        self.edges.as_ref()
    }

    /// Whether the core of a block may start with a pattern.
    pub(crate) fn may_start(&self, core: &[u8]) -> bool {
        self.starts.may_start(core)
    }

    /// Whether the core of a block may end with a pattern.
    pub(crate) fn may_end(&self, core: &[u8]) -> bool {
        self.ends.may_end(core)
    }

    pub(crate) fn edge_pattern(&self, pattern: PatternID) -> Pattern {
        self.edge_patterns[pattern.as_usize()]
    }

    /// The automaton over the patterns that may stand anywhere in a block.
    pub(crate) fn anywhere(&self) -> Option<&AhoCorasick> {
        self.anywhere.as_ref()
    }

    pub(crate) fn anywhere_pattern(&self, pattern: PatternID) -> Pattern {
        self.anywhere_patterns[pattern.as_usize()]
    }

    /// How long the folded blocks are, in characters, that may have a pattern at an edge.
    pub(crate) fn edges_max_chars(&self) -> usize {
        self.edges_max_chars
    }

    /// How long the folded blocks are, in characters, that may have a pattern anywhere.
    pub(crate) fn anywhere_max_chars(&self) -> usize {
        self.anywhere_max_chars
    }

    /// How long the folded blocks are, in characters, that a whole-line rule may match at all.
    pub(crate) fn line_max_chars(&self) -> usize {
        self.line_max_chars
    }

    fn add(&mut self, pack: &Pack, needles: &mut Needles, near_sets: &mut Vec<Vec<RuleIdx>>) -> Result<()> {
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
                        Anchor::Start => without_leading(&needle).to_vec(),
                        Anchor::End => without_trailing(&needle).iter().rev().copied().collect(),
                        Anchor::Anywhere => needle,
                    };
                    if needle.is_empty() {
                        return Err(empty(pattern));
                    }
                    let pattern = Pattern { rule: number, anchor, role };
                    if anchor == Anchor::Anywhere {
                        needles.anywhere.push(needle);
                        self.anywhere_patterns.push(pattern);
                        self.anywhere_max_chars = self.anywhere_max_chars.max(rule.max_chars);
                    } else {
                        let sieve = if anchor == Anchor::Start { &mut self.starts } else { &mut self.ends };
                        sieve.add_start(&needle);
                        needles.edges.push(needle);
                        self.edge_patterns.push(pattern);
                        self.edges_max_chars = self.edges_max_chars.max(rule.max_chars);
                    }
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
                        let lines = if line.contains(&b'#') { &mut self.digit_lines } else { &mut self.lines };
                        self.line_max_chars = self.line_max_chars.max(rule.max_chars);
                        lines.add(&line, number);
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
            let near = rule.near.as_ref().map(|Near { rules, lines, side }| {
                let mut set: Vec<RuleIdx> = rules.iter().map(number_of).collect();
                set.sort_unstable();
                set.dedup();
                let known = near_sets.iter().position(|known| *known == set);
                let set = known.unwrap_or_else(|| {
                    near_sets.push(set);
                    near_sets.len() - 1
                });
                CompiledNear { set, lines: *lines, side: *side }
            });
            let is_placed = rule.head.is_some() || rule.tail.is_some() || near.is_some();
            let is_chosen = rule.shape.is_some() || !rule.sites.is_empty();
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
                is_conditioned: is_placed || is_chosen || region.is_some(),
                near_sets: Vec::new(),
                region,
            });
        }
        Ok(())
    }

    /// An order in which each rule comes after those that it must be near, or a rule of a circle.
    fn in_order_of_need(&self, near_sets: &[Vec<RuleIdx>]) -> Result<Vec<RuleIdx>, RuleIdx> {
        let mut order: Vec<RuleIdx> = Vec::new();
        let mut placed = vec![false; self.rules.len()];
        while order.len() < self.rules.len() {
            let before = order.len();
            for rule in self.iter() {
                let ready = |other: &RuleIdx| placed[usize::from(other.0)];
                let near = &self.rule(rule).near;
                if !ready(&rule) && near.as_ref().is_none_or(|near| near_sets[near.set].iter().all(ready)) {
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

/// Whether there is a digit. To the end in any case, which is vector code and faster than stopping at the first.
fn has_digit(core: &[u8]) -> bool {
    core.iter().fold(false, |has_digit, byte| has_digit | byte.is_ascii_digit())
}

/// A line with `#` for each run of digits, which may have single `,` `.` or `:` between digits.
fn as_digit_line(mut core: &[u8], out: &mut Vec<u8>) {
    while let Some(start) = core.iter().position(u8::is_ascii_digit) {
        out.extend_from_slice(&core[..start]);
        out.push(b'#');
        core = &core[start..];
        let is_number = |at: usize| {
            let joins = || matches!(core[at], b',' | b'.' | b':') && core.get(at + 1).is_some_and(u8::is_ascii_digit);
            core[at].is_ascii_digit() || joins()
        };
        let end = (0..core.len()).find(|at| !is_number(*at)).unwrap_or(core.len());
        core = &core[end..];
    }
    out.extend_from_slice(core);
}
