//! How long an iteration takes.
//!
//! A model maps the make-up of a batch to the seconds of one iteration. Two are built in:
//! [`constant`](Constant) and [`lookup`](Lookup) (the ancestor's `db` tables; those of [`kernels`] refine `roofline`). [`pwl`](Pwl) draws lines through knots. [`roofline`] knows any model on
//! any GPU; [`power`] says what GPUs draw meanwhile.

mod builtin;
pub mod calibration;
mod constant;
mod curve;
mod lookup;
pub mod power;
mod pwl;
pub mod roofline;
mod timing;

pub use builtin::splitwise_2023;
pub use constant::{Constant, ConstantError};
pub use lookup::kernels::{self, KernelTables};
pub use lookup::{DecodeKey, Lookup, LookupError, LookupKey, LookupTable};
pub use pwl::{KnotError, Knots, Pwl};
pub use timing::{ASSUMED_CONTEXT_TOKENS, Timing, TimingError};

/// The make-up of the batch of one iteration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct BatchShape {
    /// Prompt tasks in the batch.
    pub prompts: u32,
    /// Σ prompt tokens over those.
    pub prompt_tokens: u64,
    /// Token tasks in the batch: sequences that each produce one token.
    pub decodes: u32,
}

/// Time of one iteration on one kind of instance (model, GPU and parallelism are fixed).
///
/// Implementations are pure: the same shape always takes the same time. Leaves out: context length,
/// pipeline parallelism, jitter.
pub trait PerformanceModel: Send + Sync + std::fmt::Debug {
    /// Seconds that one iteration of this batch takes; finite and > 0 for a non-empty batch.
    fn iteration_s(&self, batch: BatchShape) -> f64;
}
