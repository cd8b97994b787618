//! Any text as a pack: it is refused with a message, or compiles, and its examples run.
#![no_main]

use dehusk::check_examples;
use dehusk::rules::Pack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    match Pack::parse("fuzz.toml", source) {
        Ok(pack) => {
            if let Err(error) = check_examples(&pack) {
                assert!(error.is_pack(), "{error}");
            }
        }
        Err(error) => assert!(error.is_pack() && !error.to_string().contains('\0'), "{error}"),
    }
});
