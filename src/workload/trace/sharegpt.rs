//! Conversations as ShareGPT has them: JSON objects with the texts of their turns, in an array or one a line.
//!
//! A conversation is one request, as serving benchmarks take it: what is said before the first answer is the prompt,
//! the first answer the output. There are no token counts, and no tokenizer is at hand: [`CHARACTERS_A_TOKEN`]
//! characters count as one token. There are no arrivals either: all are at time 0 unless the scenario gives a `rate`.
//! Conversations without a question and an answer are left out, counted. Also read are `messages` with `role` and
//! `content`. Rows are numbered from 0, those left out included.

use std::ops::Range;

use serde::Deserialize;

use super::json::{self, Key};
use super::{Clock, Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::ApplicationId;
use crate::workload::entry::{Entry, MAX_TOKENS};

/// The usual rule of thumb for English text (OpenAI, "What are tokens and how to count them?"); other languages and
/// code have more tokens.
const CHARACTERS_A_TOKEN: usize = 4;

const FIRST_LINE: &str =
    r#"{"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]}"#;
const TURNS: &str = r#"a list of {"from": "human", "value": "…"}"#;
const KEYS: [[Key; 1]; 2] = [[Key::list("conversations", TURNS)], [Key::list("messages", TURNS)]];

/// The format.
pub(super) struct ShareGpt;

impl Format for ShareGpt {
    fn layout(&'static self) -> Layout {
        Layout {
            name: "ShareGPT conversations",
            first_line: FIRST_LINE,
            columns: &["conversations"],
            foreign: None,
        }
    }

    fn open(&'static self, line: &str, _: &[ApplicationId]) -> Option<Box<dyn RowReader>> {
        let ours = |keys: &&[Key; 1]| line.starts_with('{') && json::may_have(line, keys[0].name);
        Some(Box::new(Reader { keys: KEYS.iter().find(ours)? }))
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(alias = "messages")]
    conversations: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    #[serde(alias = "role")]
    from: String,
    #[serde(alias = "content")]
    value: String,
}

impl Turn {
    fn is_answer(&self) -> bool {
        ["gpt", "chatgpt", "bing", "bard", "assistant", "model"].contains(&self.from.as_str())
    }
}

struct Reader {
    keys: &'static [Key; 1],
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str, blank: Entry) -> Result<Option<Entry>, RowProblem> {
        let row: Row = json::object(line, self.keys, FIRST_LINE)?;
        let answer = row.conversations.iter().position(Turn::is_answer);
        let Some((asked, [answer, ..])) = answer.map(|at| row.conversations.split_at(at)) else {
            return Ok(None);
        };
        let asked = asked.iter().map(|turn| turn.value.chars().count()).sum();
        let answered = answer.value.chars().count();
        if asked == 0 || answered == 0 {
            return Ok(None);
        }
        let (prompt_tokens, output_tokens) = (estimated(asked), estimated(answered));
        Ok(Some(Entry { prompt_tokens, output_tokens, ..blank }))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        json::locate(line, problem.what)
    }

    fn clock(&self) -> Clock {
        Clock::Absent
    }
}

fn estimated(characters: usize) -> u32 {
    let tokens = characters.div_ceil(CHARACTERS_A_TOKEN);
    u32::try_from(tokens).unwrap_or(MAX_TOKENS).min(MAX_TOKENS)
}
