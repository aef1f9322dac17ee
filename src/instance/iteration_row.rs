//! The row of the iteration log that a run leaves.

use ebbflow_actors::SimTime;

use super::batcher::Batcher;
use super::continuous::ContinuousBatcher;
use super::entity::Instance;
use super::machinery::Machinery;
use crate::results::IterationRow;

impl Instance {
    /// What the run that ends now was made of.
    pub(super) fn iteration_row(&self, now: SimTime) -> Box<IterationRow> {
        let run = self.machinery.run();
        let mut row = Box::new(IterationRow {
            instance: self.birth.instance,
            tag: self.birth.tag,
            start: run.map_or(now, |run| run.start),
            end: now,
            batch_size: run.map_or(0, |run| run.batch_size as u32),
            prompt_tasks: run.map_or(0, |run| run.prompts),
            memory_bytes: self.machinery.memory_bytes(now).0,
            pending_requests: 0,
            pending_tasks: 0,
            blocked_tasks: 0,
            pending_prompts: 0,
            earliest_request: None,
            // The weights, caches that come and caches that go.
            memory_allocations: 1 + self.inbound.moving() as u32 + self.outgoing,
            iterations: run.map_or(0, |run| run.iterations),
            batch_tokens: 0,
            pending_tokens: 0,
        });
        match &self.machinery {
            Machinery::Selecting(batcher) => add_tasks(&mut row, batcher),
            Machinery::Continuous(batcher) => add_sequences(&mut row, batcher),
        }
        row
    }
}

fn add_tasks(row: &mut IterationRow, batcher: &Batcher) {
    let residents = batcher.residents();
    row.pending_requests = residents.len() as u32;
    row.pending_tasks = residents.queue.len() as u32;
    row.blocked_tasks = residents.blocked.len() as u32;
    row.pending_prompts = residents.prompts.len() as u32;
    row.earliest_request = residents.earliest().map(|resident| resident.request.id.0);
    row.memory_allocations += residents.holders() as u32;
    row.batch_tokens = residents.batch_tokens;
    row.pending_tokens = residents.waiting_tokens();
}

/// Every sequence that waits does so with its prompt; one that was preempted is not told apart.
fn add_sequences(row: &mut IterationRow, batcher: &ContinuousBatcher) {
    row.pending_requests = batcher.len() as u32;
    row.pending_tasks = batcher.waiting() as u32;
    row.pending_prompts = batcher.waiting() as u32;
    row.earliest_request = batcher.unfinished().first().map(|(_, request)| request.id.0);
    row.memory_allocations += batcher.running() as u32;
    row.batch_tokens = batcher.tokens_in_iteration();
    row.pending_tokens = batcher.waiting_prompt_tokens();
}
