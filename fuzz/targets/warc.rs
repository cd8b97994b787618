//! Any bytes as a WARC file: it is cleaned, and comes back.
#![no_main]

use dehusk_fuzz::Folder;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::default);

fuzz_target!(|bytes: &[u8]| {
    FOLDER.comes_back(&FOLDER.config(0), "in.warc", bytes);
});
