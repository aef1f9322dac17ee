//! Fields that several formats have in common.

use super::decimal::Decimal;
use crate::diagnosis::RowProblem;
use crate::workload::entry::MAX_TOKENS;
use ebbflow_actors::SimTime;

/// Longest arrival time: 2^63 ns, some 292 years.
const MAX_NANOS: u64 = u64::MAX / 2;

/// A whole number in this range; `2.0` is one.
pub(super) fn count(what: &'static str, text: &str, least: u64, most: u64) -> Result<u64, RowProblem> {
    // Nearly all are plain digits, which need no decimals.
    let plain = text.parse().ok();
    plain
        .or_else(|| Decimal::parse(text)?.integer())
        .filter(|count| (least..=most).contains(count))
        .ok_or_else(|| RowProblem::new(what, text, range(least, most)))
}

/// A length in tokens.
pub(super) fn tokens(what: &'static str, text: &str) -> Result<u32, RowProblem> {
    let count = count(what, text, 1, u64::from(MAX_TOKENS))?;
    Ok(u32::try_from(count).expect("at most MAX_TOKENS, which is a u32"))
}

/// A time in units of 10^-`decimals` s: 0 for seconds, 3 for milliseconds, 9 for nanoseconds.
pub(super) fn time(what: &'static str, text: &str, decimals: i32) -> Result<SimTime, RowProblem> {
    let nanos = Decimal::parse(text).and_then(|decimal| decimal.scaled(9 - decimals));
    nanos.filter(|nanos| *nanos <= MAX_NANOS).map(SimTime::from_nanos).ok_or_else(|| {
        let expected = match decimals {
            0 => "seconds since the start, from 0 to 9.2e9",
            3 => "milliseconds since the start, from 0 to 9.2e12",
            _ => "nanoseconds since the start, from 0 to 9.2e18",
        };
        RowProblem::new(what, text, expected)
    })
}

fn range(least: u64, most: u64) -> String {
    match most {
        u64::MAX => format!("a whole number, at least {least}"),
        _ if least == most => format!("{least}"),
        _ => format!("a whole number from {least} to {most}"),
    }
}
