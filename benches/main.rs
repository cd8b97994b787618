//! How fast dehusk is: its steps one by one, then runs from end to end.
//!
//! `cargo bench` takes a minute or two. `cargo bench -- fold` runs the benches with "fold" in their names, and
//! `DEHUSK_BENCH_BYTES=1073741824 cargo bench -- end_to_end` runs on 1 GiB. Every bench checks its answer before it is
//! timed, and those that can tell cheaply check it each time. To compare dehusk with other tools, see `side-by-side.sh`.

mod blocks;
mod corpus;
mod end_to_end;
mod fingerprint;
mod fold;
mod index;
mod scan;
mod texts;

fn main() {
    divan::main();
}
