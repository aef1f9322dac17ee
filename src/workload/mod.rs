//! Workloads: trace readers and synthetic load.
//!
//! [`open`] turns a description into a stream of requests in order of arrival. A trace is read and checked
//! as a whole before the run, kept compactly in memory; generated requests are drawn as they are asked for,
//! so that their number does not matter. Leaves out: client behaviour (all arrivals are open-loop). Times are integer nanoseconds, lengths tokens.

mod entry;
mod error;
mod presets;
mod replay;
mod source;
mod synthetic;
mod trace;
mod transform;

pub use crate::diagnosis::RowProblem;
pub use error::WorkloadError;
pub use presets::{Preset, preset, preset_names};
pub use source::Source;

use ebbflow_actors::SimTime;

use crate::ids::ApplicationId;
use crate::instance::continuous::BLOCK_TOKENS;
use crate::request::Request;
use crate::scenario::{Transform, WorkloadSource, WorkloadSpec};
use entry::Entry;
use synthetic::Synthetic;
pub(crate) use synthetic::variates::normal;
use transform::{apply, check};

/// Requests in order of arrival (ties in trace order), ready to be replayed.
pub struct Workload {
    /// The requests.
    pub requests: Box<dyn Iterator<Item = Request> + Send>,
    /// How many there will be, when known beforehand.
    pub expected: Option<u64>,
    /// No request arrives later than this, when known beforehand.
    pub arrivals_end: Option<SimTime>,
    /// Tokens that one name of a request's prefix stands for ([`Attributes::prefix`](crate::request::Attributes)): a
    /// multiple of 16.
    pub prefix_block_tokens: u64,
    /// Rows of the trace that were malformed and skipped on request.
    pub skipped_rows: u64,
    /// What whoever reads the results should know of it.
    pub notes: Vec<String>,
}

/// Opens a workload for these applications: the first one is asked where a trace names none.
///
/// # Errors
/// A trace that cannot be read or has malformed rows (each with its place), and settings that make no
/// sense. All of them are found before the first request is handed out.
pub fn open(
    spec: &WorkloadSpec,
    applications: &[ApplicationId],
    seed: u64,
) -> Result<Workload, WorkloadError> {
    check(&spec.transform)?;
    match &spec.source {
        WorkloadSource::Trace { path, skip_bad_rows, arrivals } => {
            let trace = replay::read(path, *skip_bad_rows, arrivals.as_ref(), applications, seed)?;
            let (mut expected, mut arrivals_end) = (0, None);
            for entry in apply(trace.entries.iter().cloned(), spec.transform) {
                expected += 1;
                arrivals_end = Some(entry.arrival);
            }
            let requests = requests(trace.entries.into_iter(), spec.transform);
            Ok(Workload {
                requests,
                expected: Some(expected),
                arrivals_end,
                prefix_block_tokens: trace.prefix_block_tokens,
                skipped_rows: trace.skipped_rows,
                notes: trace.notes,
            })
        }
        WorkloadSource::Synthetic(synthetic) => {
            let generated = Synthetic::new(synthetic, applications, seed)?;
            let expected = generated.expected().filter(|_| spec.transform.keeps_time());
            let expected = expected.map(|count| count.min(spec.transform.limit.unwrap_or(u64::MAX)));
            let arrivals_end = generated.until().filter(|_| spec.transform == Transform::default());
            let requests = requests(generated, spec.transform);
            Ok(Workload {
                requests,
                expected,
                arrivals_end,
                prefix_block_tokens: BLOCK_TOKENS,
                skipped_rows: 0,
                notes: Vec::new(),
            })
        }
    }
}

fn requests(
    entries: impl Iterator<Item = Entry> + Send + 'static,
    transform: Transform,
) -> Box<dyn Iterator<Item = Request> + Send> {
    Box::new(apply(entries, transform).map(Request::from))
}
