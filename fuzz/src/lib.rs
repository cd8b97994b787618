//! What the fuzz targets share: a folder to run in, and the promise that what was cleaned comes back.
#![forbid(unsafe_code)]

use dehusk::config::{Format, OnBadRecord, Size};
use dehusk::run::{Run, restore};
use dehusk::text::{Fold, Unit};
use dehusk::{Config, Level, Scope};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A pack with a rule of each kind, whose patterns are short enough to be hit.
pub const PACK: &str = include_str!("../pack.toml");

/// A folder to run in.
pub struct Folder(TempDir);

impl Default for Folder {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("pack.toml"), PACK).expect("a file can be written");
        Folder(folder)
    }
}

impl Folder {
    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file can be written");
        path
    }

    /// Settings as a few bits draw them. All work on little text: short lines repeat.
    pub fn config(&self, bits: u32) -> Config {
        let one_of = |at: u32, n: u32| bits >> at & (n - 1);
        let encodings = ["utf-8", "utf-8", "auto", "shift_jis", "gb18030", "utf-16le", "big5", "windows-1252"];
        Config {
            encoding: encodings[one_of(0, 8) as usize].into(),
            unit: if one_of(3, 2) == 0 { Unit::Line } else { Unit::Paragraph },
            scope: [Scope::Corpus, Scope::Site, Scope::Document, Scope::Off][one_of(4, 4) as usize],
            fold: if one_of(6, 2) == 0 { Fold::Loose } else { Fold::Exact },
            drop_empty: one_of(7, 2) == 1,
            on_bad_record: if one_of(8, 2) == 0 { OnBadRecord::Keep } else { OnBadRecord::Skip },
            level: if one_of(9, 4) == 3 { Level::Strict } else { Level::Rules },
            min_chars: 3,
            pack: vec![self.path("pack.toml").display().to_string()],
            no_default_packs: true,
            force: true,
            ..Config::default()
        }
    }

    /// Cleans a file on one thread, on three within a bound to the memory, and as a stream: each gives the same, and the file back.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn comes_back(&self, config: &Config, name: &str, bytes: &[u8]) {
        let input = self.write(name, bytes);
        let outputs = [(1, None), (3, Some(Size::new(1 << 30)))].map(|(threads, memory)| {
            let config = Config { threads: Some(threads), memory, ..self.to_files(config) };
            let report = Run::new(&config, &()).and_then(|run| run.files(&[input.clone()]));
            let report = report.expect("bad input is an outcome");
            // A table without a column of text fails, as it should; nothing else does.
            assert!(report.failed_files.is_empty() || name.ends_with("sv"), "{:?}", report.failed_files);
            report.failed_files.is_empty().then(|| self.restored(bytes))
        });
        assert_eq!(outputs[0], outputs[1], "threads or memory show");
        let Some((output, journal)) = &outputs[0] else { return };
        let mut streamed = Vec::new();
        let format = match name.rsplit('.').next() {
            Some("jsonl") => Format::Jsonl,
            Some("csv") => Format::Csv,
            Some("tsv") => Format::Tsv,
            Some("warc") => Format::Warc,
            _ => Format::Text,
        };
        let config = Config { threads: Some(2), format, ..config.clone() };
        let run = Run::new(&config, &()).expect("the configuration was fine for files");
        run.stream(Cursor::new(bytes.to_vec()), &mut streamed).expect("bad input is an outcome");
        // Templates of sites are of files alone, and a dropped file is no file.
        let knows_less = config.level > Level::Rules || journal.contains("\"dropped\":true");
        assert!(knows_less || streamed == *output, "a stream is cleaned otherwise");
    }

    fn to_files(&self, config: &Config) -> Config {
        Config { output: Some(self.path("out")), journal: Some(self.path("journal")), ..config.clone() }
    }

    /// What was written, and the journal, after it gave the original back.
    fn restored(&self, original: &[u8]) -> (Vec<u8>, String) {
        let [out, journal, back] = ["out", "journal", "back"].map(|name| self.path(name));
        let restored = restore(&out, &journal, &back, true).expect("a journal fits what was written with it");
        assert!(restored.failed.is_empty(), "{:?}", restored.failed);
        assert!(read(&back) == original, "what came back is not what it was");
        let read = (read(&out), String::from_utf8(read(&journal)).expect("a journal is UTF-8"));
        // Where nothing is left there is no file, so the last one's must not be taken for it.
        let _ = std::fs::remove_file(&out);
        read
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}
