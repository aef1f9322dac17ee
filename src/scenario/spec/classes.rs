//! Classes of requests: who is promised what, and who goes first.

use super::workload::Lengths;
use crate::slo::Slo;

/// A class of requests.
#[derive(Clone, PartialEq, Debug)]
pub struct RequestClass {
    /// Its name, unique.
    pub name: String,
    /// How many requests are of it, in proportion to the other classes; above 0.
    pub share: f64,
    /// Lower goes first, at engines that mind.
    pub priority: i32,
    /// Who pays for it.
    pub tenant: Option<String>,
    /// The LoRA adapter its requests need.
    pub adapter: Option<u32>,
    /// What is promised to it.
    pub slo: Option<Slo>,
    /// Prompt lengths in tokens; none: those of the workload.
    pub prompt: Option<Lengths>,
    /// Output lengths in tokens; none: those of the workload.
    pub output: Option<Lengths>,
}
