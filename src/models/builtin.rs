//! The built-in models: sizes as their publishers' config.json states them.

use super::{Attention, Experts, Model, Precision, Window};

/// A dense model with grouped attention: layers, hidden size, heads, key/value heads, elements of a head,
/// inner width, vocabulary, tied embeddings.
struct Dense(&'static str, [u32; 7], bool);

/// Meta, `meta-llama/*` on Hugging Face. Llama 3, 3.1 and 3.3 differ in context and training, not in size.
const LLAMA: [Dense; 11] = [
    Dense("Llama-2-7b", [32, 4096, 32, 32, 128, 11_008, 32_000], false),
    Dense("Llama-2-13b", [40, 5120, 40, 40, 128, 13_824, 32_000], false),
    Dense("Llama-2-70b", [80, 8192, 64, 8, 128, 28_672, 32_000], false),
    Dense("Meta-Llama-3-8B", [32, 4096, 32, 8, 128, 14_336, 128_256], false),
    Dense("Meta-Llama-3-70B", [80, 8192, 64, 8, 128, 28_672, 128_256], false),
    Dense("Llama-3.1-8B", [32, 4096, 32, 8, 128, 14_336, 128_256], false),
    Dense("Llama-3.1-70B", [80, 8192, 64, 8, 128, 28_672, 128_256], false),
    Dense("Llama-3.1-405B", [126, 16_384, 128, 8, 128, 53_248, 128_256], false),
    Dense("Llama-3.2-1B", [16, 2048, 32, 8, 64, 8192, 128_256], true),
    Dense("Llama-3.2-3B", [28, 3072, 24, 8, 128, 8192, 128_256], true),
    Dense("Llama-3.3-70B", [80, 8192, 64, 8, 128, 28_672, 128_256], false),
];

/// Alibaba, `Qwen/*` on Hugging Face.
const QWEN: [Dense; 11] = [
    Dense("Qwen2.5-1.5B", [28, 1536, 12, 2, 128, 8960, 151_936], true),
    Dense("Qwen2.5-7B", [28, 3584, 28, 4, 128, 18_944, 152_064], false),
    Dense("Qwen2.5-14B", [48, 5120, 40, 8, 128, 13_824, 152_064], false),
    Dense("Qwen2.5-32B", [64, 5120, 40, 8, 128, 27_648, 152_064], false),
    Dense("Qwen2.5-72B", [80, 8192, 64, 8, 128, 29_568, 152_064], false),
    Dense("Qwen3-0.6B", [28, 1024, 16, 8, 128, 3072, 151_936], true),
    Dense("Qwen3-1.7B", [28, 2048, 16, 8, 128, 6144, 151_936], true),
    Dense("Qwen3-4B", [36, 2560, 32, 8, 128, 9728, 151_936], true),
    Dense("Qwen3-8B", [36, 4096, 32, 8, 128, 12_288, 151_936], false),
    Dense("Qwen3-14B", [40, 5120, 40, 8, 128, 17_408, 151_936], false),
    Dense("Qwen3-32B", [64, 5120, 64, 8, 128, 25_600, 151_936], false),
];

/// A model with experts in every layer: layers, hidden size, heads, key/value heads, elements of a head,
/// experts, experts a token visits, inner width of an expert, vocabulary.
struct Sparse(&'static str, [u32; 9], &'static str);

const SPARSE: [Sparse; 7] = [
    Sparse("Qwen3-30B-A3B", [48, 2048, 32, 4, 128, 128, 8, 768, 151_936], "Qwen/Qwen3-30B-A3B"),
    Sparse("Qwen3-235B-A22B", [94, 4096, 64, 4, 128, 128, 8, 1536, 151_936], "Qwen/Qwen3-235B-A22B"),
    Sparse("Mixtral-8x7B", [32, 4096, 32, 8, 128, 8, 2, 14_336, 32_000], "mistralai/Mixtral-8x7B-v0.1"),
    Sparse("Mixtral-8x22B", [56, 6144, 48, 8, 128, 8, 2, 16_384, 32_000], "mistralai/Mixtral-8x22B-v0.1"),
    Sparse("gpt-oss-20b", [24, 2880, 64, 8, 64, 32, 4, 2880, 201_088], "openai/gpt-oss-20b"),
    Sparse("gpt-oss-120b", [36, 2880, 64, 8, 64, 128, 4, 2880, 201_088], "openai/gpt-oss-120b"),
    Sparse("MiniMax-M2.5", [62, 3072, 48, 8, 128, 256, 8, 1536, 200_064], "MiniMaxAI/MiniMax-M2.5"),
];

/// Every second layer of gpt-oss looks back this far; every head of it has a sink besides, which costs nothing.
const GPT_OSS_WINDOW: u32 = 128;

/// Models whose publishers release 8-bit weights with a scale a block. (So does Qwen for its dense models; those
/// are mostly served, and were measured, as others quantised them.)
const BLOCK_SCALED: [&str; 3] = ["Qwen3-30B-A3B", "Qwen3-235B-A22B", "MiniMax-M2.5"];

/// All built-in models.
pub fn builtin_models() -> Vec<Model> {
    let llama = LLAMA.iter().map(|entry| dense(entry, "meta-llama"));
    let qwen = QWEN.iter().map(|entry| dense(entry, "Qwen"));
    llama.chain(qwen).chain(SPARSE.iter().map(sparse)).collect()
}

fn dense(&Dense(name, sizes, tied_embeddings): &Dense, publisher: &str) -> Model {
    let [layers, hidden_size, heads, kv_heads, head_dim, ffn_size, vocabulary] = sizes;
    Model {
        name: name.to_owned(),
        layers,
        hidden_size,
        heads,
        head_dim,
        attention: Attention::Grouped { kv_heads, window: None },
        ffn_size,
        gated: true,
        experts: None,
        vocabulary,
        tied_embeddings,
        released: Precision::Bf16,
        quantised_experts_only: false,
        block_scaled: false,
        source: format!("config.json of {publisher}/{name}"),
        warnings: Vec::new(),
    }
}

fn sparse(&Sparse(name, sizes, repository): &Sparse) -> Model {
    let [layers, hidden_size, heads, kv_heads, head_dim, count, active, size, vocabulary] = sizes;
    let gpt_oss = name.starts_with("gpt-oss");
    let released = match name {
        "gpt-oss-20b" | "gpt-oss-120b" => Precision::Mxfp4,
        "MiniMax-M2.5" => Precision::Fp8,
        _ => Precision::Bf16,
    };
    let window = gpt_oss.then_some(Window { tokens: GPT_OSS_WINDOW, layers: layers / 2 });
    Model {
        attention: Attention::Grouped { kv_heads, window },
        experts: Some(Experts { count, active, size, shared_size: 0, layers }),
        released,
        quantised_experts_only: gpt_oss,
        block_scaled: BLOCK_SCALED.contains(&name),
        source: format!("config.json of {repository}"),
        ..dense(&Dense(name, [layers, hidden_size, heads, kv_heads, head_dim, 0, vocabulary], false), "")
    }
}
