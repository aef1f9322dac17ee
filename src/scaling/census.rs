//! How many instances of each tag are in which status, counted as they change.
//!
//! Guards ask this at every operation, so it must not cost a walk over the fleet: ten thousand
//! instances may drain at once.

use std::collections::BTreeMap;

use ebbflow_actors::SimTime;

use super::policy::PoolCount;
use crate::ids::{InstanceId, Tag};
use crate::instance::InstanceStatus;
use crate::vitals::FleetSize;

/// An instance as a policy sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Which.
    pub id: InstanceId,
    /// Its pool.
    pub tag: Option<Tag>,
    /// Where it stands in its life.
    pub status: InstanceStatus,
    /// When it was asked for.
    pub created: SimTime,
    /// When it became ACTIVE, if it did.
    pub active: Option<SimTime>,
    /// GPUs it occupies.
    pub gpus: u32,
}

/// Counts per tag. A tag stays once it was seen, be it with zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Census(BTreeMap<Option<Tag>, PoolCount>);

impl Census {
    /// An instance comes into being in this status.
    pub fn enter(&mut self, tag: Option<Tag>, status: InstanceStatus) {
        *self.count(tag, status) += 1;
    }

    /// An instance goes from one status to another.
    pub fn change(&mut self, tag: Option<Tag>, from: InstanceStatus, to: InstanceStatus) {
        self.leave(tag, from);
        self.enter(tag, to);
    }

    /// An instance that was in this status is gone.
    pub fn leave(&mut self, tag: Option<Tag>, status: InstanceStatus) {
        *self.count(tag, status) -= 1;
    }

    /// ACTIVE instances with this tag.
    pub fn active(&self, tag: Option<Tag>) -> u32 {
        self.0.get(&tag).map_or(0, |pool| pool.active)
    }

    /// All counts, by tag.
    pub fn pools(&self) -> impl Iterator<Item = &PoolCount> {
        self.0.values()
    }

    fn count(&mut self, tag: Option<Tag>, status: InstanceStatus) -> &mut u32 {
        self.0.entry(tag).or_insert(PoolCount::none(tag)).of(status)
    }
}

impl FromIterator<PoolCount> for FleetSize {
    fn from_iter<I: IntoIterator<Item = PoolCount>>(pools: I) -> Self {
        pools.into_iter().fold(FleetSize::default(), |sum, pool| FleetSize {
            active: sum.active + u64::from(pool.active),
            starting: sum.starting + u64::from(pool.starting),
            draining: sum.draining + u64::from(pool.draining),
        })
    }
}
