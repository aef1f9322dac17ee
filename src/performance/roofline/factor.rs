//! How much longer kernels take as measured than by the formula, over a size that varies with the iteration.
//!
//! Both are straight in the logarithms over most of their range and bend at about the same size, so their ratio can be
//! drawn through few points: between two of them its logarithm is a straight line over the logarithm of the size, at
//! them the time is the measured one, and beyond the ends the formula goes on from there.

/// The ratio, over the logarithm of the size; of nothing measured 1, exactly.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Factor {
    /// Logarithms of size and ratio, by size.
    knots: Vec<(f64, f64)>,
}

impl Factor {
    /// Through these sizes with measured seconds and those of the formula; sizes rise.
    pub(super) fn through(points: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        let knot = |(size, measured_s, formula_s): (f64, f64, f64)| {
            (libm::log(size), libm::log(measured_s / formula_s))
        };
        Factor { knots: points.into_iter().map(knot).collect() }
    }

    /// The mean of others by these weights, which add up to 1.
    pub(super) fn between(parts: &[(f64, Factor)]) -> Self {
        let mut sizes: Vec<f64> =
            parts.iter().flat_map(|(_, factor)| factor.knots.iter().map(|knot| knot.0)).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let at = |size: f64| parts.iter().map(|(weight, factor)| weight * factor.ln_at(size)).sum();
        Factor { knots: sizes.into_iter().map(|size| (size, at(size))).collect() }
    }

    /// Whether nothing was measured.
    pub(super) fn is_none(&self) -> bool {
        self.knots.is_empty()
    }

    /// The ratio at this size.
    pub(super) fn at(&self, size: f64) -> f64 {
        if self.is_none() { 1.0 } else { libm::exp(self.ln_at(libm::log(size.max(1.0)))) }
    }

    fn ln_at(&self, ln_size: f64) -> f64 {
        let after = self.knots.partition_point(|knot| knot.0 <= ln_size);
        match (self.knots[..after].last(), self.knots.get(after)) {
            (Some(from), Some(to)) => {
                let share = (ln_size - from.0) / (to.0 - from.0);
                from.1 + share * (to.1 - from.1)
            }
            (Some(end), None) | (None, Some(end)) => end.1,
            (None, None) => 0.0,
        }
    }
}

/// The ratio over two sizes: how many there are of something, and how large each is.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Surface {
    /// Logarithm of the count, and the ratio over the size of each.
    rows: Vec<(f64, Factor)>,
}

impl Surface {
    /// From the ratios at these counts, which rise.
    pub(super) fn through(rows: impl IntoIterator<Item = (f64, Factor)>) -> Self {
        Surface { rows: rows.into_iter().map(|(count, factor)| (libm::log(count), factor)).collect() }
    }

    /// The ratio for so many of this size.
    pub(super) fn at(&self, count: f64, size: f64) -> f64 {
        let (count, size) = (libm::log(count.max(1.0)), libm::log(size.max(1.0)));
        let knots = self.rows.iter().map(|(count, factor)| (*count, factor.ln_at(size)));
        libm::exp(Factor { knots: knots.collect() }.ln_at(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left / right - 1.0).abs() < 1e-12
    }

    #[test]
    fn at_measured_sizes_the_ratio_is_the_measured_one_and_between_them_the_geometric_mean() {
        let factor = Factor::through([(1.0, 2.0, 1.0), (4.0, 8.0, 1.0)]);
        assert!(close(factor.at(1.0), 2.0) && close(factor.at(4.0), 8.0) && close(factor.at(2.0), 4.0));
        assert!(close(factor.at(100.0), 8.0) && close(factor.at(0.0), 2.0));
    }

    #[test]
    fn of_nothing_measured_it_is_one_exactly() {
        assert_eq!(Factor::default().at(17.0), 1.0);
    }

    #[test]
    fn a_mean_of_two_lies_between_them_at_the_sizes_of_either() {
        let (one, other) =
            (Factor::through([(1.0, 2.0, 1.0)]), Factor::through([(1.0, 8.0, 1.0), (4.0, 32.0, 1.0)]));
        let mean = Factor::between(&[(0.5, one), (0.5, other)]);
        assert!(close(mean.at(1.0), 4.0) && close(mean.at(4.0), 8.0));
    }

    #[test]
    fn a_surface_goes_through_its_rows() {
        let row = |ratio| Factor::through([(10.0, ratio, 1.0)]);
        let surface = Surface::through([(1.0, row(1.0)), (4.0, row(4.0))]);
        assert!(close(surface.at(1.0, 10.0), 1.0) && close(surface.at(2.0, 99.0), 2.0));
        assert!(close(surface.at(64.0, 1.0), 4.0));
    }
}
