//! The Mooncake traces: one JSON object a line, arrivals in milliseconds, lengths in tokens.
//!
//! `hash_ids` name blocks of 512 tokens together with all before them, so that requests with the same beginning
//! share them; they are kept as the names of the prefix. The traces recorded in production have arrivals in ticks
//! of 3 s, so that many are equal; they are kept as they are. Rows are numbered from 0. Source:
//! kvcache-ai/Mooncake, FAST25 release.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Number;

use super::fields::{time, tokens};
use super::json::{self, Key};
use super::{Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId};
use crate::request::Attributes;
use crate::workload::entry::Entry;

const FIRST_LINE: &str = r#"{"timestamp": 0, "input_length": 6758, "output_length": 500}"#;
const NAMES: [&str; 3] = ["timestamp", "input_length", "output_length"];
const KEYS: [Key; 4] =
    [Key::number(NAMES[0]), Key::number(NAMES[1]), Key::number(NAMES[2]), Key::names("hash_ids")];
/// Tokens of a block.
const BLOCK_TOKENS: u64 = 512;

pub(super) const FORMAT: Format = Format {
    layout: Layout { name: "Mooncake JSON lines", first_line: FIRST_LINE, columns: &NAMES, foreign: None },
    open: |line, applications| {
        let ours = line.starts_with('{') && NAMES.iter().all(|key| line.contains(&format!("\"{key}\"")));
        ours.then(|| Box::new(Reader { application: applications.first, next_id: 0 }) as Box<dyn RowReader>)
    },
    has_header: false,
};

#[derive(Deserialize)]
struct Row {
    timestamp: Number,
    input_length: Number,
    output_length: Number,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

struct Reader {
    application: ApplicationId,
    next_id: u64,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str) -> Result<Option<Entry>, RowProblem> {
        let row: Row = json::object(line, &KEYS, FIRST_LINE)?;
        let entry = Entry {
            // A float prints as the shortest decimal that means it: what the file says.
            arrival: time("timestamp", &row.timestamp.to_string(), 3)?,
            id: RequestId(self.next_id),
            application: self.application,
            batch_size: 1,
            prompt_tokens: tokens("input_length", &row.input_length.to_string())?,
            output_tokens: tokens("output_length", &row.output_length.to_string())?,
            attributes: (!row.hash_ids.is_empty())
                .then(|| Arc::new(Attributes { prefix: row.hash_ids, ..Attributes::NONE })),
        };
        self.next_id += 1;
        Ok(Some(entry))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        json::locate(line, problem.what)
    }

    fn prefix_block_tokens(&self) -> u64 {
        BLOCK_TOKENS
    }
}
