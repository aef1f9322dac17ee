//! A trace made ready: its lengths and, if the scenario says when requests arrive, other arrivals.

use std::path::Path;

use super::WorkloadError;
use super::entry::Entry;
use super::synthetic::arrival_times;
use super::trace::{self, Clock};
use crate::ids::ApplicationId;
use crate::scenario::Arrivals;

/// A trace to replay.
pub(super) struct Replay {
    /// In order of arrival.
    pub(super) entries: Vec<Entry>,
    /// Malformed rows left out.
    pub(super) skipped_rows: u64,
    /// Tokens that a name of a prefix stands for.
    pub(super) prefix_block_tokens: u64,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// Reads a trace; its requests arrive as `arrivals` says, in their order, or as recorded.
pub(super) fn read(
    path: &Path,
    skip_bad_rows: bool,
    arrivals: Option<&Arrivals>,
    applications: &[ApplicationId],
    seed: u64,
) -> Result<Replay, WorkloadError> {
    let mut trace = trace::read(path, skip_bad_rows, applications)?;
    let mut notes = Vec::new();
    if trace.idle_rows > 0 {
        notes.push(format!(
            "{} rows of the trace hold no request to serve and were left out",
            trace.idle_rows
        ));
    }
    match arrivals {
        Some(arrivals) => {
            let times = arrival_times(arrivals, seed)?;
            let timed = trace.entries.into_iter().zip(times);
            trace.entries = timed.map(|(entry, arrival)| Entry { arrival, ..entry }).collect();
        }
        None if trace.clock == Clock::Absent => notes.push(
            "the trace does not say when its requests arrived: all are there at time 0; `rate` lets them come one by one"
                .to_owned(),
        ),
        None => {}
    }
    let (skipped_rows, prefix_block_tokens) = (trace.skipped_rows, trace.prefix_block_tokens);
    Ok(Replay { entries: trace.entries, skipped_rows, prefix_block_tokens, notes })
}
