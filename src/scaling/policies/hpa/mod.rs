//! `hpa`: the Kubernetes HorizontalPodAutoscaler v2, with and without `behavior`.
//!
//! The arithmetic is that of kube-controller-manager (`pkg/controller/podautoscaler`), checked against the
//! expectations of its own tests; its defaults are the controller's and those of the autoscaling/v2 API.
//! Every 15 s each metric asks for a number of replicas ([`replicas`]), the largest wins ([`controller`]),
//! stabilisation and rate limits hold it back ([`behavior`]), and the manager's bounds are the object's.
//!
//! Instances become pods like this ([`pods`] says what follows from it):
//!
//! | instance | pod | counts |
//! |---|---|---|
//! | SCALING_UP | running, not ready, no samples: *missing*; or *pending*: *unready* | in `current` |
//! | ACTIVE without a reading, or with a stale one | *missing* | in `current` |
//! | ACTIVE | *ready* since then | in `current` |
//! | DRAINING | deleted and failing its probe: *ignored* | nowhere |
//!
//! Current are the replicas asked for, starting ones included: spec and status never differ here, for an
//! instance that cannot be placed is refused at once and asked for again. Leaves out: containers of a pod,
//! pod requests that differ, the jitter of real clocks. A metric with no data is an error as in the original,
//! which forbids to shrink.

pub mod behavior;
pub mod controller;
mod fleet;
mod metric;
pub mod pods;
pub mod replicas;
mod rules;

use ebbflow_actors::SimDuration;

use self::controller::{Controller, Reconciled, Ruleset, Verdict};
use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::{
    AutoscalingPolicy, Decision, Observation, PolicyContext, PolicyKind, PolicyRefusal, Target,
};

pub(in crate::scaling::policies) use self::fleet::{FleetPods, STALENESS};
use self::metric::{COLUMNS, Metric};
pub(in crate::scaling::policies) use self::metric::{FleetMetric, TRIGGER_COLUMNS, milli, span};
pub(in crate::scaling::policies) use self::rules::{PARAMETERS as DAMPING, rules};

/// Between two reconciles, and between two scrapes of most recipes. Source: kube-controller-manager,
/// `--horizontal-pod-autoscaler-sync-period`; Prometheus operator.
pub(in crate::scaling::policies) const SYNC_PERIOD_S: f64 = 15.0;

const PARAMETERS: &[Parameter] = &{
    let [starting, period, delay, staleness] = fleet::PARAMETERS;
    let [tolerance, downscale, behavior] = DAMPING;
    let metrics =
        Parameter::rows("metrics", COLUMNS, "what it looks at: the one that asks for the most wins");
    [metrics, tolerance, downscale, behavior, starting, period, delay, staleness]
};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "hpa",
        aliases: &["HorizontalPodAutoscaler"],
        about: "Kubernetes HPA v2: metrics in proportion to their targets, with stabilisation and rate limits",
        parameters: PARAMETERS,
    };
    let kind =
        PolicyKind { decision_interval_s: SYNC_PERIOD_S, scrape_interval_s: SYNC_PERIOD_S, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Hpa::new(settings, context)?)));
}

#[derive(Debug)]
struct Hpa {
    pods: FleetPods,
    metrics: Vec<Metric>,
    controller: Controller,
}

impl Hpa {
    fn new(settings: &Settings, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let mut metrics = settings.rows("metrics").iter().map(Metric::read).collect::<Result<Vec<_>, _>>()?;
        if metrics.is_empty() {
            metrics.push(Metric::by_default());
        }
        let sees_without_pods = metrics.iter().any(Metric::sees_without_pods);
        if context.min_instances == 0 && !sees_without_pods {
            return Err(PolicyRefusal(
                "min_instances is 0, and no metric can be measured without instances, so that nothing would wake the \
                 fleet; add a metric of the fleet (total_waiting, arrivals_per_s, …) or set min_instances: 1"
                    .to_owned(),
            ));
        }
        let rules = Ruleset { sees_without_pods, ..rules(settings, rules::bounds(context)) };
        let pods = FleetPods::new(context.pool, settings);
        Ok(Hpa { pods, metrics, controller: Controller::new(rules) })
    }
}

impl AutoscalingPolicy for Hpa {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let current = seen.pool(self.pods.pool).asked();
        self.pods.refresh(seen);
        let Hpa { pods, metrics, controller } = self;
        let reconciled = controller.reconcile(seen.now, current, |tolerance| {
            metrics.iter().map(|metric| metric.propose(seen, pods, current, tolerance)).collect()
        });
        let names: Vec<&str> = self.metrics.iter().map(|metric| metric.name).collect();
        told(self.pods.pool, current, reconciled, &names)
    }

    fn look_back(&self) -> SimDuration {
        self.metrics.iter().map(Metric::look_back).max().unwrap_or_default()
    }
}

/// What came of a reconcile, as a decision.
pub(in crate::scaling::policies) fn told(
    pool: Option<Tag>,
    current: u32,
    Reconciled { replicas, verdict }: Reconciled,
    metrics: &[&str],
) -> Decision {
    let target = Target::new(pool, replicas).limited_by(verdict.limiter(current));
    match verdict {
        Verdict::ScalingDisabled => Decision::of([target], "at zero scaling is disabled"),
        Verdict::OutOfBounds => Decision::of([target], "the fleet is out of its bounds"),
        Verdict::Unmeasured(error) => Decision::of([target], format!("no change: {error}")),
        Verdict::Measured { metric, proposal, .. } => {
            let name = metrics.get(metric).copied().unwrap_or_default();
            let reason = if proposal.ratio.is_finite() {
                format!("{name} is at {:.2} of its target", proposal.ratio)
            } else {
                format!("{name} asks for {} from zero", proposal.replicas)
            };
            Decision::of([target.from_raw(f64::from(proposal.replicas))], reason)
        }
    }
}
