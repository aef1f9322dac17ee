//! The Mooncake traces: one JSON object a line, arrivals in milliseconds, lengths in tokens.
//!
//! `hash_ids` (shared prefixes) are ignored. The traces recorded in production have arrivals in ticks of
//! 3 s, so that many are equal; they are kept as they are. Rows are numbered from 0. Source:
//! kvcache-ai/Mooncake, FAST25 release.

use serde::Deserialize;
use serde_json::Number;

use super::fields::{time, tokens};
use super::{Format, RowReader};
use crate::ids::{ApplicationId, RequestId};
use crate::workload::RowProblem;
use crate::workload::entry::Entry;

const FIRST_LINE: &str = r#"{"timestamp": 0, "input_length": 6758, "output_length": 500}"#;

pub(super) const FORMAT: Format = Format {
    name: "Mooncake JSON lines",
    first_line: FIRST_LINE,
    open: |line, applications| {
        let keys = [r#""timestamp""#, r#""input_length""#, r#""output_length""#];
        // A relative of this format has `chat_id` and its timestamps in seconds.
        let ours = line.starts_with('{') && keys.iter().all(|key| line.contains(key));
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
        };
        self.next_id += 1;
        Ok(entry)
    }
}

fn problem(line: &str, error: &serde_json::Error) -> RowProblem {
    let text = error.to_string();
    // The parser sees one line only, so that its line number is always 1.
    let cause = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
    let expected = format!("an object like {FIRST_LINE} ({cause} at column {})", error.column());
    RowProblem::new("the line", line, expected)
}
