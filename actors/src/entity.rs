//! What a model is made of: entities, their names, and the messages between them.

use std::fmt::{self, Debug};
use std::hash::Hash;

use crate::outbox::Outbox;
use crate::time::SimTime;

/// The name of one entity, chosen by the model and never used twice in a run.
///
/// Tables are indexed by it, so number densely from zero; ids of [`EntityId::LIMIT`] and above are refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntityId(pub u32);

impl EntityId {
    /// Ids must stay below this number, so that a stray id cannot ask for gigabytes of tables.
    pub const LIMIT: u32 = 1 << 26;

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entity {}", self.0)
    }
}

/// Entities of one group live on the same arbiter: `group % arbiters`, so group 0 is on the leader.
///
/// Placement changes the speed of a run, never its result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Group(pub u32);

/// What one entity says to another, or to itself.
///
/// `Hash` feeds the digest of the run: a field left out of it is not covered by the promise of identical runs.
/// `Debug` appears in error messages.
pub trait Message: Hash + Debug + Send + 'static {
    /// Orders messages that reach one entity at the same instant: lower first.
    fn class(&self) -> u8 {
        0
    }
}

/// A pure state machine that lives in simulated time.
///
/// It must not look at anything but its own fields and what it is given: no wall clock, no shared state, no
/// iteration over a randomly ordered map. Then a run is a function of the population and the seed.
pub trait Entity: Send + Sized + 'static {
    /// What it can be told.
    type Message: Message;

    /// A name for error messages, for example `worker_3`.
    fn label(&self) -> String;

    /// Called once, when the entity comes into being: at time zero, or at the time it was spawned for.
    fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_, Self>) {
        let _ = (now, outbox);
    }

    /// Called for every message and every own tick, in the order `(time, class, source, source's sequence)`.
    fn handle(&mut self, now: SimTime, from: EntityId, message: Self::Message, outbox: &mut Outbox<'_, Self>);

    /// A lower bound on the next time it may send to another entity, spawn, or stop, if nothing arrives until
    /// then; `None` for never.
    ///
    /// `next_tick` is its earliest pending tick. The default, `next_tick`, is always right; a later bound lets
    /// the entity sleep through ticks that concern nobody else, which is where most of the speed comes from.
    /// A bound that turns out too late is a [`Fault::BrokenPromise`](crate::Fault::BrokenPromise).
    fn promise(&self, next_tick: Option<SimTime>) -> Option<SimTime> {
        next_tick
    }
}
