//! What can be seen of an engine from outside.

use ebbflow_actors::SimTime;

use super::batcher::{ContinuousBatcher, GpuMemory};
use super::sequence::{Sequence, Stage};
use super::statistics::Statistics;
use super::stretch::Stretch;
use crate::instance::Timesheet;
use crate::request::{Request, Stage as RequestStage};

impl ContinuousBatcher {
    /// The run in progress: its start, its end, its iterations.
    pub fn run(&self) -> Option<&Stretch> {
        self.run.as_ref()
    }

    /// When the run in progress ends.
    pub fn run_end(&self) -> Option<SimTime> {
        self.run.map(|stretch| stretch.end())
    }

    /// Prompts, or pieces of them, in the run in progress.
    pub fn prompts_in_run(&self) -> u32 {
        self.planned.len() as u32
    }

    /// Tokens an iteration of the run in progress computes.
    pub fn tokens_in_iteration(&self) -> u64 {
        self.planned_tokens + self.decoding.sequences() * u64::from(self.settings.tokens_each())
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// Requests here, running or not.
    pub fn len(&self) -> usize {
        self.sequences.len()
    }

    /// Sequences that run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Sequences that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_queue_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Tokens of prompts, and of preempted sequences, that wait to be computed; prompts in progress not counted.
    pub fn waiting_prompt_tokens(&self) -> u64 {
        self.waiting.tokens()
    }

    /// Blocks in use now, and in all.
    pub fn blocks_at(&self, now: SimTime) -> (u64, u64) {
        let grown = self.run.map_or(0, |stretch| {
            let done = stretch.done_by(now).min(stretch.iterations() - 1);
            self.decoding.blocks_ahead(done) - self.decoding.blocks_ahead(0)
        });
        (self.blocks.used() + grown, self.blocks.capacity())
    }

    /// Memory in use now, weights included, and in all, in bytes.
    pub fn memory_bytes(&self, now: SimTime) -> (u64, u64) {
        let GpuMemory { weights_bytes, capacity_bytes, .. } = self.memory;
        (weights_bytes + self.blocks_at(now).0 * self.memory.block_bytes(), capacity_bytes)
    }

    /// What it has counted, up to the last run that ended.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// What it has done.
    pub fn timesheet(&self) -> &Timesheet {
        &self.timesheet
    }

    /// The requests that are here, by arrival, with where they stand.
    pub fn unfinished(&self) -> Vec<(RequestStage, &Request)> {
        let mut sequences: Vec<&Sequence> = self.sequences.iter().map(|(_, sequence)| sequence).collect();
        sequences.sort_by_key(|sequence| (sequence.request.arrival, sequence.serial));
        let stage = |sequence: &Sequence| match sequence.stage {
            Stage::Waiting if sequence.produced == 0 => RequestStage::WaitingForPrefill,
            Stage::Waiting | Stage::Arrived => RequestStage::WaitingForDecode,
            Stage::Prefilling => RequestStage::Prefill,
            Stage::Decoding(_) => RequestStage::Decode,
        };
        sequences.into_iter().map(|sequence| (stage(sequence), &*sequence.request)).collect()
    }
}
