//! Everything a handler can do to the world.

use crate::config::Rules;
use crate::entity::{Entity, EntityId, Group, Message};
use crate::event::{Body, Event, Newborn, Order, describe};
use crate::fault::{Fault, Who};
use crate::random::CounterRng;
use crate::ticks::{TickId, Ticks};
use crate::time::{SimDuration, SimTime};

/// Handed to an entity for the length of one handler; collects what the entity wants to happen.
///
/// What breaks a rule does not panic: the handler runs on, and the run then ends with the
/// [`Fault`] of the first rule broken.
pub struct Outbox<'a, E: Entity> {
    pub(crate) me: EntityId,
    pub(crate) now: SimTime,
    pub(crate) rules: &'a Rules,
    pub(crate) sequence: &'a mut u64,
    pub(crate) ticks: &'a mut Ticks<E::Message>,
    pub(crate) sink: &'a mut Vec<Event<E>>,
    pub(crate) effects: Effects,
}

/// What the host must know about a handler once it has returned.
#[derive(Default)]
pub(crate) struct Effects {
    /// What was done first that others may notice; a promise forbids it.
    pub(crate) external: Option<External>,
    pub(crate) stop: bool,
    pub(crate) messages: u64,
    pub(crate) fault: Option<Box<Fault>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum External {
    Sent(EntityId),
    Spawned(EntityId),
    Stopped,
}

impl<E: Entity> Outbox<'_, E> {
    /// The id of the entity whose handler runs.
    pub fn me(&self) -> EntityId {
        self.me
    }

    /// The simulated time of the event being handled.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The shortest time a message takes between two entities.
    pub fn lookahead(&self) -> SimDuration {
        self.rules.lookahead
    }

    /// Sends a message that arrives one lookahead from now.
    ///
    /// One that would arrive before its target has come into being waits, and arrives at the target's birth.
    pub fn send(&mut self, to: EntityId, message: E::Message) {
        self.send_after(to, self.rules.lookahead, message);
    }

    /// Sends a message that arrives after `delay`, at least one lookahead: less is
    /// [`Fault::BelowLookahead`]. To oneself any delay will do: then it is a tick.
    #[inline]
    pub fn send_after(&mut self, to: EntityId, delay: SimDuration, message: E::Message) {
        if to == self.me {
            self.tick(delay, message);
            return;
        }
        let order = self.next_order(delay, message.class());
        if delay < self.rules.lookahead {
            self.refuse_short_delay(to, delay, describe(&message, &order));
            return;
        }
        self.effects.messages += 1;
        self.effects.external.get_or_insert(External::Sent(to));
        self.sink.push(Event::message(order, to, message));
    }

    /// Lets this entity handle `message` itself after `delay`, which may be zero.
    #[inline]
    pub fn tick(&mut self, delay: SimDuration, message: E::Message) -> TickId {
        self.set_tick(self.now + delay, message)
    }

    /// Lets this entity handle `message` itself at `time`; a time before now is [`Fault::TickInPast`].
    pub fn tick_at(&mut self, time: SimTime, message: E::Message) -> TickId {
        if time < self.now {
            let order = self.next_order(SimDuration::ZERO, message.class());
            self.refuse(Fault::TickInPast {
                entity: Who::new(self.me),
                at: self.now,
                wanted: time,
                event: describe(&message, &order),
            });
            return TickId { time, class: order.class, sequence: order.sequence };
        }
        self.set_tick(time, message)
    }

    /// Forgets a pending tick: it will not be handled, counted or digested. False if it is no longer pending.
    pub fn cancel(&mut self, tick: TickId) -> bool {
        self.ticks.cancel(tick)
    }

    /// Brings a new entity into being one lookahead from now.
    ///
    /// An id is knowledge: the spawner may address it from now on, others once they have heard of it by
    /// message. Ids are never reused: a second spawn of one is [`Fault::DuplicateEntity`].
    pub fn spawn(&mut self, id: EntityId, group: Group, entity: E) {
        self.spawn_after(id, group, self.rules.lookahead, entity);
    }

    /// Brings a new entity into being after `delay`, at least one lookahead.
    pub fn spawn_after(&mut self, id: EntityId, group: Group, delay: SimDuration, entity: E) {
        let order = self.next_order(delay, 0);
        if delay < self.rules.lookahead {
            let event = format!("the birth of `{}` ({id})", entity.label());
            self.refuse_short_delay(id, delay, event);
            return;
        }
        self.effects.external.get_or_insert(External::Spawned(id));
        let newborn = Box::new(Newborn { entity, group });
        self.sink.push(Event { order, target: id, body: Body::Birth(newborn) });
    }

    /// Lets this entity leave once the handler returns.
    ///
    /// Its pending ticks are dropped, its part of the digest is kept, and a message that reaches it later is
    /// [`Fault::UnknownEntity`]: tell those who know it, and leave when they have stopped writing.
    pub fn stop(&mut self) {
        self.effects.stop = true;
        self.effects.external.get_or_insert(External::Stopped);
    }

    /// This entity's stream of random numbers with the given number, from its beginning: keep it as a field.
    pub fn random(&self, stream: u64) -> CounterRng {
        CounterRng::new(self.rules.seed, self.me, stream)
    }

    #[inline]
    fn set_tick(&mut self, time: SimTime, message: E::Message) -> TickId {
        let class = message.class();
        *self.sequence += 1;
        let id = TickId { time, class, sequence: *self.sequence };
        self.ticks.insert(id, message);
        id
    }

    #[inline]
    fn next_order(&mut self, delay: SimDuration, class: u8) -> Order {
        *self.sequence += 1;
        Order { time: self.now + delay, class, source: self.me, sequence: *self.sequence }
    }

    #[cold]
    fn refuse_short_delay(&mut self, target: EntityId, delay: SimDuration, event: String) {
        self.refuse(Fault::BelowLookahead {
            entity: Who::new(self.me),
            at: self.now,
            target: Who::new(target),
            delay,
            lookahead: self.rules.lookahead,
            event,
        });
    }

    /// The first fault is the one to report: what follows it is often only its consequence.
    #[cold]
    fn refuse(&mut self, fault: Fault) {
        self.effects.fault.get_or_insert_with(|| Box::new(fault));
    }
}
