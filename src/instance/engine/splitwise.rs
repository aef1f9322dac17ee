//! `Splitwise`: prompts first, within a token budget, preempting decodes.
//!
//! The next batch is chosen anew each time, in five phases: those passed over too often; waiting
//! prompts; preempted decodes; the running batch; everybody by arrival. Prompts are never chunked; a
//! prompt above the budget runs alone.

use super::Engine;
use crate::instance::residents::{Key, Phase, Residents, TaskState, WaitingTask};

#[derive(Debug)]
pub(super) struct Splitwise {
    pub max_batch_size: usize,
    pub max_batch_tokens: u64,
    pub max_preemptions: u32,
}

impl Engine for Splitwise {
    fn enqueue(&self, residents: &mut Residents, task: WaitingTask) {
        residents.enqueue_by_patience(task);
    }

    fn interrupts(&self, residents: &Residents, tokens: u64, phase: Phase) -> bool {
        let size = residents.batch.len();
        if size < self.max_batch_size && residents.batch_tokens + tokens <= self.max_batch_tokens {
            return true;
        }
        // A prompt may push decodes out: count only the prompt tokens of the batch against the budget.
        let prompts = residents.batch.prompts() as usize;
        let prompt_tokens = residents.batch_tokens.saturating_sub((size - prompts) as u64);
        phase == Phase::Prefill && prompts < size && prompt_tokens + tokens <= self.max_batch_tokens
    }

    fn select(&self, residents: &mut Residents) {
        residents.begin_selection();
        let mut budget = Budget { tokens: 0, promised_bytes: 0 };
        self.the_long_passed_over(residents, &mut budget);
        self.waiting_prompts(residents, &mut budget);
        self.preempted_decodes(residents, &mut budget);
        self.the_running_batch(residents, &mut budget);
        self.everybody_by_arrival(residents, &mut budget);
        residents.batch_tokens = budget.tokens;
    }

    fn has_room(&self, residents: &Residents) -> bool {
        residents.batch.len() < self.max_batch_size && residents.batch_tokens < self.max_batch_tokens
    }
}

/// What a selection has used up so far.
struct Budget {
    tokens: u64,
    promised_bytes: u64,
}

impl Splitwise {
    /// Whether the phase must end before a task of so many tokens.
    fn is_full(&self, residents: &Residents, budget: &Budget, tokens: u64) -> bool {
        let chosen = residents.selected();
        chosen == self.max_batch_size || (chosen > 0 && budget.tokens + tokens > self.max_batch_tokens)
    }

    fn take(&self, residents: &mut Residents, budget: &mut Budget, key: Key) {
        budget.tokens += residents.get(key).tokens_per_iteration();
        residents.choose(key);
    }

    /// Takes a task that has no memory yet if it fits.
    fn take_if_it_fits(&self, residents: &mut Residents, budget: &mut Budget, key: Key) -> bool {
        let bytes = residents.task_bytes(key, residents.get(key).phase);
        let fits = residents.memory.fits_beside(budget.promised_bytes, bytes);
        if fits {
            budget.promised_bytes += bytes;
            self.take(residents, budget, key);
        }
        fits
    }

    fn the_long_passed_over(&self, residents: &mut Residents, budget: &mut Budget) {
        for position in 0..residents.queue.len() {
            let task = residents.queue[position];
            let WaitingTask { key, phase } = task;
            let tokens = residents.get(key).tokens_of(phase);
            if self.is_full(residents, budget, tokens) || residents.passed_over(task) < self.max_preemptions {
                break;
            }
            // A token task behind its own prompt is not the request's first task.
            if residents.is_chosen(key) || residents.get(key).phase != phase {
                continue;
            }
            match residents.get(key).state {
                TaskState::Blocked => self.take(residents, budget, key),
                _ => {
                    self.take_if_it_fits(residents, budget, key);
                }
            }
        }
    }

    fn waiting_prompts(&self, residents: &mut Residents, budget: &mut Budget) {
        for position in 0..residents.prompts.len() {
            let key = residents.prompts[position];
            if self.is_full(residents, budget, residents.get(key).tokens_per_iteration()) {
                break;
            }
            if !residents.is_chosen(key) && !self.take_if_it_fits(residents, budget, key) {
                break;
            }
        }
    }

    fn preempted_decodes(&self, residents: &mut Residents, budget: &mut Budget) {
        for position in 0..residents.blocked.len() {
            let key = residents.blocked[position];
            if self.is_full(residents, budget, residents.get(key).tokens_per_iteration()) {
                break;
            }
            if !residents.is_chosen(key) {
                self.take(residents, budget, key);
            }
        }
    }

    /// All running tasks are decodes of one token each: the first so many go on, as far as there is room.
    fn the_running_batch(&self, residents: &mut Residents, budget: &mut Budget) {
        let chosen = residents.selected();
        let tokens_left = self.max_batch_tokens.saturating_sub(budget.tokens);
        let by_tokens = usize::try_from(tokens_left).unwrap_or(usize::MAX).max(usize::from(chosen == 0));
        let kept = residents.batch.len().min(self.max_batch_size - chosen).min(by_tokens);
        budget.tokens += kept as u64;
        residents.keep(kept);
    }

    fn everybody_by_arrival(&self, residents: &mut Residents, budget: &mut Budget) {
        let mut position = 0;
        while let Some(key) = residents.standby.get(position) {
            position += 1;
            if residents.is_chosen(key) {
                continue;
            }
            if self.is_full(residents, budget, residents.get(key).tokens_per_iteration()) {
                return;
            }
            if residents.get(key).state == TaskState::Blocked {
                self.take(residents, budget, key);
            } else if !self.take_if_it_fits(residents, budget, key) {
                return;
            }
        }
    }
}
