//! Rules: chrome that somebody wrote down, in packs that carry their own tests.

mod compile;
mod decoration;
mod pack;
mod shape;

pub use compile::{RuleIdx, Rules};
pub use pack::{Example, Match, Near, Pack, Removal, Rule, Side};
pub use shape::Shape;

pub(crate) use compile::{Anchor, CompiledNear, CompiledRule, Pattern, Role};
pub(crate) use decoration::core_of;

/// The packs that come with dehusk, by name.
const BUILT_IN: [(&str, &str); 3] = [
    ("cnet", include_str!("packs/cnet.toml")),
    ("gutenberg", include_str!("packs/gutenberg.toml")),
    ("web-en", include_str!("packs/web-en.toml")),
];
