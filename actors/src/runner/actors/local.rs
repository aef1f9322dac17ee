//! What the actors of one arbiter share: plain cells, for they all run on one thread.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use actix::Addr;

use super::clock::{ClockActor, Quiet};
use crate::config::Rules;
use crate::entity::{Entity, EntityId};
use crate::event::Event;
use crate::fault::Fault;
use crate::host::{Departed, Host};
use crate::pulse::Pulse;
use crate::time::SimTime;

pub(super) struct Local<E: Entity> {
    pub(super) rules: Rules,
    pub(super) pulse: Arc<Pulse>,
    pub(super) clock: OnceCell<Addr<ClockActor<E>>>,
    /// The end of the open window.
    pub(super) horizon: Cell<SimTime>,
    /// How many actors have not yet finished the open window. A plain number: the mailboxes already order.
    pending: Cell<usize>,
    /// What the handlers of this window have sent.
    pub(super) sink: RefCell<Vec<Event<E>>>,
    /// Emptied buffers of many-event steps, to be used again.
    pub(super) spare: RefCell<Vec<Vec<Event<E>>>>,
    pub(super) faults: RefCell<Vec<Fault>>,
    /// Who left in this window; the clock lets go of their addresses.
    pub(super) left: RefCell<Vec<EntityId>>,
    pub(super) departed: RefCell<Vec<Departed>>,
    /// Hosts handed back at the end.
    pub(super) returned: RefCell<Vec<Host<E>>>,
    /// The catch-up at the end was cut short.
    pub(super) interrupted: Cell<bool>,
    /// Events handled since the last report of progress.
    pub(super) handled: Cell<u64>,
}

impl<E: Entity> Local<E> {
    pub(super) fn new(rules: Rules, pulse: Arc<Pulse>) -> Self {
        Local {
            rules,
            pulse,
            clock: OnceCell::new(),
            horizon: Cell::new(SimTime::ZERO),
            pending: Cell::new(0),
            sink: RefCell::default(),
            spare: RefCell::default(),
            faults: RefCell::default(),
            left: RefCell::default(),
            departed: RefCell::default(),
            returned: RefCell::default(),
            interrupted: Cell::new(false),
            handled: Cell::new(0),
        }
    }

    /// The clock has sent `steps` steps and will sleep until all are acknowledged.
    pub(super) fn expect(&self, steps: usize) {
        self.pending.set(steps);
    }

    /// An actor has finished its step; the last one wakes the clock.
    pub(super) fn acknowledge(&self) {
        let pending = self.pending.get() - 1;
        self.pending.set(pending);
        if pending == 0
            && let Some(clock) = self.clock.get()
        {
            clock.do_send(Quiet);
        }
    }

    pub(super) fn fail(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// An emptied buffer, or a new one.
    pub(super) fn spare(&self) -> Vec<Event<E>> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }
}
