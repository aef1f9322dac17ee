//! `none`: the fleet stays as it is. The yardstick of every other policy.

use crate::registry::{Kind, Registry};
use crate::scaling::{AutoscalingPolicy, Decision, Governs, Observation, PolicyKind};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "none",
        aliases: &["static", "NoAutoscalingPolicy", "RLPlaceholderPolicy"],
        about: "the fleet stays as it is",
        parameters: &[],
    };
    let kind = PolicyKind {
        governs: Governs::Fleet,
        decision_interval_s: 60.0,
        scrape_interval_s: 60.0,
        ..kind.into()
    };
    registry.add_policy(kind, |_, _| Ok(Box::new(NoScaling)));
}

#[derive(Debug)]
struct NoScaling;

impl AutoscalingPolicy for NoScaling {
    fn decide(&mut self, _: &Observation<'_>) -> Decision {
        Decision::hold("a fixed fleet")
    }
}
