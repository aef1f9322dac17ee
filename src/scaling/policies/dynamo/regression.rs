//! A straight line through the newest observations of load and latency.

use std::collections::VecDeque;

/// `y = slope · x + intercept`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Line {
    /// Rise per unit of x.
    pub slope: f64,
    /// Value at 0.
    pub intercept: f64,
}

impl Line {
    /// Where a rising line reaches `y`, not below 0; none for one that does not rise.
    pub fn inverse(&self, y: f64) -> Option<f64> {
        (self.slope > 0.0).then(|| ((y - self.intercept) / self.slope).max(0.0))
    }
}

/// Observations in a sliding window.
#[derive(Clone, PartialEq, Debug)]
pub struct Regression {
    window: usize,
    least: usize,
    points: VecDeque<(f64, f64)>,
}

impl Regression {
    /// Keeps the newest `window` observations and says nothing before there are `least`.
    pub fn new(window: usize, least: usize) -> Self {
        Regression { window: window.max(1), least: least.max(2), points: VecDeque::new() }
    }

    /// Takes an observation.
    pub fn observe(&mut self, x: f64, y: f64) {
        if self.points.len() == self.window {
            self.points.pop_front();
        }
        self.points.push_back((x, y));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The line of least squares; none with too few observations or all at the same x.
    pub fn line(&self) -> Option<Line> {
        if self.points.len() < self.least {
            return None;
        }
        let count = self.points.len() as f64;
        let mean_x = self.points.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = self.points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let square: f64 = self.points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let product: f64 = self.points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let slope = product / square;
        slope.is_finite().then_some(Line { slope, intercept: mean_y - slope * mean_x })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(window: usize, points: impl IntoIterator<Item = (f64, f64)>) -> Regression {
        let mut regression = Regression::new(window, 5);
        points.into_iter().for_each(|(x, y)| regression.observe(x, y));
        regression
    }

    #[test]
    fn a_line_is_found_again() {
        let line = of(50, (0..8).map(|x| (f64::from(x), 3.0 * f64::from(x) + 7.0))).line().unwrap();
        assert!((line.slope - 3.0).abs() < 1e-9 && (line.intercept - 7.0).abs() < 1e-9);
        assert!((line.inverse(37.0).unwrap() - 10.0).abs() < 1e-9);
        assert_eq!(line.inverse(1.0), Some(0.0));
    }

    #[test]
    fn only_the_newest_observations_count() {
        let old = (0..20).map(|x| (f64::from(x), 1000.0));
        let new = (0..5).map(|x| (f64::from(x), f64::from(x)));
        let regression = of(5, old.chain(new));
        assert_eq!(regression.len(), 5);
        assert!((regression.line().unwrap().slope - 1.0).abs() < 1e-9);
    }

    #[test]
    fn too_few_or_equal_observations_say_nothing_and_a_falling_line_has_no_inverse() {
        assert_eq!(of(50, (0..4).map(|x| (f64::from(x), 1.0))).line(), None);
        assert_eq!(of(50, (0..9).map(|y| (4.0, f64::from(y)))).line(), None);
        assert_eq!(Line { slope: -1.0, intercept: 9.0 }.inverse(3.0), None);
        assert_eq!(Line { slope: 0.0, intercept: 9.0 }.inverse(3.0), None);
    }
}
