//! What a policy answers when it cannot know: as many as were asked for, and that the data are missing.

use crate::ids::Tag;
use crate::scaling::{Decision, Limiter, Observation, Target};

/// These pools stay as they are, for want of data.
pub(super) fn no_data(seen: &Observation<'_>, pools: &[Option<Tag>], why: &str) -> Decision {
    let still = |&tag: &Option<Tag>| Target::new(tag, seen.pool(tag).asked()).limited_by(Some(Limiter::Data));
    Decision::of(pools.iter().map(still).collect::<Vec<_>>(), why)
}
