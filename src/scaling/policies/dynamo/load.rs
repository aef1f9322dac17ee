//! `dynamo_load`: the load mode. One instance more or fewer per decision, from what each worker has to do.
//!
//! With the rule `sla`, latency is regressed on load; the load at which it would miss its target is the limit of
//! every worker. With `throughput` or `latency`, fixed shares of the context length and the KV cache are.
//! Nothing is decided while an instance starts or leaves, or while not all have shown their load.
//!
//! Leaves out: latencies of single workers, so that the mean load of a pool is regressed with the mean latency
//! of its requests; prompt tokens that are being computed, of which instances show only those that wait.

use ebbflow_actors::{SimDuration, SimTime};

use super::Layout;
use super::moves::{Fixed, Thresholds, by_limit, decode_limit, merged, prefill_limit};
use super::regression::Regression;
use super::sizing::Sizes;
use super::throughput::{self, Limits, Planner, itl_target_s};
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::metrics::Signal;
use crate::scaling::policies::no_data::no_data;
use crate::scaling::{
    AutoscalingPolicy, Decision, Governs, Observation, PolicyContext, PolicyKind, PolicyRefusal,
};
use crate::slo::{LatencyKind, Statistic};

const SOURCE: &str = "Dynamo planner defaults";

const PARAMETERS: &[Parameter] = &[
    Parameter::word("rule", "sla", &["sla", "throughput", "latency"], "what limits the load of a worker"),
    Parameter::optional("ttft", "time to first token aimed at; else the slo's, else 0.5 s").unit("s"),
    throughput::ITL,
    throughput::BUDGET,
    throughput::MIN_ENDPOINT,
    Parameter::number("scaling_down_sensitivity", 0.8, "share of the limit below which it shrinks; 0: never")
        .at_most(1.0)
        .from(SOURCE),
    Parameter::number("learning_window", 50.0, "observations that are regressed").at_least(2.0).from(SOURCE),
    Parameter::number("min_observations", 5.0, "observations before anything is done")
        .at_least(2.0)
        .from(SOURCE),
    Parameter::number("context_length", 8192.0, "unit of the prefill queue with the fixed rules")
        .at_least(1.0)
        .unit("tokens"),
    Parameter::flag("throughput_floor", false, "never fewer than the throughput mode wants"),
    Parameter::seconds("throughput_interval", 180.0, "between two plans of the throughput mode")
        .at_least(1.0)
        .from(SOURCE),
    throughput::LARGEST_BATCH,
    throughput::PREDICTOR,
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "dynamo_load",
        aliases: &["load_planner"],
        about: "NVIDIA Dynamo's planner: one instance more or fewer by the load of each worker",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind { governs: Governs::Fleet, decision_interval_s: 5.0, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(LoadMode::new(settings, context)?)));
}

/// Where the limits come from.
#[derive(Debug)]
enum Rule {
    Sla { ttft_s: f64, itl_s: f64, prefill: Regression, decode: Regression, sensitivity: f64 },
    Fixed { rule: Fixed, context_tokens: f64, kv_tokens: f64 },
}

/// The throughput mode as a floor.
#[derive(Debug)]
struct Floor {
    planner: Planner,
    interval: SimDuration,
    next: SimTime,
    sizes: Sizes,
}

#[derive(Debug)]
struct LoadMode {
    layout: Layout,
    rule: Rule,
    limits: Limits,
    floor: Option<Floor>,
    /// The newest known.
    prompt_tokens: Option<f64>,
}

impl LoadMode {
    fn new(settings: &Settings, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let gpus = Sizes { prefill: context.capacity.gpus, decode: context.capacity.gpus };
        let interval = settings.seconds("throughput_interval");
        let floor = settings.flag("throughput_floor").then(|| {
            let planner = Planner::new(settings, context, interval, (true, false))?;
            Ok(Floor { planner, interval, next: SimTime::ZERO + interval, sizes: Sizes::default() })
        });
        Ok(LoadMode {
            layout: Layout::of(context)?,
            rule: Rule::new(settings, context),
            limits: Limits::new(settings, gpus),
            floor: floor.transpose()?,
            prompt_tokens: None,
        })
    }
}

impl Rule {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let fixed = |rule| Rule::Fixed {
            rule,
            context_tokens: settings.number("context_length"),
            kv_tokens: context.capacity.kv_tokens.max(1) as f64,
        };
        match settings.text("rule") {
            "throughput" => return fixed(Fixed::Throughput),
            "latency" => return fixed(Fixed::Latency),
            _ => {}
        }
        let slo_s = context.slo.as_ref().and_then(|slo| slo.limit_s(LatencyKind::Ttft));
        let count = |name| settings.count(name) as usize;
        let regression = || Regression::new(count("learning_window"), count("min_observations"));
        Rule::Sla {
            ttft_s: settings.optional("ttft").or(slo_s).unwrap_or(0.5),
            itl_s: itl_target_s(settings, context),
            prefill: regression(),
            decode: regression(),
            sensitivity: settings.number("scaling_down_sensitivity"),
        }
    }

    /// Learns from loads and latencies.
    fn learn(&mut self, seen: &Observation<'_>, loads: &Loads) {
        if let Rule::Sla { prefill, decode, .. } = self {
            let view = seen.since_last();
            if let Some(ttft_s) = view.latency_s(LatencyKind::Ttft, Statistic::Mean) {
                prefill.observe(mean(&loads.queued_tokens) + loads.prompt_tokens, ttft_s);
            }
            if let Some(itl_s) = view.latency_s(LatencyKind::Tpot, Statistic::Mean) {
                decode.observe(mean(&loads.kv_tokens), itl_s);
            }
        }
    }

    fn prefill(&self, loads: &Loads) -> Option<u32> {
        match self {
            Rule::Sla { ttft_s, prefill, sensitivity, .. } => {
                let limit = prefill_limit(prefill.line()?, *ttft_s, loads.prompt_tokens)?;
                by_limit(&loads.queued_tokens, limit, *sensitivity)
            }
            Rule::Fixed { rule, context_tokens, .. } => {
                let contexts: Vec<f64> =
                    loads.queued_tokens.iter().map(|tokens| tokens / context_tokens).collect();
                Thresholds::prefill(*rule).apply(&contexts)
            }
        }
    }

    fn decode(&self, loads: &Loads) -> Option<u32> {
        match self {
            Rule::Sla { itl_s, decode, sensitivity, .. } => {
                by_limit(&loads.kv_tokens, decode_limit(decode.line()?, *itl_s)?, *sensitivity)
            }
            Rule::Fixed { rule, kv_tokens, .. } => {
                let use_: Vec<f64> = loads.kv_tokens.iter().map(|tokens| tokens / kv_tokens).collect();
                Thresholds::decode(*rule).apply(&use_)
            }
        }
    }
}

/// What the workers have to do, each by itself.
struct Loads {
    /// Prompt tokens that wait, per prefill worker.
    queued_tokens: Vec<f64>,
    /// Tokens in the KV cache and waiting for it, per decode worker.
    kv_tokens: Vec<f64>,
    /// Tokens of a mean prompt.
    prompt_tokens: f64,
}

impl LoadMode {
    /// None if not every worker has shown its load.
    fn loads(&mut self, seen: &Observation<'_>) -> Option<Loads> {
        let view = seen.since_last();
        self.prompt_tokens = view.mean_prompt_tokens().or(self.prompt_tokens);
        let of = |signal, tag| {
            let readings = view.readings(signal, tag);
            let all = seen.pool(tag).active as usize;
            (all > 0 && readings.count() == all)
                .then(|| readings.iter().map(|reading| reading.value).collect::<Vec<f64>>())
        };
        let (prefill, decode) = (self.layout.prefill(), self.layout.decode());
        let held = of(Signal::KvTokens, decode)?;
        let awaited = of(Signal::WaitingPromptTokens, decode)?;
        Some(Loads {
            queued_tokens: of(Signal::WaitingPromptTokens, prefill)?,
            kv_tokens: held.iter().zip(awaited).map(|(held, awaited)| held + awaited).collect(),
            prompt_tokens: self.prompt_tokens?,
        })
    }

    /// Plans anew when it is time; without data the plan before stays.
    fn floor(&mut self, seen: &Observation<'_>) -> Sizes {
        let Some(floor) = &mut self.floor else { return Sizes::default() };
        if seen.now >= floor.next {
            floor.next = seen.now + floor.interval;
            floor.sizes = floor.planner.plan(seen, floor.interval).unwrap_or(floor.sizes);
        }
        floor.sizes
    }

    fn wish(&self, seen: &Observation<'_>, loads: &Loads) -> Sizes {
        let workers = |tag| seen.pool(tag).active;
        let (prefill, decode) = (self.rule.prefill(loads), self.rule.decode(loads));
        match self.layout {
            Layout::Split => Sizes {
                prefill: prefill.unwrap_or(workers(self.layout.prefill())),
                decode: decode.unwrap_or(workers(self.layout.decode())),
            },
            Layout::Single(tag) => {
                let one = merged(prefill, decode, workers(tag)).unwrap_or(workers(tag));
                Sizes { prefill: one, decode: one }
            }
        }
    }
}

impl AutoscalingPolicy for LoadMode {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let pools = self.layout.pools();
        let floor = self.floor(seen);
        let Some(loads) = self.loads(seen) else {
            return no_data(seen, &pools, "not every worker has shown its load");
        };
        self.rule.learn(seen, &loads);
        if self.layout.is_changing(seen) {
            return no_data(seen, &pools, "an instance starts or leaves");
        }
        let sizes = self.limits.apply(self.layout, self.wish(seen, &loads).max(floor));
        Decision::of(self.layout.targets(sizes), "by the load of each worker")
    }

    fn look_back(&self) -> SimDuration {
        self.floor.as_ref().map_or(SimDuration::from_secs(60), |floor| floor.interval)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
