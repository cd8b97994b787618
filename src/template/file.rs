//! Files of facts: what is known of sites, written down so that it can be merged later.
//!
//! ```text
//! {"dehusk-facts":1,"learned":1,"unit":"line"}
//! {"site":"docs.example","documents":2,"lines":3}     for each site, by name
//! ["acme | home","Acme | Home"]                       its lines: the masked fold, and a sample if that reads otherwise
//! [0,1,2]                                             its documents, by identity: their lines by number
//! {"blake3":"…"}                                      of all bytes before
//! ```

use super::union::{SiteUnion, Union};
use super::{LEARNED_VERSION, Line};
use crate::error::{Error, Result};
use crate::text::Unit;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// The version of this format.
const FORMAT: u32 = 1;
/// How a file of facts starts.
const START: &[u8] = b"{\"dehusk-facts\":";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(rename = "dehusk-facts")]
    format: u32,
    learned: u32,
    unit: Unit,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteHead {
    site: String,
    documents: usize,
    lines: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    blake3: String,
}

/// Whether bytes start as a file of facts does.
pub(crate) fn is_facts(start: &[u8]) -> bool {
    start.starts_with(START)
}

impl Union {
    /// Writes all down.
    pub(crate) fn to_bytes(&self, unit: Unit) -> Vec<u8> {
        let mut out = Vec::new();
        push(&mut out, &Head { format: FORMAT, learned: LEARNED_VERSION, unit });
        for (name, site) in &self.sites {
            let mut numbers: HashMap<Line, usize> = HashMap::new();
            let mut lines: Vec<Line> = Vec::new();
            for line in site.documents.values().flat_map(|lines| lines.iter()) {
                numbers.entry(*line).or_insert_with(|| {
                    lines.push(*line);
                    lines.len() - 1
                });
            }
            push(&mut out, &SiteHead { site: name.to_string(), documents: site.len(), lines: lines.len() });
            for text in lines.iter().filter_map(|line| site.text(*line)) {
                let sample = (text.sample != text.masked).then_some(&text.sample);
                match sample {
                    Some(sample) => push(&mut out, &(&text.masked, sample)),
                    None => push(&mut out, &[&text.masked]),
                }
            }
            for document in site.documents.values() {
                push(&mut out, &document.iter().map(|line| numbers[line]).collect::<Vec<usize>>());
            }
        }
        let blake3 = blake3::hash(&out).to_hex().to_string();
        push(&mut out, &Trailer { blake3 });
        out
    }

    /// Reads what [`to_bytes`](Union::to_bytes) wrote; `origin` names it in messages.
    pub(crate) fn read(origin: &str, bytes: &[u8], unit: Unit) -> Result<Self> {
        let fails = |line: usize, what: String| {
            Error::record(format!("{origin}:{line}"), what, "make the file again with dehusk learn --facts")
        };
        let cut = || fails(1, "the file of facts is cut off or was changed".into());
        let end = memchr::memrchr(b'\n', bytes.strip_suffix(b"\n").ok_or_else(cut)?).ok_or_else(cut)? + 1;
        let trailer: Trailer = serde_json::from_slice(&bytes[end..]).map_err(|_| cut())?;
        if trailer.blake3 != blake3::hash(&bytes[..end]).to_hex().to_string() {
            return Err(cut());
        }
        let mut lines = Lines { rest: bytes[..end].split(|byte| *byte == b'\n'), number: 0 };
        let head: Head = lines.next().map_err(|what| fails(1, what))?;
        if head.format != FORMAT || head.learned != LEARNED_VERSION {
            let Head { format, learned, .. } = head;
            let what = format!(
                "facts of format {format} and learned version {learned}; this version reads {FORMAT} and {LEARNED_VERSION}"
            );
            return Err(fails(1, what));
        }
        if head.unit != unit {
            let what = "facts of another unit, line or paragraph, than asked for; give the same --unit";
            return Err(Error::usage(format!("{origin}: {what}")));
        }
        let mut union = Union::default();
        while lines.rest.clone().next().is_some_and(|line| !line.is_empty()) {
            if let Err(what) = read_site(&mut lines, &mut union) {
                return Err(fails(lines.number, what));
            }
        }
        Ok(union)
    }
}

fn read_site<'l>(lines: &mut Lines<impl Iterator<Item = &'l [u8]>>, union: &mut Union) -> Result<(), String> {
    let head: SiteHead = lines.next()?;
    let mut texts: Vec<(Box<str>, Box<str>)> = Vec::new();
    for _ in 0..head.lines {
        let text: Vec<Box<str>> = lines.next()?;
        match <[Box<str>; 2]>::try_from(text) {
            Ok([masked, sample]) => texts.push((sample, masked)),
            Err(text) => {
                let [masked] = <[Box<str>; 1]>::try_from(text).map_err(|_| "a line is one or two texts".to_owned())?;
                texts.push((masked.clone(), masked));
            }
        }
    }
    let keys: Vec<Line> = texts.iter().map(|(_, masked)| Line::of_masked(masked.as_bytes())).collect();
    let site: &mut SiteUnion = union.site(&head.site);
    for _ in 0..head.documents {
        let numbers: Vec<usize> = lines.next()?;
        let known = |number: &usize| texts.get(*number).ok_or_else(|| format!("there is no line {number} of the site"));
        let own = numbers.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        site.insert(numbers.iter().map(|number| keys[*number]).collect(), own.into_iter().cloned());
    }
    Ok(())
}

/// The lines of a file, each of which is JSON.
struct Lines<I> {
    rest: I,
    number: usize,
}

impl<'l, I: Iterator<Item = &'l [u8]>> Lines<I> {
    fn next<T: Deserialize<'l>>(&mut self) -> Result<T, String> {
        self.number += 1;
        let line = self.rest.next().ok_or("the file ends too early")?;
        serde_json::from_slice(line).map_err(|error| format!("not what stands there in a file of facts: {error}"))
    }
}

fn push(out: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *out, line).expect("writing to memory fails for no value that is written here");
    out.push(b'\n');
}
