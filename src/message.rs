//! Everything the entities of a fleet say to each other, and the ticks they set themselves.

use ebbflow_actors::{EntityId, SimDuration, SimTime};

use crate::cluster::GpuNews;
use crate::ids::{ApplicationId, InstanceId, RequestId, ServerId, Tag};
use crate::instance::{Birth, Introduction};
use crate::request::{Rejection, Request};
use crate::results::{EndedRequest, InstanceRecord, IterationRow, ScalingEvent, ScalingLine};
use crate::scaling::DecisionRow;
use crate::scaling::metrics::Sample;
use crate::scenario::Operation;
use crate::transfer::{Transfer, TransferOrder};
use crate::workload::Answer;

/// Where the KV cache of a request moves after its prefill.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DecodeTarget {
    /// The instance that decodes.
    pub instance: InstanceId,
    /// Its address.
    pub entity: EntityId,
    /// How long the transfer takes where requests have private links: bytes ÷ bandwidth.
    pub transfer: SimDuration,
}

/// Where a KV cache is before it moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CacheOrigin {
    /// The instance that computed it.
    pub instance: InstanceId,
    /// Its address.
    pub entity: EntityId,
    /// What the cache occupies there.
    pub held_bytes: u64,
}

/// A KV cache that is ready to move.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CacheOffer {
    /// How it moves.
    pub transfer: Transfer,
    /// Where it is now.
    pub origin: CacheOrigin,
}

/// A message between entities, or a tick to oneself.
///
/// Kept small, a test says how small: every message is moved several times on its way.
#[derive(Debug, Hash)]
pub enum Message {
    // --- workload source
    /// Tick: the next request arrives.
    NextArrival,
    /// Source → scheduler: a request arrives.
    Arrival(Box<Request>),
    /// Source → schedulers: no further request will arrive.
    WorkloadEnded,

    // --- serving
    /// Scheduler → instance: serve this, here or with its decode elsewhere.
    Serve {
        /// What.
        request: Box<Request>,
        /// Where it decodes; none: here.
        decode: Option<Box<DecodeTarget>>,
    },
    /// Tick: the run of iterations in progress ends.
    RunEnds,
    /// Prefill → decode instance: a KV cache is ready to move.
    OfferCache {
        /// Whose.
        request: Box<Request>,
        /// The cache.
        offer: Box<CacheOffer>,
    },
    /// Tick: look again whether there is room for an offered cache.
    RetryTransfer(RequestId),
    /// Tick, or network → decode instance: a KV cache has arrived completely, or has been called off.
    TransferEnds(RequestId),
    /// Decode → prefill instance: the cache has left; free it.
    CacheMoved {
        /// What to free.
        held_bytes: u64,
    },
    /// Prefill → decode instance: a request you were promised will not come.
    Withdrawn,

    // --- what instances tell their scheduler
    /// A prompt is computed.
    Prefilled {
        /// By whom.
        instance: InstanceId,
        /// Its length.
        prompt_tokens: u32,
        /// Time from the request's arrival to its first token.
        ttft: SimDuration,
        /// Whether the request now leaves that instance.
        moves: bool,
    },
    /// A KV cache moved.
    CacheTransferred {
        /// From.
        source: InstanceId,
        /// To.
        target: InstanceId,
        /// What it occupied at the source.
        held_bytes: u64,
    },
    /// A request returns to its scheduler, which closes its books and files or reschedules it.
    Returned {
        /// The request.
        request: Box<Request>,
        /// Why.
        reason: Return,
        /// What its scheduler has on its books for it.
        dues: Dues,
    },
    /// The waiting queue became empty, or ceased to be (sent only to schedulers that ask).
    QueueChanged {
        /// Whose.
        instance: InstanceId,
        /// Whether it is empty now.
        empty: bool,
    },
    /// Nothing is left to do at an iteration boundary (sent only to schedulers that ask).
    Idle(InstanceId),

    // --- lifecycle
    /// Tick: the start-up delay is over.
    Activate,
    /// Instance → scheduler and manager: ACTIVE.
    Activated(Box<Introduction>),
    /// Manager → scheduler: route nothing more to it and tell it to drain.
    StopRouting {
        /// Which.
        instance: InstanceId,
        /// Its address.
        entity: EntityId,
        /// When the drain began: the grid of drain checks starts here.
        since: SimTime,
    },
    /// Scheduler → instance: drain. Sent on the path of the work itself, so nothing can follow it.
    Drain {
        /// When the drain began.
        since: SimTime,
        /// Requests assigned to the instance in its whole life: all of them must have come.
        expected: u64,
    },
    /// Manager → server → instance: do not start after all.
    CancelStart {
        /// Which.
        instance: InstanceId,
        /// Its address.
        entity: EntityId,
        /// When that was decided.
        since: SimTime,
    },
    /// Instance → manager: it was ACTIVE already when told not to start; drain it like any other.
    CancelledTooLate(InstanceId),
    /// Tick: look whether the drain is complete.
    DrainCheck,
    /// Tick: the drain took too long.
    DrainExpires,
    /// Instance → manager and server: drained and gone.
    Drained {
        /// Which.
        instance: InstanceId,
        /// When.
        at: SimTime,
    },

    // --- servers
    /// Tick: the server has booted.
    Booted,
    /// Server → manager: up.
    ServerUp(ServerId),
    /// Manager → server: start this instance.
    Place(Box<Birth>),
    /// Server → manager: it could not.
    PlacementRefused {
        /// Which instance will not be.
        instance: InstanceId,
        /// Why.
        reason: Box<str>,
    },
    /// Manager → server: leave the cluster.
    RemoveServer,

    // --- scaling
    /// Tick: the next scripted action is due.
    ActionDue,
    /// Scheduler (or anybody) → manager: scale.
    Scale(Box<Operation>),
    /// Manager → scheduler: a scale-up was refused, or cancelled before ACTIVE; nobody will join for it.
    ScaleUpRefused(Option<Tag>),
    /// Tick: time for the decision of the nth policy.
    Decide(usize),
    /// Tick: time to scrape the metrics.
    ScrapeDue,
    /// Manager → scheduler and ACTIVE instances: show what you have.
    Scrape,
    /// Scheduler or instance → manager: this.
    Scraped(Box<Sample>),

    // --- records
    /// → recorder: a request has ended.
    Ended(EndedRequest),
    /// → recorder: a line of the scaling log.
    Logged(ApplicationId, Box<ScalingLine>),
    /// → recorder: a fact about scaling.
    Noted(ApplicationId, Box<ScalingEvent>),
    /// → recorder: what a policy decided, and what came of it.
    Decided(ApplicationId, Box<DecisionRow>),
    /// → recorder: an instance has left.
    Departed(ApplicationId, Box<InstanceRecord>),
    /// → recorder: a run of iterations (debug).
    Iterated(ApplicationId, Box<IterationRow>),

    // --- answers; behind all others, so that they digest as before there were any
    /// Scheduler → source, if it waits for answers: a request was completed or rejected.
    Answered(Box<Answer>),

    // --- the network; behind all others for the same reason
    /// Decode instance → network: the room is reserved, the cache may set out.
    StartTransfer(Box<TransferOrder>),
    /// Decode instance → network: it is not wanted any more.
    CancelTransfer(RequestId),
    /// Tick: a transfer ends, or its end is to be told.
    LinkDue,

    // --- shared servers (behind all others: the place of a message in this list is part of digests)
    /// Server → managers that share it: an instance of another application took GPUs, or left them.
    GpusChanged(Box<GpuNews>),
}

/// Why a request returns to its scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Return {
    /// It is done.
    Completed,
    /// It was refused or given up.
    Rejected(Rejection),
    /// A drain time-out sends it back to be scheduled again.
    Requeued,
}

/// What a scheduler still has on its books for a request that returns (see `scheduler::Books`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Dues {
    /// The instance it was resident on.
    pub instance: InstanceId,
    /// Whether the end of its prefill there has not been reported.
    pub prefill_open: bool,
    /// The instance that was to decode it.
    pub decode_at: InstanceId,
}

impl ebbflow_actors::Message for Message {
    /// Of what happens at one moment: work that ends comes first, then news of the fleet, then
    /// arriving work, then the looks taken at all that.
    fn class(&self) -> u8 {
        match self {
            Message::RunEnds | Message::TransferEnds(_) | Message::CacheMoved { .. } | Message::LinkDue => 0,
            Message::Arrival(_)
            | Message::Serve { .. }
            | Message::OfferCache { .. }
            | Message::NextArrival => 2,
            Message::DrainCheck
            | Message::DrainExpires
            | Message::Decide(_)
            | Message::ScrapeDue
            | Message::Scrape
            | Message::RetryTransfer(_) => 3,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_fits_into_three_words() {
        assert!(size_of::<Message>() <= 24, "{} bytes", size_of::<Message>());
    }
}
