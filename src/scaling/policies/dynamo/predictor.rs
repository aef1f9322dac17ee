//! What the planner expects of the next interval.

use crate::scaling::predictors::Predictor;

/// A predictor that does not learn from the silence before the first traffic.
#[derive(Debug)]
pub(super) struct Series {
    predictor: Box<dyn Predictor>,
    has_begun: bool,
}

impl Series {
    pub fn new(predictor: Box<dyn Predictor>) -> Self {
        Series { predictor, has_begun: false }
    }

    /// Takes a value; what is no number counts as 0, and zeros count only after something else did.
    pub fn observe(&mut self, value: f64) {
        let value = if value.is_nan() { 0.0 } else { value };
        self.has_begun |= value != 0.0;
        if self.has_begun {
            self.predictor.observe(value);
        }
    }

    /// The next value, at least 0.
    pub fn next(&self) -> f64 {
        self.predictor.predict(1.0).unwrap_or(0.0).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Mean(Vec<f64>);

    impl Predictor for Mean {
        fn observe(&mut self, value: f64) {
            self.0.push(value);
        }

        fn predict(&self, _: f64) -> Option<f64> {
            (!self.0.is_empty()).then(|| self.0.iter().sum::<f64>() / self.0.len() as f64)
        }
    }

    #[test]
    fn leading_zeros_are_dropped_and_later_ones_count() {
        let mut series = Series::new(Box::<Mean>::default());
        for value in [0.0, f64::NAN, 6.0, 0.0, f64::NAN] {
            series.observe(value);
        }
        assert_eq!(series.next(), 2.0);
    }
}
