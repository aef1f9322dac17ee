//! A request and the journal of its journey.
//!
//! A request is created once, by the workload, and then *moves*: workload → scheduler → prefill
//! instance → (KV transfer) → decode instance → recorder. Whoever holds it writes into its journal;
//! nobody keeps a copy.

mod attributes;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};

pub use attributes::Attributes;

use crate::ids::{ApplicationId, GpuName, InstanceId, RequestId};

/// A request of the workload with everything that happened to it so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Name in the trace.
    pub id: RequestId,
    /// The ancestor's request type; 2 is generative inference, the only one it knows.
    pub request_type: u32,
    /// The application asked.
    pub application: ApplicationId,
    /// When the client sent it.
    pub arrival: SimTime,
    /// Sequences in the request (the ancestor's `batch_size`, normally 1); scales its KV cache.
    pub batch_size: u32,
    /// Prompt length in tokens, at least 1.
    pub prompt_tokens: u32,
    /// Output length in tokens, the first one included; at least 1.
    pub output_tokens: u32,
    /// What it says of itself beyond that; shared, because whoever makes requests keeps it too.
    pub attributes: Option<Arc<Attributes>>,
    /// What happened so far.
    pub journal: Journal,
}

impl Hash for Request {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.id, self.request_type, self.application, self.arrival).hash(state);
        (self.batch_size, self.prompt_tokens, self.output_tokens, &self.journal).hash(state);
        // Nothing is added for requests that say nothing: most traces are as they were before there was this.
        if let Some(attributes) = &self.attributes {
            attributes.hash(state);
        }
    }
}

/// A stretch of work on one instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Leg {
    /// Where it ran. For a transfer: the destination.
    pub instance: InstanceId,
    /// The GPU of that instance, so that whoever reads the journal need not look for the instance.
    pub gpu: GpuName,
    /// First start.
    pub start: SimTime,
    /// Completion; none while it runs.
    pub end: Option<SimTime>,
}

/// The journal of a request. Times are set once and kept; a recomputed or requeued request keeps
/// the first start and the first completion of each task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Journal {
    /// First time the scheduler had to let it wait because no instance could take it.
    pub first_refusal: Option<SimTime>,
    /// When the scheduler chose its instances (for the last time).
    pub scheduled: Option<SimTime>,
    /// The prompt task.
    pub prefill: Option<Leg>,
    /// The KV-cache transfer, when prefill and decode ran on different instances.
    pub transfer: Option<Leg>,
    /// The token task; none for requests of one output token.
    pub decode: Option<Leg>,
    /// Times its KV cache was dropped for want of memory and computed again.
    pub recomputed: u32,
    /// Times a drain time-out sent it back to the scheduler.
    pub requeued: u32,
    /// The longest wait between two output tokens; zero where an engine does not tell (all but `vllm`).
    pub longest_gap: SimDuration,
    /// Prompt tokens found in a prefix cache when it was first admitted.
    pub cached_tokens: u32,
}

impl Hash for Journal {
    /// The longest gap and the cached tokens follow from the rest of a run and are left out.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.first_refusal, self.scheduled, self.prefill, self.transfer, self.decode).hash(state);
        (self.recomputed, self.requeued).hash(state);
    }
}

/// How a request left the system.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// All output tokens were produced.
    Completed,
    /// It was refused or given up, for this reason.
    Rejected(Rejection),
    /// The run ended first; where it stood then.
    Unfinished(Stage),
}

impl Fate {
    /// The word used in result files.
    pub const fn name(&self) -> &'static str {
        match self {
            Fate::Completed => "completed",
            Fate::Rejected(_) => "rejected",
            Fate::Unfinished(_) => "unfinished",
        }
    }
}

/// Why a request was not served.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rejection {
    /// Its KV cache does not fit the instance even when that is empty.
    TooLarge,
    /// Its instance's drain timed out with `drain_timeout_action: abort`.
    DrainTimeout,
}

impl Rejection {
    /// All of them.
    pub const ALL: [Rejection; 2] = [Rejection::TooLarge, Rejection::DrainTimeout];

    /// Reads the word used in result files.
    pub fn parse(word: &str) -> Option<Self> {
        Rejection::ALL.into_iter().find(|reason| reason.name() == word)
    }

    /// What it means, to be said of so many requests.
    pub const fn in_words(self) -> &'static str {
        match self {
            Rejection::TooLarge => "whose KV cache is larger than the memory of an empty instance",
            Rejection::DrainTimeout => "given up because a drain took longer than its drain_timeout",
        }
    }

    /// The word used in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Rejection::TooLarge => "too_large",
            Rejection::DrainTimeout => "drain_timeout",
        }
    }
}

/// Where an unfinished request stood when the run ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// In a message between two entities.
    InFlight,
    /// At the scheduler: no instance could take it.
    WaitingAtScheduler,
    /// At an instance, its prompt not begun.
    WaitingForPrefill,
    /// Its prompt was being computed.
    Prefill,
    /// Its KV cache was waiting for room at, or moving to, the decode instance.
    Transfer,
    /// At an instance, waiting to decode (also: preempted).
    WaitingForDecode,
    /// Producing output tokens.
    Decode,
}

impl Stage {
    /// All of them, in the order of a journey.
    pub const ALL: [Stage; 7] = [
        Stage::InFlight,
        Stage::WaitingAtScheduler,
        Stage::WaitingForPrefill,
        Stage::Prefill,
        Stage::Transfer,
        Stage::WaitingForDecode,
        Stage::Decode,
    ];

    /// Reads the word used in result files.
    pub fn parse(word: &str) -> Option<Self> {
        Stage::ALL.into_iter().find(|stage| stage.name() == word)
    }

    /// What it means, to be said of so many requests.
    pub const fn in_words(self) -> &'static str {
        match self {
            Stage::InFlight => "on the way between scheduler and instance",
            Stage::WaitingAtScheduler => "waiting at the scheduler, no instance could take them",
            Stage::WaitingForPrefill => "waiting at an instance, the prompt not begun",
            Stage::Prefill => "computing the prompt",
            Stage::Transfer => "moving the KV cache, or waiting for room at its destination",
            Stage::WaitingForDecode => "waiting at an instance to go on with the output",
            Stage::Decode => "producing output tokens",
        }
    }

    /// The word used in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::InFlight => "in_flight",
            Stage::WaitingAtScheduler => "waiting_at_scheduler",
            Stage::WaitingForPrefill => "waiting_for_prefill",
            Stage::Prefill => "prefill",
            Stage::Transfer => "transfer",
            Stage::WaitingForDecode => "waiting_for_decode",
            Stage::Decode => "decode",
        }
    }
}

impl Request {
    /// What it says of itself beyond its lengths.
    pub fn attributes(&self) -> &Attributes {
        static NONE: Attributes = Attributes::NONE;
        self.attributes.as_deref().unwrap_or(&NONE)
    }

    /// Time to first token: end of the prompt task − arrival.
    pub fn ttft_s(&self) -> Option<f64> {
        let end = self.journal.prefill?.end?;
        Some((end - self.arrival).as_secs_f64())
    }

    /// When the last output token was produced.
    pub fn completion(&self) -> Option<SimTime> {
        match self.journal.decode {
            Some(decode) => decode.end,
            None if self.output_tokens <= 1 => self.journal.prefill?.end,
            None => None,
        }
    }

    /// End-to-end response time: completion − arrival.
    pub fn e2e_s(&self) -> Option<f64> {
        Some((self.completion()? - self.arrival).as_secs_f64())
    }

    /// Time between tokens in the ancestor's definition, `(E2E − TTFT) / output tokens`: it divides by
    /// all output tokens though only all but the first are produced in that span.
    pub fn tbt_s(&self) -> Option<f64> {
        Some((self.e2e_s()? - self.ttft_s()?) / f64::from(self.output_tokens))
    }

    /// Time per output token as the field defines it, `(E2E − TTFT) / (output tokens − 1)`;
    /// none for requests of one output token.
    pub fn tpot_s(&self) -> Option<f64> {
        if self.output_tokens < 2 {
            return None;
        }
        Some((self.e2e_s()? - self.ttft_s()?) / f64::from(self.output_tokens - 1))
    }

    /// Waiting before the prompt task first ran: its start − arrival.
    pub fn queue_s(&self) -> Option<f64> {
        Some((self.journal.prefill?.start - self.arrival).as_secs_f64())
    }

    /// The longest wait between two output tokens; none where there was no gap, or the engine does not tell.
    pub fn longest_gap_s(&self) -> Option<f64> {
        let gap = self.journal.longest_gap;
        (!gap.is_zero()).then(|| gap.as_secs_f64())
    }

    /// Start of the token task − end of the prompt task: KV transfer and waiting to decode.
    pub fn nth_token_overhead_s(&self) -> Option<f64> {
        let prefill_end = self.journal.prefill?.end?;
        match self.journal.decode {
            Some(decode) => Some((decode.start - prefill_end).as_secs_f64()),
            None => Some(0.0),
        }
    }
}
