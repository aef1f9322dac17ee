//! What a GPU can do, and which part of it kernels reach.
//!
//! Peaks are those of the data sheet, dense (no sparsity). The share of them that kernels reach is measured:
//! a matrix multiplication takes a fixed start plus the longer of arithmetic and memory traffic, each at its
//! share of the peak. Errors are mean relative errors of that form over the measured kernels.

use crate::models::Precision;

/// A GPU: its data sheet, and what kernels reach of it. Rates are per second and per GPU.
#[derive(Clone, PartialEq, Debug)]
pub struct Gpu {
    /// Its name.
    pub name: String,
    /// Bytes of memory.
    pub memory_bytes: f64,
    /// Bytes of memory read a second.
    pub bandwidth_bytes_s: f64,
    /// Floating-point operations a second in bf16.
    pub bf16_flops: f64,
    /// The same in fp8; none: the GPU multiplies 8-bit weights in bf16.
    pub fp8_flops: Option<f64>,
    /// The same in fp4; none: the GPU multiplies 4-bit weights in bf16.
    pub fp4_flops: Option<f64>,
    /// Bytes a second to the other GPUs of the server, in one direction.
    pub link_bytes_s: f64,
    /// What matrix multiplications reach.
    pub gemm: Kernels<Share>,
    /// Share of the bf16 peak that attention over a prompt reaches.
    pub prefill_attention: f64,
    /// Share of the bandwidth that attention of decoding sequences reaches.
    pub decode_attention: f64,
    /// All-reduce among 2, 4 and 8 GPUs.
    pub all_reduce: [Collective; 3],
    /// What expert kernels reach.
    pub experts: Kernels<ExpertShare>,
    /// How far these figures can be trusted.
    pub evidence: Evidence,
    /// Where the sheet's figures are from.
    pub sheet: String,
    /// Where the shares are from.
    pub kernels: String,
}

/// What a kind of kernel reaches with weights of each precision.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Kernels<T> {
    /// 16-bit weights.
    pub bf16: T,
    /// 8-bit weights.
    pub fp8: T,
    /// 4-bit weights and activations of 4 or 8 bits.
    pub fp4: T,
    /// 4-bit weights and 16-bit activations; arithmetic in bf16.
    pub fp4_bf16: T,
}

/// Shares of the peaks that matrix multiplications reach.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Share {
    /// Of the arithmetic peak.
    pub compute: f64,
    /// Of the bandwidth.
    pub memory: f64,
    /// Mean relative error of these two over the measured kernels; none: assumed.
    pub mean_error: Option<f64>,
}

/// What expert kernels reach.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ExpertShare {
    /// Of the arithmetic peak, many tokens at a time.
    pub compute: f64,
    /// Of the bandwidth, per byte of an expert that some token visits.
    pub memory: f64,
    /// Fixed time of a layer's experts, few tokens at a time, seconds.
    pub start_s: f64,
    /// Mean relative error over the measured kernels, few and many tokens; none: assumed.
    pub mean_error: Option<f64>,
}

/// A collective operation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Collective {
    /// Share of the link that it reaches.
    pub share: f64,
    /// Fixed time, seconds.
    pub start_s: f64,
    /// Mean relative error over the measured sizes; none: assumed.
    pub mean_error: Option<f64>,
}

/// How far a GPU's figures can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// Kernels measured, and whole engines on it held against the model.
    EndToEnd,
    /// Kernels measured only.
    Kernels,
    /// Shares assumed: expect errors of 15 to 25 %.
    Assumed,
}

impl Gpu {
    /// Peak and share for multiplying with weights of this precision, and bytes of an activation. Without
    /// arithmetic of its own for it, weights are small but multiplied in bf16.
    pub(super) fn arithmetic(&self, weights: Precision) -> (f64, Share, f64) {
        let bf16 = (self.bf16_flops, Precision::Bf16.bytes());
        match (weights, self.fp8_flops, self.fp4_flops) {
            (Precision::Bf16, ..) => (bf16.0, self.gemm.bf16, bf16.1),
            (Precision::Fp8, Some(peak), _) => (peak, self.gemm.fp8, 1.0),
            (Precision::Fp8, None, _) => (bf16.0, self.gemm.fp8, bf16.1),
            (_, _, Some(peak)) => (peak, self.gemm.fp4, weights.bytes()),
            (..) => (bf16.0, self.gemm.fp4_bf16, bf16.1),
        }
    }

    /// Peak and share of experts with weights of this precision.
    pub(super) fn expert_arithmetic(&self, weights: Precision) -> (f64, ExpertShare) {
        match (weights, self.fp8_flops, self.fp4_flops) {
            (Precision::Bf16, ..) => (self.bf16_flops, self.experts.bf16),
            (Precision::Fp8, peak, _) => (peak.unwrap_or(self.bf16_flops), self.experts.fp8),
            (Precision::Fp4, _, Some(peak)) => (peak, self.experts.fp4),
            // The measured MXFP4 kernels (FlashInfer's, which TensorRT-LLM and vLLM run) take 8-bit activations.
            (Precision::Mxfp4, Some(peak), Some(_)) => (peak, self.experts.fp4),
            (..) => (self.bf16_flops, self.experts.fp4_bf16),
        }
    }

    /// All-reduce among `ranks` GPUs: the measured count that is not smaller.
    pub(super) fn collective(&self, ranks: u32) -> Collective {
        match ranks {
            0..=2 => self.all_reduce[0],
            3..=4 => self.all_reduce[1],
            _ => self.all_reduce[2],
        }
    }
}
