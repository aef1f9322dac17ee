//! What a host says when something goes wrong in it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Departed, Doing, Host};
use crate::entity::Entity;
use crate::event::{Order, describe};
use crate::fault::{Absence, Fault, Who};
use crate::outbox::External;
use crate::time::SimTime;

impl<E: Entity> Host<E> {
    /// Lets a stopped entity go. Dropping it runs the model's code once more, which may panic too.
    pub(crate) fn depart(self) -> Result<Departed, Box<Fault>> {
        let label = self.label();
        let Host { id, entity, record, .. } = self;
        match catch_unwind(AssertUnwindSafe(|| drop(entity))) {
            Ok(()) => Ok(Departed { id, label, record }),
            Err(panic) => Err(Box::new(Fault::HandlerPanicked {
                entity: Who { id, label },
                at: record.last.time,
                event: String::from("its own destructor"),
                panic: panic_text(panic.as_ref()),
            })),
        }
    }

    #[cold]
    pub(super) fn refuse(&self, order: &Order, message: &E::Message) -> Box<Fault> {
        Box::new(Fault::UnknownEntity {
            sender: Who::new(order.source),
            target: Who::new(self.id),
            at: order.time,
            absence: Absence::Stopped,
            event: describe(message, order),
        })
    }

    #[cold]
    pub(super) fn broken_promise(&self, bound: SimTime, deed: External) -> Box<Fault> {
        let deed = match deed {
            External::Sent(target) => format!("sent to {target}"),
            External::Spawned(id) => format!("spawned {id}"),
            External::Stopped => String::from("stopped"),
        };
        Box::new(Fault::BrokenPromise {
            entity: Who::new(self.id),
            promised: (bound < SimTime::MAX).then_some(bound),
            sent_at: self.record.last.time,
            deed,
        })
    }

    #[cold]
    pub(super) fn panicked(&self, panic: &(dyn Any + Send)) -> Box<Fault> {
        let event = match (self.doing, &self.text) {
            (Doing::Starting, _) => String::from("its start"),
            (Doing::Promising, _) => String::from("the question for its promise"),
            (Doing::Handling, Some(text)) => text.to_string(),
            (Doing::Handling, None) => {
                let Order { class, source, sequence, .. } = self.record.last;
                let kind = if source == self.id { "its own tick" } else { "a message" };
                format!("{kind} (class {class}, {source}, its item {sequence})")
            }
        };
        Box::new(Fault::HandlerPanicked {
            entity: Who::new(self.id),
            at: self.record.last.time,
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
