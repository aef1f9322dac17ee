//! The ScalingManager: grows and shrinks an application's fleet while it serves.
//!
//! [`ScalingState`] is the pure state machine: it decides what an operation means, refuses what must not
//! be, keeps dated copies of every status and writes the log. [`ScalingManager`] is the thin actor
//! around it that turns its [`Effect`]s into messages. Ticks of the clock actor (scripted actions,
//! activations, drain checks, decisions) drive many starts and drains at once.

mod admission;
mod blueprint;
mod census;
mod effect;
mod entity;
mod error;
mod ids;
mod life;
mod news;
mod operations;
pub mod policies;
mod policy;
mod state;
mod summary;

pub use blueprint::Blueprint;
pub(crate) use blueprint::drain_rules;
pub use effect::{Effect, PlannedInstance};
pub use entity::{Addresses, ScalingManager};
pub use error::ScalingError;
pub use ids::IdBlock;
pub use life::{Life, time_by_tag};
pub use policy::{AutoscalingPolicy, Decision, Observation, PolicyFactory, PoolCount, Traffic};
pub use state::{InstanceConfigs, PerformanceOf, ScalingState};
pub use summary::StatusSummary;

#[cfg(test)]
mod tests;
