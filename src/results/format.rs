//! How numbers are printed in result files: plainly, and so that reading them back gives the same number.
//!
//! Times are decimal seconds down to the nanosecond, with one decimal at least as the ancestor prints
//! them and no further trailing zeros (`40.37`, `16.0`); floats are
//! the shortest decimal that reads back exactly; what is not known is an empty field.

use std::fmt;

use ebbflow_actors::{SimDuration, SimTime};

/// Nanoseconds, printed as exact decimal seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seconds(u64);

impl From<SimTime> for Seconds {
    fn from(time: SimTime) -> Self {
        Seconds(time.as_nanos())
    }
}

impl From<SimDuration> for Seconds {
    fn from(duration: SimDuration) -> Self {
        Seconds(duration.as_nanos())
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut fraction) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if fraction == 0 {
            return write!(f, "{whole}.0");
        }
        let mut digits = 9;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        write!(f, "{whole}.{fraction:0digits$}")
    }
}

/// A value, or an empty field.
#[derive(Clone, Copy, Debug)]
pub struct OrEmpty<T>(pub Option<T>);

impl<T: fmt::Display> fmt::Display for OrEmpty<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |value| value.fmt(f))
    }
}

/// A time that may not have come, as seconds.
pub fn seconds_or_empty(time: Option<SimTime>) -> OrEmpty<Seconds> {
    OrEmpty(time.map(Seconds::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact_with_one_decimal_at_least() {
        for (nanos, text) in [
            (0, "0.0"),
            (1, "0.000000001"),
            (40_370_000_000, "40.37"),
            (16_000_000_000, "16.0"),
            (1_260_864_257, "1.260864257"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(Seconds(nanos).to_string(), text);
        }
    }

    #[test]
    fn the_unknown_is_an_empty_field() {
        assert_eq!(OrEmpty(None::<u32>).to_string(), "");
        assert_eq!(OrEmpty(Some(0.5)).to_string(), "0.5");
    }
}
