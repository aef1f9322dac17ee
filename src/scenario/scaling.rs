//! Reads `scaling_manager` and the autoscaling policy, in Ebbflow's form (inside the block) and the
//! ancestor's (`autoscaling_policy` and `autoscaling` beside `applications`).

use std::sync::Arc;

use ebbflow_actors::SimDuration;

use super::context::{Context, find_kind, settings, unknown_kind};
use super::reader::{At, Keys};
use super::spec::{DrainTimeoutAction, PolicySpec, ScalingSpec, Sku};
use super::{cluster, cold_start};
use crate::ids::Tag;
use crate::registry::Kind;
use crate::scaling::{AUTO, Governs, Place, SkuChoice, VictimOrder};

const DEFAULT_DRAIN_CHECK_INTERVAL: SimDuration = SimDuration::from_secs(1);
/// Servers that a warm pool may have: as many as a group.
const MAX_WARM_POOL: u32 = 1_000_000;
/// ACTIVE instances per tag that always stay. The ancestor has no such guard, so its configurations get 0.
const DEFAULT_MIN_INSTANCES: u32 = 1;

/// What all applications have in common.
pub(super) struct Shared<'a, 't> {
    pub policy: AncestorPolicy<'t>,
    /// The SKUs there are, if the cluster could be read.
    pub catalogue: Option<&'a [Arc<Sku>]>,
}

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
    shared: &Shared<'_, '_>,
    debug: bool,
    context: &Context<'_>,
) -> Option<ScalingSpec> {
    let keys = at.keys()?;
    let duration = |key| keys.get(key).and_then(|at: At<'_>| at.duration());
    let positive = |key| keys.get(key).and_then(|at: At<'_>| at.positive_duration());
    let min_instances = keys.get("min_instances").and_then(|at| at.count(0));
    let max_instances_at = keys.get("max_instances");
    let default_min_instances = if context.ancestor { 0 } else { DEFAULT_MIN_INSTANCES };
    let Shared { policy, catalogue } = shared;
    let policies = read_policies(&keys, policy, context);
    let metrics = Metrics::read(&keys, &policies, context);
    let spec = ScalingSpec {
        cold_start: cold_start::read(&keys),
        warm_pool: keys.get("warm_pool").and_then(|at| at.count_to(0, MAX_WARM_POOL)).unwrap_or(0),
        place: read_place(&keys).unwrap_or_default(),
        server_sku: read_sku(&keys, *catalogue),
        victims: read_victims(&keys).unwrap_or_default(),
        routing_stop_lag: duration("routing_stop_lag").unwrap_or(SimDuration::ZERO),
        drain_check_interval: positive("drain_check_interval").unwrap_or(DEFAULT_DRAIN_CHECK_INTERVAL),
        min_instances: min_instances.unwrap_or(default_min_instances),
        max_instances: max_instances_at.as_ref().and_then(|at| at.count(1)),
        max_servers: keys.get("max_servers").and_then(|at| at.count(1)),
        drain_timeout: duration("drain_timeout"),
        drain_timeout_action: read_timeout_action(&keys).unwrap_or_default(),
        policies,
        scrape_interval: metrics.scrape_interval,
        metrics_delay: metrics.delay,
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

/// `auto`, or the name of a SKU.
fn read_sku(keys: &Keys<'_>, catalogue: Option<&[Arc<Sku>]>) -> SkuChoice {
    let Some(at) = keys.get("server_sku") else {
        return SkuChoice::First;
    };
    match (at.text(), catalogue) {
        (Some(AUTO), _) => SkuChoice::Auto,
        (Some(_), Some(catalogue)) => {
            cluster::sku(&at, catalogue).map_or(SkuChoice::First, |sku| SkuChoice::Named(sku.name.clone()))
        }
        _ => SkuChoice::First,
    }
}

fn read_place(keys: &Keys<'_>) -> Option<Place> {
    let at = keys.get("place")?;
    let word = at.text()?;
    let names = Place::NAMES.map(|(name, _)| name);
    match Place::NAMES.iter().find(|(name, _)| *name == word) {
        Some((_, place)) => Some(*place),
        None => at.unknown("place", word, &names),
    }
}

fn read_victims(keys: &Keys<'_>) -> Option<VictimOrder> {
    let at = keys.get("victims")?;
    let word = at.text()?;
    let names = VictimOrder::NAMES.map(|(name, _)| name);
    match VictimOrder::NAMES.iter().find(|(name, _)| *name == word) {
        Some((_, order)) => Some(*order),
        None => at.unknown("order of victims", word, &names),
    }
}

fn read_timeout_action(keys: &Keys<'_>) -> Option<DrainTimeoutAction> {
    let at = keys.get("drain_timeout_action")?;
    match at.text()? {
        "requeue" => Some(DrainTimeoutAction::Requeue),
        "abort" => Some(DrainTimeoutAction::Abort),
        other => at.unknown("drain_timeout_action", other, &["requeue", "abort"]),
    }
}

/// How the metrics that policies see are gathered.
struct Metrics {
    scrape_interval: SimDuration,
    delay: SimDuration,
}

impl Metrics {
    /// From `metrics`; without it, as often as the most curious policy asks for by default.
    fn read(manager: &Keys<'_>, policies: &[PolicySpec], context: &Context<'_>) -> Self {
        let known = context
            .registry
            .policies()
            .filter(|kind| policies.iter().any(|policy| policy.name == kind.kind.name));
        let default_s = known.map(|kind| kind.scrape_interval_s).min_by(f64::total_cmp).unwrap_or(1.0);
        let mut metrics = Metrics { scrape_interval: span(default_s), delay: SimDuration::ZERO };
        if let Some(keys) = manager.get("metrics").and_then(|at| at.keys()) {
            if let Some(interval) = keys.get("scrape_interval").and_then(|at| at.positive_duration()) {
                metrics.scrape_interval = interval;
            }
            metrics.delay = keys.get("delay").and_then(|at| at.duration()).unwrap_or(metrics.delay);
            keys.finish();
        }
        metrics
    }
}

/// A default of a policy as a time.
fn span(seconds: f64) -> SimDuration {
    SimDuration::from_secs_f64(seconds).unwrap_or(SimDuration::MAX)
}

fn read_policies(keys: &Keys<'_>, shared: &AncestorPolicy<'_>, context: &Context<'_>) -> Vec<PolicySpec> {
    let own = keys.get("autoscaling_policy");
    let enable = keys.get("enable_autoscaling").and_then(|at| at.flag()).or(shared.enable);
    let intervals = Intervals::read(keys, shared);
    let enabled = enable.unwrap_or(own.is_some());
    let at = own.as_ref().or(shared.policy.as_ref().filter(|_| enabled));
    let policies = at.map(|at| read_policies_at(at, &intervals, context)).unwrap_or_default();
    if enabled { policies } else { Vec::new() }
}

/// Pools as a scenario names them.
const POOLS: [(&str, Tag); 5] = [
    ("prompt", Tag::Prompt),
    ("prefill", Tag::Prompt),
    ("token", Tag::Token),
    ("decode", Tag::Token),
    ("mixed", Tag::Mixed),
];

/// What stands here for each pool; nothing if it is no map from pools.
fn by_pool<'t>(at: &At<'t>) -> Vec<(Tag, At<'t>)> {
    let Some(keys) = at.is_map().then(|| at.keys()).flatten() else {
        return Vec::new();
    };
    let pools: Vec<_> = POOLS.iter().filter_map(|&(word, tag)| keys.get(word).map(|at| (tag, at))).collect();
    if !pools.is_empty() {
        keys.finish();
    }
    pools
}

/// Between two decisions, for all pools or each by itself; none: as the policy likes it.
struct Intervals {
    all: Option<SimDuration>,
    pools: Vec<(Tag, SimDuration)>,
}

impl Intervals {
    fn read(keys: &Keys<'_>, shared: &AncestorPolicy<'_>) -> Self {
        let at = keys.get("decision_interval");
        let pools = at.as_ref().map(by_pool).unwrap_or_default();
        let all = if pools.is_empty() { at.and_then(|at| at.positive_duration()) } else { None };
        let interval = |(tag, at): &(Tag, At<'_>)| Some((*tag, at.positive_duration()?));
        Intervals {
            all: all.or(shared.decision_interval),
            pools: pools.iter().filter_map(interval).collect(),
        }
    }

    fn of(&self, pool: Option<Tag>) -> Option<SimDuration> {
        let own = self.pools.iter().find(|(tag, _)| Some(*tag) == pool);
        own.map(|(_, interval)| *interval).or(self.all)
    }
}

/// One policy for all pools, or a map from pools to policies.
fn read_policies_at(at: &At<'_>, intervals: &Intervals, context: &Context<'_>) -> Vec<PolicySpec> {
    let pools = by_pool(at);
    if pools.is_empty() {
        return read_named_policy(at, intervals.of(None), context).into_iter().collect();
    }
    let policy = |(tag, at): &(Tag, At<'_>)| {
        let policy = read_named_policy(at, intervals.of(Some(*tag)), context)?;
        refuse_fleet_policy(at, &policy, context);
        Some(PolicySpec { pool: Some(*tag), ..policy })
    };
    pools.iter().filter_map(policy).collect()
}

/// A policy that governs all pools together cannot be had for one.
fn refuse_fleet_policy(at: &At<'_>, policy: &PolicySpec, context: &Context<'_>) {
    let known = context.registry.policies().find(|known| known.kind.name == policy.name);
    if known.is_some_and(|known| known.governs == Governs::Fleet) {
        let help = "write it without the name of a pool, as `autoscaling_policy: {name: {…}}`".to_owned();
        at.refuse(format!("`{}` governs all pools together", policy.name), Some(help));
    }
}

/// A policy as `name`, `name: {…}` or the ancestor's `{_target_: module.Class, …}`.
fn read_named_policy(
    at: &At<'_>,
    interval: Option<SimDuration>,
    context: &Context<'_>,
) -> Option<PolicySpec> {
    let kinds: Vec<&Kind> = context.registry.policies().map(|known| &known.kind).collect();
    let spec = |kind: &Kind, keys: Option<&Keys<'_>>| PolicySpec {
        name: kind.name.to_owned(),
        settings: settings(kind.parameters, keys),
        pool: None,
        decision_interval: interval.unwrap_or_else(|| {
            let known = context.registry.policies().find(|known| known.kind.name == kind.name);
            span(known.map_or(10.0, |known| known.decision_interval_s))
        }),
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
