//! Dates as traces write them: up to nine decimals or none, a zone or none (UTC is taken).

use ebbflow_actors::SimTime;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// What [`date`] reads, for messages.
pub(super) const EXPECTED: &str = "a date from 1970 on, such as 2023-11-16 18:17:03.9799600";

/// Time since 1970.
pub(super) fn date(text: &str) -> Option<SimTime> {
    let (_, after_day) = text.split_at_checked("2023-11-16".len())?;
    let timestamp = if after_day.contains(['+', '-', 'Z', 'z']) {
        text.parse::<Timestamp>().ok()?
    } else {
        Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?
    };
    // The range of dates ends in 9999, that of 64 bits in 2554.
    let nanos = u64::try_from(timestamp.as_nanosecond()).ok()?;
    Some(SimTime::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_exact_with_and_without_fraction_and_zone() {
        let second = 1_715_472_000_000_000_000;
        for (text, expected) in [
            ("2024-05-12 00:00:00", second),
            ("2024-05-12T00:00:00Z", second),
            ("2024-05-12 00:00:00+00:00", second),
            ("2024-05-12 02:00:00+02:00", second),
            ("2024-05-12 00:00:00.001163+00:00", second + 1_163_000),
            ("2024-05-12 00:00:00.9799600", second + 979_960_000),
            ("2024-05-12 00:00:00.123456789", second + 123_456_789),
        ] {
            assert_eq!(date(text).map(|date| date.as_nanos()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["", "12", "2024-13-01 00:00:00", "2024-02-30 00:00:00", "1969-01-01 00:00:00", "äöüäöüäöü"]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
