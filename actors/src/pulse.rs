//! What the watchdog can see of a thread: whose handler runs, since which event.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::entity::EntityId;
use crate::time::SimTime;

const NOBODY: u32 = u32::MAX;

/// Written by one thread on every step with plain stores, read by the watchdog now and then.
pub(crate) struct Pulse {
    entity: AtomicU32,
    time: AtomicU64,
    steps: AtomicU64,
}

/// One look at a pulse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Beat {
    /// Whose handler runs; `None` between steps.
    pub(crate) entity: Option<EntityId>,
    steps: u64,
}

impl Default for Pulse {
    fn default() -> Self {
        Pulse { entity: AtomicU32::new(NOBODY), time: AtomicU64::new(0), steps: AtomicU64::new(0) }
    }
}

impl Pulse {
    /// An entity is about to handle what is due.
    #[inline]
    pub(crate) fn enter(&self, entity: EntityId) {
        self.entity.store(entity.0, Ordering::Relaxed);
        // One writer: no read-modify-write needed.
        self.steps.store(self.steps.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// It handles an event of this time.
    #[inline]
    pub(crate) fn at(&self, time: SimTime) {
        self.time.store(time.as_nanos(), Ordering::Relaxed);
    }

    /// It is done.
    #[inline]
    pub(crate) fn leave(&self) {
        self.entity.store(NOBODY, Ordering::Relaxed);
    }

    pub(crate) fn beat(&self) -> Beat {
        let entity = self.entity.load(Ordering::Relaxed);
        Beat {
            entity: (entity != NOBODY).then_some(EntityId(entity)),
            steps: self.steps.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn time(&self) -> SimTime {
        SimTime::from_nanos(self.time.load(Ordering::Relaxed))
    }
}
