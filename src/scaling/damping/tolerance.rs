//! Changes too small to act on.

/// How far a ratio of wish to reality may be from one, in each direction; both ends count as within.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tolerance {
    /// Below one.
    pub down: f64,
    /// Above one.
    pub up: f64,
}

impl Tolerance {
    /// The same in both directions.
    pub const fn both(tolerance: f64) -> Self {
        Tolerance { down: tolerance, up: tolerance }
    }

    /// Whether the ratio is near enough to one.
    pub fn covers(&self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_within() {
        let tolerance = Tolerance { down: 0.25, up: 0.5 };
        assert!(tolerance.covers(0.75) && tolerance.covers(1.5) && tolerance.covers(1.0));
        assert!(!tolerance.covers(0.7499) && !tolerance.covers(1.5001));
        assert!(!tolerance.covers(f64::NAN));
    }
}
