//! The Qwen-Bailian traces: one JSON object a line, arrivals in seconds, lengths in tokens, turns of chats.
//!
//! `hash_ids` name blocks of 16 tokens. They may name what is in a block only, not what is before it; so they are
//! chained here, each name mixed with those before it, after which equal names mean equal beginnings. A request
//! belongs to the session of the one it goes on from (`parent_chat_id`, -1 for none); if that is not in the trace it
//! begins one. `type` and `turn` are ignored. Rows are numbered from 0. Source:
//! alibaba-edu/qwen-bailian-usagetraces-anon.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Number;

use super::fields::{time, tokens};
use super::json::{self, Key};
use super::{Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, RequestId, SessionId};
use crate::request::Attributes;
use crate::workload::entry::Entry;

const FIRST_LINE: &str = r#"{"chat_id": 159, "parent_chat_id": 55, "timestamp": 61.114, "input_length": 521, "output_length": 132, "hash_ids": [1089]}"#;
const NAMES: [&str; 4] = ["chat_id", "timestamp", "input_length", "output_length"];
const KEYS: [Key; 6] = [
    Key::whole(NAMES[0]),
    Key::number("parent_chat_id").optional(),
    Key::number(NAMES[1]),
    Key::number(NAMES[2]),
    Key::number(NAMES[3]),
    Key::names("hash_ids"),
];

pub(super) const FORMAT: Format = Format {
    layout: Layout {
        name: "Qwen-Bailian JSON lines",
        first_line: FIRST_LINE,
        columns: &NAMES,
        foreign: None,
    },
    open: |line, applications| {
        let ours = line.starts_with('{') && NAMES.iter().all(|key| line.contains(&format!("\"{key}\"")));
        let reader = Reader { application: applications.first, next_id: 0, sessions: HashMap::new() };
        ours.then(|| Box::new(reader) as Box<dyn RowReader>)
    },
    has_header: false,
};

#[derive(Deserialize)]
struct Row {
    chat_id: u64,
    parent_chat_id: Option<i64>,
    timestamp: Number,
    input_length: Number,
    output_length: Number,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

struct Reader {
    application: ApplicationId,
    next_id: u64,
    /// Of every chat so far.
    sessions: HashMap<u64, SessionId>,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str) -> Result<Option<Entry>, RowProblem> {
        let row: Row = json::object(line, &KEYS, FIRST_LINE)?;
        let mut entry = Entry {
            arrival: time("timestamp", &row.timestamp.to_string(), 0)?,
            id: RequestId(self.next_id),
            application: self.application,
            batch_size: 1,
            prompt_tokens: tokens("input_length", &row.input_length.to_string())?,
            output_tokens: tokens("output_length", &row.output_length.to_string())?,
            attributes: None,
        };
        let parent = row.parent_chat_id.and_then(|parent| u64::try_from(parent).ok());
        let known = parent.and_then(|parent| self.sessions.get(&parent).copied());
        let session = known.unwrap_or(SessionId(row.chat_id));
        self.sessions.insert(row.chat_id, session);
        let prefix = chained(row.hash_ids);
        entry.attributes = Some(Arc::new(Attributes { session: Some(session), prefix, ..Attributes::NONE }));
        self.next_id += 1;
        Ok(Some(entry))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        json::locate(line, problem.what)
    }
}

/// Names of blocks together with all before them, from names of what is in them.
fn chained(mut names: Vec<u64>) -> Vec<u64> {
    let mut before = 0u64;
    for name in &mut names {
        // The finaliser of SplitMix64, which maps 64 bits one to one.
        let mut mixed =
            before.rotate_left(25).wrapping_add(name.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        before = mixed ^ (mixed >> 31);
        *name = before;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chained_names_are_equal_as_long_as_all_before_them_are() {
        let (one, other) = (chained(vec![7, 8, 9]), chained(vec![7, 5, 9]));
        assert_eq!(one[0], other[0]);
        assert!(one[1] != other[1] && one[2] != other[2]);
        assert_eq!(chained(vec![7, 8]), one[..2]);
    }
}
