//! What comes next, from what was: values at even distances in, a value some steps ahead out.
//!
//! One predictor a file, all of constant memory. They are written here because the crates that exist do not
//! fit: of `augurs`, the best kept, exponential smoothing has no seasons yet and brings `nalgebra`; others fit
//! a whole series at a time. Each of these is some twenty lines.
//!
//! Leaves out: intervals of confidence, choosing among predictors.

mod autoregressive;
mod holt_winters;
mod last_value;
mod linear_trend;
mod moving_average;
mod seasonal;

use std::collections::VecDeque;

use ebbflow_actors::SimDuration;

pub use autoregressive::Autoregressive;
pub use holt_winters::HoltWinters;
pub use last_value::LastValue;
pub use linear_trend::LinearTrend;
pub use moving_average::MovingAverage;
pub use seasonal::Seasonal;

use crate::registry::{Parameter, Settings};

/// Predicts a series of values that are observed at even distances.
pub trait Predictor: Send + std::fmt::Debug {
    /// The next value of the series, finite.
    fn observe(&mut self, value: f64);

    /// The value so many steps after the last one observed; none: too little was observed. Predictors that
    /// know no time between two steps take less than one step for one, and interpolate between steps.
    fn predict(&self, steps_ahead: f64) -> Option<f64>;
}

/// Longest history or season, in steps: bounds memory, whatever a scenario says.
const MOST_STEPS: f64 = 1e6;

/// Parameters of [`build`], for a group in the table of a policy.
pub const PARAMETERS: &[Parameter] = &parameters("linear_trend", 300.0);

/// The same with another default method and history.
pub const fn parameters(method: &'static str, history_s: f64) -> [Parameter; 7] {
    const METHODS: &[&str] =
        &["last_value", "moving_average", "linear_trend", "holt_winters", "ar", "seasonal"];
    [
        Parameter::word("method", method, METHODS, "how the load is predicted"),
        Parameter::seconds("history", history_s, "looked back over by moving_average, linear_trend and ar"),
        Parameter::seconds("season", 86_400.0, "after which the load repeats, for seasonal and holt_winters"),
        Parameter::number("order", 3.0, "earlier values that ar goes by").at_least(1.0).at_most(100.0),
        Parameter::number("alpha", 0.5, "weight of the newest value in the level of holt_winters")
            .at_most(1.0),
        Parameter::number("beta", 0.1, "weight of the newest slope in its trend").at_most(1.0),
        Parameter::number("gamma", 0.1, "weight of the newest value in its season").at_most(1.0),
    ]
}

/// The predictor that these settings name, for values a `step` apart.
pub fn build(settings: &Settings, step: SimDuration) -> Box<dyn Predictor> {
    let steps = |name, least: f64| {
        (settings.number(name) / step.as_secs_f64().max(1e-9)).round().clamp(least, MOST_STEPS) as usize
    };
    match settings.text("method") {
        "last_value" => Box::new(LastValue::default()),
        "moving_average" => Box::new(MovingAverage::new(steps("history", 1.0))),
        "holt_winters" => {
            let weight = |name| settings.number(name);
            Box::new(HoltWinters::new(
                [weight("alpha"), weight("beta"), weight("gamma")],
                steps("season", 1.0),
            ))
        }
        "ar" => {
            let order = settings.count("order") as usize;
            Box::new(Autoregressive::new(order, steps("history", 2.0)))
        }
        "seasonal" => Box::new(Seasonal::new(steps("season", 1.0))),
        _ => Box::new(LinearTrend::new(steps("history", 2.0))),
    }
}

/// The last so many values.
#[derive(Clone, Debug)]
struct History {
    values: VecDeque<f64>,
    most: usize,
}

impl History {
    fn new(most: usize) -> Self {
        History { values: VecDeque::new(), most: most.max(1) }
    }

    fn push(&mut self, value: f64) {
        if self.values.len() == self.most {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn mean(&self) -> Option<f64> {
        (!self.values.is_empty()).then(|| self.values.iter().sum::<f64>() / self.len() as f64)
    }

    fn last(&self) -> Option<f64> {
        self.values.back().copied()
    }
}

/// Between the values at the whole numbers around `position`, which is at least 0.
fn interpolate(position: f64, value_at: impl Fn(usize) -> f64) -> f64 {
    let below = position.floor();
    let share = position - below;
    let value = value_at(below as usize);
    if share == 0.0 { value } else { value + share * (value_at(below as usize + 1) - value) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(step_s: u64) -> Vec<(&'static str, Box<dyn Predictor>)> {
        let settings = Settings::defaults(PARAMETERS).with("season", 240.0);
        let methods = ["last_value", "moving_average", "linear_trend", "holt_winters", "ar", "seasonal"];
        let built = |method| build(&settings.clone().with("method", method), SimDuration::from_secs(step_s));
        methods.into_iter().map(|method| (method, built(method))).collect()
    }

    #[test]
    fn nothing_observed_predicts_nothing_and_one_value_predicts_itself() {
        for (method, mut predictor) in all(10) {
            assert_eq!(predictor.predict(3.0), None, "{method}");
            predictor.observe(7.0);
            assert_eq!(predictor.predict(3.0), Some(7.0), "{method}");
        }
    }

    #[test]
    fn a_constant_load_is_predicted_as_it_is() {
        for (method, mut predictor) in all(10) {
            for observed in 1..100 {
                predictor.observe(4.5);
                let predicted = predictor.predict(2.5).unwrap();
                assert!((predicted - 4.5).abs() < 1e-9, "{method} after {observed}: {predicted}");
            }
        }
    }

    #[test]
    fn steps_longer_than_a_season_or_a_history_are_no_mistake() {
        for (method, mut predictor) in all(1_000_000) {
            predictor.observe(1.0);
            predictor.observe(2.0);
            assert!(predictor.predict(0.1).unwrap().is_finite(), "{method}");
        }
    }

    proptest! {
        #[test]
        fn predictions_are_finite_and_the_same_every_time(
            values in prop::collection::vec(0.0..1e6f64, 1..80),
            ahead in 0.0..500.0f64,
        ) {
            for ((method, mut one), (_, mut other)) in all(10).into_iter().zip(all(10)) {
                for &value in &values {
                    one.observe(value);
                    other.observe(value);
                }
                let predicted = one.predict(ahead).unwrap();
                prop_assert!(predicted.is_finite(), "{method}");
                prop_assert_eq!(predicted, other.predict(ahead).unwrap(), "{}", method);
            }
        }
    }
}
