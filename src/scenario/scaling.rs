//! Reads `scaling_manager` and the autoscaling policy, in Ebbflow's form (inside the block) and the
//! ancestor's (`autoscaling_policy` and `autoscaling` beside `applications`).

use ebbflow_actors::SimDuration;

use super::context::{Context, find_kind, parameters, unknown_kind};
use super::reader::{At, Keys};
use super::spec::{DrainTimeoutAction, PolicySpec, ScalingSpec};
use crate::registry::Kind;

const DEFAULT_SCALE_UP_DELAY: SimDuration = SimDuration::from_secs(10);
const DEFAULT_DRAIN_CHECK_INTERVAL: SimDuration = SimDuration::from_secs(1);
const DEFAULT_DECISION_INTERVAL: SimDuration = SimDuration::from_secs(10);
/// ACTIVE instances per tag that always stay. The ancestor has no such guard, so its configurations get 0.
const DEFAULT_MIN_INSTANCES: u32 = 1;

/// The ancestor's policy, which all its applications share.
#[derive(Default)]
pub(super) struct AncestorPolicy<'t> {
    policy: Option<At<'t>>,
    enable: Option<bool>,
    decision_interval: Option<SimDuration>,
}

impl<'t> AncestorPolicy<'t> {
    /// From the top level of a configuration.
    pub(super) fn read(top: &Keys<'t>) -> Self {
        let mut read = AncestorPolicy { policy: top.get("autoscaling_policy"), ..AncestorPolicy::default() };
        if let Some(keys) = top.get("autoscaling").and_then(|at| at.keys()) {
            read.enable = keys.get("enable").and_then(|at| at.flag());
            read.decision_interval = keys.get("decision_interval").and_then(|at| at.positive_duration());
            keys.finish();
        }
        read
    }
}

/// The settings of a ScalingManager.
pub(super) fn read(
    at: &At<'_>,
    shared: &AncestorPolicy<'_>,
    debug: bool,
    context: &Context<'_>,
) -> Option<ScalingSpec> {
    let keys = at.keys()?;
    let duration = |key| keys.get(key).and_then(|at: At<'_>| at.duration());
    let positive = |key| keys.get(key).and_then(|at: At<'_>| at.positive_duration());
    let min_instances = keys.get("min_instances").and_then(|at| at.count(0));
    let max_instances_at = keys.get("max_instances");
    let default_min_instances = if context.ancestor { 0 } else { DEFAULT_MIN_INSTANCES };
    let spec = ScalingSpec {
        scale_up_delay: duration("scale_up_delay").unwrap_or(DEFAULT_SCALE_UP_DELAY),
        drain_check_interval: positive("drain_check_interval").unwrap_or(DEFAULT_DRAIN_CHECK_INTERVAL),
        server_boot_delay: duration("server_boot_delay").unwrap_or(SimDuration::ZERO),
        min_instances: min_instances.unwrap_or(default_min_instances),
        max_instances: max_instances_at.as_ref().and_then(|at| at.count(1)),
        max_servers: keys.get("max_servers").and_then(|at| at.count(1)),
        drain_timeout: duration("drain_timeout"),
        drain_timeout_action: read_timeout_action(&keys).unwrap_or_default(),
        policy: read_policy(&keys, shared, context),
        debug: keys.get("debug").and_then(|at| at.flag()).unwrap_or(debug),
    };
    keys.finish();
    if let (Some(at), Some(most)) = (max_instances_at, spec.max_instances)
        && most < spec.min_instances
    {
        at.refuse(format!("max_instances {most} is below min_instances {}", spec.min_instances), None);
    }
    Some(spec)
}

fn read_timeout_action(keys: &Keys<'_>) -> Option<DrainTimeoutAction> {
    let at = keys.get("drain_timeout_action")?;
    match at.text()? {
        "requeue" => Some(DrainTimeoutAction::Requeue),
        "abort" => Some(DrainTimeoutAction::Abort),
        other => at.unknown("drain_timeout_action", other, &["requeue", "abort"]),
    }
}

fn read_policy(keys: &Keys<'_>, shared: &AncestorPolicy<'_>, context: &Context<'_>) -> Option<PolicySpec> {
    let own = keys.get("autoscaling_policy");
    let enable = keys.get("enable_autoscaling").and_then(|at| at.flag()).or(shared.enable);
    let interval = keys.get("decision_interval").and_then(|at| at.positive_duration());
    let decision_interval = interval.or(shared.decision_interval).unwrap_or(DEFAULT_DECISION_INTERVAL);
    let enabled = enable.unwrap_or(own.is_some());
    let at = own.as_ref().or(shared.policy.as_ref().filter(|_| enabled))?;
    read_named_policy(at, decision_interval, context).filter(|_| enabled)
}

/// A policy as `name`, `name: {…}` or the ancestor's `{_target_: module.Class, …}`.
fn read_named_policy(
    at: &At<'_>,
    decision_interval: SimDuration,
    context: &Context<'_>,
) -> Option<PolicySpec> {
    let kinds: Vec<&Kind> = context.registry.policies().collect();
    let spec = |kind: &Kind, keys: Option<&Keys<'_>>| PolicySpec {
        name: kind.name.to_owned(),
        parameters: parameters(kind, keys),
        decision_interval,
    };
    if at.is_map() {
        let keys = at.keys()?;
        keys.ignore(&["_target_", "debug"]);
        if let Some(target) = keys.get("_target_") {
            let class = target.text()?.rsplit('.').next().unwrap_or_default();
            let kind = find_kind(&kinds, class);
            let policy = kind.map(|kind| spec(kind, Some(&keys)));
            note_ancestor_policy(at, class, policy.is_some(), &keys, context);
            return policy;
        }
    }
    let named = at.named()?;
    let Some(kind) = find_kind(&kinds, named.name) else {
        return unknown_kind(&named.at, "autoscaling policy", named.name, &kinds);
    };
    let Some(body) = &named.body else {
        return Some(spec(kind, None));
    };
    let keys = body.keys()?;
    let policy = spec(kind, Some(&keys));
    keys.finish();
    Some(policy)
}

/// Says what of the ancestor's policy is not simulated: all of it, or some parameters.
fn note_ancestor_policy(at: &At<'_>, class: &str, known: bool, keys: &Keys<'_>, context: &Context<'_>) {
    if !known {
        context.log.note(format!("{}: decisions of the policy {class} are not simulated", at.path));
        return;
    }
    for entry in keys.rest() {
        context.log.note(format!("{}.{}: not a parameter of {class} here; ignored", at.path, entry.key));
    }
}
