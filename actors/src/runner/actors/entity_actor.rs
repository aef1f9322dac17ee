//! The actix actor in which one entity lives.

use std::rc::Rc;

use actix::{Actor, ActorContext, Context, Handler, Message, System};

use super::local::Local;
use super::tray::Share;
use crate::entity::Entity;
use crate::fault::Fault;
use crate::host::{Host, Stage};

/// One entity behind a mailbox.
///
/// The clock sends it at most one [`Step`] per window and waits for its acknowledgement, so at most one message
/// is ever in its mailbox: `do_send`, which ignores the mailbox's capacity, cannot pile up, and as the clock
/// holds the address until the entity has left, it cannot be dropped either.
pub(super) struct EntityActor<E: Entity> {
    /// `None` once the entity has left.
    host: Option<Host<E>>,
    local: Rc<Local<E>>,
}

/// Handle what is due in the open window: it lies on the arbiter's tray.
pub(super) struct Step(pub(super) Share);

impl Message for Step {
    type Result = ();
}

impl<E: Entity> EntityActor<E> {
    pub(super) fn new(host: Host<E>, local: Rc<Local<E>>) -> Self {
        EntityActor { host: Some(host), local }
    }

    fn step(&mut self, share: Share) -> Result<(), Box<Fault>> {
        let local = &*self.local;
        let Some(host) = &mut self.host else { return Ok(()) };
        let (mut inbox, mut sink) = (local.inbox.borrow_mut(), local.sink.borrow_mut());
        local.tray.borrow_mut().take(share, &mut inbox);
        let before = host.record().events;
        let mut stage = Stage { rules: &local.rules, pulse: &local.pulse, sink: &mut sink };
        let stepped = host.step(inbox.drain(..), local.horizon.get(), &mut stage);
        local.handled.set(local.handled.get() + host.record().events - before);
        let mut clock = local.clock.borrow_mut();
        // What was sent before a fault is on its way all the same.
        clock.post(&mut sink, local);
        if let Some(time) = stepped? {
            clock.wake(host.id(), time);
        }
        Ok(())
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

impl<E: Entity> Handler<Step> for EntityActor<E> {
    type Result = ();

    #[inline]
    fn handle(&mut self, Step(share): Step, context: &mut Context<Self>) {
        let mut done = self.step(share);
        if done.is_ok() && self.host.as_ref().is_some_and(Host::stopped) {
            done = self.leave(context);
        }
        if let Err(fault) = done {
            self.local.fail(*fault);
        }
        self.local.acknowledge();
    }
}

impl<E: Entity> Drop for EntityActor<E> {
    /// At the end of a run the host comes home.
    ///
    /// An actor that dies in its handler, by a panic in a destructor of the model, will not acknowledge: its
    /// thread must not wait for that, see the clock's `drop`.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.local.returned.borrow_mut().extend(self.host.take());
        } else if let Some(system) = System::try_current() {
            system.stop();
        }
    }
}
