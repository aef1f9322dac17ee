//! `wva`: llm-d's Workload Variant Autoscaler.
//!
//! Two analyses: [`saturation`] looks at shares of KV cache and queue and moves by one; [`tokens`] estimates
//! the tokens that replicas bear and have to bear, and the [`optimizer`] turns the difference into replicas of
//! the cheapest or dearest variants. [`zero`] decides about the last one. A pool here has one variant; the
//! functions know many.
//!
//! Nothing is decided while not all replicas show metrics. Current are those asked for; what the original
//! wanted last is what the manager already asked for, so it needs no memory of it. Leaves out: several variants
//! of a pool, limits of GPUs per type. Source: llm-d/llm-d-workload-variant-autoscaler, commit b08b1c7.

pub mod optimizer;
pub mod saturation;
pub mod tokens;
pub mod zero;

use ebbflow_actors::SimDuration;

use self::optimizer::Offer;
use self::saturation::{Advice, Load, Variant};
use self::tokens::{Balance, Band, EngineLimits, Full, History, Lengths, TokenLoad};
use super::no_data::no_data;
use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::metrics::{Readings, Signal};
use crate::scaling::{AutoscalingPolicy, Decision, Limiter, Observation, PolicyContext, PolicyKind, Target};

const SOURCE: &str = "WVA b08b1c7, saturation defaults";

const PARAMETERS: &[Parameter] = &[
    Parameter::word("analyzer", "saturation", &["saturation", "tokens"], "version 1 or version 2"),
    Parameter::number("kv_cache_threshold", 0.8, "share of the KV cache from which a replica is full")
        .at_most(1.0)
        .from(SOURCE),
    Parameter::number("queue_length_threshold", 5.0, "waiting requests from which a replica is full")
        .unit("requests")
        .from(SOURCE),
    Parameter::number("kv_spare_trigger", 0.1, "least mean distance to kv_cache_threshold").from(SOURCE),
    Parameter::number("queue_spare_trigger", 3.0, "least mean distance to queue_length_threshold")
        .from(SOURCE),
    Parameter::number("scale_up_threshold", 0.85, "tokens: share of the supply above which it grows")
        .at_least(0.01)
        .from(SOURCE),
    Parameter::number("scale_down_boundary", 0.7, "tokens: share of the supply below which it shrinks")
        .at_least(0.01)
        .from(SOURCE),
    Parameter::number("max_batched_tokens", 2048.0, "tokens: of an iteration at most").unit("tokens"),
    Parameter::number("max_num_seqs", 256.0, "tokens: sequences of a batch at most").from("vLLM"),
    Parameter::seconds("workload_window", 300.0, "tokens: over which lengths of requests are averaged"),
    Parameter::flag("scale_to_zero", false, "the last instance goes after a time without requests"),
    Parameter::seconds("retention", 600.0, "that time").from("WVA scale-to-zero defaults"),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "wva",
        aliases: &["workload_variant_autoscaler", "llmd_wva"],
        about: "llm-d's Workload Variant Autoscaler: by spare KV cache and queue, or by tokens",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind { decision_interval_s: 30.0, scrape_interval_s: 15.0, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Wva::new(settings, context))));
}

#[derive(Debug)]
struct Wva {
    pool: Option<Tag>,
    analyzer: Analyzer,
    /// How long without requests before the last instance goes, if it does.
    retention: Option<SimDuration>,
    window: SimDuration,
}

#[derive(Debug)]
enum Analyzer {
    Saturation(saturation::Thresholds),
    Tokens(TokenAnalyzer),
}

#[derive(Debug)]
struct TokenAnalyzer {
    full: Full,
    band: Band,
    limits: EngineLimits,
    kv_tokens: f64,
    history: History,
    /// Of a replica, the newest known.
    capacity: Option<f64>,
    window: SimDuration,
}

impl Wva {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let (kv, queue) = (settings.number("kv_cache_threshold"), settings.number("queue_length_threshold"));
        let window = settings.seconds("workload_window");
        let analyzer = match settings.text("analyzer") {
            "tokens" => Analyzer::Tokens(TokenAnalyzer {
                full: Full { kv, queue },
                band: Band {
                    up: settings.number("scale_up_threshold"),
                    down: settings.number("scale_down_boundary"),
                },
                limits: EngineLimits {
                    max_batched_tokens: settings.number("max_batched_tokens"),
                    max_num_seqs: settings.number("max_num_seqs"),
                },
                kv_tokens: context.capacity.kv_tokens as f64,
                history: History::default(),
                capacity: None,
                window,
            }),
            _ => Analyzer::Saturation(saturation::Thresholds {
                kv,
                queue,
                kv_spare: settings.number("kv_spare_trigger"),
                queue_spare: settings.number("queue_spare_trigger"),
            }),
        };
        let retention = settings.flag("scale_to_zero").then(|| settings.seconds("retention"));
        Wva { pool: context.pool, analyzer, retention, window: window.max(retention.unwrap_or_default()) }
    }

    /// How many the zero policy makes of so many.
    fn enforced(&self, seen: &Observation<'_>, wanted: u32) -> u32 {
        let requests = self.retention.and_then(|retention| seen.over(retention).arrivals_per_s());
        let enforced = zero::enforce(&[wanted], &[("", 1.0)], self.retention.is_some(), requests);
        enforced.targets[0]
    }

    /// Without replicas there are no metrics but the requests that wait.
    fn without_replicas(&self, seen: &Observation<'_>) -> Decision {
        match seen.waiting() {
            Some(waiting) if waiting > 0.0 => Decision::to(self.pool, 1, "requests wait and nothing serves"),
            Some(_) => Decision::to(self.pool, self.enforced(seen, 0), "nothing serves and nothing waits"),
            None => no_data(seen, &[self.pool], "no metrics yet"),
        }
    }
}

impl AutoscalingPolicy for Wva {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let pool = seen.pool(self.pool);
        if pool.asked() == 0 {
            return self.without_replicas(seen);
        }
        let pool_tag = self.pool;
        let (target, reason) = match &mut self.analyzer {
            Analyzer::Saturation(thresholds) => by_saturation(seen, pool_tag, thresholds),
            Analyzer::Tokens(analyzer) => match analyzer.decide(seen, pool_tag) {
                Some(decided) => decided,
                None => return no_data(seen, &[pool_tag], "no replica shows metrics"),
            },
        };
        let wanted = self.enforced(seen, target.wanted);
        Decision::of([Target { wanted, ..target }], reason)
    }

    fn look_back(&self) -> SimDuration {
        self.window
    }
}

fn by_saturation(
    seen: &Observation<'_>,
    pool: Option<Tag>,
    thresholds: &saturation::Thresholds,
) -> (Target, String) {
    let (kv, queue) = (seen.readings(Signal::KvUse, pool), seen.readings(Signal::Waiting, pool));
    let loads: Vec<Load> = pairs(&kv, &queue).map(|(kv, queue)| Load { kv, queue }).collect();
    let current = seen.pool(pool).asked();
    let with_metrics = u32::try_from(loads.len()).unwrap_or(u32::MAX);
    let variant = Variant {
        name: String::new(),
        cost: 1.0,
        current,
        with_metrics,
        pending: seen.pool(pool).starting,
        desired: None,
    };
    if with_metrics != current {
        let target = Target::new(pool, current).limited_by(Some(Limiter::Data));
        return (target, format!("{with_metrics} of {current} replicas show metrics"));
    }
    let analysis = saturation::analyse(&loads, thresholds);
    let wanted = saturation::targets(analysis.advice, &[variant])[0];
    let what = match analysis.advice {
        Advice::Grow => "too little is spare",
        Advice::ShrinkIsSafe => "one fewer is safe",
        Advice::Stay => "enough is spare",
    };
    let reason = format!("{what}: KV {:.2}, queue {:.1} on average", analysis.spare_kv, analysis.spare_queue);
    (Target::new(pool, wanted), reason)
}

impl TokenAnalyzer {
    /// None as long as no replica has shown what it bears.
    fn decide(&mut self, seen: &Observation<'_>, pool: Option<Tag>) -> Option<(Target, String)> {
        let view = seen.over(self.window);
        let lengths = Lengths {
            input: view.mean_prompt_tokens().unwrap_or(0.0),
            output: view.mean_output_tokens().unwrap_or(0.0),
        };
        let (used, queues) = (seen.readings(Signal::KvTokens, pool), seen.readings(Signal::Waiting, pool));
        let loads: Vec<TokenLoad> = pairs(&used, &queues)
            .map(|(in_use, queue)| TokenLoad { in_use, kv_tokens: self.kv_tokens, queue })
            .collect();
        let capacities = loads.iter().map(|load| self.capacity_of(load, lengths)).collect();
        self.capacity = tokens::median(capacities).or(self.capacity);
        let capacity = self.capacity?;
        let count = seen.pool(pool);
        let demand: f64 = loads.iter().map(|load| tokens::demand(load, lengths.input)).sum();
        let demand = demand + if pool == Some(Tag::Token) { 0.0 } else { seen.waiting_prompt_tokens()? };
        let supply = |replicas: u32| f64::from(replicas) * capacity;
        let balance = Balance::of(demand, supply(count.active), supply(count.starting), self.band);
        let offer =
            Offer { name: String::new(), cost: 1.0, current: count.asked(), replica_capacity: capacity };
        let wanted = optimizer::cost_aware(balance.required, balance.spare, &[offer])[0];
        let reason = format!("{demand:.0} tokens of demand, {capacity:.0} of capacity a replica");
        let raw = demand / capacity / self.band.up;
        Some((Target::new(pool, wanted).from_raw(raw), reason))
    }

    fn capacity_of(&mut self, load: &TokenLoad, lengths: Lengths) -> f64 {
        if let Some(observed) = tokens::observed_capacity(load, self.full) {
            self.history.record(lengths.output, observed);
        }
        let derived = tokens::derived_capacity(self.limits, lengths);
        tokens::replica_capacity(load, self.full, self.history.mean(lengths.output), derived)
    }
}

/// Values of the same instances.
fn pairs<'r>(left: &'r Readings, right: &'r Readings) -> impl Iterator<Item = (f64, f64)> + 'r {
    left.iter().zip(right.iter()).map(|(left, right)| (left.value, right.value))
}
