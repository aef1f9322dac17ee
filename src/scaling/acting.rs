//! From what a policy wants to operations: bounds, then starts, cancellations and drains.

use ebbflow_actors::SimTime;

use super::decision::{Counting, Limiter, Target};
use super::error::ScalingError;
use super::policy::PoolCount;
use super::state::{InstanceView, ScalingState};
use super::victims::Candidate;
use crate::ids::{InstanceId, Tag};
use crate::instance::InstanceStatus;

/// What came of a target.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    started: Vec<InstanceId>,
    cancelled: Vec<InstanceId>,
    drains: Vec<InstanceId>,
    /// How many starts and drains were refused, and why the last one was.
    refused: u32,
    reason: Option<ScalingError>,
}

impl ScalingState {
    /// The pool as it is.
    pub(super) fn pool(&self, tag: Option<Tag>) -> PoolCount {
        self.census.pools().find(|pool| pool.tag == tag).copied().unwrap_or(PoolCount::none(tag))
    }

    /// The target within the bounds of the fleet.
    pub(super) fn bounded(&self, target: Target) -> Target {
        let pool = self.pool(target.tag);
        let current = pool.counted(target.counting);
        let most = self.spec.max_instances.map_or(u32::MAX, |most| {
            let all = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
            current + most.saturating_sub(all)
        });
        // An unlucky start is no reason to shrink: what there is may stay.
        let wanted = if target.wanted > current {
            target.wanted.min(most.max(current))
        } else {
            target.wanted.max(self.spec.min_instances.min(current))
        };
        let limited_by = if wanted == target.wanted { target.limited_by } else { Some(Limiter::Bounds) };
        Target { wanted, limited_by, ..target }
    }

    /// Does what a bounded target asks for. `load` tells how busy an instance is.
    pub(super) fn follow(
        &mut self,
        now: SimTime,
        target: Target,
        load: impl Fn(InstanceId) -> f64,
    ) -> Outcome {
        let current = self.pool(target.tag).counted(target.counting);
        let mut outcome = Outcome::default();
        for _ in current..target.wanted {
            match self.scale_up_full(now, None, target.tag, None) {
                Ok((_, instance)) => outcome.started.push(instance),
                Err(error) => {
                    self.refuse(now, "scale_up_full", &error);
                    outcome.refuse(error);
                }
            }
        }
        let surplus = current.saturating_sub(target.wanted) as usize;
        for instance in self.victims(target, surplus, load) {
            let starting =
                self.instance(instance).is_some_and(|(_, status)| status == InstanceStatus::ScalingUp);
            match self.scale_down_full(now, instance) {
                Ok(()) if starting => outcome.cancelled.push(instance),
                Ok(()) => outcome.drains.push(instance),
                Err(error) => {
                    self.refuse(now, format!("instance_{instance}"), &error);
                    outcome.refuse(error);
                }
            }
        }
        outcome
    }

    /// Whom to take: starting instances first, the youngest first, where they count; then serving ones in the
    /// order of the scenario.
    fn victims(&self, target: Target, count: usize, load: impl Fn(InstanceId) -> f64) -> Vec<InstanceId> {
        let of_pool = |wanted: InstanceStatus| {
            let own = self.instances.iter().filter(move |(_, view)| view.life.tag == target.tag);
            own.filter(move |(_, view)| view.status == wanted)
        };
        let mut victims: Vec<InstanceId> = Vec::new();
        if target.counting == Counting::Asked {
            victims.extend(of_pool(InstanceStatus::ScalingUp).map(|(&id, _)| id));
            victims.reverse();
        }
        if victims.len() < count {
            let candidate = |(&id, view): (&InstanceId, &InstanceView)| {
                Candidate::new(id, view, self.servers.get(&view.server), load(id))
            };
            let mut serving: Vec<Candidate> = of_pool(InstanceStatus::Active).map(candidate).collect();
            serving.sort_by(|a, b| self.spec.victims.compare(a, b));
            victims.extend(serving.iter().map(|candidate| candidate.id));
        }
        victims.truncate(count);
        victims
    }
}

impl Outcome {
    fn refuse(&mut self, error: ScalingError) {
        self.refused += 1;
        self.reason = Some(error);
    }

    /// Whether anything was done or refused.
    pub fn is_nothing(&self) -> bool {
        self.started.len() + self.cancelled.len() + self.drains.len() == 0 && self.refused == 0
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_nothing() {
            return f.write_str("held");
        }
        let deeds = [("started", &self.started), ("cancelled", &self.cancelled), ("drains", &self.drains)];
        let mut separator = "";
        for (deed, instances) in deeds.into_iter().filter(|(_, instances)| !instances.is_empty()) {
            write!(f, "{separator}{deed}")?;
            for instance in instances {
                write!(f, " {instance}")?;
            }
            separator = "; ";
        }
        if let Some(reason) = &self.reason {
            write!(f, "{separator}refused {}: {reason}", self.refused)?;
        }
        Ok(())
    }
}
