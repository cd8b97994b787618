//! Writes a corpus to disk in the forms that dehusk reads, one page in memory at a time.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Corpus, Page, Stats};

const BUFFER: usize = 1 << 20;

/// How a record writes what is not ASCII.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// As it is, in UTF-8.
    Few,
    /// As `\u00e9`, which many JSON writers do unasked.
    All,
}

impl Corpus {
    /// Writes one page a file as `dir/SITE/ID.txt`, until `n_files` files or all of the text is written.
    ///
    /// # Errors
    /// When a file or folder cannot be written; the message names it. So for the other writers.
    pub(crate) fn write_text_files(&self, dir: &Path, n_files: usize) -> io::Result<Stats> {
        let mut stats = Stats::default();
        for page in self.pages().take(n_files) {
            let folder = dir.join(&page.site);
            fs::create_dir_all(&folder).map_err(named(&folder))?;
            let path = folder.join(format!("{}.txt", page.id));
            fs::write(&path, format!("{}\n", page.text)).map_err(named(&path))?;
            stats.note(&page);
        }
        Ok(stats)
    }

    /// Writes `dir/part-00000.jsonl` and so on: `n_shards` files of like size, a record a page.
    ///
    /// The records have `id`, `url`, in two of three `site`, `text`, and two fields that a tool has to pass through.
    /// The files are larger than the text: see `Corpus::bytes`.
    pub(crate) fn write_jsonl_shards(&self, dir: &Path, n_shards: usize) -> io::Result<Stats> {
        self.write_parts(dir, n_shards, "jsonl", push_record)
    }

    /// Writes the text of all pages as one plain file.
    pub(crate) fn write_one_file(&self, path: &Path) -> io::Result<Stats> {
        let mut stats = Stats::default();
        let mut file = create(path)?;
        for page in self.pages() {
            file.write_all(page.text.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(named(path))?;
            stats.note(&page);
        }
        file.flush().map_err(named(path))?;
        Ok(stats)
    }

    /// Writes the bytes of `write_one_file` as `n_shards` plain files of like size, `dir/part-00000.txt` and so on.
    pub(crate) fn write_text_shards(&self, dir: &Path, n_shards: usize) -> io::Result<Stats> {
        self.write_parts(dir, n_shards, "txt", |_, page, out| {
            out.push_str(&page.text);
            out.push('\n');
        })
    }

    /// Page after page goes into one part until it has its share of the text. Parts past the last page stay empty.
    fn write_parts(
        &self,
        dir: &Path,
        n_parts: usize,
        extension: &str,
        encode: fn(usize, &Page, &mut String),
    ) -> io::Result<Stats> {
        fs::create_dir_all(dir).map_err(named(dir))?;
        let mut stats = Stats::default();
        let mut pages = self.pages().enumerate();
        let mut encoded = String::new();
        for part_idx in 0..n_parts {
            let path = dir.join(format!("part-{part_idx:05}.{extension}"));
            let mut file = create(&path)?;
            let share_end = u128::from(self.bytes) * (part_idx as u128 + 1) / n_parts as u128;
            while u128::from(stats.bytes()) < share_end {
                let Some((page_idx, page)) = pages.next() else {
                    break;
                };
                encoded.clear();
                encode(page_idx, &page, &mut encoded);
                file.write_all(encoded.as_bytes()).map_err(named(&path))?;
                stats.note(&page);
            }
            file.flush().map_err(named(&path))?;
        }
        Ok(stats)
    }
}

/// Appends a page as one line of JSON, the way that one of several scrapers would write it.
fn push_record(page_idx: usize, page: &Page, out: &mut String) {
    let escapes = if page_idx.is_multiple_of(4) { Escapes::All } else { Escapes::Few };
    out.push_str(&format!("{{\"id\":\"{}\",\"url\":\"{}\",", page.id, page.url));
    if !page_idx.is_multiple_of(3) {
        out.push_str(&format!("\"site\":\"{}\",", page.site));
    }
    out.push_str("\"text\":\"");
    push_escaped(&page.text, escapes, out);
    // A number that does not come back the same from a float, and a nested value.
    out.push_str(&format!(
        "\",\"weight\":{}.50,\"meta\":{{\"lang\":\"en\",\"depth\":{}}}}}\n",
        page_idx % 7,
        page_idx % 5
    ));
}

fn push_escaped(text: &str, escapes: Escapes, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if letter.is_control() || (escapes == Escapes::All && !letter.is_ascii()) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => out.push(letter),
        }
    }
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(BUFFER, File::create(path).map_err(named(path))?))
}

/// Puts the path before the message of an error.
fn named(path: &Path) -> impl Fn(io::Error) -> io::Error + '_ {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
