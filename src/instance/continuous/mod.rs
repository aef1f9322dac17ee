//! Continuous batching with exact fast-forward: the arithmetic of it.
//!
//! While a batch only decodes, every iteration takes longer than the one before by the same amount. Such a
//! [`Stretch`] is one event, and its end follows from a [floor sum](floor_sum()) although every iteration is rounded
//! to a nanosecond by itself.

mod floor_sum;
mod stretch;

pub use floor_sum::floor_sum;
pub use stretch::Stretch;
