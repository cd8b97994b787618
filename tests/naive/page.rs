//! A document as a list of blocks, and what is left of it when some go.

use dehusk::text::{Fold, Unit, blocks, fold};

/// The lines of a text, with their newlines.
pub(crate) fn lines(text: &[u8]) -> Vec<&[u8]> {
    blocks(text, Unit::Line).map(|span| span.of(text)).collect()
}

/// A line as it is compared.
pub(crate) fn folded(line: &[u8]) -> Vec<u8> {
    let mut folded = Vec::new();
    fold(line, Fold::Loose, &mut folded);
    folded
}

/// Which blocks stay, given which are cut and which are blank. In a run of cut and blank blocks the blank ones go with the
/// cuts; but between two blocks that stay, those above the first cut stay, or if there are none those below the last.
pub(crate) fn stays(is_cut: &[bool], is_blank: &[bool]) -> Vec<bool> {
    let mut stays = vec![true; is_cut.len()];
    let in_run = |block: usize| is_cut[block] || is_blank[block];
    for block in 0..is_cut.len() {
        if is_cut[block] {
            stays[block] = false;
            continue;
        }
        if !is_blank[block] {
            continue;
        }
        let above: Vec<usize> = (0..block).rev().take_while(|block| in_run(*block)).collect();
        let below: Vec<usize> = (block + 1..is_cut.len()).take_while(|block| in_run(*block)).collect();
        let cut_above = above.iter().any(|block| is_cut[*block]);
        let cut_below = below.iter().any(|block| is_cut[*block]);
        let at_edge = above.len() == block || below.len() == is_cut.len() - block - 1;
        let blank_on_top = above.last().is_none_or(|top| is_blank[*top] && !is_cut[*top]);
        stays[block] = match (cut_above, cut_below) {
            (false, false) => true,
            _ if at_edge => false,
            (false, true) => true,
            (true, true) => false,
            (true, false) => !blank_on_top,
        };
    }
    stays
}
