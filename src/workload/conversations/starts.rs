//! When conversations begin: by an arrival process, or as clients become free.

use ebbflow_actors::{SimDuration, SimTime};

use super::super::WorkloadError;
use super::super::synthetic::{ArrivalTimes, Stream, arrival_times};
use super::pauses;
use crate::scenario::{Arrivals, Clients};

/// What begins conversations, and how they are numbered.
#[derive(Debug)]
pub(super) enum Starts {
    /// An arrival process; conversations count up. The next one is always planned.
    Arrivals { times: Box<ArrivalTimes>, begun: u64 },
    /// Clients. The nth conversation of client c is number `n · count + c`, whatever the others do.
    Clients { clients: Clients, seed: u64 },
}

impl Starts {
    pub(super) fn new(arrivals: &Arrivals, seed: u64) -> Result<Self, WorkloadError> {
        let Arrivals::Clients(clients) = arrivals else {
            return Ok(Starts::Arrivals { times: Box::new(arrival_times(arrivals, seed)?), begun: 0 });
        };
        pauses::check("clients.think_time", &clients.think_time)?;
        if clients.count == 0 {
            let (setting, found) = ("clients.count", "0".to_owned());
            return Err(WorkloadError::Setting { setting, found, expected: "at least 1 client" });
        }
        Ok(Starts::Clients { clients: clients.clone(), seed })
    }

    /// Whether conversations may cease to begin by themselves.
    pub(super) fn may_end(&self) -> bool {
        matches!(self, Starts::Arrivals { times, .. } if times.may_end())
    }

    /// What begins before anything has happened.
    pub(super) fn first(&mut self) -> Vec<(SimTime, u64)> {
        match self {
            Starts::Arrivals { .. } => self.after_start().into_iter().collect(),
            Starts::Clients { clients, .. } => {
                (0..u64::from(clients.count)).map(|client| (SimTime::ZERO, client)).collect()
            }
        }
    }

    /// What begins because an arrival has come.
    pub(super) fn after_start(&mut self) -> Option<(SimTime, u64)> {
        let Starts::Arrivals { times, begun } = self else { return None };
        let at = times.next()?;
        *begun += 1;
        Some((at, *begun - 1))
    }

    /// Whether the end of a conversation begins another.
    pub(super) fn wait_for_ends(&self) -> bool {
        matches!(self, Starts::Clients { .. })
    }

    /// What begins because this conversation has ended, and how long after it.
    pub(super) fn after_end(&self, conversation: u64) -> Option<(SimDuration, u64)> {
        let Starts::Clients { clients, seed } = self else { return None };
        let next = conversation + u64::from(clients.count);
        let pause = pauses::draw(&clients.think_time, &mut Stream::Pauses.of_turn(*seed, next, 0));
        Some((pause, next))
    }
}
