//! A timing wheel: events by window, at a cost that does not depend on how many entities there are.
//!
//! One slot per window for the windows just ahead; what lies further waits in a heap until it comes near. With a
//! lookahead of a few nanoseconds nearly everything lies further: then the wheel is a heap, slower but correct.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::entity::Entity;
use crate::event::Event;
use crate::time::{SimDuration, SimTime};

/// Windows with a slot of their own: about a second ahead for a lookahead of one millisecond.
const SLOTS: u64 = 1024;
const WORDS: usize = SLOTS as usize / 64;

pub(super) struct Wheel<E: Entity> {
    width: u64,
    /// The window opened last; nothing earlier can come in any more.
    current: u64,
    slots: Vec<Vec<Event<E>>>,
    /// One bit per slot that holds something.
    occupied: [u64; WORDS],
    later: BinaryHeap<Later<E>>,
}

impl<E: Entity> Wheel<E> {
    pub(super) fn new(lookahead: SimDuration) -> Self {
        Wheel {
            width: lookahead.as_nanos(),
            current: 0,
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            occupied: [0; WORDS],
            later: BinaryHeap::new(),
        }
    }

    #[inline]
    pub(super) fn window(&self, time: SimTime) -> u64 {
        time.as_nanos() / self.width
    }

    #[inline]
    pub(super) fn push(&mut self, event: Event<E>) {
        let window = self.window(event.time());
        debug_assert!(window >= self.current, "window {window} is over, now is {}", self.current);
        if window - self.current < SLOTS {
            let slot = (window % SLOTS) as usize;
            self.slots[slot].push(event);
            self.occupied[slot / 64] |= 1 << (slot % 64);
        } else {
            self.later.push(Later(event));
        }
    }

    /// The next window that holds something.
    pub(super) fn next_window(&self) -> Option<u64> {
        // Opening a window moves everything that comes near into the slots: the heap lies beyond them all.
        let later = || self.later.peek().map(|Later(event)| self.window(event.time()));
        self.next_occupied().or_else(later)
    }

    /// Advances to `window` and swaps its events with the empty `buffer`.
    pub(super) fn open(&mut self, window: u64, buffer: &mut Vec<Event<E>>) {
        debug_assert!(buffer.is_empty() && window >= self.current);
        self.current = window;
        while let Some(Later(event)) = self.later.peek()
            && self.window(event.time()) - window < SLOTS
        {
            if let Some(Later(event)) = self.later.pop() {
                self.push(event);
            }
        }
        let slot = (window % SLOTS) as usize;
        std::mem::swap(buffer, &mut self.slots[slot]);
        self.occupied[slot / 64] &= !(1 << (slot % 64));
    }

    /// Empties the wheel, in no particular order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Event<E>> {
        let near = self.slots.iter_mut().flat_map(std::mem::take);
        near.chain(std::mem::take(&mut self.later).into_iter().map(|Later(event)| event))
    }

    /// Searches the bits once around, from the current slot.
    fn next_occupied(&self) -> Option<u64> {
        let base = (self.current % SLOTS) as usize;
        let (first, below_base) = (base / 64, !(!0_u64 << (base % 64)));
        // The first word is looked at twice: its upper bits come first, its lower bits last.
        (0..=WORDS).find_map(|step| {
            let place = (first + step) % WORDS;
            let mask = match step {
                0 => !below_base,
                WORDS => below_base,
                _ => !0,
            };
            let bits = self.occupied[place] & mask;
            let slot = (place * 64) as u64 + u64::from(bits.trailing_zeros());
            (bits != 0).then(|| self.current + (slot + SLOTS - base as u64) % SLOTS)
        })
    }
}

/// An event in a heap that pops the earliest; within a window the order does not matter here.
struct Later<E: Entity>(Event<E>);

impl<E: Entity> Ord for Later<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.time().cmp(&self.0.time())
    }
}

impl<E: Entity> PartialOrd for Later<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E: Entity> PartialEq for Later<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E: Entity> Eq for Later<E> {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Wheel;
    use crate::entity::{Entity, EntityId, Message};
    use crate::event::Event;
    use crate::outbox::Outbox;
    use crate::random::CounterRng;
    use crate::time::{SimDuration, SimTime};

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

    /// Opens window after window, adding events ahead, and compares with a sorted set.
    fn compare_with_a_sorted_set(lookahead: u64, reach: u64) {
        let mut wheel = Wheel::<Nobody>::new(SimDuration::from_nanos(lookahead));
        let (mut oracle, mut due) = (BTreeSet::new(), Vec::new());
        let mut random = CounterRng::new(lookahead, EntityId(0), reach);
        let mut now = 0;
        for id in 0..5_000 {
            for copy in 0..random.below(3) {
                let time = now + lookahead + random.below(reach);
                oracle.insert((time, id, copy));
                let mut event = Event::wake(EntityId(id), SimTime::from_nanos(time));
                event.order.sequence = copy;
                wheel.push(event);
            }
            let expected = oracle.first().map(|(time, _, _)| time / lookahead);
            assert_eq!(wheel.next_window(), expected);
            let Some(window) = expected else { continue };
            wheel.open(window, &mut due);
            let mut found: Vec<_> = due
                .drain(..)
                .map(|event| (event.time().as_nanos(), event.target.0, event.order.sequence))
                .collect();
            found.sort_unstable();
            let rest = oracle.split_off(&((window + 1) * lookahead, 0, 0));
            assert_eq!(found, oracle.into_iter().collect::<Vec<_>>());
            oracle = rest;
            now = window * lookahead;
        }
        assert_eq!(wheel.drain().count(), oracle.len());
    }

    #[test]
    fn near_events_come_out_window_by_window() {
        compare_with_a_sorted_set(1_000, 50_000);
    }

    #[test]
    fn far_events_wait_in_the_heap_and_come_out_in_time() {
        compare_with_a_sorted_set(1_000, 5_000_000);
    }

    #[test]
    fn a_lookahead_of_one_nanosecond_makes_every_nanosecond_a_window() {
        compare_with_a_sorted_set(1, 1_000_000);
    }
}
