//! The start state: which servers and instances exist at time 0.

use std::sync::Arc;

use crate::cluster::{DoesNotFit, shape_of_slice, shape_on_server};
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::scenario::{
    ClusterSpec, InstanceConfig, ModelSpec, PoolSpec, Scenario, Sku, SplitType, StartState,
};

/// A server that exists at time 0.
#[derive(Clone, Debug)]
pub(super) struct StartServer {
    pub id: ServerId,
    pub sku: Arc<Sku>,
    pub instances: Vec<StartInstance>,
}

/// An instance that is ACTIVE at time 0.
#[derive(Clone, Debug)]
pub(super) struct StartInstance {
    pub id: InstanceId,
    pub tag: Option<Tag>,
    pub processors: Vec<u32>,
    pub tensor_parallelism: u32,
    pub config: InstanceConfig,
}

/// The servers of the cluster in order, with the instances of the start state on them.
pub(super) fn start_servers(scenario: &Scenario) -> Result<Vec<StartServer>, DoesNotFit> {
    let mut servers = servers(&scenario.cluster);
    let Some(application) = start_application(scenario) else { return Ok(servers) };
    let application = scenario.applications.iter().find(|spec| spec.id == application);
    let Some(model) = application.map(|spec| &spec.model) else { return Ok(servers) };
    let mut next = 0;
    for (position, server) in servers.iter_mut().enumerate() {
        place(&scenario.start_state, model, position, server, &mut next)?;
    }
    Ok(servers)
}

/// The application the start state serves.
pub(super) fn start_application(scenario: &Scenario) -> Option<ApplicationId> {
    match scenario.start_state {
        StartState::Unallocated { .. } => None,
        StartState::WholeServers { application, .. } | StartState::Split { application, .. } => {
            Some(application)
        }
    }
}

fn servers(cluster: &ClusterSpec) -> Vec<StartServer> {
    let skus = cluster.servers.iter().flat_map(|group| (0..group.count).map(|_| Arc::clone(&group.sku)));
    skus.zip(0..).map(|(sku, id)| StartServer { id: ServerId(id), sku, instances: Vec::new() }).collect()
}

fn place(
    start_state: &StartState,
    model: &ModelSpec,
    position: usize,
    server: &mut StartServer,
    next: &mut u32,
) -> Result<(), DoesNotFit> {
    match start_state {
        StartState::Unallocated { .. } => Ok(()),
        StartState::WholeServers { instance, .. } => {
            let shape = shape_on_server(model, &server.sku, instance.parallelism)?;
            fill(server, shape.gpus, shape.tensor_parallelism, None, *instance, next);
            Ok(())
        }
        StartState::Split { split, prompt, token, .. } => {
            let Some((tag, pool)) = pool_of(*split, position, server, prompt, token) else { return Ok(()) };
            let shape = shape_of_slice(model, &server.sku, pool.instance.parallelism)?;
            fill(server, shape.gpus, shape.tensor_parallelism, Some(tag), pool.instance, next);
            Ok(())
        }
    }
}

/// Which pool a server belongs to, if any.
fn pool_of<'a>(
    split: SplitType,
    position: usize,
    server: &StartServer,
    prompt: &'a PoolSpec,
    token: &'a PoolSpec,
) -> Option<(Tag, &'a PoolSpec)> {
    match split {
        SplitType::Homogeneous => {
            let prompts = prompt.num_instances as usize;
            if position < prompts {
                Some((Tag::Prompt, prompt))
            } else if position < prompts + token.num_instances as usize {
                Some((Tag::Token, token))
            } else {
                None
            }
        }
        SplitType::Heterogeneous => {
            let names = |pool: &PoolSpec| pool.instance_names.contains(&server.sku.name);
            if names(prompt) {
                Some((Tag::Prompt, prompt))
            } else if names(token) {
                Some((Tag::Token, token))
            } else {
                None
            }
        }
    }
}

/// Cuts a server into slices of `gpus` GPUs, one instance each; a rest too small for one stays free.
fn fill(
    server: &mut StartServer,
    gpus: u32,
    tensor_parallelism: u32,
    tag: Option<Tag>,
    config: InstanceConfig,
    next: &mut u32,
) {
    let slices = server.sku.gpus / gpus;
    // Most servers hold one instance, and there may be a hundred thousand of them.
    server.instances.reserve_exact(slices as usize);
    for slice in 0..slices {
        let processors = (slice * gpus..(slice + 1) * gpus).collect();
        let id = InstanceId(*next);
        *next += 1;
        server.instances.push(StartInstance { id, tag, processors, tensor_parallelism, config });
    }
}
