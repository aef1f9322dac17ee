//! Which servers to start: a named SKU, the first of the cluster, or the one that serves most per dollar.

use std::sync::Arc;

use super::error::ScalingError;
use super::state::ScalingState;
use crate::cluster::shape_on_server;
use crate::ids::Tag;
use crate::performance::{BatchShape, PerformanceModel};
use crate::scenario::Sku;

/// How a manager picks the SKU of a new server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum SkuChoice {
    /// The first of the cluster configuration, even if its count is 0.
    #[default]
    First,
    /// This one.
    Named(String),
    /// Of those in the cluster configuration that fit the model and are not used up, the one that serves most
    /// tokens per dollar; of equals, or where prices are not known, the first.
    Auto,
}

/// The request by which SKUs are compared: the mean of the Azure conversation trace of 2023
/// (github.com/Azure/AzurePublicDataset), rounded.
const PROMPT_TOKENS: u64 = 1155;
const OUTPUT_TOKENS: u64 = 211;
/// Requests decoding together, unless the memory holds fewer.
const CONCURRENCY: u64 = 64;

/// The word for [`SkuChoice::Auto`].
pub(crate) const AUTO: &str = "auto";

impl ScalingState {
    /// The SKU of a new server for this pool: the one asked for by name, or the manager's choice.
    pub(super) fn choose_sku(&self, asked: Option<&str>, tag: Option<Tag>) -> Result<Arc<Sku>, ScalingError> {
        match (asked, &self.spec.server_sku) {
            (Some(AUTO), _) | (None, SkuChoice::Auto) => self.best_sku(tag),
            (Some(name), _) => self.find_sku(Some(name)),
            (None, SkuChoice::Named(name)) => self.find_sku(Some(name)),
            (None, SkuChoice::First) => self.find_sku(None),
        }
    }

    /// Of the SKUs that can be had, the one with the most tokens per dollar. If none can, what stands against
    /// the first.
    fn best_sku(&self, tag: Option<Tag>) -> Result<Arc<Sku>, ScalingError> {
        let mut best: Option<(f64, &Arc<Sku>)> = None;
        let mut refusal = None;
        for group in &self.cluster.servers {
            match self.tokens_per_dollar(&group.sku, tag) {
                Ok(value) if best.is_none_or(|(most, _)| value > most) => best = Some((value, &group.sku)),
                Ok(_) => {}
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match best {
            Some((_, sku)) => Ok(Arc::clone(sku)),
            None => Err(refusal.unwrap_or(ScalingError::NoServerConfiguration)),
        }
    }

    /// Tokens, prompt and output, that an instance on all GPUs of a server gets through per dollar of rent, or
    /// per GPU-hour where the price is not known.
    fn tokens_per_dollar(&self, sku: &Arc<Sku>, tag: Option<Tag>) -> Result<f64, ScalingError> {
        if self.warm_server(sku).is_none() {
            self.room_for_server(sku)?;
        }
        let config = self.configs.for_tag(tag);
        let shape = shape_on_server(&self.model, sku, config)?;
        let performance = (self.performance)(sku, config.spread(shape.parallelism))?;
        let kv_tokens = self.model.memory_on(sku, shape.gpus, config.engine, &performance).kv_tokens();
        let usd_per_h = f64::from(sku.gpus) * sku.usd_per_gpu_h.unwrap_or(1.0);
        Ok(tokens_per_s(&*performance.batches, kv_tokens, tag) * 3600.0 / usd_per_h)
    }
}

/// Tokens of reference requests per second: `n` of them are computed one by one and then decode together, or
/// only the half that the pool does.
fn tokens_per_s(performance: &dyn PerformanceModel, kv_tokens: u64, tag: Option<Tag>) -> f64 {
    let concurrency = (kv_tokens / (PROMPT_TOKENS + OUTPUT_TOKENS)).clamp(1, CONCURRENCY);
    let prompt = BatchShape { prompts: 1, prompt_tokens: PROMPT_TOKENS, decodes: 0 };
    let decode = BatchShape { prompts: 0, prompt_tokens: 0, decodes: concurrency as u32 };
    let prefill_s = concurrency as f64 * performance.iteration_s(prompt);
    let decode_s = OUTPUT_TOKENS as f64 * performance.iteration_s(decode);
    let (tokens, seconds) = match tag {
        Some(Tag::Prompt) => (PROMPT_TOKENS, prefill_s),
        Some(Tag::Token) => (OUTPUT_TOKENS, decode_s),
        Some(Tag::Mixed) | None => (PROMPT_TOKENS + OUTPUT_TOKENS, prefill_s + decode_s),
    };
    (concurrency * tokens) as f64 / seconds
}
