//! One heap of all that is due: for the runners that handle one event at a time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::config::Rules;
use crate::directory::Directory;
use crate::entity::{Entity, EntityId, Group};
use crate::event::Event;
use crate::fault::Fault;
use crate::time::SimTime;

pub(crate) struct Agenda<E: Entity> {
    due: BinaryHeap<Due<E>>,
    directory: Directory,
    window: Option<u64>,
    windows: u64,
}

/// What is due for one entity at one time. Nothing sent while it is handled can add to it, for a message takes
/// at least one nanosecond, and the entity's own ticks are its host's business.
pub(crate) struct Appointment {
    pub(crate) time: SimTime,
    pub(crate) entity: EntityId,
}

impl Appointment {
    /// The host is to replay this very nanosecond and no more.
    pub(crate) fn horizon(&self) -> SimTime {
        SimTime::from_nanos(self.time.as_nanos().saturating_add(1))
    }
}

impl<E: Entity> Agenda<E> {
    pub(crate) fn new(rules: &Rules) -> Self {
        Agenda {
            due: BinaryHeap::new(),
            directory: Directory::new(1, rules.lookahead),
            window: None,
            windows: 0,
        }
    }

    /// Enters an initial member and schedules its start.
    pub(crate) fn settle(&mut self, id: EntityId, group: Group) {
        self.directory.settle(id, group);
        self.wake(id, SimTime::ZERO);
    }

    /// Takes everything due for one entity at the earliest time, unless the run ends before.
    pub(crate) fn next(&mut self, rules: &Rules, inbox: &mut Vec<Event<E>>) -> Option<Appointment> {
        let Due(first) = self.due.peek()?;
        let next = Appointment { time: first.time(), entity: first.target };
        if next.time >= rules.until {
            return None;
        }
        let window = Some(rules.window(next.time));
        self.windows += u64::from(self.window != window);
        self.window = window;
        while let Some(Due(event)) = self.due.peek()
            && event.time() == next.time
            && event.target == next.entity
        {
            inbox.extend(self.due.pop().map(|Due(event)| event));
        }
        Some(next)
    }

    /// Schedules what a handler at `now` has sent.
    pub(crate) fn file(
        &mut self,
        now: SimTime,
        rules: &Rules,
        sink: &mut Vec<Event<E>>,
    ) -> Result<(), Box<Fault>> {
        let window = rules.window(now);
        for mut event in sink.drain(..) {
            self.directory.route(&mut event, window)?;
            self.due.push(Due(event));
        }
        Ok(())
    }

    /// Schedules a look at an entity's own ticks.
    pub(crate) fn wake(&mut self, entity: EntityId, time: SimTime) {
        self.due.push(Due(Event::wake(entity, time)));
    }

    pub(crate) fn windows(&self) -> u64 {
        self.windows
    }

    pub(crate) fn into_leftovers(self) -> Vec<Event<E>> {
        self.due.into_iter().map(|Due(event)| event).collect()
    }
}

/// An event in a heap that pops the earliest.
struct Due<E: Entity>(Event<E>);

impl<E: Entity> Due<E> {
    /// Time first, then one entity after the other, each in its own order.
    fn key(&self) -> impl Ord + use<E> {
        let Due(event) = self;
        (event.order.time, event.target, event.order)
    }
}

impl<E: Entity> Ord for Due<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E: Entity> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E: Entity> PartialEq for Due<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E: Entity> Eq for Due<E> {}
