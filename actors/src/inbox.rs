//! What is due for one entity at one moment, before its host sees it.

use crate::entity::Entity;
use crate::event::{Body, Event, describe};
use crate::fault::{Absence, Fault, Who};
use crate::host::Host;

/// Takes the birth, if there is one: the host it calls for must exist before anything can be handled.
/// A wake takes its place, for the newborn is due for its start.
pub(crate) fn take_birth<E: Entity>(inbox: &mut [Event<E>]) -> Option<Host<E>> {
    inbox.iter_mut().find(|event| event.is_birth())?.take().into_newborn()
}

/// Judges what is due for an entity that has left: a late wake is nobody's fault, a message is.
pub(crate) fn nobody_home<E: Entity>(inbox: impl Iterator<Item = Event<E>>) -> Result<(), Box<Fault>> {
    for event in inbox {
        match &event.body {
            Body::Message(message) => return Err(stopped(&event, message)),
            Body::Wake | Body::Birth(_) => {}
        }
    }
    Ok(())
}

#[cold]
fn stopped<E: Entity>(event: &Event<E>, message: &E::Message) -> Box<Fault> {
    Box::new(Fault::UnknownEntity {
        sender: Who::new(event.order.source),
        target: Who::new(event.target),
        at: event.order.time,
        absence: Absence::Stopped,
        event: describe(message, &event.order),
    })
}
