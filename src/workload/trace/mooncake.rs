//! The Mooncake traces: one JSON object a line, arrivals in milliseconds, lengths in tokens.
//!
//! `hash_ids` (shared prefixes) are ignored. The traces recorded in production have arrivals in ticks of
//! 3 s, so that many are equal; they are kept as they are. Rows are numbered from 0. Source:
//! kvcache-ai/Mooncake, FAST25 release.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

use super::fields::{time, tokens};
use super::{Format, RowReader};
use crate::diagnosis::{Layout, RowProblem, nearest};
use crate::ids::{ApplicationId, RequestId};
use crate::workload::entry::Entry;

const FIRST_LINE: &str = r#"{"timestamp": 0, "input_length": 6758, "output_length": 500}"#;

/// What a problem may be with beside the keys.
const LINE: &str = "the line";
const KEYS: [&str; 3] = ["timestamp", "input_length", "output_length"];

pub(super) const FORMAT: Format = Format {
    layout: Layout {
        name: "Mooncake JSON lines",
        first_line: FIRST_LINE,
        columns: &KEYS,
        foreign: Some(("chat_id", "a trace with `chat_id` has its timestamps in seconds; it is not read")),
    },
    open: |line, applications| {
        // A relative of this format has `chat_id` and its timestamps in seconds.
        let ours = line.starts_with('{') && KEYS.iter().all(|key| line.contains(&format!("\"{key}\"")));
        let ours = ours && !line.contains(r#""chat_id""#);
        ours.then(|| Box::new(Reader { application: applications.first, next_id: 0 }) as Box<dyn RowReader>)
    },
    has_header: false,
    dated: false,
};

#[derive(Deserialize)]
struct Row {
    timestamp: Number,
    input_length: Number,
    output_length: Number,
}

struct Reader {
    application: ApplicationId,
    next_id: u64,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str) -> Result<Entry, RowProblem> {
        let row: Row = serde_json::from_str(line).map_err(|error| problem(line, &error))?;
        let entry = Entry {
            // A float prints as the shortest decimal that means it: what the file says.
            arrival: time("timestamp", &row.timestamp.to_string(), 3)?,
            id: RequestId(self.next_id),
            application: self.application,
            batch_size: 1,
            prompt_tokens: tokens("input_length", &row.input_length.to_string())?,
            output_tokens: tokens("output_length", &row.output_length.to_string())?,
            attributes: None,
        };
        self.next_id += 1;
        Ok(entry)
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        match KEYS.contains(&problem.what) {
            true => value_of(line, problem.what),
            false => stop(line),
        }
    }
}

/// What keeps a line from being a row.
fn problem(line: &str, error: &serde_json::Error) -> RowProblem {
    if let Ok(object) = serde_json::from_str::<Map<String, Value>>(line) {
        for key in KEYS {
            match object.get(key) {
                Some(Value::Number(_)) => {}
                Some(value) => return RowProblem::new(key, &value.to_string(), "a number"),
                None => return RowProblem::new(key, "", missing(key, &object)),
            }
        }
    }
    let text = error.to_string();
    // The parser sees one line only, so that its line number is always 1.
    let cause = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
    RowProblem::unreadable(LINE, format!("no JSON object ({cause})"), FIRST_LINE)
}

fn missing(key: &str, object: &Map<String, Value>) -> String {
    let others = object.keys().map(String::as_str).filter(|other| !KEYS.contains(other));
    match nearest(key, others) {
        Some(other) => format!("a number (did you mean it by `{other}`?)"),
        None => "a number".to_owned(),
    }
}

/// Where the value of a key stands; the end of the object if it has none.
fn value_of(line: &str, key: &str) -> Range<usize> {
    let quoted = format!("\"{key}\"");
    let value = line.find(&quoted).and_then(|at| {
        let behind = &line[at + quoted.len()..];
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let begin = line.len() - value.len();
        Some(begin..begin + values.byte_offset())
    });
    value.unwrap_or(line.len().saturating_sub(1)..line.len())
}

/// Where a line stops being JSON.
fn stop(line: &str) -> Range<usize> {
    let Err(error) = serde_json::from_str::<IgnoredAny>(line) else { return 0..line.len() };
    // Columns count bytes, and may lie behind the end.
    let begin = (0..error.column().min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    if error.is_eof() {
        line.len()..line.len()
    } else {
        begin..begin + line[begin..].chars().next().map_or(0, char::len_utf8)
    }
}
