//! Traces: recorded arrivals, read from a file whose format its first line tells.
//!
//! A new format is one file beside this one and one line in [`FORMATS`].

mod azure;
mod decimal;
mod fields;
mod lines;
mod mooncake;
mod splitwise;
mod table;

use std::ops::Range;
use std::path::Path;

use super::entry::Entry;
use super::error::WorkloadError;
use crate::diagnosis::{BadRow, BadRows, Excerpt, HeaderProblem, Layout, RowProblem};
use crate::ids::ApplicationId;
use ebbflow_actors::SimTime;
use lines::Lines;

/// Every format that is read, in the order in which they are tried.
const FORMATS: &[Format] = &[splitwise::FORMAT, azure::FORMAT, mooncake::FORMAT];

/// A trace format.
struct Format {
    /// What its first line is like, for messages.
    layout: Layout,
    /// A reader of the rows of a file that begins with this line; none if that is of another format.
    open: fn(&str, &Applications) -> Option<Box<dyn RowReader>>,
    /// Whether the first line is a header, not a row.
    has_header: bool,
    /// Whether arrivals are dates, so that the first becomes time 0.
    dated: bool,
}

/// Reads the rows of one file.
trait RowReader {
    /// The entry in this line, which is not blank.
    fn read(&mut self, number: u64, line: &str) -> Result<Entry, RowProblem>;

    /// Where in the line that problem stands.
    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize>;
}

/// The applications of the scenario.
struct Applications {
    /// Asked where a trace names none.
    first: ApplicationId,
    all: Vec<ApplicationId>,
}

/// A trace that was read.
pub(super) struct Trace {
    /// In order of arrival, ties in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// Malformed rows left out.
    pub(super) skipped_rows: u64,
}

/// Reads and checks a whole trace.
pub(super) fn read(
    path: &Path,
    skip_bad_rows: bool,
    applications: &[ApplicationId],
) -> Result<Trace, WorkloadError> {
    let first = *applications.first().ok_or(WorkloadError::NoApplication)?;
    let applications = Applications { first, all: applications.to_vec() };
    let unreadable = |source| WorkloadError::Unreadable { path: path.to_owned(), source };
    let mut lines = Lines::open(path).map_err(unreadable)?;
    let empty = |skipped_rows| WorkloadError::Empty { path: path.to_owned(), skipped_rows };
    if !lines.advance().map_err(unreadable)? {
        return Err(empty(0));
    }
    let (format, mut reader) = recognise(path, &lines, &applications)?;
    let mut trace = Trace { entries: Vec::new(), skipped_rows: 0 };
    let mut bad = BadRows::default();
    let mut more = !format.has_header || lines.advance().map_err(unreadable)?;
    while more {
        match lines.text().and_then(|line| reader.read(lines.number(), line)) {
            Ok(entry) => trace.entries.push(entry),
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
    if format.dated {
        from_zero(&mut trace.entries);
    }
    Ok(trace)
}

fn recognise(
    path: &Path,
    lines: &Lines,
    applications: &Applications,
) -> Result<(&'static Format, Box<dyn RowReader>), WorkloadError> {
    let opened = lines.text().ok().and_then(|line| {
        FORMATS.iter().find_map(|format| Some((format, (format.open)(line, applications)?)))
    });
    opened.ok_or_else(|| {
        let file = path.display().to_string();
        let layouts: Vec<Layout> = FORMATS.iter().map(|format| format.layout).collect();
        let header = HeaderProblem::new("trace", &file, lines.number(), &lines.lossy(), &layouts);
        WorkloadError::UnknownFormat(Box::new(header))
    })
}

/// The row with the part that is wrong.
fn bad_row(path: &Path, lines: &Lines, reader: &dyn RowReader, problem: RowProblem) -> BadRow {
    let (line, indent) = (lines.lossy(), lines.indent());
    let place = match lines.invalid() {
        Some(invalid) => invalid,
        None => reader.locate(&line, &problem),
    };
    let (line, place) = (" ".repeat(indent) + &line, place.start + indent..place.end + indent);
    let excerpt = Excerpt::of_line(&path.display().to_string(), lines.number(), &line, vec![place.into()]);
    BadRow { problem, excerpt }
}

/// Makes the first arrival time 0.
fn from_zero(sorted: &mut [Entry]) {
    let first = sorted.first().map_or(SimTime::ZERO, |entry| entry.arrival);
    for entry in sorted {
        entry.arrival = SimTime::ZERO + (entry.arrival - first);
    }
}
