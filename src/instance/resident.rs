//! A request on an instance and how far it has come.

use super::standby::Rank;
use crate::message::DecodeTarget;
use crate::request::Request;

/// Where a resident request is found; reused after it left.
pub type Key = u32;

/// Which task of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The prompt task: computes the prompt and the first output token.
    Prefill,
    /// The token task: one output token an iteration.
    Decode,
}

/// What a request wants of this instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Prefill and decode.
    Whole,
    /// Prefill; the KV cache then moves to the target.
    PrefillFor(DecodeTarget),
    /// Prefill, and nothing after: requests of one output token.
    PrefillOnly,
    /// Decode of a KV cache that arrived by transfer.
    DecodeOnly,
}

/// How far the first task of a resident has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskState {
    /// Never ran; needs memory to begin.
    Waiting,
    /// In the batch.
    Running,
    /// Preempted; keeps its memory.
    Blocked,
    /// Evicted to break a memory deadlock; stands aside until memory is freed.
    Deferred,
}

/// A request on the instance.
#[derive(Debug)]
pub struct Resident {
    /// The request itself.
    pub request: Box<Request>,
    /// What it wants.
    pub work: Work,
    /// Its first task.
    pub phase: Phase,
    /// State of that task.
    pub state: TaskState,
    /// Output tokens still to decode when its decode last joined the batch, or left it.
    pub remaining: u64,
    /// KV bytes it holds here.
    pub held_bytes: u64,
    /// Whether its scheduler knows that the prompt is computed.
    pub prefill_reported: bool,
    /// Rank among residents: by arrival, then by when it came here.
    pub rank: Rank,
    /// Iteration starts its first task was passed over at, up to `counted_from`.
    pub(super) passed_over: u32,
    /// Value of the count of starts from which it is waiting again.
    pub(super) counted_from: u64,
    /// The selection that last chose it.
    pub(super) chosen_in: u64,
    /// Where its tasks (prefill, decode) entered the queue; they have shifted since.
    pub(super) queued_at: [u32; 2],
}

impl Resident {
    /// Whether its first task could join the batch.
    pub(super) fn stands_by(&self) -> bool {
        matches!(self.state, TaskState::Waiting | TaskState::Blocked)
    }

    /// Tokens its first task adds to an iteration.
    pub fn tokens_per_iteration(&self) -> u64 {
        self.tokens_of(self.phase)
    }

    /// Tokens one of its tasks adds to an iteration.
    pub fn tokens_of(&self, phase: Phase) -> u64 {
        match phase {
            Phase::Prefill => u64::from(self.request.prompt_tokens),
            Phase::Decode => 1,
        }
    }
}

/// An entry of the waiting queue: a task that is not in the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitingTask {
    /// Whose.
    pub key: Key,
    /// Which.
    pub phase: Phase,
}
