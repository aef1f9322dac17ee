//! What can be wrong with a workload, told so that it can be repaired.

use std::path::PathBuf;

use super::client_pool::ClientPoolError;
use crate::diagnosis::{BadRows, Findings, HeaderProblem, nearest_file};
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
    #[error("{0}")]
    UnknownFormat(Box<HeaderProblem>),
    /// Malformed rows.
    #[error("{}\n{HOW_TO_GO_ON}", rows)]
    Rows {
        /// The file.
        path: PathBuf,
        /// All of them.
        rows: BadRows,
    },
    /// A trace without a request.
    #[error("{}: the trace holds no requests{}", path.display(), skipped(*.skipped_rows))]
    Empty {
        /// The file.
        path: PathBuf,
        /// Rows that were skipped on request.
        skipped_rows: u64,
    },
    /// A client pool that cannot be used.
    #[error(transparent)]
    ClientPool(#[from] ClientPoolError),
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

const HOW_TO_GO_ON: &str = "correct the rows, or have malformed rows skipped and counted: `--skip-bad-rows`, or \
                            `skip_bad_rows: true` in the scenario's `workload`";

impl WorkloadError {
    /// The error with the lines that are wrong.
    pub fn findings(&self) -> Findings {
        match self {
            WorkloadError::UnknownFormat(header) => Findings {
                headline: "the trace cannot be read".into(),
                list: vec![header.finding()],
                closing: None,
            },
            WorkloadError::Rows { path, rows } => {
                let closing = rows.unshown().into_iter().chain([format!("help: {HOW_TO_GO_ON}")]);
                Findings {
                    headline: rows.headline("the trace", path),
                    list: rows.findings(),
                    closing: Some(closing.collect::<Vec<_>>().join("\n")),
                }
            }
            WorkloadError::ClientPool(error) => error.findings(),
            WorkloadError::Unreadable { path, .. } => {
                let help = nearest_file(path).map(|file| format!("did you mean `{}`?", file.display()));
                Findings::general(self.to_string(), help)
            }
            WorkloadError::Empty { .. } => {
                let help = "a trace has a row for every request, below a line with the names of the columns";
                Findings::general(self.to_string(), Some(help.to_owned()))
            }
            other => Findings::general(other.to_string(), None),
        }
    }
}

fn skipped(rows: u64) -> String {
    if rows == 0 { String::new() } else { format!(" ({rows} malformed rows skipped)") }
}

pub(super) fn list(ids: &[ApplicationId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
