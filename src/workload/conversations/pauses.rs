//! How long somebody thinks before asking on. Seconds inside, rounded to nanoseconds.

use ebbflow_actors::{CounterRng, SimDuration};

use super::super::WorkloadError;
use super::super::synthetic::variates::{exponential, normal};
use crate::scenario::ThinkTime;

/// Refuses times that are none; `setting` names them.
pub(super) fn check(setting: &'static str, time: &ThinkTime) -> Result<(), WorkloadError> {
    let is_time = |seconds: f64| seconds >= 0.0 && seconds.is_finite();
    let sound = match *time {
        ThinkTime::Constant(_) => true,
        ThinkTime::Exponential { mean_s } => is_time(mean_s),
        ThinkTime::Uniform { min_s, max_s } => is_time(min_s) && is_time(max_s) && min_s <= max_s,
        ThinkTime::Lognormal { median_s, sigma, max_s } => {
            is_time(median_s) && is_time(sigma) && is_time(max_s)
        }
    };
    if sound {
        return Ok(());
    }
    let expected = "times in finite seconds of at least 0, a minimum that is not above the maximum";
    Err(WorkloadError::Setting { setting, found: format!("{time:?}"), expected })
}

/// One pause.
pub(super) fn draw(time: &ThinkTime, random: &mut CounterRng) -> SimDuration {
    let seconds = match *time {
        ThinkTime::Constant(pause) => return pause,
        ThinkTime::Exponential { mean_s } => mean_s * exponential(random),
        ThinkTime::Uniform { min_s, max_s } => min_s + (max_s - min_s) * random.unit_f64(),
        ThinkTime::Lognormal { median_s, sigma, max_s } => {
            (median_s * libm::exp(sigma * normal(random))).min(max_s)
        }
    };
    // Longer than time itself: never.
    SimDuration::from_secs_f64(seconds).unwrap_or(SimDuration::MAX)
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::EntityId;

    use super::*;

    fn drawn(time: ThinkTime) -> Vec<f64> {
        let mut random = CounterRng::new(3, EntityId(1), 9);
        let mut pauses: Vec<f64> = (0..20_001).map(|_| draw(&time, &mut random).as_secs_f64()).collect();
        pauses.sort_unstable_by(f64::total_cmp);
        pauses
    }

    #[test]
    fn pauses_have_the_mean_the_range_and_the_median_they_are_given() {
        let exponential = drawn(ThinkTime::Exponential { mean_s: 8.0 });
        let mean = exponential.iter().sum::<f64>() / exponential.len() as f64;
        assert!((mean / 8.0 - 1.0).abs() < 0.03, "{mean}");
        let uniform = drawn(ThinkTime::Uniform { min_s: 2.0, max_s: 4.0 });
        assert!(uniform[0] >= 2.0 && uniform[0] < 2.01 && uniform[20_000] <= 4.0 && uniform[20_000] > 3.99);
        let lognormal = drawn(ThinkTime::Lognormal { median_s: 5.0, sigma: 1.0, max_s: 60.0 });
        assert!((lognormal[10_000] / 5.0 - 1.0).abs() < 0.05, "{}", lognormal[10_000]);
        assert_eq!(lognormal[20_000], 60.0);
    }

    #[test]
    fn senseless_pauses_are_refused_by_name() {
        for time in [
            ThinkTime::Exponential { mean_s: f64::NAN },
            ThinkTime::Uniform { min_s: 2.0, max_s: 1.0 },
            ThinkTime::Lognormal { median_s: -1.0, sigma: 1.0, max_s: 5.0 },
        ] {
            let error = check("clients.think_time", &time).unwrap_err().to_string();
            assert!(error.starts_with("clients.think_time of the workload is"), "{error}");
        }
    }
}
