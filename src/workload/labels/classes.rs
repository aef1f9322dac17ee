//! Which class a request is of, and what that means for it.

use std::sync::Arc;

use super::super::WorkloadError;
use super::super::synthetic::{LengthDistribution, Stream};
use super::shares::Shares;
use crate::request::Attributes;
use crate::scenario::RequestClass;

/// All classes.
#[derive(Debug)]
pub(super) struct Classes {
    seed: u64,
    shares: Shares,
    classes: Vec<Class>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Class {
    /// What its requests say if they have nothing else to say.
    pub(super) attributes: Arc<Attributes>,
    pub(super) prompt: Option<LengthDistribution>,
    pub(super) output: Option<LengthDistribution>,
}

impl Classes {
    /// Of a scenario that has some.
    pub(super) fn new(classes: &[RequestClass], seed: u64) -> Result<Option<Self>, WorkloadError> {
        if let Some(wrong) = classes.iter().find(|class| !(class.share.is_finite() && class.share > 0.0)) {
            let (setting, found) = ("classes.share", wrong.share.to_string());
            return Err(WorkloadError::Setting { setting, found, expected: "a finite number above 0" });
        }
        let shares = Shares::of(classes.iter().map(|class| class.share));
        let classes: Vec<Class> = classes.iter().map(Class::new).collect::<Result<_, _>>()?;
        Ok((!classes.is_empty()).then_some(Classes { seed, shares, classes }))
    }

    /// The class of this conversation.
    pub(super) fn draw(&self, conversation: u64) -> &Class {
        let unit = Stream::Classes.of_turn(self.seed, conversation, 0).unit_f64();
        &self.classes[self.shares.at(unit)]
    }
}

impl Class {
    fn new(spec: &RequestClass) -> Result<Self, WorkloadError> {
        let attributes = Attributes {
            class: Some(spec.name.as_str().into()),
            tenant: spec.tenant.as_deref().map(Into::into),
            priority: spec.priority,
            adapter: spec.adapter,
            ..Attributes::NONE
        };
        let lengths = |which, lengths: &Option<_>| {
            lengths.as_ref().map(|lengths| LengthDistribution::new(which, lengths)).transpose()
        };
        Ok(Class {
            attributes: Arc::new(attributes),
            prompt: lengths("classes.prompt", &spec.prompt)?,
            output: lengths("classes.output", &spec.output)?,
        })
    }
}
