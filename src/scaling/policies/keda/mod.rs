//! `keda`: Kubernetes Event-driven Autoscaling. Zero and idle are KEDA's own ([`executor`]), everything
//! between one and the largest fleet is the HPA that it creates ([`hpa`](super::hpa)).
//!
//! Triggers are metrics of the fleet, as its Prometheus scaler asks for; the HTTP add-on is a trigger on
//! `concurrency` (its target is 100) or `arrivals_per_s`, with requests that wait at the scheduler. A trigger is
//! active strictly above its activation threshold. Mind that the cooldown concerns only the last move to zero or
//! idle: between sizes above it the HPA's 300 s hold. Current are the instances asked for, as with `hpa`.
//!
//! Every decision asks the triggers; the HPA decides every `sync_period`, KEDA every `polling_interval`, both at
//! the first decision at or after that, so a `decision_interval` of 5 s polls to the nearest 5 s. Leaves out:
//! formulas over several triggers, ScaledJobs, triggers on CPU and memory (they cannot wake a fleet).
//! Source: kedacore/keda, `pkg/scaling/executor` and `pkg/fallback`.

pub mod executor;
mod trigger;

use ebbflow_actors::{SimDuration, SimTime};

use self::executor::{Executor, Fallback, FallbackBehavior, Pause, Poll, ScaledObject};
use self::trigger::Trigger;
use super::hpa::behavior::{Behavior, Bounds};
use super::hpa::controller::{Controller, Ruleset};
use super::hpa::replicas::MetricError;
use super::hpa::{DAMPING, FleetPods, STALENESS, SYNC_PERIOD_S, TRIGGER_COLUMNS, rules, told};
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::damping::Select;
use crate::scaling::{
    AutoscalingPolicy, Decision, Limiter, Observation, PolicyContext, PolicyKind, PolicyRefusal, Target,
};

const SOURCE: &str = "KEDA";
const MOST: u32 = 100;

const FALLBACK: &[Parameter] = &[
    Parameter::number("failure_threshold", 3.0, "failures in a row that are borne"),
    Parameter::number("instances", 1.0, "size of the fleet for want of a better one"),
    Parameter::word(
        "behavior",
        "static",
        &["static", "current", "current_if_higher", "current_if_lower"],
        "`instances`, or the current size: always, if it is higher, if it is lower",
    ),
];

const PARAMETERS: &[Parameter] = &{
    let [tolerance, downscale, behavior] = DAMPING;
    [
        Parameter::rows("triggers", TRIGGER_COLUMNS, "what it looks at: the one that asks for the most wins"),
        Parameter::seconds("polling_interval", 30.0, "between two looks whether a trigger is active")
            .from(SOURCE),
        Parameter::seconds("cooldown_period", 300.0, "from the last activity to zero or idle").from(SOURCE),
        Parameter::seconds(
            "initial_cooldown_period",
            0.0,
            "the same from the start, for who never was active",
        )
        .from(SOURCE),
        Parameter::optional(
            "active_min_instances",
            "smallest active fleet; else `min_instances` of the manager",
        ),
        Parameter::optional("idle_instances", "size of an inactive fleet").at_most(0.0).from(SOURCE),
        Parameter::optional("paused_instances", "the fleet stays at this size"),
        Parameter::flag("pause_scale_in", false, "it does not shrink"),
        Parameter::flag("pause_scale_out", false, "it does not grow"),
        Parameter::flag("force_activation", false, "it is active whatever the triggers say"),
        Parameter::flag("ignore_null_values", true, "no data count as 0, not as a failure").from(SOURCE),
        Parameter::optional_group("fallback", FALLBACK, "what to do when a trigger fails").from(SOURCE),
        Parameter::seconds("sync_period", SYNC_PERIOD_S, "between two decisions of the HPA")
            .from("kube-controller-manager"),
        tolerance,
        downscale,
        behavior,
        STALENESS,
    ]
};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "keda",
        aliases: &["ScaledObject"],
        about: "KEDA: to and from zero by activation and cooldown, the HPA in between",
        parameters: PARAMETERS,
    };
    let kind =
        PolicyKind { decision_interval_s: SYNC_PERIOD_S, scrape_interval_s: SYNC_PERIOD_S, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Keda::new(settings, context)?)));
}

#[derive(Debug)]
struct Keda {
    pods: FleetPods,
    triggers: Vec<Trigger>,
    fallback: Option<Fallback>,
    paused: bool,
    executor: Executor,
    polling: Every,
    controller: Controller,
    syncing: Every,
}

/// Something done again and again.
#[derive(Debug)]
struct Every {
    interval: SimDuration,
    last: Option<SimTime>,
}

impl Keda {
    fn new(settings: &Settings, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let object = scaled_object(settings, context)?;
        let defaults = [Settings::defaults(TRIGGER_COLUMNS)];
        let rows = settings.rows("triggers");
        let rows = if rows.is_empty() { &defaults } else { rows };
        let ignores_no_data = settings.flag("ignore_null_values");
        let triggers =
            rows.iter().map(|row| Trigger::read(row, ignores_no_data)).collect::<Result<_, _>>()?;
        let bounds = Bounds { min: object.min.max(1), max: context.max_instances.unwrap_or(MOST) };
        let every = |name| Every { interval: settings.seconds(name), last: None };
        Ok(Keda {
            pods: FleetPods::of_pool(context.pool, settings.seconds("staleness")),
            triggers,
            fallback: object.fallback,
            paused: object.pause.at.is_some(),
            executor: Executor::new(object, SimTime::ZERO),
            polling: every("polling_interval"),
            controller: Controller::new(paused(rules(settings, bounds), object.pause)),
            syncing: every("sync_period"),
        })
    }
}

fn scaled_object(settings: &Settings, context: &PolicyContext) -> Result<ScaledObject, PolicyRefusal> {
    let whole = |name| settings.optional(name).map(|number| number as u32);
    let min = whole("active_min_instances").unwrap_or(context.min_instances);
    let idle = whole("idle_instances");
    if idle.is_some_and(|idle| idle < context.min_instances) {
        return Err(PolicyRefusal(format!(
            "idle_instances is 0, but the manager keeps min_instances: {}; set min_instances: 0, and active_min_instances \
             to the smallest active fleet",
            context.min_instances
        )));
    }
    let pause = Pause {
        at: whole("paused_instances"),
        scale_in: settings.flag("pause_scale_in"),
        scale_out: settings.flag("pause_scale_out"),
    };
    Ok(ScaledObject {
        min,
        // KEDA accepts only an idle fleet that is smaller than the smallest active one.
        idle: idle.filter(|&idle| idle < min),
        cooldown: settings.seconds("cooldown_period"),
        initial_cooldown: settings.seconds("initial_cooldown_period"),
        pause,
        force_activation: settings.flag("force_activation"),
        fallback: settings.group("fallback").map(fallback),
    })
}

fn fallback(settings: &Settings) -> Fallback {
    let behavior = match settings.text("behavior") {
        "current" => FallbackBehavior::Current,
        "current_if_higher" => FallbackBehavior::CurrentIfHigher,
        "current_if_lower" => FallbackBehavior::CurrentIfLower,
        _ => FallbackBehavior::Static,
    };
    let (failure_threshold, instances) = (settings.count("failure_threshold"), settings.count("instances"));
    Fallback { failure_threshold, instances, behavior }
}

/// A pause in one direction is a disabled direction of the HPA.
fn paused(rules: Ruleset, pause: Pause) -> Ruleset {
    if !pause.scale_in && !pause.scale_out {
        return rules;
    }
    let mut behavior = rules.behavior.unwrap_or(Behavior::defaults(rules.downscale_stabilisation));
    if pause.scale_in {
        behavior.down.rate.select = Select::Disabled;
    }
    if pause.scale_out {
        behavior.up.rate.select = Select::Disabled;
    }
    Ruleset { behavior: Some(behavior), ..rules }
}

impl AutoscalingPolicy for Keda {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let pool = self.pods.pool;
        let current = seen.pool(pool).asked();
        self.pods.refresh(seen);
        let found: Vec<_> = self.triggers.iter_mut().map(|trigger| trigger.ask(seen, &self.pods)).collect();
        if self.polling.is_due(seen.now)
            && let Some(size) = self.poll(seen.now, current, &found)
        {
            return Decision::of([Target::new(pool, size).from_raw(f64::from(size))], "KEDA's own step");
        }
        if self.paused {
            return Decision::of([Target::new(pool, current)], "paused");
        }
        if current == 0 {
            return Decision::of([Target::new(pool, 0)], "at zero or idle until a trigger is active");
        }
        if !self.syncing.is_due(seen.now) {
            return Decision::of([Target::new(pool, current)], "between two decisions of the HPA");
        }
        self.sync(seen.now, current, &found)
    }

    fn look_back(&self) -> SimDuration {
        let windows = self.triggers.iter().filter_map(|trigger| trigger.window);
        windows.max().unwrap_or_default().max(SimDuration::from_secs(60))
    }
}

impl Keda {
    /// KEDA's part: to and from zero or idle.
    fn poll(&mut self, now: SimTime, current: u32, found: &[Result<f64, MetricError>]) -> Option<u32> {
        let active = self.triggers.iter().zip(found).any(|(trigger, value)| trigger.is_active(*value));
        let failed = found.iter().any(Result::is_err);
        let is_borne = |fallback: Fallback| {
            self.triggers.iter().all(|trigger| trigger.failures <= fallback.failure_threshold)
        };
        if failed && !active && self.fallback.is_some_and(is_borne) {
            return None;
        }
        self.executor.step(now, Poll { current, active, failed })
    }

    /// The HPA's part: between one and the largest fleet.
    fn sync(&mut self, now: SimTime, current: u32, found: &[Result<f64, MetricError>]) -> Decision {
        let Keda { pods, triggers, fallback, controller, .. } = self;
        let reconciled = controller.reconcile(now, current, |tolerance| {
            let asked = triggers.iter().zip(found);
            asked
                .map(|(trigger, value)| trigger.propose(*value, pods, current, *fallback, tolerance))
                .collect()
        });
        let names: Vec<&str> = triggers.iter().map(|trigger| trigger.name).collect();
        let decision = told(pods.pool, current, reconciled, &names);
        if found.iter().any(Result::is_err) { without_data(decision) } else { decision }
    }
}

/// The decision log says when a trigger has failed, even if a fallback stands in for it.
fn without_data(mut decision: Decision) -> Decision {
    for target in &mut decision.targets {
        target.limited_by = target.limited_by.or(Some(Limiter::Data));
    }
    decision.reason.push_str("; a trigger fails");
    decision
}

impl Every {
    /// Whether it is time; then the interval begins anew.
    fn is_due(&mut self, now: SimTime) -> bool {
        let due = self.last.is_none_or(|last| now - last >= self.interval);
        if due {
            self.last = Some(now);
        }
        due
    }
}
