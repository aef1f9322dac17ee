//! Reads a model from the `config.json` that Hugging Face repositories keep.
//!
//! The keys are those of the `transformers` library. A kind of model (`model_type`) outside the validated set,
//! latent attention, and parts that are left out are no errors: the model runs, with a warning that says why
//! its times may be wrong.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Attention, Experts, Latent, Model, ModelError, Precision, Window};

/// Kinds whose times were held against measurements, or that differ from those in sizes only.
const VALIDATED: [&str; 8] =
    ["llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "mixtral", "gpt_oss", "minimax_m2"];
/// Kinds whose feed-forward block has no gate.
const NOT_GATED: [&str; 10] =
    ["gpt2", "opt", "bloom", "gpt_neox", "gptj", "falcon", "phi", "starcoder2", "gpt_bigcode", "nemotron"];
/// Kinds that share the embedding table with the output projection unless they say otherwise.
const TIED: [&str; 6] = ["gemma", "gemma2", "gemma3_text", "gpt2", "opt", "bloom"];
/// More than any model has; keeps products of sizes finite.
const MAX_SIZE: u64 = 1 << 24;

/// Reads a `config.json`.
pub fn read_config(path: &Path) -> Result<Model, ModelError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ModelError::Unreadable { path: path.to_owned(), source })?;
    parse_config(path, &text)
}

/// The model described by `text`, the contents of the file `path`.
pub fn parse_config(path: &Path, text: &str) -> Result<Model, ModelError> {
    let root: Value =
        serde_json::from_str(text).map_err(|source| ModelError::NoJson { path: path.to_owned(), source })?;
    // Models that also see or hear keep the language model's sizes inside.
    let nested = root.get("text_config").filter(|nested| nested.is_object());
    let mut model = Config { path, values: nested.unwrap_or(&root), root: &root }.model()?;
    if nested.is_some() {
        model
            .warnings
            .push("only the language model is timed, not what turns images or sound into tokens".into());
    }
    Ok(model)
}

struct Config<'a> {
    path: &'a Path,
    values: &'a Value,
    root: &'a Value,
}

impl Config<'_> {
    fn model(&self) -> Result<Model, ModelError> {
        let kind = self.text("model_type").unwrap_or_default();
        let hidden_size = self.need(&["hidden_size", "n_embd", "d_model"])?;
        let layers = self.need(&["num_hidden_layers", "n_layer", "num_layers"])?;
        let heads = self.need(&["num_attention_heads", "n_head"])?;
        let head_dim = self.size(&["head_dim"])?.unwrap_or(hidden_size / heads);
        let experts = self.experts(layers)?;
        let dense_everywhere = experts.is_none_or(|experts| experts.layers < layers);
        let ffn_size = match self.size(&["intermediate_size", "n_inner", "ffn_dim"])? {
            Some(size) if dense_everywhere => size,
            _ if !dense_everywhere => 0,
            _ => 4 * hidden_size,
        };
        let attention = self.attention(layers, heads)?;
        let (released, quantised_experts_only) = self.released(&kind);
        Ok(Model {
            name: self.name(),
            layers,
            hidden_size,
            heads,
            head_dim,
            attention,
            ffn_size,
            gated: !NOT_GATED.contains(&kind.as_str()),
            experts,
            vocabulary: self.need(&["vocab_size"])?,
            tied_embeddings: self.flag("tie_word_embeddings").unwrap_or(TIED.contains(&kind.as_str())),
            released,
            quantised_experts_only,
            block_scaled: self.root.pointer("/quantization_config/weight_block_size").is_some(),
            source: self.path.display().to_string(),
            warnings: warnings(&kind, attention),
        })
    }

    fn attention(&self, layers: u32, heads: u32) -> Result<Attention, ModelError> {
        if let Some(kv_rank) = self.size(&["kv_lora_rank"])? {
            return Ok(Attention::Latent(Latent {
                kv_rank,
                rope_dim: self.need(&["qk_rope_head_dim"])?,
                query_rank: self.size(&["q_lora_rank"])?.unwrap_or(0),
                nope_dim: self.need(&["qk_nope_head_dim"])?,
                value_dim: self.need(&["v_head_dim"])?,
            }));
        }
        let kv_heads = match self.size(&["num_key_value_heads", "num_kv_heads"])? {
            Some(kv_heads) => kv_heads,
            None if self.flag("multi_query") == Some(true) => 1,
            None => heads,
        };
        Ok(Attention::Grouped { kv_heads, window: self.window(layers)? })
    }

    fn window(&self, layers: u32) -> Result<Option<Window>, ModelError> {
        if self.flag("use_sliding_window") == Some(false) {
            return Ok(None);
        }
        let Some(tokens) = self.size(&["sliding_window"])? else { return Ok(None) };
        let windowed = self.values.get("layer_types").and_then(Value::as_array).map(|kinds| {
            kinds.iter().filter(|kind| kind.as_str() == Some("sliding_attention")).count() as u32
        });
        let layers = windowed.unwrap_or(layers).min(layers);
        Ok((layers > 0).then_some(Window { tokens, layers }))
    }

    fn experts(&self, layers: u32) -> Result<Option<Experts>, ModelError> {
        let count = self.size(&["num_local_experts", "num_experts", "n_routed_experts"])?;
        let Some(count) = count.filter(|&count| count > 1) else { return Ok(None) };
        let active = self.need(&["num_experts_per_tok", "experts_per_token", "num_experts_per_token"])?;
        if active > count {
            return Err(self.refuse(
                "num_experts_per_tok",
                active,
                format!("at most the {count} experts there are"),
            ));
        }
        let size = match self.size(&["moe_intermediate_size"])? {
            Some(size) => size,
            None => self.need(&["intermediate_size"])?,
        };
        let shared = self.size(&["n_shared_experts", "num_shared_experts"])?.unwrap_or(0);
        let shared_size = self.size(&["shared_expert_intermediate_size"])?.unwrap_or(shared * size);
        let first_dense = self.size(&["first_k_dense_replace"])?.unwrap_or(0);
        let every = self.size(&["decoder_sparse_step", "moe_layer_freq"])?.unwrap_or(1).max(1);
        let without = self.values.get("mlp_only_layers").and_then(Value::as_array).map_or(0, Vec::len) as u32;
        let sparse = layers.saturating_sub(first_dense).saturating_sub(without) / every;
        Ok(Some(Experts { count, active, size, shared_size, layers: sparse }))
    }

    /// Precision of the released weights, and whether only the experts have it.
    fn released(&self, kind: &str) -> (Precision, bool) {
        let quantisation = self.root.get("quantization_config");
        let text = |key: &str| {
            let value = quantisation.and_then(|quantisation| quantisation.get(key)).and_then(Value::as_str);
            value.unwrap_or_default().to_ascii_lowercase()
        };
        match (text("quant_method").as_str(), text("quant_algo").as_str()) {
            ("mxfp4", _) => (Precision::Mxfp4, kind == "gpt_oss"),
            (_, "nvfp4") => (Precision::Fp4, false),
            ("fp8", _) | (_, "fp8") => (Precision::Fp8, false),
            _ => (Precision::Bf16, false),
        }
    }

    /// What the repository is called, or the folder the file lies in.
    fn name(&self) -> String {
        let folder = self.path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let named = self.root.get("_name_or_path").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = named.and_then(|name| name.rsplit('/').next()).or(folder);
        name.unwrap_or("model").to_owned()
    }

    fn need(&self, keys: &[&str]) -> Result<u32, ModelError> {
        let found = self.size(keys)?.filter(|&size| size > 0);
        found.ok_or_else(|| self.refuse(keys[0], "missing or 0", "a whole number above 0".to_owned()))
    }

    /// The first of these keys that is there.
    fn size(&self, keys: &[&str]) -> Result<Option<u32>, ModelError> {
        let value =
            keys.iter().find_map(|key| Some((key, self.values.get(key).filter(|value| !value.is_null())?)));
        let Some((key, value)) = value else { return Ok(None) };
        match value.as_u64().filter(|&size| size <= MAX_SIZE) {
            Some(size) => Ok(Some(size as u32)),
            None => Err(self.refuse(key, value, format!("a whole number up to {MAX_SIZE}"))),
        }
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.values.get(key).or_else(|| self.root.get(key)).and_then(Value::as_bool)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.values.get(key).and_then(Value::as_str).map(str::to_owned)
    }

    fn refuse(&self, key: &str, found: impl ToString, expected: String) -> ModelError {
        let (path, key) = (self.path.to_owned(), key.to_owned());
        ModelError::Key { path, key, found: found.to_string(), expected }
    }
}

fn warnings(kind: &str, attention: Attention) -> Vec<String> {
    let mut warnings = Vec::new();
    if !VALIDATED.contains(&kind) {
        warnings.push(format!(
            "`{kind}` is not among the validated kinds of models ({}): its times are an extrapolation",
            VALIDATED.join(", ")
        ));
    }
    if matches!(attention, Attention::Latent(_)) {
        warnings.push("multi-head latent attention was never held against measurements".to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn parse(text: &str) -> Result<Model, ModelError> {
        parse_config(Path::new("models/some/config.json"), text)
    }

    #[test]
    fn a_config_of_a_built_in_model_gives_the_same_sizes() {
        let model = parse(
            r#"{"model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80, "vocab_size": 128256,
                "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672}"#,
        );
        let (found, known) = (model.unwrap(), find("Llama-3.1-70B").unwrap());
        assert_eq!(found.name, "some");
        assert_eq!(Model { name: known.name.clone(), source: known.source.clone(), ..found }, known);
    }

    #[test]
    fn experts_and_windows_are_read() {
        let model = parse(
            r#"{"model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 4, "vocab_size": 201088,
                "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 2880,
                "num_local_experts": 128, "num_experts_per_tok": 4, "sliding_window": 128,
                "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
                "quantization_config": {"quant_method": "mxfp4"}}"#,
        );
        let (found, known) = (model.unwrap(), find("gpt-oss-120b").unwrap());
        assert_eq!(found.window(), Some(Window { tokens: 128, layers: 2 }));
        assert_eq!(found.experts, Some(Experts { layers: 4, ..known.experts.unwrap() }));
        assert_eq!((found.released, found.quantised_experts_only), (Precision::Mxfp4, true));
        assert!(found.warnings.is_empty());
    }

    #[test]
    fn latent_attention_and_unknown_kinds_run_with_a_warning() {
        let model = parse(
            r#"{"model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "vocab_size": 129280,
                "num_attention_heads": 128, "num_key_value_heads": 128, "intermediate_size": 18432,
                "moe_intermediate_size": 2048, "n_routed_experts": 256, "num_experts_per_tok": 8,
                "n_shared_experts": 1, "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}, "first_k_dense_replace": 3, "kv_lora_rank": 512, "q_lora_rank": 1536,
                "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}"#,
        )
        .unwrap();
        assert_eq!((model.warnings.len(), model.released, model.block_scaled), (2, Precision::Fp8, true));
        assert_eq!(model.kv_bytes_per_token(Precision::Bf16), 61.0 * 576.0 * 2.0);
        // 671 B in all, 37 B a token (DeepSeek-V3 technical report, arXiv 2412.19437).
        assert!((model.parameters() / 671e9 - 1.0).abs() < 0.01, "{}", model.parameters());
        assert!((model.active_parameters() / 37e9 - 1.0).abs() < 0.03, "{}", model.active_parameters());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let missing = parse(r#"{"model_type": "llama", "hidden_size": 64}"#).unwrap_err().to_string();
        assert!(missing.contains("config.json: `num_hidden_layers` is missing"), "{missing}");
        let wrong = parse(r#"{"hidden_size": "wide"}"#).unwrap_err().to_string();
        assert!(wrong.contains("`hidden_size` is \"wide\"; expected a whole number"), "{wrong}");
        let no_json = parse("{\n  nothing").unwrap_err().to_string();
        assert!(no_json.contains("config.json:2:3"), "{no_json}");
    }
}
