//! Who waits, in the order in which they are admitted.
//!
//! Sequences whose KV cache has come from elsewhere are a queue of their own, before the others: they hold memory
//! that only decoding gives back, so whoever waits for memory waits for them.

use std::collections::VecDeque;

use super::settings::QueueOrder;
use crate::instance::resident::Key;

/// A sequence that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Waiter {
    pub key: Key,
    pub priority: i32,
    /// How many came before it.
    pub serial: u64,
    pub adapter: Option<u32>,
    /// Tokens to compute, the prefix cache left aside.
    pub tokens: u64,
}

/// Both queues.
#[derive(Debug)]
pub(super) struct Waiting {
    order: QueueOrder,
    pub arrived: VecDeque<Waiter>,
    pub queue: VecDeque<Waiter>,
    tokens: u64,
}

impl Waiting {
    pub fn new(order: QueueOrder) -> Self {
        Waiting { order, arrived: VecDeque::new(), queue: VecDeque::new(), tokens: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.queue.is_empty()
    }

    pub fn len(&self) -> usize {
        self.arrived.len() + self.queue.len()
    }

    /// Tokens of prompts, and of preempted sequences, that wait to be computed.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// A sequence comes, its cache here already; tells whether it is the first in its queue.
    pub fn arrive_with_cache(&mut self, waiter: Waiter) -> bool {
        let position = self.position(&self.arrived, &waiter);
        self.arrived.insert(position, waiter);
        position == 0
    }

    /// A sequence comes; tells whether it is the first in its queue.
    pub fn arrive(&mut self, waiter: Waiter) -> bool {
        self.tokens += waiter.tokens;
        let position = self.position(&self.queue, &waiter);
        self.queue.insert(position, waiter);
        position == 0
    }

    /// A preempted sequence comes back: to the front, or where its priority says.
    pub fn come_back(&mut self, waiter: Waiter) {
        self.tokens += waiter.tokens;
        let position = match self.order {
            QueueOrder::Fcfs => 0,
            QueueOrder::Priority => self.position(&self.queue, &waiter),
        };
        self.queue.insert(position, waiter);
    }

    pub fn take(&mut self, position: usize) {
        if let Some(waiter) = self.queue.remove(position) {
            self.tokens -= waiter.tokens;
        }
    }

    pub fn clear(&mut self) {
        self.arrived.clear();
        self.queue.clear();
        self.tokens = 0;
    }

    fn position(&self, queue: &VecDeque<Waiter>, waiter: &Waiter) -> usize {
        let rank = |waiter: &Waiter| (waiter.priority, waiter.serial);
        match self.order {
            QueueOrder::Fcfs => queue.len(),
            QueueOrder::Priority => queue.partition_point(|other| rank(other) < rank(waiter)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(serial: u64, priority: i32) -> Waiter {
        Waiter { key: serial as Key, priority, serial, adapter: None, tokens: 10 }
    }

    fn order(waiting: &Waiting) -> Vec<u64> {
        waiting.queue.iter().map(|waiter| waiter.serial).collect()
    }

    #[test]
    fn first_come_is_first_and_a_preempted_one_before_all() {
        let mut waiting = Waiting::new(QueueOrder::Fcfs);
        assert!(waiting.arrive(waiter(1, 0)));
        assert!(!waiting.arrive(waiter(2, -1)));
        waiting.come_back(waiter(0, 0));
        assert_eq!((order(&waiting), waiting.tokens()), (vec![0, 1, 2], 30));
    }

    #[test]
    fn with_priorities_the_lowest_number_is_first_and_equals_are_by_arrival() {
        let mut waiting = Waiting::new(QueueOrder::Priority);
        waiting.arrive(waiter(1, 5));
        waiting.arrive(waiter(2, 5));
        assert!(waiting.arrive(waiter(3, 1)));
        waiting.come_back(waiter(0, 5));
        assert_eq!(order(&waiting), [3, 0, 1, 2]);
        waiting.take(1);
        assert_eq!(waiting.tokens(), 30);
    }
}
