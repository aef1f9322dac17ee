//! Workloads: trace readers and synthetic load.
//!
//! [`open`] turns a description into a stream of requests in order of arrival. A trace is read and checked
//! as a whole before the run, kept compactly in memory; generated requests are drawn as they are asked for,
//! so that their number does not matter; so are those of the clients of a pool. Requests that wait for answers, of sessions and of a fixed number of
//! clients, are made while the run goes on, by [`Conversations`]. Times are integer nanoseconds, lengths tokens.

mod client_pool;
mod conversations;
mod entry;
mod error;
mod labels;
mod prefix;
mod prefix_statistics;
mod presets;
mod replay;
mod source;
mod synthetic;
mod trace;
mod transform;

pub use crate::diagnosis::RowProblem;
pub use client_pool::ClientPoolError;
pub(crate) use client_pool::files as client_pool_files;
pub use conversations::{Answer, Conversations};
pub use error::WorkloadError;
pub use prefix_statistics::{PrefixCounts, PrefixStatistics};
pub use presets::{PRESET_BLOCK_TOKENS, Preset, Profile, RequestKind, Turns, preset, preset_names};
pub use source::Source;

use ebbflow_actors::SimTime;

use crate::ids::ApplicationId;
use crate::instance::continuous::BLOCK_TOKENS;
use crate::request::Request;
use crate::scenario::{Arrivals, ClientPoolSpec, SyntheticSpec, Transform, WorkloadSource, WorkloadSpec};
use entry::Entry;
use labels::Labels;
use synthetic::Synthetic;
pub(crate) use synthetic::variates::normal;
use transform::{apply, check};

/// Requests, ready to arrive.
pub struct Workload {
    /// Those that are known beforehand, in order of arrival (ties in trace order).
    pub requests: Box<dyn Iterator<Item = Request> + Send>,
    /// Those that depend on answers; then `requests` is empty.
    pub conversations: Option<Conversations>,
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
            let labels = Labels::new(None, &spec.classes, seed)?;
            let requests = requests(trace.entries.into_iter(), labels, spec.transform);
            Ok(Workload {
                requests,
                conversations: None,
                expected: Some(expected),
                arrivals_end,
                prefix_block_tokens: trace.prefix_block_tokens,
                skipped_rows: trace.skipped_rows,
                notes: trace.notes,
            })
        }
        WorkloadSource::ClientPool(pool) => open_client_pool(pool, spec, applications, seed),
        WorkloadSource::Synthetic(synthetic) if synthetic.waits_for_answers() => {
            open_conversations(synthetic, spec, applications, seed)
        }
        WorkloadSource::Synthetic(synthetic) => {
            let generated = Synthetic::new(synthetic, applications, seed)?;
            let expected = generated.expected().filter(|_| spec.transform.keeps_time());
            let expected = expected.map(|count| count.min(spec.transform.limit.unwrap_or(u64::MAX)));
            let arrivals_end = generated.until().filter(|_| spec.transform == Transform::default());
            let labels = Labels::new(Some(synthetic), &spec.classes, seed)?;
            let requests = requests(generated, labels, spec.transform);
            Ok(Workload {
                requests,
                conversations: None,
                expected,
                arrivals_end,
                prefix_block_tokens: synthetic.preset.map_or(BLOCK_TOKENS, |_| PRESET_BLOCK_TOKENS),
                skipped_rows: 0,
                notes: Vec::new(),
            })
        }
    }
}

fn open_conversations(
    spec: &SyntheticSpec,
    WorkloadSpec { transform, classes, .. }: &WorkloadSpec,
    applications: &[ApplicationId],
    seed: u64,
) -> Result<Workload, WorkloadError> {
    if *transform != Transform::default() {
        return Err(WorkloadError::Setting {
            setting: "the transform",
            found: format!("{transform:?}"),
            expected: "nothing: requests that wait for answers cannot be cut or moved",
        });
    }
    let conversations = Conversations::new(spec, classes, applications, seed)?;
    Ok(Workload {
        requests: Box::new(std::iter::empty()),
        expected: conversations.expected(),
        arrivals_end: spec.until,
        conversations: Some(conversations),
        prefix_block_tokens: BLOCK_TOKENS,
        skipped_rows: 0,
        notes: Vec::new(),
    })
}

fn open_client_pool(
    pool: &ClientPoolSpec,
    WorkloadSpec { transform, classes, .. }: &WorkloadSpec,
    applications: &[ApplicationId],
    seed: u64,
) -> Result<Workload, WorkloadError> {
    let client_pool::Opened { requests: generated, expected, end } =
        client_pool::open(pool, transform, applications, seed)?;
    let start = SimTime::ZERO + transform.start.unwrap_or_default();
    let labels = Labels::new(None, classes, seed)?;
    Ok(Workload {
        requests: requests(generated, labels, *transform),
        conversations: None,
        expected: expected.map(|count| count.min(transform.limit.unwrap_or(u64::MAX))),
        arrivals_end: transform.rate_scale.is_none().then(|| SimTime::ZERO + end.saturating_sub(start)),
        prefix_block_tokens: BLOCK_TOKENS,
        skipped_rows: 0,
        notes: Vec::new(),
    })
}

impl SyntheticSpec {
    /// Whether a request may depend on the answer to another one.
    pub fn waits_for_answers(&self) -> bool {
        self.sessions.is_some() || matches!(self.arrivals, Arrivals::Clients(_))
    }
}

fn requests(
    entries: impl Iterator<Item = Entry> + Send + 'static,
    labels: Labels,
    transform: Transform,
) -> Box<dyn Iterator<Item = Request> + Send> {
    if labels.is_empty() {
        return Box::new(apply(entries, transform).map(Request::from));
    }
    let labelled = entries.zip(0..).map(move |(entry, number)| labels.label(number, entry));
    Box::new(apply(labelled, transform).map(Request::from))
}
