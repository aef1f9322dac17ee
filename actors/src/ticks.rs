//! The ticks an entity has set for itself and not yet handled.

use std::collections::BTreeMap;

use crate::entity::EntityId;
use crate::event::Order;
use crate::time::SimTime;

/// Names one pending tick, to cancel it. Meaningless to any entity but the one that set it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TickId {
    pub(crate) time: SimTime,
    pub(crate) class: u8,
    pub(crate) sequence: u64,
}

impl TickId {
    /// The place of this tick among all events of `owner`.
    #[inline]
    pub(crate) fn order(self, owner: EntityId) -> Order {
        Order { time: self.time, class: self.class, source: owner, sequence: self.sequence }
    }
}

/// How many of the earliest ticks are kept in the sorted array.
const NEAR: usize = 16;

/// Pending ticks in order.
///
/// Most entities have one: it has a place of its own, without an allocation. A few more sit in a small sorted
/// array. An entity that sets thousands, say one time-out per customer, spills the later ones into a tree, so that
/// neither setting nor cancelling takes time proportional to their number.
pub(crate) struct Ticks<M> {
    /// The earliest; empty only if there are no others.
    next: Option<(TickId, M)>,
    /// Latest first, so that the earliest is taken from the end; empty only if `far` is.
    near: Vec<(TickId, M)>,
    /// All later than the latest of `near`.
    far: BTreeMap<TickId, M>,
}

impl<M> Default for Ticks<M> {
    fn default() -> Self {
        Ticks { next: None, near: Vec::new(), far: BTreeMap::new() }
    }
}

impl<M> Ticks<M> {
    #[inline]
    pub(crate) fn first(&self) -> Option<TickId> {
        self.next.as_ref().map(|(id, _)| *id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    #[inline]
    pub(crate) fn insert(&mut self, id: TickId, message: M) {
        match &self.next {
            None => self.next = Some((id, message)),
            Some((first, _)) if id > *first => self.insert_later(id, message),
            Some(_) => {
                if let Some((second, message)) = self.next.replace((id, message)) {
                    self.insert_later(second, message);
                }
            }
        }
    }

    /// Takes the earliest tick if it comes `before` something else.
    #[inline]
    pub(crate) fn pop_if(&mut self, before: impl FnOnce(TickId) -> bool) -> Option<(TickId, M)> {
        let first = self.next.take_if(|(id, _)| before(*id));
        if first.is_some() {
            self.advance();
        }
        first
    }

    /// Forgets a tick; false if it was handled or cancelled before.
    pub(crate) fn cancel(&mut self, id: TickId) -> bool {
        if self.first() == Some(id) {
            self.next = None;
            self.advance();
            return true;
        }
        match self.near.binary_search_by(|(other, _)| id.cmp(other)) {
            Ok(place) => {
                self.near.remove(place);
                self.refill();
                true
            }
            Err(_) => self.far.remove(&id).is_some(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.next = None;
        self.near.clear();
        self.far.clear();
    }

    fn insert_later(&mut self, id: TickId, message: M) {
        let beyond_near = self.near.first().is_some_and(|(latest, _)| id > *latest);
        if beyond_near && (!self.far.is_empty() || self.near.len() >= NEAR) {
            self.far.insert(id, message);
            return;
        }
        let place = self.near.partition_point(|(other, _)| *other > id);
        self.near.insert(place, (id, message));
        if self.near.len() > NEAR {
            let (id, message) = self.near.remove(0);
            self.far.insert(id, message);
        }
    }

    /// Fills the place of the earliest.
    #[inline]
    fn advance(&mut self) {
        if let Some(tick) = self.near.pop() {
            self.next = Some(tick);
            self.refill();
        }
    }

    #[inline]
    fn refill(&mut self) {
        if !self.near.is_empty() || self.far.is_empty() {
            return;
        }
        while self.near.len() < NEAR / 2
            && let Some(tick) = self.far.pop_first()
        {
            self.near.push(tick);
        }
        self.near.reverse();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{TickId, Ticks};
    use crate::entity::EntityId;
    use crate::random::CounterRng;
    use crate::time::SimTime;

    #[test]
    fn ticks_behave_like_a_sorted_set_whatever_their_number() {
        let mut random = CounterRng::new(11, EntityId(0), 0);
        for most in [1, 3, 20, 500] {
            let (mut ticks, mut oracle) = (Ticks::default(), BTreeSet::new());
            for sequence in 1..4_000 {
                let id = TickId { time: SimTime::from_nanos(random.below(97)), class: 0, sequence };
                match random.below(4) {
                    0 => assert_eq!(ticks.pop_if(|_| true).map(|(id, ())| id), oracle.pop_first()),
                    1 if !oracle.is_empty() => {
                        let victim = *oracle.iter().nth(random.below(oracle.len() as u64) as usize).unwrap();
                        assert!(ticks.cancel(victim) && oracle.remove(&victim));
                        assert!(!ticks.cancel(victim));
                    }
                    _ if oracle.len() < most => {
                        ticks.insert(id, ());
                        oracle.insert(id);
                    }
                    _ => {}
                }
                assert_eq!(ticks.first(), oracle.first().copied());
                assert_eq!(ticks.is_empty(), oracle.is_empty());
            }
        }
    }
}
