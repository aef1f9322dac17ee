//! The schedulers and autoscaling policies a scenario may name.
//!
//! The built-in ones are registered in `scheduler::policies` and `scaling::policies`, one line each; a
//! library user adds theirs with [`Registry::add_scheduler`] and [`Registry::add_policy`] and names
//! them in a scenario like any other.

use std::sync::Arc;

use crate::scaling::{AutoscalingPolicy, PolicyFactory};
use crate::scheduler::{RoutingPolicy, SchedulerContext, SchedulerFactory};

/// A numeric parameter of a scheduler or policy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    /// Key in the scenario file; units are in the name or the description.
    pub name: &'static str,
    /// Used when the scenario does not say.
    pub default: f64,
    /// Smallest value accepted.
    pub minimum: f64,
    /// What it means, with its unit.
    pub about: &'static str,
}

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

/// The resolved parameters of a scheduler or policy.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a>(pub &'a [(String, f64)]);

impl Parameters<'_> {
    /// A parameter by name.
    ///
    /// # Panics
    /// When the kind lists no such parameter: a mistake in the code of the policy, not in a scenario.
    pub fn get(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("parameter `{name}` is not listed by its kind")).1
    }
}

/// The schedulers and policies that exist.
#[derive(Clone, Default)]
pub struct Registry {
    schedulers: Vec<(Kind, SchedulerFactory)>,
    policies: Vec<(Kind, PolicyFactory)>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let schedulers: Vec<&str> = self.schedulers().map(|kind| kind.name).collect();
        let policies: Vec<&str> = self.policies().map(|kind| kind.name).collect();
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
        build: impl Fn(&SchedulerContext, &Parameters<'_>) -> Box<dyn RoutingPolicy> + Send + Sync + 'static,
    ) {
        self.schedulers.retain(|(known, _)| known.name != kind.name);
        self.schedulers.push((kind, Arc::new(build)));
    }

    /// Adds an autoscaling policy; it replaces an earlier one of the same name.
    pub fn add_policy(
        &mut self,
        kind: Kind,
        build: impl Fn(&Parameters<'_>) -> Box<dyn AutoscalingPolicy> + Send + Sync + 'static,
    ) {
        self.policies.retain(|(known, _)| known.name != kind.name);
        self.policies.push((kind, Arc::new(build)));
    }

    /// Kinds of schedulers.
    pub fn schedulers(&self) -> impl Iterator<Item = &Kind> {
        self.schedulers.iter().map(|(kind, _)| kind)
    }

    /// Kinds of autoscaling policies.
    pub fn policies(&self) -> impl Iterator<Item = &Kind> {
        self.policies.iter().map(|(kind, _)| kind)
    }

    /// How to build the scheduler of this canonical name.
    pub fn scheduler(&self, name: &str) -> Option<&SchedulerFactory> {
        self.schedulers.iter().find(|(kind, _)| kind.name == name).map(|(_, build)| build)
    }

    /// How to build the autoscaling policy of this canonical name.
    pub fn policy(&self, name: &str) -> Option<&PolicyFactory> {
        self.policies.iter().find(|(kind, _)| kind.name == name).map(|(_, build)| build)
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
