//! `aibrix_apa`: AIBrix's pod autoscaler. APA moves the fleet by the ratio of what an instance carries to what
//! it should, outside a tolerance and within a rate; its KPA variant adds a stable and a panic window.
//!
//! What is measured is the mean over the ready instances; what is scaled counts starting ones too. So a slow
//! start orders the same capacity again and again, unless the guard for pending instances is up, as it is in
//! newer releases. Of several metrics the one that calls for most counts; one without data is skipped. While
//! there is no instance, what waits at the scheduler stands for the metric.
//!
//! With `faithful`, as shipped: KPA divides the mean over instances by the target as if it were their total,
//! so that its answer does not grow with the fleet; its panic forgets how large the fleet was, and silence is
//! panic too; the cooldown before a scale-down takes the smallest of the recent wishes, not the largest; and
//! APA cannot leave zero. Without it, KPA is Knative's over totals, cooldowns keep the cautious wish, and any
//! load calls for one instance.
//!
//! Leaves out: schedules that move the bounds (see the policy `scheduled`), the GPU optimiser, role-level
//! scaling. Rules and defaults: AIBrix at e3e10f9; the guard: its issue 2670.

pub mod cooldown;
pub mod rules;

use ebbflow_actors::{SimDuration, SimTime};

use self::cooldown::Cooldown;
use self::rules::{Mood, Rates, apa, shipped_kpa};
use super::kpa::decider::{BurstCapacity, Decider, DeciderRules, Load};
use super::kpa::target::Target as PerInstance;
use super::kpa::windows::{AverageWindow, Averaging};
use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::damping::Tolerance;
use crate::scaling::metrics::Signal;
use crate::scaling::{
    AutoscalingPolicy, Decision, Limiter, Observation, PolicyContext, PolicyKind, PolicyRefusal, PoolCount,
    Target,
};

/// Between two decisions, at least: a window keeps one value a decision.
const SHORTEST_INTERVAL: SimDuration = SimDuration::from_millis(100);
const SOURCE: &str = "AIBrix, podautoscaler/context";
const SIGNALS: &[&str] =
    &["kv_use", "running", "waiting", "ongoing", "waiting_prompt_tokens", "memory_use", "busy"];

const METRIC: &[Parameter] = &[
    Parameter::word("metric", "kv_use", SIGNALS, "what is read off every ready instance"),
    Parameter::number("target", 0.5, "what an instance should carry, in the unit of the metric")
        .at_least(0.001),
];

const PARAMETERS: &[Parameter] = &[
    Parameter::word("algorithm", "apa", &["apa", "kpa"], "by ratio, or with a stable and a panic window"),
    Parameter::flag("faithful", false, "the shipped arithmetic, faults included"),
    Parameter::rows("metrics", METRIC, "the largest answer counts; without any, kv_use at 0.5"),
    Parameter::number("up_tolerance", 0.1, "APA: ratio above 1 that is left alone").from(SOURCE),
    Parameter::number("down_tolerance", 0.1, "APA: ratio below 1 that is left alone").from(SOURCE),
    Parameter::number("max_scale_up_rate", 2.0, "at most so many times the fleet")
        .at_least(1.01)
        .from(SOURCE),
    Parameter::number("max_scale_down_rate", 2.0, "at least the fleet divided by this")
        .at_least(1.01)
        .from(SOURCE),
    Parameter::seconds("scale_up_cooldown", 0.0, "wishes so recent count before growing").from(SOURCE),
    Parameter::seconds("scale_down_cooldown", 300.0, "wishes so recent count before shrinking").from(SOURCE),
    Parameter::seconds("stable_window", 180.0, "KPA: over which calm load is averaged")
        .at_least(1.0)
        .at_most(86_400.0)
        .from(SOURCE),
    Parameter::seconds("panic_window", 60.0, "KPA: over which a burst is averaged")
        .at_least(1.0)
        .at_most(86_400.0)
        .from(SOURCE),
    Parameter::number("panic_threshold", 2.0, "KPA: panic when so many times as much is called for")
        .at_least(1.1)
        .from(SOURCE),
    Parameter::number("activation_scale", 1.0, "KPA: instances at least as soon as there is load")
        .at_least(1.0)
        .from(SOURCE),
    Parameter::flag("scale_to_zero", false, "whether the last instance may go; needs min_instances 0")
        .from(SOURCE),
    Parameter::flag("pending_guard", true, "no growth while instances start").from("AIBrix issue 2670"),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "aibrix_apa",
        aliases: &["AIBrix", "AIBrixPodAutoscaler"],
        about: "AIBrix's: load per instance over target, or its variant of Knative's",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind { decision_interval_s: 10.0, ..kind.into() };
    registry.add_policy(kind, |settings, context| {
        if context.decision_interval < SHORTEST_INTERVAL {
            let why = "its windows keep one value a decision; set decision_interval to 0.1 s or more";
            return Err(PolicyRefusal(why.to_owned()));
        }
        Ok(Box::new(AiBrix::new(settings, context)))
    });
}

#[derive(Debug)]
struct AiBrix {
    pool: Option<Tag>,
    gauges: Vec<Gauge>,
    rules: Rules,
    cooldown: Cooldown,
    faithful: bool,
    scale_to_zero: bool,
    pending_guard: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    tolerance: Tolerance,
    rates: Rates,
    panic_threshold: f64,
    activation_scale: u32,
}

/// A metric, and what becomes of it.
#[derive(Debug)]
struct Gauge {
    signal: Signal,
    target: f64,
    algorithm: Algorithm,
}

#[derive(Debug)]
enum Algorithm {
    Apa,
    /// Over means of an instance.
    ShippedKpa(Windows),
    /// Over totals.
    Kpa(Windows, Box<Decider>),
}

/// One value a decision, averaged over two windows.
#[derive(Debug)]
struct Windows {
    stable: AverageWindow,
    panic: AverageWindow,
}

impl AiBrix {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let faithful = settings.flag("faithful");
        let standard = [Settings::defaults(METRIC)];
        let metrics = match settings.rows("metrics") {
            [] => &standard[..],
            given => given,
        };
        let (up, down) = (settings.seconds("scale_up_cooldown"), settings.seconds("scale_down_cooldown"));
        AiBrix {
            pool: context.pool,
            gauges: metrics.iter().map(|metric| gauge(metric, settings, context)).collect(),
            rules: rules(settings),
            cooldown: Cooldown::new(up, down, faithful),
            faithful,
            scale_to_zero: settings.flag("scale_to_zero"),
            pending_guard: settings.flag("pending_guard"),
        }
    }
}

fn rules(settings: &Settings) -> Rules {
    let number = |name| settings.number(name);
    Rules {
        tolerance: Tolerance { up: number("up_tolerance"), down: number("down_tolerance") },
        rates: Rates { up: number("max_scale_up_rate"), down: number("max_scale_down_rate") },
        panic_threshold: number("panic_threshold"),
        activation_scale: settings.count("activation_scale"),
    }
}

fn gauge(metric: &Settings, settings: &Settings, context: &PolicyContext) -> Gauge {
    let target = metric.number("target");
    let windows = || {
        let window =
            |name| AverageWindow::new(Averaging::Linear, settings.seconds(name), context.decision_interval);
        Windows { stable: window("stable_window"), panic: window("panic_window") }
    };
    let algorithm = match (settings.text("algorithm"), settings.flag("faithful")) {
        ("apa", _) => Algorithm::Apa,
        (_, true) => Algorithm::ShippedKpa(windows()),
        (_, false) => {
            let pool = context.pools.iter().find(|pool| pool.tag == context.pool);
            let ready = pool.map_or(0, |pool| pool.active);
            let rules = decider_rules(target, settings);
            Algorithm::Kpa(windows(), Box::new(Decider::new(rules, SimTime::ZERO, ready)))
        }
    };
    Gauge { signal: signal(metric.text("metric")), target, algorithm }
}

fn signal(name: &str) -> Signal {
    match name {
        "running" => Signal::Running,
        "waiting" => Signal::Waiting,
        "ongoing" => Signal::Ongoing,
        "waiting_prompt_tokens" => Signal::WaitingPromptTokens,
        "memory_use" => Signal::MemoryUse,
        "busy" => Signal::Busy,
        _ => Signal::KvUse,
    }
}

fn decider_rules(target: f64, settings: &Settings) -> DeciderRules {
    let Rules { rates, panic_threshold, activation_scale, .. } = rules(settings);
    DeciderRules {
        target: PerInstance { value: target, total: target },
        burst_capacity: BurstCapacity::None,
        panic_threshold,
        max_scale_up_rate: rates.up,
        max_scale_down_rate: rates.down,
        stable_window: settings.seconds("stable_window"),
        scale_down_delay: SimDuration::ZERO,
        activation_scale,
        reachable: true,
    }
}

impl Windows {
    /// Takes a value; the averages over the stable and the panic window.
    fn take(&mut self, now: SimTime, value: f64) -> (f64, f64) {
        self.stable.record(now, value);
        self.panic.record(now, value);
        (self.stable.average(now), self.panic.average(now))
    }
}

impl AutoscalingPolicy for AiBrix {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let pool = seen.pool(self.pool);
        let mut gauges = std::mem::take(&mut self.gauges);
        let answers = gauges.iter_mut().filter_map(|gauge| self.answer(gauge, seen, pool));
        let most = answers.max_by(|a, b| a.wanted.cmp(&b.wanted));
        self.gauges = gauges;
        let Some(answer) = most else { return Decision::hold("no metric has data") };
        let Answer { wanted, raw, limited_by, reason } = self.guarded(answer, pool);
        let settled = self.cooldown.settle(seen.now, pool.asked(), wanted);
        let limited_by = if settled == wanted { limited_by } else { Some(Limiter::Stabilisation) };
        let least = if self.scale_to_zero { 0 } else { 1 };
        let limited_by = if settled < least { Some(Limiter::Bounds) } else { limited_by };
        let target = Target::new(self.pool, settled.max(least)).from_raw(raw).limited_by(limited_by);
        Decision::of([target], reason)
    }

    fn look_back(&self) -> SimDuration {
        SimDuration::ZERO
    }
}

/// What one metric calls for.
#[derive(Clone, Copy)]
struct Answer {
    wanted: u32,
    raw: f64,
    limited_by: Option<Limiter>,
    reason: &'static str,
}

impl AiBrix {
    /// What a metric calls for; none without data.
    fn answer(&self, gauge: &mut Gauge, seen: &Observation<'_>, pool: PoolCount) -> Option<Answer> {
        // The mean over the ready instances; what waits while there is none.
        let load = match pool.active {
            0 => seen.waiting()?,
            _ => seen.readings(gauge.signal, self.pool).mean()?,
        };
        let (current, now) = (pool.asked(), seen.now);
        match &mut gauge.algorithm {
            Algorithm::Apa => Some(self.by_ratio(current, load, gauge.target)),
            Algorithm::ShippedKpa(windows) => {
                Some(self.as_shipped(current, windows.take(now, load), gauge.target))
            }
            Algorithm::Kpa(windows, decider) => {
                let (stable, panic) = windows.take(now, load * f64::from(pool.active.max(1)));
                let wish = decider.decide(now, Some(Load { ready: pool.active, stable, panic }))?;
                let reason = if decider.panic_since().is_some() { "panic" } else { "stable" };
                Some(Answer { wanted: wish.desired, raw: wish.raw, limited_by: wish.limited_by, reason })
            }
        }
    }

    fn by_ratio(&self, current: u32, load: f64, target: f64) -> Answer {
        let raw = f64::from(current) * load / target;
        if current == 0 && load > 0.0 && !self.faithful {
            return Answer { wanted: 1, raw, limited_by: None, reason: "there is load again" };
        }
        let wanted = apa(current, load, target, self.rules.tolerance, self.rules.rates);
        let limited_by = match f64::from(wanted) {
            rounded if rounded == raw.ceil() => None,
            _ if wanted == current => Some(Limiter::Tolerance),
            _ => Some(Limiter::RateLimit),
        };
        Answer { wanted, raw, limited_by, reason: "load of an instance against its target" }
    }

    fn as_shipped(&self, current: u32, loads: (f64, f64), target: f64) -> Answer {
        let (stable, panic) = loads;
        let mood = Mood::of(stable, panic, self.rules.panic_threshold);
        let Rules { rates, activation_scale, .. } = self.rules;
        let wanted = shipped_kpa(current, loads, target, mood, rates, activation_scale);
        let (load, reason) = match mood {
            Mood::Calm => (stable, "stable, as shipped"),
            Mood::Panic { .. } => (stable.max(panic), "panic, as shipped"),
        };
        let raw = load / target;
        let limited_by = (f64::from(wanted) != raw.ceil()).then_some(Limiter::RateLimit);
        Answer { wanted, raw, limited_by, reason }
    }

    /// While instances start, the ready ones still show the load that ordered them.
    fn guarded(&self, answer: Answer, pool: PoolCount) -> Answer {
        if self.pending_guard && pool.starting > 0 && answer.wanted > pool.asked() {
            Answer { wanted: pool.asked(), limited_by: Some(Limiter::Data), ..answer }
        } else {
            answer
        }
    }
}
