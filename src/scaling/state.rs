//! What a ScalingManager knows: its servers and instances, each with a dated copy of its status.

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};

use super::census::{Census, Member};
use super::effect::Effect;
use super::error::ScalingError;
use super::ids::IdBlock;
use super::life::{Life, time_by_tag};
use super::policy::{InstanceCapacity, PoolCount};
use super::sharing::Neighbour;
use super::summary::StatusSummary;
use crate::cluster::{ServerStatus, shape_on_server};
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::instance::InstanceStatus;
use crate::performance::{Timing, TimingError};
use crate::results::{InstanceRecord, ScalingCounts, ScalingEvent, ScalingLine, ServerRecord, TagTime};
use crate::scenario::{ClusterSpec, InstanceConfig, ModelSpec, ScalingSpec, Sku, StartState};

/// Finds the times of an instance on a kind of server, spread over GPUs as it says.
pub type PerformanceOf = Arc<dyn Fn(&Sku, InstanceConfig) -> Result<Timing, TimingError> + Send + Sync>;

/// The configuration of new instances by tag (the user's StartStateManager).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct InstanceConfigs {
    untagged: InstanceConfig,
    /// In the order of [`Tag::ALL`].
    tagged: [InstanceConfig; Tag::ALL.len()],
}

impl InstanceConfigs {
    /// As the start state says for this application.
    pub fn of(start_state: &StartState, application: ApplicationId) -> Self {
        let config = |tag| start_state.config_for(application, tag);
        InstanceConfigs { untagged: config(None), tagged: Tag::ALL.map(|tag| config(Some(tag))) }
    }

    /// For an instance with this tag.
    pub fn for_tag(&self, tag: Option<Tag>) -> InstanceConfig {
        match tag.and_then(|tag| Tag::ALL.iter().position(|known| *known == tag)) {
            Some(place) => self.tagged[place],
            None => self.untagged,
        }
    }
}

/// A server as its manager knows it.
#[derive(Clone, Debug)]
pub(super) struct ServerView {
    pub sku: Arc<Sku>,
    pub owner: ApplicationId,
    pub status: ServerStatus,
    pub created: SimTime,
    pub up_at: SimTime,
    /// Who of the application's own is on each GPU.
    pub processors: Vec<Option<InstanceId>>,
    /// Who of others is, where the server is shared with them.
    pub others: Option<Vec<Option<Neighbour>>>,
}

impl ServerView {
    pub fn record(&self, id: ServerId, removed: Option<SimTime>) -> ServerRecord {
        ServerRecord { id, sku: Arc::clone(&self.sku), created: self.created, removed }
    }

    pub fn instances(&self) -> usize {
        let mut instances: Vec<InstanceId> = self.processors.iter().copied().flatten().collect();
        instances.sort_unstable();
        instances.dedup();
        instances.len()
    }
}

/// An instance as its manager knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct InstanceView {
    pub server: ServerId,
    pub life: Life,
    pub status: InstanceStatus,
    /// Whether its server leaves with it.
    pub takes_server_along: bool,
}

/// The ScalingManager as a state machine: operations and news in, [`Effect`]s out.
///
/// It reads no clock, sends nothing and never panics on input; a refused operation returns a
/// [`ScalingError`](super::ScalingError) and changes nothing.
pub struct ScalingState {
    pub(super) application: ApplicationId,
    pub(super) spec: ScalingSpec,
    pub(super) cluster: ClusterSpec,
    pub(super) model: ModelSpec,
    pub(super) configs: InstanceConfigs,
    pub(super) performance: PerformanceOf,
    pub(super) servers: BTreeMap<ServerId, ServerView>,
    pub(super) instances: BTreeMap<InstanceId, InstanceView>,
    /// The statuses of `instances`, counted.
    pub(super) census: Census,
    /// Lives of those that left.
    pub(super) past: Vec<Life>,
    /// Servers that left.
    pub(super) past_servers: Vec<ServerRecord>,
    pub(super) server_ids: IdBlock,
    pub(super) instance_ids: IdBlock,
    pub(super) counts: ScalingCounts,
    pub(super) effects: Vec<Effect>,
    /// Of what is drawn: how long starts take.
    pub(super) seed: u64,
}

impl std::fmt::Debug for ScalingState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScalingState")
            .field("application", &self.application)
            .field("summary", &self.get_status_summary())
            .finish_non_exhaustive()
    }
}

impl ScalingState {
    /// A manager of an application without servers or instances yet.
    pub fn new(
        application: ApplicationId,
        spec: ScalingSpec,
        cluster: ClusterSpec,
        model: ModelSpec,
        configs: InstanceConfigs,
        performance: PerformanceOf,
        (server_ids, instance_ids): (IdBlock, IdBlock),
    ) -> Self {
        ScalingState {
            application,
            spec,
            cluster,
            model,
            configs,
            performance,
            servers: BTreeMap::new(),
            instances: BTreeMap::new(),
            census: Census::default(),
            past: Vec::new(),
            past_servers: Vec::new(),
            server_ids,
            instance_ids,
            counts: ScalingCounts::default(),
            effects: Vec::new(),
            seed: 0,
        }
    }

    /// The same, drawing how long starts take from this seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A server that is there from the start.
    pub fn adopt_server(&mut self, server: ServerId, sku: Arc<Sku>, owner: ApplicationId) {
        let processors = vec![None; sku.gpus as usize];
        let (status, created) = (ServerStatus::Active, SimTime::ZERO);
        let view = ServerView { sku, owner, status, created, up_at: created, processors, others: None };
        self.servers.insert(server, view);
    }

    /// An instance that is ACTIVE from the start, on an adopted server.
    pub fn adopt_instance(
        &mut self,
        instance: InstanceId,
        server: ServerId,
        processors: &[u32],
        tag: Option<Tag>,
    ) {
        let life = Life {
            tag,
            gpus: processors.len() as u32,
            created: SimTime::ZERO,
            active: Some(SimTime::ZERO),
            draining: None,
            removed: None,
        };
        self.enter(instance, server, processors, life, InstanceStatus::Active);
    }

    /// Puts an instance on GPUs of a server.
    pub(super) fn enter(
        &mut self,
        instance: InstanceId,
        server: ServerId,
        processors: &[u32],
        life: Life,
        status: InstanceStatus,
    ) {
        if let Some(view) = self.servers.get_mut(&server) {
            for &gpu in processors {
                view.processors[gpu as usize] = Some(instance);
            }
        }
        self.census.enter(life.tag, status);
        let view = InstanceView { server, life, status, takes_server_along: false };
        self.instances.insert(instance, view);
    }

    pub(super) fn change_status(&mut self, instance: InstanceId, status: InstanceStatus) {
        if let Some(view) = self.instances.get_mut(&instance) {
            self.census.change(view.life.tag, view.status, status);
            view.status = status;
        }
    }

    /// Marks an instance as DRAINING, with or without its server.
    pub(super) fn begin_drain(&mut self, instance: InstanceId, since: SimTime, with_server: bool) {
        self.change_status(instance, InstanceStatus::Draining);
        if let Some(view) = self.instances.get_mut(&instance) {
            view.life.draining = Some(since);
            view.takes_server_along = with_server;
        }
    }

    /// Takes an instance off the books and off its GPUs; what it was.
    pub(super) fn forget(&mut self, instance: InstanceId) -> Option<InstanceView> {
        let view = self.instances.remove(&instance)?;
        self.census.leave(view.life.tag, view.status);
        if let Some(server) = self.servers.get_mut(&view.server) {
            for place in server.processors.iter_mut().filter(|place| **place == Some(instance)) {
                *place = None;
            }
        }
        Some(view)
    }

    /// What there is to do since the last call.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether an instance may be given work: only ACTIVE ones.
    pub fn can_schedule_to_instance(&self, instance: InstanceId) -> bool {
        self.instances.get(&instance).is_some_and(|view| view.status == InstanceStatus::Active)
    }

    /// The ACTIVE ones among these.
    pub fn get_active_instances(&self, instances: impl IntoIterator<Item = InstanceId>) -> Vec<InstanceId> {
        instances.into_iter().filter(|&instance| self.can_schedule_to_instance(instance)).collect()
    }

    /// Counts per status.
    pub fn get_status_summary(&self) -> StatusSummary {
        let instances = |count: fn(&PoolCount) -> u32| self.census.pools().map(count).sum::<u32>() as usize;
        let servers = |status| self.servers.values().filter(|view| view.status == status).count();
        let leaving = |view: &&InstanceView| view.takes_server_along;
        StatusSummary {
            active_instances: instances(|pool| pool.active),
            scaling_up_instances: instances(|pool| pool.starting),
            draining_instances: instances(|pool| pool.draining),
            active_servers: servers(ServerStatus::Active),
            scaling_up_servers: servers(ServerStatus::ScalingUp),
            pending_server_scale_downs: self.instances.values().filter(leaving).count(),
            total_servers: self.servers.len(),
            total_instances: self.instances.len(),
        }
    }

    /// Instances per tag and status, by tag.
    pub fn pools(&self) -> Vec<PoolCount> {
        self.census.pools().copied().collect()
    }

    /// The instances that exist, by id.
    pub fn members(&self) -> Vec<Member> {
        let member = |(&id, view): (&InstanceId, &InstanceView)| Member {
            id,
            tag: view.life.tag,
            status: view.status,
            created: view.life.created,
            active: view.life.active,
            gpus: view.life.gpus,
        };
        self.instances.iter().map(member).collect()
    }

    /// The tag and status of an instance that exists.
    pub fn instance(&self, instance: InstanceId) -> Option<(Option<Tag>, InstanceStatus)> {
        self.instances.get(&instance).map(|view| (view.life.tag, view.status))
    }

    /// The application's servers that hold no instance: on these `scale_up_instance` finds room.
    pub fn free_servers(&self) -> impl Iterator<Item = ServerId> {
        let own = |view: &ServerView| view.owner == self.application && view.others.is_none();
        let free = move |view: &ServerView| own(view) && view.instances() == 0;
        self.servers.iter().filter(move |(_, view)| free(view)).map(|(&server, _)| server)
    }

    /// What an instance can do that a full scale-up with this tag would start.
    ///
    /// # Errors
    /// As [`ScalingState::scale_up_full`], but for the limits on the fleet.
    pub fn capacity_of_new(&self, tag: Option<Tag>) -> Result<InstanceCapacity, ScalingError> {
        let sku = self.find_sku(None)?;
        let config = self.configs.for_tag(tag);
        let shape = shape_on_server(&self.model, &sku, config)?;
        let performance = (self.performance)(&sku, config.spread(shape.parallelism))?;
        let kv_tokens = self.model.memory_on(&sku, shape.gpus, config.engine, &performance).kv_tokens();
        Ok(InstanceCapacity { gpus: shape.gpus, performance: performance.batches, kv_tokens })
    }

    /// From a full scale-up to ACTIVE, on average.
    pub fn startup_delay(&self) -> SimDuration {
        self.spec.cold_start.mean(&self.model)
    }

    /// From a drain's beginning until the scheduler stops sending work.
    pub(super) fn routing_stop_lag(&self) -> SimDuration {
        self.spec.routing_stop_lag
    }

    /// Instance-seconds and GPU-seconds per tag and status, of all instances there ever were, up to now.
    pub fn instance_time(&self, now: SimTime) -> Vec<TagTime> {
        let present = self.instances.values().map(|view| view.life);
        time_by_tag(self.past.iter().copied().chain(present), now)
    }

    /// Every server the application ever had, by id.
    pub fn server_records(&self) -> Vec<ServerRecord> {
        let own = self.servers.iter().filter(|(_, view)| view.owner == self.application);
        let present = own.map(|(&id, view)| view.record(id, None));
        let mut records: Vec<ServerRecord> = present.chain(self.past_servers.iter().cloned()).collect();
        records.sort_by_key(|record| record.id);
        records
    }

    /// Records of the instances that never became ACTIVE, as far as the manager knows them. A run may end
    /// while one is still on its way to its server, where nobody else knows of it.
    pub fn unborn(&self) -> impl Iterator<Item = InstanceRecord> + '_ {
        let unborn = self.instances.iter().filter(|(_, view)| view.life.active.is_none());
        unborn.filter_map(|(&id, view)| {
            let server = self.servers.get(&view.server)?;
            let sku = &server.sku;
            let Life { tag, created, active, draining, removed, .. } = view.life;
            let own = (0..).zip(&server.processors).filter(|(_, holder)| **holder == Some(id));
            Some(InstanceRecord {
                id,
                server: view.server,
                sku: sku.name.clone(),
                gpu: sku.gpu.name.clone(),
                processors: own.map(|(gpu, _)| gpu).collect(),
                tag,
                created,
                active,
                draining,
                removed,
                busy: SimDuration::ZERO,
                tasks_completed: 0,
                engine: None,
                phases: crate::instance::Phases::default(),
            })
        })
    }

    /// Operations so far.
    pub fn counts(&self) -> ScalingCounts {
        self.counts
    }

    pub(super) fn log(
        &mut self,
        time: SimTime,
        action: &'static str,
        target: impl Into<String>,
        status: &'static str,
    ) {
        self.effects.push(Effect::Log(ScalingLine { time, action, target: target.into(), status }));
    }

    pub(super) fn note(
        &mut self,
        time: SimTime,
        event: &'static str,
        target: impl Into<String>,
        detail: impl Into<String>,
    ) {
        let (target, detail) = (target.into(), detail.into());
        self.effects.push(Effect::Note(ScalingEvent { time, event, target, detail }));
    }

    /// Writes down a refused operation; nothing else changes.
    pub(super) fn refuse(&mut self, now: SimTime, target: impl Into<String>, error: &ScalingError) {
        self.counts.refused += 1;
        self.note(now, "refused", target, error.to_string());
    }
}
