//! The engines, and what a run on one of them takes.

use std::time::Instant;

use clap::ValueEnum;
use cpu_time::ProcessTime;
use ebbflow_actors::{RunConfig, Runner, TickMode};
use serde::{Deserialize, Serialize};

use crate::{ebbflow_engine, nexosim_engine, simcore_engine};

/// Who moves the events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Engine {
    /// Ebbflow, actors, lazy, one arbiter
    Lazy,
    /// Ebbflow, actors, lazy, two arbiters
    Lazy2,
    /// Ebbflow, actors, eager, one arbiter
    Eager,
    /// Ebbflow, one awaited message per event
    Naive,
    /// Ebbflow, one loop over one heap
    Sequential,
    /// NeXosim 1.0, one thread
    Nexosim,
    /// simcore, DSLab's core
    Simcore,
}

/// What a run took. Events are those after the start.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub events: u64,
    /// Until the first event: models built, actors started.
    pub start: Time,
    /// From the first event to the last.
    pub run: Time,
}

/// Seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Time {
    pub wall_s: f64,
    pub cpu_s: f64,
}

impl Engine {
    pub fn all() -> Vec<Engine> {
        Engine::value_variants().to_vec()
    }

    /// The word for it on the command line.
    pub fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Runs the load, in this process.
    pub fn measure(self, entities: u32, seconds: f64) -> Measured {
        let config = RunConfig::default();
        let config = match self {
            Engine::Lazy => config,
            Engine::Lazy2 => config.arbiters(2),
            Engine::Eager => config.ticks(TickMode::Eager),
            Engine::Naive => config.runner(Runner::Naive),
            Engine::Sequential => config.runner(Runner::Sequential),
            Engine::Nexosim => return nexosim_engine::measure(entities, seconds),
            Engine::Simcore => return simcore_engine::measure(entities, seconds),
        };
        ebbflow_engine::measure(entities, seconds, config)
    }
}

impl Time {
    /// How long `work` takes, and what it gives.
    pub fn of<T>(work: impl FnOnce() -> T) -> (T, Time) {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        let result = work();
        let time = Time { wall_s: wall.elapsed().as_secs_f64(), cpu_s: cpu.elapsed().as_secs_f64() };
        (result, time)
    }

    /// Without a part of it.
    pub fn less(self, part: Time) -> Time {
        Time { wall_s: self.wall_s - part.wall_s, cpu_s: self.cpu_s - part.cpu_s }
    }
}
