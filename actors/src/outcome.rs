//! What a run leaves behind.

use std::fmt;

use crate::digest::Digest;
use crate::entity::{Entity, EntityId};
use crate::fault::Fault;
use crate::time::SimTime;

/// What a run leaves behind.
pub struct Outcome<E: Entity> {
    /// The fingerprint of all handled events, of stopped entities too.
    pub digest: Digest,
    /// How much was done.
    pub stats: Stats,
    /// The time of the last handled event.
    pub ended_at: SimTime,
    /// Why the run ended.
    pub ending: Ending,
    /// The entities alive at the end, by id. One that was spawned but not yet born is not among them.
    pub entities: Vec<(EntityId, E)>,
    /// Messages in flight at the end, ordered by time, class, source and its sequence.
    pub undelivered: Vec<Undelivered<E::Message>>,
}

/// How much was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Handled events, ticks and starts included; the same with every runner.
    pub events: u64,
    /// Messages sent between different entities; the same with every runner.
    pub messages: u64,
    /// Actix mailbox deliveries; depends on the runner, the tick mode and the lookahead.
    pub envelopes: u64,
    /// Windows in which something was delivered.
    pub windows: u64,
    /// Threads that ran handlers.
    pub arbiters: usize,
}

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Nothing was left to do.
    Quiescent,
    /// Something was left to do at or after [`RunConfig::until`](crate::RunConfig::until).
    TimeLimit,
    /// [`RunConfig::interrupt`](crate::RunConfig::interrupt) was raised, or a fault stopped the run.
    Interrupted,
}

/// A message that was in flight when the run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undelivered<M> {
    /// When it would have arrived.
    pub at: SimTime,
    /// Who sent it.
    pub from: EntityId,
    /// For whom.
    pub to: EntityId,
    /// What it says.
    pub message: M,
}

/// A run that ended with a fault, and what it had achieved until then.
pub struct RunFailure<E: Entity> {
    /// What went wrong.
    pub fault: Fault,
    /// Whatever survived, for results to be written and marked incomplete.
    ///
    /// An entity whose handler panicked is included as the handler left it. Missing are the entities of an
    /// arbiter whose handler is still running, after [`Fault::Wedged`].
    pub partial: Outcome<E>,
}

impl<E: Entity> fmt::Debug for Outcome<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("digest", &format_args!("{}", self.digest))
            .field("stats", &self.stats)
            .field("ended_at", &self.ended_at)
            .field("ending", &self.ending)
            .field("entities", &self.entities.len())
            .field("undelivered", &self.undelivered.len())
            .finish()
    }
}

impl<E: Entity> fmt::Debug for RunFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFailure").field("fault", &self.fault).field("partial", &self.partial).finish()
    }
}

impl<E: Entity> fmt::Display for RunFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl<E: Entity> std::error::Error for RunFailure<E> {}
