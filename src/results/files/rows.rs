//! A CSV file of very many rows: cells are put into one buffer that is used again, without `std::fmt`.
//!
//! What a cell says is what [`format`](crate::results::format) says of the same value, digit for digit.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use ebbflow_actors::{SimDuration, SimTime};

use super::WriteError;

/// Bytes that are gathered before they are written out.
const BUFFER: usize = 1 << 16;

/// An open CSV file.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    file: File,
    text: Vec<u8>,
}

/// Something that can stand in a cell.
pub trait Cell {
    /// Adds it to the text.
    fn put(&self, text: &mut Vec<u8>);
}

impl Rows {
    /// Creates the file and writes its header, whose names need no quotes.
    pub fn create(path: &Path, header: &[&str]) -> Result<Self, WriteError> {
        let file = File::create(path).map_err(|source| WriteError::new(path, source))?;
        let mut rows = Rows { path: path.to_owned(), file, text: Vec::with_capacity(BUFFER + 1024) };
        header.iter().for_each(|name| rows.cell(name));
        rows.end_row()?;
        Ok(rows)
    }

    /// Adds a cell to the row.
    pub fn cell(&mut self, value: impl Cell) {
        value.put(&mut self.text);
        self.text.push(b',');
    }

    /// Ends the row, which has at least one cell.
    pub fn end_row(&mut self) -> Result<(), WriteError> {
        self.text.pop();
        self.text.push(b'\n');
        if self.text.len() < BUFFER { Ok(()) } else { self.flush() }
    }

    /// Writes out what is buffered. Rows that are dropped instead lose it.
    pub fn finish(mut self) -> Result<(), WriteError> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        let written = self.file.write_all(&self.text);
        self.text.clear();
        written.map_err(|source| WriteError::new(&self.path, source))
    }
}

impl<T: Cell> Cell for Option<T> {
    fn put(&self, text: &mut Vec<u8>) {
        if let Some(value) = self {
            value.put(text);
        }
    }
}

impl<T: Cell> Cell for &T {
    fn put(&self, text: &mut Vec<u8>) {
        (*self).put(text);
    }
}

/// A word that needs no quotes.
impl Cell for &str {
    fn put(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.as_bytes());
    }
}

/// Words that may need quotes.
pub struct Quoted<'a>(pub &'a str);

impl Cell for Quoted<'_> {
    fn put(&self, text: &mut Vec<u8>) {
        if !self.0.contains(['"', ',', '\n', '\r']) {
            return self.0.put(text);
        }
        text.push(b'"');
        text.extend_from_slice(self.0.replace('"', "\"\"").as_bytes());
        text.push(b'"');
    }
}

impl Cell for i32 {
    fn put(&self, text: &mut Vec<u8>) {
        if *self < 0 {
            text.push(b'-');
        }
        self.unsigned_abs().put(text);
    }
}

impl Cell for u64 {
    fn put(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
    }
}

impl Cell for u32 {
    fn put(&self, text: &mut Vec<u8>) {
        u64::from(*self).put(text);
    }
}

/// The shortest decimal that reads back exactly.
impl Cell for f64 {
    fn put(&self, text: &mut Vec<u8>) {
        let whole = *self as u64;
        if whole as f64 == *self && whole < 1 << 53 && self.is_sign_positive() {
            whole.put(text);
        } else {
            write!(text, "{self}").expect("writing to memory cannot fail");
        }
    }
}

/// A moment as decimal seconds, with one decimal at least.
impl Cell for SimTime {
    fn put(&self, text: &mut Vec<u8>) {
        if put_decimal(self.as_nanos(), text) {
            text.extend_from_slice(b".0");
        }
    }
}

/// A span as [`SimDuration::as_secs_f64`] prints: below 10^15 ns a decimal of so few digits is the
/// shortest that reads back as the float nearest to it.
impl Cell for SimDuration {
    fn put(&self, text: &mut Vec<u8>) {
        if self.as_nanos() < 1_000_000_000_000_000 {
            put_decimal(self.as_nanos(), text);
        } else {
            self.as_secs_f64().put(text);
        }
    }
}

/// Nanoseconds as exact seconds without trailing zeros; whether they were whole.
fn put_decimal(nanos: u64, text: &mut Vec<u8>) -> bool {
    const SECOND: u64 = 1_000_000_000;
    (nanos / SECOND).put(text);
    let fraction = nanos % SECOND;
    if fraction == 0 {
        return true;
    }
    let point = text.len();
    // The leading one keeps the zeros behind it, and makes room for the point.
    (SECOND + fraction).put(text);
    text[point] = b'.';
    while text.last() == Some(&b'0') {
        text.pop();
    }
    false
}

/// Puts quotes around the cell that begins at `start` if it needs any.
pub fn quote_from(start: usize, text: &mut Vec<u8>) {
    let needs_quotes = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if text[start..].iter().any(needs_quotes) {
        let cell = text.split_off(start);
        text.push(b'"');
        for byte in cell {
            text.extend(std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
        }
        text.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::format::Seconds;
    use super::*;

    fn text(value: impl Cell) -> String {
        let mut text = Vec::new();
        value.put(&mut text);
        String::from_utf8(text).unwrap()
    }

    /// Nanoseconds of all magnitudes, round and ragged.
    fn moments() -> impl Iterator<Item = u64> {
        let magnitudes = (0..63).map(|bits| 1u64 << bits);
        let spread =
            magnitudes.flat_map(|one| [one, one - 1, one + 1, one / 3, one / 1000 * 1000, one | 12_345]);
        spread.chain([0, 999_999_999_999_999, 1_000_000_000_000_000, 40_370_000_000, u64::MAX])
    }

    #[test]
    fn numbers_read_as_they_do_in_the_other_files() {
        for nanos in moments() {
            let (moment, span) = (SimTime::from_nanos(nanos), SimDuration::from_nanos(nanos));
            assert_eq!(text(moment), Seconds::from(moment).to_string());
            assert_eq!(text(span), span.as_secs_f64().to_string());
            assert_eq!(text(nanos), nanos.to_string());
            for float in [nanos as f64, nanos as f64 / 7.0, 1.0 / (nanos as f64 + 1.0), -0.0, 1e300] {
                assert_eq!(text(float), float.to_string());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn spans_read_as_floats(nanos in 0u64..2_000_000_000_000_000) {
            let span = SimDuration::from_nanos(nanos);
            proptest::prop_assert_eq!(text(span), span.as_secs_f64().to_string());
        }
    }

    #[test]
    fn rows_read_back_as_they_were() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("r.csv");
        let mut rows = Rows::create(&path, &["one", "two"]).unwrap();
        for number in 0..20_000u64 {
            rows.cell(number);
            rows.cell(None::<u32>);
            rows.end_row().unwrap();
        }
        rows.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 20_001);
        assert_eq!((text.lines().next(), text.lines().last()), (Some("one,two"), Some("19999,")));
    }

    #[test]
    fn awkward_words_are_quoted_as_the_other_files_quote_them() {
        for word in ["h100-80gb_3", "a, b", "say \"no\"", "two\nlines", "cr\r"] {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record([word, "end"]).unwrap();
            let expected = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let mut text = word.as_bytes().to_vec();
            quote_from(0, &mut text);
            assert_eq!(String::from_utf8(text).unwrap() + ",end\n", expected);
        }
    }

    #[test]
    fn a_full_disk_is_an_error_with_the_files_name() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            println!("skipped: there is no {}", full.display());
            return;
        }
        let error = Rows::create(full, &["a"]).unwrap().finish().unwrap_err();
        assert!(error.to_string().starts_with("cannot write /dev/full:"), "{error}");
    }
}
