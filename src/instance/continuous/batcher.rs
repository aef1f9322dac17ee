//! The engine as its instance sees it: requests come, runs end, memory is reserved and freed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ebbflow_actors::SimTime;
use slab::Slab;

use super::blocks::Blocks;
use super::decoding::Decoding;
use super::holdings::Outgoing;
use super::pace::Pace;
use super::peaks::Peaks;
use super::sequence::{Passage, Sequence, Stage, blocks_for};
use super::settings::{BLOCK_TOKENS, Settings, SettingsError};
use super::statistics::Statistics;
use super::stretch::Stretch;
use super::time::IterationTime;
use super::waiting::{Waiter, Waiting};
use crate::instance::Timesheet;
use crate::instance::resident::{Key, Work};
use crate::request::Request;

/// Memory of the instance's GPUs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GpuMemory {
    /// What is not KV cache: weights, activations.
    pub weights_bytes: u64,
    /// All of it.
    pub capacity_bytes: u64,
    /// KV bytes of one token, > 0.
    pub kv_bytes_per_token: u64,
}

impl GpuMemory {
    /// Bytes there are for KV cache.
    pub fn cache_bytes(&self) -> u64 {
        self.capacity_bytes.saturating_sub(self.weights_bytes)
    }

    /// Tokens of KV cache there is room for.
    pub fn kv_tokens(&self) -> u64 {
        self.cache_bytes() / self.kv_bytes_per_token.max(1)
    }

    pub(super) fn block_bytes(&self) -> u64 {
        (self.kv_bytes_per_token * BLOCK_TOKENS).max(1)
    }
}

/// A request that had to leave before it was done.
#[derive(Debug)]
pub struct Evicted {
    /// The request.
    pub request: Box<Request>,
    /// What it wanted.
    pub work: Work,
    /// Whether its scheduler knows that the prompt is computed.
    pub prefill_reported: bool,
    /// What happened to it here.
    pub passage: Passage,
}

/// A piece of a prompt in the iteration in progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Planned {
    pub key: Key,
    pub tokens: u64,
}

/// The serving machinery of an instance under `vllm`.
#[derive(Debug)]
pub struct ContinuousBatcher {
    pub(super) timesheet: Timesheet,
    pub(super) settings: Settings,
    pub(super) time: Arc<dyn IterationTime>,
    pub(super) memory: GpuMemory,
    pub(super) blocks: Blocks,
    pub(super) sequences: Slab<Sequence>,
    pub(super) waiting: Waiting,
    /// Everybody who runs, by admission.
    pub(super) running: BTreeMap<u64, Key>,
    /// Those whose prompt is in progress.
    pub(super) prefilling: BTreeSet<(u64, Key)>,
    pub(super) decoding: Decoding,
    /// Decoding sequences whose last token did not come with the last iteration here.
    pub(super) late: Vec<Key>,
    /// Running sequences per LoRA adapter.
    pub(super) adapters: BTreeMap<u32, u32>,
    pub(super) planned: Vec<Planned>,
    pub(super) planned_tokens: u64,
    pub(super) run: Option<Stretch>,
    pub(super) outgoing: VecDeque<Outgoing>,
    pub(super) inbound_blocks: u64,
    pub(super) peaks: Peaks,
    pub(super) statistics: Statistics,
    next_serial: u64,
    pub(super) next_admitted: u64,
}

impl ContinuousBatcher {
    /// An idle engine.
    ///
    /// # Errors
    /// Settings that do not make sense.
    pub fn new(
        timesheet: Timesheet,
        memory: GpuMemory,
        settings: Settings,
        time: Arc<dyn IterationTime>,
    ) -> Result<Self, SettingsError> {
        settings.check()?;
        let settings = settings.of_engines(time.engines());
        let capacity = memory.cache_bytes() / memory.block_bytes();
        let pace = settings.speculation.map_or(Pace::STEADY, |speculation| {
            Pace::speculative(speculation.draft_tokens, speculation.acceptance)
        });
        Ok(ContinuousBatcher {
            timesheet,
            blocks: Blocks::new(capacity, settings.prefix_block_tokens / BLOCK_TOKENS),
            decoding: Decoding::new(pace, settings.draft_tokens(), time.window_tokens()),
            waiting: Waiting::new(settings.order),
            settings,
            time,
            memory,
            sequences: Slab::new(),
            running: BTreeMap::new(),
            prefilling: BTreeSet::new(),
            late: Vec::new(),
            adapters: BTreeMap::new(),
            planned: Vec::new(),
            planned_tokens: 0,
            run: None,
            outgoing: VecDeque::new(),
            inbound_blocks: 0,
            peaks: Peaks::default(),
            statistics: Statistics::default(),
            next_serial: 0,
            next_admitted: 0,
        })
    }

    /// Whether a request could be served here at all.
    pub fn could_ever_hold(&self, request: &Request, work: Work) -> bool {
        let prompt = u64::from(request.prompt_tokens);
        let computed = match work {
            Work::PrefillFor(_) | Work::PrefillOnly => prompt,
            Work::Whole | Work::DecodeOnly => prompt + u64::from(request.output_tokens) - 1,
        };
        let slots = computed + u64::from(self.settings.draft_tokens());
        let in_one_piece = self.settings.chunked_prefill || computed <= self.settings.max_num_batched_tokens;
        in_one_piece && blocks_for(slots) <= self.blocks.capacity()
    }

    /// A request arrives. Work that only decodes brings the bytes that were
    /// [reserved](Self::reserve_inbound) for its cache.
    pub fn arrive(&mut self, now: SimTime, request: Box<Request>, work: Work, reserved_bytes: u64) {
        let mut sequence = Sequence::new(request, work, self.next_serial);
        self.next_serial += 1;
        if reserved_bytes > 0 {
            sequence.stage = Stage::Arrived;
            sequence.computed = u64::from(sequence.request.prompt_tokens);
            sequence.blocks = reserved_bytes / self.memory.block_bytes();
            self.inbound_blocks -= sequence.blocks;
        }
        // What the iterations that are over have evicted is gone before the new blocks are looked at.
        self.catch_up(now);
        let key = self.sequences.insert(sequence) as Key;
        self.publish(key);
        let waiter = self.waiter(key);
        let first = match self.sequences[key as usize].stage {
            Stage::Arrived => self.waiting.arrive_with_cache(waiter),
            _ => self.waiting.arrive(waiter),
        };
        if self.run.is_none() {
            self.start_run(now);
        } else if !self.is_full() && (first || self.settings.max_loras.is_some()) {
            self.cut_run(now);
        }
    }

    pub(super) fn waiter(&self, key: Key) -> Waiter {
        let sequence = &self.sequences[key as usize];
        Waiter {
            key,
            priority: sequence.request.attributes().priority,
            serial: sequence.serial,
            adapter: sequence.request.attributes().adapter,
            tokens: match sequence.stage {
                Stage::Arrived => 0,
                _ => sequence.tokens(),
            },
        }
    }

    /// Whether as many sequences run as may.
    pub(super) fn is_full(&self) -> bool {
        self.running.len() >= self.settings.max_num_seqs as usize
    }

    /// Memory was freed from outside: somebody may be able to join.
    pub(super) fn wake(&mut self, now: SimTime) {
        if self.waiting.is_empty() {
            return;
        }
        match self.run {
            None => self.start_run(now),
            Some(_) if self.is_full() => {}
            Some(_) => self.cut_run(now),
        }
    }

    /// Ends everything at once: all requests, by arrival, their memory freed. What is on its way out or in keeps
    /// its memory.
    pub fn evict_all(&mut self, now: SimTime) -> Vec<Evicted> {
        self.catch_up(now);
        let boundary = self.run.take().map_or(now, |stretch| stretch.start());
        let mut keys: Vec<Key> = self.sequences.iter().map(|(key, _)| key as Key).collect();
        keys.sort_by_key(|&key| {
            let sequence = &self.sequences[key as usize];
            (sequence.request.arrival, sequence.serial)
        });
        self.waiting.clear();
        let evicted = keys.into_iter().map(|key| self.evict(boundary, key)).collect();
        self.timesheet.end_busy(now);
        evicted
    }

    fn evict(&mut self, boundary: SimTime, key: Key) -> Evicted {
        self.leave_running(boundary, key);
        self.free_blocks_of(key);
        let sequence = self.sequences.remove(key as usize);
        let passage = sequence.passage();
        let Sequence { request, work, prefill_reported, .. } = sequence;
        Evicted { request, work, prefill_reported, passage }
    }
}
