//! Parameters, bytes of weights and bytes of KV cache.

use super::{Attention, Matrix, Model, Precision};

impl Model {
    /// All parameters, embeddings included.
    pub fn parameters(&self) -> f64 {
        let experts = self.experts.map_or(0.0, |experts| f64::from(experts.count));
        self.parameters_with(experts) + self.embedding_parameters()
    }

    /// Parameters that one token meets: those of the experts it visits, and the output projection once.
    pub fn active_parameters(&self) -> f64 {
        let active = self.experts.map_or(0.0, |experts| f64::from(experts.active));
        self.parameters_with(active) + self.embedding().size()
    }

    /// The precision the weights have when a user asks for `asked`: a model released in 4 bits only is
    /// served in them, unless 16 bits are asked for.
    pub fn weight_precision(&self, asked: Precision) -> Precision {
        let only_four_bits = self.quantised_experts_only && self.released.is_four_bit();
        if only_four_bits && asked != Precision::Bf16 { self.released } else { asked }
    }

    /// Precision of the matrices that are no experts, when the weights are in `weights`.
    pub fn dense_precision(&self, weights: Precision) -> Precision {
        if self.quantised_experts_only { Precision::Bf16 } else { weights }
    }

    /// Bytes of all weights. Embeddings, output projection, routers and norms stay in bf16.
    pub fn weight_bytes(&self, weights: Precision) -> f64 {
        let dense = self.dense_precision(weights);
        let kept = self.embedding_parameters() + self.routers_and_norms();
        self.expert_bytes(weights) + self.dense_elements() * dense.bytes() + kept * Precision::Bf16.bytes()
    }

    /// Bytes of the experts that tokens choose among, 0 without any.
    pub fn expert_bytes(&self, weights: Precision) -> f64 {
        let experts =
            self.experts.map_or(0.0, |experts| f64::from(experts.count) * f64::from(experts.layers));
        experts * self.expert_size() * weights.bytes()
    }

    /// Bytes of keys and values of one token in one layer, in `cache`, on one of `ranks` tensor-parallel
    /// GPUs. A latent cache is not split.
    pub fn kv_layer_bytes(&self, cache: Precision, ranks: u32) -> f64 {
        let elements = match self.attention {
            Attention::Grouped { kv_heads, .. } => {
                2.0 * (f64::from(kv_heads) / f64::from(ranks)).max(1.0) * f64::from(self.head_dim)
            }
            Attention::Latent(latent) => f64::from(latent.kv_rank + latent.rope_dim),
        };
        elements * cache.bytes()
    }

    /// Bytes of KV cache that one more token of context takes, over all layers: those without a window.
    pub fn kv_bytes_per_token(&self, cache: Precision) -> f64 {
        let windowed = self.window().map_or(0, |window| window.layers);
        f64::from(self.layers - windowed) * self.kv_layer_bytes(cache, 1)
    }

    /// Bytes of KV cache of a sequence of `context` tokens: windowed layers keep no more than their window.
    pub fn kv_bytes(&self, cache: Precision, context: u64) -> f64 {
        let windowed = self
            .window()
            .map_or(0.0, |window| f64::from(window.layers) * context.min(u64::from(window.tokens)) as f64);
        self.kv_bytes_per_token(cache) * context as f64 + windowed * self.kv_layer_bytes(cache, 1)
    }

    fn parameters_with(&self, experts_a_layer: f64) -> f64 {
        let layers = self.experts.map_or(0.0, |experts| f64::from(experts.layers));
        self.dense_elements() + self.routers_and_norms() + layers * experts_a_layer * self.expert_size()
    }

    /// Attention, dense blocks and shared experts of all layers.
    fn dense_elements(&self) -> f64 {
        let sum = |matrices: Vec<Matrix>| matrices.into_iter().map(Matrix::size).sum::<f64>();
        let shared = self.experts.map_or(0.0, |experts| f64::from(experts.layers));
        f64::from(self.layers) * sum(self.attention_matrices(1))
            + f64::from(self.dense_layers()) * sum(self.dense_matrices(1))
            + shared * sum(self.shared_expert_matrices(1))
    }

    fn routers_and_norms(&self) -> f64 {
        let routers =
            self.experts.map_or(0.0, |experts| f64::from(experts.layers) * f64::from(experts.count));
        f64::from(self.hidden_size) * (routers + 2.0 * f64::from(self.layers) + 1.0)
    }

    fn embedding_parameters(&self) -> f64 {
        self.embedding().size() * if self.tied_embeddings { 1.0 } else { 2.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{builtin_models, find};
    use super::*;

    /// Billions of parameters as their publishers state them: in all, and met by one token (0: not stated, or
    /// with the embedding table, of which a token meets one row).
    /// Llama 2: arXiv 2307.09288 table 1 and the checkpoints' sizes; Llama 3: arXiv 2407.21783 and the model
    /// cards; Qwen: model cards; Mixtral: arXiv 2401.04088 and the model card; gpt-oss: its model card, table 1.
    const PUBLISHED: [(&str, f64, f64); 29] = [
        ("Llama-2-7b", 6.74, 0.0),
        ("Llama-2-13b", 13.02, 0.0),
        ("Llama-2-70b", 68.98, 0.0),
        ("Meta-Llama-3-8B", 8.03, 0.0),
        ("Meta-Llama-3-70B", 70.55, 0.0),
        ("Llama-3.1-8B", 8.03, 0.0),
        ("Llama-3.1-70B", 70.55, 0.0),
        ("Llama-3.1-405B", 405.85, 0.0),
        ("Llama-3.3-70B-Instruct", 70.55, 0.0),
        ("Qwen2.5-7B", 7.62, 0.0),
        ("Qwen2.5-14B", 14.77, 0.0),
        ("Qwen2.5-32B", 32.76, 0.0),
        ("Qwen2.5-72B", 72.71, 0.0),
        ("Qwen3-0.6B", 0.596, 0.0),
        ("Qwen3-1.7B", 1.72, 0.0),
        ("Qwen3-4B", 4.02, 0.0),
        ("Qwen3-8B", 8.19, 0.0),
        ("Qwen3-14B", 14.77, 0.0),
        ("Qwen3-32B", 32.76, 0.0),
        ("Qwen3-30B-A3B", 30.53, 0.0),
        ("Qwen3-235B-A22B", 235.09, 0.0),
        ("Mixtral-8x7B-v0.1", 46.7, 12.9),
        ("Mixtral-8x22B-v0.1", 140.63, 39.0),
        ("gpt-oss-20b", 20.91, 3.61),
        ("gpt-oss-120b", 116.83, 5.13),
        ("MiniMax-M2.5", 228.7, 0.0),
        ("Llama-3.2-1B", 1.24, 0.0),
        ("Llama-3.2-3B", 3.21, 0.0),
        ("Qwen2.5-1.5B", 1.54, 0.0),
    ];

    fn off(found: f64, published_billions: f64) -> f64 {
        (found / 1e9 / published_billions - 1.0).abs()
    }

    #[test]
    fn parameters_are_within_one_percent_of_the_published_counts() {
        for (name, total, active) in PUBLISHED {
            let model = find(name).unwrap();
            let found = model.parameters();
            assert!(off(found, total) < 0.01, "{name}: {} against {total}", found / 1e9);
            let met = model.active_parameters();
            assert!(active == 0.0 || off(met, active) < 0.02, "{name}: {} against {active}", met / 1e9);
        }
    }

    #[test]
    fn every_built_in_model_has_a_published_count_beside_it() {
        for model in builtin_models() {
            assert!(
                PUBLISHED.iter().any(|(name, ..)| find(name).is_ok_and(|found| found == model)),
                "{}",
                model.name
            );
        }
    }

    #[test]
    fn gpt_oss_weighs_what_its_checkpoints_weigh() {
        // Model card, table 1: checkpoints of 60.8 and 12.8 GiB.
        let gib = |name: &str| find(name).unwrap().weight_bytes(Precision::Mxfp4) / f64::from(1 << 30);
        assert!((gib("gpt-oss-120b") / 60.8 - 1.0).abs() < 0.01, "{}", gib("gpt-oss-120b"));
        assert!((gib("gpt-oss-20b") / 12.8 - 1.0).abs() < 0.02, "{}", gib("gpt-oss-20b"));
    }

    #[test]
    fn a_token_of_context_costs_what_the_heads_say() {
        let llama = find("Llama-3.1-70B").unwrap();
        assert_eq!(llama.kv_bytes_per_token(Precision::Bf16), 327_680.0);
        assert_eq!(llama.kv_bytes_per_token(Precision::Fp8), 163_840.0);
        assert_eq!(llama.kv_layer_bytes(Precision::Fp8, 16), llama.kv_layer_bytes(Precision::Fp8, 8));
    }

    #[test]
    fn windowed_layers_keep_no_more_than_their_window() {
        let model = find("gpt-oss-120b").unwrap();
        let at = |context| model.kv_bytes(Precision::Bf16, context);
        assert_eq!(at(64), 64.0 * 36.0 * 2048.0);
        assert_eq!(at(1128) - at(128), 1000.0 * 18.0 * 2048.0);
    }

    #[test]
    fn only_sixteen_bits_change_the_weights_of_a_model_released_in_four() {
        let model = find("gpt-oss-20b").unwrap();
        assert_eq!(model.weight_precision(Precision::Fp8), Precision::Mxfp4);
        assert_eq!(model.weight_precision(Precision::Bf16), Precision::Bf16);
        assert_eq!(find("Qwen3-8B").unwrap().weight_precision(Precision::Fp8), Precision::Fp8);
    }
}
