//! What a language model is as far as serving cost goes: sizes of its matrices, of its cache, and in which
//! precision its weights are kept.
//!
//! A [`Model`] comes from the built-in table ([`find`]) or from any Hugging Face `config.json` on disk
//! ([`read_config`]). From it follow parameters, bytes of weights, bytes of KV cache per token and the
//! matrices an iteration multiplies with. Sizes are elements, memory is bytes. Leaves out everything that
//! costs less than one percent: norms' arithmetic, biases, attention sinks (one number a head), rotary tables.
//! Also leaves out vision and audio towers, and layers that are no attention (state-space, linear attention).

mod builtin;
mod error;
mod hugging_face;
mod matrices;
mod name;
mod precision;
mod weights;

pub use builtin::builtin_models;
pub use error::ModelError;
pub use hugging_face::{parse_config, read_config};
pub use matrices::Matrix;
pub use name::{canonical_name, find};
pub use precision::Precision;

/// A decoder-only transformer.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Its name, as its publisher writes it, without the publisher.
    pub name: String,
    /// Transformer layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub hidden_size: u32,
    /// Query heads.
    pub heads: u32,
    /// Elements of a query head; for latent attention unused.
    pub head_dim: u32,
    /// How keys and values are kept.
    pub attention: Attention,
    /// Inner width of the feed-forward block of a dense layer; 0 when all layers have experts.
    pub ffn_size: u32,
    /// Three matrices a feed-forward block (gate, up, down) instead of two.
    pub gated: bool,
    /// Mixture of experts, if any.
    pub experts: Option<Experts>,
    /// Rows of the embedding table.
    pub vocabulary: u32,
    /// The output projection is the embedding table.
    pub tied_embeddings: bool,
    /// Precision in which the weights were released.
    pub released: Precision,
    /// Only the experts are kept in [`released`](Self::released); everything else in bf16 (gpt-oss).
    pub quantised_experts_only: bool,
    /// Its 8-bit weights have a scale for every block of 128 by 128 instead of one a matrix or row.
    pub block_scaled: bool,
    /// Where these figures are from.
    pub source: String,
    /// Why the figures may be wrong; empty for a model of the validated kind.
    pub warnings: Vec<String>,
}

/// How keys and values are kept.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Attention {
    /// Several query heads share a key and a value head (one head a group: multi-head attention).
    Grouped {
        /// Key heads, and as many value heads.
        kv_heads: u32,
        /// Layers that look back only so far.
        window: Option<Window>,
    },
    /// Keys and values as one compressed vector (multi-head latent attention).
    Latent(Latent),
}

/// Sliding-window attention in some of the layers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Tokens a windowed layer sees, the newest first.
    pub tokens: u32,
    /// Layers that have it.
    pub layers: u32,
}

/// Sizes of multi-head latent attention.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Latent {
    /// Elements of the compressed keys and values of a token.
    pub kv_rank: u32,
    /// Elements of the part of a key that carries the position, shared by all heads.
    pub rope_dim: u32,
    /// Elements of the compressed query; 0: queries are not compressed.
    pub query_rank: u32,
    /// Elements of the part of a key without position, a head.
    pub nope_dim: u32,
    /// Elements of a value head.
    pub value_dim: u32,
}

/// Mixture of experts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Experts {
    /// Experts a layer.
    pub count: u32,
    /// Experts that each token visits.
    pub active: u32,
    /// Inner width of an expert.
    pub size: u32,
    /// Inner width of the expert that every token visits; 0: none.
    pub shared_size: u32,
    /// Layers that have experts; the others are dense.
    pub layers: u32,
}

impl Model {
    /// Whether tokens choose among experts.
    pub fn is_moe(&self) -> bool {
        self.experts.is_some()
    }

    /// Layers whose attention is windowed, and the window in tokens.
    pub fn window(&self) -> Option<Window> {
        match self.attention {
            Attention::Grouped { window, .. } => window,
            Attention::Latent(_) => None,
        }
    }

    /// Layers with a dense feed-forward block.
    pub fn dense_layers(&self) -> u32 {
        self.layers - self.experts.map_or(0, |experts| experts.layers)
    }
}
