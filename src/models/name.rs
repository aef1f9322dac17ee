//! Which model a name means.
//!
//! People write models as publishers, quantisers and benchmarks do: with an organisation before the name, and
//! with what was done to the weights after it. None of that changes a size.

use super::builtin::builtin_models;
use super::{Model, ModelError};
use crate::diagnosis::nearest;

/// What follows a model's name without changing a size, longest first.
const SUFFIXES: [&str; 22] = [
    "-instruct-2507",
    "-thinking-2507",
    "-fp8-dynamic",
    "-fp8-kv",
    "-quantized.w8a8",
    "-instruct",
    "-thinking",
    "-nvfp4",
    "-mxfp4",
    "-bf16",
    "-fp16",
    "-2507",
    "-base",
    "-chat",
    "-fp8",
    "-fp4",
    "-awq",
    "-hf",
    "-it",
    "-v0.1",
    "-v0.3",
    "-moe",
];

/// A name without its organisation, its quantisation and its tuning, in lower case.
pub fn canonical_name(name: &str) -> String {
    let name = name.trim().rsplit('/').next().unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    let mut name = name.strip_prefix("meta-").unwrap_or(&name);
    while let Some(shorter) = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)) {
        name = shorter;
    }
    name.to_owned()
}

/// The built-in model of this name.
pub fn find(name: &str) -> Result<Model, ModelError> {
    let wanted = canonical_name(name);
    if let Some(model) = builtin_models().into_iter().find(|model| canonical_name(&model.name) == wanted) {
        return Ok(model);
    }
    let known: Vec<String> = builtin_models().into_iter().map(|model| model.name).collect();
    let nearest = nearest(&wanted, known.iter().map(String::as_str)).map(str::to_owned);
    Err(ModelError::Unknown { name: name.to_owned(), nearest, known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_under_the_names_people_give_it() {
        for (name, means) in [
            ("meta-llama/Llama-3.1-8B-Instruct", "Llama-3.1-8B"),
            ("nvidia/Llama-3.1-8B-Instruct-FP8", "Llama-3.1-8B"),
            ("Llama-3.3-70B", "Llama-3.3-70B"),
            ("Qwen/Qwen3-235B-A22B-FP8", "Qwen3-235B-A22B"),
            ("nvidia/Qwen3-32B-NVFP4", "Qwen3-32B"),
            ("Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen3-30B-A3B"),
            ("meta-llama/Meta-Llama-3-8B", "Meta-Llama-3-8B"),
            ("GPT-OSS-120B", "gpt-oss-120b"),
            ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral-8x7B"),
            ("meta-llama/Llama-2-7b-chat-hf", "Llama-2-7b"),
        ] {
            assert_eq!(find(name).unwrap().name, means, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_all() {
        let error = find("meta-llama/Lama-3.1-70B").unwrap_err().to_string();
        assert!(error.contains("did you mean `Llama-3.1-70B`?"), "{error}");
        assert!(error.contains("gpt-oss-120b") && error.contains("config.json"), "{error}");
    }
}
