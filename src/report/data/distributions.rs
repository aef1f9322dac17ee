//! How latencies and drains are distributed: counts between edges that grow by a constant factor.

use serde::Serialize;

use crate::report::FinishedRun;
use crate::report::series::Values;
use crate::request::Request;

/// Bars of a histogram.
const BARS: usize = 48;

/// Edges further apart than this factor leave nothing to see of the bulk; what is smaller is in the first bar.
const WIDEST: f64 = 1e5;

/// The distributions of a run, in seconds; null where there is nothing.
#[derive(Debug, Serialize)]
pub struct Distributions {
    ttft_s: Option<Histogram>,
    tbt_s: Option<Histogram>,
    e2e_s: Option<Histogram>,
    queue_s: Option<Histogram>,
    drain_s: Option<Histogram>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
struct Histogram {
    edges: Values,
    counts: Vec<u64>,
    values: usize,
}

impl Distributions {
    /// Those of the completed requests, and of the drains that ended.
    pub fn of(run: &FinishedRun) -> Self {
        let applications = &run.results.applications;
        let of = |latency: fn(&Request) -> Option<f64>| {
            let completed = applications.iter().flat_map(|application| application.completed());
            Histogram::of(&completed.filter_map(latency).collect::<Vec<_>>())
        };
        let instances = applications.iter().flat_map(|application| &application.instances);
        let drains = instances.filter_map(|instance| Some(instance.removed? - instance.draining?));
        Distributions {
            ttft_s: of(Request::ttft_s),
            tbt_s: of(Request::tbt_s),
            e2e_s: of(Request::e2e_s),
            queue_s: of(Request::queue_s),
            drain_s: Histogram::of(&drains.map(|drain| drain.as_secs_f64()).collect::<Vec<_>>()),
        }
    }
}

impl Histogram {
    fn of(values: &[f64]) -> Option<Self> {
        let largest = values.iter().copied().fold(0.0, f64::max);
        if largest <= 0.0 {
            return None;
        }
        let smallest = values.iter().copied().filter(|value| *value > 0.0).fold(largest, f64::min);
        // All values alike still make a bar with a width.
        let low = smallest.max(largest / WIDEST).min(largest / 1.01);
        let factor = (largest / low).ln() / BARS as f64;
        let mut counts = vec![0; BARS];
        for value in values {
            let bar = ((value / low).ln() / factor).max(0.0) as usize;
            counts[bar.min(BARS - 1)] += 1;
        }
        let edges = (0..=BARS).map(|bar| low * (factor * bar as f64).exp());
        Some(Histogram { edges: Values::all(edges), counts, values: values.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_between_its_edges() {
        let values: Vec<f64> = (1..=1000).map(|n| f64::from(n) / 100.0).collect();
        let Histogram { edges, counts, values: total } = Histogram::of(&values).unwrap();
        assert_eq!((edges.0.len(), counts.len(), total), (BARS + 1, BARS, 1000));
        assert_eq!(counts.iter().sum::<u64>(), 1000);
        let (low, high) = (edges.0[20].unwrap(), edges.0[21].unwrap());
        let between = values.iter().filter(|value| (low..high).contains(*value)).count() as u64;
        assert!(counts[20].abs_diff(between) <= 1, "{} for {between}", counts[20]);
    }

    #[test]
    fn equal_values_zeros_and_nothing_make_no_trouble() {
        assert_eq!(Histogram::of(&[]), None);
        assert_eq!(Histogram::of(&[0.0, 0.0]), None);
        assert_eq!(Histogram::of(&[2.0, 2.0]).unwrap().counts.iter().sum::<u64>(), 2);
        assert_eq!(Histogram::of(&[0.0, 1.0]).unwrap().counts.iter().sum::<u64>(), 2);
    }
}
