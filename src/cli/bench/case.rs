//! One thing to measure: a load, and who moves its events.

use std::fmt;

use clap::ValueEnum;
use ebbflow_actors::{RunConfig, Runner, SimDuration, SimTime, TickMode};
use serde::{Deserialize, Serialize};

use crate::throughput::{LATENCY, Load};

/// Who moves the events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mover {
    /// One awaited actix message per event
    Naive,
    /// Actix actors; every tick is delivered
    Eager,
    /// Actix actors that sleep through ticks which concern nobody else
    Lazy,
    /// One loop over one heap, without actors
    Sequential,
}

impl Mover {
    /// Whether it can use more than one arbiter.
    pub fn is_concurrent(self) -> bool {
        matches!(self, Mover::Eager | Mover::Lazy)
    }

    fn config(self) -> RunConfig {
        let config = RunConfig::default();
        match self {
            Mover::Naive => config.runner(Runner::Naive),
            Mover::Eager => config.ticks(TickMode::Eager),
            Mover::Lazy => config.ticks(TickMode::Lazy),
            Mover::Sequential => config.runner(Runner::Sequential),
        }
    }
}

impl fmt::Display for Mover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Mover::Naive => "naive",
            Mover::Eager => "eager",
            Mover::Lazy => "lazy",
            Mover::Sequential => "sequential",
        };
        f.pad(word)
    }
}

/// A load, how long it lasts, and who moves it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Case {
    pub entities: u32,
    pub runner: Mover,
    pub arbiters: usize,
    pub payload_bytes: usize,
    pub jobs_per_worker_s: f64,
    pub simulated_ms: u64,
}

impl Case {
    /// Reads what [`to_json`](Self::to_json) wrote.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// One line.
    pub fn to_json(self) -> String {
        serde_json::to_string(&self).expect("a plain struct of numbers has no reason to fail")
    }

    pub fn load(&self) -> Load {
        Load {
            workers: self.entities,
            jobs_per_worker_s: self.jobs_per_worker_s,
            payload_bytes: self.payload_bytes,
        }
    }

    pub fn config(&self) -> RunConfig {
        let until = SimTime::ZERO + SimDuration::from_millis(self.simulated_ms);
        self.runner.config().lookahead(LATENCY).arbiters(self.arbiters).until(until)
    }

    /// Whether `other` is the same load for as long: then both must have the same digest.
    pub fn is_comparable_to(&self, other: &Case) -> bool {
        *other == Case { runner: other.runner, arbiters: other.arbiters, ..*self }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { entities, runner, arbiters, payload_bytes, .. } = self;
        write!(f, "{runner}, {entities} entities, {arbiters} arbiter(s), {payload_bytes} bytes")
    }
}
