//! The BurstGPT traces: CSV with arrivals in seconds and lengths in tokens.
//!
//! The first arrival becomes time 0: later parts of the trace count from the start of the first. Rows without
//! response tokens had failed and are left out, counted. Conversations of releases with a `Session ID` are sessions,
//! numbered as they first appear; calls of the API are none. Model, total and elapsed time are ignored. Rows are
//! numbered from 0, failed ones included. Source: HPMLL/BurstGPT.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::fields::{count, time, tokens};
use super::table::Table;
use super::{Clock, Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId, SessionId};
use crate::request::Attributes;
use crate::workload::entry::{Entry, MAX_TOKENS};

const COLUMNS: [&str; 5] = ["Timestamp", "Request tokens", "Response tokens", "Log Type", "Session ID"];
/// So many of them are in every release.
const NEEDED: usize = 3;
/// The log type of what people asked, not programs.
const CONVERSATION: &str = "Conversation log";

pub(super) const FORMAT: Format = Format {
    layout: Layout {
        name: "BurstGPT trace",
        first_line: "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
        columns: COLUMNS.split_at(NEEDED).0,
        foreign: None,
    },
    open: |header, applications| {
        let table = Table::with_optional(header, COLUMNS, NEEDED)?;
        let application = applications.first;
        Some(Box::new(Reader { table, application, next_id: 0, sessions: HashMap::new() }))
    },
    has_header: true,
};

struct Reader {
    table: Table<5>,
    application: ApplicationId,
    next_id: u64,
    /// What the requests of each session say of themselves.
    sessions: HashMap<Box<str>, Arc<Attributes>>,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str) -> Result<Option<Entry>, RowProblem> {
        let [timestamp, request, response, kind, session] = self.table.fields(line)?;
        let arrival = time("Timestamp", timestamp, 0)?;
        let prompt_tokens = tokens("Request tokens", request);
        let output_tokens = count("Response tokens", response, 0, u64::from(MAX_TOKENS))? as u32;
        let id = RequestId(self.next_id);
        if output_tokens == 0 {
            self.next_id += 1;
            return Ok(None);
        }
        let prompt_tokens = prompt_tokens?;
        let talks = kind == CONVERSATION && !session.is_empty();
        let attributes = talks.then(|| of_session(&mut self.sessions, session));
        self.next_id += 1;
        let application = self.application;
        Ok(Some(Entry { arrival, id, application, batch_size: 1, prompt_tokens, output_tokens, attributes }))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        self.table.locate(line, problem.what, &COLUMNS)
    }

    fn clock(&self) -> Clock {
        Clock::Date
    }
}

fn of_session(sessions: &mut HashMap<Box<str>, Arc<Attributes>>, session: &str) -> Arc<Attributes> {
    if let Some(known) = sessions.get(session) {
        return known.clone();
    }
    let number = Some(SessionId(sessions.len() as u64));
    let new = Arc::new(Attributes { session: number, ..Attributes::NONE });
    sessions.insert(session.into(), new.clone());
    new
}
