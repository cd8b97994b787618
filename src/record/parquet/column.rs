//! The values of a column, row by row: read from pages, spelled as bytes, read back and encoded.
//!
//! ```text
//! a row of a column: how many levels it has, if it may have several | definition levels, if there are any | repetition
//!                    levels, if there are any | the values that are there
//! ```

use super::file::damaged;
use super::frame::{put, take, take_chunk};
use super::pages::explained;
use parquet::basic::ConvertedType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::{ColumnWriter, ColumnWriterImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use parquet::schema::types::ColumnDescriptor;
use std::borrow::Cow;
use std::io::Result;

/// Values are encoded so many rows at a time.
const BATCH_ROWS: usize = 1024;

/// Values of a column with their levels.
struct Cells<T: DataType> {
    max_definition: i16,
    max_repetition: i16,
    /// None if all values are there.
    definitions: Vec<i16>,
    /// None if each row has one value at most.
    repetitions: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType> Cells<T> {
    fn of(column: &ColumnDescriptor) -> Self {
        Cells {
            max_definition: column.max_def_level(),
            max_repetition: column.max_rep_level(),
            definitions: Vec::new(),
            repetitions: Vec::new(),
            values: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.definitions.clear();
        self.repetitions.clear();
        self.values.clear();
    }

    /// How many values definition levels say are there; one if there are none.
    fn n_values(&self, definitions: &[i16]) -> usize {
        if self.max_definition == 0 {
            return 1;
        }
        definitions.iter().filter(|level| **level == self.max_definition).count()
    }
}

/// A column of a group, read some rows at a time.
pub(super) struct Rows<T: DataType> {
    reader: ColumnReaderImpl<T>,
    cells: Cells<T>,
    next_level: usize,
    next_value: usize,
    /// Whether numbers have no sign.
    is_unsigned: bool,
}

/// A row of a column.
pub(super) struct Cell<'c, V> {
    definitions: &'c [i16],
    repetitions: &'c [i16],
    values: &'c [V],
}

impl<V> Cell<'_, V> {
    /// The definition level and the value, in a column of one value for each row.
    pub(super) fn single(&self) -> (i16, Option<&V>) {
        (self.definitions.first().copied().unwrap_or(0), self.values.first())
    }
}

impl<T: DataType> Rows<T> {
    pub(super) fn new(reader: ColumnReaderImpl<T>, column: &ColumnDescriptor) -> Self {
        Rows { reader, cells: Cells::of(column), next_level: 0, next_value: 0, is_unsigned: is_unsigned(column) }
    }

    /// Reads the next rows in the place of those before; says how many there are.
    fn read_up_to(&mut self, n_rows: usize) -> Result<usize> {
        self.cells.clear();
        (self.next_level, self.next_value) = (0, 0);
        let Rows { reader, cells, .. } = self;
        let (n_read, _, _) = explained(|| {
            let (definitions, repetitions) = (Some(&mut cells.definitions), Some(&mut cells.repetitions));
            reader.read_records(n_rows, definitions, repetitions, &mut cells.values)
        })?;
        Ok(n_read)
    }

    /// The next of the rows that were read.
    pub(super) fn next(&mut self) -> Cell<'_, T::T> {
        let Cells { definitions, repetitions, values, .. } = &self.cells;
        let more = repetitions.get(self.next_level + 1..).unwrap_or_default();
        let n_levels = 1 + more.iter().take_while(|level| **level > 0).count();
        let levels = self.next_level..self.next_level + n_levels;
        self.next_level = levels.end;
        let definitions = definitions.get(levels.clone()).unwrap_or_default();
        let start = self.next_value;
        self.next_value += self.cells.n_values(definitions);
        Cell {
            definitions,
            repetitions: repetitions.get(levels).unwrap_or_default(),
            values: values.get(start..self.next_value).unwrap_or_default(),
        }
    }
}

/// A column whose rows are read and spelled.
pub(super) trait ReadRows: Send {
    /// Reads the next rows, which are then taken one by one, in the place of those before.
    fn read(&mut self, n_rows: usize) -> Result<()>;

    /// Sees that all rows were read.
    fn end(&mut self) -> Result<()>;

    /// Takes the next row, and appends it. Fails if a value is of more than four gigabytes.
    fn spell(&mut self, out: &mut Vec<u8>) -> Option<()>;

    /// Takes the next row as what names a document; nothing if it is null.
    fn name(&mut self) -> Option<Cow<'_, [u8]>>;
}

impl<T: DataType<T: Value>> ReadRows for Rows<T> {
    fn read(&mut self, n_rows: usize) -> Result<()> {
        match self.read_up_to(n_rows)? < n_rows {
            true => Err(damaged("a column has fewer rows than its row group")),
            false => Ok(()),
        }
    }

    fn end(&mut self) -> Result<()> {
        match self.read_up_to(1)? > 0 {
            true => Err(damaged("a column has more rows than its row group")),
            false => Ok(()),
        }
    }

    fn spell(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let may_have_several = self.cells.max_repetition > 0;
        let cell = self.next();
        if may_have_several {
            out.extend_from_slice(&u32::try_from(cell.repetitions.len()).ok()?.to_le_bytes());
        }
        for level in cell.definitions.iter().chain(cell.repetitions) {
            out.extend_from_slice(&level.to_le_bytes());
        }
        cell.values.iter().try_for_each(|value| value.spell(out))
    }

    fn name(&mut self) -> Option<Cow<'_, [u8]>> {
        let is_unsigned = self.is_unsigned;
        self.next().values.first()?.name(is_unsigned)
    }
}

/// A column of any type.
pub(super) fn rows(reader: ColumnReader, column: &ColumnDescriptor) -> Box<dyn ReadRows> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => Box::new(Rows::new(reader, column)),
        ColumnReader::Int32ColumnReader(reader) => Box::new(Rows::new(reader, column)),
        ColumnReader::Int64ColumnReader(reader) => Box::new(Rows::new(reader, column)),
        ColumnReader::Int96ColumnReader(reader) => Box::new(Rows::new(reader, column)),
        ColumnReader::FloatColumnReader(reader) => Box::new(Rows::new(reader, column)),
        ColumnReader::DoubleColumnReader(reader) => Box::new(Rows::new(reader, column)),
        ColumnReader::ByteArrayColumnReader(reader) => Box::new(Rows::new(reader, column)),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => Box::new(Rows::new(reader, column)),
    }
}

/// Encodes a column of rows as `ReadRows::spell` spelled them. What each row has behind it is left in `rows`.
pub(super) fn encode(writer: &mut ColumnWriter<'_>, column: &ColumnDescriptor, rows: &mut [&[u8]]) -> Result<()> {
    match writer {
        ColumnWriter::BoolColumnWriter(writer) => encode_rows(writer, column, rows),
        ColumnWriter::Int32ColumnWriter(writer) => encode_rows(writer, column, rows),
        ColumnWriter::Int64ColumnWriter(writer) => encode_rows(writer, column, rows),
        ColumnWriter::Int96ColumnWriter(writer) => encode_rows(writer, column, rows),
        ColumnWriter::FloatColumnWriter(writer) => encode_rows(writer, column, rows),
        ColumnWriter::DoubleColumnWriter(writer) => encode_rows(writer, column, rows),
        ColumnWriter::ByteArrayColumnWriter(writer) => encode_rows(writer, column, rows),
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => encode_rows(writer, column, rows),
    }
}

fn encode_rows<T: DataType<T: Value>>(
    writer: &mut ColumnWriterImpl<'_, T>,
    column: &ColumnDescriptor,
    rows: &mut [&[u8]],
) -> Result<()> {
    let mut cells = Cells::<T>::of(column);
    for batch in rows.chunks_mut(BATCH_ROWS) {
        cells.clear();
        for row in batch {
            cells.unspell(row).ok_or_else(|| damaged("a row is not as it was written"))?;
        }
        let definitions = (cells.max_definition > 0).then_some(&cells.definitions[..]);
        let repetitions = (cells.max_repetition > 0).then_some(&cells.repetitions[..]);
        explained(|| writer.write_batch(&cells.values, definitions, repetitions))?;
    }
    Ok(())
}

impl<T: DataType<T: Value>> Cells<T> {
    /// Takes a row and appends it.
    fn unspell(&mut self, row: &mut &[u8]) -> Option<()> {
        let n_levels = if self.max_repetition > 0 { u32::from_le_bytes(*take_chunk(row)?) } else { 1 };
        let start = self.definitions.len();
        for (levels, is_there) in
            [(&mut self.definitions, self.max_definition > 0), (&mut self.repetitions, self.max_repetition > 0)]
        {
            for _ in 0..if is_there { n_levels } else { 0 } {
                levels.push(i16::from_le_bytes(*take_chunk(row)?));
            }
        }
        for _ in 0..self.n_values(&self.definitions[start..]) {
            self.values.push(T::T::unspell(row)?);
        }
        Some(())
    }
}

/// A value of one of Parquet's types.
pub(super) trait Value: Sized {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()>;

    fn unspell(bytes: &mut &[u8]) -> Option<Self>;

    /// As what names a document, if it can.
    fn name(&self, _is_unsigned: bool) -> Option<Cow<'_, [u8]>> {
        None
    }
}

/// Whether numbers of a column have no sign.
fn is_unsigned(column: &ColumnDescriptor) -> bool {
    use ConvertedType::{UINT_8, UINT_16, UINT_32, UINT_64};
    matches!(column.converted_type(), UINT_8 | UINT_16 | UINT_32 | UINT_64)
}

fn digits(number: impl ToString) -> Option<Cow<'static, [u8]>> {
    Some(Cow::Owned(number.to_string().into_bytes()))
}

impl Value for bool {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        out.push(u8::from(*self));
        Some(())
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        Some(take_chunk(bytes)? == &[1])
    }
}

impl Value for i32 {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(&self.to_le_bytes());
        Some(())
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        Some(i32::from_le_bytes(*take_chunk(bytes)?))
    }

    fn name(&self, is_unsigned: bool) -> Option<Cow<'_, [u8]>> {
        if is_unsigned { digits(self.cast_unsigned()) } else { digits(self) }
    }
}

impl Value for i64 {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(&self.to_le_bytes());
        Some(())
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        Some(i64::from_le_bytes(*take_chunk(bytes)?))
    }

    fn name(&self, is_unsigned: bool) -> Option<Cow<'_, [u8]>> {
        if is_unsigned { digits(self.cast_unsigned()) } else { digits(self) }
    }
}

impl Value for Int96 {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        self.data().iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        Some(())
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        let mut word = || Some(u32::from_le_bytes(*take_chunk(bytes)?));
        let mut value = Int96::new();
        value.set_data(word()?, word()?, word()?);
        Some(value)
    }
}

impl Value for f32 {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(&self.to_le_bytes());
        Some(())
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        Some(f32::from_le_bytes(*take_chunk(bytes)?))
    }
}

impl Value for f64 {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(&self.to_le_bytes());
        Some(())
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        Some(f64::from_le_bytes(*take_chunk(bytes)?))
    }
}

impl Value for ByteArray {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        put(self.data(), out)
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes).map(ByteArray::from)
    }

    fn name(&self, _is_unsigned: bool) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(self.data()))
    }
}

impl Value for FixedLenByteArray {
    fn spell(&self, out: &mut Vec<u8>) -> Option<()> {
        put(self.data(), out)
    }

    fn unspell(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes).map(|bytes| ByteArray::from(bytes).into())
    }
}
