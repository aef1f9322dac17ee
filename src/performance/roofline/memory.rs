//! What the weights leave for the KV cache.
//!
//! An engine takes a share of the memory (`gpu_memory_utilization` of vLLM, 0.9 by itself), puts the weights there,
//! keeps some for CUDA graphs, communication and the activations of the largest iteration, and gives the rest to
//! the cache. What it keeps: 1.24 GB with iterations of 2048 tokens (vLLM 0.19, Llama-3.1-8B on an RTX 4090, from
//! the 41,408 tokens it reports in LLMServingSim, commit 5daddb2), about 3 GB with 8192 (assumed).

use super::Deployment;
use crate::models::{Precision, Window};

/// Share of the memory that an engine takes by itself: vLLM's default.
pub const GPU_MEMORY_UTILIZATION: f64 = 0.9;
/// Bytes a GPU for graphs and communication, and for the activations of a token in the largest iteration.
const RESERVED_BYTES: f64 = 0.6e9;
const TOKEN_BYTES: f64 = 0.3e6;

/// The KV cache of an instance, all its GPUs together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct KvMemory {
    /// Bytes of weights.
    pub weight_bytes: f64,
    /// Bytes for the cache; negative when the weights do not fit.
    pub available_bytes: f64,
    /// Bytes of one token of context in layers without a window.
    pub token_bytes: f64,
    /// Bytes of one token in windowed layers, and their window.
    windowed: Option<(f64, Window)>,
}

impl KvMemory {
    pub(super) fn of(deployment: &Deployment, cache: Precision, share: f64) -> Self {
        let Deployment { model, gpu, parallelism, .. } = deployment;
        let weights = model.weight_precision(deployment.precision);
        // Every engine has all but the experts, which they share.
        let engines = f64::from(parallelism.data);
        let (all, experts) = (model.weight_bytes(weights), model.expert_bytes(weights));
        let weight_bytes = engines * (all - experts) + experts;
        let gpus = f64::from(parallelism.gpus());
        let budget = deployment.backend.default_token_budget(gpu.memory_bytes);
        let reserved_bytes = RESERVED_BYTES + TOKEN_BYTES * budget as f64;
        let layer_bytes = model.kv_layer_bytes(cache, parallelism.tensor) * f64::from(parallelism.tensor);
        let windowed = model.window().map(|window| (layer_bytes * f64::from(window.layers), window));
        let full = f64::from(model.layers - model.window().map_or(0, |window| window.layers));
        KvMemory {
            weight_bytes,
            available_bytes: gpus * (share * gpu.memory_bytes - reserved_bytes) - weight_bytes,
            token_bytes: full * layer_bytes,
            windowed,
        }
    }

    /// Bytes of a sequence of this context.
    pub fn sequence_bytes(&self, context: u64) -> f64 {
        let windowed =
            self.windowed.map_or(0.0, |(bytes, window)| bytes * context.min(u64::from(window.tokens)) as f64);
        self.token_bytes * context as f64 + windowed
    }

    /// Tokens the cache holds, windows left out of account; 0 when the weights do not fit.
    pub fn capacity_tokens(&self) -> u64 {
        (self.available_bytes / self.token_bytes).max(0.0) as u64
    }

    /// Whether the weights leave room for a block of tokens at least.
    pub fn fits(&self) -> bool {
        self.capacity_tokens() >= 16
    }

    /// Bytes for weights and cache together: what the engine takes less what it keeps for itself.
    pub fn room_bytes(&self) -> f64 {
        (self.weight_bytes + self.available_bytes).max(0.0)
    }

    /// Sequences of this context that the cache holds at once.
    pub fn sequences(&self, context: u64) -> u64 {
        (self.available_bytes / self.sequence_bytes(context.max(1))).max(0.0) as u64
    }
}
