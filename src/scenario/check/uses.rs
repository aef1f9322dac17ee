//! Every kind of instance that a scenario creates or may create.

use std::sync::Arc;

use super::Sections;
use crate::cluster::{DoesNotFit, InstanceShape, shape_of_slice, shape_on_server};
use crate::ids::Tag;
use crate::scenario::actions::unknown_application;
use crate::scenario::applications::Application;
use crate::scenario::reader::At;
use crate::scenario::spec::{InstanceConfig, ModelSpec, Operation, PoolSpec, Sku, SplitType, StartState};

/// An instance that the scenario creates, or may create.
pub(super) struct Use<'s, 't> {
    /// Where its configuration or its action stands.
    pub at: At<'t>,
    pub application: &'s Application<'t>,
    pub config: InstanceConfig,
    pub sku: &'s Arc<Sku>,
    /// How many GPUs it takes there.
    pub shape: ShapeOf,
}

/// One of the rules of [`crate::cluster`].
pub(super) type ShapeOf = fn(&ModelSpec, &Sku, InstanceConfig) -> Result<InstanceShape, DoesNotFit>;

impl<'s, 't> Sections<'s, 't> {
    /// Instances of the start state.
    pub(super) fn uses_at_start(&self) -> Vec<Use<'s, 't>> {
        let at = self.top.descend(&["start_state"]);
        let id = match self.start {
            StartState::Unallocated { .. } => return Vec::new(),
            StartState::Packed { entries, .. } => return self.uses_of_packed(entries),
            StartState::WholeServers { application, .. } | StartState::Split { application, .. } => {
                *application
            }
        };
        let Some(application) = self.application(id) else {
            unknown_application::<()>(&at.descend(&["application_id"]), id, self.applications);
            return Vec::new();
        };
        match self.start {
            StartState::Split { split, prompt, token, .. } => {
                self.uses_of_pools(&at, application, *split, [prompt, token])
            }
            _ => {
                let at = at.descend(&["instance", "tensor_parallelism"]);
                let groups = self.cluster.servers.iter().filter(|group| group.count > 0);
                groups.map(|group| self.on_whole_server(at.clone(), application, None, &group.sku)).collect()
            }
        }
    }

    fn uses_of_pools(
        &self,
        at: &At<'t>,
        application: &'s Application<'t>,
        split: SplitType,
        [prompt, token]: [&'s PoolSpec; 2],
    ) -> Vec<Use<'s, 't>> {
        let servers = match split {
            SplitType::Homogeneous => self.homogeneous(at, prompt, token),
            SplitType::Heterogeneous => self.heterogeneous(at, prompt, token),
        };
        let slice = |(tag, sku)| {
            let key = if tag == Tag::Token { "token" } else { "prompt" };
            let at = at.descend(&[key, "tensor_parallelism"]);
            let config = self.start.config_for(application.spec.id, Some(tag));
            Use { at, application, config, sku, shape: shape_of_slice }
        };
        servers.into_iter().map(slice).collect()
    }

    /// Instances that actions and policies create, each with a server of its own; where no SKU is named it is
    /// the first of the configuration.
    pub(super) fn uses_of_scale_ups(&self) -> Vec<Use<'s, 't>> {
        let Some(first) = self.cluster.servers.first() else {
            return Vec::new();
        };
        let mut uses = Vec::new();
        for (at, action) in self.actions {
            let Operation::ScaleUpFull { tag, server_sku, .. } = &action.operation else {
                continue;
            };
            let Some(application) = self.application(action.application) else {
                continue;
            };
            let named = |name: &String| self.cluster.catalogue.iter().find(|sku| sku.name == *name);
            let sku = server_sku.as_ref().and_then(named).unwrap_or(&first.sku);
            uses.push(self.on_whole_server(at.clone(), application, *tag, sku));
        }
        let has_policy = |application: &&Application<'_>| matches!(&application.spec.scaling, Some(scaling) if !scaling.policies.is_empty());
        for application in self.applications.iter().filter(has_policy) {
            let at = application.at.descend(&["scaling_manager"]);
            let tags = [Some(Tag::Prompt), Some(Tag::Token)];
            uses.extend(tags.map(|tag| self.on_whole_server(at.clone(), application, tag, &first.sku)));
        }
        uses
    }

    fn on_whole_server(
        &self,
        at: At<'t>,
        application: &'s Application<'t>,
        tag: Option<Tag>,
        sku: &'s Arc<Sku>,
    ) -> Use<'s, 't> {
        let config = self.start.config_for(application.spec.id, tag);
        Use { at, application, config, sku, shape: shape_on_server }
    }
}
