//! Requests as benchmarks log them: JSON objects with token counts, one a line or in an array.
//!
//! Counts are `input_toks` and `output_toks` (LLMServingSim, its logs of vLLM included), `input_tokens` and
//! `output_tokens`, `prompt_tokens` and `completion_tokens`, `prompt_len` and `output_len`, or `input_length` and
//! `output_length` (ServeGen's offline traces). Arrivals are `arrival_time` in seconds or `arrival_time_ns`; the first
//! becomes time 0, and where there are none all are. The first row decides which. Other keys are ignored, and with
//! them what was measured. Rows are numbered from 0.

use std::ops::Range;

use serde_json::{Map, Value};

use super::fields::{time, tokens};
use super::json::{self, Key};
use super::{Clock, Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::ApplicationId;
use crate::workload::entry::Entry;
use ebbflow_actors::SimTime;

const FIRST_LINE: &str = r#"{"input_toks": 2358, "output_toks": 531, "arrival_time": 0.5}"#;

/// Names of the two lengths.
const LENGTHS: [(&str, &str); 5] = [
    ("input_toks", "output_toks"),
    ("input_tokens", "output_tokens"),
    ("prompt_tokens", "completion_tokens"),
    ("prompt_len", "output_len"),
    ("input_length", "output_length"),
];

/// Names of arrivals, and decimals of a second in their unit.
const ARRIVALS: [(&str, i32); 2] = [("arrival_time", 0), ("arrival_time_ns", 9)];

/// The format.
pub(super) struct Requests;

impl Format for Requests {
    fn layout(&'static self) -> Layout {
        Layout {
            name: "JSON lines of requests",
            first_line: FIRST_LINE,
            columns: &["input_toks", "output_toks"],
            foreign: Some(("sub_requests", "requests that wait for others of their row are not read")),
        }
    }

    fn open(&'static self, line: &str, _: &[ApplicationId]) -> Option<Box<dyn RowReader>> {
        let row: Map<String, Value> = serde_json::from_str(line).ok()?;
        let has = |key: &str| row.contains_key(key);
        let lengths = LENGTHS.into_iter().find(|(input, output)| has(input) && has(output))?;
        let arrival = ARRIVALS.into_iter().find(|(key, _)| has(key));
        let arrives = arrival.map(|(key, _)| Key::number(key));
        let keys = [lengths.0, lengths.1].map(Key::number).into_iter().chain(arrives).collect();
        Some(Box::new(Reader { lengths, arrival, keys }))
    }
}

struct Reader {
    lengths: (&'static str, &'static str),
    arrival: Option<(&'static str, i32)>,
    keys: Vec<Key>,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str, blank: Entry) -> Result<Option<Entry>, RowProblem> {
        let row: Map<String, Value> = json::object(line, &self.keys, FIRST_LINE)?;
        json::check(&row, &self.keys)?;
        let text = |key: &str| row.get(key).map(Value::to_string).unwrap_or_default();
        let (input, output) = self.lengths;
        Ok(Some(Entry {
            arrival: match self.arrival {
                Some((key, decimals)) => time(key, &text(key), decimals)?,
                None => SimTime::ZERO,
            },
            prompt_tokens: tokens(input, &text(input))?,
            output_tokens: tokens(output, &text(output))?,
            ..blank
        }))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        json::locate(line, problem.what)
    }

    fn clock(&self) -> Clock {
        if self.arrival.is_some() { Clock::Date } else { Clock::Absent }
    }
}
