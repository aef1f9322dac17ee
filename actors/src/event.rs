//! What travels: a header that fixes the order, and a body.

use crate::entity::{Entity, EntityId, Group, Message};
use crate::host::Host;
use crate::time::SimTime;

/// The order of events inside one entity. Nothing else may decide what comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Order {
    pub(crate) time: SimTime,
    pub(crate) class: u8,
    pub(crate) source: EntityId,
    /// The source's own count of what it scheduled: sends, spawns and ticks alike.
    pub(crate) sequence: u64,
}

impl Order {
    /// Before every event of `time`; sequences start at one.
    pub(crate) const fn edge(time: SimTime) -> Order {
        Order { time, class: 0, source: EntityId(0), sequence: 0 }
    }
}

/// One event on its way to `target`.
pub(crate) struct Event<E: Entity> {
    pub(crate) order: Order,
    pub(crate) target: EntityId,
    pub(crate) body: Body<E>,
}

pub(crate) enum Body<E: Entity> {
    /// From another entity.
    Message(E::Message),
    /// The target comes into being. Boxed: spawns are rare, and events are moved often.
    Birth(Box<Newborn<E>>),
    /// The clock reminds the target of its own ticks; not an event of the model.
    Wake,
}

pub(crate) struct Newborn<E> {
    pub(crate) entity: E,
    pub(crate) group: Group,
}

impl<E: Entity> Event<E> {
    pub(crate) fn message(order: Order, target: EntityId, message: E::Message) -> Self {
        Event { order, target, body: Body::Message(message) }
    }

    /// A reminder for `target` at `time`. It takes no sequence number: reminders differ between runners.
    pub(crate) fn wake(target: EntityId, time: SimTime) -> Self {
        let order = Order { time, class: 0, source: target, sequence: 0 };
        Event { order, target, body: Body::Wake }
    }

    /// Moves the event out of a table that is not compacted, leaving a wake behind.
    pub(crate) fn take(&mut self) -> Self {
        let body = std::mem::replace(&mut self.body, Body::Wake);
        Event { order: self.order, target: self.target, body }
    }

    pub(crate) fn is_birth(&self) -> bool {
        matches!(self.body, Body::Birth(_))
    }

    /// The host of the entity whose birth this is.
    pub(crate) fn into_newborn(self) -> Option<Host<E>> {
        match self.body {
            Body::Birth(newborn) => Some(Host::new(self.target, newborn.entity, self.order)),
            Body::Message(_) | Body::Wake => None,
        }
    }

    pub(crate) fn time(&self) -> SimTime {
        self.order.time
    }
}

/// What an error message says about a message: its text, and where it comes from.
pub(crate) fn describe(message: &impl Message, order: &Order) -> String {
    format!("{message:?} (class {}, {}, its item {})", order.class, order.source, order.sequence)
}
