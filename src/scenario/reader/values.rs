//! Scalars: flags, numbers and times with their bounds.

use ebbflow_actors::{SimDuration, SimTime};
use serde_json::Value as Json;

use super::At;
use crate::scenario::tree::{Node, Value};

/// Longest time a scenario may name, in seconds (about 31 years).
const MAX_SECONDS: f64 = 1e9;

impl<'t> At<'t> {
    pub(in crate::scenario) fn flag(&self) -> Option<bool> {
        match self.plain() {
            Some("true" | "True" | "TRUE") => Some(true),
            Some("false" | "False" | "FALSE") => Some(false),
            _ => self.expected("true or false"),
        }
    }

    pub(in crate::scenario) fn number(&self) -> Option<f64> {
        self.parsed().or_else(|| self.expected("a number"))
    }

    /// A number, or a flag as 1 and 0: parameters of schedulers and policies are numbers.
    pub(in crate::scenario) fn number_or_flag(&self) -> Option<f64> {
        match self.plain() {
            Some("true" | "True") => Some(1.0),
            Some("false" | "False") => Some(0.0),
            _ => self.number(),
        }
    }

    /// A number above zero.
    pub(in crate::scenario) fn positive(&self) -> Option<f64> {
        self.parsed().filter(|value| *value > 0.0).or_else(|| self.expected("a number above 0"))
    }

    /// A number of at least zero.
    pub(in crate::scenario) fn not_negative(&self) -> Option<f64> {
        self.parsed().filter(|value| *value >= 0.0).or_else(|| self.expected("a number of at least 0"))
    }

    /// A whole number of at least `minimum`.
    pub(in crate::scenario) fn whole(&self, minimum: u64) -> Option<u64> {
        let text = self.plain().unwrap_or("");
        let exact = text.parse::<u64>().ok();
        let float = || self.parsed().filter(|v| v.fract() == 0.0 && (0.0..=2f64.powi(53)).contains(v));
        let value = exact.or_else(|| float().map(|value| value as u64));
        value
            .filter(|value| *value >= minimum)
            .or_else(|| self.expected(&format!("a whole number of at least {minimum}")))
    }

    /// A whole number of at least `minimum` that fits 32 bits.
    pub(in crate::scenario) fn count(&self, minimum: u32) -> Option<u32> {
        let value = self.whole(u64::from(minimum))?;
        u32::try_from(value).ok().or_else(|| self.expected(&format!("a whole number up to {}", u32::MAX)))
    }

    /// A whole number from `minimum` to `maximum`.
    pub(in crate::scenario) fn count_to(&self, minimum: u32, maximum: u32) -> Option<u32> {
        let value = self.count(minimum)?;
        if value > maximum { self.expected(&format!("a whole number up to {maximum}")) } else { Some(value) }
    }

    /// A span of time: seconds, or a number with a unit (`1ms`, `1.5 s`, `2min`).
    pub(in crate::scenario) fn duration(&self) -> Option<SimDuration> {
        let wanted = "a time of at least 0: seconds, or a number with ns, us, ms, s, min or h";
        let seconds = self.seconds().filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds));
        seconds.and_then(|seconds| SimDuration::from_secs_f64(seconds).ok()).or_else(|| self.expected(wanted))
    }

    /// A span of time above zero.
    pub(in crate::scenario) fn positive_duration(&self) -> Option<SimDuration> {
        let span = self.duration()?;
        if span.is_zero() { self.expected("a time above 0 (at least 1ns)") } else { Some(span) }
    }

    /// A moment of the run, written like a span.
    pub(in crate::scenario) fn time(&self) -> Option<SimTime> {
        self.duration().map(|span| SimTime::ZERO + span)
    }

    /// What stands here, in JSON: quoted text stays text, everything else is read as JSON where it can be.
    pub(in crate::scenario) fn json(&self) -> Json {
        json(self.node)
    }

    fn plain(&self) -> Option<&'t str> {
        match &self.node.value {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    /// A number; nothing is said if it is none.
    pub(in crate::scenario) fn parsed(&self) -> Option<f64> {
        self.plain().and_then(parse_number)
    }

    fn seconds(&self) -> Option<f64> {
        let Value::Scalar { text, .. } = &self.node.value else {
            return None;
        };
        let unit_at = text.find(|c: char| c.is_alphabetic() && c != 'e' && c != 'E').unwrap_or(text.len());
        let factor = match text[unit_at..].trim() {
            "" | "s" => 1.0,
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "min" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        parse_number(text[..unit_at].trim()).map(|value| value * factor)
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        _ if node.is_null() => Json::Null,
        Value::Scalar { text, plain: true } => match text.as_str() {
            "True" | "TRUE" => Json::Bool(true),
            "False" | "FALSE" => Json::Bool(false),
            text => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)),
        },
        Value::Scalar { text, .. } => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect(),
    }
}

/// A finite decimal number; the words Rust also reads as numbers (`inf`, `nan`) are none.
fn parse_number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::reader::Log;
    use crate::scenario::tree::parse;

    fn read<T>(text: &str, read: impl FnOnce(&At<'_>) -> Option<T>) -> Result<T, Vec<String>> {
        let node = parse(text, None, &mut Vec::new()).expect("the test text is YAML");
        let log = Log::default();
        let value = read(&At::root(&node, &log));
        let messages = log.into_parts().0.into_iter().map(|problem| problem.message).collect();
        value.ok_or(messages)
    }

    #[test]
    fn times_are_seconds_or_carry_a_unit() {
        let nanos = |text: &str| read(text, |at| at.duration()).map(SimDuration::as_nanos);
        assert_eq!(nanos("1ms"), Ok(1_000_000));
        assert_eq!(nanos("45.37"), Ok(45_370_000_000));
        assert_eq!(nanos("1e-3"), Ok(1_000_000));
        assert_eq!(nanos("\"2 min\""), Ok(120_000_000_000));
        assert!(nanos("-1").is_err() && nanos("1 fortnight").is_err() && nanos("[1]").is_err());
    }

    #[test]
    fn whole_numbers_may_be_written_as_floats_but_not_as_fractions() {
        assert_eq!(read("4.0", |at| at.count(1)), Ok(4));
        assert_eq!(read("18446744073709551615", |at| at.whole(0)), Ok(u64::MAX));
        for wrong in ["4.5", "-1", "0", "\"4\"", "4294967296", "nan"] {
            assert!(read(wrong, |at| at.count(1)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_found_is_part_of_the_message() {
        assert_eq!(read("[1]", |at| at.flag()), Err(vec!["expected true or false, found a list".to_owned()]));
        assert_eq!(
            read("'1'", |at| at.number()),
            Err(vec!["expected a number, found the text \"1\"".to_owned()])
        );
    }
}
