//! What the engine asks of a performance model.
//!
//! Iterations that compute a piece of a prompt are asked for one by one. Iterations that only decode must be
//! *linear in the context*, with whole coefficients, so that a run of them is an arithmetic sequence: that is what
//! makes fast-forward exact.

use ebbflow_actors::SimDuration;

/// Femtoseconds in a nanosecond: times are added up in femtoseconds and rounded once an iteration.
pub const FS_IN_NS: u64 = 1_000_000;

/// A piece of a prompt computed in an iteration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// New tokens.
    pub tokens: u64,
    /// Tokens of the sequence that are in the KV cache already.
    pub context: u64,
}

/// The decoding sequences of an iteration.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Decodes {
    /// How many.
    pub sequences: u32,
    /// Tokens each puts through the model: 1, and the draft with speculation.
    pub tokens_each: u32,
    /// Σ context: tokens of the sequence, the one just produced included.
    pub context: u64,
    /// Σ context within the attention window; 0 for models without one.
    pub windowed_context: u64,
    /// Sequences that still fit the window.
    pub growing_in_window: u32,
}

/// Everything about an iteration that its time depends on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MakeUp {
    /// Pieces of prompts, in the order they were given their tokens.
    pub chunks: Vec<Chunk>,
    /// Decoding sequences.
    pub decodes: Decodes,
}

/// Time of an iteration that only decodes, in femtoseconds:
/// `base + per_context · Σ context + per_windowed_context · Σ context within the window`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeLine {
    /// With no context at all; less than a nanosecond counts as one.
    pub base_fs: u64,
    /// A token of context.
    pub per_context_fs: u64,
    /// A token of context within the window.
    pub per_windowed_context_fs: u64,
}

/// Time of iterations on one kind of instance. Pure: the same iteration always takes the same time.
pub trait IterationTime: Send + Sync + std::fmt::Debug {
    /// Time of an iteration with at least one chunk; zero counts as a nanosecond.
    fn mixed(&self, make_up: &MakeUp) -> SimDuration;

    /// The line on which iterations of so many decoding sequences lie (at least one), each with `tokens_each`
    /// tokens in the iteration. It holds at any context; a sequence that outgrows the window moves from the
    /// windowed term's growing part to its constant part, which the engine takes care of.
    fn decode_line(&self, sequences: u32, tokens_each: u32) -> DecodeLine;

    /// Engines that work in step, each with sequences of its own and the settings of one engine.
    fn engines(&self) -> u32 {
        1
    }

    /// Share of the weights that a token visits: 1 but for mixtures of experts. Only energy depends on it.
    fn active_share(&self) -> f64 {
        1.0
    }

    /// Tokens of the attention window of the model's windowed layers, if it has such layers.
    fn window_tokens(&self) -> Option<u32> {
        None
    }
}
