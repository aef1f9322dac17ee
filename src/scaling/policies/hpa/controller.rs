//! One reconcile of a HorizontalPodAutoscaler: several metrics, then stabilisation, rate limits and bounds.

use ebbflow_actors::{SimDuration, SimTime};

use super::behavior::{self, Behavior, Bounds, Limited};
use super::replicas::{MetricError, Proposal};
use crate::scaling::Limiter;
use crate::scaling::damping::{Moves, Recommendations, Tolerance};

/// A HorizontalPodAutoscaler with what its controller remembers.
#[derive(Clone, Debug)]
pub struct Controller {
    rules: Ruleset,
    recommendations: Recommendations,
    moves: Moves,
}

/// What a HorizontalPodAutoscaler is told.
#[derive(Clone, PartialEq, Debug)]
pub struct Ruleset {
    /// Smallest and largest fleet.
    pub bounds: Bounds,
    /// Ratios this near to one are no reason to scale, unless the behavior says otherwise.
    pub tolerance: f64,
    /// How fast each direction may go; none: the older, fixed rules.
    pub behavior: Option<Behavior>,
    /// How long a smaller fleet must have been enough, without a behavior.
    pub downscale_stabilisation: SimDuration,
    /// Whether any metric can be measured without pods, as scaling from zero needs.
    pub sees_without_pods: bool,
}

/// What became of a reconcile.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reconciled {
    /// So many replicas from now on.
    pub replicas: u32,
    /// Why so many.
    pub verdict: Verdict,
}

/// Why a reconcile ended as it did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Verdict {
    /// Somebody else has scaled to zero, and so it stays.
    ScalingDisabled,
    /// The fleet was out of its bounds: metrics were not asked.
    OutOfBounds,
    /// Metrics were missing that could have forbidden what the others asked for.
    Unmeasured(MetricError),
    /// Decided by the metrics.
    Measured {
        /// The metric that asked for the most: its place in the list.
        metric: usize,
        /// What it asked for.
        proposal: Proposal,
        /// What of that was left by stabilisation.
        stabilised: u32,
        /// What kept it from that.
        limited: Limited,
    },
}

impl Controller {
    /// A controller that has not seen its fleet yet.
    pub fn new(rules: Ruleset) -> Self {
        Controller::remembering(rules, Recommendations::default(), Moves::default())
    }

    /// A controller with a past.
    pub fn remembering(rules: Ruleset, recommendations: Recommendations, moves: Moves) -> Self {
        Controller { rules, recommendations, moves }
    }

    /// How near to one a ratio of a metric to its target counts as one.
    pub fn tolerance(&self) -> Tolerance {
        let both = self.rules.tolerance;
        let behavior = self.rules.behavior.as_ref();
        let own = |tolerance: Option<f64>| tolerance.unwrap_or(both);
        Tolerance {
            down: own(behavior.and_then(|behavior| behavior.down.tolerance)),
            up: own(behavior.and_then(|behavior| behavior.up.tolerance)),
        }
    }

    /// Decides on the size of a fleet of `current` replicas. `metrics` are asked only if they matter.
    pub fn reconcile(
        &mut self,
        now: SimTime,
        current: u32,
        metrics: impl FnOnce(Tolerance) -> Vec<Result<Proposal, MetricError>>,
    ) -> Reconciled {
        if self.recommendations.is_empty() {
            // So a fresh controller does not shrink a fleet before it knows it for a while.
            self.recommendations.record(now, current, SimDuration::MAX);
        }
        let reconciled = self.decide(now, current, metrics);
        if let Some(behavior) = &self.rules.behavior {
            behavior.record(now, current, reconciled.replicas, &mut self.moves);
        }
        reconciled
    }

    fn decide(
        &mut self,
        now: SimTime,
        current: u32,
        metrics: impl FnOnce(Tolerance) -> Vec<Result<Proposal, MetricError>>,
    ) -> Reconciled {
        let Bounds { min, max } = self.rules.bounds;
        let out_of_bounds = |replicas| Reconciled { replicas, verdict: Verdict::OutOfBounds };
        match current {
            0 if min > 0 || !self.rules.sees_without_pods => {
                Reconciled { replicas: 0, verdict: Verdict::ScalingDisabled }
            }
            _ if current > max => out_of_bounds(max),
            _ if current < min => out_of_bounds(min),
            _ => match most(current, &metrics(self.tolerance())) {
                Ok((metric, proposal)) => self.damp(now, current, metric, proposal),
                Err(error) => Reconciled { replicas: current, verdict: Verdict::Unmeasured(error) },
            },
        }
    }

    fn damp(&mut self, now: SimTime, current: u32, metric: usize, proposal: Proposal) -> Reconciled {
        let Ruleset { bounds, downscale_stabilisation, .. } = self.rules;
        let (stabilised, (replicas, limited)) = match &self.rules.behavior {
            None => {
                let past = &mut self.recommendations;
                let stabilised = behavior::stabilise(now, downscale_stabilisation, proposal.replicas, past);
                (stabilised, behavior::limit(current, stabilised, bounds))
            }
            Some(behavior) => {
                let past = &mut self.recommendations;
                let stabilised = behavior.stabilise(now, current, proposal.replicas, past);
                (stabilised, behavior.limit(now, current, stabilised, &self.moves, bounds))
            }
        };
        Reconciled { replicas, verdict: Verdict::Measured { metric, proposal, stabilised, limited } }
    }
}

/// The largest proposal. A failed metric may have asked for more than the others, so that it forbids a smaller
/// fleet; with all failed there is nothing to go by.
fn most(current: u32, metrics: &[Result<Proposal, MetricError>]) -> Result<(usize, Proposal), MetricError> {
    let mut most: Option<(usize, Proposal)> = None;
    let mut failed = None;
    for (nth, metric) in metrics.iter().enumerate() {
        match metric {
            Ok(proposal) if most.is_none_or(|(_, most)| proposal.replicas > most.replicas) => {
                most = Some((nth, *proposal));
            }
            Ok(_) => {}
            Err(error) => failed = failed.or(Some(*error)),
        }
    }
    match (most, failed) {
        (Some((_, proposal)), Some(error)) if proposal.replicas < current => Err(error),
        (Some(most), _) => Ok(most),
        (None, error) => Err(error.unwrap_or(MetricError::NoSamples)),
    }
}

impl Verdict {
    /// What kept the fleet from the size that the metrics ask for, of several the one that came last.
    pub fn limiter(&self, current: u32) -> Option<Limiter> {
        match *self {
            Verdict::ScalingDisabled => None,
            Verdict::OutOfBounds => Some(Limiter::Bounds),
            Verdict::Unmeasured(_) => Some(Limiter::Data),
            Verdict::Measured { proposal, stabilised, limited, .. } => {
                let stabilised = (stabilised != proposal.replicas).then_some(Limiter::Stabilisation);
                let within = proposal.replicas == current && proposal.ratio != 1.0;
                limited.limiter().or(stabilised).or(within.then_some(Limiter::Tolerance))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::behavior::DOWNSCALE_STABILISATION;
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { min: 2, max: 10 };

    fn rules(behavior: Option<Behavior>) -> Ruleset {
        Ruleset {
            bounds: BOUNDS,
            tolerance: 0.1,
            behavior,
            downscale_stabilisation: DOWNSCALE_STABILISATION,
            sees_without_pods: true,
        }
    }

    fn with_behavior() -> Ruleset {
        rules(Some(Behavior::defaults(DOWNSCALE_STABILISATION)))
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    fn asks_for(replicas: u32) -> Result<Proposal, MetricError> {
        Ok(Proposal { replicas, usage_milli: 0, utilisation_pct: None, ratio: 2.0 })
    }

    fn reconcile(rules: Ruleset, current: u32, metrics: &[Result<Proposal, MetricError>]) -> Reconciled {
        let old = [(SimTime::ZERO, 0)].into_iter().collect();
        let mut controller = Controller::remembering(rules, old, Moves::default());
        controller.reconcile(at(1000), current, |_| metrics.to_vec())
    }

    #[test]
    fn the_metric_that_asks_for_the_most_wins() {
        let found = reconcile(rules(None), 4, &[asks_for(3), asks_for(6), asks_for(5)]);
        assert_eq!(found.replicas, 6);
        assert!(matches!(found.verdict, Verdict::Measured { metric: 1, .. }));
    }

    #[test]
    fn a_failing_metric_forbids_to_shrink_but_not_to_grow() {
        let failed = Err(MetricError::NoSamples);
        assert_eq!(reconcile(rules(None), 4, &[failed, asks_for(6)]).replicas, 6);
        assert_eq!(reconcile(rules(None), 4, &[asks_for(3), failed]).replicas, 4);
        let nothing = reconcile(rules(None), 4, &[failed]);
        assert_eq!(nothing.verdict, Verdict::Unmeasured(MetricError::NoSamples));
        assert_eq!(nothing.verdict.limiter(4), Some(Limiter::Data));
    }

    #[test]
    fn a_fleet_out_of_its_bounds_goes_straight_to_them() {
        let mut controller = Controller::new(with_behavior());
        let never = |_| -> Vec<Result<Proposal, MetricError>> { unreachable!("metrics do not matter") };
        assert_eq!(controller.reconcile(at(0), 40, never).replicas, 10);
        assert_eq!(controller.reconcile(at(15), 1, never).replicas, 2);
        let disabled = Reconciled { replicas: 0, verdict: Verdict::ScalingDisabled };
        assert_eq!(controller.reconcile(at(30), 0, never), disabled);
    }

    #[test]
    fn from_zero_it_scales_only_with_a_metric_that_needs_no_pods() {
        let mut rules = Ruleset { bounds: Bounds { min: 0, max: 10 }, ..rules(None) };
        assert_eq!(reconcile(rules.clone(), 0, &[asks_for(3)]).replicas, 3);
        rules.sees_without_pods = false;
        assert_eq!(reconcile(rules, 0, &[asks_for(3)]).replicas, 0);
    }

    #[test]
    fn a_fresh_controller_does_not_shrink_for_five_minutes() {
        for rules in [rules(None), with_behavior()] {
            let mut controller = Controller::new(rules);
            let mut size = |seconds| controller.reconcile(at(seconds), 8, |_| vec![asks_for(3)]).replicas;
            assert!((0..300).step_by(15).all(|seconds| size(seconds) == 8));
            assert_eq!(size(300), 3);
        }
    }

    #[test]
    fn tolerances_of_the_behavior_replace_the_general_one_in_their_direction() {
        let mut behavior = Behavior::defaults(DOWNSCALE_STABILISATION);
        behavior.up.tolerance = Some(0.02);
        let tolerance = Controller::new(rules(Some(behavior))).tolerance();
        assert_eq!(tolerance, Tolerance { down: 0.1, up: 0.02 });
    }

    proptest! {
        #[test]
        fn whatever_metrics_ask_for_the_bounds_are_kept(
            wishes in prop::collection::vec((1..60_u64, 0..40_u32, any::<bool>()), 1..60),
            has_behavior: bool,
            start in 2..11_u32,
        ) {
            let mut controller = Controller::new(if has_behavior { with_behavior() } else { rules(None) });
            let (mut size, mut now) = (start, 0);
            for (wait, wish, failed) in wishes {
                now += wait;
                let metric = if failed { Err(MetricError::NoSamples) } else { asks_for(wish) };
                size = controller.reconcile(at(now), size, |_| vec![metric]).replicas;
                prop_assert!((2..=10).contains(&size));
            }
        }

        #[test]
        fn a_constant_load_ends_in_a_constant_fleet(load in 1..9_000_i64, start in 2..11_u32) {
            use super::super::replicas::average_value;
            let mut controller = Controller::new(with_behavior());
            let mut sizes = Vec::new();
            let mut size = start;
            for round in 0..60 {
                size = controller
                    .reconcile(at(round * 15), size, |tolerance| {
                        vec![Ok(average_value(size, load, 1000, tolerance))]
                    })
                    .replicas;
                sizes.push(size);
            }
            prop_assert!(sizes[25..].iter().all(|&later| later == size), "{sizes:?}");
        }
    }
}
