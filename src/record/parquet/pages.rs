//! The pages of a column, looked at before they are decoded; and what the library says, in words that name the format.

use super::file::damaged;
use parquet::basic::Type;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;
use std::fs::File;
use std::io::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Reads the pages of a column of a group, and refuses dictionaries that say they have more values than fit them: room is made
/// for so many before one is read.
pub(super) struct Pages<R: ChunkReader> {
    pages: SerializedPageReader<R>,
    /// The next page, or that there is none, where it was looked at before it is taken.
    ahead: Option<Option<Page>>,
    /// The fewest bytes that a value of the column takes, in bits.
    value_bits: usize,
}

impl Pages<File> {
    pub(super) fn new(file: Arc<File>, column: &ColumnChunkMetaData, n_rows: usize) -> Result<Self> {
        let pages = explained(|| SerializedPageReader::new(file, column, n_rows, None))?;
        let value_bits = match column.column_type() {
            Type::BOOLEAN => 1,
            Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 32,
            Type::INT64 | Type::DOUBLE => 64,
            Type::INT96 => 96,
            Type::FIXED_LEN_BYTE_ARRAY => 8 * usize::try_from(column.column_descr().type_length()).unwrap_or(0).max(1),
        };
        Ok(Pages { pages, ahead: None, value_bits })
    }

    /// Sees that the first page can be read.
    pub(super) fn see_first(&mut self) -> Result<()> {
        explained(|| self.get_next_page()).map(drop)
    }
}

impl<R: ChunkReader> Iterator for Pages<R> {
    type Item = parquet::errors::Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl<R: ChunkReader> PageReader for Pages<R> {
    fn get_next_page(&mut self) -> parquet::errors::Result<Option<Page>> {
        if let Some(page) = self.ahead.take() {
            return Ok(page);
        }
        let page = self.pages.get_next_page()?;
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page
            && usize::try_from(*num_values).is_ok_and(|n_values| n_values > buf.len() * 8 / self.value_bits)
        {
            return Err(ParquetError::General("a dictionary is shorter than it says".into()));
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> parquet::errors::Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> parquet::errors::Result<()> {
        self.pages.skip_next_page()
    }

    /// Whether the next page begins with a row. It is read to see that: the library's own look ahead panics at some headers.
    fn at_record_boundary(&mut self) -> parquet::errors::Result<bool> {
        let next = self.get_next_page()?;
        let is_boundary = matches!(next, None | Some(Page::DataPageV2 { .. }));
        self.ahead = Some(next);
        Ok(is_boundary)
    }
}

/// Does what reads a file, and words what went wrong. The library asserts in places what a damaged file does not keep; that is
/// an error of the file too.
pub(super) fn explained<T>(read: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(into_io_error(error)),
        Err(_) => Err(damaged("it cannot be decoded")),
    }
}

/// What the library said, or the system below it.
pub(super) fn into_io_error(error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => match error.downcast::<Error>() {
            Ok(error) if error.raw_os_error().is_some() => *error,
            Ok(error) => damaged(error),
            Err(error) => damaged(error),
        },
        ParquetError::General(what) | ParquetError::NYI(what) => damaged(what),
        ParquetError::EOF(what) => damaged(format_args!("it ends too soon: {what}")),
        error => damaged(error),
    }
}
