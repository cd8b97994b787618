//! Any bytes as a file of any format, under any settings: what is cleaned comes back. The first bytes draw both.
#![no_main]

use dehusk_fuzz::Folder;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::default);

const NAMES: [&str; 5] = ["in.txt", "in.jsonl", "in.csv", "in.tsv", "in.warc"];

fuzz_target!(|bytes: &[u8]| {
    if let [name, first, second, bytes @ ..] = bytes {
        let config = FOLDER.config(u32::from_le_bytes([*first, *second, 0, 0]));
        FOLDER.comes_back(&config, NAMES[usize::from(*name) % NAMES.len()], bytes);
    }
});
