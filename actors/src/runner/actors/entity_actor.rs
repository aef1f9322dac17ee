//! The actix actor in which one entity lives.

use std::rc::Rc;

use actix::{Actor, ActorContext, Context, Handler, Message};

use super::grouping::Due;
use super::local::Local;
use crate::entity::Entity;
use crate::fault::Fault;
use crate::host::{Host, Stage};

/// One entity behind a mailbox.
///
/// The clock sends it at most one [`Step`] per window and waits for its acknowledgement, so at most one message
/// is ever in its mailbox: `do_send`, which ignores the mailbox's capacity, cannot pile up, and as the clock
/// holds the address until the entity has left, it cannot be dropped either.
pub(super) struct EntityActor<E: Entity> {
    /// `None` once the entity has left or was handed back.
    host: Option<Host<E>>,
    local: Rc<Local<E>>,
}

/// Handle what is due in the open window.
pub(super) struct Step<E: Entity>(pub(super) Due<E>);

/// Catch up with the horizon and hand the entity back.
pub(super) struct Finish;

impl<E: Entity> Message for Step<E> {
    type Result = ();
}

impl Message for Finish {
    type Result = ();
}

impl<E: Entity> EntityActor<E> {
    pub(super) fn new(host: Host<E>, local: Rc<Local<E>>) -> Self {
        EntityActor { host: Some(host), local }
    }

    fn step(&mut self, due: Due<E>) -> Result<(), Box<Fault>> {
        let local = &*self.local;
        let Some(host) = &mut self.host else { return Ok(()) };
        let before = host.record().events;
        let mut sink = local.sink.borrow_mut();
        let mut stage = Stage { rules: &local.rules, pulse: &local.pulse, sink: &mut sink };
        let horizon = local.horizon.get();
        let stepped = match due {
            Due::One(event) => host.step(std::iter::once(event), horizon, &mut stage),
            Due::Many(mut events) => {
                let stepped = host.step(events.drain(..), horizon, &mut stage);
                local.spare.borrow_mut().push(events);
                stepped
            }
        };
        local.handled.set(local.handled.get() + host.record().events - before);
        stepped
    }

    fn leave(&mut self, context: &mut Context<Self>) -> Result<(), Box<Fault>> {
        let Some(host) = self.host.take() else {
            return Ok(());
        };
        context.stop();
        self.local.left.borrow_mut().push(host.id());
        self.local.departed.borrow_mut().push(host.depart()?);
        Ok(())
    }
}

/// Actix asks for it, and nothing inside is ever pinned.
impl<E: Entity> Unpin for EntityActor<E> {}

impl<E: Entity> Actor for EntityActor<E> {
    type Context = Context<Self>;
}

impl<E: Entity> Handler<Step<E>> for EntityActor<E> {
    type Result = ();

    #[inline]
    fn handle(&mut self, Step(due): Step<E>, context: &mut Context<Self>) {
        let mut done = self.step(due);
        if done.is_ok() && self.host.as_ref().is_some_and(Host::stopped) {
            done = self.leave(context);
        }
        if let Err(fault) = done {
            self.local.fail(*fault);
        }
        self.local.acknowledge();
    }
}

impl<E: Entity> Handler<Finish> for EntityActor<E> {
    type Result = ();

    fn handle(&mut self, Finish: Finish, context: &mut Context<Self>) {
        if let Some(mut host) = self.host.take() {
            let local = &*self.local;
            let mut sink = Vec::new();
            let mut stage = Stage { rules: &local.rules, pulse: &local.pulse, sink: &mut sink };
            match host.catch_up(local.horizon.get(), &mut stage) {
                Ok(true) => {}
                Ok(false) => local.interrupted.set(true),
                Err(fault) => local.fail(*fault),
            }
            local.returned.borrow_mut().push(host);
        }
        context.stop();
        self.local.acknowledge();
    }
}
