//! `roofline`: the time of an iteration from what its operators compute and move.
//!
//! Every operator takes a fixed start plus the longer of its arithmetic and its memory traffic, each at the share
//! of the data sheet's peak that measured kernels reach ([`Gpu`]). An iteration is their sum over the layers,
//! scaled by the engine's constants ([`Backend`]), plus host work an iteration and a sequence:
//!
//! ```text
//! iteration = host + experts' layers · layer + sequences · sequence
//!           + memory_scale · Σ traffic + compute_scale · Σ (arithmetic beyond the traffic)
//! ```
//!
//! Decoding lives on the second line's first term, long prompts on its second; prompts ride along with weights
//! that are read anyway. Experts touched by T tokens of k choices among E: E (1 − (1 − k/E)^T).
//!
//! Tables of kernels measured one by one take the formulas' place where they cover a deployment, see
//! [`Roofline::with_kernels`]; everything else stays.
//!
//! Leaves out: jitter, clocks that drop under load, kernels that change with the shape, skewed routing beyond a mean
//! factor, requests spread unevenly over engines that work in step, speculative decoding, LoRA, links between servers.
//! How far it can be trusted is printed by `cargo test --test suite roofline -- --nocapture`: mean errors of the time
//! of a token are 2 to 8 % for dense models on GPUs with measured kernels and engines, 4 to 12 % for mixtures of
//! experts (an engine and a model never seen together: up to 30 %), 15 to 25 % for a GPU of which only the data sheet
//! is known; of the time to first token 9 to 51 %.
//!
//! Units: seconds unless a name says otherwise, bytes, tokens.

mod backend;
mod breakdown;
mod closed_loop;
mod coverage;
mod decode_lines;
mod decode_run;
mod error;
mod factor;
pub mod fit;
mod gpu;
mod gpu_file;
mod gpu_name;
mod gpus;
mod in_step;
mod iteration;
mod memory;
mod operators;
mod own_constants;
mod parallelism;
mod times;

pub use backend::{Backend, Constants};
pub use breakdown::{Breakdown, Terms};
pub use closed_loop::{ClosedLoop, Load};
pub use coverage::{Cover, Coverage};
pub use decode_run::DecodeRun;
pub use error::RooflineError;
pub use gpu::{Collective, Evidence, ExpertShare, Gpu, Kernels, Share};
pub use gpu_file::{GpuSheet, parse_gpu, read_gpu};
pub use gpu_name::find_gpu;
pub(crate) use gpu_name::gpu_letters;
pub use gpus::builtin_gpus;
pub use iteration::{IterationSums, PrefillChunk};
pub use memory::{GPU_MEMORY_UTILIZATION, KvMemory};
pub use operators::{Operator, OperatorTimes};
pub use own_constants::OwnConstants;
pub use parallelism::Parallelism;

use super::lookup::kernels::KernelTables;
use crate::models::{Model, Precision, Window};
use in_step::Busiest;
use times::{LayerCosts, Work};

/// An instance: which model runs on which GPUs under which engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Deployment {
    /// The model.
    pub model: Model,
    /// Its GPUs, all alike and in one server.
    pub gpu: Gpu,
    /// The engine.
    pub backend: Backend,
    /// How the model is split.
    pub parallelism: Parallelism,
    /// Precision asked for the weights; a model released in 4 bits only keeps them.
    pub precision: Precision,
    /// Precision of the KV cache; none: what the engine takes by itself.
    pub cache: Option<Precision>,
}

/// The times of one deployment. Pure: the same iteration always takes the same time.
#[derive(Clone, Debug)]
pub struct Roofline {
    deployment: Deployment,
    cache: Precision,
    memory_share: f64,
    constants: Constants,
    costs: LayerCosts,
    coverage: Option<Coverage>,
}

impl Roofline {
    /// The times of this deployment, with the engine's built-in constants.
    pub fn new(deployment: Deployment) -> Result<Self, RooflineError> {
        deployment.parallelism.check(&deployment.model)?;
        let cache = deployment.cache.unwrap_or_else(|| {
            let weights = deployment.model.weight_precision(deployment.precision);
            deployment.backend.default_cache(weights, &deployment.gpu)
        });
        let constants = deployment.backend.constants(deployment.model.is_moe());
        let costs = LayerCosts::of(&deployment, cache);
        let memory_share = GPU_MEMORY_UTILIZATION;
        Ok(Roofline { deployment, cache, memory_share, constants, costs, coverage: None })
    }

    /// The same with constants of one's own, e.g. fitted to one's own measurements.
    pub fn with_constants(self, constants: Constants) -> Self {
        Roofline { constants, ..self }
    }

    /// The same under an engine that takes this share of the GPUs' memory (vLLM's `gpu_memory_utilization`), in
    /// (0, 1]. Times stay as they are.
    pub fn with_memory_share(self, memory_share: f64) -> Self {
        Roofline { memory_share, ..self }
    }

    /// The same with measured times of kernels in the place of formulas, as far as the tables cover the deployment.
    pub fn with_kernels(mut self, tables: &KernelTables) -> Self {
        self.coverage = Some(self.costs.refine(&self.deployment, self.cache, tables));
        self
    }

    /// What tables of kernels cover, if there are any.
    pub fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }

    /// What is deployed.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// Precision of the KV cache.
    pub fn cache(&self) -> Precision {
        self.cache
    }

    /// Share of the GPUs' memory that the engine takes.
    pub fn memory_share(&self) -> f64 {
        self.memory_share
    }

    /// Precision of the weights.
    pub fn weights(&self) -> Precision {
        self.deployment.model.weight_precision(self.deployment.precision)
    }

    /// The engine's constants.
    pub fn constants(&self) -> &Constants {
        &self.constants
    }

    /// The model's window, which [`IterationSums`] need.
    pub fn window(&self) -> Option<Window> {
        self.deployment.model.window()
    }

    /// What the iteration's time is linear in.
    pub fn terms(&self, sums: &IterationSums) -> Terms {
        let Work { memory, compute } = self.costs.operators(sums);
        Terms {
            iterations: 1.0,
            expert_layers: self.costs.expert_layers(),
            sequences: Busiest::of(sums, self.deployment.parallelism.data).sequences(),
            memory,
            compute,
        }
    }

    /// Seconds of every part of the iteration.
    pub fn breakdown(&self, sums: &IterationSums) -> Breakdown {
        self.terms(sums).breakdown(&self.constants)
    }

    /// Nanoseconds of the iteration; 0 only for an empty one.
    pub fn iteration_ns(&self, sums: &IterationSums) -> u64 {
        match (sums.sequences(), sums.chunks) {
            (0, _) => 0,
            (_, 0) => self.decode_run(sums).elapsed_ns(1).max(1),
            _ => ((self.breakdown(sums).total_s() * 1e9).round() as u64).max(1),
        }
    }

    /// A run of iterations of the decoding sequences of `sums` (its prompts are ignored), as long as nobody joins
    /// or leaves and no sequence outgrows the model's window ([`IterationSums::growing_in_window`]).
    pub fn decode_run(&self, sums: &IterationSums) -> DecodeRun {
        let alone = IterationSums { decodes: sums.decodes, ..IterationSums::default() };
        let base_fs = fs(self.breakdown(&alone).total_s());
        let [full_fs, windowed_fs] = self.context_token_fs(sums.decodes);
        let grows = |full: u64, windowed: u64| full * full_fs + windowed * windowed_fs;
        DecodeRun {
            first_fs: base_fs + grows(sums.decode_context, sums.windowed_decode_context),
            growth_fs: grows(sums.decodes, sums.growing_in_window),
        }
    }

    /// Femtoseconds that one more token of context adds to decoding so many sequences: in layers without a window, and
    /// in others.
    pub fn context_token_fs(&self, sequences: u64) -> [u64; 2] {
        self.costs.context_token_s(sequences).map(|seconds| fs(seconds * self.constants.memory_scale))
    }

    /// What the weights leave for the KV cache.
    pub fn kv_memory(&self) -> KvMemory {
        KvMemory::of(&self.deployment, self.cache, self.memory_share)
    }
}

/// Whole femtoseconds.
fn fs(seconds: f64) -> u64 {
    (seconds * 1e15).round() as u64
}

#[cfg(test)]
mod tests;
