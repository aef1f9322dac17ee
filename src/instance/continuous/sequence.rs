//! A request in the engine and how far it has come.

use ebbflow_actors::{SimDuration, SimTime};

use super::decoding::Member;
use super::prefix_cache::UnitKey;
use super::settings::BLOCK_TOKENS;
use crate::instance::resident::Work;
use crate::request::Request;

/// Where a sequence stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Waits to be computed from the beginning, or again.
    Waiting,
    /// Waits to decode; its KV cache has come from elsewhere.
    Arrived,
    /// Its tokens are being computed; one more follows when all are.
    Prefilling,
    /// Gains tokens in every iteration.
    Decoding(Member),
}

/// What happened to a request in the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passage {
    /// Output tokens that exist, those from elsewhere included.
    pub output_tokens: u64,
    /// The longest gap between two output tokens that ended here.
    pub longest_gap: SimDuration,
    /// Times it was preempted.
    pub preemptions: u32,
    /// Tokens of its prompt found in the prefix cache when it was first admitted.
    pub prefix_hit_tokens: u64,
}

/// A request in the engine.
#[derive(Debug)]
pub(super) struct Sequence {
    pub request: Box<Request>,
    pub work: Work,
    pub stage: Stage,
    /// How many came before it.
    pub serial: u64,
    /// How many were admitted before it, as long as it runs.
    pub admitted: u64,
    /// Output tokens, when it last joined or left the decoding ones.
    pub produced: u64,
    /// Tokens in the KV cache, as long as it does not decode.
    pub computed: u64,
    /// Blocks it holds, as long as it does not decode; those of the prefix cache included.
    pub blocks: u64,
    /// Units of the prefix cache it uses.
    pub units: Vec<UnitKey>,
    /// Ids of its prefix that are in the cache, or were when it looked.
    pub published: usize,
    pub prefill_reported: bool,
    /// When its last output token came, as long as it does not decode.
    pub last_token: Option<SimTime>,
    pub longest_gap: SimDuration,
    pub preemptions: u32,
    pub prefix_hit_tokens: u64,
}

impl Sequence {
    pub fn new(request: Box<Request>, work: Work, serial: u64) -> Self {
        let from_elsewhere = work == Work::DecodeOnly;
        let first_token = request.journal.prefill.and_then(|leg| leg.end).filter(|_| from_elsewhere);
        Sequence {
            work,
            stage: Stage::Waiting,
            serial,
            admitted: 0,
            produced: u64::from(from_elsewhere),
            computed: 0,
            blocks: 0,
            units: Vec::new(),
            published: 0,
            prefill_reported: from_elsewhere,
            last_token: first_token,
            longest_gap: SimDuration::ZERO,
            preemptions: 0,
            prefix_hit_tokens: 0,
            request,
        }
    }

    /// Prompt and output: what must be in the cache, but for the last token, before the next one can come.
    pub fn tokens(&self) -> u64 {
        u64::from(self.request.prompt_tokens) + self.produced
    }

    /// Output tokens still to come.
    pub fn left(&self) -> u64 {
        u64::from(self.request.output_tokens).saturating_sub(self.produced)
    }

    /// Its blocks that are not part of the prefix cache.
    pub fn private_blocks(&self, blocks_in_unit: u64) -> u64 {
        self.blocks - self.units.len() as u64 * blocks_in_unit
    }

    /// An output token comes; tells the gap since the one before.
    pub fn emit(&mut self, now: SimTime) -> Option<SimDuration> {
        let gap = self.last_token.replace(now).map(|last| now - last);
        self.longest_gap = self.longest_gap.max(gap.unwrap_or_default());
        gap
    }

    pub fn passage(&self) -> Passage {
        Passage {
            output_tokens: self.produced,
            longest_gap: self.longest_gap,
            preemptions: self.preemptions,
            prefix_hit_tokens: self.prefix_hit_tokens,
        }
    }
}

/// Blocks for so many tokens.
pub(super) fn blocks_for(tokens: u64) -> u64 {
    tokens.div_ceil(BLOCK_TOKENS)
}
