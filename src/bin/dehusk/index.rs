//! `dehusk index`.

use crate::args::IndexCommand;
use crate::clean::counted;
use crate::{BAD, FINE, print, terminal};
use dehusk::{Index, IndexReader, IndexStats, merge_indexes};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;

/// A line of an export.
#[derive(Serialize)]
struct Exported<'e> {
    fingerprint: String,
    owner: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'e str>,
}

pub(crate) fn index(command: IndexCommand) -> anyhow::Result<u8> {
    match command {
        IndexCommand::Stats { index, json } => {
            let stats = IndexReader::open(index)?.stats()?;
            let told = if json { serde_json::to_string_pretty(&stats)? + "\n" } else { in_words(&stats)? };
            print(told.as_bytes())
        }
        IndexCommand::Verify { index } => {
            let reader = IndexReader::open(index)?;
            reader.verify()?;
            let stats = reader.stats()?;
            let (fingerprints, documents) = (stats.fingerprints, stats.documents);
            let told = format!("whole: {}, {}", counted(fingerprints, "fingerprint"), counted(documents, "document"));
            print(format!("{told}\n").as_bytes())
        }
        IndexCommand::Export { index } => {
            let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
            let mut outcome = Ok(());
            IndexReader::open(index)?.each(|fingerprint, owner, id| {
                let bytes = fingerprint.as_bytes().iter();
                let fingerprint = bytes.map(|byte| format!("{byte:02x}")).collect();
                let line = serde_json::to_string(&Exported { fingerprint, owner: owner.number(), id });
                outcome = line.map_err(std::io::Error::from).and_then(|line| writeln!(out, "{line}"));
                Ok(outcome.is_ok())
            })?;
            outcome.and_then(|()| out.flush())?;
            Ok(FINE)
        }
        IndexCommand::RemoveOwner { index, ids } => {
            let index = Index::open_existing(index)?;
            let mut code = FINE;
            for id in ids {
                match index.remove_owner(&id)? {
                    0 => {
                        terminal::error(&format!("{}: no document is known by that", terminal::printable(&id)));
                        code = BAD;
                    }
                    n_removed => {
                        let removed = counted(n_removed, "fingerprint");
                        terminal::say(&format!("{}: gave up {removed}", terminal::printable(&id)));
                    }
                }
            }
            Ok(code)
        }
        IndexCommand::Merge { into, from } => {
            merge_indexes(&into, &from)?;
            Ok(FINE)
        }
        IndexCommand::Compact { index } => {
            Index::open_existing(index)?.compact()?;
            Ok(FINE)
        }
    }
}

fn in_words(stats: &IndexStats) -> anyhow::Result<String> {
    let mut told = String::new();
    let numbers = [
        ("fingerprints", stats.fingerprints),
        ("documents", stats.documents),
        ("commits", stats.commits),
        ("runs", stats.runs as u64),
        ("records in runs", stats.records_in_runs),
        ("bytes of fingerprints", stats.fingerprint_bytes),
        ("bytes of documents", stats.document_bytes),
        ("fold version", u64::from(stats.fold_version)),
    ];
    for (name, number) in numbers {
        writeln!(told, "{name:<22} {number}")?;
    }
    writeln!(told, "{:<22} {}", "owners", if stats.owners { "kept" } else { "not kept" })?;
    for (name, value) in &stats.settings {
        writeln!(told, "{name:<22} {value}")?;
    }
    Ok(told)
}
