//! What requests say of themselves: of which class they are, and which system prompt they begin with.
//!
//! A request, or a session with all its turns, draws it by its number, so that nothing else shifts it.

mod classes;
mod groups;
mod shares;

use std::sync::Arc;

use super::WorkloadError;
use super::entry::Entry;
use super::prefix;
use super::synthetic::{LengthDistribution, Stream};
use crate::ids::SessionId;
use crate::request::Attributes;
use crate::scenario::{RequestClass, SyntheticSpec};
use classes::{Class, Classes};
use groups::Groups;

/// What there is to be said.
#[derive(Debug)]
pub(super) struct Labels {
    seed: u64,
    groups: Option<Groups>,
    classes: Option<Classes>,
}

impl Labels {
    /// Checks the description. A trace has no system prompts but its own.
    pub(super) fn new(
        spec: Option<&SyntheticSpec>,
        classes: &[RequestClass],
        seed: u64,
    ) -> Result<Self, WorkloadError> {
        let groups = spec.and_then(|spec| spec.prefix_groups.as_ref());
        let groups = groups.map(|groups| Groups::new(groups, seed)).transpose()?;
        Ok(Labels { seed, groups, classes: Classes::new(classes, seed)? })
    }

    /// Whether there is nothing to be said.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_none() && self.classes.is_none()
    }

    /// Tokens of the system prompt.
    pub(super) fn system_prompt_tokens(&self) -> u32 {
        self.groups.as_ref().map_or(0, Groups::tokens)
    }

    /// Lengths of prompts and outputs of this conversation, where its class has its own.
    pub(super) fn lengths(
        &self,
        conversation: u64,
    ) -> (Option<&LengthDistribution>, Option<&LengthDistribution>) {
        let class = self.class_of(conversation);
        let prompt = class.and_then(|class| class.prompt.as_ref());
        (prompt, class.and_then(|class| class.output.as_ref()))
    }

    /// What a request of this conversation says. Of a session, the blocks of all tokens there are when it is answered.
    pub(super) fn of(
        &self,
        conversation: u64,
        session: Option<u64>,
        context_tokens: u64,
    ) -> Option<Arc<Attributes>> {
        let tokens = u64::from(self.system_prompt_tokens());
        let group = self.groups.as_ref().map(|groups| groups.draw(conversation));
        let prefix = match (session, group) {
            (Some(session), group) => {
                prefix::of_session(group.map(|group| (group, tokens)), session, context_tokens)
            }
            (None, Some(group)) => prefix::of_group(group, tokens),
            (None, None) => Vec::new(),
        };
        let class = self.class_of(conversation).map(|class| &class.attributes);
        if session.is_none() && prefix.is_empty() {
            return class.cloned();
        }
        let said = class.map_or(Attributes::NONE, |class| Attributes::clone(class));
        Some(Arc::new(Attributes { session: session.map(SessionId), prefix, ..said }))
    }

    /// The entry of this number with its class and system prompt. What a trace says itself is kept; turns of one
    /// session of it are of one class.
    pub(super) fn label(&self, number: u64, entry: Entry) -> Entry {
        let own = entry.attributes.as_deref();
        let conversation = own.and_then(|own| own.session).map_or(number, |session| session.0);
        let (prompt, output) = self.lengths(conversation);
        let drawn = |lengths: Option<&LengthDistribution>, stream: Stream, length: u32| {
            lengths.map_or(length, |lengths| lengths.draw(&mut stream.of_turn(self.seed, conversation, 0)))
        };
        let prompt_tokens = drawn(prompt, Stream::Prompts, entry.prompt_tokens);
        let attributes = match own {
            None => self.of(conversation, None, 0),
            Some(own) => Some(Arc::new(self.added_to(own, conversation))),
        };
        Entry {
            prompt_tokens: prompt_tokens.saturating_add(self.system_prompt_tokens()),
            output_tokens: drawn(output, Stream::Outputs, entry.output_tokens),
            attributes,
            ..entry
        }
    }

    fn added_to(&self, own: &Attributes, conversation: u64) -> Attributes {
        let Some(class) = self.class_of(conversation).map(|class| &class.attributes) else {
            return own.clone();
        };
        let tenant = class.tenant.clone().or_else(|| own.tenant.clone());
        let adapter = class.adapter.or(own.adapter);
        Attributes { class: class.class.clone(), tenant, priority: class.priority, adapter, ..own.clone() }
    }

    fn class_of(&self, conversation: u64) -> Option<&Class> {
        self.classes.as_ref().map(|classes| classes.draw(conversation))
    }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::SimTime;

    use super::*;
    use crate::ids::{ApplicationId, RequestId};
    use crate::scenario::Lengths;

    fn class(name: &str, share: f64) -> RequestClass {
        let (priority, tenant) = (name.len() as i32, Some(format!("tenant of {name}")));
        let (adapter, slo, prompt, output) = (None, None, None, None);
        RequestClass { name: name.into(), share, priority, tenant, adapter, slo, prompt, output }
    }

    fn entry(attributes: Option<Attributes>) -> Entry {
        Entry {
            arrival: SimTime::ZERO,
            id: RequestId(0),
            application: ApplicationId(0),
            batch_size: 1,
            prompt_tokens: 100,
            output_tokens: 10,
            attributes: attributes.map(Arc::new),
        }
    }

    #[test]
    fn classes_have_their_shares_and_their_own_lengths() {
        let short = RequestClass { output: Some(Lengths::Constant(3)), ..class("short", 3.0) };
        let labels = Labels::new(None, &[short, class("long", 1.0)], 1).unwrap();
        let mut of_short = 0;
        for number in 0..8000 {
            let labelled = labels.label(number, entry(None));
            let attributes = labelled.attributes.unwrap();
            let is_short = attributes.class.as_deref() == Some("short");
            of_short += u32::from(is_short);
            assert_eq!(labelled.output_tokens, if is_short { 3 } else { 10 });
            assert_eq!((attributes.priority, labelled.prompt_tokens), (if is_short { 5 } else { 4 }, 100));
        }
        assert!((5800..6200).contains(&of_short), "{of_short}");
    }

    #[test]
    fn what_a_trace_says_is_kept_and_a_session_of_it_is_of_one_class() {
        let labels = Labels::new(None, &[class("a", 1.0), class("bb", 1.0)], 1).unwrap();
        let own = Attributes { session: Some(SessionId(9)), prefix: vec![4, 5], ..Attributes::NONE };
        let labelled: Vec<_> = (0..20)
            .map(|number| labels.label(number, entry(Some(own.clone()))).attributes.unwrap())
            .collect();
        assert!(labelled.iter().all(|attributes| *attributes == labelled[0]));
        assert_eq!((labelled[0].session, &labelled[0].prefix[..]), (own.session, &own.prefix[..]));
        assert!(labelled[0].class.is_some());
    }
}
