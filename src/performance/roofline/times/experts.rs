//! Routers and the experts that tokens choose.
//!
//! Of E experts, T tokens that choose k each visit E (1 − (1 − k/E)^T) on average; those are read.

use super::super::factor::Factor;
use super::{Arithmetic, Gemm, Seconds, gemm};
use crate::models::{Matrix, Precision};
use crate::performance::roofline::gpu::ExpertShare;
use crate::performance::roofline::{Deployment, Parallelism};

/// Share of an expert kernel's measured start that is left within a CUDA graph.
const EXPERT_START_SHARE: f64 = 0.8;
/// Experts kept whole on r GPUs: the busiest has r^0.3 times the mean. In NVIDIA AIConfigurator's kernels with
/// skewed routing (power law 1.2) it has 1.65 times on 4 and 1.96 on 8 H100, 1.33 and 1.56 on B200.
const EXPERT_IMBALANCE: f64 = 0.3;

#[derive(Clone, Debug)]
pub(super) struct ExpertCosts {
    pub(super) layers: f64,
    pub(super) count: f64,
    pub(super) active: f64,
    pub(super) router: Gemm,
    pub(super) shared: Vec<Gemm>,
    pub(super) start_s: f64,
    /// Seconds of arithmetic a token and expert it visits.
    pub(super) visit_s: f64,
    /// Seconds to read an expert that somebody visits.
    pub(super) read_s: f64,
    pub(super) factor: Factor,
}

impl ExpertCosts {
    /// None for a model without experts.
    pub(super) fn of(deployment: &Deployment, weights: Precision) -> Option<Self> {
        let Deployment { model, gpu, parallelism, .. } = deployment;
        let Parallelism { tensor, expert, .. } = *parallelism;
        let experts = model.experts?;
        let (peak, ExpertShare { compute, memory, start_s, .. }) = gpu.expert_arithmetic(weights);
        // On one GPU, on average: an expert is shared, or lies whole on one of several.
        let elements = model.expert_size() / f64::from(parallelism.expert_gpus());
        let imbalance = libm::pow(f64::from(expert), EXPERT_IMBALANCE);
        Some(ExpertCosts {
            layers: f64::from(experts.layers),
            count: f64::from(experts.count),
            active: f64::from(experts.active),
            router: Gemm::of(Matrix {
                rows: f64::from(experts.count),
                columns: f64::from(model.hidden_size),
            }),
            shared: Gemm::all(model.shared_expert_matrices(tensor)),
            start_s: EXPERT_START_SHARE * start_s,
            visit_s: imbalance * 2.0 * elements / (compute * peak),
            read_s: elements * weights.bytes() / (memory * gpu.bandwidth_bytes_s),
            factor: Factor::default(),
        })
    }

    /// Seconds of one layer's router, which sees the tokens of one engine, and experts, which see those of all.
    pub(super) fn seconds(&self, tokens: f64, routed: f64, bf16: Arithmetic) -> Seconds {
        gemm(&self.router, routed, bf16).plus(self.chosen_s(tokens).times(self.factor.at(tokens)))
    }

    /// The experts alone, by the formula.
    pub(super) fn chosen_s(&self, tokens: f64) -> Seconds {
        let missed = libm::pow(1.0 - self.active / self.count, tokens);
        let read_s = self.count * (1.0 - missed) * self.read_s;
        let arithmetic_s = tokens * self.active * self.visit_s;
        Seconds::of(self.start_s + read_s, self.start_s + arithmetic_s)
    }
}
