//! The requests on an instance and the queues they stand in.
//!
//! A request brings one or two *tasks*: its prompt task and its token task. At any moment exactly one
//! of them is its *first* task: the prompt until that is computed, then the decode.
//! The queues are splitwise-sim's (its `pending_queue`, `pending_prompt_queue`,
//! `blocked_queue`, `pending_requests`).

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use ebbflow_actors::SimTime;
use slab::Slab;

use super::memory::Memory;
pub use super::resident::{Key, Phase, Resident, TaskState, WaitingTask, Work};
use crate::request::Request;

/// All requests on an instance. Batching engines read it and choose from it.
#[derive(Debug)]
pub struct Residents {
    slots: Slab<Resident>,
    /// By arrival.
    by_rank: BTreeMap<(SimTime, u64), Key>,
    next_rank: u64,
    /// Waiting tasks in the engine's order. Tasks come and go at its ends, rarely in the middle.
    pub queue: VecDeque<WaitingTask>,
    /// Waiting prompts in the order they came.
    pub prompts: VecDeque<Key>,
    /// Preempted decodes in the order they were preempted.
    pub blocked: Vec<Key>,
    /// Running tasks, in order.
    pub batch: Vec<Key>,
    /// Tokens of the last selection, as far as the engine counts them.
    pub batch_tokens: u64,
    /// Memory of the instance.
    pub memory: Memory,
    kv_bytes_per_token: u64,
    starts: u64,
    selection: u64,
    deferred: usize,
    /// What the running selection chose, in order.
    pub chosen: Vec<Key>,
}

impl Residents {
    /// Nobody is here yet.
    pub fn new(memory: Memory, kv_bytes_per_token: u64) -> Self {
        Residents {
            slots: Slab::new(),
            by_rank: BTreeMap::new(),
            next_rank: 0,
            queue: VecDeque::new(),
            prompts: VecDeque::new(),
            blocked: Vec::new(),
            batch: Vec::new(),
            batch_tokens: 0,
            memory,
            kv_bytes_per_token,
            starts: 0,
            selection: 0,
            deferred: 0,
            chosen: Vec::new(),
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
        &self.slots[key]
    }

    /// As [`Residents::get`], to change it.
    pub fn get_mut(&mut self, key: Key) -> &mut Resident {
        &mut self.slots[key]
    }

    /// Keys by arrival.
    pub fn by_arrival(&self) -> impl DoubleEndedIterator<Item = Key> + '_ {
        self.by_rank.values().copied()
    }

    /// Walks residents by arrival until `visit` has seen enough; it may choose as it goes.
    pub fn visit_by_arrival(&mut self, mut visit: impl FnMut(&mut Self, Key) -> ControlFlow<()>) {
        // Taken out for the walk, so that the visitor may have all the rest.
        let by_rank = std::mem::take(&mut self.by_rank);
        for &key in by_rank.values() {
            if visit(self, key).is_break() {
                break;
            }
        }
        self.by_rank = by_rank;
    }

    /// KV bytes of so many tokens of this request.
    pub fn kv_bytes(&self, request: &Request, tokens: u32) -> u64 {
        self.kv_bytes_per_token * u64::from(request.batch_size) * u64::from(tokens)
    }

    /// Bytes a task allocates when it first runs: the prompt and its first token, or all further
    /// output tokens at once.
    pub fn task_bytes(&self, key: Key, phase: Phase) -> u64 {
        let request = &self.slots[key].request;
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
        });
        self.by_rank.insert(rank, key);
        key
    }

    /// Lets a resident go. Its memory is the caller's to free or keep.
    pub fn release(&mut self, key: Key) -> Resident {
        let resident = self.slots.remove(key);
        self.by_rank.remove(&resident.rank);
        resident
    }

    /// Iteration starts at which a task was first of its request and not in the batch (the ancestor's
    /// `num_preemptions`). Counted without touching the resident: every first task that waits is passed
    /// over at every start. A decode behind its own prompt is not.
    pub fn passed_over(&self, task: WaitingTask) -> u32 {
        let resident = &self.slots[task.key];
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
        let key_of = |task: WaitingTask| (self.passed_over(task), self.slots[task.key].rank.0);
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
        self.slots[task.key].queued_at[task.phase as usize] = position;
        self.queue.insert(position, task);
    }

    /// Where a task stands in the queue: looked for from where it entered, outwards. Few tasks have come
    /// and gone since if it is one that is preempted and resumed all the time.
    fn position_in_queue(&self, task: WaitingTask) -> Option<usize> {
        let entered = self.slots[task.key].queued_at[task.phase as usize].min(self.queue.len());
        let furthest = entered.max(self.queue.len() - entered);
        (0..=furthest)
            .flat_map(|step| [entered.checked_sub(step), Some(entered + step)])
            .flatten()
            .find(|&position| self.queue.get(position) == Some(&task))
    }

    /// Moves a chosen task from the queues into the batch.
    pub fn enter_batch(&mut self, key: Key) {
        let (phase, was_blocked, passed_over) = {
            let resident = &self.slots[key];
            let was_blocked = resident.state == TaskState::Blocked;
            (resident.phase, was_blocked, self.first_task_passed_over(resident))
        };
        if let Some(position) = self.position_in_queue(WaitingTask { key, phase }) {
            self.queue.remove(position);
        }
        if phase == Phase::Prefill
            && let Some(position) = self.prompts.iter().position(|&prompt| prompt == key)
        {
            self.prompts.remove(position);
        }
        if was_blocked && let Some(position) = self.blocked.iter().position(|&blocked| blocked == key) {
            self.blocked.remove(position);
        }
        let resident = &mut self.slots[key];
        resident.passed_over = passed_over;
        resident.state = TaskState::Running;
        self.batch.push(key);
    }

    /// From now on the resident is passed over at every start, until it enters the batch again.
    pub fn set_aside(&mut self, key: Key, state: TaskState) {
        let starts = self.starts;
        let passed_over = self.first_task_passed_over(&self.slots[key]);
        let resident = &mut self.slots[key];
        resident.passed_over = passed_over;
        self.deferred += usize::from(state == TaskState::Deferred);
        self.deferred -= usize::from(resident.state == TaskState::Deferred);
        resident.state = state;
        resident.counted_from = starts;
    }

    /// How many stand aside.
    pub fn deferred(&self) -> usize {
        self.deferred
    }

    /// The prompt is computed: the decode is the first task now, not passed over yet.
    pub fn turn_to_decode(&mut self, key: Key) {
        let starts = self.starts;
        let resident = &mut self.slots[key];
        resident.phase = Phase::Decode;
        resident.state = TaskState::Waiting;
        resident.passed_over = 0;
        resident.counted_from = starts;
    }

    /// Counts an iteration start: all who wait were passed over.
    pub fn count_start(&mut self) {
        self.starts += 1;
    }

    /// Begins a selection: nobody is chosen yet.
    pub fn begin_selection(&mut self) {
        self.selection += 1;
        self.chosen.clear();
    }

    /// Chooses a resident's first task for the next iteration.
    pub fn choose(&mut self, key: Key) {
        self.slots[key].chosen_in = self.selection;
        self.chosen.push(key);
    }

    /// Whether the running selection chose it.
    pub fn is_chosen(&self, key: Key) -> bool {
        self.slots[key].chosen_in == self.selection
    }

    /// Prompt tasks in the batch.
    pub fn prompts_in_batch(&self) -> usize {
        self.batch.iter().filter(|&&key| self.slots[key].phase == Phase::Prefill).count()
    }

    /// Tokens of the prompts that wait.
    pub fn waiting_prompt_tokens(&self) -> u64 {
        let prompts = self.queue.iter().filter(|task| task.phase == Phase::Prefill);
        prompts.map(|task| u64::from(self.slots[task.key].request.prompt_tokens)).sum()
    }

    /// Tokens that wait: the prompt's length per waiting prompt, 1 per waiting token task.
    pub fn waiting_tokens(&self) -> u64 {
        let tokens = |task: &WaitingTask| match task.phase {
            Phase::Prefill => u64::from(self.slots[task.key].request.prompt_tokens),
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
        self.batch.clear();
        self.deferred = 0;
        let keys: Vec<Key> = self.by_arrival().collect();
        keys.into_iter()
            .map(|key| {
                let resident = self.release(key);
                self.memory.free(resident.held_bytes);
                resident
            })
            .collect()
    }
}
