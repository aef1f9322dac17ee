//! What instances and the scheduler show when they are asked.

use ebbflow_actors::{SimDuration, SimTime};

use crate::ids::{InstanceId, Tag};
use crate::request::Request;
use crate::slo::LatencyKind;

/// The answer to a scrape.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Sample {
    /// Of the scheduler.
    Gateway(GatewaySample),
    /// Of an instance.
    Instance(InstanceSample),
}

/// What a scheduler shows.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct GatewaySample {
    /// When.
    pub at: SimTime,
    /// Requests that no instance could take yet.
    pub waiting: u64,
    /// Their prompt tokens.
    pub waiting_prompt_tokens: u64,
    /// Requests at instances.
    pub in_service: u64,
    /// What has passed since the run began.
    pub traffic: Traffic,
    /// First tokens since the last sample, by time.
    pub first_tokens: Vec<FirstToken>,
    /// Requests completed since the last sample, by time.
    pub served: Vec<Served>,
    /// Whether the last request has arrived.
    pub workload_ended: bool,
}

impl GatewaySample {
    /// Whether all work is done: the last request has arrived and none is in the system.
    pub fn is_over(&self) -> bool {
        self.workload_ended && self.waiting + self.in_service == 0
    }
}

/// A request has its first token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FirstToken {
    /// When the scheduler heard of it.
    pub at: SimTime,
    /// Time to first token.
    pub ttft: SimDuration,
}

/// A request is complete.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Served {
    /// When the scheduler heard of it.
    pub at: SimTime,
    /// Wait before its prompt was first worked on.
    pub queue: SimDuration,
    /// Time to first token.
    pub ttft: SimDuration,
    /// From first token to the end.
    pub decode: SimDuration,
    /// Its tokens.
    pub output_tokens: u32,
}

impl Served {
    /// Of a completed request, at the moment the scheduler hears of it.
    pub(crate) fn of(request: &Request, at: SimTime) -> Option<Self> {
        let prefill = request.journal.prefill?;
        let (first_token, end) = (prefill.end?, request.completion()?);
        Some(Served {
            at,
            queue: prefill.start - request.arrival,
            ttft: first_token - request.arrival,
            decode: end - first_token,
            output_tokens: request.output_tokens,
        })
    }

    /// A latency in seconds; none for the TPOT of a single token, and for gaps between tokens.
    pub fn latency_s(&self, kind: LatencyKind) -> Option<f64> {
        let decode_s = self.decode.as_secs_f64();
        match kind {
            LatencyKind::Queue => Some(self.queue.as_secs_f64()),
            LatencyKind::Ttft => Some(self.ttft.as_secs_f64()),
            LatencyKind::Tbt => Some(decode_s / f64::from(self.output_tokens.max(1))),
            LatencyKind::Tpot if self.output_tokens < 2 => None,
            LatencyKind::Tpot => Some(decode_s / f64::from(self.output_tokens - 1)),
            LatencyKind::E2e => Some((self.ttft + self.decode).as_secs_f64()),
            // Schedulers are not told.
            LatencyKind::TokenGap | LatencyKind::LongestGap => None,
        }
    }
}

/// What passed a scheduler since the run began.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Traffic {
    /// Requests that arrived.
    pub arrivals: u64,
    /// Their prompt tokens.
    pub prompt_tokens: u64,
    /// Requests completed.
    pub completions: u64,
    /// Their output tokens.
    pub output_tokens: u64,
}

impl Traffic {
    pub(crate) fn arrived(&mut self, request: &Request) {
        self.arrivals += 1;
        self.prompt_tokens += u64::from(request.prompt_tokens);
    }

    pub(crate) fn completed(&mut self, request: &Request) {
        self.completions += 1;
        self.output_tokens += u64::from(request.output_tokens);
    }

    /// What passed after `earlier`.
    pub fn since(&self, earlier: &Traffic) -> Traffic {
        Traffic {
            arrivals: self.arrivals - earlier.arrivals,
            prompt_tokens: self.prompt_tokens - earlier.prompt_tokens,
            completions: self.completions - earlier.completions,
            output_tokens: self.output_tokens - earlier.output_tokens,
        }
    }
}

/// What an instance shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InstanceSample {
    /// When.
    pub at: SimTime,
    /// Which.
    pub instance: InstanceId,
    /// Its pool.
    pub tag: Option<Tag>,
    /// Requests in the running batch.
    pub running: u32,
    /// Requests here that are not in it: queued, preempted, or with their cache on its way in.
    pub waiting: u32,
    /// Prompt tokens not computed yet of those that wait.
    pub waiting_prompt_tokens: u64,
    /// Memory in use, weights included, in bytes.
    pub memory_bytes: u64,
    /// Memory there is, in bytes.
    pub capacity_bytes: u64,
    /// Memory the weights occupy, in bytes.
    pub weights_bytes: u64,
    /// KV cache of a token, in bytes.
    pub kv_bytes_per_token: u64,
    /// Time with a batch running since the instance began.
    pub busy: SimDuration,
}

impl InstanceSample {
    /// Share of the memory beside the weights that is in use, from 0 to 1.
    pub fn kv_use(&self) -> f64 {
        let capacity = self.capacity_bytes.saturating_sub(self.weights_bytes);
        let used = self.memory_bytes.saturating_sub(self.weights_bytes);
        if capacity == 0 { 0.0 } else { used as f64 / capacity as f64 }
    }

    /// Tokens in the KV cache.
    pub fn kv_tokens(&self) -> f64 {
        let used = self.memory_bytes.saturating_sub(self.weights_bytes);
        used as f64 / self.kv_bytes_per_token.max(1) as f64
    }

    /// Tokens that the KV cache can hold.
    pub fn kv_capacity_tokens(&self) -> f64 {
        let capacity = self.capacity_bytes.saturating_sub(self.weights_bytes);
        capacity as f64 / self.kv_bytes_per_token.max(1) as f64
    }
}
