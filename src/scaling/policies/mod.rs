//! The built-in autoscaling policies, one file each.
//!
//! None yet: scaling is scripted by `actions`, or done by a scheduler (`autoscaling`) or by a policy of
//! a library user (see [`AutoscalingPolicy`](super::AutoscalingPolicy)).

use crate::registry::Registry;

/// Registers them all.
pub fn register(_: &mut Registry) {}
