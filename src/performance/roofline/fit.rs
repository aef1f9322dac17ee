//! Fits an engine's constants to measurements.
//!
//! The time of an iteration is linear in the constants ([`Terms::features`](super::Terms::features)), so the fit is
//! a linear problem: the constants, none negative, with the least mean relative error. Absolute errors rather than
//! squares, because measured tables hold outliers; they come from squares weighted anew by the errors of the round
//! before. The same samples always give the same constants.

use super::backend::Constants;

const COUNT: usize = Constants::COUNT;
/// Rounds of weighing; the constants stand still long before.
const ROUNDS: usize = 100;
/// Relative errors below this all weigh the same.
const SMALL_ERROR: f64 = 0.005;

/// One measured time and what the model says it is made of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    /// What each constant is multiplied with.
    pub features: [f64; COUNT],
    /// The measured time, seconds.
    pub measured_s: f64,
    /// How much it counts.
    pub weight: f64,
}

impl Sample {
    /// Relative error of these constants: positive when they predict too long a time.
    pub fn error(&self, values: &[f64; COUNT]) -> f64 {
        let predicted: f64 = self.features.iter().zip(values).map(|(feature, value)| feature * value).sum();
        predicted / self.measured_s - 1.0
    }
}

/// Mean of the absolute relative errors, weighted; 0 without samples.
pub fn mean_error(samples: &[Sample], values: &[f64; COUNT]) -> f64 {
    let weights: f64 = samples.iter().map(|sample| sample.weight).sum();
    let errors: f64 = samples.iter().map(|sample| sample.weight * sample.error(values).abs()).sum();
    if weights > 0.0 { errors / weights } else { 0.0 }
}

/// The values of the constants that fit best; those with a `fixed` value keep it.
pub fn fit(samples: &[Sample], fixed: [Option<f64>; COUNT]) -> [f64; COUNT] {
    let mut weights: Vec<f64> = samples.iter().map(|sample| sample.weight).collect();
    let mut values = solve_non_negative(samples, &weights, fixed);
    for _ in 0..ROUNDS {
        for (weight, sample) in weights.iter_mut().zip(samples) {
            *weight = sample.weight / sample.error(&values).abs().max(SMALL_ERROR);
        }
        values = solve_non_negative(samples, &weights, fixed);
    }
    values
}

/// Least squares of the relative errors. Where a constant would be negative it is held at 0 and the others are
/// solved again.
fn solve_non_negative(samples: &[Sample], weights: &[f64], fixed: [Option<f64>; COUNT]) -> [f64; COUNT] {
    let mut held = fixed;
    loop {
        let values = solve(samples, weights, held);
        let free = (0..COUNT).filter(|&index| held[index].is_none());
        let lowest = free.min_by(|&a, &b| values[a].total_cmp(&values[b]));
        match lowest.filter(|&index| values[index] < 0.0) {
            Some(index) => held[index] = Some(0.0),
            None => return values,
        }
    }
}

/// The normal equations of the constants that are not held, by Gaussian elimination. A constant that no sample
/// depends on becomes 0.
fn solve(samples: &[Sample], weights: &[f64], held: [Option<f64>; COUNT]) -> [f64; COUNT] {
    let mut matrix = [[0.0; COUNT]; COUNT];
    let mut right = [0.0; COUNT];
    for (sample, weight) in samples.iter().zip(weights) {
        let relative = sample.features.map(|feature| feature / sample.measured_s);
        let known: f64 = (0..COUNT).map(|index| relative[index] * held[index].unwrap_or(0.0)).sum();
        for row in 0..COUNT {
            right[row] += weight * relative[row] * (1.0 - known);
            (0..COUNT).for_each(|column| matrix[row][column] += weight * relative[row] * relative[column]);
        }
    }
    for index in (0..COUNT).filter(|&index| held[index].is_some()) {
        matrix[index] = [0.0; COUNT];
        (0..COUNT).for_each(|row| matrix[row][index] = 0.0);
    }
    let mut values = eliminate(matrix, right);
    for (value, held) in values.iter_mut().zip(held) {
        *value = held.unwrap_or(*value);
    }
    values
}

fn eliminate(mut matrix: [[f64; COUNT]; COUNT], mut right: [f64; COUNT]) -> [f64; COUNT] {
    let scale: [f64; COUNT] = std::array::from_fn(|index| matrix[index][index]);
    let usable = |pivot: f64, index: usize| pivot > scale[index] * 1e-12 && pivot > 0.0;
    // Symmetric and not negative: the diagonal is a good pivot.
    for pivot in 0..COUNT {
        if !usable(matrix[pivot][pivot], pivot) {
            continue;
        }
        for row in pivot + 1..COUNT {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            (pivot..COUNT).for_each(|column| matrix[row][column] -= factor * matrix[pivot][column]);
            right[row] -= factor * right[pivot];
        }
    }
    let mut values = [0.0; COUNT];
    for row in (0..COUNT).rev().filter(|&row| usable(matrix[row][row], row)) {
        let known: f64 = (row + 1..COUNT).map(|column| matrix[row][column] * values[column]).sum();
        values[row] = (right[row] - known) / matrix[row][row];
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: [f64; COUNT]) -> Vec<Sample> {
        let features = |nth: f64| [1.0, 0.0, nth, 0.01 * (1.0 + nth % 7.0), 0.002 * (nth % 5.0)];
        let of = |nth: u32| {
            let features = features(f64::from(nth));
            let measured_s = features.iter().zip(values).map(|(feature, value)| feature * value).sum();
            Sample { features, measured_s, weight: 1.0 }
        };
        (1..60).map(of).collect()
    }

    #[test]
    fn the_constants_that_made_the_times_are_found_despite_outliers() {
        let truth = [0.003, 0.0, 50e-6, 0.9, 0.8];
        let mut samples = samples(truth);
        samples[7].measured_s *= 3.0;
        samples[30].measured_s *= 0.4;
        let found = fit(&samples, [None; COUNT]);
        for (found, truth) in found.iter().zip(truth) {
            assert!((found - truth).abs() <= 0.01 * truth, "{found} instead of {truth}");
        }
    }

    #[test]
    fn a_constant_that_would_be_negative_is_zero_and_a_fixed_one_stays() {
        let samples = samples([-0.002, 0.0, 50e-6, 1.0, 0.8]);
        let found = fit(&samples, [None, None, Some(40e-6), None, None]);
        assert_eq!((found[0], found[1], found[2]), (0.0, 0.0, 40e-6));
        assert!(mean_error(&samples, &found) < 0.2);
    }
}
