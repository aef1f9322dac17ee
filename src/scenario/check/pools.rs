//! How a split start state hands out the servers: which SKUs end up in which pool.

use std::sync::Arc;

use super::Sections;
use crate::ids::Tag;
use crate::scenario::reader::At;
use crate::scenario::spec::{PoolSpec, Sku};

impl<'s, 't> Sections<'s, 't> {
    /// In cluster order: first the prompt pool, then the token pool; `at` is the start state.
    pub(super) fn homogeneous(
        &self,
        at: &At<'t>,
        prompt: &PoolSpec,
        token: &PoolSpec,
    ) -> Vec<(Tag, &'s Arc<Sku>)> {
        let mut wanted =
            [(Tag::Prompt, u64::from(prompt.num_instances)), (Tag::Token, u64::from(token.num_instances))];
        let need: u64 = wanted.iter().map(|(_, count)| count).sum();
        let have: u64 = self.cluster.servers.iter().map(|group| u64::from(group.count)).sum();
        if need > have {
            let message = format!("the two pools need {need} servers, but the cluster has {have}");
            let help = "num_instances counts servers; give the cluster more or the pools fewer".to_owned();
            at.descend(&["token", "num_instances"]).refuse(message, Some(help));
        } else if need < have {
            let empty = have - need;
            self.top
                .log
                .note(format!("start_state: {empty} of {have} servers are in neither pool and stay empty"));
        }
        let mut pools = Vec::new();
        for group in &self.cluster.servers {
            let mut left = u64::from(group.count);
            for (tag, wanted) in &mut wanted {
                let taken = left.min(*wanted);
                (left, *wanted) = (left - taken, *wanted - taken);
                if taken > 0 {
                    pools.push((*tag, &group.sku));
                }
            }
        }
        pools
    }

    /// By the SKU names of the pools; `at` is the start state.
    pub(super) fn heterogeneous(
        &self,
        at: &At<'t>,
        prompt: &PoolSpec,
        token: &PoolSpec,
    ) -> Vec<(Tag, &'s Arc<Sku>)> {
        let mut pools = Vec::new();
        for group in self.cluster.servers.iter().filter(|group| group.count > 0) {
            let name = &group.sku.name;
            match (prompt.instance_names.contains(name), token.instance_names.contains(name)) {
                (true, false) => pools.push((Tag::Prompt, &group.sku)),
                (false, true) => pools.push((Tag::Token, &group.sku)),
                (true, true) => {
                    pools.push((Tag::Prompt, &group.sku));
                    self.top.log.note(format!(
                        "start_state: both pools name {name}; its servers go to the prompt pool"
                    ));
                }
                (false, false) => {
                    let message = format!("the {name} servers of the cluster are in neither pool");
                    let help = "name the SKU in prompt.instance_names or token.instance_names".to_owned();
                    at.descend(&["split_type"]).refuse(message, Some(help));
                }
            }
        }
        pools
    }
}
