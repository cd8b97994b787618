//! The removed blocks that take most, which a dry run tells.

use super::edits::{EditedRecord, PartBytes, Why};
use super::memory::most_top;
use super::report::{RecordPlace, TopRemoved, tell_reason};
use crate::config::Config;
use crate::decide::Reason;
use crate::index::Place;
use crate::rules::Rules;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// So many are told.
const TOLD: usize = 20;
/// So many bytes of each are shown.
const SHOWN_BYTES: usize = 120;

/// What was removed, each different block once. Threads' own can be merged in any order.
#[derive(Debug)]
pub(super) enum Tops {
    Blocks(HashMap<[u8; 32], Top>),
    /// There were more than memory allows.
    TooMany,
}

#[derive(Debug)]
pub(super) struct Top {
    bytes: u64,
    blocks: u64,
    first: (RecordPlace, u32),
    why: Why,
    text: Vec<u8>,
}

impl Default for Tops {
    fn default() -> Self {
        Tops::Blocks(HashMap::new())
    }
}

impl Tops {
    /// Adds what is removed of a record.
    pub(super) fn add(
        &mut self,
        config: &Config,
        place: RecordPlace,
        source: PartBytes<'_>,
        edited: &EditedRecord<'_>,
    ) {
        for cut in edited.cuts {
            let Why::Decided(reason) = cut.why else {
                continue;
            };
            let (Some(block), false) = (cut.block, reason == Reason::Gap) else {
                continue;
            };
            let text = source.reading.text(cut.span.of(source.bytes));
            let text = text.trim_ascii();
            let shown = text[..text.len().min(SHOWN_BYTES)].to_vec();
            let bytes = cut.span.len() as u64;
            let top = Top { bytes, blocks: 1, first: (place, block), why: cut.why, text: shown };
            self.insert(*blake3::hash(text).as_bytes(), top);
        }
        self.bound(config);
    }

    pub(super) fn merge(&mut self, config: &Config, other: Tops) {
        match other {
            Tops::Blocks(blocks) => blocks.into_iter().for_each(|(hash, top)| self.insert(hash, top)),
            Tops::TooMany => *self = Tops::TooMany,
        }
        self.bound(config);
    }

    fn insert(&mut self, hash: [u8; 32], top: Top) {
        let Tops::Blocks(blocks) = self else { return };
        match blocks.entry(hash) {
            Entry::Vacant(vacant) => {
                vacant.insert(top);
            }
            Entry::Occupied(mut occupied) => {
                let own = occupied.get_mut();
                own.bytes += top.bytes;
                own.blocks += top.blocks;
                if top.first < own.first {
                    (own.first, own.why) = (top.first, top.why);
                }
            }
        }
    }

    /// Gives up where there are more than memory allows: whether it comes to that depends on the input alone.
    fn bound(&mut self, config: &Config) {
        if let Tops::Blocks(blocks) = self
            && blocks.len() > most_top(config)
        {
            *self = Tops::TooMany;
        }
    }

    /// Those that take most, most first; nothing if there were too many to know.
    pub(super) fn told(
        self,
        rules: &Rules,
        tell_block: impl Fn(RecordPlace, u32) -> String,
        tell_first: impl Fn(Place) -> String,
    ) -> Option<Vec<TopRemoved>> {
        let Tops::Blocks(blocks) = self else { return None };
        let mut top: Vec<Top> = blocks.into_values().collect();
        top.sort_by_key(|top| (std::cmp::Reverse(top.bytes), top.first));
        top.truncate(TOLD);
        let told = top.into_iter().map(|top| TopRemoved {
            bytes: top.bytes,
            blocks: top.blocks,
            reason: tell_reason(rules, top.why, &tell_first),
            place: tell_block(top.first.0, top.first.1),
            text: String::from_utf8_lossy(&top.text).into_owned(),
        });
        Some(told.collect())
    }
}
