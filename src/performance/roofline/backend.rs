//! What serving engines add to their kernels.
//!
//! Kernels measured one by one do not make an iteration: the host prepares it, samples and sends tokens out,
//! kernels overlap or wait. Four constants per engine say how much; models with experts have constants of their
//! own, because their host time grows with the layers.
//!
//! They are the outcome of [`fit`](super::fit) over the end-to-end points that NVIDIA AIConfigurator publishes
//! (`silicon_sample.csv`, Apache-2.0, commit 095f58a: InferenceMAX and AIConfigurator's own benchmarks of 2025 and
//! 2026), aggregated serving without attention data parallelism; `cargo test --test suite roofline --
//! --nocapture` fits them anew and prints the error of every group. Mean errors over the points they were fitted
//! to, and how many those are: see beside each.
//!
//! Time a sequence of dense models is held, not fitted, where other fits know it better: these points hardly tell it
//! from time an iteration and from reading weights. TensorRT-LLM: 28 µs, of a fit over Llama-70B and Qwen3-32B on
//! H100, H200 and B200; one model alone says 56. vLLM: 26 µs, of a fit over Llama-3.1-70B in fp8 and fp4 on the same
//! GPUs (213 points); here Llama-3.1-70B alone says 39, Qwen3-32B, of another benchmark, 57, and both together 55, at
//! a mean error of 4.1 instead of 5.5 %. What settles it are requests replayed one by one: `docs/replays.md`.

use std::fmt;
use std::str::FromStr;

use super::{Gpu, RooflineError};
use crate::models::{Attention, Model, Precision};

/// A serving engine with fitted constants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Backend {
    /// vLLM.
    Vllm,
    /// NVIDIA TensorRT-LLM.
    TrtLlm,
    /// SGLang.
    Sglang,
}

/// The constants of an engine, and how well they fit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Constants {
    /// Seconds of host work an iteration.
    pub host_s: f64,
    /// Seconds of host work a layer with experts, an iteration.
    pub expert_layer_s: f64,
    /// Seconds of host work a sequence, an iteration.
    pub sequence_s: f64,
    /// Time of moving data over that of the kernels one by one: what decoding lives on.
    pub memory_scale: f64,
    /// The same of the arithmetic beyond: what long prompts live on.
    pub compute_scale: f64,
    /// Seconds of the time to first token that prefill does not explain: tokenising, routing, the wait for an
    /// iteration to end. The weakest of all constants; no part of an iteration.
    pub front_end_s: f64,
}

impl Constants {
    /// How many constants an iteration's time is linear in.
    pub const COUNT: usize = 5;

    /// Those constants: host, layer with experts, sequence, memory scale, compute scale.
    pub const fn values(&self) -> [f64; Self::COUNT] {
        [self.host_s, self.expert_layer_s, self.sequence_s, self.memory_scale, self.compute_scale]
    }

    /// The constants with these values, in the order of [`values`](Self::values).
    pub const fn from_values(values: [f64; Self::COUNT], front_end_s: f64) -> Self {
        let [host_s, expert_layer_s, sequence_s, memory_scale, compute_scale] = values;
        Constants { host_s, expert_layer_s, sequence_s, memory_scale, compute_scale, front_end_s }
    }
}

/// Host, layer and sequence in µs, the scales, and the front end in ms.
const fn constants([host, layer, sequence, memory, compute]: [f64; 5], front_end_ms: f64) -> Constants {
    let values = [host * 1e-6, layer * 1e-6, sequence * 1e-6, memory, compute];
    Constants::from_values(values, front_end_ms * 1e-3)
}

impl Backend {
    /// All of them.
    pub const ALL: [Backend; 3] = [Backend::Vllm, Backend::TrtLlm, Backend::Sglang];

    /// As it stands in files.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Vllm => "vllm",
            Backend::TrtLlm => "trtllm",
            Backend::Sglang => "sglang",
        }
    }

    /// Its constants, for models with or without experts.
    pub const fn constants(self, experts: bool) -> Constants {
        match (self, experts) {
            // Llama-3.1-70B in fp8 and fp4, Qwen3-32B in bf16; H100, H200, B200: 298 points, 5.5 %.
            (Backend::Vllm, false) => constants([3181.0, 0.0, 26.0, 0.943, 1.165], 61.7),
            // gpt-oss-120b on H100, MiniMax-M2.5 on H100, H200, B200: 241 points, 7.5 %.
            (Backend::Vllm, true) => constants([0.0, 40.9, 32.1, 0.806, 2.166], 46.9),
            // Qwen3-32B in fp8 on H100 (1.0.0rc3, 1.2.0rc6), one point on B200: 175 points, 6.8 %.
            (Backend::TrtLlm, false) => constants([2518.0, 0.0, 28.0, 0.952, 0.925], 142.0),
            // gpt-oss-120b on B200 (1.2.0rc2), Qwen3-235B-A22B in fp8 on H100 (1.0.0rc3): 219 points, 8.0 %.
            (Backend::TrtLlm, true) => constants([0.0, 23.5, 17.5, 0.753, 1.465], 37.8),
            // Llama-3.1-8B in fp8 on H200 (0.5.6): 45 points, 4.9 %.
            (Backend::Sglang, false) => constants([7306.0, 0.0, 13.9, 0.797, 0.562], 319.1),
            // Qwen3-235B-A22B in fp8 on H200 (0.5.6), 2 to 9 clients: 24 points, 7.7 %. So few clients do not tell
            // the time of reading weights from the host's: the memory scale is held at vLLM's, and larger loads
            // are an extrapolation.
            (Backend::Sglang, true) => constants([0.0, 29.9, 0.0, 0.806, 3.546], 204.7),
        }
    }

    /// Precision of the KV cache when nothing is said: TensorRT-LLM takes 8 bits once the weights are quantised (as
    /// NVIDIA's quantised checkpoints say), vLLM likewise where the GPU knows 4-bit arithmetic (Blackwell, as in
    /// the recipes of InferenceMAX), otherwise 16 bits.
    pub fn default_cache(self, weights: Precision, gpu: &Gpu) -> Precision {
        let small = match self {
            Backend::TrtLlm => gpu.fp8_flops.is_some(),
            Backend::Vllm => gpu.fp4_flops.is_some(),
            Backend::Sglang => false,
        };
        if weights != Precision::Bf16 && small { Precision::Fp8 } else { Precision::Bf16 }
    }

    /// Why this engine's times of such a model are an extrapolation; none: models of its kind were measured.
    pub fn untested_with(self, model: &Model) -> Option<String> {
        if matches!(model.attention, Attention::Latent(_)) {
            return Some(format!(
                "no model with latent attention such as {} was measured under {self}",
                model.name
            ));
        }
        match (self, model.is_moe()) {
            (Backend::TrtLlm, true) => Some(format!(
                "an engine and a mixture of experts never seen together ({self}, {}) are up to 30 % off; two were measured",
                model.name
            )),
            (Backend::Sglang, true) => {
                Some(format!("mixtures of experts were measured under {self} with 2 to 9 clients only"))
            }
            _ => None,
        }
    }

    /// Tokens an iteration takes at most unless told otherwise: on GPUs with 70 GB or more, and on others.
    pub const fn default_token_budget(self, memory_bytes: f64) -> u64 {
        match self {
            Backend::Vllm if memory_bytes < 70e9 => 2048,
            _ => 8192,
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = RooflineError;

    fn from_str(text: &str) -> Result<Self, RooflineError> {
        let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.to_ascii_lowercase().as_str() {
            "vllm" => Ok(Backend::Vllm),
            "trtllm" | "tensorrtllm" => Ok(Backend::TrtLlm),
            "sglang" | "sgl" => Ok(Backend::Sglang),
            _ => {
                let known = Backend::ALL.map(Backend::name).to_vec();
                Err(RooflineError::UnknownBackend { name: text.to_owned(), known })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_found_under_the_names_people_give_them() {
        assert_eq!("TensorRT-LLM".parse::<Backend>().unwrap(), Backend::TrtLlm);
        assert_eq!("vLLM".parse::<Backend>().unwrap(), Backend::Vllm);
        let error = "tgi".parse::<Backend>().unwrap_err().to_string();
        assert!(error.contains("expected one of vllm, trtllm, sglang"), "{error}");
    }
}
