//! `linear_trend`: the line of least squares through the last values, drawn on.

use super::{History, Predictor};

/// A line through a history.
#[derive(Clone, Debug)]
pub struct LinearTrend(History);

impl LinearTrend {
    /// Through so many values.
    pub fn new(values: usize) -> Self {
        LinearTrend(History::new(values.max(2)))
    }
}

impl Predictor for LinearTrend {
    fn observe(&mut self, value: f64) {
        self.0.push(value);
    }

    fn predict(&self, steps_ahead: f64) -> Option<f64> {
        let mean = self.0.mean()?;
        // Positions count from the middle of the history, so their mean is 0.
        let last = (self.0.len() - 1) as f64 / 2.0;
        let (mut product, mut square) = (0.0, 0.0);
        for (index, value) in self.0.values.iter().enumerate() {
            let position = index as f64 - last;
            product += position * (value - mean);
            square += position * position;
        }
        let slope = if square > 0.0 { product / square } else { 0.0 };
        Some(mean + slope * (last + steps_ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_drawn_on_and_what_was_before_the_history_is_forgotten() {
        let mut trend = LinearTrend::new(4);
        for value in [900.0, 2.0, 5.0, 8.0, 11.0] {
            trend.observe(value);
        }
        assert_eq!(trend.predict(2.5), Some(18.5));
    }

    #[test]
    fn noise_around_a_line_does_not_bend_it() {
        let mut trend = LinearTrend::new(4);
        for value in [0.0 + 1.0, 10.0 - 1.0, 20.0 - 1.0, 30.0 + 1.0] {
            trend.observe(value);
        }
        assert_eq!(trend.predict(1.0), Some(40.0));
    }
}
