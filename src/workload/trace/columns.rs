//! Formats in CSV: their files say what the columns are called and mean; here the rows are read.
//!
//! A row is one request. Further columns are ignored. Rows are numbered from 0, those left out included.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::date::{self, date};
use super::fields::{count, time, tokens};
use super::table::Table;
use super::{Clock, Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, SessionId};
use crate::request::Attributes;
use crate::workload::entry::{Entry, MAX_TOKENS};
use ebbflow_actors::SimTime;

/// A format of this kind.
pub(super) struct Columns {
    /// For messages.
    pub(super) name: &'static str,
    /// An example.
    pub(super) first_line: &'static str,
    /// Of the arrivals, the prompts and the outputs; both of these in tokens.
    pub(super) columns: [&'static str; 3],
    pub(super) arrivals: Arrivals,
    pub(super) no_output: NoOutput,
    /// If there are any.
    pub(super) sessions: Option<Sessions>,
}

/// How arrivals are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrivals {
    /// As dates; the first becomes time 0.
    Dates,
    /// In seconds since some date; the first becomes time 0.
    Seconds,
    /// In seconds since the start of the trace; their column may be absent.
    SecondsIfAny,
}

/// What to do with a request of no output tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NoOutput {
    /// It is malformed.
    Refused,
    /// It is left out, counted.
    LeftOut,
    /// It had failed: it is left out, counted, whatever its prompt says.
    Failed,
}

/// How sessions are told, in columns that may be absent. They are numbered as they first appear.
#[derive(Clone, Copy)]
pub(super) struct Sessions {
    /// Of their names.
    pub(super) column: &'static str,
    /// Of the kinds of requests.
    pub(super) kinds: &'static str,
    /// The kind that belongs to sessions.
    pub(super) kind: &'static str,
}

/// The name of a column that is in no file: names are without white space around them.
const NO_COLUMN: &str = "\n";
/// Where arrivals stand in [`Columns::names`].
const ARRIVAL: usize = 2;

impl Columns {
    /// Of all columns, those first that must be there.
    fn names(&self) -> [&'static str; 5] {
        let [arrival, prompt, output] = self.columns;
        let [kinds, session] = self.sessions.map_or([NO_COLUMN; 2], |told| [told.kinds, told.column]);
        [prompt, output, arrival, kinds, session]
    }

    fn may_lack_arrivals(&self) -> bool {
        self.arrivals == Arrivals::SecondsIfAny
    }

    fn arrival(&self, text: &str) -> Result<SimTime, RowProblem> {
        let [name, ..] = self.columns;
        match self.arrivals {
            Arrivals::Dates => date(text).ok_or_else(|| RowProblem::new(name, text, date::EXPECTED)),
            Arrivals::Seconds | Arrivals::SecondsIfAny => time(name, text, 0),
        }
    }

    /// Of prompt and output in tokens; none if there is nothing to serve.
    fn lengths(&self, prompt: &str, output: &str) -> Result<Option<(u32, u32)>, RowProblem> {
        let [_, prompt_name, output_name] = self.columns;
        let prompt = || tokens(prompt_name, prompt);
        let output = |least| Ok(count(output_name, output, least, u64::from(MAX_TOKENS))? as u32);
        let lengths = match self.no_output {
            NoOutput::Refused => (prompt()?, output(1)?),
            NoOutput::LeftOut => (prompt()?, output(0)?),
            NoOutput::Failed => match output(0)? {
                0 => return Ok(None),
                output => (prompt()?, output),
            },
        };
        Ok(Some(lengths).filter(|(_, output)| *output > 0))
    }
}

impl Format for Columns {
    fn layout(&'static self) -> Layout {
        let columns = &self.columns[usize::from(self.may_lack_arrivals())..];
        Layout { name: self.name, first_line: self.first_line, columns, foreign: None }
    }

    fn open(&'static self, header: &str, _: &[ApplicationId]) -> Option<Box<dyn RowReader>> {
        let names = self.names();
        let needed = if self.may_lack_arrivals() { ARRIVAL } else { ARRIVAL + 1 };
        let table = Table::with_optional(header, names, needed)?;
        Some(Box::new(Reader { format: self, names, table, sessions: HashMap::new() }))
    }

    fn has_header(&self) -> bool {
        true
    }
}

struct Reader {
    format: &'static Columns,
    names: [&'static str; 5],
    table: Table<5>,
    /// What the requests of each session say of themselves.
    sessions: HashMap<Box<str>, Arc<Attributes>>,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str, blank: Entry) -> Result<Option<Entry>, RowProblem> {
        let (format, has_arrivals) = (self.format, self.table.has(ARRIVAL));
        let [prompt, output, arrival, kind, session] = self.table.fields(line)?;
        let arrival = if has_arrivals { format.arrival(arrival)? } else { SimTime::ZERO };
        let Some((prompt_tokens, output_tokens)) = format.lengths(prompt, output)? else { return Ok(None) };
        let in_session = format.sessions.is_some_and(|told| kind == told.kind && !session.is_empty());
        let attributes = in_session.then(|| of_session(&mut self.sessions, session));
        Ok(Some(Entry { arrival, prompt_tokens, output_tokens, attributes, ..blank }))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        self.table.locate(line, problem.what, &self.names)
    }

    fn clock(&self) -> Clock {
        match self.format.arrivals {
            Arrivals::Dates | Arrivals::Seconds => Clock::Date,
            Arrivals::SecondsIfAny if self.table.has(ARRIVAL) => Clock::Start,
            Arrivals::SecondsIfAny => Clock::Absent,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn format(no_output: NoOutput) -> Columns {
        let columns = ["at", "in", "out"];
        let (name, first_line) = ("a table", "at,in,out");
        Columns { name, first_line, columns, arrivals: Arrivals::Seconds, no_output, sessions: None }
    }

    #[test]
    fn a_request_without_output_is_refused_left_out_or_had_failed_as_the_format_has_it() {
        let lengths = |no_output, prompt, output| {
            format(no_output).lengths(prompt, output).map_err(|problem| problem.what)
        };
        for (no_output, with_prompt, without) in [
            (NoOutput::Refused, Err("out"), Err("in")),
            (NoOutput::LeftOut, Ok(None), Err("in")),
            (NoOutput::Failed, Ok(None), Ok(None)),
        ] {
            assert_eq!(lengths(no_output, "5", "2"), Ok(Some((5, 2))));
            assert_eq!(lengths(no_output, "5", "0"), with_prompt);
            assert_eq!(lengths(no_output, "0", "0"), without);
        }
    }
}
