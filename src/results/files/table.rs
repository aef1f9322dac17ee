//! A CSV file that is written row by row; quoting is the `csv` crate's.

use std::fmt::{Display, Write};
use std::fs::File;
use std::path::{Path, PathBuf};

use super::WriteError;

/// An open CSV file.
pub struct Table {
    path: PathBuf,
    writer: csv::Writer<File>,
    cell: String,
}

impl Table {
    /// Creates the file and writes its header.
    pub fn create<'a>(path: &Path, header: impl IntoIterator<Item = &'a str>) -> Result<Self, WriteError> {
        let file = File::create(path).map_err(|source| WriteError::new(path, source))?;
        let writer = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(file);
        let mut table = Table { path: path.to_owned(), writer, cell: String::new() };
        let header = table.writer.write_record(header);
        header.map_err(|error| table.failed(error.into()))?;
        Ok(table)
    }

    /// Writes one row.
    pub fn row(&mut self, cells: &[&dyn Display]) -> Result<(), WriteError> {
        for cell in cells {
            self.cell.clear();
            write!(self.cell, "{cell}").expect("writing to a string cannot fail");
            let field = self.writer.write_field(&self.cell);
            field.map_err(|error| self.failed(error.into()))?;
        }
        let end = self.writer.write_record(None::<&[u8]>);
        end.map_err(|error| self.failed(error.into()))
    }

    /// Writes out what is buffered. A table that is dropped instead loses its errors.
    pub fn finish(mut self) -> Result<(), WriteError> {
        self.writer.flush().map_err(|error| self.failed(error))
    }

    fn failed(&self, source: std::io::Error) -> WriteError {
        WriteError::new(&self.path, source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_quotes_and_newlines_read_back_as_they_were() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("t.csv");
        let awkward = ["a, b", "say \"no\"", "two\nlines", ""];
        let mut table = Table::create(&path, ["one", "two", "three", "four"]).unwrap();
        table.row(&[&awkward[0], &awkward[1], &awkward[2], &awkward[3]]).unwrap();
        table.finish().unwrap();
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(row.iter().collect::<Vec<_>>(), awkward);
    }

    #[test]
    fn a_file_that_cannot_be_created_is_named() {
        let error = Table::create(Path::new("/nonexistent/t.csv"), ["a"]).err().unwrap();
        assert!(error.to_string().starts_with("cannot write /nonexistent/t.csv:"), "{error}");
    }
}
