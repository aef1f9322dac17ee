//! One run, and what it took.

use std::process::Command;
use std::time::Instant;

use ebbflow_actors::{Outcome, RunFailure, SimTime, run};
use serde::{Deserialize, Serialize};

use crate::throughput::{Part, busiest};

use super::case::Case;
use super::machine;

/// What one run took. Counts and times of `start` are those of a run that ends with the start of the entities.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub whole: Cost,
    pub start: Cost,
    pub digest: String,
    /// Of the process, at its highest.
    pub peak_memory_bytes: Option<u64>,
    pub busiest: Option<Busy>,
}

/// Counts, and the wall-clock time they took.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cost {
    pub events: u64,
    pub messages: u64,
    pub envelopes: u64,
    pub wall_s: f64,
}

/// The entity that handled most.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Busy {
    pub name: String,
    pub events: u64,
}

/// Why there is no sample.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The command cannot call itself.
    #[error("could not start a process to measure {case}: {problem}")]
    NotStarted { case: Case, problem: std::io::Error },
    /// The run failed.
    #[error("the run of {case} failed: {problem}")]
    Failed { case: Case, problem: String },
}

impl Sample {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a plain struct of numbers and words has no reason to fail")
    }
}

/// Measures in this process. The run that only starts comes second, into memory the first has warmed: so it is
/// rather too short, and what is left of the whole rather too long.
pub fn take(case: &Case) -> Result<Sample, Box<RunFailure<Part>>> {
    let (outcome, whole) = measure(case, case.config().until)?;
    let peak_memory_bytes = machine::peak_memory_bytes();
    let digest = outcome.digest.to_string();
    let busiest = busiest(&outcome.entities)
        .map(|busiest| Busy { name: format!("{} ({})", busiest.label, busiest.id), events: busiest.handled });
    drop(outcome);
    let (_, start) = measure(case, Some(SimTime::from_nanos(1)))?;
    Ok(Sample { whole, start, digest, peak_memory_bytes, busiest })
}

fn measure(case: &Case, until: Option<SimTime>) -> Result<(Outcome<Part>, Cost), Box<RunFailure<Part>>> {
    let mut config = case.config();
    config.until = until;
    let begin = Instant::now();
    let outcome = run(case.load().population(), &config)?;
    let wall_s = begin.elapsed().as_secs_f64();
    let stats = outcome.stats;
    let cost = Cost { events: stats.events, messages: stats.messages, envelopes: stats.envelopes, wall_s };
    Ok((outcome, cost))
}

/// Measures in a process of its own.
pub fn take_elsewhere(case: &Case) -> Result<Sample, SampleError> {
    let not_started = |problem| SampleError::NotStarted { case: *case, problem };
    let failed = |problem: String| SampleError::Failed { case: *case, problem };
    let myself = std::env::current_exe().map_err(not_started)?;
    let output =
        Command::new(myself).args(["bench", "--sample", &case.to_json()]).output().map_err(not_started)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{} {}", output.status, said.trim_end())));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::case::Mover;
    use super::*;

    #[test]
    fn a_sample_tells_events_messages_and_envelopes_apart_and_the_start_from_the_whole() {
        let case = Case {
            entities: 50,
            runner: Mover::Lazy,
            arbiters: 1,
            payload_bytes: 0,
            jobs_per_worker_s: 2.0,
            simulated_ms: 1_000,
        };
        let sample = take(&case).unwrap();
        assert_eq!((sample.start.events, sample.start.messages), (52, 0));
        assert!(sample.whole.messages < sample.whole.envelopes);
        assert!(sample.whole.envelopes < sample.whole.events);
        assert_eq!(sample.busiest.unwrap().name, "dispatcher (entity 0)");
        assert_eq!(sample.digest.len(), 16);
    }
}
