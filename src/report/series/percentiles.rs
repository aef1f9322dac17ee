//! Latencies over time.

use serde::Serialize;

use super::Values;
use super::bins::Bins;
use crate::report::FinishedRun;
use crate::results::percentile;

/// Percentiles of the values of each group of bins; null where it has none.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: Values,
    /// 90th percentile.
    pub p90: Values,
    /// 99th percentile.
    pub p99: Values,
}

/// Latencies of completed requests over time, in seconds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Latencies {
    /// Time to first token, by when that came.
    pub ttft_s: Percentiles,
    /// Time between tokens, by when the request was completed.
    pub tbt_s: Percentiles,
    /// End-to-end response time, by when the request was completed.
    pub e2e_s: Percentiles,
}

impl Latencies {
    /// Over these bins.
    pub fn of(run: &FinishedRun, bins: Bins) -> Self {
        let mut values = [(); 3].map(|()| vec![Vec::new(); bins.groups()]);
        let [ttft, tbt, e2e] = &mut values;
        for request in run.results.applications.iter().flat_map(|application| application.completed()) {
            let first_token = request.journal.prefill.and_then(|leg| leg.end);
            let (Some(first_token), Some(completion)) = (first_token, request.completion()) else { continue };
            let (first, last) = (bins.group_of(first_token), bins.group_of(completion));
            ttft[first].extend(request.ttft_s());
            tbt[last].extend(request.tbt_s());
            e2e[last].extend(request.e2e_s());
        }
        let [ttft_s, tbt_s, e2e_s] = values.map(|values| Percentiles::of(values, bins));
        Latencies { ttft_s, tbt_s, e2e_s }
    }
}

impl Percentiles {
    fn of(mut groups: Vec<Vec<f64>>, bins: Bins) -> Self {
        groups.iter_mut().for_each(|values| values.sort_unstable_by(f64::total_cmp));
        let at = |quantile| {
            let value = |values: &Vec<f64>| (!values.is_empty()).then(|| percentile(values, quantile));
            Values(bins.spread(&groups.iter().map(value).collect::<Vec<_>>()))
        };
        Percentiles { p50: at(0.5), p90: at(0.9), p99: at(0.99) }
    }
}
