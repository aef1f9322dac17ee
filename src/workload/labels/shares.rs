//! Drawing one of several in given proportions.

/// Proportions, summed up: of all draws, the share that falls on this one or one before it.
#[derive(Debug)]
pub(super) struct Shares(Vec<f64>);

impl Shares {
    /// Of weights above 0, in order.
    pub(super) fn of(weights: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let mut shares: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        shares.iter_mut().for_each(|share| *share /= sum);
        Shares(shares)
    }

    /// The one where this number between 0 and 1 falls.
    pub(super) fn at(&self, unit: f64) -> usize {
        // Rounding may leave the last share a little below 1.
        self.0.partition_point(|share| *share < unit).min(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_falls_on_the_one_whose_share_it_is_in() {
        let shares = Shares::of([8.0, 1.0, 1.0].into_iter());
        let found = [1e-9, 0.79, 0.81, 0.89, 0.91, 1.0 - 1e-16].map(|unit| shares.at(unit));
        assert_eq!(found, [0, 0, 1, 1, 2, 2]);
    }
}
