//! What an output is written through: a packer of bytes, or a writer of rows.

use super::output::Unfinished;
use crate::codec::{Codec, Packer};
use crate::error::{Error, Result};
#[cfg(feature = "parquet")]
use crate::record::parquet::{Columns, RowWriter};
use crate::store::Address;
use std::io::Write;
#[cfg(feature = "parquet")]
use std::path::PathBuf;

/// How what is written lies in the file.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Its bytes, packed or not; at the codec's usual level if none is given.
    Bytes { codec: Option<Codec>, level: Option<u32> },
    /// Rows, with the columns of the file at `source`, which may be one of the same groups of rows.
    #[cfg(feature = "parquet")]
    Rows { source: PathBuf, columns: Columns, is_same: bool },
}

/// An open output.
#[derive(Debug)]
pub(crate) enum Target {
    Bytes(Box<Packer<Unfinished>>),
    #[cfg(feature = "parquet")]
    Rows(Box<RowWriter<Unfinished>>),
}

impl Target {
    /// Begins a file that is to be at `to`.
    pub(crate) fn begin(form: &Form, to: &Address, may_replace: bool) -> Result<Self> {
        let file = Unfinished::create(to, may_replace)?;
        match form {
            Form::Bytes { codec, level } => {
                let packer = Packer::new(*codec, *level, file).map_err(|source| Error::writing(to.path(), source))?;
                Ok(Target::Bytes(Box::new(packer)))
            }
            #[cfg(feature = "parquet")]
            Form::Rows { source, columns, is_same } => {
                let rows = RowWriter::begin(source, columns, *is_same, file);
                rows.map(|rows| Target::Rows(Box::new(rows))).map_err(|error| Error::reading(source, error))
            }
        }
    }

    /// Writes what is still held back, and gives the file.
    pub(crate) fn finish(self) -> std::io::Result<Unfinished> {
        match self {
            Target::Bytes(packer) => packer.finish(),
            #[cfg(feature = "parquet")]
            Target::Rows(rows) => rows.finish(),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Target::Bytes(packer) => packer.write(bytes),
            #[cfg(feature = "parquet")]
            Target::Rows(rows) => rows.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Target::Bytes(packer) => packer.flush(),
            #[cfg(feature = "parquet")]
            Target::Rows(rows) => rows.flush(),
        }
    }
}
