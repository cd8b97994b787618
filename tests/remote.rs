//! Inputs and outputs on servers, against one of our own.
#![cfg(all(
    unix,
    feature = "gzip",
    feature = "zstd",
    feature = "xz",
    feature = "bzip2",
    feature = "lz4",
    feature = "encodings"
))]

#[expect(dead_code, reason = "other tests need more of it")]
#[path = "cli/support.rs"]
mod support;

mod remote {
    mod server;
    mod user;

    mod faults;
    mod inputs;
    mod outputs;
}
