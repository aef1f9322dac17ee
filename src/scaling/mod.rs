//! The ScalingManager: grows and shrinks an application's fleet while it serves.
//!
//! [`ScalingState`] is the pure state machine: it decides what an operation means, refuses what must not
//! be, keeps dated copies of every status and writes the log. [`ScalingManager`] is the thin actor
//! around it that turns its [`Effect`]s into messages. Ticks of the clock actor (scripted actions,
//! activations, drain checks, decisions) drive many starts and drains at once.

mod acting;
mod admission;
mod autoscaler;
mod blueprint;
mod census;
mod cold_start;
pub mod damping;
mod decision;
mod effect;
mod entity;
mod error;
mod governor;
mod ids;
mod life;
pub(crate) mod log;
pub mod metrics;
mod news;
mod operations;
pub mod policies;
mod policy;
pub mod predictors;
mod sharing;
mod sku_choice;
mod state;
mod summary;
mod victims;
mod warm_pool;

pub use autoscaler::Autoscaler;
pub use blueprint::Blueprint;
pub(crate) use blueprint::drain_rules;
pub use census::Member;
pub use cold_start::{ColdStart, ColdStartPreset, PRESETS as COLD_START_PRESETS, Span};
pub use decision::{Counting, Decision, DecisionRow, Limiter, Target};
pub use effect::{Effect, PlannedInstance};
pub use entity::{AddressBook, Addresses, ScalingManager};
pub use error::ScalingError;
pub use governor::Governor;
pub use ids::IdBlock;
pub use life::{Life, time_by_tag};
pub use metrics::Observation;
pub use policy::{
    AutoscalingPolicy, FutureRequest, Governs, InstanceCapacity, PolicyContext, PolicyFactory, PolicyKind,
    PolicyRefusal, PoolCount,
};
pub use sharing::Place;
pub(crate) use sku_choice::AUTO;
pub use sku_choice::SkuChoice;
pub use state::{InstanceConfigs, PerformanceOf, ScalingState};
pub use summary::StatusSummary;
pub use victims::VictimOrder;

#[cfg(test)]
mod tests;
