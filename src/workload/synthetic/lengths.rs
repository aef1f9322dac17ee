//! Lengths of prompts and outputs, in tokens: rounded, at least 1.

use ebbflow_actors::CounterRng;

use super::variates::normal;
use crate::scenario::Lengths;
use crate::workload::WorkloadError;
use crate::workload::entry::MAX_TOKENS;

/// A distribution and the stream it draws from.
pub(super) struct LengthSource {
    distribution: LengthDistribution,
    random: CounterRng,
}

/// A distribution of lengths that was checked.
#[derive(Debug)]
pub(in crate::workload) enum LengthDistribution {
    /// Always the same.
    Constant(u32),
    /// exp(N(mu, sigma²)), cut to `max`.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// Largest length.
        max: f64,
    },
    /// (share of requests, logarithm of the length): the inverse of the distribution function.
    Quantiles(Vec<(f64, f64)>),
}

impl LengthSource {
    /// `which` names it in errors.
    pub(super) fn new(
        which: &'static str,
        lengths: &Lengths,
        random: CounterRng,
    ) -> Result<Self, WorkloadError> {
        Ok(LengthSource { distribution: LengthDistribution::new(which, lengths)?, random })
    }

    /// The next length.
    pub(super) fn draw(&mut self) -> u32 {
        self.distribution.draw(&mut self.random)
    }
}

impl LengthDistribution {
    /// `which` names it in errors.
    pub(in crate::workload) fn new(which: &'static str, lengths: &Lengths) -> Result<Self, WorkloadError> {
        let in_range = |length: f64| (1.0..=f64::from(MAX_TOKENS)).contains(&length);
        Ok(match lengths {
            Lengths::Constant(length) if in_range(f64::from(*length)) => {
                LengthDistribution::Constant(*length)
            }
            Lengths::Lognormal { mu, sigma, max }
                if mu.is_finite() && sigma.is_finite() && *sigma >= 0.0 && in_range(f64::from(*max)) =>
            {
                LengthDistribution::Lognormal { mu: *mu, sigma: *sigma, max: f64::from(*max) }
            }
            Lengths::Quantiles(knots) if rising(knots) && knots.iter().all(|knot| in_range(knot.1)) => {
                let inverse =
                    knots.iter().map(|(percentile, length)| (percentile / 100.0, libm::log(*length)));
                LengthDistribution::Quantiles(inverse.collect())
            }
            wrong => return Err(unusable(which, wrong)),
        })
    }

    /// A length.
    pub(in crate::workload) fn draw(&self, random: &mut CounterRng) -> u32 {
        let length = match self {
            LengthDistribution::Constant(length) => return *length,
            LengthDistribution::Lognormal { mu, sigma, max } => {
                libm::exp(mu + sigma * normal(random)).min(*max)
            }
            LengthDistribution::Quantiles(inverse) => libm::exp(at(inverse, random.unit_f64())),
        };
        // Within 1 and MAX_TOKENS, so that the cast only cuts the fraction, which is 0.
        length.round().clamp(1.0, f64::from(MAX_TOKENS)) as u32
    }
}

/// Percentiles within 0 and 100 and strictly increasing, lengths not decreasing.
fn rising(knots: &[(f64, f64)]) -> bool {
    let percentiles = knots.iter().all(|knot| (0.0..=100.0).contains(&knot.0));
    let in_order = knots.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
    !knots.is_empty() && percentiles && in_order
}

/// Linear between the knots, constant beyond them.
fn at(knots: &[(f64, f64)], x: f64) -> f64 {
    let after = knots.partition_point(|knot| knot.0 < x);
    match (after.checked_sub(1).map(|before| knots[before]), knots.get(after)) {
        (Some(before), Some(after)) => {
            before.1 + (after.1 - before.1) * ((x - before.0) / (after.0 - before.0))
        }
        (Some(last), None) => last.1,
        (None, first) => first.map_or(0.0, |first| first.1),
    }
}

fn unusable(which: &'static str, lengths: &Lengths) -> WorkloadError {
    let expected = match lengths {
        Lengths::Constant(_) => "1 to 10000000 tokens",
        Lengths::Lognormal { .. } => "finite mu, sigma of at least 0, max of 1 to 10000000 tokens",
        Lengths::Quantiles(_) => {
            "(percentile, tokens) knots: percentiles rising within 0 and 100, lengths not falling, \
             1 to 10000000 tokens"
        }
    };
    WorkloadError::Setting { setting: which, found: format!("{lengths:?}"), expected }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::EntityId;

    use super::*;

    fn source(lengths: &Lengths) -> Result<LengthSource, WorkloadError> {
        LengthSource::new("prompt", lengths, CounterRng::new(1, EntityId(1), 1))
    }

    fn sorted(lengths: &Lengths) -> Vec<u32> {
        let mut source = source(lengths).unwrap();
        let mut drawn: Vec<u32> = (0..20_001).map(|_| source.draw()).collect();
        drawn.sort_unstable();
        drawn
    }

    #[test]
    fn quantiles_are_met_and_interpolated_in_the_logarithm() {
        let drawn = sorted(&Lengths::Quantiles(vec![(0.0, 10.0), (50.0, 1000.0), (100.0, 2000.0)]));
        let quantile = |percent: usize| f64::from(drawn[percent * 200]);
        assert!((quantile(50) / 1000.0 - 1.0).abs() < 0.05, "{}", quantile(50));
        assert!((quantile(25) / 100.0 - 1.0).abs() < 0.1, "{}", quantile(25));
        assert!(drawn[0] >= 10 && drawn[20_000] <= 2000);
    }

    #[test]
    fn a_lognormal_has_its_median_and_stays_within_its_bounds() {
        let drawn = sorted(&Lengths::Lognormal { mu: libm::log(500.0), sigma: 2.0, max: 4000 });
        assert!((f64::from(drawn[10_000]) / 500.0 - 1.0).abs() < 0.06, "{}", drawn[10_000]);
        assert_eq!((drawn[0], drawn[20_000]), (1, 4000));
    }

    #[test]
    fn knots_that_do_not_reach_the_ends_are_held_there() {
        let drawn = sorted(&Lengths::Quantiles(vec![(40.0, 7.0), (60.0, 9.0)]));
        assert_eq!((drawn[0], drawn[20_000]), (7, 9));
    }

    #[test]
    fn senseless_lengths_are_refused_by_name() {
        for lengths in [
            Lengths::Constant(0),
            Lengths::Lognormal { mu: f64::NAN, sigma: 1.0, max: 10 },
            Lengths::Lognormal { mu: 1.0, sigma: -1.0, max: 10 },
            Lengths::Lognormal { mu: 1.0, sigma: 1.0, max: 0 },
            Lengths::Quantiles(vec![]),
            Lengths::Quantiles(vec![(50.0, 10.0), (50.0, 20.0)]),
            Lengths::Quantiles(vec![(0.0, 10.0), (100.0, 5.0)]),
            Lengths::Quantiles(vec![(0.0, 0.0), (100.0, 5.0)]),
            Lengths::Quantiles(vec![(0.0, 1.0), (101.0, 5.0)]),
            Lengths::Quantiles(vec![(f64::NAN, 1.0)]),
        ] {
            let error = source(&lengths).err().unwrap().to_string();
            assert!(error.starts_with("prompt of the workload is"), "{error}");
        }
    }
}
