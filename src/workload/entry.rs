//! A request as the workload keeps it: without a journal, compact, because traces have millions.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use crate::ids::{ApplicationId, RequestId};
use crate::request::{Attributes, Journal, Request};

/// Longest prompt or output accepted, in tokens. Far above any model's context; it catches shifted columns
/// and keeps sums of bytes within 64 bits.
pub(super) const MAX_TOKENS: u32 = 10_000_000;
/// Most sequences in one request.
pub(super) const MAX_BATCH_SIZE: u32 = 10_000;
/// The only request type there is: generative inference.
pub(super) const GENERATIVE: u32 = 2;

/// One arrival.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) arrival: SimTime,
    pub(super) id: RequestId,
    pub(super) application: ApplicationId,
    pub(super) batch_size: u32,
    pub(super) prompt_tokens: u32,
    pub(super) output_tokens: u32,
    pub(super) attributes: Option<Arc<Attributes>>,
}

impl From<Entry> for Request {
    fn from(entry: Entry) -> Request {
        Request {
            id: entry.id,
            request_type: GENERATIVE,
            application: entry.application,
            arrival: entry.arrival,
            batch_size: entry.batch_size,
            prompt_tokens: entry.prompt_tokens,
            output_tokens: entry.output_tokens,
            attributes: entry.attributes,
            journal: Journal::default(),
        }
    }
}
