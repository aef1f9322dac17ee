//! How far a replay is from what was measured, as one number to make small.

use super::{Latency, Measured, Metric, Quantity, Statistic};
use crate::performance::calibration::Fitted;

/// What it costs when every constant is off by its [`SPREAD`]. Little, so that measurements decide wherever they say
/// anything; but one run hardly tells host time from the time of reading weights, and then the constants should
/// stay where other runs have them, or they say nothing of another model.
const PRIOR: f64 = 0.01;
/// How far the constants of one engine are apart between models and GPUs, as a share of the built-in ones: host time,
/// time a sequence, prefill factor, decode factor. From fits with groups of `silicon_sample.csv` left out.
const SPREAD: [f64; 4] = [0.15, 0.6, 0.2, 0.06];

/// Σ over TTFT, TPOT and E2E of: the mean deviation of a request as a share of the mean, and the relative errors of
/// mean and 99th percentile. Single requests tell constants apart, aggregates are what is asked for.
pub(super) fn distance(pairs: &[(&Measured, &Latency)]) -> f64 {
    let of = |quantity: Quantity| {
        let both = |&(request, latency): &(&Measured, &Latency)| {
            Some((quantity.measured(request)?, quantity.simulated(latency)))
        };
        let (measured, deviation) = pairs
            .iter()
            .filter_map(both)
            .fold((0.0, 0.0), |(sum, apart), (was, is)| (sum + was, apart + (is - was).abs()));
        let error =
            |statistic| Metric { quantity, statistic }.error(pairs.iter().copied()).map_or(0.0, f64::abs);
        let each = if measured > 0.0 { deviation / measured } else { 0.0 };
        each + error(Statistic::Mean) + error(Statistic::P99)
    };
    Quantity::ALL.map(of).iter().sum()
}

/// The four constants as multiples of the built-in ones, which are all of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale(Fitted);

/// Least and largest multiple of host time, time a sequence, prefill factor, decode factor.
const BOUNDS: [(f64, f64); 4] = [(0.0, 5.0), (0.0, 5.0), (0.3, 3.0), (0.3, 3.0)];
/// Where nothing is built in, a constant is a multiple of this.
const LITTLE_HOST_MS: f64 = 1.0;
const LITTLE_SEQUENCE_US: f64 = 10.0;

impl Scale {
    pub(super) fn of(built_in: Fitted) -> Self {
        let or = |value: f64, little: f64| if value > 0.0 { value } else { little };
        Scale(Fitted {
            host_ms: or(built_in.host_ms, LITTLE_HOST_MS),
            per_sequence_us: or(built_in.per_sequence_us, LITTLE_SEQUENCE_US),
            ..built_in
        })
    }

    /// The constants at this point, moved into their bounds.
    pub(super) fn constants(&self, point: &[f64; 4]) -> Fitted {
        let within = |axis: usize| point[axis].clamp(BOUNDS[axis].0, BOUNDS[axis].1);
        Fitted {
            host_ms: self.0.host_ms * within(0),
            per_sequence_us: self.0.per_sequence_us * within(1),
            prefill_factor: self.0.prefill_factor * within(2),
            decode_factor: self.0.decode_factor * within(3),
        }
    }

    /// What a point costs by itself: how far it is from what is built in, and from its bounds.
    pub(super) fn cost(point: &[f64; 4]) -> f64 {
        let off = point.iter().zip(SPREAD).map(|(multiple, spread)| ((multiple - 1.0) / spread).powi(2));
        let prior = off.sum::<f64>() / SPREAD.len() as f64;
        let outside = point.iter().zip(BOUNDS).map(|(&at, (least, most))| (at - at.clamp(least, most)).abs());
        PRIOR * prior + outside.sum::<f64>()
    }
}
