//! What can be measured of a fleet, and in which of the HPA's forms it becomes a number of replicas.
//!
//! | form | HPA's name | `type` | words |
//! |---|---|---|---|
//! | of each instance, averaged | Pods | `average_value` | [`Signal`]s: `waiting`, `kv_use`, … |
//! | of each instance, a share of what it has | Resource | `utilization` | `kv_use`, `memory_use`, `busy` |
//! | of the fleet, to be shared out | Object, External | `average_value` | `total_waiting`, `arrivals_per_s`, … |
//! | of the fleet as a whole | Object, External | `value` | the same, `ttft_p90`, … |
//!
//! `total_…` are sums over the instances of the pool and of what waits at the scheduler, which is what
//! production stacks ask Prometheus for. Values become whole thousandths, cut off, as in the original.

use ebbflow_actors::SimDuration;

use super::fleet::FleetPods;
use super::replicas::{self, MetricError, Proposal};
use crate::ids::Tag;
use crate::registry::{Parameter, Settings};
use crate::scaling::damping::Tolerance;
use crate::scaling::metrics::Signal;
use crate::scaling::{Observation, PolicyRefusal};
use crate::slo::{LatencyKind, Statistic};

/// Over which time rates and latencies are taken unless the scenario says otherwise: the range that Prometheus
/// recipes use most.
const RATE_WINDOW: SimDuration = SimDuration::from_secs(60);

/// A metric with its target.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Metric {
    /// As the scenario names it.
    pub name: &'static str,
    window: Option<SimDuration>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Form {
    Pods { signal: Signal, target_milli: i64 },
    Resource { signal: Signal, target_pct: u32 },
    Fleet(FleetMetric),
}

/// A metric of the fleet with its target.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::scaling::policies) struct FleetMetric {
    gauge: Gauge,
    pub target_milli: i64,
    /// Whether the target is for each instance, or for all together.
    shared_out: bool,
}

/// What is measured of a fleet.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Gauge {
    SchedulerWaiting,
    Waiting,
    Running,
    Ongoing,
    WaitingPromptTokens,
    Concurrency,
    Arrivals,
    PromptTokens,
    OutputTokens,
    Violations,
    Latency(LatencyKind, Statistic),
}

const SIGNALS: [(&str, Signal); 8] = [
    ("waiting", Signal::Waiting),
    ("running", Signal::Running),
    ("ongoing", Signal::Ongoing),
    ("waiting_prompt_tokens", Signal::WaitingPromptTokens),
    ("kv_use", Signal::KvUse),
    ("kv_tokens", Signal::KvTokens),
    ("memory_use", Signal::MemoryUse),
    ("busy", Signal::Busy),
];

const GAUGES: [(&str, Gauge); 21] = [
    ("total_waiting", Gauge::Waiting),
    ("total_running", Gauge::Running),
    ("total_ongoing", Gauge::Ongoing),
    ("total_waiting_prompt_tokens", Gauge::WaitingPromptTokens),
    ("scheduler_waiting", Gauge::SchedulerWaiting),
    ("concurrency", Gauge::Concurrency),
    ("arrivals_per_s", Gauge::Arrivals),
    ("prompt_tokens_per_s", Gauge::PromptTokens),
    ("output_tokens_per_s", Gauge::OutputTokens),
    ("slo_violation_rate", Gauge::Violations),
    ("ttft_mean", Gauge::Latency(LatencyKind::Ttft, Statistic::Mean)),
    ("ttft_p50", Gauge::Latency(LatencyKind::Ttft, Statistic::Quantile(0.5))),
    ("ttft_p90", Gauge::Latency(LatencyKind::Ttft, Statistic::Quantile(0.9))),
    ("ttft_p99", Gauge::Latency(LatencyKind::Ttft, Statistic::Quantile(0.99))),
    ("tbt_mean", Gauge::Latency(LatencyKind::Tbt, Statistic::Mean)),
    ("tbt_p90", Gauge::Latency(LatencyKind::Tbt, Statistic::Quantile(0.9))),
    ("tbt_p99", Gauge::Latency(LatencyKind::Tbt, Statistic::Quantile(0.99))),
    ("e2e_p90", Gauge::Latency(LatencyKind::E2e, Statistic::Quantile(0.9))),
    ("e2e_p99", Gauge::Latency(LatencyKind::E2e, Statistic::Quantile(0.99))),
    ("queue_p90", Gauge::Latency(LatencyKind::Queue, Statistic::Quantile(0.9))),
    ("queue_p99", Gauge::Latency(LatencyKind::Queue, Statistic::Quantile(0.99))),
];

const FLEET_WORDS: [&str; GAUGES.len()] = {
    let mut words = [""; GAUGES.len()];
    let mut nth = 0;
    while nth < GAUGES.len() {
        words[nth] = GAUGES[nth].0;
        nth += 1;
    }
    words
};

const WORDS: [&str; SIGNALS.len() + GAUGES.len()] = {
    let mut words = [""; SIGNALS.len() + GAUGES.len()];
    let mut nth = 0;
    while nth < SIGNALS.len() {
        words[nth] = SIGNALS[nth].0;
        nth += 1;
    }
    while nth < words.len() {
        words[nth] = FLEET_WORDS[nth - SIGNALS.len()];
        nth += 1;
    }
    words
};

const METRIC_ABOUT: &str = "what is measured; `total_…` adds what waits at the scheduler to all instances";
/// vLLM production-stack: its KEDA recipe scales on waiting requests with this threshold.
const DEFAULT_METRIC: &str = "total_waiting";
const DEFAULT_TARGET: f64 = 5.0;

const TARGET: Parameter = Parameter::number(
    "target",
    DEFAULT_TARGET,
    "what is aimed at, in the unit of the metric; percent for `utilization`",
)
.at_least(0.001)
.from("vLLM production-stack, KEDA recipe on waiting requests");
const WINDOW: Parameter = Parameter::optional(
    "window",
    "over which it is averaged; else the newest value, and 60 s for rates and latencies",
)
.unit("s");

/// The columns of the HPA's `metrics`.
pub(in crate::scaling::policies) const COLUMNS: &[Parameter] = &[
    Parameter::word("metric", DEFAULT_METRIC, &WORDS, METRIC_ABOUT),
    Parameter::word(
        "type",
        "average_value",
        &["average_value", "value", "utilization"],
        "target for each instance, for all together, or in percent of what an instance has",
    ),
    TARGET,
    WINDOW,
];

/// The columns of KEDA's `triggers`.
pub(in crate::scaling::policies) const TRIGGER_COLUMNS: &[Parameter] = &[
    Parameter::word("metric", DEFAULT_METRIC, &FLEET_WORDS, METRIC_ABOUT),
    Parameter::word(
        "type",
        "average_value",
        &["average_value", "value"],
        "target for each instance, or for all together",
    ),
    TARGET,
    WINDOW,
    Parameter::number(
        "activation_threshold",
        0.0,
        "above it the trigger is active, and the fleet not at zero",
    )
    .from("KEDA"),
];

impl Metric {
    /// From a row of the scenario.
    ///
    /// # Errors
    /// When the metric has no such type.
    pub(super) fn read(row: &Settings) -> Result<Self, PolicyRefusal> {
        let (word, kind, target) = (row.text("metric"), row.text("type"), row.number("target"));
        let signal = SIGNALS.iter().find(|(name, _)| *name == word);
        let name = signal.map(|(name, _)| *name).or_else(|| gauge(word).map(|(name, _)| name));
        let form = match (signal, kind) {
            (Some(&(_, signal)), "average_value") => Form::Pods { signal, target_milli: milli(target) },
            (Some(&(_, signal)), "utilization") if is_share(signal) => {
                Form::Resource { signal, target_pct: (target as u32).max(1) }
            }
            (None, "average_value" | "value") => Form::Fleet(FleetMetric::read(row)?),
            (Some(_), _) => {
                return Err(PolicyRefusal(format!(
                    "`{word}` is measured on each instance and has no type `{kind}`; use `average_value`, for kv_use, \
                     memory_use and busy also `utilization`, or a metric of the fleet (total_…)"
                )));
            }
            (None, _) => {
                return Err(PolicyRefusal(format!(
                    "`{word}` is measured on the fleet and has no type `{kind}`; use `average_value` or `value`"
                )));
            }
        };
        Ok(Metric { name: name.unwrap_or("metric"), window: row.optional("window").map(span), form })
    }

    /// The metric when the scenario names none.
    pub(super) fn by_default() -> Self {
        let target_milli = milli(DEFAULT_TARGET);
        let form = Form::Fleet(FleetMetric { gauge: Gauge::Waiting, target_milli, shared_out: true });
        Metric { name: DEFAULT_METRIC, window: None, form }
    }

    /// Whether it can be measured without instances.
    pub(super) fn sees_without_pods(&self) -> bool {
        matches!(self.form, Form::Fleet(_))
    }

    /// The longest time it looks back over.
    pub(super) fn look_back(&self) -> SimDuration {
        self.window.unwrap_or(RATE_WINDOW)
    }

    /// How many replicas it asks for.
    pub(super) fn propose(
        &self,
        seen: &Observation<'_>,
        pods: &FleetPods,
        current: u32,
        tolerance: Tolerance,
    ) -> Result<Proposal, MetricError> {
        match self.form {
            Form::Pods { signal, target_milli } => {
                let samples = pods.samples(seen, signal, self.window);
                pods.metric(seen, signal, &samples).average(current, target_milli, tolerance)
            }
            Form::Resource { signal, target_pct } => {
                let samples = pods.samples(seen, signal, self.window);
                pods.metric(seen, signal, &samples).utilisation(current, target_pct, tolerance)
            }
            Form::Fleet(metric) => {
                let value = metric.measure(seen, pods, self.window)?.ok_or(MetricError::NoSamples)?;
                Ok(metric.propose(milli(value), pods, current, tolerance))
            }
        }
    }
}

impl FleetMetric {
    /// From a row of the scenario.
    ///
    /// # Errors
    /// When it is no metric of the fleet.
    pub(in crate::scaling::policies) fn read(row: &Settings) -> Result<Self, PolicyRefusal> {
        let (_, gauge) = FleetMetric::named(row)?;
        let shared_out = row.text("type") == "average_value";
        Ok(FleetMetric { gauge, target_milli: milli(row.number("target")), shared_out })
    }

    /// As the scenario names it.
    ///
    /// # Errors
    /// When it is no metric of the fleet.
    pub(in crate::scaling::policies) fn name(row: &Settings) -> Result<&'static str, PolicyRefusal> {
        FleetMetric::named(row).map(|(name, _)| name)
    }

    fn named(row: &Settings) -> Result<(&'static str, Gauge), PolicyRefusal> {
        let word = row.text("metric");
        let refusal =
            || PolicyRefusal(format!("`{word}` is no metric of the fleet; use one of the total_… words"));
        gauge(word).ok_or_else(refusal)
    }

    /// Its value now: none if there is none, as of a percentile without requests.
    ///
    /// # Errors
    /// Without a sample of the scheduler, or with one that is too old.
    pub(in crate::scaling::policies) fn measure(
        &self,
        seen: &Observation<'_>,
        pods: &FleetPods,
        window: Option<SimDuration>,
    ) -> Result<Option<f64>, MetricError> {
        let age = seen.age().ok_or(MetricError::NoSamples)?;
        if age > pods.staleness {
            Err(MetricError::Stale)
        } else {
            Ok(self.gauge.read(seen, pods.pool, window))
        }
    }

    /// How many replicas it asks for at this value.
    pub(in crate::scaling::policies) fn propose(
        &self,
        usage_milli: i64,
        pods: &FleetPods,
        current: u32,
        tolerance: Tolerance,
    ) -> Proposal {
        if self.shared_out {
            replicas::average_value(current, usage_milli, self.target_milli, tolerance)
        } else {
            replicas::value(current, pods.serving(), usage_milli, self.target_milli, tolerance)
        }
    }
}

impl Gauge {
    fn read(self, seen: &Observation<'_>, pool: Option<Tag>, window: Option<SimDuration>) -> Option<f64> {
        let view = seen.over(window.unwrap_or(RATE_WINDOW));
        let summed = |signal| match window {
            Some(window) => seen.over(window).readings(signal, pool).sum(),
            None => seen.readings(signal, pool).sum(),
        };
        // What waits at the scheduler waits for whoever computes prompts, and for the first to generate tokens.
        let held = |tokens: bool| match (pool, window, tokens) {
            (Some(Tag::Token), ..) if seen.pool(pool).active > 0 => Some(0.0),
            (_, Some(window), false) => seen.over(window).waiting(),
            (_, None, false) => seen.waiting(),
            (_, _, true) => seen.waiting_prompt_tokens(),
        };
        match self {
            Gauge::SchedulerWaiting => held(false),
            Gauge::Waiting => Some(held(false)? + summed(Signal::Waiting)),
            Gauge::Running => Some(summed(Signal::Running)),
            Gauge::Ongoing => Some(held(false)? + summed(Signal::Ongoing)),
            Gauge::WaitingPromptTokens => Some(held(true)? + summed(Signal::WaitingPromptTokens)),
            Gauge::Concurrency => view.concurrency(),
            Gauge::Arrivals => view.arrivals_per_s(),
            Gauge::PromptTokens => view.prompt_tokens_per_s(),
            Gauge::OutputTokens => view.output_tokens_per_s(),
            Gauge::Violations => view.violation_rate(),
            Gauge::Latency(kind, statistic) => view.latency_s(kind, statistic),
        }
    }
}

fn gauge(word: &str) -> Option<(&'static str, Gauge)> {
    GAUGES.iter().find(|(name, _)| *name == word).copied()
}

/// Whether a signal is a share of what an instance has.
fn is_share(signal: Signal) -> bool {
    matches!(signal, Signal::KvUse | Signal::MemoryUse | Signal::Busy)
}

/// Whole thousandths, the rest cut off.
pub(in crate::scaling::policies) fn milli(value: f64) -> i64 {
    (value * 1000.0) as i64
}

/// A time of the scenario.
pub(in crate::scaling::policies) fn span(seconds: f64) -> SimDuration {
    SimDuration::from_secs_f64(seconds).unwrap_or(SimDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(metric: &str, kind: &str) -> Result<Metric, PolicyRefusal> {
        Metric::read(&Settings::defaults(COLUMNS).with("metric", metric).with("type", kind))
    }

    #[test]
    fn every_word_of_the_scenario_is_a_metric() {
        for word in WORDS {
            assert_eq!(read(word, "average_value").unwrap().name, word);
        }
        assert_eq!(Metric::read(&Settings::defaults(COLUMNS)).unwrap(), Metric::by_default());
    }

    #[test]
    fn a_type_that_a_metric_has_not_is_refused_with_what_to_do() {
        assert!(read("kv_use", "utilization").is_ok());
        assert!(read("ttft_p90", "value").is_ok());
        for (metric, kind) in [("waiting", "value"), ("waiting", "utilization"), ("ttft_p90", "utilization")]
        {
            let refusal = read(metric, kind).unwrap_err().to_string();
            assert!(refusal.contains(metric) && refusal.contains("use `average_value`"), "{refusal}");
        }
    }

    #[test]
    fn values_are_cut_to_thousandths() {
        assert_eq!(milli(1.2349), 1234);
        assert_eq!(milli(f64::INFINITY), i64::MAX);
    }
}
