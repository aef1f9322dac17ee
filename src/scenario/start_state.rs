//! Reads `start_state`: which instances exist at time 0, and how scale-ups configure new ones.
//!
//! Names and defaults are the ancestor's: tensor parallelism 8. `packed` is Ebbflow's own, with `vllm`. Any `state_type` that contains `splitwise` is a split (`splitwise_2_2`, `splitwise_hhcap`).

use std::sync::Arc;

use super::actions::read_tag;
use super::defaults::Defaults;
use super::reader::{At, Keys};
use super::spec::{InstanceConfig, PackedSpec, Parallelism, PoolSpec, Sku, SplitType, StartState};
use super::{cluster, engines};
use crate::ids::ApplicationId;

const STATE_TYPES: [&str; 6] = ["unallocated", "orca", "baseline", "splitwise", "splitwise_hhcap", PACKED];
/// The form in which applications share servers.
const PACKED: &str = "packed";
const PACKED_HELP: &str =
    "write {state_type: packed, instances: [{application: 0, count: 4, tensor_parallelism: 2}, …]}";
const SPLIT_TYPES: [&str; 2] = ["homogeneous", "heterogeneous"];

/// What an instance has that says nothing of it; on a smaller server the whole of that.
pub(super) const PARALLELISM: Parallelism = Parallelism::tensor(8);

/// The start state of a scenario that names none: one instance on every server.
pub(super) fn default_state(application: ApplicationId, defaults: Defaults) -> StartState {
    let instance = InstanceConfig { engine: defaults.engine(), parallelism: PARALLELISM };
    StartState::WholeServers { application, instance }
}

/// The start state, given as a mapping or as the bare name of a `state_type`.
pub(super) fn read(
    at: &At<'_>,
    first: ApplicationId,
    catalogue: Option<&[Arc<Sku>]>,
    defaults: Defaults,
) -> Option<StartState> {
    if !at.is_map() {
        let word = known_type(at)?;
        if word == PACKED {
            at.refuse("`packed` says nothing without its `instances`", Some(PACKED_HELP.to_owned()));
            return None;
        }
        return read_state(word, None, first, catalogue, defaults);
    }
    let keys = at.keys()?;
    let state = match keys.need("state_type").and_then(|at| known_type(&at)) {
        Some(state_type) => read_state(state_type, Some(&keys), first, catalogue, defaults),
        None => {
            keys.know(&["application_id", "instance", "split_type", "prompt", "token", "instances"]);
            None
        }
    };
    keys.finish();
    state
}

fn known_type<'t>(at: &At<'t>) -> Option<&'t str> {
    let word = at.text()?;
    if STATE_TYPES.contains(&word) || word.contains("splitwise") {
        return Some(word);
    }
    at.unknown("state_type", word, &STATE_TYPES)
}

fn read_state(
    state_type: &str,
    keys: Option<&Keys<'_>>,
    first: ApplicationId,
    catalogue: Option<&[Arc<Sku>]>,
    defaults: Defaults,
) -> Option<StartState> {
    if state_type == PACKED {
        return read_packed(keys?, first);
    }
    let block = |key| keys.and_then(|keys| keys.get(key));
    let application = block("application_id").and_then(|at| at.count(0)).map_or(first, ApplicationId);
    let instance = |engine| read_block(block("instance").as_ref(), engine);
    match state_type {
        "unallocated" => Some(StartState::Unallocated { instance: instance(defaults.engine_name())? }),
        "orca" => Some(StartState::WholeServers { application, instance: instance("ORCA")? }),
        "baseline" => {
            Some(StartState::WholeServers { application, instance: instance(defaults.engine_name())? })
        }
        splitwise => {
            let token_sku = if splitwise.contains("hhcap") { "dgx-h100-pcap" } else { "dgx-a100" };
            let split = match block("split_type") {
                Some(at) => read_split_type(&at),
                None => Some(SplitType::Homogeneous),
            };
            let named = split.map(|split| (split, catalogue));
            let prompt = read_pool(block("prompt").as_ref(), "dgx-h100", named, defaults);
            let token = read_pool(block("token").as_ref(), token_sku, named, defaults);
            Some(StartState::Split { application, split: split?, prompt: prompt?, token: token? })
        }
    }
}

/// A packed state: a list of like instances. That they find room is checked with the cluster.
fn read_packed(keys: &Keys<'_>, first: ApplicationId) -> Option<StartState> {
    let otherwise = read_instance(None, "vllm")?;
    let list = keys.need("instances")?.list()?;
    let entries: Vec<_> = list.iter().map(|at| read_packed_entry(at, first)).collect();
    let entries = entries.into_iter().collect::<Option<_>>()?;
    Some(StartState::Packed { entries, otherwise })
}

fn read_packed_entry(at: &At<'_>, first: ApplicationId) -> Option<PackedSpec> {
    let keys = at.keys()?;
    let application = match keys.get("application") {
        Some(at) => at.count(0).map(ApplicationId),
        None => Some(first),
    };
    let count = match keys.get("count") {
        Some(at) => at.count(0),
        None => Some(1),
    };
    let tag = read_tag(&keys);
    let instance = read_instance(Some(&keys), "vllm");
    keys.finish();
    Some(PackedSpec { application: application?, count: count?, tag: tag?, instance: instance? })
}

fn read_split_type(at: &At<'_>) -> Option<SplitType> {
    match at.text()? {
        "homogeneous" => Some(SplitType::Homogeneous),
        "heterogeneous" => Some(SplitType::Heterogeneous),
        other => at.unknown("split_type", other, &SPLIT_TYPES),
    }
}

/// A pool. SKU names are checked where they matter: in a heterogeneous split.
fn read_pool(
    at: Option<&At<'_>>,
    default_sku: &str,
    split: Option<(SplitType, Option<&[Arc<Sku>]>)>,
    defaults: Defaults,
) -> Option<PoolSpec> {
    let keys = match at {
        Some(at) => Some(at.keys()?),
        None => None,
    };
    let instance = read_instance(keys.as_ref(), defaults.engine_name());
    let get = |key| keys.as_ref().and_then(|keys| keys.get(key));
    let num_instances = get("num_instances").and_then(|at| at.count(0)).unwrap_or(1);
    let names = get("instance_names").and_then(|at| at.list()).map(|list| read_names(&list, split));
    if let Some(keys) = keys {
        keys.finish();
    }
    let instance_names = names.unwrap_or_else(|| vec![default_sku.to_owned()]);
    Some(PoolSpec { instance: instance?, num_instances, instance_names })
}

fn read_names(list: &[At<'_>], split: Option<(SplitType, Option<&[Arc<Sku>]>)>) -> Vec<String> {
    let name = |at: &At<'_>| match split {
        Some((SplitType::Heterogeneous, Some(catalogue))) => {
            cluster::sku(at, catalogue).map(|sku| sku.name.clone())
        }
        _ => at.text().map(str::to_owned),
    };
    list.iter().filter_map(name).collect()
}

fn read_block(at: Option<&At<'_>>, engine: &str) -> Option<InstanceConfig> {
    let Some(at) = at else {
        return read_instance(None, engine);
    };
    let keys = at.keys()?;
    let instance = read_instance(Some(&keys), engine);
    keys.finish();
    instance
}

/// An instance; `engine` when the keys do not name one.
fn read_instance(keys: Option<&Keys<'_>>, engine: &str) -> Option<InstanceConfig> {
    let degree = |key, default| match keys.and_then(|keys| keys.get(key)) {
        Some(at) => at.count(1),
        None => Some(default),
    };
    let pipeline = degree("pipeline_parallelism", PARALLELISM.pipeline);
    let tensor = degree("tensor_parallelism", PARALLELISM.tensor);
    let data = degree("data_parallelism", PARALLELISM.data);
    let expert = degree("expert_parallelism", PARALLELISM.expert);
    let engine = engines::read(keys, engine);
    Some(InstanceConfig {
        engine: engine?,
        parallelism: Parallelism { pipeline: pipeline?, tensor: tensor?, data: data?, expert: expert? },
    })
}
