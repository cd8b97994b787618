//! Parquet: groups of rows, whose columns lie one after the other. A row is a document; the text is one of its columns.
//!
//! ```text
//! file ─▶ RowReader ─▶ rows as bytes, one after the other ─▶ what all formats share ─▶ RowWriter ─▶ file
//!    └──────────────────── all other columns, as they lie in the file ────────────────────┘
//! ```
//! A part is rows of one group, spelled as [`frame`] says. The writer encodes the text column of a group that something was cut
//! from; all other columns it copies. Only where rows may be dropped do the rows that are read have all columns, and only of a
//! group that rows were dropped from are all columns encoded.

mod column;
mod file;
mod frame;
mod pages;
mod read;
mod write;

pub(crate) use file::is_magic;
pub(crate) use frame::end_part;
pub(crate) use read::{RowBytes, RowReader};
pub(crate) use write::RowWriter;

pub(super) use frame::{parse, record_end};

use crate::record::Fields;
use std::path::Path;

/// Which columns are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) fields: Fields,
    /// Whether rows come with all their columns, so that they can be dropped and put back.
    pub(crate) whole_rows: bool,
    /// How many groups the file has.
    pub(crate) n_groups: usize,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Its bytes are not what they should be.
    Damaged(std::io::Error),
    /// It has no such column of text.
    NoText(String),
}

impl Columns {
    /// Looks whether a file has the columns that are to be read.
    pub(crate) fn of_file(path: &Path, fields: Fields, whole_rows: bool) -> Result<Self, Unreadable> {
        // With what the writer needs, since what cannot be written must not count as seen.
        let opened = file::Opened::open_with_page_index(path).map_err(Unreadable::Damaged)?;
        opened.text_column(&fields.text).map_err(Unreadable::NoText)?;
        Ok(Columns { fields, whole_rows, n_groups: opened.metadata.num_row_groups() })
    }
}
