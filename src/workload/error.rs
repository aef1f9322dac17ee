//! What can be wrong with a workload, told so that it can be repaired.

use std::path::PathBuf;

use crate::ids::ApplicationId;

/// A workload that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// The trace cannot be read.
    #[error("cannot read the trace {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No format begins like this file.
    #[error(
        "{}:{line}: a trace that begins with `{found}` is of no known format; accepted first lines are {accepted}",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Its first line that is not blank.
        line: u64,
        /// How that line begins.
        found: String,
        /// What it may be.
        accepted: String,
    },
    /// A malformed row.
    #[error(
        "{}:{line}: {problem}. Correct the row, or skip malformed rows (--skip-bad-rows) to have them counted",
        path.display()
    )]
    Row {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: u64,
        /// What is wrong.
        problem: RowProblem,
    },
    /// A trace without a request.
    #[error("{}: the trace holds no requests ({skipped_rows} malformed rows skipped)", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// Rows that were skipped on request.
        skipped_rows: u64,
    },
    /// The scenario has no application to send requests to.
    #[error("application {found} of the workload does not exist; the scenario has {}", list(known))]
    UnknownApplication {
        /// The one the workload names.
        found: ApplicationId,
        /// Those there are.
        known: Vec<ApplicationId>,
    },
    /// There is nobody to send requests to.
    #[error("the workload needs an application to send requests to; the scenario has none")]
    NoApplication,
    /// A setting that makes no sense.
    #[error("{setting} of the workload is {found}; expected {expected}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
}

/// What is wrong with a row of a trace.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} is `{found}`; expected {expected}")]
pub struct RowProblem {
    /// The column or part of the row.
    pub what: &'static str,
    /// What stands there, shortened.
    pub found: String,
    /// What may stand there.
    pub expected: String,
}

impl RowProblem {
    pub(super) fn new(what: &'static str, found: &str, expected: impl Into<String>) -> Self {
        RowProblem { what, found: shortened(found), expected: expected.into() }
    }
}

/// The beginning of a text of unknown length and content, fit for a message.
pub(super) fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 100;
    let mut begin: String = text.chars().take(CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARACTERS).is_some() {
        begin.push('…');
    }
    begin
}

pub(super) fn list(ids: &[ApplicationId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
