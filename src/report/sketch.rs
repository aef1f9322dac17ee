//! A run over time in a few lines, to be laid over others.

use serde::Serialize;

use super::FinishedRun;
use super::series::{self, Fleet, Latencies, Load, Pools, Values};

/// Bins of a sketch.
const BINS: usize = 300;

/// The fleet and the latencies of a run over time; nothing of requests for a run that kept no rows of them.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Sketch {
    /// Start of each bin, in seconds.
    start_s: Values,
    /// Width of each, in seconds.
    width_s: f64,
    /// Instances that serve, of all pools.
    active: Values,
    /// Instances that start.
    starting: Values,
    /// Instances that drain.
    draining: Values,
    /// Requests that arrived, per second.
    arrived_per_s: Option<Values>,
    /// Requests that waited for their prefill.
    waiting: Option<Values>,
    /// 99th percentile of the time to first token, in seconds.
    ttft_p99_s: Option<Values>,
    /// 99th percentile of the time between tokens, in seconds.
    tbt_p99_s: Option<Values>,
}

impl Sketch {
    /// The sketch of a run.
    pub fn of(run: &FinishedRun) -> Self {
        let bins = series::bins(run, BINS);
        let Fleet { pools, .. } = Fleet::of(run, &Pools::of(run), bins);
        let load = run.has_requests.then(|| Load::of(run, bins));
        let latencies = run.has_requests.then(|| Latencies::of(run, bins));
        let (ttft_s, tbt_s) = latencies.map(|all| (all.ttft_s.p99, all.tbt_s.p99)).unzip();
        let (arrived_per_s, waiting) = load.map(|load| (load.arrived_per_s, load.waiting)).unzip();
        Sketch {
            start_s: bins.starts_s(),
            width_s: bins.width_s(),
            active: Values::sum(bins, pools.iter().map(|pool| &pool.active)),
            starting: Values::sum(bins, pools.iter().map(|pool| &pool.starting)),
            draining: Values::sum(bins, pools.iter().map(|pool| &pool.draining)),
            arrived_per_s,
            waiting,
            ttft_p99_s: ttft_s,
            tbt_p99_s: tbt_s,
        }
    }
}
