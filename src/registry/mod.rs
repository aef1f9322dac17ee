//! The schedulers and autoscaling policies a scenario may name.
//!
//! The built-in ones are registered in `scheduler::policies` and `scaling::policies`, one line each; a
//! library user adds theirs with [`Registry::add_scheduler`] and [`Registry::add_policy`] and names
//! them in a scenario like any other.

mod parameter;
mod settings;

use std::sync::Arc;

pub use parameter::{Accepts, Parameter};
pub use settings::{Setting, Settings};

use crate::scaling::{AutoscalingPolicy, PolicyContext, PolicyFactory, PolicyKind, PolicyRefusal};
use crate::scheduler::{RoutingPolicy, SchedulerContext, SchedulerFactory};

/// How a scheduler or policy is named and configured.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Kind {
    /// Canonical snake_case name.
    pub name: &'static str,
    /// Other names that mean the same, e.g. the ancestor's class name.
    pub aliases: &'static [&'static str],
    /// One sentence for lists and errors.
    pub about: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
}

impl Kind {
    /// Whether a scenario means this kind by `name`: in whatever case, class names with or without
    /// their `Scheduler` or `Policy`.
    pub fn is_named(&self, name: &str) -> bool {
        let wanted = stem(name);
        std::iter::once(&self.name).chain(self.aliases).any(|known| stem(known) == wanted)
    }
}

fn stem(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let stem = name.strip_suffix("scheduler").or_else(|| name.strip_suffix("policy"));
    stem.filter(|stem| !stem.is_empty()).map(str::to_owned).unwrap_or(name)
}

/// The schedulers and policies that exist.
#[derive(Clone, Default)]
pub struct Registry {
    schedulers: Vec<(Kind, SchedulerFactory)>,
    policies: Vec<(PolicyKind, PolicyFactory)>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let schedulers: Vec<&str> = self.schedulers().map(|kind| kind.name).collect();
        let policies: Vec<&str> = self.policies().map(|known| known.kind.name).collect();
        f.debug_struct("Registry").field("schedulers", &schedulers).field("policies", &policies).finish()
    }
}

impl Registry {
    /// Everything built in.
    pub fn builtin() -> Self {
        let mut registry = Registry::default();
        crate::scheduler::policies::register(&mut registry);
        crate::scaling::policies::register(&mut registry);
        registry
    }

    /// Adds a scheduler; it replaces an earlier one of the same name.
    pub fn add_scheduler(
        &mut self,
        kind: Kind,
        build: impl Fn(&SchedulerContext, &Settings) -> Box<dyn RoutingPolicy> + Send + Sync + 'static,
    ) {
        self.schedulers.retain(|(known, _)| known.name != kind.name);
        self.schedulers.push((kind, Arc::new(build)));
    }

    /// Adds an autoscaling policy; it replaces an earlier one of the same name.
    pub fn add_policy(
        &mut self,
        kind: impl Into<PolicyKind>,
        build: impl Fn(&Settings, &PolicyContext) -> Result<Box<dyn AutoscalingPolicy>, PolicyRefusal>
        + Send
        + Sync
        + 'static,
    ) {
        let kind = kind.into();
        self.policies.retain(|(known, _)| known.kind.name != kind.kind.name);
        self.policies.push((kind, Arc::new(build)));
    }

    /// Kinds of schedulers.
    pub fn schedulers(&self) -> impl Iterator<Item = &Kind> {
        self.schedulers.iter().map(|(kind, _)| kind)
    }

    /// Kinds of autoscaling policies.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyKind> {
        self.policies.iter().map(|(kind, _)| kind)
    }

    /// How to build the scheduler of this canonical name.
    pub fn scheduler(&self, name: &str) -> Option<&SchedulerFactory> {
        self.schedulers.iter().find(|(kind, _)| kind.name == name).map(|(_, build)| build)
    }

    /// The autoscaling policy of this canonical name, and how to build it.
    pub fn policy(&self, name: &str) -> Option<(&PolicyKind, &PolicyFactory)> {
        self.policies.iter().find(|(known, _)| known.kind.name == name).map(|(kind, build)| (kind, build))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheduler_answers_to_its_names_and_to_no_other() {
        let registry = Registry::builtin();
        let named = |name: &str| -> Vec<&str> {
            registry.schedulers().filter(|kind| kind.is_named(name)).map(|kind| kind.name).collect()
        };
        assert_eq!(named("AdaptiveMixedPoolScheduler"), ["adaptive_mixed_pool"]);
        assert_eq!(named("KVJSQ"), ["kv_jsq"]);
        assert_eq!(named("OverlapKVTokenJSQ"), ["overlap_kv_token_jsq"]);
        assert_eq!(named("Token_JSQ"), ["token_jsq"]);
        assert!(named("nonsense").is_empty());
        for kind in registry.schedulers() {
            assert_eq!(named(kind.name), [kind.name]);
        }
    }
}
