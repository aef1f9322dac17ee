//! A row of a performance table: its fields, read with errors that name file, line and column.

use std::path::Path;

use super::LookupError;
use crate::diagnosis::{BadRow, BadRows, Excerpt, RowProblem, cell};

const COUNT: &str = "a whole number, at least 1";
const COUNT_OR_NONE: &str = "a whole number";
const TIME: &str = "a finite time above 0";

/// Where the columns stand, by name.
pub(super) type Columns = Vec<(usize, &'static str)>;

/// A record with what its messages need.
pub(super) struct Row<'a> {
    pub(super) columns: &'a [(usize, &'static str)],
    pub(super) record: csv::StringRecord,
}

impl Row<'_> {
    pub(super) fn text(&self, column: usize) -> Result<&str, RowProblem> {
        match self.record.get(self.columns[column].0) {
            Some(field) if !field.is_empty() => Ok(field),
            _ => Err(self.problem(column, "a value in this column")),
        }
    }

    /// Accepts `8` and `8.0`.
    pub(super) fn count(&self, column: usize) -> Result<u64, RowProblem> {
        self.whole(column).filter(|count| *count > 0).ok_or_else(|| self.problem(column, COUNT))
    }

    /// Accepts 0, too.
    pub(super) fn count_or_none(&self, column: usize) -> Result<u64, RowProblem> {
        self.whole(column).ok_or_else(|| self.problem(column, COUNT_OR_NONE))
    }

    fn whole(&self, column: usize) -> Option<u64> {
        let field = self.record.get(self.columns[column].0).unwrap_or_default();
        let whole = field.split_once('.').map_or(field, |(whole, fraction)| {
            if fraction.bytes().all(|digit| digit == b'0') { whole } else { field }
        });
        whole.parse().ok()
    }

    pub(super) fn time(&self, column: usize) -> Result<f64, RowProblem> {
        let time = self.record.get(self.columns[column].0).and_then(|field| field.parse().ok());
        time.filter(|time: &f64| time.is_finite() && *time > 0.0).ok_or_else(|| self.problem(column, TIME))
    }

    pub(super) fn problem(&self, column: usize, expected: &'static str) -> RowProblem {
        let (place, name) = self.columns[column];
        RowProblem::new(name, self.record.get(place).unwrap_or_default(), expected)
    }
}

/// The row with the part marked that is wrong. `byte` is where the CSV reader saw it begin.
pub(super) fn bad_row(
    path: &Path,
    text: &str,
    byte: u64,
    columns: &[(usize, &str)],
    problem: RowProblem,
) -> BadRow {
    let number = line_at(text, byte);
    let line = text.lines().nth(number.saturating_sub(1) as usize).unwrap_or_default();
    let column = columns.iter().find(|(_, name)| *name == problem.what);
    let place = column.map_or(0..line.len(), |(index, _)| cell(line, *index));
    let excerpt = Excerpt::of_line(&path.display().to_string(), number, line, vec![place.into()]);
    BadRow { problem, excerpt }
}

/// A record that the CSV reader could not read.
pub(super) fn malformed(error: &csv::Error) -> (u64, RowProblem) {
    let byte = error.position().map_or(0, csv::Position::byte);
    (byte, RowProblem::unreadable("the line", format!("no CSV ({error})"), "comma-separated fields"))
}

/// A file that is no text, with the first byte that is none marked.
pub(super) fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> LookupError {
    let text = String::from_utf8_lossy(error.as_bytes());
    let begin = error.utf8_error().valid_up_to();
    let place = begin..begin + char::REPLACEMENT_CHARACTER.len_utf8();
    let excerpt = Excerpt::of_text(&path.display().to_string(), &text, place);
    let problem = RowProblem::unreadable("the line", "not text", "UTF-8");
    let mut rows = BadRows::default();
    rows.add(|| BadRow { problem, excerpt });
    LookupError::Rows { path: path.to_owned(), rows }
}

/// Line of the record that begins at `byte`, or after it: the position that the CSV reader gives lies
/// before line ends, blank lines and comments that it skips.
fn line_at(text: &str, byte: u64) -> u64 {
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
