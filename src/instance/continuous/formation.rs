//! Forms the next iteration: who takes part, with how many tokens, and for how many iterations alike.

use ebbflow_actors::SimTime;

use super::batcher::{ContinuousBatcher, Planned};
use super::sequence::{Stage, blocks_for};
use super::stretch::Stretch;
use super::time::{Chunk, MakeUp};
use super::waiting::Waiter;
use crate::instance::resident::Key;

/// No stretch is longer, so that sums stay within 128 bits.
const MOST_ITERATIONS: u64 = 1 << 24;

impl ContinuousBatcher {
    /// Forms an iteration, or a stretch of them, and starts it. Without anybody to run the engine rests until
    /// something arrives or memory is freed.
    pub(super) fn start_run(&mut self, now: SimTime) {
        let mut changed = self.form(now);
        if self.is_idle() && changed {
            // Whoever ran alone was preempted, for want of blocks that are held elsewhere: now others may.
            changed = self.form(now);
        }
        if self.is_idle() {
            self.timesheet.end_busy(now);
            return;
        }
        self.timesheet.begin_busy(now);
        self.statistics.stretches += 1;
        self.run = Some(match self.planned.is_empty() {
            false => Stretch::single(now, self.time.mixed(&self.make_up())),
            true => self.decode_stretch(now, changed),
        });
    }

    fn is_idle(&self) -> bool {
        self.planned.is_empty() && self.decoding.sequences() == 0
    }

    fn decode_stretch(&self, now: SimTime, changed: bool) -> Stretch {
        let sequences = self.decoding.sequences() as u32;
        let line = self.time.decode_line(sequences, self.settings.tokens_each());
        let alike = self.decoding.iterations_alike(self.blocks.available()).unwrap_or(1);
        // After a change others may join next time. (So a token that comes late comes in a single iteration.)
        let single = !self.settings.fast_forward || changed;
        self.decoding.stretch(now, line, if single { 1 } else { alike.min(MOST_ITERATIONS) })
    }

    /// The iteration as the performance model is shown it.
    fn make_up(&self) -> MakeUp {
        let chunk = |planned: &Planned| {
            let context = self.sequences[planned.key as usize].computed;
            Chunk { tokens: planned.tokens, context }
        };
        MakeUp { chunks: self.planned.iter().map(chunk).collect(), decodes: self.decoding.decodes() }
    }

    /// Chooses who takes part; tells whether anybody was preempted or admitted.
    fn form(&mut self, now: SimTime) -> bool {
        self.planned.clear();
        self.planned_tokens = 0;
        let (preempted, admitted) = (self.statistics.preemptions, self.next_admitted);
        self.grant_decodes(now);
        self.continue_prefills(now);
        if self.statistics.preemptions > preempted {
            return true;
        }
        self.admit_arrived(now);
        self.admit_waiting(now);
        self.next_admitted > admitted
    }

    /// Tokens that the iteration can still take.
    fn budget_left(&self) -> u64 {
        let decodes = self.decoding.sequences() * u64::from(self.settings.tokens_each());
        self.settings.max_num_batched_tokens - decodes - self.planned_tokens
    }

    /// Decoding sequences get the blocks they lack. That one by one would preempt the same: it makes room as long as
    /// those that are left do not all find what they lack.
    fn grant_decodes(&mut self, now: SimTime) {
        while self.decoding.lacking(0) > self.blocks.available() {
            self.preempt_one(now);
        }
        self.grant(0);
    }

    /// Decoding sequences get what they lack up to the iteration `ahead` of the next one.
    pub(super) fn grant(&mut self, ahead: u64) {
        self.blocks.take(self.decoding.lacking(ahead));
        self.decoding.grant(ahead);
    }

    /// Prompts in progress go on, in the order they were admitted.
    fn continue_prefills(&mut self, now: SimTime) {
        let mut from = 0;
        while let Some(&(admitted, key)) = self.prefilling.range((from, 0)..).next() {
            from = admitted + 1;
            let sequence = &self.sequences[key as usize];
            let tokens = self.chunk(sequence.tokens() - sequence.computed);
            if tokens == 0 {
                return;
            }
            let blocks = blocks_for(sequence.computed + tokens);
            if self.make_room(now, key, blocks) {
                self.sequences[key as usize].blocks = blocks;
                self.plan(key, tokens);
            }
        }
    }

    /// Takes what a sequence needs to hold so many blocks; false if it had to make room itself.
    fn make_room(&mut self, now: SimTime, key: Key, blocks: u64) -> bool {
        let lacking = blocks - self.sequences[key as usize].blocks;
        while lacking > self.blocks.available() {
            if self.preempt_one(now) == Some(key) {
                return false;
            }
        }
        self.blocks.take(lacking);
        true
    }

    /// How many of so many tokens an iteration takes.
    fn chunk(&self, tokens: u64) -> u64 {
        let threshold = self.settings.long_prefill_token_threshold.filter(|_| self.settings.chunked_prefill);
        tokens.min(threshold.unwrap_or(u64::MAX)).min(self.budget_left())
    }

    fn plan(&mut self, key: Key, tokens: u64) {
        self.planned.push(Planned { key, tokens });
        self.planned_tokens += tokens;
    }

    /// Whether as many other adapters run as may.
    fn lacks_slot(&self, adapter: Option<u32>) -> bool {
        let (Some(adapter), Some(slots)) = (adapter, self.settings.max_loras) else { return false };
        self.adapters.len() >= slots as usize && !self.adapters.contains_key(&adapter)
    }

    /// Sequences whose cache came from elsewhere begin to decode; they hold their blocks already.
    fn admit_arrived(&mut self, now: SimTime) {
        let mut position = 0;
        while let Some(&Waiter { key, adapter, .. }) = self.waiting.arrived.get(position) {
            if self.is_full() || self.budget_left() < u64::from(self.settings.tokens_each()) {
                return;
            }
            if self.lacks_slot(adapter) {
                position += 1;
                continue;
            }
            self.waiting.arrived.remove(position);
            self.enter_running(key);
            self.begin_decode(now, key);
            self.late.push(key);
        }
    }

    fn admit_waiting(&mut self, now: SimTime) {
        let mut position = 0;
        while let Some(&waiter) = self.waiting.queue.get(position) {
            if self.is_full() || self.budget_left() == 0 {
                return;
            }
            if self.lacks_slot(waiter.adapter) {
                position += 1;
            } else if !self.admit(now, position, waiter) {
                return;
            }
        }
    }

    /// Lets a sequence run if there is room for all its tokens; it takes that of its first chunk.
    fn admit(&mut self, now: SimTime, position: usize, Waiter { key, tokens, .. }: Waiter) -> bool {
        let units = self.cached_units(key, tokens);
        let cached_blocks = units.len() as u64 * self.blocks_in_unit();
        let cached_tokens = units.len() as u64 * self.settings.prefix_block_tokens;
        let chunk = self.chunk(tokens - cached_tokens);
        if !self.settings.chunked_prefill && chunk < tokens - cached_tokens {
            return false;
        }
        let whole = blocks_for(tokens) - cached_blocks + self.blocks.unused_blocks_of(&units);
        if whole + self.watermark() > self.blocks.available() {
            return false;
        }
        self.waiting.take(position);
        self.blocks.acquire(&units);
        let blocks = blocks_for(cached_tokens + chunk);
        self.blocks.take(blocks - cached_blocks);
        self.count_lookup(key, tokens, cached_tokens);
        self.enter_running(key);
        let leg = self.timesheet.begin_leg(now);
        let sequence = &mut self.sequences[key as usize];
        (sequence.computed, sequence.blocks, sequence.published) = (cached_tokens, blocks, units.len());
        sequence.units = units;
        sequence.stage = Stage::Prefilling;
        sequence.request.journal.prefill.get_or_insert(leg);
        self.prefilling.insert((sequence.admitted, key));
        self.plan(key, chunk);
        true
    }

    /// What the prefix cache has of a sequence's tokens, the last one excepted: it must be computed.
    fn cached_units(&self, key: Key, tokens: u64) -> Vec<u32> {
        if !self.settings.prefix_caching {
            return Vec::new();
        }
        let prefix = &self.sequences[key as usize].request.attributes().prefix;
        let most = ((tokens - 1) / self.settings.prefix_block_tokens) as usize;
        self.blocks.longest_prefix(&prefix[..prefix.len().min(most)])
    }

    fn count_lookup(&mut self, key: Key, queried: u64, hit: u64) {
        if !self.settings.prefix_caching {
            return;
        }
        let sequence = &mut self.sequences[key as usize];
        let statistics = &mut self.statistics;
        if sequence.preemptions == 0 {
            sequence.prefix_hit_tokens = hit;
            statistics.prefix_queried_tokens += queried;
            statistics.prefix_hit_tokens += hit;
        } else {
            statistics.resumed_queried_tokens += queried;
            statistics.resumed_hit_tokens += hit;
        }
    }

    fn enter_running(&mut self, key: Key) {
        let sequence = &mut self.sequences[key as usize];
        sequence.admitted = self.next_admitted;
        self.running.insert(self.next_admitted, key);
        self.next_admitted += 1;
        if let Some(adapter) = sequence.request.attributes().adapter {
            *self.adapters.entry(adapter).or_default() += 1;
        }
    }

    /// A sequence gains a token in every iteration from now on.
    pub(super) fn begin_decode(&mut self, now: SimTime, key: Key) {
        let leg = self.timesheet.begin_leg(now);
        let sequence = &mut self.sequences[key as usize];
        let place = (sequence.admitted, key);
        let member = self.decoding.join(place, sequence.tokens(), sequence.left(), sequence.blocks);
        sequence.stage = Stage::Decoding(member);
        sequence.request.journal.decode.get_or_insert(leg);
    }
}
