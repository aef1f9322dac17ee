//! The cell in which an entity lives: the same for every runner, and free of actors, threads and clocks.
//!
//! A host keeps its entity's ticks to itself. A runner wakes it, with messages or without, and names a horizon;
//! the host then replays ticks and messages in their one order, up to the horizon. How often it is woken changes
//! how much it does at a time, not what it does: that is why lazy and eager runs have the same digest.

mod blame;
mod record;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::config::{Rules, TickMode};
use crate::entity::{Entity, EntityId};
use crate::event::{Body, Event, Order, describe};
use crate::fault::Fault;
use crate::outbox::{Effects, Outbox};
use crate::pulse::Pulse;
use crate::ticks::Ticks;
use crate::time::SimTime;
pub(crate) use record::{Departed, Record};

pub(crate) struct Host<E: Entity> {
    id: EntityId,
    entity: E,
    /// When `start` is due; `None` once it has run.
    birth: Option<Box<Order>>,
    sequence: u64,
    ticks: Ticks<E::Message>,
    /// The earliest wake on its way from the clock.
    wake: Option<SimTime>,
    /// The bound the entity gave last, [`SimTime::MAX`] for never; `None` once a message has made it void.
    standing: Option<SimTime>,
    stopped: bool,
    /// A handler went wrong: the entity must not be touched again, only handed back.
    failed: bool,
    record: Record,
    doing: Doing,
    /// The text of the message in hand, kept only when promises are checked. Boxed, like the birth, to keep
    /// the host small: memory is what most of an event's time goes to.
    text: Option<Box<str>>,
}

/// What the host was about, should the entity panic.
#[derive(Clone, Copy)]
enum Doing {
    Starting,
    Handling,
    Promising,
}

/// What a runner provides for one step.
pub(crate) struct Stage<'a, E: Entity> {
    pub(crate) rules: &'a Rules,
    pub(crate) pulse: &'a Pulse,
    /// Takes everything that concerns others: messages and births.
    pub(crate) sink: &'a mut Vec<Event<E>>,
}

impl<E: Entity> Host<E> {
    pub(crate) fn new(id: EntityId, entity: E, birth: Order) -> Self {
        Host {
            id,
            entity,
            birth: Some(Box::new(birth)),
            sequence: 0,
            ticks: Ticks::default(),
            wake: None,
            standing: None,
            stopped: false,
            failed: false,
            record: Record::new(birth),
            doing: Doing::Starting,
            text: None,
        }
    }

    /// The host of an initial member: born at time zero, of itself.
    pub(crate) fn initial(id: EntityId, entity: E) -> Self {
        Host::new(id, entity, Order { time: SimTime::ZERO, class: 0, source: id, sequence: 0 })
    }

    /// Replays everything before `horizon`: the pending ticks, and `inbox`, which must be sorted.
    ///
    /// Returns when it must be woken, unless a wake asked for earlier comes before that. After a fault nothing of
    /// the handler at fault has reached the sink.
    pub(crate) fn step(
        &mut self,
        inbox: impl Iterator<Item = Event<E>>,
        horizon: SimTime,
        stage: &mut Stage<'_, E>,
    ) -> Result<Option<SimTime>, Box<Fault>> {
        if self.failed {
            return Ok(None);
        }
        stage.pulse.enter(self.id);
        let mut mark = stage.sink.len();
        let replayed = catch_unwind(AssertUnwindSafe(|| self.replay(inbox, horizon, stage, &mut mark)));
        stage.pulse.leave();
        let replayed = replayed.unwrap_or_else(|panic| Err(self.panicked(panic.as_ref())));
        if replayed.is_err() {
            self.failed = true;
            stage.sink.truncate(mark);
        }
        replayed
    }

    /// Handles the ticks the entity has slept through, at the end of a run. It cannot have anything to say to
    /// others, or its promise would have had it woken; so nobody needs what reaches the sink.
    ///
    /// In slices, because an entity may tick for ever: false if the run was interrupted in between.
    pub(crate) fn catch_up(
        &mut self,
        horizon: SimTime,
        stage: &mut Stage<'_, E>,
    ) -> Result<bool, Box<Fault>> {
        let slice = stage.rules.lookahead * 1024;
        while !self.failed
            && let Some(tick) = self.ticks.first()
            && tick.time < horizon
        {
            if stage.rules.interrupted() {
                return Ok(false);
            }
            self.step(std::iter::empty(), horizon.min(tick.time + slice), stage)?;
            stage.sink.clear();
        }
        Ok(true)
    }

    fn replay(
        &mut self,
        inbox: impl Iterator<Item = Event<E>>,
        horizon: SimTime,
        stage: &mut Stage<'_, E>,
        mark: &mut usize,
    ) -> Result<Option<SimTime>, Box<Fault>> {
        self.start_if_due(horizon, stage, mark)?;
        for event in inbox {
            match event.body {
                Body::Message(message) => {
                    self.replay_ticks(event.order, stage, mark)?;
                    if self.stopped {
                        return Err(self.refuse(&event.order, &message));
                    }
                    // The world has spoken: what was promised for silence no longer binds.
                    self.standing = None;
                    self.handle(event.order, message, stage, mark)?;
                }
                Body::Wake => {}
                Body::Birth(_) => unreachable!("runners turn a birth into a host before they step it"),
            }
        }
        self.replay_ticks(Order::edge(horizon), stage, mark)?;
        self.wake = self.wake.filter(|&wake| wake >= horizon);
        Ok(self.next_wake(stage.rules))
    }

    fn start_if_due(
        &mut self,
        horizon: SimTime,
        stage: &mut Stage<'_, E>,
        mark: &mut usize,
    ) -> Result<(), Box<Fault>> {
        let Some(order) = self.birth.take_if(|birth| birth.time < horizon).map(|birth| *birth) else {
            return Ok(());
        };
        *mark = stage.sink.len();
        self.doing = Doing::Starting;
        stage.pulse.at(order.time);
        self.record.open_start(order);
        let mut outbox = outbox(self.id, order.time, &mut self.sequence, &mut self.ticks, stage);
        self.entity.start(order.time, &mut outbox);
        let effects = outbox.effects;
        self.close(effects, stage)
    }

    #[inline]
    fn replay_ticks(
        &mut self,
        limit: Order,
        stage: &mut Stage<'_, E>,
        mark: &mut usize,
    ) -> Result<(), Box<Fault>> {
        let me = self.id;
        while let Some((id, message)) = self.ticks.pop_if(|id| id.order(me) < limit) {
            self.handle(id.order(me), message, stage, mark)?;
        }
        Ok(())
    }

    #[inline]
    fn handle(
        &mut self,
        order: Order,
        message: E::Message,
        stage: &mut Stage<'_, E>,
        mark: &mut usize,
    ) -> Result<(), Box<Fault>> {
        *mark = stage.sink.len();
        self.doing = Doing::Handling;
        if stage.rules.check_promises {
            self.text = Some(describe(&message, &order).into_boxed_str());
        }
        stage.pulse.at(order.time);
        self.record.open(order, &message);
        let mut outbox = outbox(self.id, order.time, &mut self.sequence, &mut self.ticks, stage);
        self.entity.handle(order.time, order.source, message, &mut outbox);
        let effects = outbox.effects;
        self.close(effects, stage)
    }

    /// Judges and applies what a handler did beyond sending.
    #[inline]
    fn close(&mut self, effects: Effects, stage: &Stage<'_, E>) -> Result<(), Box<Fault>> {
        if let Some(fault) = effects.fault {
            return Err(fault);
        }
        if let (Some(deed), Some(bound)) = (effects.external, self.standing)
            && self.record.last.time < bound
        {
            return Err(self.broken_promise(bound, deed));
        }
        self.record.messages += effects.messages;
        if effects.stop {
            self.stop();
        } else if stage.rules.check_promises {
            self.renew_promise();
        }
        Ok(())
    }

    #[cold]
    fn stop(&mut self) {
        self.stopped = true;
        self.ticks.clear();
    }

    /// Between two wakes only tests ask for it.
    #[cold]
    fn renew_promise(&mut self) {
        self.standing = Some(self.promise().unwrap_or(SimTime::MAX));
    }

    /// The next time this entity matters to others, if it must be woken for that.
    #[inline]
    fn next_wake(&mut self, rules: &Rules) -> Option<SimTime> {
        // Without ticks nothing happens in silence, whatever the entity promises.
        let next_tick = self.ticks.first()?.time;
        let wanted = match rules.ticks {
            TickMode::Eager => next_tick,
            TickMode::Lazy => {
                let bound = self.promise();
                self.standing = Some(bound.unwrap_or(SimTime::MAX));
                // It acts only in handlers, so never before its next tick: this also ensures progress.
                bound?.max(next_tick)
            }
        };
        let needed = wanted < rules.until && self.wake.is_none_or(|wake| wanted < wake);
        needed.then(|| *self.wake.insert(wanted))
    }

    fn promise(&mut self) -> Option<SimTime> {
        self.doing = Doing::Promising;
        self.entity.promise(self.ticks.first().map(|tick| tick.time))
    }

    pub(crate) fn id(&self) -> EntityId {
        self.id
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    /// Whether own ticks, or even its start, lie beyond the last horizon.
    pub(crate) fn has_pending(&self) -> bool {
        self.birth.is_some() || !self.ticks.is_empty()
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    pub(crate) fn into_entity(self) -> E {
        self.entity
    }

    /// The entity's label, even if its last handler left it in a state in which `label` panics.
    pub(crate) fn label(&self) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.entity.label())).ok()
    }
}

/// A free function, so that the borrows of the host's fields stay apart from the entity's.
#[inline]
fn outbox<'a, E: Entity>(
    me: EntityId,
    now: SimTime,
    sequence: &'a mut u64,
    ticks: &'a mut Ticks<E::Message>,
    stage: &'a mut Stage<'_, E>,
) -> Outbox<'a, E> {
    Outbox { me, now, rules: stage.rules, sequence, ticks, sink: stage.sink, effects: Effects::default() }
}
