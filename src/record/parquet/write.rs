//! Writing: a file like the one that the rows are of, with other texts in it, or fewer rows.

use super::Columns;
use super::column::encode;
use super::file::{Opened, damaged, n_rows};
use super::frame::{Mark, Piece, Text, piece, read};
use super::pages::{explained, into_io_error};
use crate::text::Span;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use std::io::{Error, Result, Write};
use std::path::Path;
use std::sync::Arc;

/// Pages are closed when they are large enough, which is looked at every so many rows.
const PAGE_CHECK_ROWS: usize = 64;

/// Texts are encoded so many rows at a time.
const BATCH_ROWS: usize = 1024;

/// Takes rows as bytes, with marks between parts, and writes them group by group.
pub(crate) struct RowWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    /// The file that the rows are of, or whose columns at least the file is to have.
    source: Opened,
    text: usize,
    /// Whether its groups are those that are written, so that columns can be copied.
    is_same: bool,
    /// The rows of the group so far, and what of the next one came.
    bytes: Vec<u8>,
    rows: Vec<Span>,
    /// Where what comes next starts, and how much of it is known to hold no end.
    at: usize,
    searched: usize,
    is_edited: bool,
    group_idx: usize,
}

impl<W: Write + Send> std::fmt::Debug for RowWriter<W> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RowWriter")
    }
}

impl<W: Write + Send> RowWriter<W> {
    /// Begins a file with the columns of the one at `source`. `is_same` says whether what is written are the groups of that.
    pub(crate) fn begin(source: &Path, columns: &Columns, is_same: bool, writer: W) -> Result<Self> {
        let source = Opened::open_with_page_index(source)?;
        let text = source.text_column(&columns.fields.text).map_err(Error::other)?;
        let schema = source.metadata.file_metadata().schema_descr().root_schema_ptr();
        let properties = Arc::new(properties(&source.metadata, text));
        let writer = SerializedFileWriter::new(writer, schema, properties).map_err(into_io_error)?;
        Ok(RowWriter {
            writer,
            source,
            text,
            is_same,
            bytes: Vec::new(),
            rows: Vec::new(),
            at: 0,
            searched: 0,
            is_edited: false,
            group_idx: 0,
        })
    }

    /// Writes the file's end, and gives the writer.
    pub(crate) fn finish(self) -> Result<W> {
        if !self.bytes.is_empty() {
            return Err(Error::other("rows came without the end of their group"));
        }
        explained(|| self.writer.into_inner())
    }

    /// Takes what has come as far as it goes.
    fn take(&mut self) -> Result<()> {
        while let Some(piece) = piece(&self.bytes[self.at..], self.searched) {
            self.searched = 0;
            match piece {
                Piece::Row { end } => {
                    self.rows.push(Span::new(self.at, self.at + end));
                    self.at += end;
                }
                Piece::Mark { mark, end } => {
                    self.bytes.drain(self.at..self.at + end);
                    match mark {
                        Mark::IsEdited => self.is_edited = true,
                        Mark::GroupEnds => self.end_group()?,
                    }
                }
            }
        }
        self.searched = self.bytes.len() - self.at;
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        let rest = self.bytes.split_off(self.at);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        let rows = std::mem::take(&mut self.rows);
        let is_edited = std::mem::take(&mut self.is_edited);
        self.at = 0;
        let group_idx = self.group_idx;
        self.group_idx += 1;
        let source = Some(group_idx).filter(|_| self.is_same);
        let source = source.map(|group_idx| self.source.metadata.row_groups().get(group_idx).ok_or_else(too_many));
        let source = source.transpose()?;
        let n_source_rows = source.map(|group| n_rows(group.num_rows())).transpose()?;
        // Some readers refuse a group without rows, so that none comes of one that has lost them all.
        if rows.is_empty() && n_source_rows.is_some_and(|n_rows| n_rows > 0) {
            return Ok(());
        }
        // Where columns without rows lie, writers do not say.
        let copied = source.filter(|_| n_source_rows == Some(rows.len()) && !rows.is_empty());
        let mut group = explained(|| self.writer.next_row_group())?;
        let columns = self.source.metadata.file_metadata().schema_descr().columns();
        let group_rows = GroupRows::new(bytes, &rows)?;
        let mut others = group_rows.others();
        for (column_idx, column) in columns.iter().enumerate() {
            match copied {
                Some(copied) if column_idx != self.text || !is_edited => {
                    copy_column(&mut group, &self.source, copied, group_idx, column_idx)?;
                }
                _ => {
                    let mut writer = explained(|| group.next_column())?.ok_or_else(too_many)?;
                    if column_idx == self.text {
                        let writer = writer.typed::<ByteArrayType>();
                        group_rows.write_texts(column.max_def_level(), |texts, levels| {
                            let levels = (column.max_def_level() > 0).then_some(levels);
                            explained(|| writer.write_batch(texts, levels, None)).map(drop)
                        })?;
                    } else {
                        encode(writer.untyped(), column, &mut others)?;
                    }
                    explained(|| writer.close())?;
                }
            }
        }
        explained(|| group.close()).map(drop)
    }
}

impl<W: Write + Send> Write for RowWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.bytes.extend_from_slice(bytes);
        self.take()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn too_many() -> Error {
    damaged("it has fewer row groups, or columns, than it had")
}

/// The rows of a group, all there.
struct GroupRows<'g> {
    bytes: ByteArray,
    rows: &'g [Span],
}

impl<'g> GroupRows<'g> {
    fn new(bytes: Vec<u8>, rows: &'g [Span]) -> Result<Self> {
        Ok(GroupRows { bytes: bytes.into(), rows })
    }

    /// The other columns of each row.
    fn others(&self) -> Vec<&[u8]> {
        self.rows.iter().map(|row| read(row.of(self.bytes.data())).map_or(&b""[..], |(row, _)| row.others)).collect()
    }

    /// Gives the texts some rows at a time, with their definition levels.
    fn write_texts(&self, max_level: i16, mut write: impl FnMut(&[ByteArray], &[i16]) -> Result<()>) -> Result<()> {
        let (mut texts, mut levels) = (Vec::new(), Vec::new());
        for batch in self.rows.chunks(BATCH_ROWS) {
            texts.clear();
            levels.clear();
            for span in batch {
                let Some((row, text)) = read(span.of(self.bytes.data())) else {
                    return Err(damaged("a row is not as it was written"));
                };
                match row.text {
                    Text::Utf8(_) => texts.push(self.bytes.slice(span.start + text.start, text.len())),
                    Text::NotUtf8(bytes) => texts.push(bytes.into()),
                    Text::Null => {}
                }
                levels.push(if row.text == Text::Null { row.level } else { max_level });
            }
            write(&texts, &levels)?;
        }
        Ok(())
    }
}

/// Copies a column of a group as it lies in the file.
fn copy_column<W: Write + Send>(
    to: &mut SerializedRowGroupWriter<'_, W>,
    source: &Opened,
    group: &RowGroupMetaData,
    group_idx: usize,
    column_idx: usize,
) -> Result<()> {
    let column = group.column(column_idx);
    let index = source.metadata.page_index_for_row_group(group_idx);
    let rows_written = u64::try_from(group.num_rows()).unwrap_or(0);
    explained(|| {
        let copied = ColumnCloseResult {
            bytes_written: column.compressed_size().unsigned_abs(),
            rows_written,
            metadata: column.clone(),
            bloom_filter: Sbbf::read_from_column_chunk(column, &*source.file)?,
            column_index: index.column_index(column_idx).cloned(),
            offset_index: index.offset_index(column_idx).cloned(),
        };
        to.append_column(&*source.file, copied)
    })
}

/// How columns are encoded: as those of the first group are, as far as that shows.
fn properties(metadata: &ParquetMetaData, text: usize) -> WriterProperties {
    let file = metadata.file_metadata();
    let mut builder = WriterProperties::builder()
        .set_key_value_metadata(file.key_value_metadata().cloned())
        .set_sorting_columns(sorting(metadata, text))
        .set_write_batch_size(PAGE_CHECK_ROWS);
    // Readers know by it which writers' statistics are wrong, and those of copied columns are still that writer's.
    if let Some(created_by) = file.created_by() {
        builder = builder.set_created_by(created_by.to_owned());
    }
    let Some(group) = metadata.row_groups().first() else {
        return builder.build();
    };
    let has_second_pages = |column: &ColumnChunkMetaData| {
        let stats = column.page_encoding_stats();
        stats.is_some_and(|stats| stats.iter().any(|stats| stats.page_type == PageType::DATA_PAGE_V2))
    };
    let is_second = group.columns().iter().any(has_second_pages);
    builder =
        builder.set_writer_version(if is_second { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 });
    group.columns().iter().fold(builder, like_column).build()
}

fn like_column(builder: WriterPropertiesBuilder, column: &ColumnChunkMetaData) -> WriterPropertiesBuilder {
    let path = || column.column_path().clone();
    let compression = match column.compression() {
        // The older kind of lz4 was never described, and readers differ.
        Compression::LZ4 => Compression::LZ4_RAW,
        compression => compression,
    };
    let statistics = match (column.statistics(), column.column_index_offset()) {
        (None, None) => EnabledStatistics::None,
        (_, None) => EnabledStatistics::Chunk,
        (_, Some(_)) => EnabledStatistics::Page,
    };
    let is_own = |encoding: &Encoding| {
        use Encoding::{BYTE_STREAM_SPLIT, DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY, DELTA_LENGTH_BYTE_ARRAY};
        matches!(encoding, BYTE_STREAM_SPLIT | DELTA_BINARY_PACKED | DELTA_BYTE_ARRAY | DELTA_LENGTH_BYTE_ARRAY)
    };
    builder
        .set_column_compression(path(), compression)
        .set_column_dictionary_enabled(path(), column.dictionary_page_offset().is_some())
        .set_column_encoding(path(), column.encodings().find(is_own).unwrap_or(Encoding::PLAIN))
        .set_column_statistics_enabled(path(), statistics)
        .set_column_bloom_filter_enabled(path(), column.bloom_filter_offset().is_some())
}

/// What rows are sorted by, in all groups, up to the text: its order may be another now.
fn sorting(metadata: &ParquetMetaData, text: usize) -> Option<Vec<SortingColumn>> {
    let mut of_groups = metadata.row_groups().iter().map(RowGroupMetaData::sorting_columns);
    let first = of_groups.next()??;
    if !of_groups.all(|other| other == Some(first)) {
        return None;
    }
    let is_text = |column: &&SortingColumn| usize::try_from(column.column_idx) == Ok(text);
    let columns: Vec<SortingColumn> = first.iter().take_while(|column| !is_text(column)).cloned().collect();
    (!columns.is_empty()).then_some(columns)
}
