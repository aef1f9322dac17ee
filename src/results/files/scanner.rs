//! Reads a CSV file of a run back, cell by cell in the order in which it was written.
//!
//! The header must be the one this version writes: a file of another version is refused, not guessed at.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ebbflow_actors::{SimDuration, SimTime};

use super::ReadError;
use crate::ids::{InstanceId, ServerId, Tag};
use crate::scaling::Limiter;

/// An open CSV file with the header that was expected.
pub struct Scanner {
    path: PathBuf,
    header: &'static [&'static str],
    reader: csv::Reader<File>,
}

/// The cells of a row, from left to right.
pub struct Row<'a> {
    header: &'static [&'static str],
    cells: &'a csv::StringRecord,
    place: usize,
}

/// A cell that does not say what its column should.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CellError {
    column: &'static str,
    found: String,
    expected: &'static str,
}

/// What can be read from a cell.
pub trait FromCell: Sized {
    /// What the cell should say.
    const EXPECTED: &'static str;

    /// Reads it.
    fn from_cell(text: &str) -> Option<Self>;
}

impl Scanner {
    /// Opens the file and checks its header.
    pub fn open(path: &Path, header: &'static [&'static str]) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| ReadError::io(path, source))?;
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(file);
        let found = reader.headers().map_err(|error| ReadError::csv(path, error))?;
        if found.iter().ne(header.iter().copied()) {
            let found = found.iter().collect::<Vec<_>>().join(",");
            return Err(ReadError::Header { path: path.to_owned(), found, expected: header.join(",") });
        }
        Ok(Scanner { path: path.to_owned(), header, reader })
    }

    /// Hands every row to `read`.
    pub fn each(
        mut self,
        mut read: impl FnMut(&mut Row<'_>) -> Result<(), CellError>,
    ) -> Result<(), ReadError> {
        let mut cells = csv::StringRecord::new();
        while self.reader.read_record(&mut cells).map_err(|error| ReadError::csv(&self.path, error))? {
            let mut row = Row { header: self.header, cells: &cells, place: 0 };
            read(&mut row).map_err(|error| self.cell_error(&cells, error))?;
        }
        Ok(())
    }

    /// The rows, each read by `read`.
    pub fn rows<T>(
        self,
        mut read: impl FnMut(&mut Row<'_>) -> Result<T, CellError>,
    ) -> Result<Vec<T>, ReadError> {
        let mut rows = Vec::new();
        self.each(|row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    fn cell_error(&self, cells: &csv::StringRecord, error: CellError) -> ReadError {
        let line = cells.position().map_or(0, csv::Position::line);
        let CellError { column, found, expected } = error;
        ReadError::Cell { path: self.path.clone(), line, column, found, expected }
    }
}

impl<'a> Row<'a> {
    /// The next cell.
    pub fn next<T: FromCell>(&mut self) -> Result<T, CellError> {
        self.read_with(T::EXPECTED, T::from_cell)
    }

    /// The next cell as it stands.
    pub fn text(&mut self) -> Result<&'a str, CellError> {
        let place = self.place;
        self.place += 1;
        // The header has been compared, and rows of another length are errors of the CSV reader.
        self.cells.get(place).ok_or(CellError { column: "", found: String::new(), expected: "a cell" })
    }

    /// The next cell, read by `read`.
    pub fn read_with<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, CellError> {
        let column = self.header.get(self.place).copied().unwrap_or_default();
        let text = self.text()?;
        read(text).ok_or_else(|| CellError { column, found: text.to_owned(), expected })
    }

    /// The next cell, a word out of a small vocabulary, kept for the life of the process.
    pub fn word(&mut self) -> Result<&'static str, CellError> {
        self.text().map(interned)
    }
}

/// Words of logs are `&'static str` in a running simulation. Those read back are leaked once each: there
/// are as many as kinds of operations and policies.
fn interned(word: &str) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(word) {
        return known;
    }
    let leaked: &'static str = String::from(word).leak();
    words.insert(leaked);
    leaked
}

impl<T: FromCell> FromCell for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_cell(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::from_cell(text).map(Some) }
    }
}

macro_rules! from_cell {
    ($($type:ty, $expected:literal, $read:expr;)*) => {$(
        impl FromCell for $type {
            const EXPECTED: &'static str = $expected;

            fn from_cell(text: &str) -> Option<Self> {
                let read: fn(&str) -> Option<Self> = $read;
                read(text)
            }
        }
    )*};
}

from_cell! {
    u32, "a whole number", |text| text.parse().ok();
    u64, "a whole number", |text| text.parse().ok();
    i32, "a whole number", |text| text.parse().ok();
    f64, "a number", |text| text.parse().ok();
    String, "text", |text| Some(text.to_owned());
    Limiter, "what may limit a decision", Limiter::parse;
    Tag, "prompt, token or mixed", Tag::parse;
    InstanceId, "the number of an instance", |text| text.parse().ok().map(InstanceId);
    ServerId, "the number of a server", |text| text.parse().ok().map(ServerId);
    SimTime, "seconds", |text| nanoseconds(text).map(SimTime::from_nanos);
    SimDuration, "seconds", |text| nanoseconds(text).map(SimDuration::from_nanos);
}

/// Decimal seconds with at most nine decimals, exactly. Most cells of large files are such.
fn nanoseconds(text: &str) -> Option<u64> {
    let (mut digits, mut decimals) = (0u64, None);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                digits = digits.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
                decimals = decimals.map(|count: u32| count + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let missing = 9u32.checked_sub(decimals.unwrap_or(0))?;
    let written = text.starts_with(|first: char| first.is_ascii_digit());
    written.then(|| digits.checked_mul(10u64.pow(missing))).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::super::format::Seconds;
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_moment_reads_back_as_it_was_written(nanos: u64) {
            let time = SimTime::from_nanos(nanos);
            let text = Seconds::from(time).to_string();
            proptest::prop_assert_eq!(SimTime::from_cell(&text), Some(time));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "x", "-1", "1.2.3", "1.0000000001", "+1.0", "18446744074", "1e3", ".", ".5"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_bad_cell_is_named_with_its_line_and_column() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("t.csv");
        std::fs::write(&path, "one,two\n1,2\n3,four\n").unwrap();
        let scanner = Scanner::open(&path, &["one", "two"]).unwrap();
        let error = scanner.rows(|row| Ok((row.next::<u32>()?, row.next::<u32>()?))).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("t.csv:3: two is `four`; expected a whole number"), "{text}");
    }

    #[test]
    fn a_file_of_another_version_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("t.csv");
        std::fs::write(&path, "one,three\n").unwrap();
        let error = Scanner::open(&path, &["one", "two"]).err().unwrap().to_string();
        assert!(error.contains("one,three") && error.contains("one,two"), "{error}");
    }
}
