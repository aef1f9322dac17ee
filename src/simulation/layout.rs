//! The start state: which servers and instances exist at time 0.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SimulationError;
use crate::cluster::{InstanceShape, Parcel, pack, shape_of_slice, shape_on_server};
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::scenario::{
    ClusterSpec, InstanceConfig, ModelSpec, PackedSpec, PoolSpec, Scenario, Sku, SplitType, StartState,
};

/// A server that exists at time 0.
#[derive(Clone, Debug)]
pub(super) struct StartServer {
    pub id: ServerId,
    pub sku: Arc<Sku>,
    /// Whose it is; the first one on it where several are.
    pub owner: ApplicationId,
    /// Everybody on it, where there are several.
    pub sharers: Vec<ApplicationId>,
    pub instances: Vec<StartInstance>,
}

/// An instance that is ACTIVE at time 0.
#[derive(Clone, Debug)]
pub(super) struct StartInstance {
    pub application: ApplicationId,
    pub id: InstanceId,
    /// Which of all instances it is, by the order in which they were placed.
    pub nth: u32,
    pub tag: Option<Tag>,
    pub processors: Vec<u32>,
    pub config: InstanceConfig,
}

/// The servers of the cluster in order, with the instances of the start state on them.
///
/// A server belongs to the application whose instances are on it, an empty one to that of the start state, or to
/// the first one. Where several stand on it, they share it.
pub(super) fn start_servers(scenario: &Scenario) -> Result<Vec<StartServer>, SimulationError> {
    let first = scenario.applications[0].id;
    let owner = scenario.start_state.application().unwrap_or(first);
    let mut servers = servers(&scenario.cluster, owner);
    if let StartState::Packed { entries, .. } = &scenario.start_state {
        place_packed(scenario, entries, &mut servers)?;
        return Ok(servers);
    }
    let Some(model) = model_of(scenario, owner) else { return Ok(servers) };
    let mut next = 0;
    for (position, server) in servers.iter_mut().enumerate() {
        place(&scenario.start_state, model, position, server, &mut next)?;
    }
    Ok(servers)
}

fn model_of(scenario: &Scenario, application: ApplicationId) -> Option<&ModelSpec> {
    scenario.applications.iter().find(|spec| spec.id == application).map(|spec| &spec.model)
}

/// Puts the entries of a packed start state where they fit first; instances are numbered per application.
fn place_packed(
    scenario: &Scenario,
    entries: &[PackedSpec],
    servers: &mut [StartServer],
) -> Result<(), SimulationError> {
    let mut parcels = Vec::new();
    for entry in entries {
        let id = entry.application;
        let model = model_of(scenario, id).ok_or(SimulationError::UnknownApplication(id))?;
        parcels.push(Parcel { model, instance: entry.instance, count: entry.count });
    }
    let spots = pack(&servers.iter().map(|server| &server.sku).collect::<Vec<_>>(), &parcels)?;
    let mut next: BTreeMap<ApplicationId, u32> = BTreeMap::new();
    for (spot, nth) in spots.iter().zip(0..) {
        let PackedSpec { application, tag, instance, .. } = entries[spot.parcel];
        let id = next.entry(application).or_default();
        servers[spot.server].instances.push(StartInstance {
            application,
            id: InstanceId(*id),
            nth,
            tag,
            processors: (spot.first_gpu..spot.first_gpu + spot.gpus).collect(),
            config: instance,
        });
        *id += 1;
    }
    for server in servers {
        share_out(server, scenario);
    }
    Ok(())
}

/// Whose a server is, by who stands on it.
fn share_out(server: &mut StartServer, scenario: &Scenario) {
    let stands = |id: &ApplicationId| server.instances.iter().any(|instance| instance.application == *id);
    let there: Vec<_> = scenario.applications.iter().map(|spec| spec.id).filter(stands).collect();
    if let Some(first) = there.first() {
        server.owner = *first;
    }
    if there.len() > 1 {
        server.sharers = there;
    }
}

fn servers(cluster: &ClusterSpec, owner: ApplicationId) -> Vec<StartServer> {
    let skus = cluster.servers.iter().flat_map(|group| (0..group.count).map(|_| Arc::clone(&group.sku)));
    let server = |(sku, id)| {
        let (sharers, instances) = (Vec::new(), Vec::new());
        StartServer { id: ServerId(id), sku, owner, sharers, instances }
    };
    skus.zip(0..).map(server).collect()
}

fn place(
    start_state: &StartState,
    model: &ModelSpec,
    position: usize,
    server: &mut StartServer,
    next: &mut u32,
) -> Result<(), SimulationError> {
    match start_state {
        StartState::Unallocated { .. } | StartState::Packed { .. } => Ok(()),
        StartState::WholeServers { instance, .. } => {
            let shape = shape_on_server(model, &server.sku, *instance)?;
            fill(server, shape, None, *instance, next);
            Ok(())
        }
        StartState::Split { split, prompt, token, .. } => {
            let Some((tag, pool)) = pool_of(*split, position, server, prompt, token) else { return Ok(()) };
            let shape = shape_of_slice(model, &server.sku, pool.instance)?;
            fill(server, shape, Some(tag), pool.instance, next);
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
    InstanceShape { gpus, parallelism, .. }: InstanceShape,
    tag: Option<Tag>,
    config: InstanceConfig,
    next: &mut u32,
) {
    let slices = server.sku.gpus / gpus;
    let config = config.spread(parallelism);
    // Most servers hold one instance, and there may be a hundred thousand of them.
    server.instances.reserve_exact(slices as usize);
    for slice in 0..slices {
        let processors = (slice * gpus..(slice + 1) * gpus).collect();
        let (application, nth, id) = (server.owner, *next, InstanceId(*next));
        *next += 1;
        let instance = StartInstance { application, id, nth, tag, processors, config };
        server.instances.push(instance);
    }
}
