//! Reads `start_state`: which instances exist at time 0, and how scale-ups configure new ones.
//!
//! Names and defaults are the ancestor's: 512 tasks in a batch, 2048 tokens, 4 preemptions, tensor
//! parallelism 8. Any `state_type` that contains `splitwise` is a split (`splitwise_2_2`, `splitwise_hhcap`).

use std::sync::Arc;

use super::cluster;
use super::reader::{At, Keys};
use super::spec::{EngineSpec, InstanceConfig, Parallelism, PoolSpec, Sku, SplitType, StartState};
use crate::ids::{ApplicationId, Tag};

const STATE_TYPES: [&str; 5] = ["unallocated", "orca", "baseline", "splitwise", "splitwise_hhcap"];
const ENGINES: [&str; 3] = ["DEFAULT", "ORCA", "Splitwise"];
const SPLIT_TYPES: [&str; 2] = ["homogeneous", "heterogeneous"];

const MAX_BATCH_SIZE: u32 = 512;
const MAX_BATCH_TOKENS: u64 = 2048;
const MAX_PREEMPTIONS: u32 = 4;
const PARALLELISM: Parallelism = Parallelism { pipeline: 1, tensor: 8 };

/// The start state of a scenario that names none: one instance on every server.
pub(super) fn default_state(application: ApplicationId) -> StartState {
    let engine = EngineSpec::Splitwise {
        max_batch_size: MAX_BATCH_SIZE,
        max_batch_tokens: MAX_BATCH_TOKENS,
        max_preemptions: MAX_PREEMPTIONS,
    };
    let instance = InstanceConfig { engine, parallelism: PARALLELISM };
    StartState::WholeServers { application, instance }
}

/// What new instances of this tag are: the rule of the ancestor's StartStateManager.
pub(super) fn instance_config(state: &StartState, tag: Option<Tag>) -> InstanceConfig {
    match state {
        StartState::Unallocated { instance } | StartState::WholeServers { instance, .. } => *instance,
        StartState::Split { token, .. } if tag == Some(Tag::Token) => token.instance,
        StartState::Split { prompt, .. } => prompt.instance,
    }
}

/// The start state, given as a mapping or as the bare name of a `state_type`.
pub(super) fn read(at: &At<'_>, first: ApplicationId, catalogue: Option<&[Arc<Sku>]>) -> Option<StartState> {
    if !at.is_map() {
        return read_state(known_type(at)?, None, first, catalogue);
    }
    let keys = at.keys()?;
    let state = match keys.need("state_type").and_then(|at| known_type(&at)) {
        Some(state_type) => read_state(state_type, Some(&keys), first, catalogue),
        None => {
            keys.know(&["application_id", "instance", "split_type", "prompt", "token"]);
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
) -> Option<StartState> {
    let block = |key| keys.and_then(|keys| keys.get(key));
    let application = block("application_id").and_then(|at| at.count(0)).map_or(first, ApplicationId);
    let instance = |engine| read_block(block("instance").as_ref(), engine);
    match state_type {
        "unallocated" => Some(StartState::Unallocated { instance: instance("Splitwise")? }),
        "orca" => Some(StartState::WholeServers { application, instance: instance("ORCA")? }),
        "baseline" => Some(StartState::WholeServers { application, instance: instance("Splitwise")? }),
        splitwise => {
            let token_sku = if splitwise.contains("hhcap") { "dgx-h100-pcap" } else { "dgx-a100" };
            let split = match block("split_type") {
                Some(at) => read_split_type(&at),
                None => Some(SplitType::Homogeneous),
            };
            let named = split.map(|split| (split, catalogue));
            let prompt = read_pool(block("prompt").as_ref(), "dgx-h100", named);
            let token = read_pool(block("token").as_ref(), token_sku, named);
            Some(StartState::Split { application, split: split?, prompt: prompt?, token: token? })
        }
    }
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
) -> Option<PoolSpec> {
    let keys = match at {
        Some(at) => Some(at.keys()?),
        None => None,
    };
    let instance = read_instance(keys.as_ref(), "Splitwise");
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
    let get = |key| keys.and_then(|keys| keys.get(key));
    let count = |key, minimum, default| match get(key) {
        Some(at) => at.count(minimum),
        None => Some(default),
    };
    let pipeline = count("pipeline_parallelism", 1, PARALLELISM.pipeline);
    let tensor = count("tensor_parallelism", 1, PARALLELISM.tensor);
    let max_batch_size = count("max_batch_size", 1, MAX_BATCH_SIZE);
    let max_batch_tokens = match get("max_batch_tokens") {
        Some(at) => at.whole(1),
        None => Some(MAX_BATCH_TOKENS),
    };
    let max_preemptions = count("max_preemptions", 0, MAX_PREEMPTIONS);
    let type_at = get("instance_type");
    let name = match &type_at {
        Some(at) => at.text()?,
        None => engine,
    };
    let (max_batch_size, max_batch_tokens) = (max_batch_size?, max_batch_tokens?);
    let engine = match (name.to_lowercase().as_str(), type_at) {
        ("default", _) => EngineSpec::Default,
        ("orca", _) => EngineSpec::Orca { max_batch_size },
        ("splitwise", _) => {
            EngineSpec::Splitwise { max_batch_size, max_batch_tokens, max_preemptions: max_preemptions? }
        }
        (_, Some(at)) => return at.unknown("instance_type", name, &ENGINES),
        (_, None) => return None,
    };
    Some(InstanceConfig { engine, parallelism: Parallelism { pipeline: pipeline?, tensor: tensor? } })
}
