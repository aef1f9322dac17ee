//! Logs of measured requests: CSV, or a JSON object a line, whatever their columns are called.
//!
//! Own names are `arrival_s,prompt_tokens,output_tokens` and any of `ttft_s` or `ttft_ms`, `tpot_s` or `tpot_ms`,
//! `e2e_s` or `e2e_ms`; those of LLMServingSim (`input_toks`, `queued_ts`, `first_token_ts` …) and of other
//! benchmarks are known as well. Other columns are ignored. Arrivals may be of any clock: the first becomes 0.

mod columns;
mod json;

use std::fs;
use std::ops::Range;
use std::path::Path;

use columns::{Columns, Fields, place};

use super::{LogError, Measured};
use crate::diagnosis::{BadRow, BadRows, Excerpt, RowProblem, cells};

/// Measured requests in order of arrival, the first at 0.
#[derive(Clone, PartialEq, Debug)]
pub struct Log {
    requests: Vec<Measured>,
}

impl Log {
    /// These requests, put in order; the first arrival becomes 0.
    pub fn new(mut requests: Vec<Measured>) -> Self {
        requests.sort_by(|one, other| one.arrival_s.total_cmp(&other.arrival_s));
        let first = requests.first().map_or(0.0, |request| request.arrival_s);
        for request in &mut requests {
            request.arrival_s -= first;
        }
        Log { requests }
    }

    /// Reads a file; all bad rows are told at once, or left out.
    ///
    /// # Errors
    /// A file that cannot be read, lacks a column, or has rows that make no sense.
    pub fn read(path: &Path, skip_bad_rows: bool) -> Result<Self, LogError> {
        let bytes =
            fs::read(path).map_err(|source| LogError::Unreadable { path: path.to_owned(), source })?;
        Log::parse(path, &String::from_utf8_lossy(&bytes), skip_bad_rows)
    }

    /// The requests in `text`, the contents of the file `path`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, text: &str, skip_bad_rows: bool) -> Result<Self, LogError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
        let empty = || LogError::Empty { path: path.to_owned() };
        let (number, first) = *lines.peek().ok_or_else(empty)?;
        let layout = Layout::of(path, number, first)?;
        if matches!(layout.form, Form::Csv) {
            lines.next();
        }
        let (mut requests, mut bad) = (Vec::new(), BadRows::default());
        for (number, line) in lines {
            match layout.read(line) {
                Ok(request) => requests.push(request),
                Err(_) if skip_bad_rows => {}
                Err((problem, place)) => bad.add(|| {
                    let file = path.display().to_string();
                    BadRow { problem, excerpt: Excerpt::of_line(&file, number, line, vec![place.into()]) }
                }),
            }
        }
        match (bad.count(), requests.is_empty()) {
            (0, true) => Err(empty()),
            (0, false) => Ok(Log::new(requests)),
            _ => Err(LogError::Rows { path: path.to_owned(), rows: bad }),
        }
    }

    /// All of them, in order of arrival.
    pub fn requests(&self) -> &[Measured] {
        &self.requests
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

/// How rows are written.
#[derive(Debug)]
enum Form {
    Csv,
    /// The keys of the first object: where the others have them is looked up.
    Json(Vec<String>),
}

/// How to read the rows of a file.
#[derive(Debug)]
struct Layout {
    form: Form,
    columns: Columns,
}

impl Layout {
    fn of(path: &Path, number: u64, first: &str) -> Result<Self, LogError> {
        let (form, names) = match json::keys(first) {
            Some(keys) => (Form::Json(keys.clone()), keys),
            None => (Form::Csv, header(first)),
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let columns = Columns::among(&names).map_err(|lack| {
            let whole = first.trim_end().len();
            let excerpt =
                Excerpt::of_line(&path.display().to_string(), number, first, vec![(0..whole).into()]);
            LogError::Lacks {
                path: path.to_owned(),
                quantity: lack.quantity,
                help: lack.help(&names),
                excerpt: Box::new(excerpt),
            }
        })?;
        Ok(Layout { form, columns })
    }

    /// The request in a line, or what is wrong with it and where.
    fn read(&self, line: &str) -> Result<Measured, (RowProblem, Range<usize>)> {
        let places = match &self.form {
            Form::Csv => cells(line, ','),
            Form::Json(keys) => json::places(line, keys)?,
        };
        let row = Row { line, places: &places };
        self.columns.read(&row).map_err(|problem| {
            let place = place(&self.columns, &places, line, problem.what);
            (problem, place)
        })
    }
}

fn header(line: &str) -> Vec<String> {
    cells(line, ',').into_iter().map(|place| line[place].trim_matches('"').to_owned()).collect()
}

struct Row<'l> {
    line: &'l str,
    places: &'l [Range<usize>],
}

impl Fields for Row<'_> {
    fn text(&self, column: usize) -> Option<&str> {
        let place = self.places.get(column).filter(|place| !place.is_empty())?;
        Some(self.line[place.clone()].trim_matches('"'))
    }
}
