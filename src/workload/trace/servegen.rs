//! What ServeGen generates (`save_requests_to_csv`): CSV with arrivals in seconds and lengths in tokens.
//!
//! The first arrival becomes time 0, so that a log with timestamps since 1970 in the same columns is read, too.
//! Requests without output tokens are left out, counted. Rows are numbered from 0, those included. Its workloads of
//! several modalities have no one input length; they are not read. Source: alibaba/ServeGen.

use std::ops::Range;

use super::fields::{count, time, tokens};
use super::table::Table;
use super::{Clock, Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId};
use crate::workload::entry::{Entry, MAX_TOKENS};

const COLUMNS: [&str; 3] = ["timestamp", "input_tokens", "output_tokens"];

pub(super) const FORMAT: Format = Format {
    layout: Layout {
        name: "ServeGen workload",
        first_line: "request_id,timestamp,input_tokens,output_tokens",
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
        let [timestamp, input, output] = self.table.fields(line)?;
        let entry = Entry {
            arrival: time("timestamp", timestamp, 0)?,
            id: RequestId(self.next_id),
            application: self.application,
            batch_size: 1,
            prompt_tokens: tokens("input_tokens", input)?,
            output_tokens: count("output_tokens", output, 0, u64::from(MAX_TOKENS))? as u32,
            attributes: None,
        };
        self.next_id += 1;
        Ok(Some(entry).filter(|entry| entry.output_tokens > 0))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        self.table.locate(line, problem.what, &COLUMNS)
    }

    fn clock(&self) -> Clock {
        Clock::Date
    }
}
