//! How long an iteration takes.

use std::path::PathBuf;
use std::sync::Arc;

use crate::models::Precision;
use crate::performance::calibration::Calibration;
use crate::performance::roofline::{Backend, OwnConstants};
use crate::performance::{KernelTables, Knots};

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
        /// CSV or Parquet in one of the known forms; none: the built-in `splitwise-2023` knots.
        path: Option<PathBuf>,
        /// How decode time is looked up.
        decode_key: crate::performance::DecodeKey,
    },
    /// Straight lines between knots.
    Pwl(Knots),
    /// Operator by operator, for any model on any GPU.
    Roofline(RooflineSpec),
}

/// The serving engine whose iterations are timed operator by operator.
#[derive(Clone, PartialEq, Debug)]
pub struct RooflineSpec {
    /// The engine.
    pub backend: Backend,
    /// Constants fitted to measurements of one's own, instead of the engine's.
    pub calibration: Option<CalibrationFile>,
    /// Tables of kernels measured one by one, before the formulas.
    pub kernels: Option<KernelFiles>,
    /// Constants of one's own, instead of either.
    pub constants: OwnConstants,
    /// Precision of the weights of models that say nothing themselves; none: as released.
    pub precision: Option<Precision>,
    /// Precision of their KV caches; none: what the engine takes by itself.
    pub cache: Option<Precision>,
}

/// Tables of kernels.
#[derive(Clone, PartialEq, Debug)]
pub struct KernelFiles {
    /// Files, or folders with them.
    pub paths: Vec<PathBuf>,
    /// What they say.
    pub tables: Arc<KernelTables>,
}

/// What `ebbflow calibrate` wrote.
#[derive(Clone, PartialEq, Debug)]
pub struct CalibrationFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub calibration: Arc<Calibration>,
}
