//! Signs of life of a run for whoever watches it: a few counts that entities write and the model never reads.
//!
//! No result depends on them: they are relaxed atomics, each behind the truth by as much as the thread that reads
//! it. Nobody watches by default; then a sign costs one comparison. Leaves out time and events, which the runtime
//! tells in [`ebbflow_actors::Progress`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where entities leave their signs of life.
#[derive(Clone, Debug, Default)]
pub struct Vitals(Option<Arc<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    arrived: AtomicU64,
    ended: AtomicU64,
    active: AtomicU64,
    starting: AtomicU64,
    draining: AtomicU64,
}

/// What was seen last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Signs {
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that were completed or rejected.
    pub ended: u64,
    /// The instances of all applications.
    pub fleet: FleetSize,
}

/// Instances by status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FleetSize {
    /// Serving.
    pub active: u64,
    /// Not ACTIVE yet.
    pub starting: u64,
    /// Finishing what they have.
    pub draining: u64,
}

impl Vitals {
    /// Vitals that somebody will [read](Vitals::signs).
    pub fn watched() -> Self {
        Vitals(Some(Arc::default()))
    }

    /// What the entities have left so far.
    pub fn signs(&self) -> Signs {
        let Some(counts) = &self.0 else { return Signs::default() };
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Signs {
            arrived: read(&counts.arrived),
            ended: read(&counts.ended),
            fleet: FleetSize {
                active: read(&counts.active),
                starting: read(&counts.starting),
                draining: read(&counts.draining),
            },
        }
    }

    /// A request arrived. Said by the only source.
    pub(crate) fn arrived(&self) {
        if let Some(counts) = &self.0 {
            counts.arrived.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A request ended. Said by the only recorder.
    pub(crate) fn ended(&self) {
        if let Some(counts) = &self.0 {
            counts.ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One of several fleets changed its size; `before` is what was said of it last.
    pub(crate) fn fleet(&self, before: &mut FleetSize, now: impl FnOnce() -> FleetSize) {
        let Some(counts) = &self.0 else { return };
        let now = now();
        let change = |count: &AtomicU64, from: u64, to: u64| {
            // Wraps like the sum does: what is below zero is added from above.
            count.fetch_add(to.wrapping_sub(from), Ordering::Relaxed);
        };
        change(&counts.active, before.active, now.active);
        change(&counts.starting, before.starting, now.starting);
        change(&counts.draining, before.draining, now.draining);
        *before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fleets_add_up_and_shrink_again() {
        let vitals = Vitals::watched();
        let (mut one, mut other) = (FleetSize::default(), FleetSize::default());
        let size = |active, starting, draining| move || FleetSize { active, starting, draining };
        vitals.fleet(&mut one, size(3, 1, 0));
        vitals.fleet(&mut other, size(2, 0, 0));
        vitals.fleet(&mut one, size(1, 0, 2));
        assert_eq!(vitals.signs().fleet, size(3, 0, 2)());
    }

    #[test]
    fn without_a_watcher_nothing_is_counted() {
        let vitals = Vitals::default();
        vitals.arrived();
        vitals.ended();
        vitals.fleet(&mut FleetSize::default(), || unreachable!("nobody looks"));
        assert_eq!(vitals.signs(), Signs::default());
    }
}
