//! A model as an application serves it.

use std::sync::Arc;

use super::{EngineSpec, RooflineSpec, Sku};
use crate::instance::continuous::GpuMemory;
use crate::models::{Model, Precision};
use crate::performance::Timing;

/// A model served by an application.
#[derive(Clone, PartialEq, Debug)]
pub struct ModelSpec {
    /// As the performance tables name it, e.g. `llama2-70b`.
    pub name: String,
    /// Transformer layers.
    pub layers: u32,
    /// Hidden size.
    pub hidden_size: u32,
    /// Bytes of all weights.
    pub weights_bytes: u64,
    /// KV bytes of one token of one sequence, > 0.
    pub kv_bytes_per_token: u64,
    /// Its matrices and its cache in detail; none for the ancestor's models, of which only the above counts.
    pub known: Option<Arc<KnownModel>>,
    /// Who times it operator by operator; none: its times are those of a table, or fixed.
    pub roofline: Option<RooflineSpec>,
}

/// A model of which every matrix is known, with the number formats it is served in.
#[derive(Clone, PartialEq, Debug)]
pub struct KnownModel {
    /// The model.
    pub model: Model,
    /// The contents of the `config.json` it is from; none: a built-in model.
    pub config: Option<serde_json::Value>,
    /// Precision asked for the weights.
    pub precision: Precision,
    /// Precision of the KV cache: one for all instances, so that caches can move between them.
    pub cache: Precision,
}

impl KnownModel {
    /// As it is served where nothing else is said: weights as released, the cache in 16 bits.
    pub fn as_released(model: Model, config: Option<serde_json::Value>) -> Self {
        KnownModel { precision: model.released, cache: Precision::Bf16, model, config }
    }
}

impl ModelSpec {
    /// KV-cache bytes of `tokens` tokens of a request of `batch_size` sequences.
    pub fn kv_bytes(&self, batch_size: u32, tokens: u64) -> u64 {
        self.kv_bytes_per_token * u64::from(batch_size) * tokens
    }

    /// The memory of an instance on so many GPUs of a server: what its times say, otherwise the weights, and cache
    /// in all the rest that the engine takes.
    pub fn memory_on(&self, sku: &Sku, gpus: u32, engine: EngineSpec, timing: &Timing) -> GpuMemory {
        timing.memory.unwrap_or_else(|| self.plain_memory_on(sku, gpus, engine))
    }

    /// The same where nothing is known of its times.
    pub fn plain_memory_on(&self, sku: &Sku, gpus: u32, engine: EngineSpec) -> GpuMemory {
        let capacity_bytes = sku.gpu.memory_bytes * u64::from(gpus);
        let cache_bytes = self.cache_bytes_on(sku, gpus, engine).unwrap_or(0);
        GpuMemory {
            weights_bytes: self.weights_bytes.max(capacity_bytes - cache_bytes),
            capacity_bytes,
            kv_bytes_per_token: self.kv_bytes_per_token,
        }
    }

    /// Bytes for cache on so many GPUs, if nothing but the weights needs any; none: there is no room for both.
    pub fn cache_bytes_on(&self, sku: &Sku, gpus: u32, engine: EngineSpec) -> Option<u64> {
        let memory_bytes = sku.gpu.memory_bytes.saturating_mul(gpus.into());
        let space = engine.cache_space();
        if let Some(tokens) = space.tokens() {
            let cache_bytes = tokens.saturating_mul(self.kv_bytes_per_token);
            return Some(cache_bytes)
                .filter(|bytes| bytes.saturating_add(self.weights_bytes) <= memory_bytes);
        }
        let taken = space.gpu_memory_utilization.map(|share| (share * memory_bytes as f64) as u64);
        taken.unwrap_or(memory_bytes).checked_sub(self.weights_bytes).filter(|&bytes| bytes > 0)
    }
}

impl From<KnownModel> for ModelSpec {
    /// Layers whose attention is windowed keep next to nothing and are left out of the bytes of a token.
    fn from(known: KnownModel) -> Self {
        let KnownModel { model, precision, cache, .. } = &known;
        ModelSpec {
            name: model.name.clone(),
            layers: model.layers,
            hidden_size: model.hidden_size,
            weights_bytes: model.weight_bytes(model.weight_precision(*precision)) as u64,
            kv_bytes_per_token: (model.kv_bytes_per_token(*cache) as u64).max(1),
            known: Some(Arc::new(known)),
            roofline: None,
        }
    }
}
