//! What the actors of one arbiter share: plain cells, for they all run on one thread.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use actix::Addr;

use super::clock::Clock;
use super::clock_actor::{ClockActor, Quiet};
use super::tray::Tray;
use crate::config::Rules;
use crate::entity::{Entity, EntityId};
use crate::event::Event;
use crate::fault::Fault;
use crate::harvest::Harvest;
use crate::host::{Departed, Host, Stage};
use crate::pulse::Pulse;
use crate::time::SimTime;

/// Windows that entities may close in a row. Then the clock gets a message, and so whatever else waits on the
/// arbiter gets its turn: an actor that writes to itself is served before all others.
const CLOSED_BY_ENTITIES: u32 = 100;

pub(super) struct Local<E: Entity> {
    pub(super) rules: Rules,
    pub(super) pulse: Arc<Pulse>,
    pub(super) clock: RefCell<Clock<E>>,
    clock_actor: OnceCell<Addr<ClockActor<E>>>,
    /// Windows since the clock's last message.
    closed: Cell<u32>,
    /// The end of the open window.
    pub(super) horizon: Cell<SimTime>,
    /// What is due in the open window.
    pub(super) tray: RefCell<Tray<E>>,
    /// How many actors have not yet finished the open window. A plain number: the mailboxes already order.
    pending: Cell<usize>,
    /// What the running step has to handle; empty between steps, kept for its memory.
    pub(super) inbox: RefCell<Vec<Event<E>>>,
    /// What the running step has sent; likewise.
    pub(super) sink: RefCell<Vec<Event<E>>>,
    pub(super) faults: RefCell<Vec<Fault>>,
    /// Who left in this window; the clock lets go of their addresses.
    pub(super) left: RefCell<Vec<EntityId>>,
    pub(super) departed: RefCell<Vec<Departed>>,
    /// The clock has ended the run.
    pub(super) over: Cell<bool>,
    /// Hosts handed back at the end.
    pub(super) returned: RefCell<Vec<Host<E>>>,
    /// Events handled since the last report of progress.
    pub(super) handled: Cell<u64>,
}

impl<E: Entity> Local<E> {
    pub(super) fn new(rules: Rules, pulse: Arc<Pulse>, clock: Clock<E>) -> Self {
        Local {
            rules,
            pulse,
            clock: RefCell::new(clock),
            clock_actor: OnceCell::new(),
            closed: Cell::new(0),
            horizon: Cell::new(SimTime::ZERO),
            tray: RefCell::default(),
            pending: Cell::new(0),
            inbox: RefCell::default(),
            sink: RefCell::default(),
            faults: RefCell::default(),
            left: RefCell::default(),
            departed: RefCell::default(),
            over: Cell::new(false),
            returned: RefCell::default(),
            handled: Cell::new(0),
        }
    }

    /// The address of the clock, of which there is one.
    pub(super) fn introduce(&self, clock: Addr<ClockActor<E>>) {
        let _ = self.clock_actor.set(clock);
    }

    /// The clock has sent `steps` steps; until all are acknowledged it must not move.
    pub(super) fn expect(&self, steps: usize) {
        self.pending.set(steps);
    }

    /// An actor has finished its step. The last one has the clock move, in person or by a message.
    ///
    /// The clock delivers by messages only: whatever it sets off runs after the caller has returned.
    pub(super) fn acknowledge(self: &Rc<Self>) {
        let pending = self.pending.get() - 1;
        self.pending.set(pending);
        if pending > 0 {
            return;
        }
        self.closed.set(self.closed.get() + 1);
        match self.clock_actor.get() {
            Some(clock) if self.closed.get() > CLOSED_BY_ENTITIES => {
                self.closed.set(0);
                clock.do_send(Quiet);
            }
            _ => self.move_on(),
        }
    }

    /// Has the clock close the window and open the next.
    pub(super) fn move_on(self: &Rc<Self>) {
        self.clock.borrow_mut().advance(self);
    }

    pub(super) fn fail(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// Once all actors are gone: what they leave behind; `None` if they have not come to an end.
    pub(super) fn into_harvest(self) -> Option<Harvest<E>> {
        if !self.over.get() {
            return None;
        }
        let mut hosts = self.returned.take();
        hosts.sort_unstable_by_key(Host::id);
        let interrupted = !hosts.iter_mut().all(|host| self.catch_up(host));
        self.rules.report(None, self.handled.take());
        let mut harvest = self.clock.into_inner().into_harvest();
        harvest.interrupted |= interrupted;
        harvest.hosts = hosts;
        harvest.departed = self.departed.into_inner();
        harvest.faults = self.faults.into_inner();
        Some(harvest)
    }

    /// Has a sleeping entity handle its ticks up to the last horizon; false if the run was interrupted.
    fn catch_up(&self, host: &mut Host<E>) -> bool {
        let mut sink = self.sink.borrow_mut();
        let mut stage = Stage { rules: &self.rules, pulse: &self.pulse, sink: &mut sink };
        host.catch_up(self.horizon.get(), &mut stage).unwrap_or_else(|fault| {
            self.fail(*fault);
            true
        })
    }
}
