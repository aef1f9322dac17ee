//! Who holds which blocks: sequences, caches on their way in, caches on their way out.

use std::collections::btree_map::Entry;

use ebbflow_actors::{SimDuration, SimTime};

use super::batcher::ContinuousBatcher;
use super::decoding::Member;
use super::prefix_cache::UnitKey;
use super::sequence::{Sequence, Stage, blocks_for};
use crate::instance::resident::Key;
use crate::request::Request;

/// A cache that has left the engine but not its blocks.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub blocks: u64,
    pub private: u64,
    pub units: Vec<UnitKey>,
}

impl ContinuousBatcher {
    pub(super) fn blocks_in_unit(&self) -> u64 {
        self.settings.prefix_block_tokens / super::BLOCK_TOKENS
    }

    /// Takes blocks for a KV cache on its way here, and for its first iteration, if they can be had now beside the
    /// watermark. Tells their bytes.
    pub fn reserve_inbound(&mut self, now: SimTime, request: &Request) -> Option<u64> {
        self.catch_up(now);
        let slots = u64::from(request.prompt_tokens) + 1 + u64::from(self.settings.draft_tokens());
        let blocks = blocks_for(slots);
        if blocks + self.watermark() > self.blocks.available() {
            return None;
        }
        self.blocks.take(blocks);
        self.inbound_blocks += blocks;
        self.shorten_run();
        Some(blocks * self.memory.block_bytes())
    }

    /// Frees the blocks of a KV cache that will not come after all.
    pub fn cancel_inbound(&mut self, now: SimTime, reserved_bytes: u64) {
        self.catch_up(now);
        let blocks = reserved_bytes / self.memory.block_bytes();
        self.inbound_blocks -= blocks;
        self.blocks.give_back(blocks);
        self.wake(now);
    }

    /// Frees the blocks of a KV cache that has moved away. Of several that hold as much the oldest is meant.
    pub fn free(&mut self, now: SimTime, held_bytes: u64) {
        self.catch_up(now);
        let blocks = held_bytes / self.memory.block_bytes();
        let oldest = self.outgoing.iter().position(|outgoing| outgoing.blocks == blocks);
        debug_assert!(oldest.is_some(), "no cache of {held_bytes} bytes is on its way out");
        if let Some(Outgoing { private, units, .. }) = oldest.and_then(|oldest| self.outgoing.remove(oldest))
        {
            self.blocks.release(&units);
            self.blocks.give_back(private);
            self.wake(now);
        }
    }

    /// A sequence's blocks go out with its cache. Tells their bytes.
    pub(super) fn hold_outgoing(&mut self, sequence: &mut Sequence) -> u64 {
        let private = sequence.private_blocks(self.blocks_in_unit());
        let blocks = sequence.blocks;
        self.outgoing.push_back(Outgoing { blocks, private, units: std::mem::take(&mut sequence.units) });
        blocks * self.memory.block_bytes()
    }

    /// What has to stay free beside what is admitted: the watermark, unless nobody runs.
    pub(super) fn watermark(&self) -> u64 {
        if self.running.is_empty() { 0 } else { self.settings.watermark_blocks }
    }

    /// Full blocks that a sequence has computed, and that have names, go to the prefix cache.
    pub(super) fn publish(&mut self, key: Key) {
        if !self.settings.prefix_caching {
            return;
        }
        let sequence = &mut self.sequences[key as usize];
        let full = (sequence.computed / self.settings.prefix_block_tokens) as usize;
        while sequence.published < full
            && let Some(&id) = sequence.request.attributes().prefix.get(sequence.published)
        {
            sequence.units.extend(self.blocks.publish(id));
            sequence.published += 1;
        }
    }

    /// A sequence gives up all its blocks; those that have names stay in the prefix cache for a while.
    pub(super) fn free_blocks_of(&mut self, key: Key) {
        self.publish(key);
        let blocks_in_unit = self.blocks_in_unit();
        let sequence = &mut self.sequences[key as usize];
        self.blocks.release(&sequence.units);
        self.blocks.give_back(sequence.private_blocks(blocks_in_unit));
        sequence.units.clear();
        (sequence.blocks, sequence.computed, sequence.published) = (0, 0, 0);
    }

    /// Somebody has to make room: the last admitted, or the lowest priority.
    pub(super) fn preempt_one(&mut self, now: SimTime) -> Option<Key> {
        let key = match self.settings.order {
            super::QueueOrder::Fcfs => *self.running.last_key_value()?.1,
            super::QueueOrder::Priority => *self.running.values().max_by_key(|&&key| {
                let sequence = &self.sequences[key as usize];
                (sequence.request.attributes().priority, sequence.serial)
            })?,
        };
        self.leave_running(now, key);
        self.free_blocks_of(key);
        let sequence = &mut self.sequences[key as usize];
        sequence.stage = Stage::Waiting;
        sequence.preemptions += 1;
        sequence.request.journal.recomputed += 1;
        self.statistics.preemptions += 1;
        let waiter = self.waiter(key);
        self.waiting.come_back(waiter);
        Some(key)
    }

    /// A sequence does not run any more, as of the iteration boundary `now`. It still holds its blocks.
    pub(super) fn leave_running(&mut self, now: SimTime, key: Key) {
        let sequence = &self.sequences[key as usize];
        let (admitted, adapter) = (sequence.admitted, sequence.request.attributes().adapter);
        match sequence.stage {
            Stage::Waiting | Stage::Arrived => return,
            Stage::Prefilling => {
                self.prefilling.remove(&(admitted, key));
                if let Some(position) = self.planned.iter().position(|planned| planned.key == key) {
                    self.planned_tokens -= self.planned.remove(position).tokens;
                }
            }
            Stage::Decoding(member) => self.leave_decoding(now, key, member),
        }
        self.running.remove(&admitted);
        if let Some(adapter) = adapter
            && let Entry::Occupied(mut running) = self.adapters.entry(adapter)
        {
            *running.get_mut() -= 1;
            if *running.get() == 0 {
                running.remove();
            }
        }
    }

    fn leave_decoding(&mut self, now: SimTime, key: Key, member: Member) {
        let sequence = &mut self.sequences[key as usize];
        let tokens = self.decoding.tokens_of(&member);
        sequence.blocks = self.decoding.leave((sequence.admitted, key), &member);
        sequence.computed = tokens - 1;
        let produced = tokens - u64::from(sequence.request.prompt_tokens);
        sequence.produced = produced.min(u64::from(sequence.request.output_tokens));
        // The last iteration may have yielded more than was asked for.
        self.statistics.gaps.retract_zeros(produced - sequence.produced);
        if self.decoding.ticks() > member.joined {
            sequence.last_token = Some(now);
            let longest = SimDuration::from_nanos(self.peaks.longest_since(member.joined));
            sequence.longest_gap = sequence.longest_gap.max(longest);
        }
        self.late.retain(|&late| late != key);
        if self.decoding.sequences() == 0 {
            self.peaks.clear();
        }
    }
}
