//! `oracle`: sees the whole workload and has what it needs ACTIVE in time. The bound that others are measured by.
//!
//! Before the run begins it plans the [load](load::Load) of every five seconds and from it the
//! [fleet](plan::Plan): as small as keeps every instance below `load_per_instance`, ordered a start ahead, and let
//! go only when it is not needed again within the time that a stop and a start take. The plan knows nothing of
//! the objectives: of the plans for several loads `ebbflow compare` takes the cheapest that keeps them, so that
//! laxer objectives never cost more. Current are those asked for.
//!
//! A bound within this family of plans, not over all fleets there could be: it foresees requests, not what a
//! scheduler makes of them or how long a drawn start takes. If it was mistaken, what is left in the system keeps
//! an instance.

mod load;
mod plan;

use ebbflow_actors::SimDuration;

use self::load::{Duty, Load};
use self::plan::{Plan, Prospect};
use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::{
    AutoscalingPolicy, Decision, Observation, PolicyContext, PolicyKind, PolicyRefusal, Target,
};

const PARAMETERS: &[Parameter] = &[Parameter::number(
    "load_per_instance",
    0.7,
    "what is planned for an instance; 1 keeps it busy with one prompt after another and decodes in full batches \
     between them, and batching both together carries more",
)
.at_least(0.01)
.unit("instances")];

/// Sums of shares are this far off.
const ROUNDING: f64 = 1e-6;

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "oracle",
        aliases: &[],
        about: "the smallest fleet for a load known beforehand, ACTIVE in time; `compare` searches for the best load",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind { decision_interval_s: 5.0, scrape_interval_s: 5.0, foresees: true, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Oracle::new(settings, context)?)));
}

#[derive(Debug)]
struct Oracle {
    pool: Option<Tag>,
    plan: Plan,
    /// From a decision to the moment that the next one can be ACTIVE by.
    horizon: SimDuration,
    min_instances: u32,
}

impl Oracle {
    fn new(settings: &Settings, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let refusal =
            || PolicyRefusal("it is not shown the workload; register it as a kind that foresees".into());
        let requests = context.foresight.as_ref().ok_or_else(refusal)?;
        let own = context.pools.iter().find(|pool| pool.tag == context.pool);
        let tags: Vec<Option<Tag>> = context.pools.iter().map(|pool| pool.tag).collect();
        let load = Load::of(requests, Duty::of(context.pool, &tags), &context.capacity);
        let prospect = Prospect {
            load_per_instance: settings.number("load_per_instance"),
            at_start: own.map_or(0, |pool| pool.active),
            restart_s: context.startup.as_secs_f64() + load.stay_s,
        };
        Ok(Oracle {
            pool: context.pool,
            plan: Plan::new(load, &prospect),
            horizon: context.startup + context.decision_interval,
            min_instances: context.min_instances,
        })
    }
}

impl AutoscalingPolicy for Oracle {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let until = seen.now + self.horizon;
        let needed = self.plan.most_between(seen.now.as_secs_f64(), until.as_secs_f64());
        let in_system = seen.waiting().unwrap_or(0.0) + seen.in_service().unwrap_or(0.0);
        let wanted =
            ((needed - ROUNDING).ceil() as u32).max(self.min_instances).max(u32::from(in_system > 0.0));
        let reason = format!("{needed:.2} instances needed until {:.0} s", until.as_secs_f64());
        Decision::of([Target::new(self.pool, wanted).from_raw(needed)], reason)
    }

    fn look_back(&self) -> SimDuration {
        SimDuration::ZERO
    }
}

#[cfg(test)]
mod tests;
