//! Breaking memory deadlocks: prompts are admitted without reserving the memory of their output, so an
//! instance can fill with computed prompts none of which can go on. The ancestor stands still then for
//! ever.

use ebbflow_actors::SimTime;

use super::batcher::Batcher;
use super::residents::{Key, Phase, TaskState, WaitingTask, Work};

impl Batcher {
    /// Whether requests are here but none can run.
    pub fn is_stuck(&self) -> bool {
        self.residents.batch.is_empty() && !self.residents.is_empty()
    }

    /// Breaks a memory deadlock: the instance is full of computed prompts none of which can get the
    /// memory of its output.
    ///
    /// Whoever holds no memory stands aside first; then the KV caches of the latest arrivals are
    /// dropped, one by one, until somebody can run. Those that stood aside queue again, to be computed
    /// again, as soon as a request completes. The earliest arrival always gets its turn, so this ends.
    pub fn break_deadlock(&mut self, now: SimTime) {
        self.start_run(now);
        if !self.is_stuck() {
            return;
        }
        let waiting: Vec<Key> = {
            let empty_handed = |key: &Key| self.residents.get(*key).held_bytes == 0;
            self.residents.by_arrival().into_iter().filter(empty_handed).collect()
        };
        for key in waiting {
            self.stand_aside(key);
        }
        self.start_run(now);
        while self.is_stuck() {
            let holds_memory = |key: &Key| self.residents.get(*key).held_bytes > 0;
            let Some(latest) = self.residents.by_arrival().into_iter().rfind(holds_memory) else { break };
            self.drop_cache(latest);
            self.start_run(now);
        }
        if self.is_stuck() {
            // Nobody holds anything any more: whoever comes first fits.
            self.readmit_deferred();
            self.start_run(now);
        }
    }

    fn drop_cache(&mut self, key: Key) {
        let resident = self.residents.get_mut(key);
        let held_bytes = std::mem::take(&mut resident.held_bytes);
        resident.phase = Phase::Prefill;
        resident.request.journal.recomputed += 1;
        if resident.work == Work::DecodeOnly {
            resident.work = Work::Whole;
        }
        self.residents.memory.free(held_bytes);
        self.stand_aside(key);
    }

    fn stand_aside(&mut self, key: Key) {
        self.residents.set_aside(key, TaskState::Deferred);
        self.residents.queue.retain(|task| task.key != key);
        self.residents.prompts.retain(|&prompt| prompt != key);
    }

    /// Those that stood aside queue again.
    pub(super) fn readmit_deferred(&mut self) {
        if self.residents.deferred() == 0 {
            return;
        }
        let deferred: Vec<Key> = {
            let stands_aside = |key: &Key| self.residents.get(*key).state == TaskState::Deferred;
            self.residents.by_arrival().into_iter().filter(stands_aside).collect()
        };
        for key in deferred {
            self.residents.set_aside(key, TaskState::Waiting);
            self.engine.enqueue(&mut self.residents, WaitingTask { key, phase: Phase::Prefill });
            self.residents.prompts.push_back(key);
            if self.residents.get(key).work == Work::Whole {
                self.engine.enqueue(&mut self.residents, WaitingTask { key, phase: Phase::Decode });
            }
        }
    }
}
