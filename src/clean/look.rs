//! The look: what can be known of a document by itself. Blocks are cut, folded, scanned and put in line for their hash.

use super::facts::{FactsLooker, LookedFacts};
use super::ids::Ids;
use crate::config::Config;
use crate::decide::{Chrome, Judge, Page, Reason, Scope, Template, join};
use crate::error::Result;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::index::{EntryId, Mark, Notes, Place, Trace};
use crate::rules::Rules;
use crate::running::{self, Running};
use crate::scan::{Hit, scan};
use crate::score::{Level, Score, ScoreScratch, Scorer};
use crate::template::{Line, PartFacts, SiteTemplates};
use crate::text::{Fold, Span, Unit, blocks, fold, is_hard_wrapped, weighs};
use std::sync::Arc;

/// A text with what is known of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Document<'d> {
    /// The text: bytes that are UTF-8 by convention.
    pub text: &'d [u8],
    /// Its address.
    pub url: Option<&'d str>,
    /// Its site; the registrable domain of its address if not given.
    pub site: Option<&'d str>,
    /// What it is known by where documents are remembered; its address if not given.
    pub id: Option<&'d str>,
}

impl<'d> Document<'d> {
    /// A document of which only the text is known.
    pub fn new(text: &'d (impl AsRef<[u8]> + ?Sized)) -> Self {
        Document { text: text.as_ref(), url: None, site: None, id: None }
    }

    /// The site: the one given, or the registrable domain of the address by the public-suffix list.
    pub fn site(&self) -> Option<&'d str> {
        self.site.or_else(|| registrable_domain(self.url?))
    }
}

fn registrable_domain(url: &str) -> Option<&str> {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    psl::domain_str(host).or((!host.is_empty()).then_some(host))
}

/// What was seen of some documents.
#[derive(Debug, Default)]
pub(crate) struct Look {
    kinds: Vec<Kind>,
    /// One for each block; of use only for those that are compared.
    fingerprints: Vec<Fingerprint>,
    chrome: Vec<Chrome>,
    documents: Vec<LookedDocument>,
    /// One for each document; of use only for those that are compared as a whole.
    wholes: Vec<Fingerprint>,
    looked_facts: LookedFacts,
    /// What templates are learned from, once all is finished.
    facts: PartFacts,
    /// What the documents are known by, if that is gathered.
    ids: Ids,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Blank,
    /// Gone as chrome, or repeats are not looked for.
    Uncompared,
    Short,
    Long,
}

#[derive(Clone, Copy, Debug)]
struct LookedDocument {
    blocks_start: usize,
    chrome_start: usize,
    group: Group,
}

/// With what a document is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Corpus,
    Site(Fingerprint),
    Alone,
}

impl Look {
    pub(crate) fn clear(&mut self) {
        self.kinds.clear();
        self.fingerprints.clear();
        self.chrome.clear();
        self.documents.clear();
        self.wholes.clear();
        self.looked_facts.clear();
        self.ids.clear();
    }

    /// The facts of its documents that have a site, if they were gathered.
    pub(crate) fn take_facts(&mut self) -> PartFacts {
        std::mem::take(&mut self.facts)
    }

    /// What its documents are known by, if that was gathered.
    pub(crate) fn take_ids(&mut self) -> Ids {
        std::mem::take(&mut self.ids)
    }

    pub(crate) fn n_blocks(&self) -> usize {
        self.kinds.len()
    }

    /// What goes of a document by what it shows itself.
    pub(crate) fn chrome_of(&self, document_idx: usize) -> &[Chrome] {
        let end = self.documents.get(document_idx + 1).map_or(self.chrome.len(), |next| next.chrome_start);
        &self.chrome[self.documents[document_idx].chrome_start..end]
    }

    /// Adds a document that has no text to look at.
    pub(crate) fn push_empty(&mut self) {
        self.documents.push(LookedDocument {
            blocks_start: self.kinds.len(),
            chrome_start: self.chrome.len(),
            group: Group::Alone,
        });
        self.ids.push_alone();
    }

    /// Whether a document is compared with no other.
    pub(crate) fn is_alone(&self, document_idx: usize) -> bool {
        self.documents[document_idx].group == Group::Alone
    }

    fn blocks_of(&self, document_idx: usize) -> std::ops::Range<usize> {
        let end = self.documents.get(document_idx + 1).map_or(self.kinds.len(), |next| next.blocks_start);
        self.documents[document_idx].blocks_start..end
    }

    /// Notes the documents in the index, as standing in part `part` after what `trace` holds, and adds their marks to
    /// `trace`. A block that goes as chrome is not noted: its repeats elsewhere are not repeats of something that stays.
    pub(crate) fn note(&self, index: &impl Notes, part: u32, trace: &mut Trace) -> Result<()> {
        self.note_with(part, trace, |batch, entries| index.note(batch, entries))
    }

    /// The same, where `note` is what takes notes, and appends an entry for each.
    pub(crate) fn note_with(
        &self,
        part: u32,
        trace: &mut Trace,
        note: impl FnOnce(&[(Fingerprint, Place)], &mut Vec<EntryId>) -> Result<()>,
    ) -> Result<()> {
        let base = trace.n_blocks();
        let place = |block_idx: usize| {
            let block = u32::try_from(base + block_idx).expect("has_room was asked, so that blocks can be numbered");
            Place { part, block }
        };
        let mut batch = Vec::with_capacity(self.kinds.len() + self.documents.len());
        for (document_idx, document) in self.documents.iter().enumerate() {
            let blocks = self.blocks_of(document_idx);
            let scope = match document.group {
                Group::Corpus => None,
                Group::Site(site) => Some(site),
                Group::Alone => {
                    let Place { part, block } = place(blocks.start);
                    Some(Fingerprint::of_scope(&[part.to_le_bytes(), block.to_le_bytes()].concat()))
                }
            };
            let scoped = |fingerprint: Fingerprint| scope.map_or(fingerprint, |scope| fingerprint.within(scope));
            let compared = self.compared(blocks.clone());
            batch.extend(compared.map(|block_idx| (scoped(self.fingerprints[block_idx]), place(block_idx))));
            if self.is_compared_whole(document_idx) {
                batch.push((scoped(self.wholes[document_idx]), place(blocks.start)));
            }
        }
        let mut entries = Vec::with_capacity(batch.len());
        note(&batch, &mut entries)?;
        let mut entries = entries.into_iter();
        let mut next = || entries.next().expect("an index gives an entry for each fingerprint");
        for document_idx in 0..self.documents.len() {
            trace.begin_document();
            trace.push(self.kinds[self.blocks_of(document_idx)].iter().map(|kind| match kind {
                Kind::Blank => Mark::BLANK,
                Kind::Uncompared => Mark::UNCOMPARED,
                Kind::Short => Mark::short(next()),
                Kind::Long => Mark::long(next()),
            }));
            if self.is_compared_whole(document_idx) {
                trace.set_whole(next());
            }
        }
        Ok(())
    }

    /// Those of some blocks that are compared.
    fn compared(&self, blocks: std::ops::Range<usize>) -> impl Iterator<Item = usize> + Clone {
        blocks.filter(|&block_idx| matches!(self.kinds[block_idx], Kind::Short | Kind::Long))
    }

    /// Whether a document may be a copy of another in a way that its long blocks do not tell: it has several blocks, and
    /// some are short. A document of one short line is no more than a short line.
    fn is_compared_whole(&self, document_idx: usize) -> bool {
        let mut compared = self.compared(self.blocks_of(document_idx));
        self.documents[document_idx].group != Group::Alone
            && compared.clone().nth(1).is_some()
            && compared.any(|block_idx| self.kinds[block_idx] == Kind::Short)
    }
}

/// What else the lines of a document are looked at for.
#[derive(Clone, Copy, Debug)]
struct For {
    /// Templates are learned from its site.
    facts: bool,
    /// Templates of its site are known.
    templates: bool,
}

/// Looks at documents, one thread's worth at a time.
#[derive(Debug)]
pub(crate) struct Looker {
    unit: Unit,
    fold: Fold,
    min_chars: usize,
    scope: Scope,
    level: Level,
    gathers_facts: bool,
    gathers_ids: bool,
    facts: FactsLooker,
    /// Of a document on a site of which packs have templates.
    lines: Vec<Line>,
    fingerprinter: Fingerprinter,
    blocks: Vec<Span>,
    shown: Vec<u32>,
    hits: Vec<Hit>,
    judge: Judge,
    running: Vec<Running>,
    pages: running::Scratch,
    scratch: Vec<u8>,
    /// What scores lines, and the least score that a line goes for.
    scorer: Option<(Arc<Scorer>, Score)>,
    score_scratch: ScoreScratch,
    scores: Vec<Score>,
}

impl Looker {
    /// A looker, which scores lines if it is given what scores them and the level is not only rules.
    pub(crate) fn new(config: &Config, scorer: Option<&Arc<Scorer>>) -> Self {
        let scorer = scorer.and_then(|scorer| {
            let least = scorer.threshold(config.level)?;
            Some((Arc::clone(scorer), config.score_threshold.map_or(least, Score::from)))
        });
        Looker {
            unit: config.unit,
            fold: config.fold,
            min_chars: config.min_chars,
            scope: config.scope,
            level: config.level,
            gathers_facts: false,
            gathers_ids: false,
            facts: FactsLooker::default(),
            lines: Vec::new(),
            fingerprinter: Fingerprinter::default(),
            blocks: Vec::new(),
            shown: Vec::new(),
            hits: Vec::new(),
            judge: Judge::default(),
            running: Vec::new(),
            pages: running::Scratch::default(),
            scratch: Vec::new(),
            scorer,
            score_scratch: ScoreScratch::default(),
            scores: Vec::new(),
        }
    }

    /// The same, and whether it gathers what templates are learned from.
    pub(crate) fn with_facts(self, gathers_facts: bool) -> Self {
        Looker { gathers_facts, ..self }
    }

    /// The same, and whether it gathers what documents are known by.
    pub(crate) fn with_ids(self, gathers_ids: bool) -> Self {
        Looker { gathers_ids, ..self }
    }

    /// The blocks of the document that was looked at last.
    pub(crate) fn blocks(&self) -> &[Span] {
        &self.blocks
    }

    /// Adds a document to `look`. Fingerprints are complete only after [`finish`](Looker::finish).
    pub(crate) fn look(&mut self, rules: &Rules, document: &Document<'_>, look: &mut Look) {
        self.blocks.clear();
        self.shown.clear();
        self.hits.clear();
        let wants_site = self.scope == Scope::Site || rules.ask_for_site() || self.gathers_facts;
        let site = if wants_site { document.site() } else { None };
        let gathers_facts = self.gathers_facts && site.is_some();
        if let Some(site) = site.filter(|_| gathers_facts) {
            look.looked_facts.begin(look.documents.len(), site);
        }
        self.lines.clear();
        let templates = site.filter(|_| self.level >= Level::Safe).map_or(&[][..], |site| rules.templates(site));
        look.documents.push(LookedDocument {
            blocks_start: look.kinds.len(),
            chrome_start: look.chrome.len(),
            group: match (self.scope, site) {
                (Scope::Corpus, _) => Group::Corpus,
                (Scope::Site, Some(site)) => Group::Site(Fingerprint::of_scope(site.as_bytes())),
                (Scope::Site, None) | (Scope::Document | Scope::Off, _) => Group::Alone,
            },
        });
        if self.gathers_ids && !look.is_alone(look.documents.len() - 1) {
            look.ids.push(document.id.or(document.url));
        } else if self.gathers_ids {
            look.ids.push_alone();
        }
        if let Some((scorer, _)) = &self.scorer {
            scorer.begin(&mut self.score_scratch);
        }
        for (block_idx, span) in (0..).zip(blocks(document.text, self.unit)) {
            self.blocks.push(span);
            let block = span.of(document.text);
            let used = For { facts: gathers_facts, templates: !templates.is_empty() };
            let kind = self.look_at_block(rules, block, used, look);
            if kind != Kind::Blank {
                self.shown.push(block_idx);
                if let Some((scorer, _)) = &self.scorer {
                    scorer.add(block, &mut self.score_scratch);
                }
            }
            look.kinds.push(kind);
        }
        if self.unit == Unit::Line && is_hard_wrapped(document.text, &self.blocks, &self.shown) {
            let start = look.documents[look.documents.len() - 1].blocks_start;
            for kind in look.kinds[start..].iter_mut().filter(|kind| **kind == Kind::Long) {
                *kind = Kind::Short;
            }
        }
        let page = Page { text: document.text, blocks: &self.blocks, site, shown: &self.shown };
        self.judge.judge(rules, &page, &self.hits, &mut look.chrome);
        let LookedDocument { blocks_start, chrome_start, .. } = look.documents[look.documents.len() - 1];
        join(&mut look.chrome, chrome_start, self.gone_by(templates).into_iter());
        if self.level >= Level::Safe {
            self.running.clear();
            running::find(page.text, self.unit, &self.blocks, &self.shown, &mut self.pages, &mut self.running);
            let blocks = self.running.iter().map(|running| (running.block, Reason::Running(running.pages)));
            join(&mut look.chrome, chrome_start, blocks);
        }
        self.scores.clear();
        if let Some((scorer, least)) = &self.scorer {
            scorer.score(&mut self.score_scratch, &mut self.scores);
            let scored = self.shown.iter().zip(&self.scores).filter(|(_, score)| *score >= least);
            let scored = scored.map(|(&block, &score)| (block, Reason::Score(score)));
            join(&mut look.chrome, chrome_start, scored);
        }
        for chrome in &look.chrome[chrome_start..] {
            if chrome.words.is_none() {
                look.kinds[blocks_start + chrome.block as usize] = Kind::Uncompared;
            }
        }
    }

    /// Completes the fingerprints of all documents in `look`.
    pub(crate) fn finish(&mut self, look: &mut Look) {
        self.fingerprinter.flush(&mut look.fingerprints);
        let mut wholes = std::mem::take(&mut look.wholes);
        wholes.resize(look.documents.len(), Fingerprint::default());
        for document_idx in 0..look.documents.len() {
            if look.is_compared_whole(document_idx) {
                let blocks = look.compared(look.blocks_of(document_idx)).map(|block_idx| look.fingerprints[block_idx]);
                self.fingerprinter.end_document(blocks, document_idx, &mut wholes);
            }
        }
        self.fingerprinter.flush(&mut wholes);
        look.wholes = wholes;
        if self.gathers_facts {
            look.facts = self.facts.finish(&mut look.looked_facts, &look.fingerprints);
        }
    }

    fn look_at_block(&mut self, rules: &Rules, block: &[u8], used: For, look: &mut Look) -> Kind {
        let slot = look.fingerprints.len();
        look.fingerprints.push(Fingerprint::default());
        fold(block, Fold::Loose, self.fingerprinter.begin());
        let folded = self.fingerprinter.folded();
        if folded.is_empty() {
            return Kind::Blank;
        }
        scan(rules, folded, self.shown.len(), &mut self.scratch, &mut self.hits);
        if used.templates {
            self.lines.push(Line::of_folded(folded));
        }
        if used.facts {
            let is_hashed = self.scope != Scope::Off && self.fold == Fold::Loose;
            self.facts.add(folded, is_hashed.then_some(slot), &mut look.looked_facts);
        }
        let kind = match self.scope {
            Scope::Off => Kind::Uncompared,
            _ if self.is_long(folded) => Kind::Long,
            _ => Kind::Short,
        };
        if kind == Kind::Uncompared {
            self.fingerprinter.discard();
            return kind;
        }
        if self.fold != Fold::Loose {
            self.fingerprinter.discard();
            fold(block, self.fold, self.fingerprinter.begin());
            if self.fingerprinter.folded().is_empty() {
                // Nor could an index tell, when the document comes again, that a template took it.
                if used.facts {
                    look.looked_facts.spare_last();
                }
                return Kind::Uncompared;
            }
        }
        self.fingerprinter.end(slot, &mut look.fingerprints);
        kind
    }

    /// What the templates of packs remove of the document that was looked at last.
    fn gone_by(&self, templates: &[SiteTemplates]) -> Vec<(u32, Reason)> {
        let mut gone: Vec<(u32, Reason)> = Vec::new();
        for learned in templates {
            learned.apply(&self.lines, |rank, entry| {
                let template = Template { documents: entry.documents, of: learned.documents() };
                gone.push((self.shown[rank], Reason::Template(template)));
            });
        }
        gone.sort_by_key(|(block, _)| *block);
        gone.dedup_by_key(|(block, _)| *block);
        gone
    }

    fn is_long(&self, folded: &[u8]) -> bool {
        // A character weighs all of its bytes at most.
        folded.len() >= self.min_chars && weighs(folded, self.min_chars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_the_registrable_domain() {
        for (url, site) in [
            ("https://news.bbc.co.uk/1/hi", Some("bbc.co.uk")),
            ("http://user:pw@www.example.com:8080?x#y", Some("example.com")),
            ("example.org/page", Some("example.org")),
            ("http://localhost:80/", Some("localhost")),
            ("", None),
        ] {
            assert_eq!(Document { url: Some(url), ..Document::default() }.site(), site, "{url}");
        }
    }
}
