#![doc = include_str!("../README.md")]

pub mod config;
pub mod edit;
mod encoding;
mod error;
pub mod fingerprint;
pub mod index;
pub mod rules;
mod running;
mod scan;
mod score;
pub mod template;
pub mod text;

mod clean;
mod codec;
mod crawl;
mod decide;
mod durable;
pub mod eval;
mod journal;
mod log;
mod recall;
mod record;
pub mod run;
mod sites;
mod store;
pub mod train;
mod visit;

pub use clean::{Arrival, Cleaned, Cleaner, Cut, Document, Failure, Learner, Scratch, check_examples};
pub use config::Config;
pub use crawl::{Crawl, Page, Source};
pub use decide::{Decision, Keep, Reason, Scope, Template};
pub use durable::{Index, IndexOptions, IndexReader, IndexStats};
pub use error::{Error, Result};
pub use score::{About, Level, Score, WEIGHTS_VERSION};
pub use visit::merge_indexes;

/// The page's examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/crawlers.md")]
mod crawlers {}
