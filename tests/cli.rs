//! The command as a user runs it: files, flags, messages and exit codes, each test in a folder of its own.
#![cfg(all(
    unix,
    feature = "cli",
    feature = "gzip",
    feature = "zstd",
    feature = "xz",
    feature = "bzip2",
    feature = "lz4",
    feature = "parquet",
    feature = "warc",
    feature = "encodings"
))]

mod cli {
    mod support;

    mod seeds;

    mod compression;
    mod conversions;
    mod encodings;
    mod formats;
    mod inputs;
    mod outputs;
    mod overlaps;

    mod accounts;
    mod configs;
    mod limits;
    mod messages;

    mod evals;
    mod explains;
    mod indexes;
    mod learns;
    mod packs;
    mod parquet_file;
    mod parquets;
    mod restores;
    mod running;
    mod tables;
    mod trains;
    mod warcs;

    mod arrivals;
    mod faults;
    mod kills;
    mod memory;
    mod odd_inputs;
    mod pages;
    mod pipes;
    mod remembers;
    mod resumes;
    mod threads;
}
