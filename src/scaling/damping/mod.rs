//! What keeps a fleet from following every whim of a metric: one piece a file, used by many policies.
//!
//! A policy computes a raw wish and hands it through the pieces its original has, in that order. Bounds come
//! last, in the manager, and are the same for all.

mod cooldown;
mod persistence;
mod rate_limit;
mod stabilisation;
mod tolerance;

pub use cooldown::Cooldown;
pub use persistence::{Patience, Persistence};
pub use rate_limit::{Change, Changes, Moves, RateLimit, RatePolicy, Select};
pub use stabilisation::Recommendations;
pub use tolerance::Tolerance;
