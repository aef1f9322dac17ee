//! The load on Ebbflow.

use ebbflow::throughput::{LATENCY, Load};
use ebbflow_actors::{RunConfig, SimDuration, SimTime, Stats, run};

use crate::engine::{Measured, Time};

/// Runs the load, then once more until everybody has started: the difference is the run.
///
/// The second run finds warm memory, so the difference is rather too long than too short.
pub fn measure(entities: u32, seconds: f64, config: RunConfig) -> Measured {
    let end = SimDuration::from_secs_f64(seconds).expect("a number of seconds");
    let (whole, whole_time) = run_until(SimTime::ZERO + end, entities, &config);
    let (start, start_time) = run_until(SimTime::from_nanos(1), entities, &config);
    Measured { events: whole.events - start.events, start: start_time, run: whole_time.less(start_time) }
}

fn run_until(end: SimTime, entities: u32, config: &RunConfig) -> (Stats, Time) {
    let config = config.clone().lookahead(LATENCY).until(end);
    let (outcome, time) = Time::of(|| run(Load::new(entities).population(), &config));
    (outcome.expect("the load breaks no rule").stats, time)
}
