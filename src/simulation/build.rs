//! From a scenario to the population of a run.
//!
//! Addresses: 0 is the recorder, 1 the workload source; then a scheduler and a manager per application;
//! then servers and instances, counting up, those of the start state first, behind which comes the network, if
//! there is one. The recorder, the source, schedulers, managers and the network live in group 0, a server with its
//! instances in a group of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbflow_actors::{EntityId, Group, Member, SimTime};

use super::SimulationError;
use super::layout::{StartInstance, StartServer, start_servers};
use super::policies;
use super::timings::Timings;
use crate::cluster::{GpuNews, Server};
use crate::ids::{ApplicationId, ServerId};
use crate::instance::{Birth, Instance, Introduction};
use crate::participant::Participant;
use crate::registry::Registry;
use crate::results::{Keep, Recorder};
use crate::scaling::{
    AddressBook, Addresses, Blueprint, IdBlock, InstanceConfigs, PlannedInstance, ScalingManager,
    ScalingState, drain_rules,
};
use crate::scenario::{ApplicationSpec, EngineSpec, Scenario};
use crate::scheduler::{PoolName, Pooling, RoutingPolicy, Scheduler, SchedulerContext};
use crate::transfer::wiring::Cabling;
use crate::vitals::{FleetSize, Vitals};
use crate::workload::{Source, Workload};

const RECORDER: EntityId = EntityId(0);
const SOURCE: EntityId = EntityId(1);

/// The entities of a scenario.
pub(super) struct Fleet {
    pub population: Vec<Member<Participant>>,
    pub instances: usize,
}

pub(super) fn build(
    scenario: &Scenario,
    workload: Workload,
    registry: &Registry,
    keep: Keep,
    vitals: &Vitals,
) -> Result<Fleet, SimulationError> {
    let timings = Timings::open(&scenario.performance)?;
    for config in scenario.start_state.configs() {
        if let EngineSpec::Vllm(settings) = config.engine.with_prefix_blocks_of(workload.prefix_block_tokens)
        {
            settings.check()?;
        }
    }
    let servers = start_servers(scenario)?;
    let instances: u32 = servers.iter().map(|server| server.instances.len() as u32).sum();
    let mut builder = Builder {
        scenario,
        prefix_block_tokens: workload.prefix_block_tokens,
        registry,
        vitals,
        timings,
        listener: workload.conversations.is_some().then_some(SOURCE),
        servers,
        instances,
        births: Vec::new(),
        population: Vec::new(),
    };
    builder.add_keepers(workload, keep);
    for position in 0..scenario.applications.len() {
        builder.add_application(position)?;
    }
    builder.add_servers();
    Ok(Fleet { population: builder.population, instances: instances as usize })
}

struct Builder<'a> {
    scenario: &'a Scenario,
    prefix_block_tokens: u64,
    registry: &'a Registry,
    vitals: &'a Vitals,
    timings: Timings,
    /// Whoever wants to hear of requests that end.
    listener: Option<EntityId>,
    servers: Vec<StartServer>,
    instances: u32,
    /// Of all applications so far.
    births: Vec<Birth>,
    population: Vec<Member<Participant>>,
}

impl Builder<'_> {
    fn scheduler_address(position: usize) -> EntityId {
        EntityId(2 + 2 * position as u32)
    }

    fn manager_address(position: usize) -> EntityId {
        EntityId(3 + 2 * position as u32)
    }

    /// The manager of an application that has one.
    fn manager_of(&self, application: ApplicationId) -> Option<EntityId> {
        let mut applications = self.scenario.applications.iter();
        let position = applications.position(|spec| spec.id == application && spec.scaling.is_some());
        position.map(Self::manager_address)
    }

    fn first_address(&self) -> u32 {
        2 + 2 * self.scenario.applications.len() as u32
    }

    /// Servers of the start state are addressed by number; instances follow them.
    fn server_address(&self, server: ServerId) -> EntityId {
        EntityId(self.first_address() + server.0)
    }

    fn instance_address(&self, instance: &StartInstance) -> EntityId {
        EntityId(self.first_address() + self.servers.len() as u32 + instance.nth)
    }

    /// Behind the start state, if there is one.
    fn network_address(&self) -> Option<EntityId> {
        let address = self.first_address() + self.servers.len() as u32 + self.instances;
        self.scenario.cluster.network.as_ref().map(|_| EntityId(address))
    }

    /// The first address that nobody has.
    fn free_address(&self) -> u32 {
        let behind = self.first_address() + self.servers.len() as u32 + self.instances;
        self.network_address().map_or(behind, |EntityId(network)| network + 1)
    }

    /// How the instances of an application are connected.
    fn cabling(&self, spec: &ApplicationSpec) -> Option<Cabling> {
        let network = self.scenario.cluster.network.clone()?;
        Some(Cabling { network: self.network_address()?, spec: network, layers: spec.model.layers })
    }

    fn add(&mut self, id: EntityId, group: Group, entity: Participant) {
        self.population.push(Member { id, group, entity });
    }

    fn add_keepers(&mut self, workload: Workload, keep: Keep) {
        let ids = self.scenario.applications.iter().map(|application| application.id);
        let recorder = Recorder::new(ids.clone(), keep).watched_in(self.vitals.clone());
        let schedulers = ids.enumerate().map(|(position, id)| (id, Self::scheduler_address(position)));
        let source = Source::new(workload, schedulers.collect()).watched_in(self.vitals.clone());
        self.add(RECORDER, Group(0), Participant::Recorder(Box::new(recorder)));
        self.add(SOURCE, Group(0), Participant::Source(Box::new(source)));
        if let Some(network) = self.network_address() {
            self.add(network, Group(0), Participant::Network(Box::default()));
        }
    }

    fn add_application(&mut self, position: usize) -> Result<(), SimulationError> {
        let scenario = self.scenario;
        let spec = &scenario.applications[position];
        let scheduler = Self::scheduler_address(position);
        let manager = spec.scaling.as_ref().map(|_| Self::manager_address(position));
        let policy = self.routing_policy(spec, scheduler)?;
        let blueprint = Blueprint {
            application: spec.id,
            model: spec.model.clone(),
            reports: Scheduler::reports(&*policy),
            prefix_block_tokens: self.prefix_block_tokens,
            drain: drain_rules(spec.scaling.as_ref()),
            debug: scenario.debug,
            cabling: self.cabling(spec),
        };
        let births = self.births(spec, &blueprint, (scheduler, manager, RECORDER))?;
        let introductions: Vec<Introduction> =
            births.iter().map(|birth| birth.introduction(SimTime::ZERO)).collect();
        let scraped = spec.scaling.as_ref().is_some_and(|scaling| !scaling.policies.is_empty());
        let records = (RECORDER, scraped);
        let actor = Scheduler::new(spec.id, policy, spec.model.clone(), manager, records, &introductions)
            .answering(self.listener);
        check_pools(spec, &actor, manager.is_some())?;
        self.add(scheduler, Group(0), Participant::Scheduler(Box::new(actor)));
        if let Some(manager) = manager {
            self.add_manager(position, Addresses { manager, scheduler, recorder: RECORDER }, blueprint)?;
        } else {
            // Nobody will change this fleet.
            let size = || FleetSize { active: births.len() as u64, ..FleetSize::default() };
            self.vitals.fleet(&mut FleetSize::default(), size);
        }
        self.births.extend(births);
        Ok(())
    }

    fn routing_policy(
        &self,
        spec: &ApplicationSpec,
        entity: EntityId,
    ) -> Result<Box<dyn RoutingPolicy>, SimulationError> {
        let name = &spec.scheduler.name;
        let build =
            self.registry.scheduler(name).ok_or_else(|| SimulationError::UnknownScheduler(name.clone()))?;
        let context = SchedulerContext {
            seed: self.scenario.seed,
            entity,
            model: spec.model.clone(),
            prefix_block_tokens: self.prefix_block_tokens,
            baseline: self.timings.baseline()?,
        };
        Ok(build(&context, &spec.scheduler.settings))
    }

    /// The instances of the start state that serve this application.
    fn births(
        &self,
        spec: &ApplicationSpec,
        blueprint: &Blueprint,
        addresses: (EntityId, Option<EntityId>, EntityId),
    ) -> Result<Vec<Birth>, SimulationError> {
        let mut births = Vec::new();
        let find = self.timings.finder(&spec.model);
        for server in &self.servers {
            for instance in server.instances.iter().filter(|instance| instance.application == spec.id) {
                let planned = PlannedInstance {
                    instance: instance.id,
                    server: server.id,
                    sku: Arc::clone(&server.sku),
                    processors: instance.processors.clone(),
                    tag: instance.tag,
                    engine: instance.config.engine,
                    performance: find(&server.sku, instance.config)?,
                    created: SimTime::ZERO,
                    ready_at: None,
                };
                let (entity, server) = (self.instance_address(instance), self.server_address(server.id));
                births.push(blueprint.birth(planned, entity, server, addresses));
            }
        }
        births.sort_by_key(|birth| birth.instance);
        Ok(births)
    }

    fn add_manager(
        &mut self,
        position: usize,
        addresses: Addresses,
        blueprint: Blueprint,
    ) -> Result<(), SimulationError> {
        let scenario = self.scenario;
        let spec = &scenario.applications[position];
        let Some(scaling) = &spec.scaling else { return Ok(()) };
        let (manager, managers) = (position as u32, scenario.applications.len() as u32);
        let server_ids = IdBlock::new(self.servers.len() as u32, manager, managers);
        let start = self.servers.iter().flat_map(|server| &server.instances);
        let own = start.filter(|instance| instance.application == spec.id).count();
        let instance_ids = IdBlock::new(own as u32, 0, 1);
        let mut state = ScalingState::new(
            spec.id,
            scaling.clone(),
            scenario.cluster.clone(),
            spec.model.clone(),
            InstanceConfigs::of(&scenario.start_state, spec.id),
            self.timings.finder(&spec.model),
            (server_ids, instance_ids),
        )
        .with_seed(scenario.seed);
        let free = IdBlock::new(self.free_address(), manager, managers);
        let book = self.adopt(&mut state, spec.id, free);
        let autoscaler = policies::autoscaler(scenario, spec, &state, self.registry)?;
        let actions = scenario.actions.iter().filter(|action| action.application == spec.id);
        let actor = ScalingManager::new(state, addresses, blueprint, book)
            .with_actions(actions.cloned())
            .with_autoscaler(autoscaler)
            .watched_in(self.vitals.clone());
        self.add(addresses.manager, Group(0), Participant::Manager(Box::new(actor)));
        Ok(())
    }

    /// Shows a manager the cluster as it is at time 0.
    fn adopt(&self, state: &mut ScalingState, application: ApplicationId, free: IdBlock) -> AddressBook {
        let (mut servers, mut instances) = (BTreeMap::new(), BTreeMap::new());
        for server in &self.servers {
            state.adopt_server(server.id, Arc::clone(&server.sku), server.owner);
            servers.insert(server.id, self.server_address(server.id));
            let (own, others): (Vec<_>, Vec<_>) =
                server.instances.iter().partition(|instance| instance.application == application);
            for instance in own {
                state.adopt_instance(instance.id, server.id, &instance.processors, instance.tag);
                instances.insert(instance.id, self.instance_address(instance));
            }
            if server.sharers.contains(&application) {
                state.share_server(server.id);
                for StartInstance { application, id, processors, .. } in others {
                    state.gpus_changed(&GpuNews {
                        server: server.id,
                        application: *application,
                        instance: *id,
                        processors: processors.clone(),
                        taken: true,
                    });
                }
            }
        }
        AddressBook { servers, instances, free }
    }

    /// Adds the servers with what was born on them.
    fn add_servers(&mut self) {
        let mut births = std::mem::take(&mut self.births);
        // Of one application they are in this order already.
        births.sort_by_key(|birth| birth.server);
        let mut births = births.into_iter().peekable();
        for server in std::mem::take(&mut self.servers) {
            let entity = self.server_address(server.id);
            let group = Group(server.id.0 + 1);
            let mut own = Vec::new();
            while let Some(birth) = births.next_if(|birth| birth.server == server.id) {
                own.push(birth);
            }
            let sharers = server.sharers.iter().filter_map(|&id| Some((id, self.manager_of(id)?)));
            let actor = Server::up(server.id, server.sku.gpus, sharers.collect(), &own);
            self.add(entity, group, Participant::Server(Box::new(actor)));
            for birth in own {
                let entity = birth.entity;
                self.add(entity, group, Participant::Instance(Box::new(Instance::new(birth))));
            }
        }
    }
}

/// A scheduler that splits requests needs instances for both halves, now or later.
fn check_pools(
    spec: &ApplicationSpec,
    scheduler: &Scheduler,
    can_scale: bool,
) -> Result<(), SimulationError> {
    let fleet = scheduler.fleet();
    if can_scale || fleet.pooling() != Pooling::Split || fleet.pool(PoolName::All).is_empty() {
        return Ok(());
    }
    let halves = [(PoolName::Prompt, "prefill"), (PoolName::Token, "decode")];
    match halves.into_iter().find(|(pool, _)| fleet.pool(*pool).is_empty()) {
        None => Ok(()),
        Some((_, missing)) => Err(SimulationError::NoInstancesFor {
            scheduler: spec.scheduler.name.clone(),
            application: spec.id,
            missing,
        }),
    }
}
