//! The serving machinery of an instance: one of the two kinds of engines behind one face.
//!
//! Engines that *select* a batch of tasks (`DEFAULT`, `ORCA`, `Splitwise`) share the [`Batcher`]; `vllm` forms
//! iterations of tokens and is a [`ContinuousBatcher`]. The instance does not know which it has.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use super::batcher::{Batcher, Finished};
use super::birth::Birth;
use super::continuous::{ContinuousBatcher, GpuMemory, Passage, Statistics};
use super::engine::{self, Kind};
use super::memory::Memory;
use super::residents::{Phase, Resident, Residents, TaskState, Work};
use super::timesheet::Timesheet;
use crate::ids::GpuName;
use crate::request::{Request, Stage};

/// What serves the requests of an instance.
#[derive(Debug)]
pub(super) enum Machinery {
    Selecting(Box<Batcher>),
    Continuous(Box<ContinuousBatcher>),
}

/// The run of iterations in progress.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct RunInProgress {
    pub start: SimTime,
    pub iterations: u64,
    /// Prompts, or pieces of them, in the batch.
    pub prompts: u32,
    /// Tasks or sequences in the batch.
    pub batch_size: usize,
}

/// A request that had to leave before it was done.
#[derive(Debug)]
pub(super) struct Evicted {
    pub request: Box<Request>,
    pub work: Work,
    pub prefill_reported: bool,
}

/// How much is there to do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Standing {
    pub running: u32,
    pub waiting: u32,
    pub waiting_prompt_tokens: u64,
}

impl Machinery {
    /// What an instance of this birth serves with.
    pub fn new(birth: &Birth) -> Self {
        let timesheet = Timesheet::new((birth.instance, GpuName::of(&birth.gpu))).metered(birth.meter());
        let (weights_bytes, capacity_bytes) = (birth.weights_bytes, birth.capacity_bytes);
        match engine::engine(birth.engine) {
            Kind::Continuous(settings) => {
                let kv_bytes_per_token = birth.kv_bytes_per_token;
                let memory = GpuMemory { weights_bytes, capacity_bytes, kv_bytes_per_token };
                let time = Arc::clone(&birth.performance.iterations);
                let batcher = ContinuousBatcher::new(timesheet, memory, settings, time)
                    .expect("settings are checked before instances are made");
                Machinery::Continuous(Box::new(batcher))
            }
            Kind::Selecting(engine) => {
                let memory = Memory::new(weights_bytes, capacity_bytes);
                let residents = Residents::new(memory, birth.kv_bytes_per_token);
                let performance = Arc::clone(&birth.performance.batches);
                let batcher = Batcher::new(timesheet, residents, engine, performance);
                Machinery::Selecting(Box::new(batcher))
            }
        }
    }

    /// Whether a request could be served here at all.
    pub fn could_ever_hold(&self, request: &Request, work: Work) -> bool {
        match self {
            Machinery::Selecting(batcher) => batcher.could_ever_hold(request, work),
            Machinery::Continuous(batcher) => batcher.could_ever_hold(request, work),
        }
    }

    /// A request arrives; work that only decodes brings the bytes reserved for its cache.
    pub fn arrive(&mut self, now: SimTime, request: Box<Request>, work: Work, reserved_bytes: u64) {
        match self {
            Machinery::Selecting(batcher) => batcher.arrive(now, request, work, reserved_bytes),
            Machinery::Continuous(batcher) => batcher.arrive(now, request, work, reserved_bytes),
        }
    }

    /// Takes room for a KV cache on its way here, if there is any now.
    pub fn reserve_inbound(&mut self, now: SimTime, request: &Request) -> Option<u64> {
        match self {
            Machinery::Selecting(batcher) => batcher.reserve_inbound(request),
            Machinery::Continuous(batcher) => batcher.reserve_inbound(now, request),
        }
    }

    /// Frees the room of a KV cache that will not come after all.
    pub fn cancel_inbound(&mut self, now: SimTime, reserved_bytes: u64) {
        match self {
            Machinery::Selecting(batcher) => batcher.free(now, reserved_bytes),
            Machinery::Continuous(batcher) => batcher.cancel_inbound(now, reserved_bytes),
        }
    }

    /// Frees the memory of a KV cache that has moved away.
    pub fn free(&mut self, now: SimTime, held_bytes: u64) {
        match self {
            Machinery::Selecting(batcher) => batcher.free(now, held_bytes),
            Machinery::Continuous(batcher) => batcher.free(now, held_bytes),
        }
    }

    /// The run in progress.
    pub fn run(&self) -> Option<RunInProgress> {
        match self {
            Machinery::Selecting(batcher) => batcher.run().map(|run| RunInProgress {
                start: run.start,
                iterations: run.iterations,
                prompts: run.prompts,
                batch_size: batcher.residents().batch.len(),
            }),
            Machinery::Continuous(batcher) => batcher.run().map(|run| RunInProgress {
                start: run.start(),
                iterations: run.iterations(),
                prompts: batcher.prompts_in_run(),
                batch_size: batcher.running(),
            }),
        }
    }

    /// When the run in progress ends.
    pub fn run_end(&self) -> Option<SimTime> {
        match self {
            Machinery::Selecting(batcher) => batcher.run().map(|run| run.end),
            Machinery::Continuous(batcher) => batcher.run_end(),
        }
    }

    /// The run is over: reports the tasks that are done, starts the next run. What an engine knows of a request
    /// that leaves is in its journal then.
    pub fn finish_run(&mut self, now: SimTime, mut report: impl FnMut(Finished)) {
        match self {
            Machinery::Selecting(batcher) => batcher.finish_run(now, report),
            Machinery::Continuous(batcher) => batcher.finish_run(now, |mut finished, passage| {
                if let Finished::HandOver { request, .. } | Finished::Completed { request, .. } =
                    &mut finished
                {
                    enter(&passage, request);
                }
                report(finished);
            }),
        }
    }

    /// Resolves a standstill for want of memory, if there is one. `vllm` has none: it preempts.
    pub fn break_standstill(&mut self, now: SimTime) {
        if let Machinery::Selecting(batcher) = self
            && batcher.is_stuck()
        {
            batcher.break_deadlock(now);
        }
    }

    /// Ends everything at once: all requests, by arrival, their memory freed.
    pub fn evict_all(&mut self, now: SimTime) -> Vec<Evicted> {
        match self {
            Machinery::Selecting(batcher) => batcher.evict_all(now).into_iter().map(Evicted::from).collect(),
            Machinery::Continuous(batcher) => {
                let evicted = batcher.evict_all(now).into_iter().map(|mut evicted| {
                    enter(&evicted.passage, &mut evicted.request);
                    let super::continuous::Evicted { request, work, prefill_reported, .. } = evicted;
                    Evicted { request, work, prefill_reported }
                });
                evicted.collect()
            }
        }
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        match self {
            Machinery::Selecting(batcher) => batcher.residents().is_empty(),
            Machinery::Continuous(batcher) => batcher.is_empty(),
        }
    }

    /// Whether nobody waits.
    pub fn is_queue_empty(&self) -> bool {
        match self {
            Machinery::Selecting(batcher) => batcher.residents().queue.is_empty(),
            Machinery::Continuous(batcher) => batcher.is_queue_empty(),
        }
    }

    /// How much is there to do.
    pub fn standing(&self) -> Standing {
        let (running, all, waiting_prompt_tokens) = match self {
            Machinery::Selecting(batcher) => {
                let residents = batcher.residents();
                (residents.batch.len(), residents.len(), residents.waiting_prompt_tokens())
            }
            Machinery::Continuous(batcher) => {
                (batcher.running(), batcher.len(), batcher.waiting_prompt_tokens())
            }
        };
        Standing { running: running as u32, waiting: (all - running) as u32, waiting_prompt_tokens }
    }

    /// Memory in use, weights included, and available, in bytes.
    pub fn memory_bytes(&self, now: SimTime) -> (u64, u64) {
        match self {
            Machinery::Selecting(batcher) => {
                let memory = &batcher.residents().memory;
                (memory.used_bytes(), memory.capacity_bytes())
            }
            Machinery::Continuous(batcher) => batcher.memory_bytes(now),
        }
    }

    /// What it has done, whichever it is.
    pub fn timesheet(&self) -> &Timesheet {
        match self {
            Machinery::Selecting(batcher) => batcher.timesheet(),
            Machinery::Continuous(batcher) => batcher.timesheet(),
        }
    }

    /// What the engine has counted; only `vllm` counts.
    pub fn statistics(&self) -> Option<&Statistics> {
        match self {
            Machinery::Selecting(_) => None,
            Machinery::Continuous(batcher) => Some(batcher.statistics()),
        }
    }

    /// The requests that are here, by arrival, with where they stand.
    pub fn unfinished(&self) -> Vec<(Stage, &Request)> {
        match self {
            Machinery::Selecting(batcher) => {
                let residents = batcher.residents();
                let keys = residents.by_arrival().into_iter();
                keys.map(|key| residents.get(key))
                    .map(|resident| (stage(resident), &*resident.request))
                    .collect()
            }
            Machinery::Continuous(batcher) => batcher.unfinished(),
        }
    }
}

fn stage(resident: &Resident) -> Stage {
    match (resident.phase, resident.state) {
        (Phase::Prefill, TaskState::Running) => Stage::Prefill,
        (Phase::Prefill, _) => Stage::WaitingForPrefill,
        (Phase::Decode, TaskState::Running) => Stage::Decode,
        (Phase::Decode, _) => Stage::WaitingForDecode,
    }
}

/// Writes what happened to a request in the engine into its journal.
fn enter(passage: &Passage, request: &mut Request) {
    let journal = &mut request.journal;
    journal.longest_gap = journal.longest_gap.max(passage.longest_gap);
    journal.cached_tokens = journal.cached_tokens.max(passage.prefix_hit_tokens as u32);
}

impl From<Resident> for Evicted {
    fn from(resident: Resident) -> Self {
        let Resident { request, work, prefill_reported, .. } = resident;
        Evicted { request, work, prefill_reported }
    }
}
