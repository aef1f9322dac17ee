//! Traces: recorded arrivals, read from a file whose format its first line tells.
//!
//! A new format is one file beside this one and one line in [`FORMATS`]. One in CSV says what its columns are
//! ([`columns`]), one in JSON that names blocks of prompts what its keys are ([`objects`]).

mod azure;
mod bailian;
mod burstgpt;
mod columns;
mod date;
mod decimal;
mod elements;
mod fields;
mod json;
mod keys;
mod lines;
mod mooncake;
mod objects;
mod requests;
mod servegen;
mod sharegpt;
mod splitwise;
mod table;
mod vidur;

use std::ops::Range;
use std::path::Path;

use super::entry::Entry;
use super::error::WorkloadError;
use crate::diagnosis::{BadRow, BadRows, Excerpt, HeaderProblem, Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId};
use crate::instance::continuous::BLOCK_TOKENS;
use ebbflow_actors::SimTime;
use lines::Lines;

/// Every format that is read, in the order in which they are tried.
const FORMATS: &[&dyn Format] = &[
    &splitwise::Splitwise,
    &azure::FORMAT,
    &burstgpt::FORMAT,
    &vidur::FORMAT,
    &servegen::FORMAT,
    &bailian::FORMAT,
    &mooncake::FORMAT,
    &requests::Requests,
    &sharegpt::ShareGpt,
];

/// A trace format.
trait Format {
    /// What its first line is like, for messages.
    fn layout(&'static self) -> Layout;

    /// A reader of the rows of a file that begins with this line, for these applications; none if that is of another
    /// format.
    fn open(&'static self, line: &str, applications: &[ApplicationId]) -> Option<Box<dyn RowReader>>;

    /// Whether the first line is a header, not a row.
    fn has_header(&self) -> bool {
        false
    }
}

/// What the arrivals of a trace count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Clock {
    /// The start of the trace: they are kept.
    Start,
    /// Some date: the first becomes time 0.
    Date,
    /// The trace tells none: all are at time 0.
    Absent,
}

/// Reads the rows of one file.
trait RowReader {
    /// The entry in this line, which is not blank; none if it is sound but nothing to serve, such as a request that
    /// had failed. What the line does not say is as in the `blank` entry.
    fn read(&mut self, number: u64, line: &str, blank: Entry) -> Result<Option<Entry>, RowProblem>;

    /// Where in the line that problem stands.
    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize>;

    /// What arrivals count from.
    fn clock(&self) -> Clock {
        Clock::Start
    }

    /// Tokens that a name of a prefix stands for.
    fn prefix_block_tokens(&self) -> u64 {
        BLOCK_TOKENS
    }
}

/// A trace that was read.
pub(super) struct Trace {
    /// In order of arrival, ties in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// Malformed rows left out.
    pub(super) skipped_rows: u64,
    /// Sound rows left out because there is nothing to serve.
    pub(super) idle_rows: u64,
    /// What arrivals counted from.
    pub(super) clock: Clock,
    /// Tokens that a name of a prefix stands for.
    pub(super) prefix_block_tokens: u64,
}

impl Trace {
    /// What is next if its row says nothing: it is numbered after all sound ones.
    fn blank(&self, application: ApplicationId) -> Entry {
        Entry {
            arrival: SimTime::ZERO,
            id: RequestId(self.entries.len() as u64 + self.idle_rows),
            application,
            batch_size: 1,
            prompt_tokens: 0,
            output_tokens: 0,
            attributes: None,
        }
    }
}

/// Reads and checks a whole trace.
pub(super) fn read(
    path: &Path,
    skip_bad_rows: bool,
    applications: &[ApplicationId],
) -> Result<Trace, WorkloadError> {
    let first = *applications.first().ok_or(WorkloadError::NoApplication)?;
    let unreadable = |source| WorkloadError::Unreadable { path: path.to_owned(), source };
    let mut lines = Lines::open(path).map_err(unreadable)?;
    let empty = |skipped_rows| WorkloadError::Empty { path: path.to_owned(), skipped_rows };
    if !lines.advance().map_err(unreadable)? {
        return Err(empty(0));
    }
    let (format, mut reader) = recognise(path, &lines, applications)?;
    let mut trace = Trace {
        entries: Vec::new(),
        skipped_rows: 0,
        idle_rows: 0,
        clock: reader.clock(),
        prefix_block_tokens: reader.prefix_block_tokens(),
    };
    let mut bad = BadRows::default();
    let mut more = !format.has_header() || lines.advance().map_err(unreadable)?;
    while more {
        let blank = trace.blank(first);
        match lines.text().and_then(|line| reader.read(lines.number(), line, blank)) {
            Ok(Some(entry)) => trace.entries.push(entry),
            Ok(None) => trace.idle_rows += 1,
            Err(_) if skip_bad_rows => trace.skipped_rows += 1,
            Err(problem) => bad.add(|| bad_row(path, &lines, reader.as_ref(), problem)),
        }
        more = lines.advance().map_err(unreadable)?;
    }
    if bad.count() > 0 {
        return Err(WorkloadError::Rows { path: path.to_owned(), rows: bad });
    }
    if trace.entries.is_empty() {
        return Err(empty(trace.skipped_rows));
    }
    trace.entries.sort_by_key(|entry| entry.arrival);
    if trace.clock == Clock::Date {
        from_zero(&mut trace.entries);
    }
    Ok(trace)
}

fn recognise(
    path: &Path,
    lines: &Lines,
    applications: &[ApplicationId],
) -> Result<(&'static dyn Format, Box<dyn RowReader>), WorkloadError> {
    let opened = lines
        .text()
        .ok()
        .and_then(|line| FORMATS.iter().find_map(|format| Some((*format, format.open(line, applications)?))));
    opened.ok_or_else(|| {
        let file = path.display().to_string();
        let layouts: Vec<Layout> = FORMATS.iter().map(|format| format.layout()).collect();
        let header = HeaderProblem::new("trace", &file, lines.number(), &lines.lossy(), &layouts);
        WorkloadError::UnknownFormat(Box::new(header))
    })
}

/// The row with the part that is wrong. Of an element that goes over several lines, the line where that stands.
fn bad_row(path: &Path, lines: &Lines, reader: &dyn RowReader, problem: RowProblem) -> BadRow {
    let row = lines.lossy();
    let place = match lines.invalid() {
        Some(invalid) => invalid,
        None => reader.locate(&row, &problem),
    };
    let begin = row[..place.start].rfind('\n').map_or(0, |at| at + 1);
    let line = row[begin..].split('\n').next().unwrap_or_default();
    let place = place.start - begin..(place.end - begin).min(line.len());
    let indent = if begin == 0 { lines.indent() } else { 0 };
    let (line, place) = (" ".repeat(indent) + line, place.start + indent..place.end + indent);
    let number = lines.number() + row[..begin].matches('\n').count() as u64;
    let excerpt = Excerpt::of_line(&path.display().to_string(), number, &line, vec![place.into()]);
    BadRow { problem, excerpt }
}

/// Makes the first arrival time 0.
fn from_zero(sorted: &mut [Entry]) {
    let first = sorted.first().map_or(SimTime::ZERO, |entry| entry.arrival);
    for entry in sorted {
        entry.arrival = SimTime::ZERO + (entry.arrival - first);
    }
}
