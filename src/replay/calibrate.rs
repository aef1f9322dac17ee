//! Fits an engine's four constants to a log, judged by the part of it that was held back.
//!
//! Requests of a run meet each other, so that the whole log is replayed with every guess; only the requests that
//! are not [held back](super::is_held_back) count.

use super::objective::{Scale, distance};
use super::simplex::minimise;
use super::split::is_held_back;
use super::{Latency, Log, Measured, Metric, ReplayError, Setup};
use crate::performance::calibration::Fitted;

/// Fewer requests say too little.
const LEAST: usize = 20;
/// Replays of a search, and searches: each starts anew from the best point before, which takes a simplex that
/// collapsed too early out of where it is stuck.
const EVALUATIONS: usize = 120;
/// First size of a search's simplex, in multiples of the built-in constants.
const SIZES: [f64; 3] = [0.4, -0.15, 0.05];

/// The outcome of a fit.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The constants that were found.
    pub fitted: Fitted,
    /// Requests that were fitted to, and those held back.
    pub counts: [usize; 2],
    /// Every metric that was measured.
    pub metrics: Vec<MetricReport>,
    /// Preemptions with the built-in constants and with the fitted ones.
    pub preemptions: [u64; 2],
}

/// Relative errors of a metric: over requests that were fitted to, and over those held back.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MetricReport {
    /// Which.
    pub metric: Metric,
    /// With the built-in constants.
    pub before: [f64; 2],
    /// With the fitted ones.
    pub after: [f64; 2],
}

/// Fits. `tell` hears of every replay: how many there were, and the most there will be.
///
/// # Errors
/// A log that cannot be replayed, or is too short.
pub fn calibrate(
    setup: &Setup,
    log: &Log,
    mut tell: impl FnMut(usize, usize),
) -> Result<Report, ReplayError> {
    if log.len() < LEAST {
        return Err(ReplayError::TooFew { found: log.len(), needed: LEAST });
    }
    let built_in = setup.fitted();
    let before = setup.replay(log)?;
    let scale = Scale::of(built_in);
    let (mut replays, mut best) = (0, [1.0; 4]);
    for size in SIZES {
        let (point, _) = minimise(best, size, EVALUATIONS, |point| {
            replays += 1;
            tell(replays, SIZES.len() * EVALUATIONS);
            // The first replay went well, and constants do not decide whether one does.
            let replayed = setup.with(scale.constants(point)).replay(log);
            replayed.map_or(f64::INFINITY, |replayed| {
                distance(&pairs(log, &replayed.latencies, false)) + Scale::cost(point)
            })
        });
        best = point;
    }
    let fitted = scale.constants(&best).rounded();
    let after = setup.with(fitted).replay(log)?;
    let held = (0..log.len()).filter(|&nth| is_held_back(nth, log.len())).count();
    Ok(Report {
        fitted,
        counts: [log.len() - held, held],
        metrics: compared(log, &before.latencies, &after.latencies),
        preemptions: [before.preemptions, after.preemptions],
    })
}

impl Setup {
    /// The constants in force, as a calibration has them.
    pub fn fitted(&self) -> Fitted {
        let layers = f64::from(self.expert_layers());
        let constants = self.roofline.constants();
        Fitted {
            host_ms: (constants.host_s + constants.expert_layer_s * layers) * 1e3,
            per_sequence_us: constants.sequence_s * 1e6,
            prefill_factor: constants.compute_scale,
            decode_factor: constants.memory_scale,
        }
    }

    /// The same with these constants.
    pub fn with(&self, fitted: Fitted) -> Self {
        let constants = fitted.constants(self.roofline.deployment().backend, self.expert_layers());
        Setup { roofline: self.roofline.clone().with_constants(constants), ..self.clone() }
    }

    /// Layers of the model that have experts.
    pub fn expert_layers(&self) -> u32 {
        self.roofline.deployment().model.experts.map_or(0, |experts| experts.layers)
    }
}

/// The requests that are held back or those that are not, each with its simulated times.
fn pairs<'a>(log: &'a Log, latencies: &'a [Latency], held_back: bool) -> Vec<(&'a Measured, &'a Latency)> {
    let of = |&(nth, _): &(usize, _)| is_held_back(nth, log.len()) == held_back;
    log.requests().iter().zip(latencies).enumerate().filter(of).map(|(_, pair)| pair).collect()
}

fn compared(log: &Log, before: &[Latency], after: &[Latency]) -> Vec<MetricReport> {
    let errors = |metric: Metric, latencies| {
        let error = |held_back| metric.error(pairs(log, latencies, held_back).into_iter());
        Some([error(false)?, error(true)?])
    };
    let report = |metric| {
        Some(MetricReport { metric, before: errors(metric, before)?, after: errors(metric, after)? })
    };
    Metric::all().filter_map(report).collect()
}
