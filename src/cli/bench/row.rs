//! The samples of one case, as one row of medians.

use serde::Serialize;

use super::case::{Case, Mover};
use super::sample::{Busy, Cost, Sample};

/// What a case takes: counts of the whole run, medians of times and memory over the rounds.
///
/// Rates and nanoseconds leave out the start of the entities; they are empty where a run was too short to tell.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub entities: u32,
    pub runner: Mover,
    pub arbiters: usize,
    pub payload_bytes: usize,
    /// Messages the load offers in one simulated second.
    pub offered_messages_per_simulated_s: f64,
    pub simulated_s: f64,
    pub events: u64,
    pub messages: u64,
    pub envelopes: u64,
    pub wall_s: f64,
    pub wall_min_s: f64,
    pub wall_max_s: f64,
    pub start_s: f64,
    pub events_per_s: Option<f64>,
    pub messages_per_s: Option<f64>,
    pub envelopes_per_s: Option<f64>,
    pub ns_per_event: Option<f64>,
    pub peak_memory_bytes: Option<u64>,
    pub digest: String,
    #[serde(skip)]
    pub busiest: Option<Busy>,
}

impl Row {
    /// None without samples.
    pub fn new(case: &Case, samples: &[Sample]) -> Option<Self> {
        let first = samples.first()?;
        let mut walls: Vec<f64> = samples.iter().map(|sample| sample.whole.wall_s).collect();
        walls.sort_by(f64::total_cmp);
        let wall_s = median(walls.clone());
        let start_s = median(samples.iter().map(|sample| sample.start.wall_s).collect());
        let busy_s = Some(wall_s - start_s).filter(|seconds| *seconds > 0.0);
        let after_start = |count: fn(&Cost) -> u64| {
            let after = count(&first.whole).saturating_sub(count(&first.start)) as f64;
            busy_s.map(|seconds| after / seconds)
        };
        let events_per_s = after_start(|cost| cost.events).filter(|rate| *rate > 0.0);
        Some(Row {
            entities: case.entities,
            runner: case.runner,
            arbiters: case.arbiters,
            payload_bytes: case.payload_bytes,
            offered_messages_per_simulated_s: case.load().messages_per_s(),
            simulated_s: case.simulated_ms as f64 / 1e3,
            events: first.whole.events,
            messages: first.whole.messages,
            envelopes: first.whole.envelopes,
            wall_s,
            wall_min_s: walls[0],
            wall_max_s: walls[walls.len() - 1],
            start_s,
            events_per_s,
            messages_per_s: after_start(|cost| cost.messages),
            envelopes_per_s: after_start(|cost| cost.envelopes),
            ns_per_event: events_per_s.map(|rate| 1e9 / rate),
            peak_memory_bytes: median_memory(samples),
            digest: first.digest.clone(),
            busiest: first.busiest.clone(),
        })
    }
}

fn median_memory(samples: &[Sample]) -> Option<u64> {
    let mut bytes: Vec<u64> = samples.iter().filter_map(|sample| sample.peak_memory_bytes).collect();
    bytes.sort_unstable();
    bytes.get(bytes.len() / 2).copied()
}

/// Of an even number the mean of the middle two.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let upper = numbers.len() / 2;
    let lower = (numbers.len() - 1) / 2;
    (numbers[lower] + numbers[upper]) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn sample(wall_s: f64, start_s: f64) -> Sample {
        Sample {
            whole: Cost { events: 1_100, messages: 200, envelopes: 300, wall_s },
            start: Cost { events: 100, messages: 0, envelopes: 100, wall_s: start_s },
            digest: "00ff".to_owned(),
            peak_memory_bytes: Some(1 << 20),
            busiest: None,
        }
    }

    fn case() -> Case {
        Case {
            entities: 100,
            runner: Mover::Lazy,
            arbiters: 1,
            payload_bytes: 0,
            jobs_per_worker_s: 2.0,
            simulated_ms: 1_000,
        }
    }

    #[test]
    fn times_are_medians_and_rates_leave_out_the_start() {
        let samples = [sample(9.0, 0.5), sample(1.5, 0.5), sample(1.0, 0.4)];
        let row = Row::new(&case(), &samples).unwrap();
        assert_eq!((row.wall_s, row.wall_min_s, row.wall_max_s, row.start_s), (1.5, 1.0, 9.0, 0.5));
        assert_eq!(row.events, 1_100);
        assert_eq!(row.events_per_s, Some(1_000.0));
        assert_eq!(row.messages_per_s, Some(200.0));
        assert_eq!(row.envelopes_per_s, Some(200.0));
        assert_eq!(row.ns_per_event, Some(1e6));
    }

    #[test]
    fn a_run_too_short_to_tell_has_no_rates() {
        let row = Row::new(&case(), &[sample(0.5, 0.6)]).unwrap();
        assert_eq!((row.events_per_s, row.ns_per_event), (None, None));
        assert!(Row::new(&case(), &[]).is_none());
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!(median(vec![3.0, 1.0]), 2.0);
        assert_eq!(median(vec![3.0, 1.0, 7.0]), 3.0);
    }
}
