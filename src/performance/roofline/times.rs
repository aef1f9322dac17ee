//! The times of the operators of one deployment, before the engine's constants.
//!
//! One GPU of the busiest engine is timed: tensor-parallel GPUs do the same at the same time. Starts and passes over
//! memory of the small operators are those of kernels within CUDA graphs.
//!
//! Where kernels were [measured], their times take the place of the formulas'; nothing else changes.

mod experts;
mod measured;

use super::Deployment;
use super::decode_lines::{DecodeLines, Line};
use super::factor::{Factor, Surface};
use super::gpu::{Collective, Gpu, Share};
use super::in_step::{Busiest, spread_over};
use super::iteration::IterationSums;
use super::operators::{Operator, OperatorTimes};
use crate::models::{Attention, Matrix, Precision};
use experts::ExpertCosts;

/// Start of a matrix multiplication within a CUDA graph.
const GEMM_START_S: f64 = 2e-6;
/// What block-scaled 8-bit weights add to it: activations are scaled block by block in a kernel of their own. Fitted:
/// 15 to 25 µs suit MiniMax-M2.5 under vLLM and Qwen3-235B-A22B under TensorRT-LLM alike.
const BLOCK_START_S: f64 = 20e-6;
/// Start of an attention kernel.
const ATTENTION_START_S: f64 = 5e-6;
/// Start of the elementwise operators of a layer together.
const ELEMENTWISE_START_S: f64 = 4e-6;
/// How often those read or write the residual stream, and the share of the bandwidth they reach.
const ELEMENTWISE_PASSES: f64 = 6.0;
const ELEMENTWISE_SHARE: f64 = 0.7;
/// Bytes of an element of the residual stream.
const STREAM_BYTES: f64 = 2.0;

/// Seconds of all operators of an iteration.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Work {
    /// Of moving data, starts included.
    pub(super) memory: OperatorTimes,
    /// By which arithmetic takes longer than that.
    pub(super) compute: OperatorTimes,
}

impl Work {
    fn charge(&mut self, operator: Operator, seconds: Seconds) {
        self.memory.charge(operator, seconds.memory);
        self.compute.charge(operator, seconds.compute);
    }
}

/// Seconds of one operator, likewise.
#[derive(Clone, Copy, Default, Debug)]
struct Seconds {
    memory: f64,
    compute: f64,
}

impl Seconds {
    /// An operator that moves data and computes at the same time.
    fn of(memory: f64, arithmetic: f64) -> Self {
        Seconds { memory, compute: (arithmetic - memory).max(0.0) }
    }

    const fn memory(memory: f64) -> Self {
        Seconds { memory, compute: 0.0 }
    }

    fn plus(self, other: Self) -> Self {
        Seconds { memory: self.memory + other.memory, compute: self.compute + other.compute }
    }

    fn times(self, factor: f64) -> Self {
        Seconds { memory: self.memory * factor, compute: self.compute * factor }
    }

    fn total(self) -> f64 {
        self.memory + self.compute
    }
}

/// A matrix, and how much longer its multiplication takes as measured.
#[derive(Clone, Debug)]
struct Gemm {
    matrix: Matrix,
    factor: Factor,
}

impl Gemm {
    fn of(matrix: Matrix) -> Self {
        Gemm { matrix, factor: Factor::default() }
    }

    fn all(matrices: Vec<Matrix>) -> Vec<Self> {
        matrices.into_iter().map(Gemm::of).collect()
    }
}

/// Everything that does not depend on the batch, worked out once.
#[derive(Clone, Debug)]
pub(super) struct LayerCosts {
    layers: f64,
    dense_layers: f64,
    windowed_layers: f64,
    bandwidth: f64,
    hidden: f64,
    projections: Vec<Gemm>,
    feed_forward: Vec<Gemm>,
    dense: Arithmetic,
    experts: Option<ExpertCosts>,
    lm_head: Gemm,
    bf16: Arithmetic,
    /// Seconds of a pair of tokens in a prompt's attention, a layer.
    pair_s: f64,
    /// Seconds of a token of context in decoding attention, a layer.
    context_s: f64,
    /// Attention as measured, in layers without a window and in others.
    prefill: [Option<Surface>; 2],
    decode: [Option<DecodeLines>; 2],
    tensor: f64,
    collective: Collective,
    engines: u32,
    expert_gpus: f64,
    expert_collective: Collective,
    sum_factor: Factor,
    link: f64,
    boundaries: f64,
}

#[derive(Clone, Copy, Debug)]
struct Arithmetic {
    flops: f64,
    bytes_s: f64,
    weight_bytes: f64,
    activation_bytes: f64,
    start_s: f64,
}

impl LayerCosts {
    pub(super) fn of(deployment: &Deployment, cache: Precision) -> Self {
        let Deployment { model, gpu, parallelism, .. } = deployment;
        let tensor = parallelism.tensor;
        let weights = model.weight_precision(deployment.precision);
        let score = match model.attention {
            Attention::Grouped { .. } => 4.0 * f64::from(model.head_dim),
            Attention::Latent(latent) => {
                2.0 * f64::from(latent.nope_dim + latent.rope_dim + latent.value_dim)
            }
        };
        let heads = f64::from(model.heads) / f64::from(tensor);
        LayerCosts {
            layers: f64::from(model.layers),
            dense_layers: f64::from(model.dense_layers()),
            windowed_layers: model.window().map_or(0.0, |window| f64::from(window.layers)),
            bandwidth: gpu.bandwidth_bytes_s,
            hidden: f64::from(model.hidden_size),
            projections: Gemm::all(model.attention_matrices(tensor)),
            feed_forward: Gemm::all(model.dense_matrices(tensor)),
            dense: dense_arithmetic(deployment, weights),
            experts: ExpertCosts::of(deployment, weights),
            lm_head: Gemm::of(Matrix {
                rows: model.embedding().rows / f64::from(tensor),
                ..model.embedding()
            }),
            bf16: Arithmetic::of(gpu, Precision::Bf16),
            pair_s: heads * score / (gpu.prefill_attention * gpu.bf16_flops),
            context_s: model.kv_layer_bytes(cache, tensor) / (gpu.decode_attention * gpu.bandwidth_bytes_s),
            prefill: [None, None],
            decode: [None, None],
            tensor: f64::from(tensor),
            collective: gpu.collective(tensor),
            engines: parallelism.data,
            expert_gpus: f64::from(parallelism.expert_gpus()),
            expert_collective: gpu.collective(parallelism.expert_gpus()),
            sum_factor: Factor::default(),
            link: gpu.link_bytes_s,
            boundaries: f64::from(parallelism.pipeline - 1),
        }
    }

    pub(super) fn expert_layers(&self) -> f64 {
        self.experts.as_ref().map_or(0.0, |experts| experts.layers)
    }

    /// Seconds that one more token of context adds to so many decodes: in layers without a window, and in others.
    pub(super) fn context_token_s(&self, decodes: u64) -> [f64; 2] {
        let engines = spread_over(decodes, self.engines);
        let [full, windowed] =
            self.decode_lines(decodes as f64 / engines).map(|line| line.context_s / engines);
        [(self.layers - self.windowed_layers) * full, self.windowed_layers * windowed]
    }

    /// Attention of so many decoding sequences of an engine, a layer without a window, and another.
    fn decode_lines(&self, sequences: f64) -> [Line; 2] {
        let formula = Line { start_s: ATTENTION_START_S, context_s: self.context_s };
        [0, 1].map(|kind| self.decode[kind].as_ref().map_or(formula, |lines| lines.at(sequences)))
    }

    /// All layers, for all that is in `sums`.
    pub(super) fn operators(&self, sums: &IterationSums) -> Work {
        let mut times = Work::default();
        if sums.tokens() == 0 {
            return times;
        }
        let busiest = Busiest::of(sums, self.engines);
        let tokens = busiest.tokens();
        times.charge(Operator::Projections, gemms(&self.projections, tokens, self.dense).times(self.layers));
        if self.dense_layers > 0.0 {
            let block_s = gemms(&self.feed_forward, tokens, self.dense);
            times.charge(Operator::FeedForward, block_s.times(self.dense_layers));
        }
        if let Some(experts) = &self.experts {
            let experts_s = experts.seconds(sums.tokens() as f64, tokens, self.bf16);
            times.charge(Operator::Experts, experts_s.times(experts.layers));
            let shared_s = gemms(&experts.shared, tokens, self.dense);
            times.charge(Operator::FeedForward, shared_s.times(experts.layers));
        }
        times.charge(Operator::LmHead, gemm(&self.lm_head, busiest.sequences(), self.bf16));
        self.attention(&busiest, &mut times);
        self.traffic(tokens, &mut times);
        self.dispatch(sums.tokens() as f64, &mut times);
        times
    }

    fn attention(&self, busiest: &Busiest, times: &mut Work) {
        if busiest.prompts > 0.0 {
            times.charge(Operator::PrefillAttention, self.prefill_attention(busiest));
        }
        if busiest.decodes > 0.0 {
            times.charge(Operator::DecodeAttention, Seconds::memory(self.decode_attention_s(busiest)));
        }
    }

    fn prefill_attention(&self, busiest: &Busiest) -> Seconds {
        let ratio = |kind: usize, tokens: f64| {
            self.prefill[kind].as_ref().map_or(1.0, |surface| surface.at(busiest.prompts, tokens))
        };
        // A piece of a prompt takes as long as the whole prompt that has as many pairs.
        let whole = (2.0 * busiest.prefill_pairs / busiest.prompts).sqrt();
        let full = self.prompts_s(busiest.prefill_pairs).times(ratio(0, whole));
        let mean = busiest.prefill_tokens / busiest.prompts;
        let windowed = self.prompts_s(busiest.windowed_prefill_pairs).times(ratio(1, mean));
        full.times(self.layers - self.windowed_layers).plus(windowed.times(self.windowed_layers))
    }

    fn decode_attention_s(&self, busiest: &Busiest) -> f64 {
        let [full, windowed] = self.decode_lines(busiest.decodes);
        (self.layers - self.windowed_layers) * full.at(busiest.decode_context)
            + self.windowed_layers * windowed.at(busiest.windowed_decode_context)
    }

    /// By the formula, a layer.
    fn prompts_s(&self, pairs: f64) -> Seconds {
        Seconds::of(ATTENTION_START_S, ATTENTION_START_S + pairs * self.pair_s)
    }

    /// What moves the residual stream.
    fn traffic(&self, tokens: f64, times: &mut Work) {
        let stream = tokens * self.hidden * STREAM_BYTES;
        let passes_s = ELEMENTWISE_PASSES * stream / (ELEMENTWISE_SHARE * self.bandwidth);
        times.charge(Operator::Elementwise, Seconds::memory(self.layers * (ELEMENTWISE_START_S + passes_s)));
        let link = self.collective.share * self.link;
        if self.tensor > 1.0 {
            let elements = tokens * self.hidden;
            let sum_s = self.sum_s(elements) * self.sum_factor.at(elements);
            times.charge(Operator::AllReduce, Seconds::memory(2.0 * self.layers * sum_s));
        }
        let stage_s = self.collective.start_s + stream / link;
        times.charge(Operator::SendReceive, Seconds::memory(self.boundaries * stage_s));
    }

    /// Engines that share experts gather the tokens of all before them and scatter the sums behind them, which moves
    /// as much as an all-reduce.
    fn dispatch(&self, tokens: f64, times: &mut Work) {
        if self.engines == 1 {
            return;
        }
        let stream = tokens * self.hidden * STREAM_BYTES;
        let link = self.expert_collective.share * self.link;
        let ring_s = 2.0 * (self.expert_gpus - 1.0) / self.expert_gpus * stream / link;
        let both_s = 2.0 * self.expert_collective.start_s + ring_s;
        times.charge(Operator::AllReduce, Seconds::memory(self.expert_layers() * both_s));
    }

    /// A sum over the GPUs, by the formula.
    fn sum_s(&self, elements: f64) -> f64 {
        let link = self.collective.share * self.link;
        let ring_s = 2.0 * (self.tensor - 1.0) / self.tensor * (elements * STREAM_BYTES) / link;
        self.collective.start_s + ring_s
    }
}

impl Arithmetic {
    fn of(gpu: &Gpu, weights: Precision) -> Self {
        let (peak, Share { compute, memory, .. }, activation_bytes) = gpu.arithmetic(weights);
        Arithmetic {
            flops: peak * compute,
            bytes_s: gpu.bandwidth_bytes_s * memory,
            weight_bytes: weights.bytes(),
            activation_bytes,
            start_s: GEMM_START_S,
        }
    }

    /// Seconds of multiplying `tokens` vectors with a matrix.
    fn gemm_s(self, matrix: Matrix, tokens: f64) -> Seconds {
        let arithmetic_s = 2.0 * tokens * matrix.size() / self.flops;
        let bytes = matrix.size() * self.weight_bytes
            + tokens * matrix.columns * self.activation_bytes
            + tokens * matrix.rows * STREAM_BYTES;
        Seconds::of(self.start_s + bytes / self.bytes_s, self.start_s + arithmetic_s)
    }
}

fn dense_arithmetic(deployment: &Deployment, weights: Precision) -> Arithmetic {
    let Deployment { model, gpu, .. } = deployment;
    let weights = model.dense_precision(weights);
    let mut arithmetic = Arithmetic::of(gpu, weights);
    if weights == Precision::Fp8 && model.block_scaled {
        arithmetic.start_s += BLOCK_START_S;
    }
    arithmetic
}

fn gemm(Gemm { matrix, factor }: &Gemm, tokens: f64, arithmetic: Arithmetic) -> Seconds {
    arithmetic.gemm_s(*matrix, tokens).times(factor.at(tokens))
}

fn gemms(all: &[Gemm], tokens: f64, arithmetic: Arithmetic) -> Seconds {
    all.iter().map(|one| gemm(one, tokens, arithmetic)).fold(Seconds::default(), Seconds::plus)
}
