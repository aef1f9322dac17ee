//! KV caches on their way to an instance.
//!
//! A cache needs its room here before it starts to move; while there is none the instance looks again every second.
//! Over a private link it arrives after a time that is known; over the links of the cluster the network says when.

use std::collections::BTreeMap;

use ebbflow_actors::{SimDuration, TickId};

use super::birth::Birth;
use crate::ids::RequestId;
use crate::message::{CacheOffer, CacheOrigin, Message};
use crate::participant::Outbox;
use crate::request::Request;
use crate::transfer::{Transfer, TransferOrder};

/// Between two looks for room.
pub(super) const RETRY_INTERVAL: SimDuration = SimDuration::from_secs(1);

/// Looks without room and without anything running here after which a cache is computed anew instead:
/// nothing that could free memory is going on, so two instances may be waiting for each other.
pub(super) const IDLE_RETRIES_BEFORE_RECOMPUTE: u32 = 2;

/// A cache that is to come, or coming.
#[derive(Debug)]
pub(super) struct Offer {
    pub request: Box<Request>,
    pub transfer: Transfer,
    pub origin: CacheOrigin,
    /// While it was computed its layers could go already, for so long: not if it had to wait for room.
    pub head_start: SimDuration,
    /// What happens to it next.
    pub tick: TickId,
    /// Bytes reserved here once it moves.
    pub reserved_bytes: Option<u64>,
    pub idle_retries: u32,
}

impl Offer {
    /// A cache that is offered; `tick`: when to look again if there is no room.
    pub fn new(request: Box<Request>, CacheOffer { transfer, origin }: CacheOffer, tick: TickId) -> Self {
        let prefill = request.journal.prefill;
        let computed_in = prefill.and_then(|leg| Some(leg.end? - leg.start)).unwrap_or(SimDuration::ZERO);
        let head_start = computed_in;
        Offer { request, transfer, origin, head_start, tick, reserved_bytes: None, idle_retries: 0 }
    }
}

/// All caches that are to come, by request.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    offers: BTreeMap<RequestId, Offer>,
    moving: usize,
    /// Transfers whose end the network will tell, those called off included.
    untold: usize,
}

impl Inbound {
    /// Whether nothing is to come, not even news from the network.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.untold == 0
    }

    /// Lets a cache move, whose room is reserved: a tick ends it, or the network.
    pub fn set_out(&mut self, offer: &mut Offer, birth: &Birth, outbox: &mut Outbox<'_>) {
        outbox.cancel(offer.tick);
        let Request { id: request, batch_size, prompt_tokens, .. } = *offer.request;
        match (offer.transfer, birth.port) {
            (Transfer::Linked(from), Some(to)) => {
                let bytes = birth.kv_bytes_per_token * u64::from(batch_size) * u64::from(prompt_tokens);
                let order = TransferOrder { request, from, to, bytes, head_start: offer.head_start };
                outbox.send(to.network, Message::StartTransfer(Box::new(order)));
                self.untold += 1;
            }
            (Transfer::Private(time), _) => offer.tick = outbox.tick(time, Message::TransferEnds(request)),
            (Transfer::Linked(_), None) => {
                unreachable!("the instances of a cluster all have a port, or none has")
            }
        }
    }

    /// A cache is not wanted any more, wherever it is.
    pub fn call_off(&self, offer: &Offer, birth: &Birth, outbox: &mut Outbox<'_>) {
        outbox.cancel(offer.tick);
        if let (Some(port), Some(_)) = (birth.port, offer.reserved_bytes) {
            outbox.send(port.network, Message::CancelTransfer(offer.request.id));
        }
    }

    /// The end of a transfer is told, or has come: the cache is here, unless it was called off.
    pub fn arrived(&mut self, request: RequestId) -> Option<Offer> {
        self.untold = self.untold.saturating_sub(1);
        self.remove(request)
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
