//! What is due in the open window, sorted by whom it is for, in time proportional to its amount.
//!
//! The clock lays it out and sends every entity concerned the place of its share; the entity takes it from there.
//! So an event lies still from the wheel to its handler, and the messages in the mailboxes are small. Events of
//! one entity are chained through indices; only within a chain is anything compared.

use crate::entity::{Entity, EntityId};
use crate::event::Event;
use crate::fault::Fault;
use crate::host::Host;
use crate::inbox::nobody_home;

use super::wheel::Slot;

/// No chain.
const NONE: u32 = u32::MAX;
/// A chain of no events: the entity is only to be woken.
const EMPTY: u32 = u32::MAX - 1;

/// Where on the tray the share of one entity begins.
#[derive(Clone, Copy)]
pub(super) struct Share(u32);

pub(super) struct Tray<E: Entity> {
    /// Swapped with the wheel's; empty between windows, kept for its memory.
    pub(super) due: Slot<E>,
    /// By entity: the last of its events, while the tray is laid out.
    heads: Vec<u32>,
    /// By event: the event before it in its chain.
    previous: Vec<u32>,
    concerned: Vec<EntityId>,
}

impl<E: Entity> Default for Tray<E> {
    fn default() -> Self {
        Tray { due: Slot::default(), heads: Vec::new(), previous: Vec::new(), concerned: Vec::new() }
    }
}

impl<E: Entity> Tray<E> {
    /// Chains what is due.
    pub(super) fn lay_out(&mut self) {
        self.concerned.clear();
        self.previous.clear();
        let Tray { due, heads, previous, concerned } = self;
        for (place, event) in due.events.iter().enumerate() {
            let head = head(heads, event.target);
            if *head == NONE {
                concerned.push(event.target);
            }
            previous.push(if *head == NONE { EMPTY } else { *head });
            // At least 32 bytes an event: memory ends long before 32 bits do.
            *head = place as u32;
        }
        for target in due.wakes.drain(..) {
            let head = head(heads, target);
            if *head == NONE {
                concerned.push(target);
                *head = EMPTY;
            }
        }
    }

    /// How many entities are concerned.
    pub(super) fn len(&self) -> usize {
        self.concerned.len()
    }

    /// The `nth` entity concerned, and where its share is.
    pub(super) fn share(&mut self, nth: usize) -> (EntityId, Share) {
        let target = self.concerned[nth];
        (target, Share(std::mem::replace(&mut self.heads[target.index()], NONE)))
    }

    /// Moves a share into the empty `inbox`, sorted.
    #[inline]
    pub(super) fn take(&mut self, Share(mut place): Share, inbox: &mut Vec<Event<E>>) {
        while place != EMPTY {
            inbox.push(self.due.events[place as usize].take());
            place = self.previous[place as usize];
        }
        if inbox.len() > 1 {
            inbox.sort_unstable_by_key(|event| event.order);
        }
    }

    /// The host of an entity that is not here yet, if its share holds its birth; otherwise it has left, and
    /// what still reaches it is judged.
    pub(super) fn newborn(&mut self, share: Share) -> Result<Option<Host<E>>, Box<Fault>> {
        let mut place = share.0;
        while place != EMPTY {
            let event = &mut self.due.events[place as usize];
            if event.is_birth() {
                return Ok(event.take().into_newborn());
            }
            place = self.previous[place as usize];
        }
        let mut late = Vec::new();
        self.take(share, &mut late);
        nobody_home(late.into_iter()).map(|()| None)
    }

    /// Forgets what nobody took.
    pub(super) fn clear(&mut self) {
        self.due.events.clear();
    }
}

fn head(heads: &mut Vec<u32>, target: EntityId) -> &mut u32 {
    if target.index() >= heads.len() {
        heads.resize(target.index() + 1, NONE);
    }
    &mut heads[target.index()]
}

#[cfg(test)]
mod tests {
    use super::Tray;
    use crate::entity::{Entity, EntityId, Message};
    use crate::event::Event;
    use crate::outbox::Outbox;
    use crate::time::SimTime;

    #[derive(Hash, Debug)]
    struct Nothing;
    impl Message for Nothing {}
    struct Nobody;
    impl Entity for Nobody {
        type Message = Nothing;
        fn label(&self) -> String {
            String::from("nobody")
        }
        fn handle(&mut self, _: SimTime, _: EntityId, _: Nothing, _: &mut Outbox<'_, Self>) {}
    }

    #[test]
    fn everybody_finds_a_share_of_its_own_in_order_and_whoever_is_only_woken_an_empty_one() {
        let mut tray = Tray::<Nobody>::default();
        for _ in 0..2 {
            for (target, time) in [(7, 30), (2, 5), (7, 10), (7, 20)] {
                tray.due.events.push(Event::wake(EntityId(target), SimTime::from_nanos(time)));
            }
            tray.due.wakes.extend([2, 9, 7, 9].map(EntityId));
            tray.lay_out();
            let mut shares = Vec::new();
            for nth in 0..tray.len() {
                let (id, share) = tray.share(nth);
                let mut inbox = Vec::new();
                tray.take(share, &mut inbox);
                let times: Vec<u64> = inbox.iter().map(|event| event.time().as_nanos()).collect();
                shares.push((id.0, times));
            }
            assert_eq!(shares, [(7, vec![10, 20, 30]), (2, vec![5]), (9, vec![])]);
            tray.clear();
        }
    }
}
