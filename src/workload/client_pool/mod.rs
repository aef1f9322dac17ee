//! Client pools: load as ServeGen publishes it, client by client and window by window.
//!
//! A pool is a folder with two files a client: `chunk-N-trace.csv` says how many requests it sends in each window of ten
//! minutes and how irregularly ([`windows`]), `chunk-N-dataset.json` how long prompts and outputs are, some hours at a
//! time ([`dataset`]). Every client is drawn for itself ([`client`]), from random streams of its own for each window, so
//! that choosing clients or a part of the time shifts nothing of the rest; then all are merged by time, ties in the order
//! of the clients. What is kept in memory are the pool's tables and one request a client.
//!
//! The pool's rates are met in every window: as many requests arrive as were counted there, or as many times that as the
//! scenario asks for. How they lie in it: [`arrivals`]. Prompts and outputs are drawn apart from each other, as
//! production traces have them (|ρ| < 0.12); ServeGen's own generator takes one random number for both. Leaves out:
//! conversations, which pools do not tell; what is an image and what is text, once tokens are counted.
//!
//! Source: alibaba/ServeGen (Apache-2.0), its data and README; "ServeGen: Workload Characterization and Generation of
//! Large Language Model Serving in Production", NSDI 2026. Times in seconds in the files, nanoseconds here.

mod arrivals;
mod client;
mod dataset;
mod error;
mod folder;
mod lengths;
mod merged;
#[cfg(test)]
mod tests;
mod windows;

use ebbflow_actors::{SimDuration, SimTime};

use super::WorkloadError;
use crate::ids::ApplicationId;
use crate::scenario::{ClientPoolSpec, PoolClients, Transform};
use client::Client;
pub use error::ClientPoolError;
pub(crate) use folder::files;
use folder::{ClientFiles, clients};
use lengths::ClientLengths;
use merged::Merged;
use windows::{Timeline, Window};

/// Most requests a second that a client, or the whole pool, may send: far above any fleet, it catches shifted columns.
const MAX_RATE: f64 = 1e6;

/// Requests of a pool, ready to be drawn.
pub(super) struct Opened {
    /// In order of arrival, from the beginning of the part that is used; times are those of the pool.
    pub(super) requests: Merged,
    /// How many there are in that part, unless it cuts through windows.
    pub(super) expected: Option<u64>,
    /// When the part ends, or the pool before it.
    pub(super) end: SimTime,
}

/// The part of a pool's time that is used.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: SimTime,
    until: SimTime,
}

impl Part {
    fn of(transform: &Transform) -> Self {
        let from = SimTime::ZERO + transform.start.unwrap_or_default();
        let until = transform.duration.and_then(|duration| from.checked_add(duration));
        Part { from, until: until.unwrap_or(SimTime::MAX) }
    }

    /// How much of a window lies in it.
    fn overlap(self, window: &Window) -> SimDuration {
        window.end.min(self.until).saturating_sub(window.start.max(self.from))
    }

    fn cuts(self, window: &Window) -> bool {
        let overlap = self.overlap(window);
        !overlap.is_zero() && overlap < window.end - window.start
    }
}

/// Reads and checks everything that the chosen clients need, and stands before the first request.
pub(super) fn open(
    spec: &ClientPoolSpec,
    transform: &Transform,
    applications: &[ApplicationId],
    seed: u64,
) -> Result<Opened, WorkloadError> {
    if !applications.contains(&spec.application) {
        let (found, known) = (spec.application, applications.to_vec());
        return Err(WorkloadError::UnknownApplication { found, known });
    }
    let part = Part::of(transform);
    let chosen = choose(spec, part)?;
    let ends = chosen.iter().filter_map(|(_, timeline)| timeline.end).max();
    let end = ends.map_or(part.from, |end| end.min(part.until));
    let sent: f64 = chosen.iter().map(|(_, timeline)| requests_in(&timeline.windows, part)).sum();
    if sent <= 0.0 {
        return Err(ClientPoolError::Silent { folder: spec.folder.clone() }.into());
    }
    let factor = scale(spec.rate, sent / (end - part.from).as_secs_f64())?;
    let clients = with_lengths(spec, chosen, seed, factor)?;
    let expected = clients.iter().map(|client| client.expected(part)).sum();
    let requests = Merged::new(clients, part, spec.application);
    Ok(Opened { requests, expected, end })
}

/// The clients that are asked for and send something in this part, by number.
fn choose(spec: &ClientPoolSpec, part: Part) -> Result<Vec<(ClientFiles, Timeline)>, WorkloadError> {
    let mut files = clients(&spec.folder)?;
    if let PoolClients::These(numbers) = &spec.clients {
        let known: Vec<u32> = files.iter().map(|client| client.number).collect();
        if let Some(&unknown) = numbers.iter().find(|number| !known.contains(number)) {
            return Err(ClientPoolError::UnknownClient { folder: spec.folder.clone(), unknown, known }.into());
        }
        files.retain(|client| numbers.contains(&client.number));
    }
    let mut chosen = Vec::new();
    for client in files {
        let timeline = windows::read(&client.trace)?;
        let sent = requests_in(&timeline.windows, part);
        if sent > 0.0 {
            chosen.push((sent, client, timeline));
        }
    }
    if let PoolClients::Top(most) = spec.clients {
        // A stable sort: of those that send as much, the first.
        chosen.sort_by(|a, b| b.0.total_cmp(&a.0));
        chosen.truncate(most as usize);
        chosen.sort_by_key(|(_, client, _)| client.number);
    }
    Ok(chosen.into_iter().map(|(_, client, timeline)| (client, timeline)).collect())
}

/// How many requests these windows stand for in a part of the time.
fn requests_in(windows: &[Window], part: Part) -> f64 {
    windows.iter().map(|window| window.rate * part.overlap(window).as_secs_f64()).sum()
}

/// By how much all rates are multiplied, so that they are this one on average.
fn scale(rate: Option<f64>, mean: f64) -> Result<f64, WorkloadError> {
    match rate {
        None => Ok(1.0),
        Some(rate) if rate > 0.0 && rate <= MAX_RATE => Ok(rate / mean),
        Some(rate) => {
            let (setting, found) = ("rate", rate.to_string());
            Err(WorkloadError::Setting { setting, found, expected: "above 0 and at most 1000000 requests/s" })
        }
    }
}

/// The same clients, each with what its prompts and outputs are drawn from.
fn with_lengths(
    spec: &ClientPoolSpec,
    chosen: Vec<(ClientFiles, Timeline)>,
    seed: u64,
    factor: f64,
) -> Result<Vec<Client>, WorkloadError> {
    let named = spec.lengths.as_ref().map(ClientLengths::named).transpose()?;
    let of = chosen.len();
    let (mut clients, mut without) = (Vec::new(), Vec::new());
    for (files, timeline) in chosen {
        let lengths = match (&named, &files.dataset) {
            (Some(named), _) => named.clone(),
            (None, Some(path)) => ClientLengths::of_datasets(dataset::read(path)?),
            (None, None) => ClientLengths::of_datasets(Vec::new()),
        };
        if lengths.is_empty() {
            without.push(files.number);
        }
        clients.push(Client { number: files.number, windows: timeline.windows, lengths, seed, factor });
    }
    if without.is_empty() {
        return Ok(clients);
    }
    Err(ClientPoolError::NoLengths { folder: spec.folder.clone(), without, of }.into())
}
