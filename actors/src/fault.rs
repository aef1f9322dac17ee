//! What can go wrong in a run, and what to do about it.

use std::fmt;
use std::time::Duration;

use crate::entity::EntityId;
use crate::time::{SimDuration, SimTime};

/// An entity in an error message: its id, and its label where the run could still ask for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    /// Its id.
    pub id: EntityId,
    /// Its [`label`](crate::Entity::label); `None` if it never existed or is out of reach.
    pub label: Option<String>,
}

impl Who {
    pub(crate) fn new(id: EntityId) -> Who {
        Who { id, label: None }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.label {
            Some(label) => write!(f, "`{label}` ({})", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

/// Why nobody is there to take a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absence {
    /// The id is not in the population, and the sender cannot have heard of a spawn of it.
    NeverAnnounced,
    /// The entity has left.
    Stopped,
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Absence::NeverAnnounced => {
                "which the sender cannot know: only the spawner may use an id at once, others once told by message"
            }
            Absence::Stopped => {
                "which has stopped: an entity should leave only when nobody writes to it any more"
            }
        })
    }
}

/// Why a run ended early. Every fault is an error in the model or its configuration, not in its data.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A handler, `start`, `promise` or a message's `Hash` panicked.
    #[error(
        "{entity} panicked at {at} while handling {event}: {panic}; fix the handler, or have it report the problem as a message"
    )]
    HandlerPanicked {
        /// Whose handler.
        entity: Who,
        /// The simulated time of the event.
        at: SimTime,
        /// What was handled. The message's text is known only with [`RunConfig::check_promises`](crate::RunConfig::check_promises): otherwise the handler has consumed it.
        event: String,
        /// What the panic said.
        panic: String,
    },
    /// A message to an id that does not exist, not yet or not any more.
    #[error("{sender} sent {event}, due at {at}, to {target}, {absence}")]
    UnknownEntity {
        /// Who sent.
        sender: Who,
        /// To whom.
        target: Who,
        /// When the message would have arrived.
        at: SimTime,
        /// Why nobody is there.
        absence: Absence,
        /// The message.
        event: String,
    },
    /// An entity did something others can notice before the time it had promised.
    #[error("{entity} {deed} at {sent_at} on its own tick, but had promised not to before {}; make `promise()` a lower bound", Promised(*.promised))]
    BrokenPromise {
        /// Whose promise.
        entity: Who,
        /// The bound it gave; `None` for never.
        promised: Option<SimTime>,
        /// When it acted.
        sent_at: SimTime,
        /// What it did: sent, spawned or stopped.
        deed: String,
    },
    /// A message or spawn that would take less than the lookahead.
    #[error(
        "{entity} asked at {at} for {event} to reach {target} after {delay}, less than the lookahead of {lookahead}; lengthen the delay, or shorten the run's lookahead"
    )]
    BelowLookahead {
        /// Who asked.
        entity: Who,
        /// When.
        at: SimTime,
        /// For whom it was meant.
        target: Who,
        /// The delay asked for.
        delay: SimDuration,
        /// The least the run allows.
        lookahead: SimDuration,
        /// What was asked for.
        event: String,
    },
    /// A tick before the present.
    #[error("{entity} asked at {at} for the tick {event} at {wanted}, which is past; use a time from now on")]
    TickInPast {
        /// Who asked.
        entity: Who,
        /// When.
        at: SimTime,
        /// The time asked for.
        wanted: SimTime,
        /// The tick's message.
        event: String,
    },
    /// A spawn of an id that is or was in use.
    #[error("{by} spawned {entity} at {at}, but that id is taken; ids are never reused: count upwards")]
    DuplicateEntity {
        /// The id in question.
        entity: Who,
        /// Who spawned it a second time.
        by: Who,
        /// When.
        at: SimTime,
    },
    /// A handler has not returned for the watchdog's patience of wall-clock time.
    #[error(
        "{entity} has not returned from its handler for {patience:?} of wall-clock time, at simulated time {at}; look for an endless loop or a blocking call, or lengthen the watchdog's patience"
    )]
    Wedged {
        /// Whose handler.
        entity: Who,
        /// The simulated time of the event.
        at: SimTime,
        /// How long the watchdog waited.
        patience: Duration,
    },
    /// An arbiter's thread ended without a report: a destructor panicked, or this crate has a bug.
    #[error(
        "arbiter {arbiter} ended without a report; see the panic message above, it comes from a destructor or from ebbflow-actors itself"
    )]
    ArbiterLost {
        /// Which one.
        arbiter: usize,
    },
    /// The run cannot begin.
    #[error("invalid run: {problem}")]
    InvalidConfig {
        /// What is wrong, and what is expected.
        problem: String,
    },
}

struct Promised(Option<SimTime>);

impl fmt::Display for Promised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => write!(f, "{time}"),
            None => f.write_str("the end of time unless written to"),
        }
    }
}

impl Fault {
    /// The simulated time of the fault, if it has one; of several faults in a window the earliest is reported.
    pub fn at(&self) -> Option<SimTime> {
        match self {
            Fault::HandlerPanicked { at, .. }
            | Fault::UnknownEntity { at, .. }
            | Fault::BelowLookahead { at, .. }
            | Fault::TickInPast { at, .. }
            | Fault::DuplicateEntity { at, .. }
            | Fault::Wedged { at, .. } => Some(*at),
            Fault::BrokenPromise { sent_at, .. } => Some(*sent_at),
            Fault::ArbiterLost { .. } | Fault::InvalidConfig { .. } => None,
        }
    }

    /// The entity to look at first, if there is one.
    pub fn entity(&self) -> Option<&Who> {
        match self {
            Fault::HandlerPanicked { entity, .. }
            | Fault::BelowLookahead { entity, .. }
            | Fault::TickInPast { entity, .. }
            | Fault::DuplicateEntity { entity, .. }
            | Fault::BrokenPromise { entity, .. }
            | Fault::Wedged { entity, .. } => Some(entity),
            Fault::UnknownEntity { sender, .. } => Some(sender),
            Fault::ArbiterLost { .. } | Fault::InvalidConfig { .. } => None,
        }
    }

    /// Every entity named, for the labels to be filled in once the entities have come home.
    pub(crate) fn named(&mut self) -> [Option<&mut Who>; 2] {
        match self {
            Fault::HandlerPanicked { entity, .. }
            | Fault::TickInPast { entity, .. }
            | Fault::BrokenPromise { entity, .. }
            | Fault::Wedged { entity, .. } => [Some(entity), None],
            Fault::BelowLookahead { entity, target, .. } => [Some(entity), Some(target)],
            Fault::DuplicateEntity { entity, by, .. } => [Some(entity), Some(by)],
            Fault::UnknownEntity { sender, target, .. } => [Some(sender), Some(target)],
            Fault::ArbiterLost { .. } | Fault::InvalidConfig { .. } => [None, None],
        }
    }
}
