//! The times of one kind of instance, for either kind of engine.
//!
//! Engines of the ancestor ask for the time of a batch ([`PerformanceModel`]), `vllm` for that of an iteration with
//! contexts ([`IterationTime`]). A model answers one of them by nature; the other is derived, so that every model
//! runs under every engine.

use std::sync::Arc;

use ebbflow_actors::SimDuration;

use super::{BatchShape, LookupError, PerformanceModel};
use crate::cluster::DoesNotFit;
use crate::instance::continuous::{Chunk, DecodeLine, Decodes, FS_IN_NS, GpuMemory, IterationTime, MakeUp};

/// Tokens of context assumed of each decoding sequence where the engine does not tell.
pub const ASSUMED_CONTEXT_TOKENS: u64 = 1024;

/// How long iterations take on one kind of instance (model, GPU and parallelism are fixed).
#[derive(Clone, Debug)]
pub struct Timing {
    /// For engines that know batches.
    pub batches: Arc<dyn PerformanceModel>,
    /// For the engine `vllm`.
    pub iterations: Arc<dyn IterationTime>,
    /// What the GPUs hold; none: the model's weights, and cache in all the rest.
    pub memory: Option<GpuMemory>,
}

impl Timing {
    /// From a model of batches. Under `vllm`, a piece of a prompt takes the time of a prompt of its length, and
    /// contexts take none.
    pub fn of_batches(batches: Arc<dyn PerformanceModel>) -> Self {
        let iterations = Arc::new(WithoutContext(Arc::clone(&batches)));
        Timing { batches, iterations, memory: None }
    }

    /// From a model of iterations. Under other engines, prompts of a batch are equally long and start from nothing,
    /// and every decode has a context of [`ASSUMED_CONTEXT_TOKENS`].
    pub fn of_iterations(iterations: Arc<dyn IterationTime>) -> Self {
        let batches = Arc::new(AssumedContext(Arc::clone(&iterations)));
        Timing { batches, iterations, memory: None }
    }

    /// The same on GPUs of which this much is left for the cache.
    pub fn with_memory(self, memory: GpuMemory) -> Self {
        Timing { memory: Some(memory), ..self }
    }
}

/// An instance whose times nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum TimingError {
    /// The table has no row for it.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The model does not fit, or nothing is known of the GPU.
    #[error(transparent)]
    DoesNotFit(#[from] DoesNotFit),
}

#[derive(Debug)]
struct WithoutContext(Arc<dyn PerformanceModel>);

impl WithoutContext {
    fn iteration(&self, shape: BatchShape) -> SimDuration {
        SimDuration::from_secs_f64(self.0.iteration_s(shape)).unwrap_or(SimDuration::MAX)
    }
}

impl IterationTime for WithoutContext {
    fn mixed(&self, MakeUp { chunks, decodes }: &MakeUp) -> SimDuration {
        self.iteration(BatchShape {
            prompts: chunks.len() as u32,
            prompt_tokens: chunks.iter().map(|chunk| chunk.tokens).sum(),
            decodes: decodes.sequences * decodes.tokens_each,
        })
    }

    fn decode_line(&self, sequences: u32, tokens_each: u32) -> DecodeLine {
        let decodes = sequences * tokens_each;
        let base_fs = self
            .iteration(BatchShape { decodes, ..BatchShape::default() })
            .as_nanos()
            .saturating_mul(FS_IN_NS);
        DecodeLine { base_fs, per_context_fs: 0, per_windowed_context_fs: 0 }
    }
}

#[derive(Debug)]
struct AssumedContext(Arc<dyn IterationTime>);

impl PerformanceModel for AssumedContext {
    fn iteration_s(&self, BatchShape { prompts, prompt_tokens, decodes }: BatchShape) -> f64 {
        let each = prompt_tokens / u64::from(prompts.max(1));
        let longer = prompt_tokens % u64::from(prompts.max(1));
        let chunk = |nth| Chunk { tokens: each + u64::from(nth < longer), context: 0 };
        let window = self.0.window_tokens().map_or(0, u64::from);
        let make_up = MakeUp {
            chunks: (0..u64::from(prompts)).map(chunk).collect(),
            decodes: Decodes {
                sequences: decodes,
                tokens_each: 1,
                context: u64::from(decodes) * ASSUMED_CONTEXT_TOKENS,
                windowed_context: u64::from(decodes) * ASSUMED_CONTEXT_TOKENS.min(window),
                growing_in_window: 0,
            },
        };
        if prompts > 0 {
            return self.0.mixed(&make_up).as_secs_f64();
        }
        let line = self.0.decode_line(decodes, 1);
        let fs = line.base_fs as f64
            + line.per_context_fs as f64 * make_up.decodes.context as f64
            + line.per_windowed_context_fs as f64 * make_up.decodes.windowed_context as f64;
        fs * 1e-15
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::Constant;

    fn constant() -> Arc<dyn PerformanceModel> {
        Arc::new(Constant::new(0.5, 0.02).unwrap())
    }

    #[test]
    fn a_model_of_batches_times_iterations_by_what_is_in_them() {
        let timing = Timing::of_batches(constant());
        let chunks = vec![Chunk { tokens: 100, context: 1_000 }];
        let mixed = timing.iterations.mixed(&MakeUp { chunks, decodes: Decodes::default() });
        assert_eq!(mixed, SimDuration::from_millis(500));
        let line = timing.iterations.decode_line(7, 1);
        assert_eq!(line, DecodeLine { base_fs: 20_000_000_000_000, ..line });
        assert_eq!((line.per_context_fs, line.per_windowed_context_fs), (0, 0));
    }

    #[test]
    fn there_and_back_again_a_model_of_batches_is_itself() {
        let back = Timing::of_iterations(Timing::of_batches(constant()).iterations);
        for shape in [
            BatchShape { prompts: 3, prompt_tokens: 1_000, decodes: 4 },
            BatchShape { prompts: 0, prompt_tokens: 0, decodes: 4 },
        ] {
            assert!((back.batches.iteration_s(shape) - constant().iteration_s(shape)).abs() < 1e-12);
        }
    }
}
