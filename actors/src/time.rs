//! Simulated time in integer nanoseconds.
//!
//! Integers, because two machines must agree on the order of two events to the last bit; floating point
//! appears only where a human reads or writes a number of seconds. The range ends at about 584 years.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A moment of simulated time: nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SimTime(u64);

/// A span of simulated time in nanoseconds; never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SimDuration(u64);

/// Why a number of seconds is not a time.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The number is NaN.
    #[error("a time must be a number of seconds, found NaN")]
    NotANumber,
    /// The number is below zero.
    #[error("a time must not be negative, found {0} s")]
    Negative(f64),
    /// The number does not fit into 64 bits of nanoseconds.
    #[error("a time must be below {limit} s, found {0} s", limit = u64::MAX / NANOS_PER_SECOND)]
    TooLarge(f64),
}

impl SimTime {
    /// The start of every run.
    pub const ZERO: SimTime = SimTime(0);
    /// The end of time: what is due then is never handled, so it can stand for "never".
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// The moment `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimTime(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The moment `seconds` after the start, rounded to the nearest nanosecond.
    ///
    /// # Errors
    /// NaN, negative and unrepresentably large numbers.
    pub fn from_secs_f64(seconds: f64) -> Result<Self, TimeError> {
        nanos_from_secs(seconds).map(SimTime)
    }

    /// Seconds since the start, for reading only: above about 104 days not every nanosecond has its own `f64`.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }

    /// The span since `earlier`, zero if `earlier` is in fact later.
    pub const fn saturating_sub(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }

    /// The span since `earlier`, or `None` if `earlier` is in fact later.
    pub fn checked_sub(self, earlier: SimTime) -> Option<SimDuration> {
        self.0.checked_sub(earlier.0).map(SimDuration)
    }

    /// This moment plus `delay`, or `None` past the end of time.
    pub fn checked_add(self, delay: SimDuration) -> Option<SimTime> {
        self.0.checked_add(delay.0).map(SimTime)
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: SimDuration = SimDuration(0);
    /// The longest span.
    pub const MAX: SimDuration = SimDuration(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimDuration(nanos)
    }

    /// A span of `millis` milliseconds; saturates.
    pub const fn from_millis(millis: u64) -> Self {
        SimDuration(millis.saturating_mul(1_000_000))
    }

    /// A span of `seconds` seconds; saturates.
    pub const fn from_secs(seconds: u64) -> Self {
        SimDuration(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// A span of `seconds`, rounded to the nearest nanosecond.
    ///
    /// # Errors
    /// NaN, negative and unrepresentably large numbers.
    pub fn from_secs_f64(seconds: f64) -> Result<Self, TimeError> {
        nanos_from_secs(seconds).map(SimDuration)
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The span in seconds, for reading only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }

    /// Whether the span is empty.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This span less `other`, zero if `other` is longer.
    pub const fn saturating_sub(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_sub(other.0))
    }

    /// This span less `other`, or `None` if `other` is longer.
    pub fn checked_sub(self, other: SimDuration) -> Option<SimDuration> {
        self.0.checked_sub(other.0).map(SimDuration)
    }

    /// The sum of both spans, or `None` if it is too long.
    pub fn checked_add(self, other: SimDuration) -> Option<SimDuration> {
        self.0.checked_add(other.0).map(SimDuration)
    }
}

fn nanos_from_secs(seconds: f64) -> Result<u64, TimeError> {
    if seconds.is_nan() {
        return Err(TimeError::NotANumber);
    }
    if seconds < 0.0 {
        return Err(TimeError::Negative(seconds));
    }
    let nanos = (seconds * NANOS_PER_SECOND as f64).round();
    if nanos >= u64::MAX as f64 {
        return Err(TimeError::TooLarge(seconds));
    }
    Ok(nanos as u64)
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    /// Saturates at [`SimTime::MAX`].
    fn add(self, delay: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(delay.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, delay: SimDuration) {
        *self = *self + delay;
    }
}

impl Sub for SimTime {
    type Output = SimDuration;
    /// Saturates at zero.
    fn sub(self, earlier: SimTime) -> SimDuration {
        self.saturating_sub(earlier)
    }
}

impl Add for SimDuration {
    type Output = SimDuration;
    /// Saturates at [`SimDuration::MAX`].
    fn add(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(other.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, other: SimDuration) {
        *self = *self + other;
    }
}

impl Sub for SimDuration {
    type Output = SimDuration;
    /// Saturates at zero.
    fn sub(self, other: SimDuration) -> SimDuration {
        self.saturating_sub(other)
    }
}

impl Mul<u64> for SimDuration {
    type Output = SimDuration;
    /// Saturates at [`SimDuration::MAX`].
    fn mul(self, factor: u64) -> SimDuration {
        SimDuration(self.0.saturating_mul(factor))
    }
}

impl Sum for SimDuration {
    fn sum<I: Iterator<Item = SimDuration>>(spans: I) -> SimDuration {
        spans.fold(SimDuration::ZERO, Add::add)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0, f)
    }
}

impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0, f)
    }
}

/// Exact to the nanosecond, without the zeros that say nothing: `1.5 s`, `0.000000001 s`, `3 s`.
fn write_seconds(nanos: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (seconds, rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    if rest == 0 {
        return f.pad(&format!("{seconds} s"));
    }
    let fraction = format!("{rest:09}");
    f.pad(&format!("{seconds}.{} s", fraction.trim_end_matches('0')))
}

#[cfg(test)]
mod tests {
    use super::{SimDuration, SimTime, TimeError};

    #[test]
    fn seconds_are_rounded_to_the_nearest_nanosecond() {
        assert_eq!(SimTime::from_secs_f64(0.1).unwrap().as_nanos(), 100_000_000);
        assert_eq!(SimDuration::from_secs_f64(1.4e-9).unwrap().as_nanos(), 1);
        assert_eq!(SimDuration::from_secs_f64(1.6e-9).unwrap().as_nanos(), 2);
    }

    #[test]
    fn numbers_that_are_no_time_are_refused() {
        assert_eq!(SimTime::from_secs_f64(f64::NAN), Err(TimeError::NotANumber));
        assert_eq!(SimTime::from_secs_f64(-1.0), Err(TimeError::Negative(-1.0)));
        assert_eq!(SimTime::from_secs_f64(1e20), Err(TimeError::TooLarge(1e20)));
        assert_eq!(SimTime::from_secs_f64(f64::INFINITY), Err(TimeError::TooLarge(f64::INFINITY)));
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_time() {
        let second = SimDuration::from_secs(1);
        assert_eq!(SimTime::MAX + second, SimTime::MAX);
        assert_eq!(SimTime::ZERO - SimTime::MAX, SimDuration::ZERO);
        assert_eq!(SimDuration::MAX * 2, SimDuration::MAX);
        assert_eq!([second, second].into_iter().sum::<SimDuration>(), second * 2);
    }

    #[test]
    fn display_is_exact_and_short() {
        assert_eq!(SimTime::from_nanos(1_500_000_000).to_string(), "1.5 s");
        assert_eq!(SimTime::from_nanos(1).to_string(), "0.000000001 s");
        assert_eq!(SimDuration::from_secs(3).to_string(), "3 s");
    }
}
