//! Arrival times: a renewal process of unit mean, its clock run at the rate of the moment.
//!
//! Work of 1 is done between two arrivals on average, and a rate r does r of it per second: an arrival falls
//! where the integral of the rate reaches the sum of the gaps drawn. So a changing rate is met exactly, with
//! one gap drawn per arrival. Times in seconds inside, rounded to nanoseconds on the way out.

use ebbflow_actors::{CounterRng, SimTime};

use super::variates::{exponential, gamma};
use crate::scenario::Arrivals;
use crate::workload::WorkloadError;

/// A stream of arrival times that never falls.
#[derive(Debug)]
pub(in crate::workload) enum ArrivalTimes {
    /// One every 1/rate, the first at time 0.
    Uniform { rate: f64, count: u64 },
    /// Random gaps; no shape means exponential.
    Renewal { shape: Option<f64>, random: CounterRng, clock: RateClock },
}

impl ArrivalTimes {
    /// `gaps` and `phases` are the random streams of these.
    pub(super) fn new(
        arrivals: &Arrivals,
        gaps: CounterRng,
        phases: CounterRng,
    ) -> Result<Self, WorkloadError> {
        let renewal = |shape, clock| Ok(ArrivalTimes::Renewal { shape, random: gaps, clock });
        match arrivals {
            Arrivals::Uniform { rate } => {
                Ok(ArrivalTimes::Uniform { rate: positive("arrivals.rate", *rate)?, count: 0 })
            }
            Arrivals::Poisson(rate) => renewal(None, RateClock::new(listed(rate)?)),
            Arrivals::Gamma { shape, rate } => {
                renewal(Some(positive("arrivals.shape", *shape)?), RateClock::new(listed(rate)?))
            }
            Arrivals::OnOff { rate, mean_on, mean_off } => {
                let rate = positive("arrivals.rate", *rate)?;
                let on_s = positive("arrivals.mean_on", mean_on.as_secs_f64())?;
                let off_s = mean_off.as_secs_f64();
                let phases = Phases::Alternating { random: phases, rate, on_s, off_s, next_is_on: true };
                renewal(None, RateClock::new(phases))
            }
            Arrivals::Clients(_) => Err(WorkloadError::Setting {
                setting: "arrivals",
                found: "clients".to_owned(),
                expected: "a process that does not wait for answers",
            }),
        }
    }

    /// Whether the arrivals may run out.
    pub(in crate::workload) fn may_end(&self) -> bool {
        match self {
            ArrivalTimes::Uniform { .. } => false,
            ArrivalTimes::Renewal { clock, .. } => match &clock.phases {
                Phases::Listed(phases) => phases.as_slice().last().is_none_or(|last| last.rate == 0.0),
                Phases::Alternating { .. } => false,
            },
        }
    }
}

impl Iterator for ArrivalTimes {
    type Item = SimTime;

    /// None when the rate is zero for good, or at the end of time.
    fn next(&mut self) -> Option<SimTime> {
        let seconds = match self {
            ArrivalTimes::Uniform { rate, count } => {
                *count += 1;
                (*count - 1) as f64 / *rate
            }
            ArrivalTimes::Renewal { shape, random, clock } => {
                let gap = match shape {
                    Some(shape) => gamma(random, *shape) / *shape,
                    None => exponential(random),
                };
                clock.advance(gap)?
            }
        };
        SimTime::from_secs_f64(seconds).ok()
    }
}

/// A stretch of constant rate.
#[derive(Clone, Copy, Debug)]
struct Phase {
    rate: f64,
    until_s: f64,
}

/// Stretches of constant rate, one after the other.
#[derive(Debug)]
enum Phases {
    Listed(std::vec::IntoIter<Phase>),
    Alternating { random: CounterRng, rate: f64, on_s: f64, off_s: f64, next_is_on: bool },
}

impl Phases {
    /// The phase that begins at `now_s`.
    fn next(&mut self, now_s: f64) -> Option<Phase> {
        match self {
            Phases::Listed(phases) => phases.next(),
            Phases::Alternating { random, rate, on_s, off_s, next_is_on } => {
                let (rate, mean_s) = if *next_is_on { (*rate, *on_s) } else { (0.0, *off_s) };
                *next_is_on = !*next_is_on;
                Some(Phase { rate, until_s: now_s + mean_s * exponential(random) })
            }
        }
    }
}

/// Turns work into time.
#[derive(Debug)]
pub(in crate::workload) struct RateClock {
    now_s: f64,
    phase: Phase,
    phases: Phases,
}

impl RateClock {
    fn new(phases: Phases) -> Self {
        RateClock { now_s: 0.0, phase: Phase { rate: 0.0, until_s: 0.0 }, phases }
    }

    /// When this much more work is done; none if never.
    fn advance(&mut self, mut work: f64) -> Option<f64> {
        loop {
            let Phase { rate, until_s } = self.phase;
            let capacity = if rate > 0.0 { (until_s - self.now_s) * rate } else { 0.0 };
            if rate > 0.0 && work <= capacity {
                self.now_s = (self.now_s + work / rate).min(until_s);
                return Some(self.now_s);
            }
            work -= capacity;
            self.now_s = until_s;
            // Past the end of time there is nothing to look for.
            SimTime::from_secs_f64(until_s).ok()?;
            self.phase = self.phases.next(until_s)?;
        }
    }
}

/// The phases of (from, rate) steps.
fn listed(steps: &[(SimTime, f64)]) -> Result<Phases, WorkloadError> {
    let ends = steps.iter().skip(1).map(|step| step.0.as_secs_f64()).chain([f64::INFINITY]);
    let phases: Vec<Phase> =
        steps.iter().zip(ends).map(|((_, rate), until_s)| Phase { rate: *rate, until_s }).collect();
    let from_zero = steps.first().is_some_and(|first| first.0 == SimTime::ZERO);
    let in_order = steps.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let rates = steps.iter().all(|step| step.1.is_finite() && step.1 >= 0.0);
    if from_zero && in_order && rates && steps.iter().any(|step| step.1 > 0.0) {
        return Ok(Phases::Listed(phases.into_iter()));
    }
    Err(WorkloadError::Setting {
        setting: "arrivals.rate",
        found: format!(
            "{:?}",
            steps.iter().map(|(from, rate)| (from.as_secs_f64(), rate)).collect::<Vec<_>>()
        ),
        expected: "(from, rate) steps: the first from 0 s, later ones later, rates finite, at least 0, one above 0",
    })
}

fn positive(setting: &'static str, found: f64) -> Result<f64, WorkloadError> {
    if found.is_finite() && found > 0.0 {
        return Ok(found);
    }
    Err(WorkloadError::Setting { setting, found: found.to_string(), expected: "a finite number above 0" })
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::{EntityId, SimDuration};

    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    fn open(arrivals: &Arrivals) -> Result<ArrivalTimes, WorkloadError> {
        let stream = |stream| CounterRng::new(5, EntityId(1), stream);
        ArrivalTimes::new(arrivals, stream(0), stream(3))
    }

    /// Arrivals within [from, to).
    fn count(times: &[SimTime], from: u64, to: u64) -> f64 {
        times.iter().filter(|time| (at(from)..at(to)).contains(time)).count() as f64
    }

    fn until(arrivals: &Arrivals, end: u64) -> Vec<SimTime> {
        open(arrivals).unwrap().take_while(|time| *time < at(end)).collect()
    }

    #[test]
    fn a_piecewise_rate_is_met_in_every_piece() {
        let steps = vec![(at(0), 10.0), (at(1000), 0.0), (at(1500), 40.0), (at(2000), 1.0)];
        for arrivals in [Arrivals::Poisson(steps.clone()), Arrivals::Gamma { shape: 0.5, rate: steps }] {
            let times = until(&arrivals, 4000);
            assert!((count(&times, 0, 1000) / 10_000.0 - 1.0).abs() < 0.05);
            assert_eq!(count(&times, 1000, 1500), 0.0);
            assert!((count(&times, 1500, 2000) / 20_000.0 - 1.0).abs() < 0.05);
            assert!((count(&times, 2000, 4000) / 2000.0 - 1.0).abs() < 0.1);
            assert!(times.is_sorted());
        }
    }

    #[test]
    fn gamma_gaps_have_the_variation_of_their_shape() {
        let times = until(&Arrivals::Gamma { shape: 0.25, rate: vec![(at(0), 10.0)] }, 10_000);
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 2.0).abs() < 0.1);
    }

    #[test]
    fn on_and_off_phases_share_the_time_as_their_means_say() {
        let mean_on = SimDuration::from_secs(2);
        let times = until(&Arrivals::OnOff { rate: 30.0, mean_on, mean_off: mean_on * 2 }, 20_000);
        assert!((times.len() as f64 / 200_000.0 - 1.0).abs() < 0.05, "{}", times.len());
        let silences = times.windows(2).filter(|pair| pair[1] - pair[0] > SimDuration::from_secs(1));
        assert!(silences.count() > 1000);
    }

    #[test]
    fn uniform_arrivals_are_evenly_spaced_from_time_zero() {
        let times: Vec<u64> =
            open(&Arrivals::Uniform { rate: 3.0 }).unwrap().take(4).map(SimTime::as_nanos).collect();
        assert_eq!(times, [0, 333_333_333, 666_666_667, 1_000_000_000]);
    }

    #[test]
    fn a_rate_that_stays_at_zero_ends_the_arrivals() {
        let arrivals = Arrivals::Poisson(vec![(at(0), 1.0), (at(100), 0.0)]);
        assert!(open(&arrivals).unwrap().may_end());
        assert!(open(&arrivals).unwrap().all(|time| time < at(101)));
        let slow = Arrivals::Poisson(vec![(at(0), 1e-300)]);
        assert_eq!(open(&slow).unwrap().count(), 0);
    }

    #[test]
    fn senseless_rates_are_refused_by_name() {
        let zero = SimDuration::ZERO;
        for arrivals in [
            Arrivals::Poisson(vec![]),
            Arrivals::Poisson(vec![(at(1), 1.0)]),
            Arrivals::Poisson(vec![(at(0), 0.0)]),
            Arrivals::Poisson(vec![(at(0), f64::NAN)]),
            Arrivals::Poisson(vec![(at(0), 1.0), (at(0), 2.0)]),
            Arrivals::Gamma { shape: 0.0, rate: vec![(at(0), 1.0)] },
            Arrivals::OnOff { rate: 1.0, mean_on: zero, mean_off: zero },
            Arrivals::Uniform { rate: f64::INFINITY },
        ] {
            let error = open(&arrivals).err().unwrap().to_string();
            assert!(error.starts_with("arrivals."), "{error}");
        }
    }
}
