//! Requests that depend on answers: turns of sessions, and clients with one request on their way at a time.
//!
//! A *conversation* is a session, or a single request of a client. [`Conversations`] is a pure state machine: it
//! says [when](Conversations::due) the next request arrives, hands it out, and is told how requests
//! [ended](Conversations::ended). Lengths and pauses are drawn for each turn by itself, so that the order of answers
//! changes none of them. Memory is kept for what is on its way or will be asked, not for what is over.
//!
//! A user whose request is refused or given up gets no answer and leaves: the session ends; its client begins another
//! one. Leaves out: users who grow impatient, who ask twice, or who go back to an earlier turn.

mod pauses;
mod script;
mod starts;

use std::collections::BTreeMap;

use ebbflow_actors::SimTime;

use super::WorkloadError;
use super::synthetic;
use crate::ids::{ApplicationId, RequestId};
use crate::request::Request;
use crate::scenario::{RequestClass, SyntheticSpec};
use script::{Script, Turn};
use starts::Starts;

/// All conversations of a run.
#[derive(Debug)]
pub struct Conversations {
    script: Script,
    starts: Starts,
    /// What will be asked, by when and in which conversation.
    coming: BTreeMap<(SimTime, u64), Turn>,
    /// What was asked and is waited for.
    asked: BTreeMap<RequestId, Asked>,
    next_id: u64,
    requests: u64,
    until: SimTime,
}

/// A request that somebody waits for.
#[derive(Debug)]
struct Asked {
    conversation: u64,
    /// What the user goes on with, if at all.
    next: Option<Turn>,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Answer {
    /// Which.
    pub request: RequestId,
    /// When.
    pub at: SimTime,
    /// Whether it was completed; else it was rejected.
    pub completed: bool,
}

impl Conversations {
    /// Checks the description and stands before the first request.
    pub(super) fn new(
        spec: &SyntheticSpec,
        classes: &[RequestClass],
        applications: &[ApplicationId],
        seed: u64,
    ) -> Result<Self, WorkloadError> {
        synthetic::check(spec, applications)?;
        let mut conversations = Conversations {
            script: Script::new(spec, classes, seed)?,
            starts: Starts::new(&spec.arrivals, seed)?,
            coming: BTreeMap::new(),
            asked: BTreeMap::new(),
            next_id: 0,
            requests: spec.requests.unwrap_or(u64::MAX),
            until: spec.until.unwrap_or(SimTime::MAX),
        };
        for (at, conversation) in conversations.starts.first() {
            conversations.begin(at, conversation);
        }
        Ok(conversations)
    }

    /// How many requests there will be, if that does not depend on when they arrive.
    pub(super) fn expected(&self) -> Option<u64> {
        (self.until == SimTime::MAX && !self.starts.may_end()).then_some(self.requests)
    }

    /// When the next request arrives, as far as is known before further answers.
    pub fn due(&self) -> Option<SimTime> {
        self.coming.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next request that has arrived by now.
    pub fn next(&mut self, now: SimTime) -> Option<Request> {
        let entry = self.coming.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, conversation), turn) = entry.remove_entry();
        let id = RequestId(self.next_id);
        self.next_id += 1;
        let request = self.script.request(&turn, id, at);
        if self.next_id >= self.requests {
            self.coming.clear();
            self.asked.clear();
            return Some(request);
        }
        if turn.is_first()
            && let Some((at, conversation)) = self.starts.after_start()
        {
            self.begin(at, conversation);
        }
        let next = self.script.follow(&turn);
        if next.is_some() || self.starts.wait_for_ends() {
            self.asked.insert(id, Asked { conversation, next });
        }
        Some(request)
    }

    /// A request has ended, as is known now. Requests that nobody waits for are none of its business.
    pub fn ended(&mut self, now: SimTime, answer: Answer) {
        let Some(Asked { conversation, next }) = self.asked.remove(&answer.request) else { return };
        match next.filter(|_| answer.completed) {
            Some(turn) => {
                let at = answer.at + self.script.thinking(&turn);
                self.ask(at.max(now), turn);
            }
            None => {
                if let Some((pause, conversation)) = self.starts.after_end(conversation) {
                    self.begin((answer.at + pause).max(now), conversation);
                }
            }
        }
    }

    /// Whether no further request will arrive.
    pub fn is_over(&self) -> bool {
        self.coming.is_empty() && self.asked.is_empty()
    }

    fn begin(&mut self, at: SimTime, conversation: u64) {
        let turn = self.script.begin(conversation);
        self.ask(at, turn);
    }

    fn ask(&mut self, at: SimTime, turn: Turn) {
        if at < self.until {
            self.coming.insert((at, turn.conversation), turn);
        }
    }
}

#[cfg(test)]
mod tests;
