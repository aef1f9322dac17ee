//! `dynamo`: the throughput mode. Sizes both pools for the traffic of the next interval.
//!
//! Observed over the interval: requests, mean prompt and output, mean TTFT, time between tokens and duration.
//! An interval without any of them, as one without traffic, changes nothing: so the original never shrinks a
//! fleet that is idle, unless `shrink_when_idle`. Current does not matter: the answer is a number of instances,
//! those that start included. Leaves out: the original's choice of an ARIMA model by itself; `ar` is the nearest
//! predictor, and the last value is the default.

use ebbflow_actors::SimDuration;

use super::Layout;
use super::predictor::Series;
use super::profile::Profile;
use super::sizing::{
    Engine, Sizes, Traffic, corrected_itl_s, decode_needed, prefill_needed, single_within_budget,
    within_budget,
};
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::policies::no_data::no_data;
use crate::scaling::predictors;
use crate::scaling::{
    AutoscalingPolicy, Decision, Governs, Observation, PolicyContext, PolicyKind, PolicyRefusal,
};
use crate::slo::{LatencyKind, Statistic};

const SOURCE: &str = "Dynamo planner defaults";

pub(super) const ITL: Parameter =
    Parameter::optional("itl", "time between tokens aimed at; else the slo's tpot or tbt, else 50 ms")
        .unit("s");
pub(super) const BUDGET: Parameter =
    Parameter::optional("max_gpu_budget", "GPUs of both pools together; the original's default is 8")
        .unit("GPUs");
pub(super) const MIN_ENDPOINT: Parameter =
    Parameter::number("min_endpoint", 1.0, "instances of each pool at least").from(SOURCE);
const PREDICTED: &[Parameter] = &predictors::parameters("last_value", 1800.0);
pub(super) const PREDICTOR: Parameter =
    Parameter::group("predictor", PREDICTED, "of requests and their lengths in the next interval");
pub(super) const LARGEST_BATCH: Parameter =
    Parameter::number("max_batch_size", 512.0, "sequences that the profile decodes together at most")
        .at_least(1.0)
        .at_most(65536.0);

const PARAMETERS: &[Parameter] = &[
    ITL,
    BUDGET,
    MIN_ENDPOINT,
    LARGEST_BATCH,
    PREDICTOR,
    Parameter::flag("correction", true, "the profile is corrected by what was observed"),
    Parameter::flag("shrink_when_idle", false, "an interval without requests sizes for none"),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "dynamo",
        aliases: &["dynamo_throughput", "sla_planner"],
        about: "NVIDIA Dynamo's planner: prefill and decode sized for the traffic predicted",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind {
        governs: Governs::Fleet,
        decision_interval_s: 180.0,
        scrape_interval_s: 5.0,
        ..kind.into()
    };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Throughput::new(settings, context)?)));
}

/// What an interval was like.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Interval {
    traffic: Traffic,
    ttft_s: f64,
    itl_s: f64,
    duration_s: f64,
}

impl Interval {
    /// None if anything is missing.
    fn seen(seen: &Observation<'_>, window: SimDuration) -> Option<Self> {
        let view = seen.over(window);
        let mean_s = |kind| view.latency_s(kind, Statistic::Mean);
        let traffic = Traffic {
            requests: view.arrivals_per_s()? * window.as_secs_f64(),
            prompt_tokens: view.mean_prompt_tokens()?,
            output_tokens: view.mean_output_tokens()?,
            interval_s: window.as_secs_f64(),
        };
        let (ttft_s, itl_s) = (mean_s(LatencyKind::Ttft)?, mean_s(LatencyKind::Tpot)?);
        Some(Interval { traffic, ttft_s, itl_s, duration_s: mean_s(LatencyKind::E2e)? })
    }
}

/// Answers what the traffic of the next interval needs.
#[derive(Debug)]
pub(super) struct Planner {
    layout: Layout,
    prefill: Profile,
    decode: Profile,
    requests: Series,
    prompt_tokens: Series,
    output_tokens: Series,
    itl_s: f64,
    limits: Limits,
    corrects: bool,
    shrinks_when_idle: bool,
}

/// What bounds both modes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limits {
    min_endpoint: u32,
    budget: Option<u32>,
    gpus: Sizes,
}

impl Limits {
    pub fn new(settings: &Settings, gpus: Sizes) -> Self {
        let budget = settings.optional("max_gpu_budget").map(|gpus| gpus as u32);
        Limits { min_endpoint: settings.count("min_endpoint"), budget, gpus }
    }

    /// The sizes within the bounds.
    pub fn apply(&self, layout: Layout, wanted: Sizes) -> Sizes {
        let budget = self.budget.unwrap_or(u32::MAX);
        match layout {
            Layout::Split => within_budget(wanted, self.gpus, self.min_endpoint, budget),
            Layout::Single(_) => {
                let wanted = wanted.prefill.max(wanted.decode);
                let one = single_within_budget(wanted, self.gpus.prefill, self.min_endpoint, budget);
                Sizes { prefill: one, decode: one }
            }
        }
    }
}

/// The time between tokens aimed at, in seconds.
pub(super) fn itl_target_s(settings: &Settings, context: &PolicyContext) -> f64 {
    let slo = context.slo.as_ref();
    let of = |kind| slo.and_then(|slo| slo.limit_s(kind));
    settings
        .optional("itl")
        .or_else(|| of(LatencyKind::Tpot))
        .or_else(|| of(LatencyKind::Tbt))
        .unwrap_or(0.05)
}

impl Planner {
    pub fn new(
        settings: &Settings,
        context: &PolicyContext,
        window: SimDuration,
        (corrects, shrinks_when_idle): (bool, bool),
    ) -> Result<Self, PolicyRefusal> {
        let layout = Layout::of(context)?;
        // A policy is told of one kind of instance: both pools are taken to be of it.
        let profile = Profile::new(&context.capacity, settings.count("max_batch_size"));
        let gpus = Sizes { prefill: profile.gpus, decode: profile.gpus };
        let predictor = settings.group(PREDICTOR.name);
        let predictor = predictor.cloned().unwrap_or_else(|| Settings::defaults(PREDICTED));
        let series = || Series::new(predictors::build(&predictor, window));
        Ok(Planner {
            layout,
            prefill: profile.clone(),
            decode: profile,
            requests: series(),
            prompt_tokens: series(),
            output_tokens: series(),
            itl_s: itl_target_s(settings, context),
            limits: Limits::new(settings, gpus),
            corrects,
            shrinks_when_idle,
        })
    }

    /// What is needed after a window like this; an error says what is missing.
    pub fn plan(&mut self, seen: &Observation<'_>, window: SimDuration) -> Result<Sizes, &'static str> {
        let view = seen.over(window);
        if self.shrinks_when_idle && view.arrivals_per_s() == Some(0.0) {
            self.requests.observe(0.0);
            return Ok(self.limits.apply(self.layout, Sizes::default()));
        }
        let interval =
            Interval::seen(seen, window).ok_or("no traffic, or none completed, in the interval")?;
        let observed = interval.traffic;
        self.requests.observe(observed.requests);
        self.prompt_tokens.observe(observed.prompt_tokens);
        self.output_tokens.observe(observed.output_tokens);
        let expected = Traffic {
            requests: self.requests.next(),
            prompt_tokens: self.prompt_tokens.next(),
            output_tokens: self.output_tokens.next(),
            ..observed
        };
        let workers = seen.pool(self.layout.decode()).active;
        let (prefill, decode) = self.corrections(&interval, workers);
        Ok(self.limits.apply(self.layout, self.sizes(&expected, prefill, decode)))
    }

    /// Observed over expected times of first tokens and between tokens.
    fn corrections(&self, interval: &Interval, workers: u32) -> (f64, f64) {
        if !self.corrects {
            return (1.0, 1.0);
        }
        let Interval { traffic, ttft_s, itl_s, duration_s } = *interval;
        let in_flight = traffic.requests / traffic.interval_s * duration_s;
        let sequences = in_flight / f64::from(workers.max(1));
        (ttft_s / self.prefill.ttft_s(traffic.prompt_tokens), itl_s / self.decode.itl_s(sequences))
    }

    fn sizes(&self, traffic: &Traffic, prefill_correction: f64, decode_correction: f64) -> Sizes {
        let prefill = Engine {
            tokens_per_s_per_gpu: self.prefill.prefill_tokens_per_s_per_gpu(traffic.prompt_tokens),
            gpus: self.prefill.gpus,
        };
        let itl_s = corrected_itl_s(self.itl_s, decode_correction);
        let decode = Engine {
            tokens_per_s_per_gpu: self.decode.decode_tokens_per_s_per_gpu(itl_s, traffic.context_tokens()),
            gpus: self.decode.gpus,
        };
        Sizes {
            prefill: prefill_needed(traffic, prefill, prefill_correction),
            decode: decode_needed(traffic, decode),
        }
    }
}

#[derive(Debug)]
struct Throughput {
    layout: Layout,
    planner: Planner,
    interval: SimDuration,
}

impl Throughput {
    fn new(settings: &Settings, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let flags = (settings.flag("correction"), settings.flag("shrink_when_idle"));
        Ok(Throughput {
            layout: Layout::of(context)?,
            planner: Planner::new(settings, context, context.decision_interval, flags)?,
            interval: context.decision_interval,
        })
    }
}

impl AutoscalingPolicy for Throughput {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        match self.planner.plan(seen, seen.elapsed) {
            Err(missing) => no_data(seen, &self.layout.pools(), missing),
            Ok(sizes) => {
                let reason = format!("{} prefill and {} decode for the traffic", sizes.prefill, sizes.decode);
                Decision::of(self.layout.targets(sizes), reason)
            }
        }
    }

    fn look_back(&self) -> SimDuration {
        self.interval
    }
}
