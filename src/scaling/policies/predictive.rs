//! `predictive`: the user's third scenario and PredictiveScalingManager. It predicts the load for the time when
//! an instance ordered now is ready; above 1.2 × capacity it grows, below 0.5 × capacity it shrinks, to what
//! the predicted load needs.
//!
//! Load is requests/s that arrive; it is observed at every decision and predicted `horizon` ahead, the mean
//! start-up delay unless given, by a predictor of [its own room](crate::scaling::predictors). Current are
//! those asked for. Each pool has a policy of its own; all see the same load.
//!
//! Capacity is instances × requests/s of an instance. That is given, or `utilization` × the peak that
//! [`peak_requests_per_s`] computes from the performance model for the mean prompt P and output O observed:
//! with a batch of B = min(`max_batch_size`, KV tokens ÷ (P + O)) sequences, a request takes
//!
//! ```text
//! prefill   t_p = time of an iteration over one prompt of P tokens
//! decode    t_d = (O − 1) × time of an iteration over B decodes ÷ B
//! ```
//!
//! of an instance's time, so a prompt instance serves 1 ÷ t_p, a token instance 1 ÷ t_d, any other
//! 1 ÷ (t_p + t_d) requests/s.
//!
//! Leaves out: requests that wait already, batches of several prompts, the effect of length on decodes.

use ebbflow_actors::SimDuration;

use crate::ids::Tag;
use crate::performance::BatchShape;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::damping::Cooldown;
use crate::scaling::predictors::{self, Predictor};
use crate::scaling::{
    AutoscalingPolicy, Decision, InstanceCapacity, Limiter, Observation, PolicyContext, Target,
};

const PARAMETERS: &[Parameter] = &[
    Parameter::optional("requests_per_s_per_instance", "what one instance serves; unless given, estimated")
        .at_least(1e-6)
        .unit("requests/s"),
    Parameter::number("utilization", 0.7, "share of the estimated peak that counts as capacity")
        .at_least(0.01)
        .at_most(1.0),
    Parameter::number("max_batch_size", 512.0, "largest batch assumed for the estimate")
        .at_least(1.0)
        .unit("requests"),
    Parameter::seconds("length_window", 600.0, "over which mean lengths are taken for the estimate"),
    Parameter::number("scale_up_threshold", 1.2, "times the capacity above which it grows")
        .from("the user's PredictiveScalingManager"),
    Parameter::number("scale_down_threshold", 0.5, "times the capacity below which it shrinks")
        .from("the user's PredictiveScalingManager"),
    Parameter::optional("horizon", "how far ahead it looks; unless given, the mean start-up delay").unit("s"),
    Parameter::seconds("scale_down_cooldown", 60.0, "between two scale-downs"),
    Parameter::group("predictor", predictors::PARAMETERS, "how the load is predicted"),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "predictive",
        aliases: &["PredictiveScalingManager", "PredictivePolicy"],
        about: "up above 1.2 x capacity, down below 0.5 x capacity, of the load predicted",
        parameters: PARAMETERS,
    };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Predictive::new(settings, context))));
}

#[derive(Debug)]
struct Predictive {
    pool: Option<Tag>,
    predictor: Box<dyn Predictor>,
    interval: SimDuration,
    horizon: Option<f64>,
    thresholds: Thresholds,
    given: Option<f64>,
    utilization: f64,
    max_batch_size: f64,
    length_window: SimDuration,
    instance: InstanceCapacity,
    cooldown: Cooldown,
}

/// Times the capacity.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Thresholds {
    /// Above this a fleet grows.
    pub up: f64,
    /// Below this it shrinks.
    pub down: f64,
}

impl Thresholds {
    /// Instances for a predicted load, where there are `current`: at least one.
    pub fn size(self, current: u32, predicted: f64, requests_per_s_per_instance: f64) -> u32 {
        let capacity = f64::from(current) * requests_per_s_per_instance;
        let needed = ((predicted / requests_per_s_per_instance).ceil() as u32).max(1);
        if predicted > self.up * capacity {
            needed.max(current)
        } else if predicted < self.down * capacity {
            needed.min(current)
        } else {
            current.max(1)
        }
    }
}

/// Mean tokens of a request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MeanLengths {
    /// Prompt.
    pub prompt: f64,
    /// Output.
    pub output: f64,
}

/// Requests/s that an instance of this pool serves at most, by its performance model; see the
/// [module](self) for the formula.
pub fn peak_requests_per_s(
    pool: Option<Tag>,
    lengths: MeanLengths,
    instance: &InstanceCapacity,
    max_batch_size: f64,
) -> f64 {
    let MeanLengths { prompt, output } = lengths;
    let fitting = (instance.kv_tokens as f64 / (prompt + output).max(1.0)).floor();
    let batch = fitting.min(max_batch_size).max(1.0);
    let prompt_tokens = prompt.round().max(1.0) as u64;
    let prefill = BatchShape { prompts: 1, prompt_tokens, decodes: 0 };
    let decode = BatchShape { prompts: 0, prompt_tokens: 0, decodes: batch as u32 };
    let prefill_s = instance.performance.iteration_s(prefill);
    let decode_s = (output - 1.0).max(0.0) * instance.performance.iteration_s(decode) / batch.floor();
    match pool {
        Some(Tag::Prompt) => 1.0 / prefill_s,
        // Outputs of one token are no work for it.
        Some(Tag::Token) => 1.0 / decode_s.max(f64::MIN_POSITIVE),
        Some(Tag::Mixed) | None => 1.0 / (prefill_s + decode_s),
    }
}

impl Predictive {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let predictor = settings.group("predictor").expect("a group that is not optional is always there");
        Predictive {
            pool: context.pool,
            predictor: predictors::build(predictor, context.decision_interval),
            interval: context.decision_interval,
            horizon: settings.optional("horizon"),
            thresholds: Thresholds {
                up: settings.number("scale_up_threshold"),
                down: settings.number("scale_down_threshold"),
            },
            given: settings.optional("requests_per_s_per_instance"),
            utilization: settings.number("utilization"),
            max_batch_size: settings.number("max_batch_size"),
            length_window: settings.seconds("length_window"),
            instance: context.capacity.clone(),
            cooldown: Cooldown::new(SimDuration::ZERO, settings.seconds("scale_down_cooldown")),
        }
    }

    /// Requests/s of an instance; none: nothing is known of the lengths yet.
    fn requests_per_s_per_instance(&self, seen: &Observation<'_>) -> Option<f64> {
        if self.given.is_some() {
            return self.given;
        }
        let view = seen.over(self.length_window);
        let lengths = MeanLengths { prompt: view.mean_prompt_tokens()?, output: view.mean_output_tokens()? };
        let peak = peak_requests_per_s(self.pool, lengths, &self.instance, self.max_batch_size);
        Some(self.utilization * peak)
    }
}

impl AutoscalingPolicy for Predictive {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let Some(rate) = seen.since_last().arrivals_per_s() else { return Decision::hold("no data yet") };
        self.predictor.observe(rate);
        let Some(per_instance) = self.requests_per_s_per_instance(seen) else {
            return Decision::hold("no request has completed yet");
        };
        let horizon_s = self.horizon.unwrap_or(seen.startup.as_secs_f64());
        let steps = horizon_s / self.interval.as_secs_f64();
        let predicted = self.predictor.predict(steps).unwrap_or(rate).max(0.0);
        let current = seen.pool(self.pool).asked();
        let wanted = self.thresholds.size(current, predicted, per_instance);
        let reason = format!("{predicted:.2} requests/s in {horizon_s:.0} s, {per_instance:.2} an instance");
        let target = Target::new(self.pool, wanted).from_raw(predicted / per_instance);
        if wanted >= current {
            return Decision::of([target], reason);
        }
        if !self.cooldown.may_scale_in(seen.now) {
            let still = Target { wanted: current, ..target };
            return Decision::of([still.limited_by(Some(Limiter::Cooldown))], reason);
        }
        self.cooldown.scaled_in(seen.now);
        Decision::of([target], reason)
    }

    fn look_back(&self) -> SimDuration {
        self.length_window
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::performance::Constant;

    #[test]
    fn the_users_two_thresholds_decide_and_the_need_says_how_many() {
        let thresholds = Thresholds { up: 1.2, down: 0.5 };
        for (current, predicted, size) in [
            (1, 4.0, 1),
            (1, 4.8, 1), // not above 1.2 × 4
            (1, 4.9, 2),
            (2, 40.0, 10),
            (10, 20.0, 10), // not below 0.5 × 40
            (10, 19.0, 5),
            (2, 0.0, 1), // the last one stays
            (1, 0.0, 1),
            (0, 0.0, 1),
            (0, 9.0, 3),
        ] {
            assert_eq!(thresholds.size(current, predicted, 4.0), size, "{current} at {predicted}");
        }
    }

    /// By hand: 0.1 s a prompt and 0.01 s an iteration; 4000 KV tokens hold 10 requests of 300 + 100.
    #[test]
    fn capacity_follows_from_the_performance_model_and_the_mean_lengths() {
        let performance = Arc::new(Constant::new(0.1, 0.01).unwrap());
        let instance = InstanceCapacity { gpus: 8, performance, kv_tokens: 4_000 };
        let lengths = MeanLengths { prompt: 299.0, output: 101.0 };
        let peak = |pool, most| peak_requests_per_s(pool, lengths, &instance, most);
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        close(peak(Some(Tag::Prompt), 512.0), 10.0);
        close(peak(Some(Tag::Token), 512.0), 10.0);
        close(peak(None, 512.0), 5.0);
        close(peak(Some(Tag::Mixed), 512.0), 5.0);
        close(peak(Some(Tag::Token), 5.0), 5.0);
        let one_token = MeanLengths { prompt: 299.0, output: 1.0 };
        assert!(peak_requests_per_s(Some(Tag::Token), one_token, &instance, 512.0) > 1e9);
    }
}
