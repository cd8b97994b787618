//! Rules: chrome that somebody wrote down, in packs that carry their own tests.

mod compile;
mod decoration;
mod pack;
mod shape;
mod sieve;

pub use compile::{RuleIdx, Rules};
pub use pack::{Example, Match, Near, Pack, Removal, Rule, Side};
pub use shape::Shape;

pub(crate) use compile::{Anchor, CompiledNear, CompiledRule, Pattern, Role};
pub(crate) use decoration::{core_of, core_of_label};

/// The packs that come with dehusk, by name.
const BUILT_IN: [(&str, &str); 11] = [
    ("cnet", include_str!("packs/cnet.toml")),
    ("gutenberg", include_str!("packs/gutenberg.toml")),
    ("web-de", include_str!("packs/web-de.toml")),
    ("web-en", include_str!("packs/web-en.toml")),
    ("web-es", include_str!("packs/web-es.toml")),
    ("web-fr", include_str!("packs/web-fr.toml")),
    ("web-it", include_str!("packs/web-it.toml")),
    ("web-ja", include_str!("packs/web-ja.toml")),
    ("web-pt", include_str!("packs/web-pt.toml")),
    ("web-ru", include_str!("packs/web-ru.toml")),
    ("web-zh", include_str!("packs/web-zh.toml")),
];
