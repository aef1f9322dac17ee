//! `kpa`: Knative's pod autoscaler. Load ÷ target over a stable window; a burst in the panic window makes it
//! grow at once and never shrink until it is over; without load it goes to zero.
//!
//! Load is a total over all instances: the mean over the ready ones times their number, and what waits at the
//! scheduler, which here is Knative's activator. It is sampled every second and averaged in buckets of a
//! second. Rates and threshold are held against *ready* instances, the number asked for counts starting ones
//! too. A service that does not begin at zero begins in panic, since it has no history yet. In a fleet with
//! pools each has its own; requests that wait at the scheduler wait for prompts to be computed, and for tokens
//! only while nobody generates any.
//!
//! Leaves out: revisions (all that exists can be reached), scraping a sample of the pods, the number of
//! activators, and the maximum scale, which is the manager's `max_instances`; its `min_instances` is the
//! minimum. Rules and defaults: Knative Serving (autoscaler, reconciler, config-autoscaler) at 98e5ef9.

pub mod decider;
pub mod target;
pub mod windows;
pub mod zero;

use ebbflow_actors::{SimDuration, SimTime};

use self::decider::{BurstCapacity, Decider, DeciderRules, Load, Wish};
use self::target::{Metric, Target, TargetRules};
use self::windows::{AverageWindow, Averaging};
use self::zero::{Account, Scale, ZeroRules};
use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::metrics::Signal;
use crate::scaling::{
    AutoscalingPolicy, Decision, Limiter, Observation, PolicyContext, PolicyKind, Target as Order,
};

/// Buckets of the averaging windows.
const GRANULARITY: SimDuration = SimDuration::from_secs(1);
const SOURCE: &str = "Knative Serving, config-autoscaler";

const PARAMETERS: &[Parameter] = &[
    Parameter::word("metric", "concurrency", &["concurrency", "rps"], "what load is measured in")
        .from(SOURCE),
    Parameter::optional("target", "load of an instance; without it 100 requests at once or 200 per second")
        .from(SOURCE),
    Parameter::optional("container_concurrency", "requests an instance takes at once; caps `target`")
        .unit("requests"),
    Parameter::number("target_utilization", 0.7, "share of the target to aim for")
        .at_least(0.01)
        .at_most(1.0)
        .from(SOURCE),
    Parameter::word("averaging", "linear", &["linear", "weighted_exponential"], "how samples are averaged")
        .from(SOURCE),
    Parameter::seconds("stable_window", 60.0, "over which calm load is averaged")
        .at_least(6.0)
        .at_most(3600.0)
        .from(SOURCE),
    Parameter::number("panic_window_share", 0.1, "panic window as a share of the stable one")
        .at_least(0.01)
        .at_most(1.0)
        .from(SOURCE),
    Parameter::number("panic_threshold", 2.0, "panic when so many times the ready instances are called for")
        .at_least(1.1)
        .at_most(10.0)
        .from(SOURCE),
    Parameter::number("max_scale_up_rate", 1000.0, "at most so many times the ready instances")
        .at_least(1.01)
        .from(SOURCE),
    Parameter::number("max_scale_down_rate", 2.0, "at least the ready instances divided by this")
        .at_least(1.01)
        .from(SOURCE),
    Parameter::seconds("scale_down_delay", 0.0, "so long fewer must be wanted before there are fewer")
        .at_most(3600.0)
        .from(SOURCE),
    Parameter::number("activation_scale", 1.0, "instances at least as soon as there is load")
        .at_least(1.0)
        .from(SOURCE),
    Parameter::number("initial_scale", 1.0, "instances to reach first, where the start state has fewer")
        .from(SOURCE),
    Parameter::number("target_burst_capacity", 211.0, "spare capacity wanted; -1: any is too little")
        .at_least(-1.0)
        .unit("requests")
        .from(SOURCE),
    Parameter::flag("scale_to_zero", true, "whether the last instance may go; needs min_instances 0")
        .from(SOURCE),
    Parameter::seconds("scale_to_zero_grace", 30.0, "before the last instance goes, with nobody asking")
        .from(SOURCE),
    Parameter::seconds("pod_retention", 0.0, "at least so long the last instance stays, with nobody asking")
        .from(SOURCE),
    Parameter::seconds("progress_deadline", 600.0, "an activation that takes longer by 30 s has failed")
        .at_most(86_400.0)
        .from(SOURCE),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "kpa",
        aliases: &["KnativePodAutoscaler"],
        about: "Knative's: load per instance over a stable and a panic window, down to zero",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind { decision_interval_s: 2.0, scrape_interval_s: 1.0, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Kpa::new(settings, context))));
}

#[derive(Debug)]
struct Kpa {
    pool: Option<Tag>,
    metric: Metric,
    stable: AverageWindow,
    panic: AverageWindow,
    /// The longest gap between two decisions that is still filled in.
    stable_window: SimDuration,
    decider: Decider,
    zero: ZeroRules,
    account: Account,
}

impl Kpa {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let metric = match settings.text("metric") {
            "rps" => Metric::RequestsPerS,
            _ => Metric::Concurrency {
                hard_limit: settings.optional("container_concurrency").filter(|limit| *limit > 0.0),
            },
        };
        let averaging = match settings.text("averaging") {
            "linear" => Averaging::Linear,
            _ => Averaging::WeightedExponential,
        };
        let stable_window = settings.seconds("stable_window");
        let average = |window| AverageWindow::new(averaging, window, GRANULARITY);
        let zero = zero_rules(settings, context);
        let pool = context.pools.iter().find(|pool| pool.tag == context.pool);
        let ready = pool.map_or(0, |pool| pool.active);
        Kpa {
            pool: context.pool,
            metric,
            stable: average(stable_window),
            panic: average(panic_window(settings)),
            stable_window,
            decider: Decider::new(decider_rules(settings, metric), SimTime::ZERO, ready),
            account: Account::open(SimTime::ZERO, ready, &zero),
            zero,
        }
    }
}

/// Whole seconds, one at least.
fn panic_window(settings: &Settings) -> SimDuration {
    let seconds = settings.number("stable_window") * settings.number("panic_window_share");
    SimDuration::from_secs((seconds as u64).max(1))
}

fn target(settings: &Settings, metric: Metric) -> Target {
    let rules = TargetRules {
        metric,
        wanted: settings.optional("target"),
        default_concurrency: 100.0,
        default_requests_per_s: 200.0,
        utilization: settings.number("target_utilization"),
    };
    rules.resolve()
}

fn decider_rules(settings: &Settings, metric: Metric) -> DeciderRules {
    DeciderRules {
        target: target(settings, metric),
        burst_capacity: BurstCapacity::from_number(settings.number("target_burst_capacity")),
        panic_threshold: settings.number("panic_threshold"),
        max_scale_up_rate: settings.number("max_scale_up_rate"),
        max_scale_down_rate: settings.number("max_scale_down_rate"),
        stable_window: settings.seconds("stable_window"),
        scale_down_delay: settings.seconds("scale_down_delay"),
        activation_scale: settings.count("activation_scale"),
        reachable: true,
    }
}

fn zero_rules(settings: &Settings, context: &PolicyContext) -> ZeroRules {
    let burst_capacity = BurstCapacity::from_number(settings.number("target_burst_capacity"));
    ZeroRules {
        enabled: settings.flag("scale_to_zero"),
        stable_window: settings.seconds("stable_window"),
        grace: settings.seconds("scale_to_zero_grace"),
        retention: settings.seconds("pod_retention"),
        activation_timeout: settings.seconds("progress_deadline") + ZeroRules::ACTIVATION_BUFFER,
        min: context.min_instances,
        max: None,
        initial_scale: settings.count("initial_scale"),
        reachable: true,
        always_buffered: burst_capacity == BurstCapacity::Unlimited,
    }
}

impl AutoscalingPolicy for Kpa {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let (now, pool) = (seen.now, seen.pool(self.pool));
        if let Some(value) = self.observe(seen, pool.active) {
            self.record(now, seen.elapsed, value);
        }
        let load = (!self.stable.is_empty(now)).then(|| Load {
            ready: pool.active,
            stable: self.stable.average(now),
            panic: self.panic.average(now),
        });
        let wish = self.decider.decide(now, load);
        let standing = self.account.standing(now);
        let desired = wish.map(|wish| wish.desired);
        let scale = self.zero.scale(desired, &standing, || standing.proxied.is_some());
        let buffered = wish.is_some_and(|wish| wish.excess_burst_capacity < 0);
        self.account.enter(now, scale, pool.active, buffered, &self.zero);
        match (scale, wish, load) {
            (Scale::Unknown, None, _) => Decision::hold("no data yet"),
            (Scale::Unknown, ..) => Decision::hold("still activating"),
            (Scale::Idle, ..) => {
                let stays = self.order(pool.asked(), wish).limited_by(Some(Limiter::Delay));
                Decision::of([stays], "idle: nothing to do, the last instance has to stay for now")
            }
            (Scale::To(instances), ..) => Decision::of([self.order(instances, wish)], self.reason(load)),
        }
    }

    fn look_back(&self) -> SimDuration {
        SimDuration::ZERO
    }
}

impl Kpa {
    /// The total load since the decision before; none if there are no data.
    fn observe(&self, seen: &Observation<'_>, ready: u32) -> Option<f64> {
        let recent = seen.since_last();
        if self.metric == Metric::RequestsPerS {
            return recent.arrivals_per_s();
        }
        let held = recent.waiting()?;
        let at_instances = match ready {
            0 => 0.0,
            ready => recent.readings(Signal::Ongoing, self.pool).mean()? * f64::from(ready),
        };
        let is_waited_for = self.pool != Some(Tag::Token) || ready == 0;
        Some(at_instances + if is_waited_for { held } else { 0.0 })
    }

    /// One value for every second since the decision before.
    fn record(&mut self, now: SimTime, elapsed: SimDuration, value: f64) {
        let whole_seconds = |span: SimDuration| span.as_nanos() / GRANULARITY.as_nanos();
        let last = whole_seconds(now - SimTime::ZERO);
        let before = whole_seconds((now - SimTime::ZERO).saturating_sub(elapsed));
        let first = (before + 1).max((last + 1).saturating_sub(whole_seconds(self.stable_window)));
        for second in first..=last {
            let at = SimTime::ZERO + SimDuration::from_secs(second);
            self.stable.record(at, value);
            self.panic.record(at, value);
        }
    }

    fn order(&self, instances: u32, wish: Option<Wish>) -> Order {
        let order = Order::new(self.pool, instances);
        let Some(wish) = wish else { return order };
        let limiter = match instances {
            _ if instances == wish.desired => wish.limited_by,
            least if least == self.zero.min => Some(Limiter::Bounds),
            _ => Some(Limiter::Delay),
        };
        order.from_raw(wish.raw).limited_by(limiter)
    }

    fn reason(&self, load: Option<Load>) -> String {
        let Some(Load { stable, panic, .. }) = load else { return "no data yet".to_owned() };
        let unit = if self.metric == Metric::RequestsPerS { "requests/s" } else { "requests" };
        match self.decider.panic_since() {
            Some(_) => format!("panic: {panic:.1} {unit} lately, {stable:.1} in the stable window"),
            None => format!("stable: {stable:.1} {unit}"),
        }
    }
}
