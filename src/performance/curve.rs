//! A piecewise-linear curve through knots, linear beyond both ends.

/// A point (x, seconds).
pub(super) type Knot = (f64, f64);

/// The curve; evaluation allocates nothing.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Curve {
    segments: Box<[Segment]>,
    last: Knot,
}

/// The line from one knot up to the next.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Segment {
    from: Knot,
    to_x: f64,
    slope: f64,
}

impl Curve {
    /// Through these knots: x strictly increasing, seconds above 0. None without knots; one knot makes a
    /// constant.
    pub(super) fn through(knots: &[Knot]) -> Option<Self> {
        let last = *knots.last()?;
        let line = |from: Knot, to: Knot| Segment {
            from,
            to_x: to.0,
            slope: if to.0 > from.0 { (to.1 - from.1) / (to.0 - from.0) } else { 0.0 },
        };
        let segments = match knots {
            [only] => vec![line(*only, *only)],
            _ => knots.windows(2).map(|pair| line(pair[0], pair[1])).collect(),
        };
        Some(Curve { segments: segments.into(), last })
    }

    /// Seconds at `x`; above 0.
    ///
    /// The order of the operations is the ancestor's, so that both round alike.
    pub(super) fn at(&self, x: f64) -> f64 {
        let inner = &self.segments[..self.segments.len() - 1];
        let segment = &self.segments[inner.iter().take_while(|segment| segment.to_x < x).count()];
        let seconds = segment.slope * (x - segment.from.0) + segment.from.1;
        if seconds > 0.0 { seconds } else { self.nearest(x) }
    }

    /// The time of the end nearest to `x`: only beyond an end can a line through positive knots reach 0.
    fn nearest(&self, x: f64) -> f64 {
        let first = self.segments[0].from;
        if x < first.0 { first.1 } else { self.last.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_through_its_knots_and_goes_on_beyond_them() {
        let curve = Curve::through(&[(1.0, 10.0), (2.0, 12.0), (4.0, 20.0)]).unwrap();
        for (x, seconds) in [(0.0, 8.0), (1.0, 10.0), (1.5, 11.0), (2.0, 12.0), (3.0, 16.0), (5.0, 24.0)] {
            assert_eq!(curve.at(x), seconds);
        }
    }

    #[test]
    fn a_line_that_would_reach_zero_stays_at_the_nearest_knot() {
        let falling = Curve::through(&[(1.0, 10.0), (2.0, 5.0)]).unwrap();
        assert_eq!(falling.at(2.5), 2.5);
        assert_eq!(falling.at(3.0), 5.0);
        let rising = Curve::through(&[(5.0, 1.0), (6.0, 2.0)]).unwrap();
        assert_eq!(rising.at(1.0), 1.0);
    }

    #[test]
    fn one_knot_is_a_constant_and_none_is_nothing() {
        assert_eq!(Curve::through(&[(3.0, 7.0)]).unwrap().at(100.0), 7.0);
        assert!(Curve::through(&[]).is_none());
    }
}
