//! A timing wheel: events by window, at a cost that does not depend on how many entities there are.
//!
//! One slot per window for the windows just ahead; what lies further waits in a heap until it comes near. With a
//! lookahead of a few nanoseconds nearly everything lies further: then the wheel is a heap, slower but correct.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::entity::{Entity, EntityId};
use crate::event::Event;
use crate::time::{SimDuration, SimTime};

/// Windows with a slot of their own: about a second ahead for a lookahead of one millisecond.
const SLOTS: u64 = 1024;
const WORDS: usize = SLOTS as usize / 64;

pub(super) struct Wheel<E: Entity> {
    width: u64,
    /// The window opened last; nothing earlier can come in any more.
    current: u64,
    slots: Vec<Slot<E>>,
    /// One bit per slot that holds something.
    occupied: [u64; WORDS],
    later: BinaryHeap<Later<E>>,
    later_wakes: BinaryHeap<Reverse<(u64, EntityId)>>,
}

/// What is due in one window.
pub(super) struct Slot<E: Entity> {
    pub(super) events: Vec<Event<E>>,
    /// Who is to be woken for its own ticks; the when is its own business.
    pub(super) wakes: Vec<EntityId>,
}

impl<E: Entity> Default for Slot<E> {
    fn default() -> Self {
        Slot { events: Vec::new(), wakes: Vec::new() }
    }
}

impl<E: Entity> Wheel<E> {
    pub(super) fn new(lookahead: SimDuration) -> Self {
        Wheel {
            width: lookahead.as_nanos(),
            current: 0,
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            occupied: [0; WORDS],
            later: BinaryHeap::new(),
            later_wakes: BinaryHeap::new(),
        }
    }

    #[inline]
    pub(super) fn window(&self, time: SimTime) -> u64 {
        time.as_nanos() / self.width
    }

    #[inline]
    pub(super) fn push(&mut self, event: Event<E>) {
        match self.slot(self.window(event.time())) {
            Some(slot) => slot.events.push(event),
            None => self.later.push(Later(event)),
        }
    }

    #[inline]
    pub(super) fn push_wake(&mut self, entity: EntityId, time: SimTime) {
        let window = self.window(time);
        match self.slot(window) {
            Some(slot) => slot.wakes.push(entity),
            None => self.later_wakes.push(Reverse((window, entity))),
        }
    }

    /// The slot of a window that is near, about to be filled.
    #[inline]
    fn slot(&mut self, window: u64) -> Option<&mut Slot<E>> {
        debug_assert!(window >= self.current, "window {window} is over, now is {}", self.current);
        if window - self.current >= SLOTS {
            return None;
        }
        let slot = (window % SLOTS) as usize;
        self.occupied[slot / 64] |= 1 << (slot % 64);
        Some(&mut self.slots[slot])
    }

    /// The next window that holds something.
    pub(super) fn next_window(&self) -> Option<u64> {
        // Opening a window moves everything that comes near into the slots: the heaps lie beyond them all.
        self.next_occupied().or_else(|| self.later_window().into_iter().chain(self.later_wake_window()).min())
    }

    fn later_window(&self) -> Option<u64> {
        self.later.peek().map(|Later(event)| self.window(event.time()))
    }

    fn later_wake_window(&self) -> Option<u64> {
        self.later_wakes.peek().map(|Reverse((window, _))| *window)
    }

    /// Advances to `window` and swaps what is due with the empty `due`.
    pub(super) fn open(&mut self, window: u64, due: &mut Slot<E>) {
        debug_assert!(due.events.is_empty() && due.wakes.is_empty() && window >= self.current);
        self.current = window;
        let near = |later: Option<u64>| later.is_some_and(|later| later - window < SLOTS);
        while near(self.later_window())
            && let Some(Later(event)) = self.later.pop()
        {
            self.push(event);
        }
        while near(self.later_wake_window())
            && let Some(Reverse((window, entity))) = self.later_wakes.pop()
            && let Some(slot) = self.slot(window)
        {
            slot.wakes.push(entity);
        }
        let slot = (window % SLOTS) as usize;
        std::mem::swap(due, &mut self.slots[slot]);
        self.occupied[slot / 64] &= !(1 << (slot % 64));
    }

    /// Takes all events, in no particular order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Event<E>> {
        let near = self.slots.iter_mut().flat_map(|slot| std::mem::take(&mut slot.events));
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

    use super::{Slot, Wheel};
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

    /// Opens window after window, adding events and wakes ahead, and compares with sorted sets.
    fn compare_with_a_sorted_set(lookahead: u64, reach: u64) {
        let mut wheel = Wheel::<Nobody>::new(SimDuration::from_nanos(lookahead));
        let (mut events, mut wakes, mut due) = (BTreeSet::new(), BTreeSet::new(), Slot::default());
        let mut random = CounterRng::new(lookahead, EntityId(0), reach);
        let mut now = 0;
        for id in 0..5_000 {
            for _ in 0..random.below(3) {
                let time = now + lookahead + random.below(reach);
                if random.below(2) == 0 {
                    wakes.insert((time / lookahead, id));
                    wheel.push_wake(EntityId(id), SimTime::from_nanos(time));
                } else if events.insert((time / lookahead, id)) {
                    wheel.push(Event::wake(EntityId(id), SimTime::from_nanos(time)));
                }
            }
            let expected = events.first().into_iter().chain(wakes.first()).map(|(window, _)| *window).min();
            assert_eq!(wheel.next_window(), expected);
            let Some(window) = expected else { continue };
            wheel.open(window, &mut due);
            let found: BTreeSet<_> = due.events.drain(..).map(|event| (window, event.target.0)).collect();
            assert_eq!(found, take_until(&mut events, window));
            let woken: BTreeSet<_> = due.wakes.drain(..).map(|entity| (window, entity.0)).collect();
            assert_eq!(woken, take_until(&mut wakes, window));
            now = window * lookahead;
        }
        assert_eq!(wheel.drain().count(), events.len());
    }

    fn take_until(oracle: &mut BTreeSet<(u64, u32)>, window: u64) -> BTreeSet<(u64, u32)> {
        let rest = oracle.split_off(&(window + 1, 0));
        std::mem::replace(oracle, rest)
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
