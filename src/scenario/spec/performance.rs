//! How long an iteration takes.

use std::path::PathBuf;

use crate::models::Precision;
use crate::performance::roofline::{Backend, OwnConstants};

/// Which performance model.
#[derive(Clone, PartialEq, Debug)]
pub enum PerformanceSpec {
    /// Fixed times.
    Constant {
        /// An iteration with a prompt in it.
        prompt_s: f64,
        /// An iteration of decodes only.
        token_s: f64,
    },
    /// A table of measurements.
    Lookup {
        /// CSV in the ancestor's format; none: the built-in `splitwise-2023` knots.
        path: Option<PathBuf>,
        /// How decode time is looked up.
        decode_key: crate::performance::DecodeKey,
    },
    /// Operator by operator, for any model on any GPU.
    Roofline(RooflineSpec),
}

/// The serving engine whose iterations are timed operator by operator.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RooflineSpec {
    /// The engine.
    pub backend: Backend,
    /// Constants of one's own.
    pub constants: OwnConstants,
    /// Precision of the weights of models that say nothing themselves; none: as released.
    pub precision: Option<Precision>,
    /// Precision of their KV caches; none: what the engine takes by itself.
    pub cache: Option<Precision>,
}
