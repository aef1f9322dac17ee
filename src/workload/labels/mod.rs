//! What generated requests say of themselves: which system prompt they begin with.
//!
//! A request, or a session with all its turns, draws it by its number, so that nothing else shifts it.

mod groups;

use std::sync::Arc;

use super::WorkloadError;
use super::entry::Entry;
use super::prefix;
use crate::ids::SessionId;
use crate::request::Attributes;
use crate::scenario::SyntheticSpec;
use groups::Groups;

/// What there is to be said.
#[derive(Debug)]
pub(super) struct Labels {
    groups: Option<Groups>,
}

impl Labels {
    /// Checks the description.
    pub(super) fn new(spec: &SyntheticSpec, seed: u64) -> Result<Self, WorkloadError> {
        let groups = spec.prefix_groups.as_ref().map(|groups| Groups::new(groups, seed)).transpose()?;
        Ok(Labels { groups })
    }

    /// Tokens of the system prompt.
    pub(super) fn system_prompt_tokens(&self) -> u32 {
        self.groups.as_ref().map_or(0, Groups::tokens)
    }

    /// What a turn of this session says, of which so many tokens are known when it is answered.
    pub(super) fn of_turn(&self, session: u64, context_tokens: u64) -> Attributes {
        let (group, tokens) = self.group_of(session);
        let prefix = prefix::of_session(group.map(|group| (group, tokens)), session, context_tokens);
        Attributes { session: Some(SessionId(session)), prefix, ..Attributes::NONE }
    }

    /// What a single request says; nothing, if there is nothing to be said.
    pub(super) fn of_request(&self, number: u64) -> Option<Attributes> {
        let (group, tokens) = self.group_of(number);
        let prefix = prefix::of_group(group?, tokens);
        Some(Attributes { prefix, ..Attributes::NONE })
    }

    /// The entry with its system prompt and all that it says.
    pub(super) fn label(&self, entry: Entry) -> Entry {
        let attributes = self.of_request(entry.id.0).map(Arc::new);
        let prompt_tokens = entry.prompt_tokens.saturating_add(self.system_prompt_tokens());
        Entry { prompt_tokens, attributes, ..entry }
    }

    fn group_of(&self, conversation: u64) -> (Option<u64>, u64) {
        let group = self.groups.as_ref().map(|groups| groups.draw(conversation));
        (group, u64::from(self.system_prompt_tokens()))
    }
}
