//! What the pages of each site repeat, learned from all documents of a run and applied to each.

use super::workers::Workers;
use crate::decide::Template;
use crate::index::{Mark, Trace};
use crate::sites::Sites;
use crate::template::{DocumentFacts, PartFacts, chosen, learn};
use hashbrown::HashMap;

/// A block that a template removes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learned {
    /// The block, by its number in the part.
    pub(crate) block: u32,
    pub(crate) template: Template,
}

/// Learns the templates of all sites, from the run's documents and those that are known of other runs, and finds for each part what they
/// remove, in the order of its blocks.
///
/// Sites do not depend on each other, so that threads take them in any order.
pub(super) fn learn_and_apply(
    workers: &Workers,
    facts: &[PartFacts],
    traces: &[Trace],
    known: Option<&Sites>,
) -> Vec<Vec<Learned>> {
    let mut sites: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for (part_idx, part) in facts.iter().enumerate() {
        for number in 0..part.len() {
            sites.entry(part.document(number).site).or_default().push((part_idx, number));
        }
    }
    let mut sites: Vec<(&str, Vec<(usize, usize)>)> =
        sites.into_iter().filter(|(_, documents)| documents.len() > 1 || known.is_some()).collect();
    sites.sort_unstable_by_key(|(site, _)| *site);
    let found = workers.each(
        sites.len(),
        || (),
        |(), site_idx| {
            let documents: Vec<(usize, DocumentFacts<'_>)> = sites[site_idx]
                .1
                .iter()
                .map(|(part_idx, number)| (*part_idx, facts[*part_idx].document(*number)))
                .collect();
            of_site(&documents, traces, known)
        },
    );
    let mut parts: Vec<Vec<Learned>> = vec![Vec::new(); facts.len()];
    for (part_idx, learned) in found.into_iter().flatten() {
        parts[part_idx].push(learned);
    }
    for part in &mut parts {
        part.sort_unstable_by_key(|learned| learned.block);
    }
    parts
}

fn of_site(documents: &[(usize, DocumentFacts<'_>)], traces: &[Trace], known: Option<&Sites>) -> Vec<(usize, Learned)> {
    let site = documents[0].1.site;
    let elsewhere = known.map_or_else(Vec::new, |known| known.pages(site));
    let elsewhere =
        elsewhere.iter().map(|(identity, lines)| DocumentFacts { document_idx: 0, site, identity: *identity, lines });
    let templates = learn(&chosen(documents.iter().map(|(_, document)| *document).chain(elsewhere).collect()));
    let mut found = Vec::new();
    for (part_idx, document) in documents {
        let trace = &traces[*part_idx];
        let mut shown = trace.blocks_of(document.document_idx).filter(|block| trace.mark(*block) != Mark::BLANK);
        let mut next_rank = 0;
        templates.apply(document.lines, |rank, entry| {
            let block = shown.nth(rank - next_rank).expect("a document has facts for each block that shows something");
            next_rank = rank + 1;
            let block = u32::try_from(block).expect("blocks of a part are numbered with 32 bits");
            let template = Template { documents: entry.documents, of: templates.documents() };
            found.push((*part_idx, Learned { block, template }));
        });
    }
    found
}
