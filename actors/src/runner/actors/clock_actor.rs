//! The clock as an actor.

use std::rc::Rc;

use actix::{Actor, AsyncContext, Context, Handler, Message, System};

use super::local::Local;
use crate::entity::Entity;

/// Has the clock of its arbiter move: at the beginning, and whenever it is told that all is [`Quiet`].
///
/// Most windows are closed without it, by the last entity that acknowledges its step, see
/// [`Local::acknowledge`]: a message to the clock would be the second of two wherever a window holds one step.
pub(super) struct ClockActor<E: Entity> {
    local: Rc<Local<E>>,
}

/// Everything sent in this window has been handled.
pub(super) struct Quiet;

impl Message for Quiet {
    type Result = ();
}

impl<E: Entity> ClockActor<E> {
    pub(super) fn new(local: Rc<Local<E>>) -> Self {
        ClockActor { local }
    }
}

/// Actix asks for it, and nothing inside is ever pinned.
impl<E: Entity> Unpin for ClockActor<E> {}

impl<E: Entity> Actor for ClockActor<E> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        self.local.introduce(context.address());
        self.local.move_on();
    }
}

impl<E: Entity> Handler<Quiet> for ClockActor<E> {
    type Result = ();

    fn handle(&mut self, Quiet: Quiet, _: &mut Context<Self>) {
        self.local.move_on();
    }
}

impl<E: Entity> Drop for ClockActor<E> {
    /// A clock that dies without a report, by a panic in a destructor of the model, must not leave its thread
    /// waiting for ever: the missing report then becomes [`Fault::ArbiterLost`](crate::Fault::ArbiterLost).
    fn drop(&mut self) {
        if let Some(system) = System::try_current() {
            system.stop();
        }
    }
}
