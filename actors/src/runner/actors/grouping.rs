//! Sorts the events of one window by whom they are for, in time proportional to their number.
//!
//! Events of one entity are chained through indices; only within a chain is anything compared.

use crate::entity::{Entity, EntityId};
use crate::event::Event;
use crate::fault::Fault;
use crate::host::Host;
use crate::inbox::{nobody_home, take_birth};

const NONE: u32 = u32::MAX;

#[derive(Default)]
pub(super) struct Grouping {
    /// By entity: the last of its events, while its chain exists.
    heads: Vec<u32>,
    /// By event: the event before it in its chain.
    previous: Vec<u32>,
    touched: Vec<EntityId>,
}

impl Grouping {
    /// Chains the events of one window.
    pub(super) fn chain<E: Entity>(&mut self, due: &[Event<E>]) {
        self.touched.clear();
        self.previous.clear();
        for (place, event) in due.iter().enumerate() {
            let target = event.target.index();
            if target >= self.heads.len() {
                self.heads.resize(target + 1, NONE);
            }
            let head = &mut self.heads[target];
            if *head == NONE {
                self.touched.push(event.target);
            }
            self.previous.push(*head);
            // At least 40 bytes an event: memory ends long before 32 bits do.
            *head = place as u32;
        }
    }

    /// How many entities have something due.
    pub(super) fn len(&self) -> usize {
        self.touched.len()
    }

    /// Dissolves the chain of the `nth` entity: its only event, or all of them, sorted, in `many`.
    pub(super) fn collect<E: Entity>(
        &mut self,
        nth: usize,
        due: &mut [Event<E>],
        many: impl FnOnce() -> Vec<Event<E>>,
    ) -> Due<E> {
        let target = self.touched[nth];
        let head = std::mem::replace(&mut self.heads[target.index()], NONE);
        let mut place = self.previous[head as usize];
        let last = due[head as usize].take();
        if place == NONE {
            return Due::One(last);
        }
        let mut many = many();
        many.push(last);
        while place != NONE {
            many.push(due[place as usize].take());
            place = self.previous[place as usize];
        }
        many.sort_unstable_by_key(|event| event.order);
        Due::Many(many)
    }

    pub(super) fn target(&self, nth: usize) -> EntityId {
        self.touched[nth]
    }
}

/// What is due for one entity in one window. Most have one event: it travels without an allocation.
pub(super) enum Due<E: Entity> {
    One(Event<E>),
    Many(Vec<Event<E>>),
}

impl<E: Entity> Due<E> {
    pub(super) fn take_birth(&mut self) -> Option<Host<E>> {
        match self {
            Due::One(event) => take_birth(std::slice::from_mut(event)),
            Due::Many(events) => take_birth(events),
        }
    }

    /// Judges what is due for an entity that has left.
    pub(super) fn refuse(self) -> Result<(), Box<Fault>> {
        match self {
            Due::One(event) => nobody_home(std::iter::once(event)),
            Due::Many(events) => nobody_home(events.into_iter()),
        }
    }
}
