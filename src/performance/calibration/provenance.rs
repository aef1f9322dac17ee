//! What constants were fitted to, and how well they fit.

use serde::{Deserialize, Serialize};

/// Where fitted constants come from. No dates: the same log always gives the same file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Name of the log, without its folder.
    pub log: String,
    /// FNV-1a of its bytes, 16 hexadecimal digits.
    pub fingerprint: String,
    /// Requests in it.
    pub requests: u64,
    /// Those of them that were not fitted to, but judged by.
    pub held_back: u64,
    /// Tokens an iteration may compute.
    pub max_num_batched_tokens: u64,
    /// Sequences that may run.
    pub max_num_seqs: u32,
    /// Tokens the KV cache holds.
    pub kv_tokens: u64,
    /// Version of Ebbflow that fitted.
    pub ebbflow: String,
    /// Errors of what was simulated.
    pub errors: Vec<MetricErrors>,
}

/// How far a metric of the simulated requests is from the measured ones: `+2.1` is 2.1 % too long.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricErrors {
    /// e.g. `TTFT mean`.
    pub metric: String,
    /// With the engine's built-in constants, percent.
    pub before_pct: Held,
    /// With the fitted ones, percent.
    pub after_pct: Held,
}

/// Errors over the requests that were fitted to, and over those held back.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Fitted to.
    pub fitted: f64,
    /// Held back.
    pub held_back: f64,
}
