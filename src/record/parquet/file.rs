//! A Parquet file that is open: its metadata, checked against what can be, and its columns by name.

use super::pages::{Pages, explained};
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek};
use std::path::Path;
use std::sync::Arc;

/// An open file.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: Arc<File>,
    pub(super) metadata: ParquetMetaData,
}

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED_MAGIC: &[u8] = b"PARE";

/// Whether bytes start as a Parquet file does: with its magic bytes, and then no text.
pub(crate) fn is_magic(start: &[u8]) -> bool {
    (start.starts_with(MAGIC) || start.starts_with(ENCRYPTED_MAGIC)) && start.get(4).is_none_or(u8::is_ascii_control)
}

impl Opened {
    /// Opens a file and reads what its end says of it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::read(path, ParquetMetaDataReader::new())
    }

    /// The same, with where the pages of all columns are.
    pub(super) fn open_with_page_index(path: &Path) -> Result<Self> {
        Self::read(path, ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional))
    }

    fn read(path: &Path, reader: ParquetMetaDataReader) -> Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut start = Vec::new();
        file.by_ref().take(12).read_to_end(&mut start)?;
        let mut end = Vec::new();
        file.seek(std::io::SeekFrom::Start(length.saturating_sub(4)))?;
        file.read_to_end(&mut end)?;
        if start.starts_with(ENCRYPTED_MAGIC) || end == ENCRYPTED_MAGIC {
            return Err(Error::new(ErrorKind::Unsupported, "the Parquet file is encrypted; decrypt it"));
        }
        if length < 12 || !start.starts_with(MAGIC) || end != MAGIC {
            return Err(damaged("does not start and end as Parquet does: cut short, or something else"));
        }
        let metadata = explained(|| reader.parse_and_finish(&file))?;
        check(&metadata, length)?;
        Ok(Opened { file: Arc::new(file), metadata })
    }

    /// The column of a name, which for one in a struct is a path with dots; nothing if it is in a list.
    pub(super) fn column(&self, name: &str) -> Option<(usize, &ColumnDescriptor)> {
        let columns = self.metadata.file_metadata().schema_descr().columns();
        let column = columns.iter().position(|column| column.path().string() == name)?;
        Some((column, columns[column].as_ref())).filter(|(_, column)| column.max_rep_level() == 0)
    }

    /// The column with the text; says what is wrong if there is none.
    pub(super) fn text_column(&self, name: &str) -> std::result::Result<usize, String> {
        let remedy = "name the column with the text with --text-field";
        match self.column(name) {
            Some((column, descriptor)) if is_string(descriptor) => Ok(column),
            Some(_) => Err(format!("column {name:?} is no string; {remedy}")),
            None => {
                let columns = self.metadata.file_metadata().schema_descr().columns();
                let strings: Vec<String> = columns
                    .iter()
                    .filter(|column| is_string(column) && column.max_rep_level() == 0)
                    .take(TOLD_COLUMNS + 1)
                    .map(|column| format!("{:?}", column.path().string()))
                    .collect();
                let and_more = if strings.len() > TOLD_COLUMNS { " and more" } else { "" };
                let strings = match &strings[..] {
                    [] => "columns, none of which is a string".to_owned(),
                    _ => format!("the strings {}{and_more}", strings[..strings.len().min(TOLD_COLUMNS)].join(", ")),
                };
                Err(format!("no column {name:?} among {strings}; {remedy}"))
            }
        }
    }

    /// Reads a column of a group.
    pub(super) fn read_column(&self, group_idx: usize, column: usize) -> Result<ColumnReader> {
        let descriptor = self.metadata.row_group(group_idx).column(column).column_descr_ptr();
        Ok(get_column_reader(descriptor, Box::new(self.read_pages(group_idx, column)?)))
    }

    /// Reads the pages of a column of a group.
    pub(super) fn read_pages(&self, group_idx: usize, column: usize) -> Result<Pages<File>> {
        let group = self.metadata.row_group(group_idx);
        Pages::new(Arc::clone(&self.file), group.column(column), n_rows(group.num_rows())?)
    }
}

/// So many columns are told where none has the name that was asked for.
const TOLD_COLUMNS: usize = 20;

/// Whether a column holds strings.
pub(super) fn is_string(column: &ColumnDescriptor) -> bool {
    column.physical_type() == Type::BYTE_ARRAY
        && (matches!(column.logical_type_ref(), Some(LogicalType::String))
            || matches!(column.converted_type(), ConvertedType::UTF8))
}

pub(super) fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the Parquet data is damaged ({what})"))
}

pub(super) fn n_rows(number: i64) -> Result<usize> {
    usize::try_from(number).map_err(|_| damaged("a number of rows is below zero"))
}

/// Refuses what cannot be, before anything relies on it.
fn check(metadata: &ParquetMetaData, length: u64) -> Result<()> {
    let file = metadata.file_metadata();
    let n_columns = file.schema_descr().num_columns();
    let mut rows = 0_i64;
    for (group, number) in metadata.row_groups().iter().zip(1..) {
        if group.num_columns() != n_columns || group.num_rows() < 0 {
            return Err(damaged(format_args!(
                "row group {number} has other columns than the file, or no number of rows"
            )));
        }
        rows = rows.saturating_add(group.num_rows());
        for column in group.columns() {
            if column.file_path().is_some_and(|path| !path.is_empty()) {
                let what = "columns of it are in other files, which is not supported; write it as one file";
                return Err(Error::new(ErrorKind::Unsupported, what));
            }
            if !ranges(column).iter().all(|range| is_within(*range, length)) {
                let path = column.column_path().string();
                return Err(damaged(format_args!("column {path:?} of row group {number} is not within the file")));
            }
        }
    }
    if rows != file.num_rows() {
        return Err(damaged(format_args!("it says it has {} rows, but its row groups have {rows}", file.num_rows())));
    }
    Ok(())
}

/// Starts and lengths of what belongs to a column.
fn ranges(column: &ColumnChunkMetaData) -> [(i64, i64); 5] {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let range =
        |offset: Option<i64>, length: Option<i32>| offset.map_or((0, 0), |offset| (offset, length.unwrap_or(0).into()));
    [
        (start, column.compressed_size()),
        (column.data_page_offset(), 0),
        range(column.bloom_filter_offset(), column.bloom_filter_length()),
        range(column.column_index_offset(), column.column_index_length()),
        range(column.offset_index_offset(), column.offset_index_length()),
    ]
}

fn is_within((start, length): (i64, i64), file_length: u64) -> bool {
    let (Ok(start), Ok(length)) = (u64::try_from(start), u64::try_from(length)) else { return false };
    start.checked_add(length).is_some_and(|end| end <= file_length)
}
