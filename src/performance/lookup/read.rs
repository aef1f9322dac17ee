//! Reads performance tables: measurements (the ancestor's columns, milliseconds), knots (ours, seconds), or
//! end-to-end points of benchmarks (see [`points`](super::points)).
//!
//! Measurements become knots by the ancestor's rule: milliseconds are divided by 1000 first, then the
//! median is taken over the rows of equal x = prompt_size · batch_size. Knots by batch size are the medians
//! over the rows of the prompt size that was measured at most batch sizes.

use std::collections::BTreeMap;
use std::path::Path;

use super::points::Points;
use super::row::{Columns, Row, bad_row, malformed};
use super::{Curves, LookupError, LookupKey};
use crate::diagnosis::{BadRows, HeaderProblem, Layout, RowProblem};
use crate::performance::curve::{Curve, Knot};

const MEASUREMENTS: [&str; 7] =
    ["model", "hardware", "tensor_parallel", "prompt_size", "batch_size", "prompt_time", "token_time"];
const KNOTS: [&str; 7] = ["model", "gpu", "tensor_parallelism", "per", "count", "prompt_s", "token_s"];
const POINTS: [&str; 8] =
    ["model", "gpu", "tensor_parallel", "isl", "osl", "concurrency", "ttft_ms", "tpot_ms"];
const LAYOUTS: [Layout; 3] = [
    Layout {
        name: "table of measurements in ms",
        first_line: "model,hardware,tensor_parallel,prompt_size,batch_size,prompt_time,token_time",
        columns: &MEASUREMENTS,
        foreign: None,
    },
    Layout {
        name: "table of knots in s",
        first_line: "model,gpu,tensor_parallelism,per,count,prompt_s,token_s",
        columns: &KNOTS,
        foreign: None,
    },
    Layout {
        name: "table of end-to-end points in ms",
        first_line: "model,gpu,tensor_parallel,isl,osl,concurrency,ttft_ms,tpot_ms",
        columns: &POINTS,
        foreign: None,
    },
];

const PER: &str = "`tokens` or `sequences`";

/// Values of equal x, by x.
type Groups = BTreeMap<u64, Vec<f64>>;

/// What a file says about one key.
#[derive(Default)]
struct Collected {
    prompt_by_tokens: Groups,
    decode_by_tokens: Groups,
    /// By prompt size, so that the best measured one can be chosen; knots have no prompt size: 0.
    decode_by_sequences: BTreeMap<u64, Groups>,
}

/// What a file holds.
enum Kind {
    Rows { columns: Columns, add: Add, collected: BTreeMap<LookupKey, Collected> },
    Points(Points),
}

impl Kind {
    fn columns(&self) -> &[(usize, &'static str)] {
        match self {
            Kind::Rows { columns, .. } => columns,
            Kind::Points(points) => &points.columns,
        }
    }

    fn take(&mut self, record: csv::StringRecord) -> Result<(), RowProblem> {
        match self {
            Kind::Rows { columns, add, collected } => {
                let row = Row { columns, record };
                let key =
                    LookupKey::new(row.text(0)?, row.text(1)?, row.count(2)?.try_into().unwrap_or(u32::MAX));
                add(&row, collected.entry(key).or_default())
            }
            Kind::Points(points) => points.take(record),
        }
    }

    fn curves(self, path: &Path) -> Result<BTreeMap<LookupKey, Curves>, LookupError> {
        match self {
            Kind::Rows { collected, .. } => {
                collected.into_iter().map(|(key, collected)| collected.finish(path, key)).collect()
            }
            Kind::Points(points) => Ok(points.curves()),
        }
    }
}

/// The curves of every key in a file.
pub(super) fn curves(path: &Path, text: &str) -> Result<BTreeMap<LookupKey, Curves>, LookupError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut kind = recognise(path, text, &mut reader)?;
    let mut bad = BadRows::default();
    let position = |record: &csv::StringRecord| record.position().map_or(0, csv::Position::byte);
    for record in reader.records() {
        let read = record.map_err(|error| malformed(&error)).and_then(|record| {
            let byte = position(&record);
            kind.take(record).map_err(|problem| (byte, problem))
        });
        if let Err((byte, problem)) = read {
            bad.add(|| bad_row(path, text, byte, kind.columns(), problem));
        }
    }
    if bad.count() > 0 {
        return Err(LookupError::Rows { path: path.to_owned(), rows: bad });
    }
    let curves = kind.curves(path)?;
    if curves.is_empty() {
        return Err(LookupError::Empty { path: path.to_owned() });
    }
    Ok(curves)
}

/// Adds a row to what its key has.
type Add = fn(&Row<'_>, &mut Collected) -> Result<(), RowProblem>;

/// Tells from the header which kind of table this is.
fn recognise(path: &Path, text: &str, reader: &mut csv::Reader<&[u8]>) -> Result<Kind, LookupError> {
    // A header that is no CSV is no known one either.
    let header = reader.headers().cloned().unwrap_or_default();
    let column = |name: &&'static str| Some((header.iter().position(|found| found == *name)?, *name));
    let find = |names: [&'static str; 7]| names.iter().map(column).collect::<Option<Columns>>();
    let rows = |columns, add| Ok(Kind::Rows { columns, add, collected: BTreeMap::new() });
    if let Some(columns) = find(MEASUREMENTS) {
        return rows(columns, add_measurement);
    }
    if let Some(columns) = find(KNOTS) {
        return rows(columns, add_knot);
    }
    if let Some(points) = Points::recognise(&header) {
        return Ok(Kind::Points(points));
    }
    let lines = (1..).zip(text.lines());
    let mut lines = lines.skip_while(|(_, line)| line.trim().is_empty() || line.starts_with('#'));
    let (number, line) = lines.next().unwrap_or((1, ""));
    let file = path.display().to_string();
    let header = HeaderProblem::new("performance table", &file, number, line, &LAYOUTS);
    Err(LookupError::Header(Box::new(header)))
}

fn add_measurement(row: &Row<'_>, to: &mut Collected) -> Result<(), RowProblem> {
    let (prompt_size, batch_size) = (row.count(3)?, row.count(4)?);
    let (prompt_s, token_s) = (row.time(5)? / 1000.0, row.time(6)? / 1000.0);
    let tokens = prompt_size.saturating_mul(batch_size);
    to.prompt_by_tokens.entry(tokens).or_default().push(prompt_s);
    to.decode_by_tokens.entry(tokens).or_default().push(token_s);
    let sweep = to.decode_by_sequences.entry(prompt_size).or_default();
    sweep.entry(batch_size).or_default().push(token_s);
    Ok(())
}

fn add_knot(row: &Row<'_>, to: &mut Collected) -> Result<(), RowProblem> {
    let count = row.count(4)?;
    match row.text(3)? {
        "tokens" => {
            to.prompt_by_tokens.entry(count).or_default().push(row.time(5)?);
            to.decode_by_tokens.entry(count).or_default().push(row.time(6)?);
        }
        "sequences" => {
            let sweep = to.decode_by_sequences.entry(0).or_default();
            sweep.entry(count).or_default().push(row.time(6)?);
        }
        _ => return Err(row.problem(3, PER)),
    }
    Ok(())
}

impl Collected {
    fn finish(self, path: &Path, key: LookupKey) -> Result<(LookupKey, Curves), LookupError> {
        let decode_by_sequences = self.sweep().and_then(|groups| Curve::through(&rising(medians(groups))));
        let by_tokens = (
            Curve::through(&medians(&self.prompt_by_tokens)),
            Curve::through(&medians(&self.decode_by_tokens)),
        );
        match by_tokens {
            (Some(prompt_by_tokens), Some(decode_by_tokens)) => {
                let served = Vec::new();
                Ok((key, Curves { prompt_by_tokens, decode_by_tokens, decode_by_sequences, served }))
            }
            _ => Err(LookupError::NoKnotsByTokens { path: path.to_owned(), key }),
        }
    }

    /// The rows of the prompt size with most batch sizes; of several such the smallest.
    fn sweep(&self) -> Option<&Groups> {
        self.decode_by_sequences.values().rev().max_by_key(|groups| groups.len())
    }
}

fn medians(groups: &Groups) -> Vec<Knot> {
    groups.iter().map(|(x, values)| (*x as f64, median(values.clone()))).collect()
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// Leaves out the largest batches where they are faster than the next smaller one: a decode cannot be,
/// so those did not run (the published table has two such), and the line beyond them would fall to 0.
fn rising(mut knots: Vec<Knot>) -> Vec<Knot> {
    while let [.., before, last] = knots.as_slice()
        && last.1 < before.1
    {
        knots.pop();
    }
    knots
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "model,hardware,prompt_size,batch_size,prompt_time,token_time,tensor_parallel";

    fn message(text: &str) -> String {
        curves(Path::new("t.csv"), text).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_field_is_named_with_its_line_even_after_blank_lines_and_carriage_returns() {
        for (row, problem) in [
            ("m,g,0,1,1,1,8", "t.csv:4:5: prompt_size is `0`; expected a whole number, at least 1"),
            ("m,g,1,x,1,1,8", "t.csv:4:7: batch_size is `x`"),
            ("m,g,1,1,nan,1,8", "t.csv:4:9: prompt_time is `nan`; expected a finite time above 0"),
            ("m,g,1,1,1,-2,8", "t.csv:4:11: token_time is `-2`"),
            ("#\r\nm,g,1,1", "t.csv:5:8: tensor_parallel is missing"),
        ] {
            let found = message(&format!("{HEADER}\r\n\r\nm,g,1,1,1,1,8\r\n{row}\r\n"));
            assert!(found.starts_with(problem), "{found}");
        }
    }

    #[test]
    fn all_bad_rows_are_named_at_once() {
        let found = message(&format!("{HEADER}\nm,g,x,1,1,1,8\nm,g,1,1,1,1,8\nm,g,1,1,1,0,8\n"));
        let lines: Vec<&str> = found.lines().map(|line| &line[..8]).collect();
        assert_eq!(lines, ["t.csv:2:", "t.csv:4:"]);
    }

    #[test]
    fn a_foreign_header_is_answered_with_the_columns_that_are_read() {
        let found = message("a,b,c\n1,2,3\n");
        assert!(
            found.starts_with("t.csv:1:1: this first line is of no known format of a performance table"),
            "{found}"
        );
        assert!(found.contains("prompt_size,batch_size,prompt_time,token_time"), "{found}");
    }

    #[test]
    fn a_table_without_rows_is_an_error() {
        assert!(message(HEADER).contains("no rows"));
        assert!(message("").contains("first line"));
    }

    #[test]
    fn a_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
    }

    #[test]
    fn knots_that_fall_at_the_end_are_left_out() {
        let knots = vec![(1.0, 5.0), (2.0, 4.0), (4.0, 6.0), (8.0, 5.0), (16.0, 3.0)];
        assert_eq!(rising(knots), [(1.0, 5.0), (2.0, 4.0), (4.0, 6.0)]);
    }
}
