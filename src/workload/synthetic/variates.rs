//! Random variates from uniform ones.
//!
//! Sources: Box and Muller 1958 (normal); Marsaglia and Tsang 2000 (gamma).

use std::f64::consts::TAU;

use ebbflow_actors::CounterRng;

/// Exponential with mean 1.
pub(crate) fn exponential(random: &mut CounterRng) -> f64 {
    -libm::log(random.unit_f64())
}

/// Normal with mean 0 and variance 1; always two draws.
pub(crate) fn normal(random: &mut CounterRng) -> f64 {
    let radius = (2.0 * exponential(random)).sqrt();
    radius * libm::cos(TAU * random.unit_f64())
}

/// Gamma with this shape and scale 1.
pub(crate) fn gamma(random: &mut CounterRng, shape: f64) -> f64 {
    if shape < 1.0 {
        let boost = libm::pow(random.unit_f64(), 1.0 / shape);
        return gamma(random, shape + 1.0) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let root = 1.0 + c * x;
        let v = root * root * root;
        if v > 0.0 && libm::log(random.unit_f64()) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::EntityId;

    use super::*;

    /// Mean and variance over 200,000 draws.
    fn moments(mut draw: impl FnMut(&mut CounterRng) -> f64) -> (f64, f64) {
        const DRAWS: usize = 200_000;
        let mut random = CounterRng::new(11, EntityId(3), 5);
        let values: Vec<f64> = (0..DRAWS).map(|_| draw(&mut random)).collect();
        let mean = values.iter().sum::<f64>() / DRAWS as f64;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (mean, squares / DRAWS as f64)
    }

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 0.03 * expected.max(1.0)
    }

    #[test]
    fn exponential_and_normal_have_their_moments() {
        let (mean, variance) = moments(exponential);
        assert!(near(mean, 1.0) && near(variance, 1.0), "{mean} {variance}");
        let (mean, variance) = moments(normal);
        assert!(near(mean, 0.0) && near(variance, 1.0), "{mean} {variance}");
    }

    #[test]
    fn gamma_has_its_shape_as_mean_and_variance() {
        for shape in [0.231, 0.871, 1.0, 4.5] {
            let (mean, variance) = moments(|random| gamma(random, shape));
            assert!(near(mean, shape) && near(variance, shape), "{shape}: {mean} {variance}");
        }
    }
}
