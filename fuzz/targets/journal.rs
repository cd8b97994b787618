//! Any bytes as a journal, behind a first line as what was cleaned: it is refused, or what is restored is where it should be.
#![no_main]

use dehusk::run::restore;
use dehusk_fuzz::Folder;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::default);

fuzz_target!(|bytes: &[u8]| {
    let line_end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let (cleaned, journal) = bytes.split_at(line_end);
    let root = FOLDER.path("restored");
    for folder in ["cleaned", "restored"] {
        std::fs::create_dir_all(FOLDER.path(folder)).expect("a folder can be made");
    }
    let cleaned_file = FOLDER.write("cleaned/a.txt", cleaned);
    let journal = FOLDER.write("of-run", journal);
    // What fails is told; what is written is below the output.
    let _ = restore(&cleaned_file, &journal, &root.join("a.txt"), true);
    let _ = restore(&FOLDER.path("cleaned"), &journal, &root, true);
    let there = ["cleaned", "of-run", "pack.toml", "restored"];
    for entry in std::fs::read_dir(FOLDER.path("")).expect("the folder is there") {
        let name = entry.expect("the folder can be read").file_name();
        assert!(there.iter().any(|expected| name == *expected), "{} was written", name.display());
    }
    std::fs::remove_dir_all(&root).expect("the folder can be removed");
});
