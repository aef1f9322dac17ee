//! Rows of a CSV file with a header: picks the columns that a format needs, in any order among others.

use std::ops::Range;

use csv::StringRecord;

use crate::diagnosis::{RowProblem, cell};

/// What a problem may be with beside the columns.
const LINE: &str = "the line";
const WIDTH: &str = "the number of fields";

/// The columns `N` of a file, of which the last may be absent.
pub(super) struct Table<const N: usize> {
    columns: [Option<usize>; N],
    width: usize,
    record: StringRecord,
}

impl<const N: usize> Table<N> {
    /// None if the header lacks one of these columns.
    pub(super) fn of_header(header: &str, names: [&str; N]) -> Option<Self> {
        Self::with_optional(header, names, N)
    }

    /// None if the header lacks one of the first `needed` columns.
    pub(super) fn with_optional(header: &str, names: [&str; N], needed: usize) -> Option<Self> {
        let mut record = StringRecord::new();
        split(header, &mut record).ok()?;
        let columns = names.map(|name| record.iter().position(|field| field.trim() == name));
        let complete = columns[..needed].iter().all(Option::is_some);
        complete.then_some(Table { columns, width: record.len(), record })
    }

    /// Whether the column of this index among the names is there.
    pub(super) fn has(&self, index: usize) -> bool {
        self.columns[index].is_some()
    }

    /// The fields of a row, in the order of the names; nothing stands in columns that are not there.
    pub(super) fn fields(&mut self, line: &str) -> Result<[&str; N], RowProblem> {
        split(line, &mut self.record)
            .map_err(|_| RowProblem::unreadable(LINE, "no CSV", "comma-separated fields"))?;
        if self.record.len() != self.width {
            let found = self.record.len().to_string();
            let expected = format!("{}, as in the header", self.width);
            return Err(RowProblem::new(WIDTH, &found, expected));
        }
        Ok(self.columns.map(|column| column.and_then(|at| self.record.get(at)).unwrap_or_default().trim()))
    }

    /// Where in a row the column `what` of `names` stands, or what is too much, or where something is missing.
    pub(super) fn locate(&self, line: &str, what: &str, names: &[&str; N]) -> Range<usize> {
        match names.iter().position(|name| *name == what) {
            Some(index) => cell(line, self.columns[index].unwrap_or(self.width)),
            None if what == WIDTH => cell(line, self.width).start..line.len(),
            None => 0..line.len(),
        }
    }
}

/// Splits at commas; only a line with quotes needs the whole of CSV.
fn split(line: &str, record: &mut StringRecord) -> Result<(), csv::Error> {
    record.clear();
    if line.contains('"') {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
        reader.read_record(record)?;
    } else {
        line.split(',').for_each(|field| record.push_field(field));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let mut table = Table::of_header("extra, b ,a", ["a", "b"]).unwrap();
        assert_eq!(table.fields("1,2,3").unwrap(), ["3", "2"]);
        assert_eq!(table.fields("\"x, y\",\"2\",3").unwrap(), ["3", "2"]);
        assert!(Table::of_header("a,c", ["a", "b"]).is_none());
    }

    #[test]
    fn a_column_that_may_be_absent_is_empty_then() {
        let mut table = Table::with_optional("b,a", ["a", "c"], 1).unwrap();
        assert_eq!(table.fields("1,2").unwrap(), ["2", ""]);
        assert!(table.has(0) && !table.has(1));
        assert!(Table::with_optional("b,c", ["a", "c"], 1).is_none());
    }

    #[test]
    fn a_row_of_another_width_is_refused() {
        let mut table = Table::of_header("a,b", ["a", "b"]).unwrap();
        let problem = table.fields("1").unwrap_err().to_string();
        assert_eq!(problem, "the number of fields is `1`; expected 2, as in the header");
        assert!(table.fields("1,2,3").is_err());
    }
}
