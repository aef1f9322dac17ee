//! Formats in JSON objects, one a line or in an array, that name the blocks of their prompts: their files say what
//! the keys are called and mean; here the rows are read.
//!
//! A row is one request. It belongs to the session of the one it goes on from; if that is not in the trace it begins
//! one. Further keys are ignored. Rows are numbered from 0.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::fields::{time, tokens};
use super::json::{self, Key};
use super::keys::Keys;
use super::{Format, RowReader};
use crate::diagnosis::{Layout, RowProblem};
use crate::ids::{ApplicationId, SessionId};
use crate::request::Attributes;
use crate::workload::entry::Entry;

/// A format of this kind.
pub(super) struct Objects {
    /// For messages.
    pub(super) name: &'static str,
    /// An example.
    pub(super) first_line: &'static str,
    /// The keys that tell it: every row has them.
    pub(super) needed: &'static [&'static str],
    pub(super) keys: Keys,
    /// Of a second, in the unit of arrivals: 0 for seconds, 3 for milliseconds.
    pub(super) decimals: i32,
    /// Tokens of a block.
    pub(super) block_tokens: u64,
    /// Names of blocks together with all before them, from those in the file.
    pub(super) prefix: fn(Vec<u64>) -> Vec<u64>,
}

impl Format for Objects {
    fn layout(&'static self) -> Layout {
        Layout { name: self.name, first_line: self.first_line, columns: self.needed, foreign: None }
    }

    fn open(&'static self, line: &str, _: &[ApplicationId]) -> Option<Box<dyn RowReader>> {
        let ours = line.starts_with('{') && self.needed.iter().all(|key| json::may_have(line, key));
        let reader = || Reader { format: self, keys: self.keys.all(), sessions: HashMap::new() };
        ours.then(|| Box::new(reader()) as Box<dyn RowReader>)
    }
}

struct Reader {
    format: &'static Objects,
    /// Of [`Objects::keys`].
    keys: Vec<Key>,
    /// Of every request of a chat so far.
    sessions: HashMap<u64, SessionId>,
}

impl RowReader for Reader {
    fn read(&mut self, _number: u64, line: &str, blank: Entry) -> Result<Option<Entry>, RowProblem> {
        let Objects { first_line, keys, decimals, prefix, .. } = self.format;
        let row = json::read(line, keys, &self.keys, first_line)?;
        // A float prints as the shortest decimal that means it: what the file says.
        let arrival = time(keys.arrival, &row.arrival.to_string(), *decimals)?;
        let prompt_tokens = tokens(keys.prompt, &row.prompt.to_string())?;
        let output_tokens = tokens(keys.output, &row.output.to_string())?;
        let session = row.chat.map(|(chat, parent)| self.session(chat, parent));
        let prefix = prefix(row.blocks);
        let attributes = (session.is_some() || !prefix.is_empty())
            .then(|| Arc::new(Attributes { session, prefix, ..Attributes::NONE }));
        Ok(Some(Entry { arrival, prompt_tokens, output_tokens, attributes, ..blank }))
    }

    fn locate(&self, line: &str, problem: &RowProblem) -> Range<usize> {
        json::locate(line, problem.what)
    }

    fn prefix_block_tokens(&self) -> u64 {
        self.format.block_tokens
    }
}

impl Reader {
    /// The session of the request of this number.
    fn session(&mut self, chat: u64, parent: Option<u64>) -> SessionId {
        let known = parent.and_then(|parent| self.sessions.get(&parent).copied());
        let session = known.unwrap_or(SessionId(chat));
        self.sessions.insert(chat, session);
        session
    }
}
