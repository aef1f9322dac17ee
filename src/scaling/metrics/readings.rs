//! One signal of many instances.

use ebbflow_actors::SimDuration;

use super::sample::InstanceSample;
use crate::ids::InstanceId;

/// What can be read off an instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Signal {
    /// Requests in the running batch.
    Running,
    /// Requests that wait at the instance.
    Waiting,
    /// Requests at the instance, running or waiting.
    Ongoing,
    /// Prompt tokens not computed yet of those that wait.
    WaitingPromptTokens,
    /// Share of the KV memory in use, from 0 to 1.
    KvUse,
    /// Tokens in the KV cache.
    KvTokens,
    /// Share of all memory in use, weights included, from 0 to 1.
    MemoryUse,
    /// Share of time with a batch running since the sample before, from 0 to 1.
    Busy,
}

impl Signal {
    /// As the decision log names it.
    pub const fn name(self) -> &'static str {
        match self {
            Signal::Running => "running",
            Signal::Waiting => "waiting",
            Signal::Ongoing => "ongoing",
            Signal::WaitingPromptTokens => "waiting_prompt_tokens",
            Signal::KvUse => "kv_use",
            Signal::KvTokens => "kv_tokens",
            Signal::MemoryUse => "memory_use",
            Signal::Busy => "busy",
        }
    }

    /// The value in a sample; `before` is the one that precedes it. `Busy` needs both.
    pub(super) fn value(self, sample: &InstanceSample, before: Option<&InstanceSample>) -> Option<f64> {
        Some(match self {
            Signal::Running => f64::from(sample.running),
            Signal::Waiting => f64::from(sample.waiting),
            Signal::Ongoing => f64::from(sample.running) + f64::from(sample.waiting),
            Signal::WaitingPromptTokens => sample.waiting_prompt_tokens as f64,
            Signal::KvUse => sample.kv_use(),
            Signal::KvTokens => sample.kv_tokens(),
            Signal::MemoryUse => sample.memory_bytes as f64 / sample.capacity_bytes.max(1) as f64,
            Signal::Busy => {
                let before = before?;
                let span_s = (sample.at - before.at).as_secs_f64();
                (sample.busy.as_secs_f64() - before.busy.as_secs_f64()) / span_s
            }
        })
    }
}

/// What was read off one instance.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reading {
    /// Which.
    pub instance: InstanceId,
    /// The value, in the unit of the signal.
    pub value: f64,
    /// How old it is.
    pub age: SimDuration,
}

/// What was read off the instances of a pool, by instance. One that has not answered yet is missing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Readings(pub(super) Vec<Reading>);

impl Readings {
    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.0.iter()
    }

    /// How many instances have answered.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The sum over the instances, 0 without any.
    pub fn sum(&self) -> f64 {
        self.0.iter().map(|reading| reading.value).sum()
    }

    /// The mean over the instances.
    pub fn mean(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.sum() / self.0.len() as f64)
    }

    /// The largest.
    pub fn max(&self) -> Option<f64> {
        self.0.iter().map(|reading| reading.value).max_by(f64::total_cmp)
    }

    /// The age of the oldest.
    pub fn oldest(&self) -> Option<SimDuration> {
        self.0.iter().map(|reading| reading.age).max()
    }
}
