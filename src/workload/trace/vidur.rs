//! The traces that vidur has processed: CSV with lengths in tokens and, where the source had any, arrivals in seconds.
//!
//! Further columns are ignored. Rows are numbered from 0. Source: microsoft/vidur, `data/processed_traces`.

use std::ops::Range;

use super::fields::{time, tokens};
use super::table::Table;
use super::{Clock, Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId};
use crate::workload::entry::Entry;
use ebbflow_actors::SimTime;

const COLUMNS: [&str; 3] = ["num_prefill_tokens", "num_decode_tokens", "arrived_at"];
/// So many of them are in every file.
const NEEDED: usize = 2;
const ARRIVED_AT: usize = 2;

pub(super) const FORMAT: Format = Format {
    layout: Layout {
        name: "vidur processed trace",
        first_line: "arrived_at,num_prefill_tokens,num_decode_tokens",
        columns: COLUMNS.split_at(NEEDED).0,
        foreign: None,
    },
    open: |header, applications| {
        let table = Table::with_optional(header, COLUMNS, NEEDED)?;
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
        let clock = self.clock();
        let [prefill, decode, arrived_at] = self.table.fields(line)?;
        let entry = Entry {
            arrival: match clock {
                Clock::Absent => SimTime::ZERO,
                _ => time("arrived_at", arrived_at, 0)?,
            },
            id: RequestId(self.next_id),
            application: self.application,
            batch_size: 1,
            prompt_tokens: tokens("num_prefill_tokens", prefill)?,
            output_tokens: tokens("num_decode_tokens", decode)?,
            attributes: None,
        };
        self.next_id += 1;
        Ok(Some(entry))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        self.table.locate(line, problem.what, &COLUMNS)
    }

    fn clock(&self) -> Clock {
        if self.table.has(ARRIVED_AT) { Clock::Start } else { Clock::Absent }
    }
}
