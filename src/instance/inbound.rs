//! KV caches on their way to an instance.
//!
//! Each request has a private link, so transfers do not slow each other. A cache needs its room here
//! before it starts to move; while there is none the instance looks again every second.

use std::collections::BTreeMap;

use ebbflow_actors::{SimDuration, TickId};

use crate::ids::RequestId;
use crate::message::CacheOrigin;
use crate::request::Request;

/// Between two looks for room.
pub(super) const RETRY_INTERVAL: SimDuration = SimDuration::from_secs(1);

/// Looks without room and without anything running here after which a cache is computed anew instead:
/// nothing that could free memory is going on, so two instances may be waiting for each other.
pub(super) const IDLE_RETRIES_BEFORE_RECOMPUTE: u32 = 2;

/// A cache that is to come, or coming.
#[derive(Debug)]
pub(super) struct Offer {
    pub request: Box<Request>,
    pub transfer: SimDuration,
    pub origin: CacheOrigin,
    /// What happens to it next.
    pub tick: TickId,
    /// Bytes reserved here once it moves.
    pub reserved_bytes: Option<u64>,
    pub idle_retries: u32,
}

/// All caches that are to come, by request.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    offers: BTreeMap<RequestId, Offer>,
    moving: usize,
}

impl Inbound {
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// How many caches are moving: each has its room reserved here.
    pub fn moving(&self) -> usize {
        self.moving
    }

    /// Whether a cache is moving right now, so that something will arrive by itself.
    pub fn is_moving(&self) -> bool {
        self.moving > 0
    }

    pub fn insert(&mut self, offer: Offer) {
        self.moving += usize::from(offer.reserved_bytes.is_some());
        self.offers.insert(offer.request.id, offer);
    }

    pub fn remove(&mut self, request: RequestId) -> Option<Offer> {
        let offer = self.offers.remove(&request)?;
        self.moving -= usize::from(offer.reserved_bytes.is_some());
        Some(offer)
    }

    pub fn take_all(&mut self) -> Vec<Offer> {
        self.moving = 0;
        std::mem::take(&mut self.offers).into_values().collect()
    }

    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.offers.values().map(|offer| &*offer.request)
    }
}
