//! The ancestor's traces: CSV with ids, applications, arrivals in seconds and lengths in tokens.
//!
//! Numbers may be written as floats (`2.0`); further columns (e.g. `workload_type`) are ignored. Source:
//! splitwise-sim, `trace.py` and `generate_trace.py`.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::ops::Range;

use super::fields::{count, time, tokens};
use super::table::Table;
use super::{Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId};
use crate::workload::entry::{Entry, GENERATIVE, MAX_BATCH_SIZE};
use crate::workload::error::list;

const COLUMNS: [&str; 7] = [
    "request_id",
    "request_type",
    "application_id",
    "arrival_timestamp",
    "batch_size",
    "prompt_size",
    "token_size",
];

/// The format.
pub(super) struct Splitwise;

impl Format for Splitwise {
    fn layout(&'static self) -> Layout {
        Layout {
            name: "splitwise-sim CSV",
            first_line: "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size",
            columns: &COLUMNS,
            foreign: None,
        }
    }

    fn open(&'static self, header: &str, applications: &[ApplicationId]) -> Option<Box<dyn RowReader>> {
        let table = Table::of_header(header, COLUMNS)?;
        let applications = applications.to_vec();
        Some(Box::new(Reader { table, applications, lines: HashMap::new() }))
    }

    fn has_header(&self) -> bool {
        true
    }
}

struct Reader {
    table: Table<7>,
    applications: Vec<ApplicationId>,
    /// Where each request id was first used.
    lines: HashMap<u64, u64>,
}

impl RowReader for Reader {
    fn read(&mut self, number: u64, line: &str, _blank: Entry) -> Result<Option<Entry>, RowProblem> {
        let [id, kind, application, arrival, batch_size, prompt, output] = self.table.fields(line)?;
        count("request_type", kind, u64::from(GENERATIVE), u64::from(GENERATIVE))?;
        let entry = Entry {
            arrival: time("arrival_timestamp", arrival, 0)?,
            id: RequestId(count("request_id", id, 0, u64::MAX)?),
            application: known(application, &self.applications)?,
            batch_size: count("batch_size", batch_size, 1, u64::from(MAX_BATCH_SIZE))? as u32,
            prompt_tokens: tokens("prompt_size", prompt)?,
            output_tokens: tokens("token_size", output)?,
            attributes: None,
        };
        match self.lines.entry(entry.id.0) {
            Slot::Occupied(first) => {
                let expected = format!("an id of its own; line {} has the same", first.get());
                Err(RowProblem::new("request_id", id, expected))
            }
            Slot::Vacant(slot) => {
                slot.insert(number);
                Ok(Some(entry))
            }
        }
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        self.table.locate(line, problem.what, &COLUMNS)
    }
}

fn known(text: &str, applications: &[ApplicationId]) -> Result<ApplicationId, RowProblem> {
    let id = count("application_id", text, 0, u64::MAX)?;
    let known = applications.iter().find(|known| u64::from(known.0) == id);
    known.copied().ok_or_else(|| {
        let expected = format!("an application of the scenario: {}", list(applications));
        RowProblem::new("application_id", text, expected)
    })
}
