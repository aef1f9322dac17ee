//! Spans of simulated time, and how they are written.

use ebbflow_actors::{SimDuration, SimTime};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// From one moment to a later one, or the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its beginning.
    pub from: SimTime,
    /// Its end.
    pub to: SimTime,
}

impl Span {
    /// From a moment to another; to itself if that is earlier.
    pub fn new(from: SimTime, to: SimTime) -> Self {
        Span { from, to: to.max(from) }
    }

    /// How long it is.
    pub fn length(&self) -> SimDuration {
        self.to - self.from
    }

    /// What is in both; none if that is nothing.
    pub fn common(&self, other: Span) -> Option<Span> {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        (from < to).then_some(Span { from, to })
    }

    /// How long both last together.
    pub fn overlap(&self, other: Span) -> SimDuration {
        self.common(other).map_or(SimDuration::ZERO, |common| common.length())
    }

    /// How many of these last at once, on average over this span.
    pub fn mean_count(&self, others: impl Iterator<Item = Span>) -> f64 {
        let sum: SimDuration = others.map(|other| self.overlap(other)).sum();
        let length = self.length();
        if length.is_zero() { 0.0 } else { sum.as_secs_f64() / length.as_secs_f64() }
    }

    /// How long at least one of these lasts.
    pub fn covered_by(&self, others: impl Iterator<Item = Span>) -> SimDuration {
        let mut inside: Vec<Span> = others.filter_map(|other| self.common(other)).collect();
        inside.sort_by_key(|span| span.from);
        let (mut covered, mut until) = (SimDuration::ZERO, self.from);
        for span in inside {
            covered += span.to.saturating_sub(span.from.max(until));
            until = until.max(span.to);
        }
        covered
    }
}

/// `from_s`, `to_s`, and the exact `duration_ns`.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = serializer.serialize_struct("Span", 3)?;
        written.serialize_field("from_s", &self.from.as_secs_f64())?;
        written.serialize_field("to_s", &self.to.as_secs_f64())?;
        written.serialize_field("duration_ns", &self.length().as_nanos())?;
        written.end()
    }
}

/// Writes a moment as seconds.
pub fn seconds<S: Serializer>(time: &SimTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// Writes a moment that may not have come as seconds, or null.
pub fn seconds_or_null<S: Serializer>(time: &Option<SimTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(SimTime::as_secs_f64).serialize(serializer)
}

/// Writes a span as seconds.
pub fn span_seconds<S: Serializer>(span: &SimDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u64, to: u64) -> Span {
        Span::new(SimTime::from_nanos(from), SimTime::from_nanos(to))
    }

    #[test]
    fn what_overlaps_is_covered_once_and_counted_twice() {
        let whole = span(10, 20);
        let others = [span(0, 12), span(11, 15), span(18, 30), span(40, 50)];
        assert_eq!(whole.covered_by(others.into_iter()).as_nanos(), 7);
        assert!((whole.mean_count(others.into_iter()) - 0.8).abs() < 1e-12);
        assert_eq!(span(5, 5).mean_count(others.into_iter()), 0.0);
    }
}
