//! `last_value`: it stays as it is.

use super::Predictor;

/// The last value, whenever asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastValue(Option<f64>);

impl Predictor for LastValue {
    fn observe(&mut self, value: f64) {
        self.0 = Some(value);
    }

    fn predict(&self, _: f64) -> Option<f64> {
        self.0
    }
}
