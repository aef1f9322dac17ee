//! `chunk-N-trace.csv`: how often and how irregularly a client asks, window by window.
//!
//! Rows without a header: the window's start in seconds, requests per second, the coefficient of variation of the gaps
//! between them, the family of distributions fitted to the gaps, its shape and its scale. A rate of zero says that the
//! client is silent; then there is no family. A window ends where the next one begins; the last is as long as the one
//! before it.
//!
//! What the columns mean, as found in the published pools (251,524 rows with requests): rate times 600 s is a whole
//! number, the requests counted. Gamma gaps are fitted by their moments: the coefficient of variation is 1/√shape to
//! every digit, and shape × scale is the mean gap between the first and the last request ((count − 1) × shape × scale
//! never exceeds the window). Weibull gaps are fitted otherwise: their mean is up to 2,300 times off the rate, their
//! variation in the median 20 %. Gaps and rate contradict each other where a client is awake for a part of the window
//! only; see [`super::arrivals`].

use std::fs;
use std::path::Path;

use ebbflow_actors::{SimDuration, SimTime};

use super::{ClientPoolError, MAX_RATE};
use crate::diagnosis::{BadRow, BadRows, Excerpt, RowProblem, cells};

/// How long a window is that stands alone: as long as the published ones.
const ALONE: SimDuration = SimDuration::from_secs(600);
const COLUMNS: [&str; 6] = ["window start", "rate", "coefficient of variation", "family", "shape", "scale"];

/// A client's windows.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Timeline {
    /// Those with requests, by time.
    pub(super) windows: Vec<Window>,
    /// When the last window ends, a silent one included; none without any.
    pub(super) end: Option<SimTime>,
}

/// A window with requests.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Window {
    /// Its number, silent ones counted.
    pub(super) number: u32,
    pub(super) start: SimTime,
    pub(super) end: SimTime,
    /// Requests per second over the whole window.
    pub(super) rate: f64,
    pub(super) gaps: Gaps,
}

/// How gaps between requests are distributed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Gaps {
    Gamma { shape: f64, scale_s: f64 },
    Weibull { shape: f64 },
    Exponential { scale_s: f64 },
}

/// Reads and checks a whole file.
pub(super) fn read(path: &Path) -> Result<Timeline, ClientPoolError> {
    let bytes =
        fs::read(path).map_err(|source| ClientPoolError::Unreadable { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut rows, mut bad): (Vec<Row>, _) = (Vec::new(), BadRows::default());
    let lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        match row(line, rows.last()) {
            Ok(row) => rows.push(row),
            Err((column, problem)) => bad.add(|| {
                let place = crate::diagnosis::cell(line, column);
                let excerpt = Excerpt::of_line(&path.display().to_string(), number, line, vec![place.into()]);
                BadRow { problem, excerpt }
            }),
        }
    }
    if bad.count() > 0 {
        return Err(ClientPoolError::Rows { path: path.to_owned(), rows: bad });
    }
    Ok(timeline(&rows))
}

/// A row that was checked.
struct Row {
    start: SimTime,
    /// Rate and gaps, unless it is silent.
    asks: Option<(f64, Gaps)>,
}

/// The row in this line, or what is wrong with which column.
fn row(line: &str, before: Option<&Row>) -> Result<Row, (usize, RowProblem)> {
    let cells = cells(line, ',');
    if cells.len() > COLUMNS.len() {
        let problem = RowProblem::new("the row", line, "6 columns");
        return Err((COLUMNS.len(), problem));
    }
    let text = |column: usize| cells.get(column).map_or("", |cell| &line[cell.clone()]);
    let wrong =
        |column: usize, expected: &str| (column, RowProblem::new(COLUMNS[column], text(column), expected));
    let number = |column: usize, accepts: fn(f64) -> bool, expected: &str| {
        let number = text(column).parse().ok().filter(|number| accepts(*number));
        number.ok_or_else(|| wrong(column, expected))
    };
    let start = number(0, |_| true, "seconds from the beginning")?;
    let start =
        SimTime::from_secs_f64(start).map_err(|_| wrong(0, "seconds from the beginning, at least 0"))?;
    if before.is_some_and(|before| start <= before.start) {
        return Err(wrong(0, "a later time than in the row before"));
    }
    let rate = number(1, |rate| (0.0..=MAX_RATE).contains(&rate), "0 to 1000000 requests per second")?;
    number(2, |variation| variation >= 0.0, "a number of at least 0")?;
    let above_0 = |number: f64| number.is_finite() && number > 0.0;
    if rate == 0.0 {
        return Ok(Row { start, asks: None });
    }
    let parameter = |column| number(column, above_0, "a finite number above 0");
    let gaps = match text(3) {
        "Gamma" => Gaps::Gamma { shape: parameter(4)?, scale_s: parameter(5)? },
        "Weibull" => Gaps::Weibull { shape: parameter(4)? },
        "Exponential" => Gaps::Exponential { scale_s: parameter(5)? },
        _ => return Err(wrong(3, "Gamma, Weibull or Exponential where the rate is above 0")),
    };
    Ok(Row { start, asks: Some((rate, gaps)) })
}

/// Gives every window its end and leaves out the silent ones.
fn timeline(rows: &[Row]) -> Timeline {
    let lengths: Vec<SimDuration> = rows.windows(2).map(|pair| pair[1].start - pair[0].start).collect();
    let last = lengths.last().copied().unwrap_or(ALONE);
    let ends = rows.iter().zip(lengths.iter().copied().chain([last]));
    let ends = ends.map(|(row, length)| row.start.checked_add(length).unwrap_or(SimTime::MAX));
    let ends: Vec<SimTime> = ends.collect();
    let windows = rows.iter().zip(&ends).zip(0..).filter_map(|((row, end), number)| {
        let (rate, gaps) = row.asks?;
        Some(Window { number, start: row.start, end: *end, rate, gaps })
    });
    Timeline { windows: windows.collect(), end: ends.last().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Timeline, ClientPoolError> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("chunk-0-trace.csv");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn windows_end_where_the_next_begins_and_silent_ones_are_counted_but_not_kept() {
        let rows = "\u{feff}0,0,0,,0,0\n600,2.5,2,Gamma,0.25,1.6\r\n\n1500, 0.5 ,1,Exponential,1,2\n";
        let Timeline { windows, end } = of(rows).unwrap();
        assert_eq!(end, Some(at(2400)));
        let gamma = Gaps::Gamma { shape: 0.25, scale_s: 1.6 };
        let first = Window { number: 1, start: at(600), end: at(1500), rate: 2.5, gaps: gamma };
        let gaps = Gaps::Exponential { scale_s: 2.0 };
        let second = Window { number: 2, start: at(1500), end: at(2400), rate: 0.5, gaps };
        assert_eq!(windows, [first, second]);
    }

    #[test]
    fn a_window_alone_takes_ten_minutes_and_a_file_may_be_empty() {
        let alone = of("600,1,1,Weibull,1,1\n").unwrap();
        assert_eq!(alone.windows[0].end, at(1200));
        assert_eq!(of("").unwrap(), Timeline { windows: Vec::new(), end: None });
    }

    #[test]
    fn wrong_rows_are_told_by_file_line_and_column() {
        for (row, told) in [
            ("x,1,1,Gamma,1,1", ":1:1: window start is `x`; expected seconds"),
            ("-1,1,1,Gamma,1,1", ":1:1: window start is `-1`"),
            ("0,NaN,1,Gamma,1,1", ":1:3: rate is `NaN`"),
            ("0,2e6,1,Gamma,1,1", ":1:3: rate is `2e6`"),
            ("0,1,,Gamma,1,1", "coefficient of variation is missing"),
            ("0,1,1,,1,1", "family is missing; expected Gamma, Weibull or Exponential"),
            ("0,1,1,Pareto,1,1", ":1:7: family is `Pareto`"),
            ("0,1,1,Gamma,0,1", ":1:13: shape is `0`; expected a finite number above 0"),
            ("0,1,1,Weibull,1e999,1", "shape is `1e999`"),
            ("0,1,1,Gamma,1", "scale is missing"),
            ("0,1,1,Gamma,1,1,7", "expected 6 columns"),
            ("600,0,0,,0,0\n600,0,0,,0,0", ":2:1: window start is `600`; expected a later time"),
        ] {
            let error = of(row).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("chunk-0-trace.csv:"), "{row}: {error}");
        }
    }

    #[test]
    fn all_wrong_rows_are_told_at_once() {
        let error = of("0,a,1,Gamma,1,1\n600,1,1,Gamma,1,1\n1200,1,1,Gamma,b,1\n").unwrap_err();
        let ClientPoolError::Rows { rows, .. } = error else { panic!("{error}") };
        assert_eq!(rows.shown().iter().map(|row| row.excerpt.line()).collect::<Vec<_>>(), [1, 3]);
    }
}
