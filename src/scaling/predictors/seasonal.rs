//! `seasonal`: as it was one season ago.

use super::{History, Predictor, interpolate};

/// The last season over again; until there is one, the last value.
#[derive(Clone, Debug)]
pub struct Seasonal {
    season: usize,
    history: History,
}

impl Seasonal {
    /// Repeats after so many steps.
    pub fn new(season: usize) -> Self {
        let season = season.max(1);
        Seasonal { season, history: History::new(season) }
    }
}

impl Predictor for Seasonal {
    fn observe(&mut self, value: f64) {
        self.history.push(value);
    }

    fn predict(&self, steps_ahead: f64) -> Option<f64> {
        if self.history.len() < self.season {
            return self.history.last();
        }
        Some(interpolate(steps_ahead.max(1.0) - 1.0, |index| self.history.values[index % self.season]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_season_comes_again_and_fractions_lie_between() {
        let mut seasonal = Seasonal::new(3);
        seasonal.observe(9.0);
        assert_eq!(seasonal.predict(2.0), Some(9.0), "no season yet");
        for value in [1.0, 2.0, 6.0] {
            seasonal.observe(value);
        }
        let predicted = [0.5, 1.0, 2.0, 2.5, 3.0, 3.5, 4.0].map(|ahead| seasonal.predict(ahead).unwrap());
        assert_eq!(predicted, [1.0, 1.0, 2.0, 4.0, 6.0, 3.5, 1.0]);
    }
}
