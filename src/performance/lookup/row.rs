//! A row of a performance table: its fields, read with errors that name file, line and column.

use std::path::Path;

use super::LookupError;

const COUNT: &str = "a whole number, at least 1";
const TIME: &str = "a finite time above 0";

/// Where the seven columns stand, by name.
pub(super) type Columns = [(usize, &'static str); 7];

/// A record with what its messages need.
pub(super) struct Row<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) columns: &'a Columns,
    pub(super) record: csv::StringRecord,
}

impl Row<'_> {
    pub(super) fn text(&self, column: usize) -> Result<&str, LookupError> {
        let (place, name) = self.columns[column];
        match self.record.get(place) {
            Some(field) if !field.is_empty() => Ok(field),
            _ => Err(LookupError::Malformed {
                path: self.path.to_owned(),
                line: self.line(),
                problem: format!("{name} is missing"),
            }),
        }
    }

    /// Accepts `8` and `8.0`.
    pub(super) fn count(&self, column: usize) -> Result<u64, LookupError> {
        let field = self.text(column)?;
        let whole = field.split_once('.').map_or(field, |(whole, fraction)| {
            if fraction.bytes().all(|digit| digit == b'0') { whole } else { field }
        });
        whole.parse().ok().filter(|count| *count > 0).ok_or_else(|| self.error(column, COUNT))
    }

    pub(super) fn time(&self, column: usize) -> Result<f64, LookupError> {
        let time = self.text(column)?.parse().ok();
        time.filter(|time: &f64| time.is_finite() && *time > 0.0).ok_or_else(|| self.error(column, TIME))
    }

    pub(super) fn error(&self, column: usize, expected: &'static str) -> LookupError {
        let (place, name) = self.columns[column];
        LookupError::Row {
            path: self.path.to_owned(),
            line: self.line(),
            column: name,
            found: self.record.get(place).unwrap_or_default().to_owned(),
            expected,
        }
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, |position| line_at(self.text, position.byte()))
    }
}

/// A record that the CSV reader could not read.
pub(super) fn malformed(path: &Path, text: &str, error: &csv::Error) -> LookupError {
    LookupError::Malformed {
        path: path.to_owned(),
        line: error.position().map_or(1, |position| line_at(text, position.byte())),
        problem: error.to_string(),
    }
}

/// Line of the record that begins at `byte`, or after it: the position that the CSV reader gives lies
/// before line ends, blank lines and comments that it skips.
pub(super) fn line_at(text: &str, byte: u64) -> u64 {
    let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let line_ends = text.as_bytes()[byte..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let begin = byte + line_ends;
    let mut end = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        end += line.len();
        if end > begin && !line.trim().is_empty() && !line.starts_with('#') {
            return number;
        }
    }
    text.lines().count() as u64
}
