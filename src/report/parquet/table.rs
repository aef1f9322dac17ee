//! One table: CSV in, Parquet out, some ten thousand rows at a time, so that a run of millions needs no more
//! memory than a small one. Every column may be null; pages are compressed with Snappy, which every reader has.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;
use parquet::basic::{Compression, LogicalType, Repetition};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError as WriterError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::ParquetError;
use super::columns::{Kind, kind};
use super::directory::io_error;

/// Rows of a row group, the unit in which readers skip and work side by side.
const GROUP: usize = 100_000;

/// Writes the rows of `csv` to `parquet`.
pub fn convert(csv: &Path, parquet: &Path) -> Result<(), ParquetError> {
    let mut reader = csv::Reader::from_path(csv).map_err(csv_error(csv))?;
    let header = reader.headers().map_err(csv_error(csv))?.clone();
    let mut columns = columns(csv, &header)?;
    let file = File::create(parquet).map_err(io_error("create", parquet))?;
    let mut writer = writer(file, &columns).map_err(encode_error(parquet))?;
    let (mut row, mut rows) = (StringRecord::new(), 0);
    while reader.read_record(&mut row).map_err(csv_error(csv))? {
        for (column, cell) in columns.iter_mut().zip(&row) {
            column.push(cell).map_err(|expected| cell_error(csv, &row, &column.name, cell, expected))?;
        }
        rows += 1;
        if rows % GROUP == 0 {
            write_group(&mut writer, &mut columns).map_err(encode_error(parquet))?;
        }
    }
    if rows % GROUP > 0 {
        write_group(&mut writer, &mut columns).map_err(encode_error(parquet))?;
    }
    writer.close().map(drop).map_err(encode_error(parquet))
}

/// A column with the cells of the rows that are not written yet.
struct Column {
    name: String,
    cells: Cells,
}

enum Cells {
    Integer(Nullable<Int64Type>),
    Number(Nullable<DoubleType>),
    Text(Nullable<ByteArrayType>),
}

/// Values, and for each row whether it has one (1) or is null (0).
struct Nullable<D: DataType> {
    values: Vec<D::T>,
    present: Vec<i16>,
}

fn columns(csv: &Path, header: &StringRecord) -> Result<Vec<Column>, ParquetError> {
    let column = |name: &str| match kind(name) {
        Some(kind) => Ok(Column { name: name.to_owned(), cells: Cells::of(kind) }),
        None => Err(ParquetError::Column { path: csv.to_owned(), column: name.to_owned() }),
    };
    header.iter().map(column).collect()
}

fn writer(file: File, columns: &[Column]) -> Result<SerializedFileWriter<File>, WriterError> {
    let fields = columns.iter().map(Column::field).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("ebbflow").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("ebbflow {}", env!("CARGO_PKG_VERSION")))
        .build();
    SerializedFileWriter::new(file, schema, Arc::new(properties))
}

fn write_group(writer: &mut SerializedFileWriter<File>, columns: &mut [Column]) -> Result<(), WriterError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let mut open = group.next_column()?.expect("the schema has as many columns as the header");
        match &mut column.cells {
            Cells::Integer(cells) => cells.write(&mut open)?,
            Cells::Number(cells) => cells.write(&mut open)?,
            Cells::Text(cells) => cells.write(&mut open)?,
        }
        open.close()?;
    }
    group.close().map(drop)
}

impl Column {
    fn field(&self) -> Result<TypePtr, WriterError> {
        let (physical, logical) = match self.cells {
            Cells::Integer(_) => (Int64Type::get_physical_type(), None),
            Cells::Number(_) => (DoubleType::get_physical_type(), None),
            Cells::Text(_) => (ByteArrayType::get_physical_type(), Some(LogicalType::String)),
        };
        Type::primitive_type_builder(&self.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    }

    /// Takes a cell, or says what it should have been.
    fn push(&mut self, cell: &str) -> Result<(), &'static str> {
        match &mut self.cells {
            Cells::Integer(cells) => cells.push(cell, |cell| cell.parse().map_err(|_| "a whole number")),
            Cells::Number(cells) => cells.push(cell, |cell| cell.parse().map_err(|_| "a number")),
            Cells::Text(cells) => cells.push(cell, |cell| Ok(ByteArray::from(cell))),
        }
    }
}

impl Cells {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Cells::Integer(Nullable::new()),
            Kind::Number => Cells::Number(Nullable::new()),
            Kind::Text => Cells::Text(Nullable::new()),
        }
    }
}

impl<D: DataType> Nullable<D> {
    fn new() -> Self {
        Nullable { values: Vec::new(), present: Vec::new() }
    }

    fn push<E>(&mut self, cell: &str, read: impl FnOnce(&str) -> Result<D::T, E>) -> Result<(), E> {
        if !cell.is_empty() {
            self.values.push(read(cell)?);
        }
        self.present.push(i16::from(!cell.is_empty()));
        Ok(())
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), WriterError> {
        column.typed::<D>().write_batch(&self.values, Some(&self.present), None)?;
        self.values.clear();
        self.present.clear();
        Ok(())
    }
}

fn csv_error(path: &Path) -> impl FnOnce(csv::Error) -> ParquetError {
    |source| ParquetError::Csv { path: path.to_owned(), source }
}

fn encode_error(path: &Path) -> impl FnOnce(WriterError) -> ParquetError {
    |error| ParquetError::Encode { path: path.to_owned(), problem: error.to_string() }
}

fn cell_error(
    csv: &Path,
    row: &StringRecord,
    column: &str,
    found: &str,
    expected: &'static str,
) -> ParquetError {
    let line = row.position().map_or(0, csv::Position::line);
    let (column, found) = (column.to_owned(), found.to_owned());
    ParquetError::Cell { path: csv.to_owned(), line, column, found, expected }
}
