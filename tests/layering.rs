//! Who may know whom, as `docs/design.md` has it: modules stand in layers, and use only what is above them.
//!
//! The sources are read as text. That sees less than the compiler does, and is enough: a module that wants another says so
//! in a `use crate::…` line or names it as `crate::…`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The layers, from those who know nobody to those who know most. A module may use all in rows before its own.
const LAYERS: [&[&str]; 19] = [
    &["text", "error"],
    &["encoding"],
    &["fingerprint"],
    &["template"],
    &["rules", "index"],
    &["scan", "score", "running"],
    &["decide", "edit"],
    &["clean"],
    &["store"],
    &["log"],
    &["durable"],
    &["codec", "record", "config", "journal"],
    &["recall", "sites"],
    &["visit"],
    &["crawl"],
    &["run"],
    &["eval"],
    &["train"],
    &["bin"],
];

/// Modules of layers up to this one do no input or output.
const LAST_PURE_LAYER: usize = 7;

/// What a module uses beside or below itself, with the reason.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("clean", "config", "a cleaner is made from the configuration, and takes no options besides"),
    ("record", "config", "how plain text is framed is an option; what a framing means is the format's to say"),
];

/// What modules that do no input or output must not name.
const IMPURE: [&str; 13] = [
    "std::fs",
    "std::io",
    "std::thread",
    "std::env",
    "std::time",
    "std::process",
    "std::net",
    "rayon",
    "tempfile",
    "Instant",
    "SystemTime",
    "println!",
    "eprintln!",
];

/// Lines of such modules that name it all the same: the file, a part of the line, and the reason.
const IMPURE_LINES: [(&str, &str, &str); 3] = [
    ("error.rs", "source: std::io::Error", "an error holds what the operating system said"),
    ("error.rs", "std::io::ErrorKind", "what to do about it depends on what the operating system said"),
    ("rules/pack.rs", "let bytes = std::fs::read(path)", "Pack::read, which is how a pack comes from a file"),
];

/// Ways to write files that only these may use: an output appears under its name when it is whole, and a log is none.
const WRITERS: [&str; 3] = ["run/output.rs", "log.rs", "durable/files.rs"];
const WRITES: [&str; 9] = [
    "File::create",
    "OpenOptions",
    "File::options",
    "fs::write",
    "fs::remove",
    "fs::hard_link",
    "NamedTempFile",
    ".persist",
    "symlink(",
];

/// The process's own input, output, environment and arguments, which are the command's.
const TERMINAL: [&str; 10] =
    ["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout()", "stderr()", "stdin()", "env::var", "env::args"];

/// Files may have this many lines.
const MAX_LINES: usize = 600;

/// Files that are long tables, and may have more.
const TABLES: [&str; 0] = [];

struct Source {
    /// Its path below `src`.
    name: String,
    /// The top-level module that it belongs to.
    module: String,
    /// Its lines, with their numbers, without comments and unit tests.
    lines: Vec<(usize, String)>,
    n_lines: usize,
}

impl Source {
    fn read(path: &Path, root: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a source can be read");
        let name = path.strip_prefix(root).expect("it is below src").to_string_lossy().into_owned();
        Source::of(&name, &text)
    }

    fn of(name: &str, text: &str) -> Self {
        let first = name.split('/').next().unwrap_or(name);
        let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
        let lines = (1..).zip(text[..tests].lines()).map(|(number, line)| (number, without_comment(line).to_owned()));
        Source {
            name: name.to_owned(),
            module: first.trim_end_matches(".rs").to_owned(),
            lines: lines.filter(|(_, line)| !line.trim().is_empty()).collect(),
            n_lines: text.lines().count(),
        }
    }

    fn layer(&self) -> Option<usize> {
        layer_of(&self.module)
    }

    /// Where lines name something.
    fn naming(&self, word: &str) -> impl Iterator<Item = (String, &str)> {
        let lines = self.lines.iter().filter(move |(_, line)| names(line, word));
        lines.map(|(number, line)| (format!("src/{}:{number}", self.name), line.as_str()))
    }

    /// The top-level modules of the crate that it names, with the lines that do.
    fn uses(&self) -> Vec<(String, String)> {
        let mut uses = Vec::new();
        for (place, line) in self.naming("crate::") {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let listed = rest.strip_prefix('{').map_or_else(|| vec![rest], |list| list.split([',', '}']).collect());
                let modules = listed.into_iter().map(|path| first_name(path.trim()).to_owned());
                uses.extend(modules.filter(|module| layer_of(module).is_some()).map(|module| (place.clone(), module)));
            }
        }
        uses
    }

    /// What it uses that is not above it, but for the exceptions, which are noted in `excepted`.
    fn uses_below(&self, excepted: &mut BTreeSet<usize>) -> Vec<String> {
        let Some(layer) = self.layer().filter(|_| self.module != "bin") else { return Vec::new() };
        let mut complaints = Vec::new();
        for (place, module) in self.uses() {
            if module == self.module || layer_of(&module).is_some_and(|used| used < layer) {
                continue;
            }
            match EXCEPTIONS.iter().position(|(from, to, _)| *from == self.module && *to == module) {
                Some(exception) => {
                    excepted.insert(exception);
                }
                None => complaints.push(format!("{place}: {} uses {module}, which is not above it", self.module)),
            }
        }
        // Ways to name a module that are not seen above.
        let is_top = !self.name.contains('/') || self.name.ends_with("/mod.rs");
        for way in ["super::super::", "crate::{self", "crate as "].iter().chain(is_top.then_some(&"super::")) {
            complaints
                .extend(self.naming(way).map(|(place, _)| format!("{place}: names modules by {way}; use crate::")));
        }
        let open_list = self.naming("crate::{").filter(|(_, line)| !line.contains('}'));
        complaints
            .extend(open_list.map(|(place, _)| format!("{place}: a list over lines; use one line for each module")));
        complaints
    }

    /// Input and output in a layer that does none, but for the lines that are listed.
    fn impurities(&self) -> Vec<String> {
        if self.layer().is_none_or(|layer| layer > LAST_PURE_LAYER) {
            return Vec::new();
        }
        let mut complaints = Vec::new();
        for word in IMPURE {
            for (place, line) in self.naming(word) {
                let is_listed = IMPURE_LINES.iter().any(|(file, part, _)| *file == self.name && line.contains(part));
                if !is_listed {
                    complaints.push(format!("{place}: {word} in a layer that does no input or output"));
                }
            }
        }
        complaints
    }

    /// What it names of `words`.
    fn naming_any(&self, words: &[&str]) -> Vec<String> {
        let found = words.iter().flat_map(|word| self.naming(word));
        found.map(|(place, line)| format!("{place}: {}", line.trim())).collect()
    }
}

fn first_name(path: &str) -> &str {
    path.split(|character: char| !character.is_alphanumeric() && character != '_').next().unwrap_or(path)
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// A line up to its comment. No string in the sources has two slashes after a blank.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// Whether a line names a word, and not one that it ends.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && before != '_') || word.starts_with('.')
    })
}

fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let files =
        walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(|entry| entry.expect("src can be walked"));
    files
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|entry| Source::read(entry.path(), &root))
        .collect()
}

fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    let modules: BTreeSet<String> =
        sources().into_iter().map(|source| source.module).filter(|module| module != "lib").collect();
    let layered: BTreeSet<String> = LAYERS.iter().flat_map(|layer| layer.iter()).map(ToString::to_string).collect();
    assert_eq!(modules, layered);
}

#[test]
fn modules_use_what_is_above_them() {
    let mut excepted = BTreeSet::new();
    assert_none(sources().iter().flat_map(|source| source.uses_below(&mut excepted)).collect());
    for (exception, what) in EXCEPTIONS.iter().enumerate() {
        assert!(excepted.contains(&exception), "the exception {what:?} is no longer needed");
    }
}

#[test]
fn the_command_sees_only_the_public_api() {
    // What `crate::` means in the command is the command itself; the rest is the compiler's.
    let command = sources().into_iter().filter(|source| source.module == "bin");
    assert_none(command.flat_map(|source| source.naming_any(&["#[path", "include!", "extern crate"])).collect());
}

#[test]
fn layers_up_to_the_cleaner_do_no_input_or_output() {
    let sources = sources();
    assert_none(sources.iter().flat_map(Source::impurities).collect());
    for (file, part, reason) in IMPURE_LINES {
        let is_there =
            |source: &Source| source.name == file && source.lines.iter().any(|(_, line)| line.contains(part));
        assert!(sources.iter().any(is_there), "{file}: no line has {part:?} any more ({reason})");
    }
}

#[test]
fn files_get_their_names_in_one_place() {
    let others = sources().into_iter().filter(|source| !WRITERS.contains(&source.name.as_str()));
    assert_none(others.flat_map(|source| source.naming_any(&WRITES)).collect());
}

#[test]
fn the_library_prints_nothing_and_asks_for_nothing() {
    let library = sources().into_iter().filter(|source| source.module != "bin");
    assert_none(library.flat_map(|source| source.naming_any(&TERMINAL)).collect());
}

#[test]
fn no_source_is_long() {
    let is_long = |source: &Source| source.n_lines > MAX_LINES && !TABLES.contains(&source.name.as_str());
    let long = sources().into_iter().filter(is_long);
    assert_none(long.map(|source| format!("src/{}: {} lines; split it", source.name, source.n_lines)).collect());
}

#[test]
fn what_is_forbidden_is_seen() {
    let below = |name: &str, text: &str| Source::of(name, text).uses_below(&mut BTreeSet::new()).len();
    for (name, text, n_complaints) in [
        ("scan.rs", "use crate::text::Span;\nuse crate::rules::{Rules, core_of};", 0),
        ("scan.rs", "use crate::decide::Scope;", 1),
        ("scan.rs", "    let span = crate::run::plan::of(crate::clean::look());", 2),
        ("scan.rs", "use crate::{text::Span, journal::Line};", 1),
        ("scan.rs", "use crate::{\n    journal::Line,\n};", 1),
        ("scan.rs", "use super::journal::Line;", 1),
        ("scan.rs", "// As crate::journal does.\n/// See [`crate::run::Run`].", 0),
        ("scan.rs", "#[cfg(test)]\nmod tests {\n    use crate::run::Run;\n}", 0),
        ("rules/pack.rs", "use super::{BUILT_IN, Shape};", 0),
        ("rules/pack.rs", "use super::super::run::Run;", 1),
        ("rules/pack.rs", "use crate::index::Place;", 1),
        ("record/jsonl.rs", "use crate::journal::Line;\nuse crate::config::Framing;", 1),
        ("journal.rs", "use crate::clean::Cleaner;\nuse crate::record::Layout;", 1),
        ("run/plan.rs", "use crate::journal::Line;\nuse crate::clean::Cleaner;", 0),
    ] {
        assert_eq!(below(name, text), n_complaints, "{name}: {text}");
    }
    let impure = |name: &str, text: &str| Source::of(name, text).impurities().len();
    assert_eq!(impure("text/fold.rs", "let now = Instant::now();\nuse std::fs::File;"), 2);
    assert_eq!(impure("text/fold.rs", "// No std::fs here.\nlet instant = MyInstant::new();"), 0);
    assert_eq!(impure("rules/pack.rs", "        let bytes = std::fs::read(path).map_err(reading)?;"), 0);
    assert_eq!(impure("run/plan.rs", "use std::fs::File;"), 0);
    assert_eq!(Source::of("run/plan.rs", "std::fs::write(a, b)?;\nfile.persist(path)").naming_any(&WRITES).len(), 2);
}
