//! From the policies a scenario names to the autoscaler of a manager.

use std::sync::Arc;

use super::SimulationError;
use crate::ids::Tag;
use crate::registry::Registry;
use crate::scaling::{
    Autoscaler, FutureRequest, Governor, Governs, PolicyContext, PolicyKind, PoolCount, ScalingState,
};
use crate::scenario::{ApplicationSpec, PolicySpec, Scenario, WorkloadSource};
use crate::workload;

/// The policies of an application over the fleet that `state` has adopted; none if it names none.
pub(super) fn autoscaler(
    scenario: &Scenario,
    spec: &ApplicationSpec,
    state: &ScalingState,
    registry: &Registry,
) -> Result<Option<Autoscaler>, SimulationError> {
    let Some(scaling) = spec.scaling.as_ref().filter(|scaling| !scaling.policies.is_empty()) else {
        return Ok(None);
    };
    let mut pools = state.pools();
    if pools.is_empty() {
        pools.push(PoolCount::none(None));
    }
    let mut governors = Vec::new();
    for policy in &scaling.policies {
        let known = registry.policy(&policy.name);
        let (kind, build) = known.ok_or_else(|| SimulationError::UnknownPolicy(policy.name.clone()))?;
        let refused = |reason: String| SimulationError::PolicyRefused {
            policy: policy.name.clone(),
            application: spec.id,
            reason,
        };
        if kind.foresees && waits_for_answers(scenario) {
            return Err(refused(NO_FUTURE.to_owned()));
        }
        let foresight = kind.foresees.then(|| foresee(scenario, spec)).transpose()?;
        for (pool, tag) in governed(kind, policy, &pools) {
            let context = PolicyContext {
                application: spec.id,
                pool,
                pools: pools.clone(),
                startup: state.startup_delay(),
                decision_interval: policy.decision_interval,
                min_instances: scaling.min_instances,
                max_instances: scaling.max_instances,
                slo: scenario.slo.clone(),
                model: spec.model.clone(),
                capacity: state.capacity_of_new(tag).map_err(|error| refused(error.to_string()))?,
                seed: scenario.seed,
                foresight: foresight.clone(),
            };
            let built = build(&policy.settings, &context).map_err(|refusal| refused(refusal.to_string()))?;
            governors.push(Governor::new(kind.kind.name, built, policy.decision_interval));
        }
    }
    let (interval, delay) = (scaling.scrape_interval, scaling.metrics_delay);
    Ok(Some(Autoscaler::new(governors, (interval, delay), scenario.slo.clone())))
}

/// Why a policy that sees the future cannot govern.
const NO_FUTURE: &str = "it looks at requests before they arrive, and those of `sessions` or `clients` depend on \
                         answers that nobody knows yet; take another policy, or a workload that does not wait";

fn waits_for_answers(scenario: &Scenario) -> bool {
    matches!(&scenario.workload.source, WorkloadSource::Synthetic(spec) if spec.waits_for_answers())
}

/// What policy objects there are to be: the pool each governs, and the pool whose instances it starts.
fn governed(kind: &PolicyKind, policy: &PolicySpec, pools: &[PoolCount]) -> Vec<(Option<Tag>, Option<Tag>)> {
    match (kind.governs, policy.pool) {
        (Governs::Fleet, _) => vec![(None, pools[0].tag)],
        (Governs::Pool, Some(tag)) => vec![(Some(tag), Some(tag))],
        (Governs::Pool, None) => pools.iter().map(|pool| (pool.tag, pool.tag)).collect(),
    }
}

/// All requests of an application, for a policy that sees the future.
fn foresee(scenario: &Scenario, spec: &ApplicationSpec) -> Result<Arc<Vec<FutureRequest>>, SimulationError> {
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed)?;
    let own = workload.requests.filter(|request| request.application == spec.id);
    let future = own.map(|request| FutureRequest {
        arrival: request.arrival,
        prompt_tokens: request.prompt_tokens,
        output_tokens: request.output_tokens,
    });
    Ok(Arc::new(future.collect()))
}
