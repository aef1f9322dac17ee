//! What an entity leaves in the books.

use std::hash::Hasher;

use crate::digest::RunningHash;
use crate::entity::{EntityId, Message};
use crate::event::Order;

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) events: u64,
    pub(crate) messages: u64,
    /// The event handled last, or in hand.
    pub(crate) last: Order,
    hash: RunningHash,
}

/// What remains of an entity that has left.
pub(crate) struct Departed {
    pub(crate) id: EntityId,
    pub(crate) label: Option<String>,
    pub(crate) record: Record,
}

/// Tells a start from a message in the digest; above all classes and sources.
const START: u64 = 1 << 63;

impl Record {
    pub(super) fn new(birth: Order) -> Self {
        Record { events: 0, messages: 0, last: birth, hash: RunningHash::default() }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    /// Enters a message or tick.
    #[inline]
    pub(super) fn open<M: Message>(&mut self, order: Order, message: &M) {
        self.enter(order, 0);
        message.hash(&mut self.hash);
    }

    /// Enters the start.
    pub(super) fn open_start(&mut self, order: Order) {
        self.enter(order, START);
    }

    #[inline]
    fn enter(&mut self, order: Order, kind: u64) {
        self.events += 1;
        self.last = order;
        self.hash.write_u64(order.time.as_nanos());
        self.hash.write_u64(kind | u64::from(order.class) << 32 | u64::from(order.source.0));
        self.hash.write_u64(order.sequence);
    }
}
