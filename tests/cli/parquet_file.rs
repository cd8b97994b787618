//! Small Parquet files, made and read.

use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

const SCHEMA: &str = "message pages {
    required int64 id;
    required int32 number;
    optional binary text (STRING);
    optional binary url (STRING);
    optional group nested { optional binary text (STRING); }
    optional group tags (LIST) { repeated group list { optional int32 element; } }
    required fixed_len_byte_array(3) fixed;
    optional double share;
    required boolean flag;
    optional int96 time;
}";

/// A file of groups of rows, by their texts. What is in the other columns follows from the number of the row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parquet {
    groups: Vec<Vec<Option<Vec<u8>>>>,
}

impl Parquet {
    pub(crate) fn with_group<T: AsRef<[u8]>>(mut self, texts: &[Option<T>]) -> Self {
        self.groups.push(texts.iter().map(|text| text.as_ref().map(|text| text.as_ref().to_vec())).collect());
        self
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(SCHEMA).expect("it is a schema"));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(vec![KeyValue::new("own".into(), Some("kept".into()))]))
            .set_created_by("a crawler version 1.2.3".into())
            .set_column_bloom_filter_enabled("url".into(), true)
            .set_column_dictionary_enabled("text".into(), false)
            .build();
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).expect("it can be begun");
        let mut first = 0;
        for group in &self.groups {
            write_group(&mut writer, first, group).expect("memory can be written");
            first += i32::try_from(group.len()).expect("they are few");
        }
        writer.close().expect("memory can be written");
        bytes
    }

    /// The rows of a file, by groups, in words.
    #[track_caller]
    pub(crate) fn read(bytes: &[u8]) -> Vec<Vec<String>> {
        let reader = SerializedFileReader::new(file(bytes)).expect("it is Parquet");
        let group = |group_idx: usize| {
            let group = reader.get_row_group(group_idx).expect("the group can be read");
            let rows = group.get_row_iter(None).expect("the rows can be read");
            rows.map(|row| row.expect("the row can be read").to_string()).collect()
        };
        (0..reader.num_row_groups()).map(group).collect()
    }
}

/// Bytes as a file, which the library reads.
pub(crate) fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    file.write_all(bytes).expect("a temporary file can be written");
    file
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    first: i32,
    texts: &[Option<Vec<u8>>],
) -> parquet::errors::Result<()> {
    let n_rows = texts.len();
    let numbers = first..first + i32::try_from(n_rows).expect("they are few");
    let strings = |of: &dyn Fn(i32) -> String| -> Vec<ByteArray> {
        numbers.clone().map(|number| ByteArray::from(of(number).into_bytes())).collect()
    };
    let all = vec![1_i16; n_rows];
    let mut group = writer.next_row_group()?;
    let mut column_idx = 0;
    while let Some(mut column) = group.next_column()? {
        match column.untyped() {
            ColumnWriter::Int64ColumnWriter(writer) => {
                writer.write_batch(&numbers.clone().map(i64::from).collect::<Vec<_>>(), None, None)
            }
            // Lists of no, one and two numbers, and none at all.
            ColumnWriter::Int32ColumnWriter(writer) if column_idx == 5 => {
                let of_row = |number: i32| match number % 4 {
                    0 => (vec![0], vec![0]),
                    1 => (vec![1], vec![0]),
                    2 => (vec![3], vec![0]),
                    _ => (vec![3, 2, 3], vec![0, 1, 1]),
                };
                let (levels, repeats): (Vec<Vec<i16>>, Vec<Vec<i16>>) = numbers.clone().map(of_row).unzip();
                let (levels, repeats) = (levels.concat(), repeats.concat());
                let n_values = levels.iter().filter(|level| **level == 3).count();
                let values: Vec<i32> = (0..).take(n_values).collect();
                writer.write_batch(&values, Some(&levels), Some(&repeats))
            }
            ColumnWriter::Int32ColumnWriter(writer) => {
                writer.write_batch(&numbers.clone().map(|number| number % 3).collect::<Vec<_>>(), None, None)
            }
            ColumnWriter::ByteArrayColumnWriter(writer) if column_idx == 2 => {
                let levels: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
                let values: Vec<ByteArray> = texts.iter().flatten().map(|text| ByteArray::from(text.clone())).collect();
                writer.write_batch(&values, Some(&levels), None)
            }
            ColumnWriter::ByteArrayColumnWriter(writer) if column_idx == 3 => {
                writer.write_batch(&strings(&|number| format!("https://site{number}.example/")), Some(&all), None)
            }
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                let values = strings(&|number| format!("Skip to content\nkept {number}"));
                writer.write_batch(&values, Some(&vec![2; n_rows]), None)
            }
            ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
                let values = strings(&|number| format!("{:03}", number % 1000));
                writer.write_batch(&values.into_iter().map(Into::into).collect::<Vec<_>>(), None, None)
            }
            ColumnWriter::DoubleColumnWriter(writer) => {
                let levels: Vec<i16> = numbers.clone().map(|number| i16::from(number % 2 == 0)).collect();
                let values: Vec<f64> =
                    numbers.clone().filter(|number| number % 2 == 0).map(|number| f64::from(number) / 8.0).collect();
                writer.write_batch(&values, Some(&levels), None)
            }
            ColumnWriter::BoolColumnWriter(writer) => {
                writer.write_batch(&numbers.clone().map(|number| number % 2 == 0).collect::<Vec<_>>(), None, None)
            }
            ColumnWriter::Int96ColumnWriter(writer) => writer.write_batch(&[], Some(&vec![0; n_rows]), None),
            ColumnWriter::FloatColumnWriter(_) => unreachable!("the schema has no such column"),
        }?;
        column.close()?;
        column_idx += 1;
    }
    group.close().map(drop)
}
