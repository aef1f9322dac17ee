//! The cell in which an entity lives: the same for every runner, and free of actors, threads and clocks.
//!
//! A host keeps its entity's ticks to itself. A runner wakes it, with messages or without, and names a horizon;
//! the host then replays ticks and messages in their one order, up to the horizon. How often it is woken changes
//! how much it does at a time, not what it does: that is why lazy and eager runs have the same digest.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::config::{Rules, TickMode};
use crate::digest::RunningHash;
use crate::entity::{Entity, EntityId};
use crate::event::{Body, Event, Order, describe};
use crate::fault::{Absence, Fault, Who};
use crate::outbox::{Effects, External, Outbox};
use crate::pulse::Pulse;
use crate::ticks::Ticks;
use crate::time::SimTime;

pub(crate) struct Host<E: Entity> {
    id: EntityId,
    entity: E,
    /// When `start` is due; `None` once it has run.
    birth: Option<Order>,
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
    current: Order,
    /// The text of the message in hand, kept only when promises are checked.
    text: String,
}

/// What an entity leaves in the books.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) events: u64,
    pub(crate) messages: u64,
    pub(crate) last: SimTime,
    hash: RunningHash,
}

impl Record {
    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }
}

/// What remains of an entity that has left.
pub(crate) struct Departed {
    pub(crate) id: EntityId,
    pub(crate) label: Option<String>,
    pub(crate) record: Record,
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
    /// Takes everything that concerns others: messages, births, and wakes for the clock.
    pub(crate) sink: &'a mut Vec<Event<E>>,
}

impl<E: Entity> Host<E> {
    pub(crate) fn new(id: EntityId, entity: E, birth: Order) -> Self {
        let record = Record {
            events: 0,
            messages: 0,
            last: SimTime::ZERO,
            hash: RunningHash::default(),
        };
        Host {
            id,
            entity,
            birth: Some(birth),
            sequence: 0,
            ticks: Ticks::default(),
            wake: None,
            standing: None,
            stopped: false,
            failed: false,
            record,
            doing: Doing::Starting,
            current: birth,
            text: String::new(),
        }
    }

    /// The host of an initial member: born at time zero, of itself.
    pub(crate) fn initial(id: EntityId, entity: E) -> Self {
        Host::new(
            id,
            entity,
            Order {
                time: SimTime::ZERO,
                class: 0,
                source: id,
                sequence: 0,
            },
        )
    }

    /// Replays everything before `horizon`: the pending ticks, and `inbox`, which must be sorted.
    ///
    /// After a fault nothing of the handler at fault has reached the sink.
    pub(crate) fn step(
        &mut self,
        inbox: impl Iterator<Item = Event<E>>,
        horizon: SimTime,
        stage: &mut Stage<'_, E>,
    ) -> Result<(), Box<Fault>> {
        if self.failed {
            return Ok(());
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
    /// others, or its promise would have had it woken; so what reaches the sink are wakes nobody needs.
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
    ) -> Result<(), Box<Fault>> {
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
                Body::Wake => self.wake = self.wake.filter(|&wake| wake > event.order.time),
                Body::Birth(_) => unreachable!("runners turn a birth into a host before they step it"),
            }
        }
        self.replay_ticks(Order::edge(horizon), stage, mark)?;
        self.register_wake(stage);
        Ok(())
    }

    fn start_if_due(
        &mut self,
        horizon: SimTime,
        stage: &mut Stage<'_, E>,
        mark: &mut usize,
    ) -> Result<(), Box<Fault>> {
        let Some(order) = self.birth.take_if(|birth| birth.time < horizon) else {
            return Ok(());
        };
        *mark = stage.sink.len();
        self.doing = Doing::Starting;
        self.open(order, 1 << 63, stage);
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
        while let Some(id) = self.ticks.first() {
            let order = Order {
                time: id.time,
                class: id.class,
                source: self.id,
                sequence: id.sequence,
            };
            if order >= limit {
                break;
            }
            if let Some((_, message)) = self.ticks.pop() {
                self.handle(order, message, stage, mark)?;
            }
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
            self.text = describe(&message, &order);
        }
        self.open(order, 0, stage);
        message.hash(&mut self.record.hash);
        let mut outbox = outbox(self.id, order.time, &mut self.sequence, &mut self.ticks, stage);
        self.entity.handle(order.time, order.source, message, &mut outbox);
        let effects = outbox.effects;
        self.close(effects, stage)
    }

    /// Enters an event in the books.
    #[inline]
    fn open(&mut self, order: Order, kind: u64, stage: &Stage<'_, E>) {
        stage.pulse.at(order.time);
        self.current = order;
        let record = &mut self.record;
        record.events += 1;
        record.last = order.time;
        record.hash.write_u64(order.time.as_nanos());
        record
            .hash
            .write_u64(kind | u64::from(order.class) << 32 | u64::from(order.source.0));
        record.hash.write_u64(order.sequence);
    }

    /// Judges and applies what a handler did beyond sending.
    #[inline]
    fn close(&mut self, effects: Effects, stage: &Stage<'_, E>) -> Result<(), Box<Fault>> {
        if let Some(fault) = effects.fault {
            return Err(fault);
        }
        if let (Some(deed), Some(bound)) = (effects.external, self.standing)
            && self.current.time < bound
        {
            return Err(self.broken_promise(bound, deed));
        }
        self.record.messages += effects.messages;
        if effects.stop {
            self.stopped = true;
            self.ticks.clear();
        } else if stage.rules.check_promises {
            self.standing = Some(self.promise().unwrap_or(SimTime::MAX));
        }
        Ok(())
    }

    /// Asks the clock for a wake at the next time this entity matters to others.
    #[inline]
    fn register_wake(&mut self, stage: &mut Stage<'_, E>) {
        let Some(next_tick) = self.ticks.first().map(|tick| tick.time) else {
            // Without ticks nothing happens in silence, whatever the entity promises.
            return;
        };
        let wanted = match stage.rules.ticks {
            TickMode::Eager => Some(next_tick),
            TickMode::Lazy => {
                let bound = self.promise();
                self.standing = Some(bound.unwrap_or(SimTime::MAX));
                // It acts only in handlers, so never before its next tick: this also ensures progress.
                bound.map(|bound| bound.max(next_tick))
            }
        };
        if let Some(wanted) = wanted
            && self.wake.is_none_or(|wake| wanted < wake)
        {
            self.wake = Some(wanted);
            stage.sink.push(Event::wake(self.id, wanted));
        }
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

    /// Lets a stopped entity go. Dropping it runs the model's code once more, which may panic too.
    pub(crate) fn depart(self) -> Result<Departed, Box<Fault>> {
        let label = self.label();
        let Host {
            id, entity, record, ..
        } = self;
        match catch_unwind(AssertUnwindSafe(|| drop(entity))) {
            Ok(()) => Ok(Departed { id, label, record }),
            Err(panic) => Err(Box::new(Fault::HandlerPanicked {
                entity: Who { id, label },
                at: record.last,
                event: String::from("its own destructor"),
                panic: panic_text(panic.as_ref()),
            })),
        }
    }

    pub(crate) fn into_entity(self) -> E {
        self.entity
    }

    /// The entity's label, even if its last handler left it in a state in which `label` panics.
    pub(crate) fn label(&self) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.entity.label())).ok()
    }

    #[cold]
    fn refuse(&self, order: &Order, message: &E::Message) -> Box<Fault> {
        Box::new(Fault::UnknownEntity {
            sender: Who::new(order.source),
            target: Who::new(self.id),
            at: order.time,
            absence: Absence::Stopped,
            event: describe(message, order),
        })
    }

    #[cold]
    fn broken_promise(&self, bound: SimTime, deed: External) -> Box<Fault> {
        let deed = match deed {
            External::Sent(target) => format!("sent to {target}"),
            External::Spawned(id) => format!("spawned {id}"),
            External::Stopped => String::from("stopped"),
        };
        Box::new(Fault::BrokenPromise {
            entity: Who::new(self.id),
            promised: (bound < SimTime::MAX).then_some(bound),
            sent_at: self.current.time,
            deed,
        })
    }

    #[cold]
    fn panicked(&self, panic: &(dyn Any + Send)) -> Box<Fault> {
        let event = match self.doing {
            Doing::Starting => String::from("its start"),
            Doing::Promising => String::from("the question for its promise"),
            Doing::Handling if !self.text.is_empty() => self.text.clone(),
            Doing::Handling => {
                let Order {
                    class,
                    source,
                    sequence,
                    ..
                } = self.current;
                let kind = if source == self.id {
                    "its own tick"
                } else {
                    "a message"
                };
                format!("{kind} (class {class}, {source}, its item {sequence})")
            }
        };
        Box::new(Fault::HandlerPanicked {
            entity: Who::new(self.id),
            at: self.current.time,
            event,
            panic: panic_text(panic),
        })
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| String::from("a panic without text"))
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
    Outbox {
        me,
        now,
        rules: stage.rules,
        sequence,
        ticks,
        sink: stage.sink,
        effects: Effects::default(),
    }
}
