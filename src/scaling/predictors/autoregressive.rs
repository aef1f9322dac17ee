//! `ar`: every value is a mix of the ones before it, AR(p).
//!
//! The coefficients solve the Yule–Walker equations of the last values (Levinson–Durbin recursion, biased
//! autocovariances). That fit is always stationary: far ahead a prediction returns to the mean, and never
//! runs away as one of least squares may.

use super::{History, Predictor, interpolate};

/// Steps that are predicted one after another; farther ahead counts as this far.
const FARTHEST: f64 = 10_000.0;

/// AR(p) around the mean of a history.
#[derive(Clone, Debug)]
pub struct Autoregressive {
    order: usize,
    history: History,
}

impl Autoregressive {
    /// Of this order, fitted to so many values.
    pub fn new(order: usize, values: usize) -> Self {
        Autoregressive { order: order.max(1), history: History::new(values.max(2)) }
    }

    /// The weight of each earlier value, the newest first. `centred` has mean 0.
    fn coefficients(&self, centred: &[f64]) -> Vec<f64> {
        let order = self.order.min(centred.len() - 1);
        let covariance = |lag: usize| -> f64 {
            centred.iter().zip(&centred[lag..]).map(|(earlier, later)| earlier * later).sum()
        };
        let mut weights: Vec<f64> = Vec::with_capacity(order);
        let variance = covariance(0);
        let mut error = variance;
        for lag in 1..=order {
            // What earlier weights explain already: no more than rounding is left to explain.
            if error <= 1e-12 * variance {
                break;
            }
            let explained: f64 =
                weights.iter().enumerate().map(|(index, weight)| weight * covariance(lag - 1 - index)).sum();
            let reflection = (covariance(lag) - explained) / error;
            let before = weights.clone();
            for (weight, mirrored) in weights.iter_mut().zip(before.iter().rev()) {
                *weight -= reflection * mirrored;
            }
            weights.push(reflection);
            error *= 1.0 - reflection * reflection;
        }
        weights
    }
}

impl Predictor for Autoregressive {
    fn observe(&mut self, value: f64) {
        self.history.push(value);
    }

    fn predict(&self, steps_ahead: f64) -> Option<f64> {
        let mean = self.history.mean()?;
        let mut series: Vec<f64> = self.history.values.iter().map(|value| value - mean).collect();
        let weights = self.coefficients(&series);
        let ahead = steps_ahead.clamp(1.0, FARTHEST);
        let observed = series.len();
        for _ in 0..ahead.ceil() as usize {
            let next = weights.iter().zip(series.iter().rev()).map(|(weight, value)| weight * value).sum();
            series.push(next);
        }
        Some(mean + interpolate(ahead - 1.0, |index| series[observed + index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: values 1 and 3 have the mean 2; centred −1, 1; r0 = 2, r1 = −1, so the weight is −0.5.
    #[test]
    fn the_weights_solve_the_yule_walker_equations() {
        let mut ar = Autoregressive::new(1, 10);
        ar.observe(1.0);
        ar.observe(3.0);
        assert_eq!(ar.predict(1.0), Some(1.5));
        assert_eq!(ar.predict(2.0), Some(2.25));
        assert_eq!(ar.predict(1.5), Some(1.875));
    }

    #[test]
    fn an_oscillation_is_followed_and_fades_to_the_mean() {
        let mut ar = Autoregressive::new(2, 240);
        let wave = |step: f64| 50.0 + 10.0 * libm::sin(step * std::f64::consts::TAU / 12.0);
        for step in 0..240 {
            ar.observe(wave(f64::from(step)));
        }
        for ahead in [1.0, 3.0, 6.0] {
            let predicted = ar.predict(ahead).unwrap();
            assert!((predicted - wave(239.0 + ahead)).abs() < 1.0, "{ahead}: {predicted}");
        }
        assert!((ar.predict(5_000.0).unwrap() - 50.0).abs() < 0.1);
    }
}
