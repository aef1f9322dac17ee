//! Schedulers: who serves which request.
//!
//! The [`Scheduler`] actor receives arrivals, keeps the [books](fleet) and lets requests wait while no
//! instance can take them; a [`RoutingPolicy`] chooses. Policies see ACTIVE instances only: one that is
//! starting or draining is not in the [`Fleet`] at all.
//!
//! A new policy is one file in `policies/` and one line in its registry.

mod entity;
pub mod fleet;
mod gateway;
mod min_tree;
mod order;
pub mod policies;
pub mod pool;
mod prefix_index;
mod recent;
mod routing;

pub use entity::Scheduler;
pub use fleet::{Fleet, Known, Load, Metric, PoolName, Pooling};
pub use routing::{
    Completion, PolicyTraits, Route, RoutingContext, RoutingPolicy, SchedulerContext, SchedulerFactory,
};
