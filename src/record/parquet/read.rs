//! Reading: the rows of a file as bytes, group by group.

use super::Columns;
use super::column::{ReadRows, Rows, rows};
use super::file::{Opened, damaged, is_string, n_rows};
use super::frame::{Row, Text, write};
use parquet::basic::{ConvertedType, Type};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::ByteArrayType;
use parquet::schema::types::ColumnDescriptor;
use std::io::{Error, Read, Result};
use std::path::Path;

/// So many rows are decoded at once.
const BATCH_ROWS: usize = 256;

/// Reads the rows of a file, one after the other, as bytes.
pub(crate) struct RowReader {
    opened: Opened,
    columns: Wanted,
    group: Option<Group>,
    next_group: usize,
    /// Bytes of the file that all groups so far take.
    bytes_read: u64,
}

/// What of a file was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filled {
    pub(crate) ends_group: bool,
    pub(crate) is_last: bool,
}

/// Columns by their numbers.
struct Wanted {
    text: usize,
    /// Id, address and site.
    names: [Option<usize>; 3],
    others: Vec<usize>,
}

/// A group that is being read.
struct Group {
    text: Rows<ByteArrayType>,
    names: [Option<Box<dyn ReadRows>>; 3],
    others: Vec<Box<dyn ReadRows>>,
    /// Rows that are decoded and not yet taken.
    n_ready: usize,
    n_left: usize,
    /// The other columns of a row.
    spelled: Vec<u8>,
}

impl RowReader {
    pub(crate) fn open(path: &Path, columns: &Columns) -> Result<Self> {
        let opened = Opened::open(path)?;
        let fields = &columns.fields;
        let text = opened.text_column(&fields.text).map_err(Error::other)?;
        let named = |name: &str, can_name: fn(&ColumnDescriptor) -> bool| {
            opened.column(name).filter(|(_, column)| can_name(column)).map(|(column, _)| column)
        };
        let names = [named(&fields.id, is_id), named(&fields.url, is_string), named(&fields.site, is_string)];
        let n_columns = opened.metadata.file_metadata().schema_descr().num_columns();
        let others = if columns.whole_rows { 0..n_columns } else { 0..0 };
        let columns = Wanted { text, names, others: others.filter(|column| *column != text).collect() };
        Ok(RowReader { opened, columns, group: None, next_group: 0, bytes_read: 0 })
    }

    /// Bytes of the file that all groups so far take.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Appends rows of one group: about so many bytes, or all that are left.
    pub(crate) fn fill(&mut self, n_bytes: usize, out: &mut Vec<u8>) -> Result<Filled> {
        if self.group.is_none() && self.next_group < self.opened.metadata.num_row_groups() {
            self.group = Some(self.begin_group()?);
        }
        let Some(group) = &mut self.group else {
            return Ok(Filled { ends_group: false, is_last: true });
        };
        while group.n_left > 0 && out.len() < n_bytes {
            group.next(out)?;
        }
        let ends_group = group.n_left == 0;
        if ends_group {
            group.end()?;
            self.group = None;
        }
        Ok(Filled { ends_group, is_last: ends_group && self.next_group == self.opened.metadata.num_row_groups() })
    }

    fn begin_group(&mut self) -> Result<Group> {
        let RowReader { opened, columns: Wanted { text, names, others }, next_group, .. } = self;
        let metadata = opened.metadata.row_group(*next_group);
        // Columns that are only copied are looked at here, before anything of the file counts: a page that cannot be read
        // shows a file that is damaged, or encrypted in part.
        for column in 0..metadata.num_columns() {
            opened.read_pages(*next_group, column)?.see_first()?;
        }
        let read = |column: usize| -> Result<Box<dyn ReadRows>> {
            Ok(rows(opened.read_column(*next_group, column)?, metadata.column(column).column_descr()))
        };
        let [id, url, site] = names.map(|name| name.map(read).transpose());
        let group = Group {
            text: Rows::new(
                get_typed_column_reader(opened.read_column(*next_group, *text)?),
                metadata.column(*text).column_descr(),
            ),
            names: [id?, url?, site?],
            others: others.iter().map(|column| read(*column)).collect::<Result<_>>()?,
            n_ready: 0,
            n_left: n_rows(metadata.num_rows())?,
            spelled: Vec::new(),
        };
        let bytes = metadata.columns().iter().map(|column| column.compressed_size().unsigned_abs()).sum::<u64>();
        self.bytes_read += bytes;
        self.next_group += 1;
        Ok(group)
    }
}

impl Group {
    /// Appends the next row.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.n_ready == 0 {
            self.n_ready = self.n_left.min(BATCH_ROWS);
            let n_ready = self.n_ready;
            self.columns().try_for_each(|column| column.read(n_ready))?;
        }
        self.n_ready -= 1;
        self.n_left -= 1;
        self.spelled.clear();
        let Group { text, names, others, spelled, .. } = self;
        let is_spelled = others.iter_mut().try_for_each(|column| column.spell(spelled));
        let cell = text.next();
        let (level, value) = cell.single();
        let text = match value.map(|value| value.data()) {
            None => Text::Null,
            Some(bytes) if std::str::from_utf8(bytes).is_ok() => Text::Utf8(bytes),
            Some(bytes) => Text::NotUtf8(bytes),
        };
        let names = names.each_mut().map(|column| column.as_mut().and_then(|column| column.name()));
        let row = Row { text, level, names, others: spelled };
        let is_written = is_spelled.and_then(|()| write(&row, out));
        is_written.ok_or_else(|| damaged("a row is of more than four gigabytes"))
    }

    fn end(&mut self) -> Result<()> {
        self.columns().try_for_each(ReadRows::end)
    }

    fn columns(&mut self) -> impl Iterator<Item = &mut dyn ReadRows> {
        let text: &mut dyn ReadRows = &mut self.text;
        let boxed = self.names.iter_mut().flatten().chain(&mut self.others);
        std::iter::once(text).chain(boxed.map(|column| column.as_mut() as &mut dyn ReadRows))
    }
}

/// Whether a column can name documents: strings do, and so do whole numbers.
fn is_id(column: &ColumnDescriptor) -> bool {
    use ConvertedType::{INT_8, INT_16, INT_32, INT_64, NONE, UINT_8, UINT_16, UINT_32, UINT_64};
    let is_number = matches!(column.physical_type(), Type::INT32 | Type::INT64);
    let is_whole = matches!(
        column.converted_type(),
        NONE | INT_8 | INT_16 | INT_32 | INT_64 | UINT_8 | UINT_16 | UINT_32 | UINT_64
    );
    is_string(column) || (is_number && is_whole)
}

/// Reads the bytes of all rows, one after the other.
pub(crate) struct RowBytes {
    rows: RowReader,
    bytes: Vec<u8>,
    /// So many of them are read.
    at: usize,
    is_ended: bool,
}

/// Rows are spelled so many bytes at a time.
const STEP: usize = 1 << 20;

impl RowBytes {
    pub(crate) fn open(path: &Path, columns: &Columns) -> Result<Self> {
        Ok(RowBytes { rows: RowReader::open(path, columns)?, bytes: Vec::new(), at: 0, is_ended: false })
    }
}

impl Read for RowBytes {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        while self.at == self.bytes.len() && !self.is_ended {
            self.bytes.clear();
            self.at = 0;
            self.is_ended = self.rows.fill(STEP, &mut self.bytes)?.is_last;
        }
        let n_read = (&self.bytes[self.at..]).read(bytes)?;
        self.at += n_read;
        Ok(n_read)
    }
}
