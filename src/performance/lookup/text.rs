//! Performance tables as text: CSV as it lies there, Parquet as the CSV of the same rows.
//!
//! So both are read, and refused, by the same code: the columns' names are the first line of a Parquet file and its
//! first row is the second, which is how messages count. Reading Parquet comes with the cargo feature `parquet`, for
//! the crates that it needs.

use std::path::Path;

use super::{LookupError, row};

/// Every Parquet file begins with these bytes.
const MAGIC: &[u8] = b"PAR1";

/// The text of the table that lies there.
pub(super) fn of(path: &Path) -> Result<String, LookupError> {
    let bytes =
        std::fs::read(path).map_err(|source| LookupError::Unreadable { path: path.to_owned(), source })?;
    if is_parquet(path) || bytes.starts_with(MAGIC) {
        return of_parquet(path);
    }
    String::from_utf8(bytes).map_err(|error| row::not_text(path, &error))
}

/// Whether the name says that this is Parquet.
pub(super) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

#[cfg(not(feature = "parquet"))]
fn of_parquet(path: &Path) -> Result<String, LookupError> {
    Err(LookupError::ParquetNotBuilt { path: path.to_owned() })
}

#[cfg(feature = "parquet")]
use with_parquet::of_parquet;

#[cfg(feature = "parquet")]
mod with_parquet {
    use std::fs::File;

    use parquet::errors::ParquetError;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;

    pub(super) fn of_parquet(path: &Path) -> Result<String, LookupError> {
        let refuse = |problem: String| LookupError::Parquet { path: path.to_owned(), problem };
        let file =
            File::open(path).map_err(|source| LookupError::Unreadable { path: path.to_owned(), source })?;
        let csv = csv_of(file).map_err(|error| refuse(error.to_string()))?;
        String::from_utf8(csv).map_err(|_| refuse("some of its text is not UTF-8".to_owned()))
    }

    fn csv_of(file: File) -> Result<Vec<u8>, ParquetError> {
        let other = |error: csv::Error| ParquetError::General(error.to_string());
        let reader = SerializedFileReader::new(file)?;
        let schema = reader.metadata().file_metadata().schema();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(schema.get_fields().iter().map(|field| field.name())).map_err(other)?;
        for row in reader.get_row_iter(None)? {
            writer.write_record(row?.get_column_iter().map(|(_, field)| cell(field))).map_err(other)?;
        }
        writer.into_inner().map_err(|error| ParquetError::General(error.to_string()))
    }

    /// A number so that it reads back as itself, a text without quotes, nothing for null.
    fn cell(field: &Field) -> String {
        match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            Field::Double(number) => number.to_string(),
            Field::Float(number) => number.to_string(),
            other => other.to_string(),
        }
    }
}

#[cfg(all(test, feature = "parquet"))]
pub(super) mod tests {
    use std::sync::Arc;

    use parquet::basic::LogicalType;
    use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::types::Type;

    use super::*;

    /// Writes a CSV as Parquet: whole numbers, numbers and text, each column as its first cell is.
    pub fn write(path: &Path, csv: &str) {
        let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        let (header, rows) = lines.split_first().unwrap();
        let kind = |column: usize| match rows[0][column] {
            cell if cell.parse::<i64>().is_ok() => Int64Type::get_physical_type(),
            cell if cell.parse::<f64>().is_ok() => DoubleType::get_physical_type(),
            _ => ByteArrayType::get_physical_type(),
        };
        let field = |column: usize| {
            let text = kind(column) == ByteArrayType::get_physical_type();
            let field = Type::primitive_type_builder(header[column], kind(column))
                .with_logical_type(text.then_some(LogicalType::String));
            Arc::new(field.with_repetition(parquet::basic::Repetition::REQUIRED).build().unwrap())
        };
        let fields = (0..header.len()).map(field).collect();
        let schema = Type::group_type_builder("made").with_fields(fields).build().unwrap();
        let file = std::fs::File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for column in 0..header.len() {
            let cells = || rows.iter().map(|row| row[column]);
            match kind(column) {
                parquet::basic::Type::INT64 => {
                    column_of::<Int64Type>(&mut group, cells().map(|cell| cell.parse().unwrap()).collect());
                }
                parquet::basic::Type::DOUBLE => {
                    column_of::<DoubleType>(&mut group, cells().map(|cell| cell.parse().unwrap()).collect());
                }
                _ => column_of::<ByteArrayType>(&mut group, cells().map(ByteArray::from).collect()),
            }
        }
        group.close().unwrap();
        writer.close().unwrap();
    }

    fn column_of<D: DataType>(group: &mut SerializedRowGroupWriter<'_, std::fs::File>, values: Vec<D::T>) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<D>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }

    #[test]
    fn a_parquet_file_is_the_csv_of_its_rows() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("t.parquet");
        let csv = "model,count,seconds\nm,1,0.125\nlong name,-7,3.0000000000000004\n";
        write(&path, csv);
        assert_eq!(of(&path).unwrap(), csv);
    }

    #[test]
    fn what_is_no_parquet_is_an_error_that_names_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("t.parquet");
        for bytes in [&b""[..], b"model,count\n", b"PAR1 and then nothing PAR1"] {
            std::fs::write(&path, bytes).unwrap();
            let error = of(&path).unwrap_err();
            assert!(matches!(error, LookupError::Parquet { .. }));
            assert!(error.to_string().contains("t.parquet as Parquet: "), "{error}");
        }
    }
}
