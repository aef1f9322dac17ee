//! Many points in a CSV file: read, answered, written with new columns.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::answer::Answer;
use super::point::{COLUMNS, Catalogue, Point, Words};
use crate::cli::exit::CliError;

/// The columns a file must have are the first of [`COLUMNS`].
const NEEDED: usize = 8;
/// Columns a file gets; where it has one already its values are replaced.
const ADDED: [&str; 5] = ["ttft_ms", "tpot_ms", "output_tokens_per_s", "kv_capacity_tokens", "fits"];
/// Problems listed before the rest is only counted.
const MAX_PROBLEMS: usize = 20;

/// A file of points.
pub struct Table {
    header: StringRecord,
    rows: Vec<(StringRecord, Point)>,
}

impl Table {
    /// Reads the file; all wrong values are reported at once, each with line and column.
    pub fn read(path: &Path, catalogue: &mut Catalogue) -> Result<Self, CliError> {
        let shown = path.display();
        let wrong = |problem: String| CliError::bad_input(format!("{shown}: {problem}"));
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .from_path(path)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        if let Some(first) = header.get(0).and_then(|name| name.strip_prefix('\u{feff}')) {
            header = std::iter::once(first).chain(header.iter().skip(1)).collect();
        }
        let needed = &COLUMNS[..NEEDED];
        let missing: Vec<&str> =
            needed.iter().copied().filter(|needed| !header.iter().any(|name| name == *needed)).collect();
        if !missing.is_empty() {
            let problem =
                format!("line 1: the header lacks {}; expected {}", missing.join(", "), needed.join(","));
            return Err(wrong(problem));
        }
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            match catalogue.point(&words(&header, &record)) {
                Ok(point) => rows.push((record, point)),
                Err(found) => {
                    problems.push(format!("{shown}:{line}: column `{}`: {}", found.column, found.problem))
                }
            }
        }
        if problems.is_empty() {
            Ok(Table { header, rows })
        } else {
            Err(CliError::bad_input(list(problems)))
        }
    }

    /// One answer a row.
    pub fn answers(&self) -> impl Iterator<Item = Answer<'_>> {
        self.rows.iter().map(|(_, point)| Answer::to(point))
    }

    /// The file with its new columns. Times of what does not fit stay empty.
    pub fn csv(&self) -> Result<String, Box<dyn std::error::Error>> {
        let kept: Vec<usize> =
            (0..self.header.len()).filter(|&index| !ADDED.contains(&&self.header[index])).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(kept.iter().map(|&index| &self.header[index]).chain(ADDED))?;
        for ((record, _), answer) in self.rows.iter().zip(self.answers()) {
            let times = answer
                .served
                .as_ref()
                .map(|served| [served.ttft_s * 1e3, served.tpot_s * 1e3, served.output_tokens_per_s]);
            let times = times.map_or_else(Default::default, |times| times.map(|time| format!("{time:.3}")));
            let rest = [answer.memory.capacity_tokens().to_string(), answer.fits().to_string()];
            let kept = kept.iter().map(|&index| record.get(index).unwrap_or_default());
            writer.write_record(kept.chain(times.iter().chain(&rest).map(String::as_str)))?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }
}

fn words(header: &StringRecord, record: &StringRecord) -> Words {
    let said = |column: &'static str| {
        let index = header.iter().position(|name| name == column)?;
        Some((column, record.get(index)?.to_owned()))
    };
    COLUMNS.into_iter().filter_map(said).collect()
}

fn list(mut problems: Vec<String>) -> String {
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    problems.truncate(MAX_PROBLEMS);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    problems.join("\n")
}
