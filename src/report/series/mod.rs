//! A run over time: the same quantities as its totals, in bins of equal width.
//!
//! Everything is computed from the journals of requests and the dates of instances and servers, exactly: a
//! quantity of a bin is its mean over the time of the bin, a rate what happened in it divided by its width.
//! Leaves out what journals do not say: the KV cache of a request that was computed twice counts once, and an
//! instance counts as busy while a request it works on is in its prefill or decode.

mod bins;
mod fleet;
mod load;
mod memory;
mod percentiles;
mod pools;

use serde::Serialize;

use super::FinishedRun;
pub use bins::Bins;
pub use fleet::{Fleet, PoolFleet};
pub use load::Load;
pub use memory::PoolShare;
pub use percentiles::{Latencies, Percentiles};
pub use pools::Pools;

/// Bins of a series.
const BINS: usize = 600;

/// Bins over a run, in groups that have at least eight requests on average, if that leaves a hundred groups.
pub(super) fn bins(run: &FinishedRun, count: usize) -> Bins {
    let groups = ((run.results.arrived / 8) as usize).clamp(100, count);
    Bins::over(run.results.end, count, count.div_ceil(groups))
}

/// Values rounded to a millionth: what is drawn needs no more, and files stay small.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Values(pub Vec<Option<f64>>);

/// A run over time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Series {
    /// Start of each bin, in seconds.
    pub start_s: Values,
    /// Width of each, in seconds.
    pub width_s: f64,
    /// Width of the groups of bins that share a rate and percentiles, in seconds.
    pub group_width_s: f64,
    /// Instances, servers and what they cost.
    #[serde(flatten)]
    pub fleet: Fleet,
    /// What requests did; nothing for a run that kept no rows of requests.
    #[serde(flatten)]
    pub load: Option<Load>,
    /// Times of requests by when they ended.
    #[serde(flatten)]
    pub latencies: Option<Latencies>,
    /// KV cache in use, as a share of what instances that hold a cache have room for, from 0 to 1.
    pub kv_share: Option<Vec<PoolShare>>,
    /// Time of ACTIVE and draining instances with work in it, as a share of all their time, from 0 to 1.
    pub busy_share: Option<Vec<PoolShare>>,
}

impl Series {
    /// The series of a run, in bins of equal width.
    pub fn of(run: &FinishedRun, pools: &Pools) -> Self {
        let bins = bins(run, BINS);
        let if_kept = run.has_requests.then_some(());
        Series {
            start_s: bins.starts_s(),
            width_s: bins.width_s(),
            group_width_s: bins.group_width_s(),
            fleet: Fleet::of(run, pools, bins),
            load: if_kept.map(|()| Load::of(run, bins)),
            latencies: if_kept.map(|()| Latencies::of(run, bins)),
            kv_share: if_kept.map(|()| memory::kv_share(run, pools, bins)),
            busy_share: if_kept.map(|()| memory::busy_share(run, pools, bins)),
        }
    }
}

impl Values {
    /// Values all of which are there.
    pub fn all(values: impl IntoIterator<Item = f64>) -> Self {
        Values(values.into_iter().map(Some).collect())
    }
}

impl Values {
    /// The sum of several series over the same bins.
    pub fn sum<'v>(bins: Bins, series: impl Iterator<Item = &'v Values>) -> Self {
        let mut sums = vec![0.0; bins.count()];
        for values in series {
            sums.iter_mut().zip(&values.0).for_each(|(sum, value)| *sum += value.unwrap_or(0.0));
        }
        Values::all(sums)
    }
}

impl Serialize for Values {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|value| value.map(Rounded)))
    }
}

/// A number rounded to a millionth; whole ones without a point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rounded(pub f64);

impl Serialize for Rounded {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rounded = (self.0 * 1e6).round() / 1e6;
        let whole = rounded as i64;
        if whole as f64 == rounded {
            serializer.serialize_i64(whole)
        } else {
            serializer.serialize_f64(rounded)
        }
    }
}
