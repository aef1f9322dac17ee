//! The requests on an instance and the queues they stand in.
//!
//! A request brings one or two *tasks*: its prompt task and its token task. At any moment exactly one
//! of them is its *first* task: the prompt until that is computed, then the decode.
//! The queues are splitwise-sim's (its `pending_queue`, `pending_prompt_queue`,
//! `blocked_queue`, `pending_requests`).

use std::collections::VecDeque;

use slab::Slab;

use super::batch::Batch;
use super::memory::Memory;
pub use super::resident::{Key, Phase, Resident, TaskState, WaitingTask, Work};
use super::standby::Standby;
use crate::request::Request;

/// All requests on an instance. Batching engines read it and choose from it.
#[derive(Debug)]
pub struct Residents {
    slots: Slab<Resident>,
    next_rank: u64,
    /// Waiting tasks in the engine's order. Tasks come and go at its ends, rarely in the middle.
    pub queue: VecDeque<WaitingTask>,
    /// Waiting prompts in the order they came.
    pub prompts: VecDeque<Key>,
    /// Preempted decodes in the order they were preempted.
    pub blocked: Vec<Key>,
    /// Those whose first task could join the batch.
    pub standby: Standby,
    /// Running tasks.
    pub batch: Batch,
    /// Tokens of the last selection, as far as the engine counts them.
    pub batch_tokens: u64,
    /// Memory of the instance.
    pub memory: Memory,
    kv_bytes_per_token: u64,
    starts: u64,
    selection: u64,
    deferred: usize,
    /// Whom the running selection chose to join the batch, in order.
    pub chosen: Vec<Key>,
    /// How many of the running tasks it lets run on.
    kept: usize,
}

/// Above so many waiting tasks for each that is chosen, it is cheaper to search the queue for each than to
/// go through all of it.
const QUEUE_TO_CHOSEN: usize = 16;

impl Residents {
    /// Nobody is here yet.
    pub fn new(memory: Memory, kv_bytes_per_token: u64) -> Self {
        Residents {
            slots: Slab::new(),
            next_rank: 0,
            queue: VecDeque::new(),
            prompts: VecDeque::new(),
            blocked: Vec::new(),
            standby: Standby::default(),
            batch: Batch::default(),
            batch_tokens: 0,
            memory,
            kv_bytes_per_token,
            starts: 0,
            selection: 0,
            deferred: 0,
            chosen: Vec::new(),
            kept: 0,
        }
    }

    /// How many requests are here.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The resident behind a key that is in one of the queues.
    pub fn get(&self, key: Key) -> &Resident {
        &self.slots[key as usize]
    }

    /// As [`Residents::get`], to change it.
    pub fn get_mut(&mut self, key: Key) -> &mut Resident {
        &mut self.slots[key as usize]
    }

    /// Keys by arrival. They are sorted here: nobody asks at every iteration.
    pub fn by_arrival(&self) -> Vec<Key> {
        let mut ranked: Vec<_> =
            self.slots.iter().map(|(key, resident)| (resident.rank, key as Key)).collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, key)| key).collect()
    }

    /// The resident that arrived first.
    pub fn earliest(&self) -> Option<&Resident> {
        self.slots.iter().map(|(_, resident)| resident).min_by_key(|resident| resident.rank)
    }

    /// KV bytes of so many tokens of this request.
    pub fn kv_bytes(&self, request: &Request, tokens: u32) -> u64 {
        self.kv_bytes_per_token * u64::from(request.batch_size) * u64::from(tokens)
    }

    /// Bytes a task allocates when it first runs: the prompt and its first token, or all further
    /// output tokens at once.
    pub fn task_bytes(&self, key: Key, phase: Phase) -> u64 {
        let request = &self.slots[key as usize].request;
        match phase {
            Phase::Prefill => self.kv_bytes(request, request.prompt_tokens + 1),
            Phase::Decode => self.kv_bytes(request, request.output_tokens - 1),
        }
    }

    /// Bytes the request will need here at its peak.
    pub fn peak_bytes(&self, request: &Request, work: Work) -> u64 {
        match work {
            Work::PrefillFor(_) | Work::PrefillOnly => self.kv_bytes(request, request.prompt_tokens + 1),
            Work::Whole | Work::DecodeOnly => {
                self.kv_bytes(request, request.prompt_tokens + 1)
                    + self.kv_bytes(request, request.output_tokens - 1)
            }
        }
    }

    /// Takes a request in; its tasks enter the queues separately.
    pub fn admit(&mut self, request: Box<Request>, work: Work, held_bytes: u64) -> Key {
        let rank = (request.arrival, self.next_rank);
        self.next_rank += 1;
        let phase = if work == Work::DecodeOnly { Phase::Decode } else { Phase::Prefill };
        let key = self.slots.insert(Resident {
            remaining: u64::from(request.output_tokens) - 1,
            passed_over: 0,
            request,
            work,
            phase,
            state: TaskState::Waiting,
            prefill_reported: work == Work::DecodeOnly,
            held_bytes,
            rank,
            counted_from: self.starts,
            chosen_in: 0,
            queued_at: [0; 2],
        }) as Key;
        self.standby.enter(rank, key);
        key
    }

    /// Lets a resident go that has left the batch. Its memory is the caller's to free or keep.
    pub fn release(&mut self, key: Key) -> Resident {
        self.slots.remove(key as usize)
    }

    /// Iteration starts at which a task was first of its request and not in the batch (the ancestor's
    /// `num_preemptions`). Counted without touching the resident: every first task that waits is passed
    /// over at every start. A decode behind its own prompt is not.
    pub fn passed_over(&self, task: WaitingTask) -> u32 {
        let resident = &self.slots[task.key as usize];
        if resident.phase == task.phase { self.first_task_passed_over(resident) } else { 0 }
    }

    fn first_task_passed_over(&self, resident: &Resident) -> u32 {
        let since = match resident.state {
            TaskState::Running => 0,
            _ => self.starts - resident.counted_from,
        };
        resident.passed_over.saturating_add(u32::try_from(since).unwrap_or(u32::MAX))
    }

    /// Puts a task into the queue behind everything of the same or lower key `(passed over, arrival)`.
    ///
    /// The order is looked at only now: as counts change the queue may cease to be sorted, and the
    /// binary search then runs on what there is, exactly as the ancestor's does.
    pub fn enqueue_by_patience(&mut self, task: WaitingTask) {
        let key_of = |task: WaitingTask| (self.passed_over(task), self.slots[task.key as usize].rank.0);
        let own = key_of(task);
        let (mut low, mut high) = (0, self.queue.len());
        while low < high {
            let middle = (low + high) / 2;
            if own < key_of(self.queue[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        self.enqueue_at(low, task);
    }

    /// Puts a task at the end of the queue.
    pub fn enqueue_last(&mut self, task: WaitingTask) {
        self.enqueue_at(self.queue.len(), task);
    }

    fn enqueue_at(&mut self, position: usize, task: WaitingTask) {
        self.slots[task.key as usize].queued_at[task.phase as usize] = position as u32;
        self.queue.insert(position, task);
    }

    /// Where a task stands in the queue: looked for from where it entered, outwards. Few tasks have come
    /// and gone since if it is one that is preempted and resumed all the time.
    fn position_in_queue(&self, task: WaitingTask) -> Option<usize> {
        let entered = self.slots[task.key as usize].queued_at[task.phase as usize] as usize;
        let entered = entered.min(self.queue.len());
        let furthest = entered.max(self.queue.len() - entered);
        (0..=furthest)
            .flat_map(|step| [entered.checked_sub(step), Some(entered + step)])
            .flatten()
            .find(|&position| self.queue.get(position) == Some(&task))
    }

    /// Takes the chosen tasks out of the queues.
    pub fn dequeue_chosen(&mut self) {
        if self.chosen.len() * QUEUE_TO_CHOSEN < self.queue.len() {
            for position in 0..self.chosen.len() {
                self.dequeue(self.chosen[position]);
            }
            return;
        }
        let Residents { slots, selection, .. } = self;
        let waits = |key: Key| slots[key as usize].chosen_in != *selection;
        self.queue.retain(|task| waits(task.key) || slots[task.key as usize].phase != task.phase);
        self.prompts.retain(|&key| waits(key));
        self.blocked.retain(|&key| waits(key));
        self.standby.retain(waits);
    }

    fn dequeue(&mut self, key: Key) {
        let Resident { phase, state, rank, .. } = self.slots[key as usize];
        if let Some(position) = self.position_in_queue(WaitingTask { key, phase }) {
            self.queue.remove(position);
        }
        if phase == Phase::Prefill
            && let Some(position) = self.prompts.iter().position(|&prompt| prompt == key)
        {
            self.prompts.remove(position);
        }
        if state == TaskState::Blocked
            && let Some(position) = self.blocked.iter().position(|&blocked| blocked == key)
        {
            self.blocked.remove(position);
        }
        self.standby.leave(rank);
    }

    /// A chosen task, out of the queues, joins the batch.
    pub fn enter_batch(&mut self, key: Key) {
        let passed_over = self.first_task_passed_over(&self.slots[key as usize]);
        let resident = &mut self.slots[key as usize];
        resident.passed_over = passed_over;
        resident.state = TaskState::Running;
        match resident.phase {
            Phase::Prefill => self.batch.join_prompt(key, resident.request.prompt_tokens),
            Phase::Decode => self.batch.join_decode(key, resident.remaining),
        }
    }

    /// How many of the running tasks the running selection lets run on.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// From now on the resident is passed over at every start, until it enters the batch again.
    pub fn set_aside(&mut self, key: Key, state: TaskState) {
        let starts = self.starts;
        let passed_over = self.first_task_passed_over(&self.slots[key as usize]);
        let resident = &mut self.slots[key as usize];
        let stood_by = resident.stands_by();
        resident.passed_over = passed_over;
        self.deferred += usize::from(state == TaskState::Deferred);
        self.deferred -= usize::from(resident.state == TaskState::Deferred);
        resident.state = state;
        resident.counted_from = starts;
        match (stood_by, resident.stands_by()) {
            (false, true) => self.standby.enter(resident.rank, key),
            (true, false) => self.standby.leave(resident.rank),
            _ => {}
        }
    }

    /// How many stand aside.
    pub fn deferred(&self) -> usize {
        self.deferred
    }

    /// The prompt is computed: the decode is the first task now, not passed over yet.
    pub fn turn_to_decode(&mut self, key: Key) {
        let starts = self.starts;
        let resident = &mut self.slots[key as usize];
        resident.phase = Phase::Decode;
        resident.state = TaskState::Waiting;
        resident.passed_over = 0;
        resident.counted_from = starts;
        self.standby.enter(resident.rank, key);
    }

    /// Counts an iteration start: all who wait were passed over.
    pub fn count_start(&mut self) {
        self.starts += 1;
    }

    /// Begins a selection: nobody is kept or chosen yet.
    pub fn begin_selection(&mut self) {
        self.selection += 1;
        self.chosen.clear();
        self.kept = 0;
    }

    /// Lets so many of the running tasks run on, the first ones; the others are preempted.
    pub fn keep(&mut self, tasks: usize) {
        self.kept = tasks;
    }

    /// Chooses the first task of a resident that does not run to join the batch.
    pub fn choose(&mut self, key: Key) {
        self.slots[key as usize].chosen_in = self.selection;
        self.chosen.push(key);
    }

    /// Whether the running selection chose it.
    pub fn is_chosen(&self, key: Key) -> bool {
        self.slots[key as usize].chosen_in == self.selection
    }

    /// How many tasks will run, as far as the running selection has come.
    pub fn selected(&self) -> usize {
        self.kept + self.chosen.len()
    }

    /// Tokens of the prompts that wait.
    pub fn waiting_prompt_tokens(&self) -> u64 {
        let prompts = self.queue.iter().filter(|task| task.phase == Phase::Prefill);
        prompts.map(|task| u64::from(self.get(task.key).request.prompt_tokens)).sum()
    }

    /// Tokens that wait: the prompt's length per waiting prompt, 1 per waiting token task.
    pub fn waiting_tokens(&self) -> u64 {
        let tokens = |task: &WaitingTask| match task.phase {
            Phase::Prefill => u64::from(self.slots[task.key as usize].request.prompt_tokens),
            Phase::Decode => 1,
        };
        self.queue.iter().map(tokens).sum()
    }

    /// Requests that hold KV memory.
    pub fn holders(&self) -> usize {
        self.slots.iter().filter(|(_, resident)| resident.held_bytes > 0).count()
    }

    /// Empties the instance: all residents by arrival. Queues and memory held by residents are cleared.
    pub fn evict_all(&mut self) -> Vec<Resident> {
        self.queue.clear();
        self.prompts.clear();
        self.blocked.clear();
        self.standby.clear();
        self.batch.clear();
        self.deferred = 0;
        self.by_arrival()
            .into_iter()
            .map(|key| {
                let resident = self.release(key);
                self.memory.free(resident.held_bytes);
                resident
            })
            .collect()
    }
}
