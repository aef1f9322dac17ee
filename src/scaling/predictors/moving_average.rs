//! `moving_average`: the mean of the last values, which smooths noise and lags behind trends.

use super::{History, Predictor};

/// The mean of a history.
#[derive(Clone, Debug)]
pub struct MovingAverage(History);

impl MovingAverage {
    /// Of so many values.
    pub fn new(values: usize) -> Self {
        MovingAverage(History::new(values))
    }
}

impl Predictor for MovingAverage {
    fn observe(&mut self, value: f64) {
        self.0.push(value);
    }

    fn predict(&self, _: f64) -> Option<f64> {
        self.0.mean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_values_count() {
        let mut average = MovingAverage::new(3);
        for value in [100.0, 1.0, 2.0, 6.0] {
            average.observe(value);
        }
        assert_eq!(average.predict(5.0), Some(3.0));
    }
}
