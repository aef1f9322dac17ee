//! What an engine can do, as its performance model says.
//!
//! Prefill works on one prompt at a time. Decode is swept once over the number of sequences decoded together,
//! up to a largest batch; which of them fit depends on their context and the KV cache. Leaves out: chunks of
//! prompts among the decodes, and any effect of the context on time (the performance models have none).

use std::sync::Arc;

use crate::performance::{BatchShape, PerformanceModel};
use crate::scaling::InstanceCapacity;

/// The profile of an engine.
#[derive(Clone, Debug)]
pub struct Profile {
    performance: Arc<dyn PerformanceModel>,
    /// GPUs of an engine.
    pub gpus: u32,
    /// Tokens that its KV cache can hold.
    kv_tokens: u64,
    /// Time between tokens with 1, 2, … sequences, in seconds.
    itl_s: Vec<f64>,
}

impl Profile {
    /// The profile of instances like this one, decoding `largest_batch` sequences at most.
    pub fn new(capacity: &InstanceCapacity, largest_batch: u32) -> Self {
        let itl_s =
            |decodes| capacity.performance.iteration_s(BatchShape { prompts: 0, prompt_tokens: 0, decodes });
        Profile {
            performance: Arc::clone(&capacity.performance),
            gpus: capacity.gpus.max(1),
            kv_tokens: capacity.kv_tokens,
            itl_s: (1..=largest_batch.max(1)).map(itl_s).collect(),
        }
    }

    /// Time to first token of a lone prompt, in seconds.
    pub fn ttft_s(&self, prompt_tokens: f64) -> f64 {
        let prompt_tokens = prompt_tokens.max(1.0).round() as u64;
        self.performance.iteration_s(BatchShape { prompts: 1, prompt_tokens, decodes: 0 })
    }

    /// Prompt tokens that a GPU computes per second.
    pub fn prefill_tokens_per_s_per_gpu(&self, prompt_tokens: f64) -> f64 {
        prompt_tokens.max(1.0) / self.ttft_s(prompt_tokens) / f64::from(self.gpus)
    }

    /// Time between tokens while so many sequences are decoded, in seconds.
    pub fn itl_s(&self, sequences: f64) -> f64 {
        let nth = (sequences.round() as usize).clamp(1, self.itl_s.len());
        self.itl_s[nth - 1]
    }

    /// Output tokens that a GPU computes per second in the largest batch that fits and whose time between
    /// tokens is within `itl_s`; where none is, alone.
    pub fn decode_tokens_per_s_per_gpu(&self, itl_s: f64, context_tokens: f64) -> f64 {
        let fit = (self.kv_tokens as f64 / context_tokens.max(1.0)) as usize;
        let fit = fit.clamp(1, self.itl_s.len());
        let best = self.itl_s[..fit].iter().rposition(|&reached_s| reached_s <= itl_s).unwrap_or(0);
        (best + 1) as f64 / self.itl_s[best] / f64::from(self.gpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 ms a prompt token; 10 ms and 1 ms a sequence to decode.
    #[derive(Debug)]
    struct Linear;

    impl PerformanceModel for Linear {
        fn iteration_s(&self, batch: BatchShape) -> f64 {
            match batch.prompts {
                0 => 0.010 + 0.001 * f64::from(batch.decodes),
                _ => 0.001 * batch.prompt_tokens as f64,
            }
        }
    }

    fn profile() -> Profile {
        let capacity = InstanceCapacity { gpus: 2, performance: Arc::new(Linear), kv_tokens: 10_000 };
        Profile::new(&capacity, 64)
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9 * right.abs()
    }

    #[test]
    fn prefill_is_profiled_one_prompt_at_a_time() {
        assert!(close(profile().ttft_s(500.0), 0.5));
        assert!(close(profile().prefill_tokens_per_s_per_gpu(500.0), 500.0));
    }

    #[test]
    fn decode_takes_the_largest_batch_that_fits_and_is_fast_enough() {
        let per_gpu = |itl_s, context| profile().decode_tokens_per_s_per_gpu(itl_s, context);
        assert!(close(per_gpu(0.0301, 10.0), 20.0 / 0.030 / 2.0), "20 sequences take 30 ms");
        assert!(close(per_gpu(0.0301, 1000.0), 10.0 / 0.020 / 2.0), "10 contexts fill the cache");
        assert!(close(per_gpu(9.0, 10.0), 64.0 / 0.074 / 2.0), "the largest batch");
        assert!(close(per_gpu(0.001, 10.0), 1.0 / 0.011 / 2.0), "nothing is that fast");
        assert!(close(per_gpu(9.0, 1e9), 1.0 / 0.011 / 2.0), "nothing fits");
    }

    #[test]
    fn the_time_between_tokens_is_read_at_the_nearest_batch() {
        assert!(close(profile().itl_s(9.6), 0.020));
        assert!(close(profile().itl_s(0.0), 0.011));
        assert!(close(profile().itl_s(1e9), 0.074));
    }
}
