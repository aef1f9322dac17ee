//! The built-in autoscaling policies, one file each.
//!
//! Every file says what it models after, what it leaves out, and who counts as current. The arithmetic of a
//! policy is in plain functions, tested against the expectations of the original's own tests; its `decide`
//! only asks the [`Observation`](super::Observation) and hands the numbers on.

pub mod aibrix;
pub mod ancestor;
pub mod dynamo;
pub mod hpa;
pub mod keda;
pub mod kpa;
mod no_data;
mod none;
mod oracle;
pub mod predictive;
pub mod ray_serve;
pub mod scheduled;
pub mod slo_aware;
mod threshold;
pub mod token_aware;
pub mod wva;

use crate::registry::Registry;

/// Registers them all.
pub fn register(registry: &mut Registry) {
    aibrix::register(registry);
    ancestor::register(registry);
    dynamo::register(registry);
    hpa::register(registry);
    keda::register(registry);
    kpa::register(registry);
    none::register(registry);
    oracle::register(registry);
    predictive::register(registry);
    ray_serve::register(registry);
    scheduled::register(registry);
    slo_aware::register(registry);
    threshold::register(registry);
    token_aware::register(registry);
    wva::register(registry);
}
