//! `holt_winters`: exponential smoothing of level, trend and season, all additive.
//!
//! The recurrences of Holt (1957) and Winters (1960). Level and season start from the mean of the first whole
//! season and the distances to it; until there is one it smooths level and trend alone, as it does for ever
//! with a season of a single step.

use super::{Predictor, interpolate};

/// Triple exponential smoothing.
#[derive(Clone, Debug)]
pub struct HoltWinters {
    alpha: f64,
    beta: f64,
    gamma: f64,
    season: usize,
    /// None before the first value.
    level: Option<f64>,
    trend: f64,
    /// The first season as it comes; then what each step of a season adds to the level.
    offsets: Vec<f64>,
    observed: usize,
}

impl HoltWinters {
    /// With weights `[alpha, beta, gamma]` of the newest value in level, trend and season, which repeats
    /// after so many steps.
    pub fn new([alpha, beta, gamma]: [f64; 3], season: usize) -> Self {
        let season = season.max(1);
        HoltWinters { alpha, beta, gamma, season, level: None, trend: 0.0, offsets: Vec::new(), observed: 0 }
    }

    fn is_seasonal(&self) -> bool {
        self.season > 1 && self.observed >= self.season
    }

    fn smooth(&mut self, value: f64, before: f64, offset: f64) -> f64 {
        let level = self.alpha * (value - offset) + (1.0 - self.alpha) * (before + self.trend);
        self.trend = self.beta * (level - before) + (1.0 - self.beta) * self.trend;
        self.level = Some(level);
        level
    }

    fn begin_seasons(&mut self) {
        let mean = self.offsets.iter().sum::<f64>() / self.season as f64;
        for offset in &mut self.offsets {
            *offset -= mean;
        }
        (self.level, self.trend) = (Some(mean), 0.0);
    }
}

impl Predictor for HoltWinters {
    fn observe(&mut self, value: f64) {
        let Some(before) = self.level else {
            self.level = Some(value);
            self.observed = 1;
            self.offsets.push(value);
            return;
        };
        if self.is_seasonal() {
            let index = self.observed % self.season;
            let level = self.smooth(value, before, self.offsets[index]);
            self.offsets[index] = self.gamma * (value - level) + (1.0 - self.gamma) * self.offsets[index];
            self.observed += 1;
            return;
        }
        self.smooth(value, before, 0.0);
        self.observed += 1;
        if self.season > 1 {
            self.offsets.push(value);
        }
        if self.is_seasonal() {
            self.begin_seasons();
        }
    }

    fn predict(&self, steps_ahead: f64) -> Option<f64> {
        let ahead = steps_ahead.max(1.0);
        let line = self.level? + ahead * self.trend;
        if !self.is_seasonal() {
            return Some(line);
        }
        let next = (self.observed % self.season) as f64;
        Some(line + interpolate(next + ahead - 1.0, |index| self.offsets[index % self.season]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_learnt_and_repeated() {
        let mut smoothing = HoltWinters::new([0.3, 0.1, 0.3], 4);
        for step in 0..400 {
            smoothing.observe([10.0, 20.0, 30.0, 20.0][step % 4]);
        }
        for (ahead, expected) in [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0), (3.5, 25.0), (7.0, 30.0)] {
            let predicted = smoothing.predict(ahead).unwrap();
            assert!((predicted - expected).abs() < 0.01, "{ahead}: {predicted}");
        }
    }

    #[test]
    fn a_trend_is_learnt_on_top() {
        let mut smoothing = HoltWinters::new([0.3, 0.1, 0.3], 2);
        for step in 0..2000 {
            smoothing.observe(f64::from(step) + if step % 2 == 0 { 5.0 } else { -5.0 });
        }
        let predicted = smoothing.predict(3.0).unwrap();
        assert!((predicted - (2002.0 + 5.0)).abs() < 0.5, "{predicted}");
    }

    /// By hand: level 10, trend 0; then 20: level 15, trend 2.5; then 20: level 18.75, trend 3.125.
    #[test]
    fn without_seasons_it_is_double_smoothing() {
        let mut smoothing = HoltWinters::new([0.5, 0.5, 0.5], 1);
        for value in [10.0, 20.0, 20.0] {
            smoothing.observe(value);
        }
        assert_eq!(smoothing.predict(2.0), Some(18.75 + 2.0 * 3.125));
    }
}
