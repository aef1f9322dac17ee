//! Words that options accept.

use clap::ValueEnum;

/// A number of arbiters; none: chosen automatically.
#[derive(Clone, Copy, Debug)]
pub struct Arbiters(pub Option<std::num::NonZeroUsize>);

/// Reads `auto` or a number above 0.
pub fn arbiters(word: &str) -> Result<Arbiters, String> {
    match word {
        "auto" => Ok(Arbiters(None)),
        count => {
            let count = count.parse().map_err(|_| "expected auto, or a number above 0".to_owned())?;
            Ok(Arbiters(Some(count)))
        }
    }
}

/// Who moves the events.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Runner {
    /// Actix actors on one or more arbiters
    Actors,
    /// One loop over one heap, without actors
    Sequential,
    /// One awaited actix message per event
    Naive,
}

/// When an actor is woken for its own ticks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Ticks {
    /// When it may have something to say
    Lazy,
    /// At every tick
    Eager,
}

/// What is printed on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// A summary for people
    Text,
    /// run.json
    Json,
}

/// Which files are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Files {
    /// All of them
    Full,
    /// None with rows for every request: requests/APP.csv, detailed/APP.csv, request_nodes.csv, not_completed.csv
    Summary,
}

impl From<Runner> for ebbflow_actors::Runner {
    fn from(runner: Runner) -> Self {
        match runner {
            Runner::Actors => ebbflow_actors::Runner::Actors,
            Runner::Sequential => ebbflow_actors::Runner::Sequential,
            Runner::Naive => ebbflow_actors::Runner::Naive,
        }
    }
}

impl From<Ticks> for ebbflow_actors::TickMode {
    fn from(ticks: Ticks) -> Self {
        match ticks {
            Ticks::Lazy => ebbflow_actors::TickMode::Lazy,
            Ticks::Eager => ebbflow_actors::TickMode::Eager,
        }
    }
}
