//! The Azure LLM inference traces of 2023 and 2024: CSV with dates and lengths in tokens.
//!
//! Dates may have up to nine decimals or none, and a zone or none (UTC is taken); the first arrival becomes
//! time 0. Rows are numbered from 0. Source: Azure/AzurePublicDataset.

use std::ops::Range;

use super::fields::tokens;
use super::table::Table;
use super::{Clock, Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId};
use crate::workload::entry::Entry;
use ebbflow_actors::SimTime;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const COLUMNS: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

pub(super) const FORMAT: Format = Format {
    layout: Layout {
        name: "Azure LLM inference trace",
        first_line: "TIMESTAMP,ContextTokens,GeneratedTokens",
        columns: &COLUMNS,
        foreign: None,
    },
    open: |header, applications| {
        let table = Table::of_header(header, COLUMNS)?;
        Some(Box::new(Reader { table, application: applications.first, next_id: 0 }))
    },
    has_header: true,
};

struct Reader {
    table: Table<3>,
    application: ApplicationId,
    next_id: u64,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str) -> Result<Option<Entry>, RowProblem> {
        let [timestamp, context, generated] = self.table.fields(line)?;
        let arrival = date(timestamp).ok_or_else(|| {
            let expected = "a date from 1970 on, such as 2023-11-16 18:17:03.9799600";
            RowProblem::new("TIMESTAMP", timestamp, expected)
        })?;
        let entry = Entry {
            arrival,
            id: RequestId(self.next_id),
            application: self.application,
            batch_size: 1,
            prompt_tokens: tokens("ContextTokens", context)?,
            output_tokens: tokens("GeneratedTokens", generated)?,
            attributes: None,
        };
        self.next_id += 1;
        Ok(Some(entry))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        self.table.locate(line, problem.what, &COLUMNS)
    }

    fn clock(&self) -> Clock {
        Clock::Date
    }
}

/// Time since 1970.
fn date(text: &str) -> Option<SimTime> {
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
