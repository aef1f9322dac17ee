//! When a client's requests arrive within one window.
//!
//! As many as were counted, gaps between them after the family fitted to them. A sum of drawn gaps is not what it was in
//! the window, least of all where they vary much, so all gaps are stretched alike, as ServeGen's own generator does, to
//! fill what they filled: (count − 1) mean gaps. Where that is less than the window, the client was awake for a part of
//! it, and when in the window that was is drawn. ServeGen spreads such requests over all of it instead, and so do we
//! where the mean of the fit is not the mean gap (Weibull).
//!
//! Gaps are drawn twice, first for their sum: a window of a million requests takes no more memory than one of ten.

use ebbflow_actors::{CounterRng, SimTime};

use super::windows::{Gaps, Window};
use crate::workload::synthetic::variates::{exponential, gamma};

/// Gaps are cut to this, so that no sum of them overflows.
const LONGEST: f64 = 1e200;

impl Window {
    fn length_s(&self) -> f64 {
        (self.end - self.start).as_secs_f64()
    }

    /// How many requests arrive at this multiple of the rate. Where that is no whole number, the one above or below it
    /// is drawn, so that it is met on average.
    pub(super) fn count(&self, factor: f64, random: &mut CounterRng) -> u64 {
        let wanted = self.rate * self.length_s() * factor;
        let drawn = random.unit_f64() < wanted - wanted.floor();
        // The cast saturates.
        wanted.floor() as u64 + u64::from(drawn)
    }

    /// When the requests of this window arrive. The numbers that `random` gives are all its own.
    pub(super) fn arrivals(&self, factor: f64, mut random: CounterRng) -> Arrivals {
        let count = self.count(factor, &mut random);
        let length_s = self.length_s();
        let even_s = length_s / count.max(1) as f64;
        let mean_s = self.gaps.mean_s().map_or(even_s, |mean_s| (mean_s / factor).min(even_s));
        let gaps = count.saturating_sub(1);
        let span_s = gaps as f64 * mean_s;
        let offset_s = random.unit_f64() * (length_s - span_s);
        let mut ahead = random.clone();
        let sum: f64 = (0..gaps).map(|_| self.gaps.draw(&mut ahead)).sum();
        // Gaps next to nothing, as tiny shapes draw them, cannot be stretched.
        let unit_s = Some(span_s / sum).filter(|unit_s| unit_s.is_finite()).unwrap_or(0.0);
        Arrivals { window: self.clone(), random, unit_s, next_s: offset_s, left: count }
    }
}

impl Gaps {
    /// The mean of the gaps that the distribution was fitted to, if that can be told.
    fn mean_s(self) -> Option<f64> {
        match self {
            Gaps::Gamma { shape, scale_s } => Some(shape * scale_s),
            Gaps::Exponential { scale_s } => Some(scale_s),
            Gaps::Weibull { .. } => None,
        }
    }

    /// A gap, in some unit.
    fn draw(self, random: &mut CounterRng) -> f64 {
        let gap = match self {
            Gaps::Gamma { shape, .. } => gamma(random, shape),
            Gaps::Weibull { shape } => libm::pow(exponential(random), 1.0 / shape),
            Gaps::Exponential { .. } => exponential(random),
        };
        gap.min(LONGEST)
    }
}

/// The arrivals of a window, in order.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    window: Window,
    random: CounterRng,
    unit_s: f64,
    next_s: f64,
    left: u64,
}

impl Iterator for Arrivals {
    type Item = SimTime;

    fn next(&mut self) -> Option<SimTime> {
        self.left = self.left.checked_sub(1)?;
        let now_s = self.next_s;
        if self.left > 0 {
            self.next_s += self.window.gaps.draw(&mut self.random) * self.unit_s;
        }
        let last = SimTime::from_nanos(self.window.end.as_nanos() - 1);
        // The cast saturates; rounding may not reach the next window.
        let arrival = self.window.start.as_nanos().saturating_add((now_s * 1e9).round() as u64);
        Some(SimTime::from_nanos(arrival).min(last))
    }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::{EntityId, SimDuration};
    use proptest::prelude::*;

    use super::*;

    fn window(rate: f64, gaps: Gaps) -> Window {
        let start = SimTime::ZERO + SimDuration::from_secs(1200);
        Window { number: 2, start, end: start + SimDuration::from_secs(600), rate, gaps }
    }

    fn seconds(window: &Window, factor: f64, seed: u64) -> Vec<f64> {
        let random = CounterRng::new(seed, EntityId(1), 1);
        window.arrivals(factor, random).map(SimTime::as_secs_f64).collect()
    }

    /// Mean of the gaps and their coefficient of variation.
    fn moments(times: &[f64]) -> (f64, f64) {
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        (mean, variance.sqrt() / mean)
    }

    #[test]
    fn as_many_arrive_as_were_counted_with_gaps_that_vary_as_they_did() {
        // Weibull: √(Γ(1 + 2/k) / Γ(1 + 1/k)² − 1) is √5 for k = 1/2.
        for (gaps, variation) in [
            (Gaps::Gamma { shape: 0.25, scale_s: 0.2 }, 2.0),
            (Gaps::Gamma { shape: 4.0, scale_s: 0.0125 }, 0.5),
            (Gaps::Exponential { scale_s: 0.05 }, 1.0),
            (Gaps::Weibull { shape: 0.5 }, 5f64.sqrt()),
        ] {
            let times = seconds(&window(20.0, gaps), 1.0, 4);
            assert_eq!(times.len(), 12_000);
            let (mean, found) = moments(&times);
            assert!(
                (mean - 0.05).abs() < 1e-5 && (found / variation - 1.0).abs() < 0.05,
                "{gaps:?}: {mean} {found}"
            );
        }
    }

    #[test]
    fn a_client_that_was_awake_for_a_minute_is_so_sometime_in_the_window_at_any_rate() {
        // 600 requests in 600 s, whose mean gap was a tenth of a second.
        let short = window(1.0, Gaps::Gamma { shape: 1.0, scale_s: 0.1 });
        for (factor, count) in [(1.0, 600), (3.0, 1800)] {
            let spans = (0..200).map(|seed| seconds(&short, factor, seed));
            let ends: Vec<(f64, f64)> = spans
                .map(|times| {
                    assert_eq!(times.len(), count);
                    (times[0], times[count - 1])
                })
                .collect();
            assert!(ends.iter().all(|(first, last)| (59.8..60.1).contains(&(last - first))), "{factor}");
            let mean_start = ends.iter().map(|(first, _)| first).sum::<f64>() / 200.0;
            assert!((1430.0..1510.0).contains(&mean_start), "{mean_start}");
        }
    }

    #[test]
    fn a_count_that_is_not_whole_is_met_on_average() {
        let rare = window(1.0 / 600.0, Gaps::Gamma { shape: 1.0, scale_s: 1.0 });
        let found: usize = (0..4000).map(|seed| seconds(&rare, 0.3, seed).len()).sum();
        assert!((1100..1300).contains(&found), "{found}");
        assert!((0..50).all(|seed| seconds(&rare, 2.0, seed).len() == 2));
    }

    #[test]
    fn gaps_too_small_to_be_stretched_are_none() {
        let window = window(1.22, Gaps::Gamma { shape: 3e-6, scale_s: 1.0 });
        for seed in 0..200 {
            assert!(seconds(&window, 1.0, seed).is_sorted(), "{seed}");
        }
    }

    proptest! {
        #[test]
        fn arrivals_stay_in_their_window_in_order_whatever_the_gaps(
            rate in 0.0f64..3.0, factor in 0.1f64..3.0, seed: u64, kind in 0..3, shape in -6.0f64..6.0, scale in -9.0f64..9.0,
        ) {
            let (shape, scale_s) = (libm::pow(10.0, shape), libm::pow(10.0, scale));
            let gaps = match kind {
                0 => Gaps::Gamma { shape, scale_s },
                1 => Gaps::Weibull { shape },
                _ => Gaps::Exponential { scale_s },
            };
            let window = window(rate, gaps);
            let random = CounterRng::new(seed, EntityId(1), 1);
            let times: Vec<SimTime> = window.arrivals(factor, random).collect();
            prop_assert!((times.len() as f64 - rate * 600.0 * factor).abs() <= 1.0);
            prop_assert!(times.is_sorted());
            prop_assert!(times.iter().all(|time| (window.start..window.end).contains(time)));
        }
    }
}
