//! The part of a scenario that KEDA hands on to the HPA it creates: tolerance, stabilisation, behavior.

use super::behavior::{Behavior, Bounds, Rules};
use super::controller::Ruleset;
use super::replicas::MOST_REPLICAS;
use crate::registry::{Parameter, Settings};
use crate::scaling::PolicyContext;
use crate::scaling::damping::{Change, RateLimit, RatePolicy, Select};

const CONTROLLER: &str = "kube-controller-manager";
const API: &str = "autoscaling/v2";

const POLICY: &[Parameter] = &[
    Parameter::word("type", "percent", &["percent", "pods"], "unit of the value"),
    Parameter::number("value", 100.0, "how far the fleet may move within the period").at_least(1.0),
    Parameter::seconds("period", 15.0, "from whose start the distance is measured")
        .at_least(1.0)
        .at_most(1800.0)
        .from(API),
];
const SELECT: Parameter = Parameter::word(
    "select_policy",
    "max",
    &["max", "min", "disabled"],
    "which policy counts: the one for the largest change, for the smallest, or no change at all",
);
const POLICIES: Parameter =
    Parameter::rows("policies", POLICY, "how far at a time; by default those of the API");
const OWN_TOLERANCE: Parameter = Parameter::optional("tolerance", "instead of the general one");
const WINDOW: Parameter =
    Parameter::optional("stabilization_window", "how long a recommendation must have held")
        .unit("s")
        .at_most(3600.0);

const DIRECTION: &[Parameter] = &[WINDOW, SELECT, POLICIES, OWN_TOLERANCE];
const BEHAVIOR: &[Parameter] = &[
    Parameter::group("scale_up", DIRECTION, "growing: by default at once, 4 instances or 100 % per 15 s")
        .from(API),
    Parameter::group("scale_down", DIRECTION, "shrinking: by default what held for 300 s, 100 % per 15 s")
        .from(API),
];

/// What both policies can be told about damping.
pub(in crate::scaling::policies) const PARAMETERS: [Parameter; 3] = [
    Parameter::number("tolerance", 0.1, "ratios this near to one are no reason to scale").from(CONTROLLER),
    Parameter::seconds("downscale_stabilization", 300.0, "how long a smaller fleet must have been enough")
        .from(CONTROLLER),
    Parameter::optional_group(
        "behavior",
        BEHAVIOR,
        "how fast each direction may go; without it, at most x2 or to 4",
    ),
];

/// The rules of an HPA within these bounds.
pub(in crate::scaling::policies) fn rules(settings: &Settings, bounds: Bounds) -> Ruleset {
    let downscale_stabilisation = settings.seconds("downscale_stabilization");
    let behavior = settings.group("behavior").map(|behavior| {
        let defaults = Behavior::defaults(downscale_stabilisation);
        let side = |name, defaults: Rules| match behavior.group(name) {
            Some(side) => direction(side, defaults),
            None => defaults,
        };
        Behavior { up: side("scale_up", defaults.up), down: side("scale_down", defaults.down) }
    });
    let tolerance = settings.number("tolerance");
    Ruleset { bounds, tolerance, behavior, downscale_stabilisation, sees_without_pods: true }
}

/// The bounds of the manager.
pub(super) fn bounds(context: &PolicyContext) -> Bounds {
    Bounds { min: context.min_instances, max: context.max_instances.unwrap_or(MOST_REPLICAS) }
}

fn direction(side: &Settings, defaults: Rules) -> Rules {
    let policies: Vec<RatePolicy> = side.rows("policies").iter().map(policy).collect();
    let select = match side.text("select_policy") {
        "min" => Select::Min,
        "disabled" => Select::Disabled,
        _ => Select::Max,
    };
    let window = side.optional("stabilization_window").map(super::metric::span);
    Rules {
        stabilisation: window.unwrap_or(defaults.stabilisation),
        rate: RateLimit {
            select,
            policies: if policies.is_empty() { defaults.rate.policies } else { policies },
        },
        tolerance: side.optional("tolerance"),
    }
}

fn policy(row: &Settings) -> RatePolicy {
    let value = row.count("value");
    let change = match row.text("type") {
        "pods" => Change::Instances(value),
        _ => Change::Percent(value),
    };
    RatePolicy { change, period: row.seconds("period") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebbflow_actors::SimDuration;

    const BOUNDS: Bounds = Bounds { min: 0, max: 9 };

    #[test]
    fn a_side_that_says_nothing_gets_the_defaults_of_the_api() {
        let settings = Settings::defaults(&PARAMETERS);
        assert_eq!(rules(&settings, BOUNDS).behavior, None);
        let settings =
            settings.with("behavior", Settings::defaults(BEHAVIOR)).with("downscale_stabilization", 120.0);
        let expected = Behavior::defaults(SimDuration::from_secs(120));
        assert_eq!(rules(&settings, BOUNDS).behavior, Some(expected));
    }

    #[test]
    fn what_a_side_says_replaces_its_defaults() {
        let one = Settings::defaults(POLICY).with("type", "pods").with("value", 2.0).with("period", 60.0);
        let down = Settings::defaults(DIRECTION)
            .with("stabilization_window", 30.0)
            .with("select_policy", "min")
            .with("tolerance", 0.3)
            .with("policies", vec![one]);
        let behavior = Settings::defaults(BEHAVIOR).with("scale_down", down);
        let settings = Settings::defaults(&PARAMETERS).with("behavior", behavior);
        let found = rules(&settings, BOUNDS).behavior.unwrap();
        assert_eq!(found.up, Rules::up());
        let period = SimDuration::from_secs(60);
        let policies = vec![RatePolicy { change: Change::Instances(2), period }];
        let rate = RateLimit { select: Select::Min, policies };
        assert_eq!(
            found.down,
            Rules { stabilisation: SimDuration::from_secs(30), rate, tolerance: Some(0.3) }
        );
    }
}
