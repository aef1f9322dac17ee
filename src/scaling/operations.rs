//! The operations of the user's guide, full and step-wise, and the news that completes them.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use super::effect::{Effect, PlannedInstance};
use super::error::ScalingError;
use super::life::Life;
use super::state::{ScalingState, ServerView};
use crate::cluster::{ServerStatus, shape_of_slice, shape_on_server};
use crate::ids::{InstanceId, ServerId, Tag};
use crate::instance::InstanceStatus;
use crate::performance::PerformanceModel;
use crate::scenario::{InstanceConfig, Sku};

impl ScalingState {
    /// Starts a new server and one instance on all its GPUs: SCALING_UP now, ACTIVE after
    /// `server_boot_delay + scale_up_delay`.
    ///
    /// `config`: none takes the start state's block for the tag; `sku`: none takes the first of the
    /// cluster configuration, even if its count is 0.
    ///
    /// # Errors
    /// All or nothing: if the server or the instance cannot be, neither is.
    pub fn scale_up_full(
        &mut self,
        now: SimTime,
        config: Option<InstanceConfig>,
        tag: Option<Tag>,
        sku: Option<&str>,
    ) -> Result<(ServerId, InstanceId), ScalingError> {
        let sku = self.find_sku(sku)?;
        let config = config.unwrap_or_else(|| self.configs.for_tag(tag));
        let shape = shape_on_server(&self.model, &sku, config.parallelism)?;
        let performance = (self.performance)(&sku.gpu.name, shape.tensor_parallelism)?;
        self.room_for_server()?;
        self.room_for_instance()?;
        let server = self.enter_server(now, Arc::clone(&sku));
        let processors: Vec<u32> = (0..sku.gpus).collect();
        let first = self.plan(now, server, sku.clone(), processors, tag, config, performance);
        let instance = first.instance;
        let up_at = now + self.spec.server_boot_delay;
        self.effects.push(Effect::StartServer { server, sku, up_at, first: Some(first) });
        Ok((server, instance))
    }

    /// Drains an instance, removes it, and its server too if nothing else is on it then.
    ///
    /// # Errors
    /// As [`ScalingState::scale_down_instance`].
    pub fn scale_down_full(&mut self, now: SimTime, instance: InstanceId) -> Result<(), ScalingError> {
        self.scale_down(now, instance, true)
    }

    /// Starts a server without an instance.
    ///
    /// # Errors
    /// An unknown SKU, or `max_servers` reached.
    pub fn scale_up_server(&mut self, now: SimTime, sku: Option<&str>) -> Result<ServerId, ScalingError> {
        let sku = self.find_sku(sku)?;
        self.room_for_server()?;
        let server = self.enter_server(now, Arc::clone(&sku));
        let up_at = now + self.spec.server_boot_delay;
        self.effects.push(Effect::StartServer { server, sku, up_at, first: None });
        Ok(server)
    }

    /// Starts an instance on a server, on the given GPUs or on all of them. Several instances may
    /// share a server; a GPU has one instance at most.
    ///
    /// # Errors
    /// An unknown or leaving server, one of another application, GPUs that are taken or too small,
    /// or `max_instances` reached.
    pub fn scale_up_instance(
        &mut self,
        now: SimTime,
        server: ServerId,
        config: Option<InstanceConfig>,
        tag: Option<Tag>,
        processors: Option<&[u32]>,
    ) -> Result<InstanceId, ScalingError> {
        let view = self.own_server(server)?;
        let sku = Arc::clone(&view.sku);
        let processors = match processors {
            Some(chosen) => chosen.to_vec(),
            None => (0..sku.gpus).collect(),
        };
        check_processors(server, view, &processors)?;
        let config = config.unwrap_or_else(|| self.configs.for_tag(tag));
        let performance = self.performance_on(&sku, &processors, config)?;
        self.room_for_instance()?;
        let planned = self.plan(now, server, sku, processors, tag, config, performance);
        let instance = planned.instance;
        self.effects.push(Effect::Place(planned));
        Ok(instance)
    }

    /// Drains an instance and removes it; its server stays. One that is still SCALING_UP is cancelled.
    ///
    /// # Errors
    /// Unknown, gone or draining already; or too few ACTIVE ones with its tag would stay.
    pub fn scale_down_instance(&mut self, now: SimTime, instance: InstanceId) -> Result<(), ScalingError> {
        self.scale_down(now, instance, false)
    }

    /// Removes a server on which no instance is.
    ///
    /// # Errors
    /// Unknown, gone, another application's, or occupied.
    pub fn scale_down_server(&mut self, now: SimTime, server: ServerId) -> Result<(), ScalingError> {
        let instances = self.own_server(server)?.instances();
        if instances > 0 {
            return Err(ScalingError::HasInstances { server, instances });
        }
        self.remove_server(now, server);
        Ok(())
    }

    fn scale_down(
        &mut self,
        now: SimTime,
        instance: InstanceId,
        takes_server_along: bool,
    ) -> Result<(), ScalingError> {
        let status = self.status_for_scale_down(instance)?;
        let Some(view) = self.instances.get_mut(&instance) else {
            return Err(ScalingError::UnknownInstance(instance));
        };
        view.status = InstanceStatus::Draining;
        view.life.draining = Some(now);
        view.takes_server_along = takes_server_along;
        let server = view.server;
        self.counts.scale_downs += 1;
        self.log(now, "scale_down_start", format!("instance_{instance}"), InstanceStatus::Draining.name());
        if status == InstanceStatus::Active {
            self.effects.push(Effect::Drain { instance, since: now });
        } else {
            self.note(now, "start_cancelled", format!("instance_{instance}"), "it was still scaling_up");
            self.effects.push(Effect::CancelStart { instance, server, since: now });
        }
        Ok(())
    }

    fn status_for_scale_down(&self, instance: InstanceId) -> Result<InstanceStatus, ScalingError> {
        let Some(view) = self.instances.get(&instance) else {
            return Err(if self.instance_ids.has_issued(instance.0) {
                ScalingError::WrongStatus { instance, status: InstanceStatus::ScalingDown }
            } else {
                ScalingError::UnknownInstance(instance)
            });
        };
        match view.status {
            InstanceStatus::ScalingUp => Ok(view.status),
            InstanceStatus::Active => {
                let peers = self.instances.values().filter(|peer| peer.life.tag == view.life.tag);
                let active = peers.filter(|peer| peer.status == InstanceStatus::Active).count();
                let minimum = self.spec.min_instances;
                if active <= minimum as usize {
                    return Err(ScalingError::TooFewLeft { instance, minimum, active });
                }
                Ok(view.status)
            }
            status => Err(ScalingError::WrongStatus { instance, status }),
        }
    }

    /// A server came up.
    pub fn server_is_up(&mut self, server: ServerId) {
        if let Some(view) = self.servers.get_mut(&server) {
            view.status = ServerStatus::Active;
        }
    }

    /// An instance became ACTIVE. If its cancellation came too late it is drained like any other.
    pub fn instance_activated(&mut self, at: SimTime, instance: InstanceId) {
        let Some(view) = self.instances.get_mut(&instance) else { return };
        view.life.active = Some(at);
        if view.status == InstanceStatus::ScalingUp {
            view.status = InstanceStatus::Active;
            let target = format!("instance_{instance}");
            self.log(at, "scale_up_complete", target, InstanceStatus::Active.name());
        } else if let Some(since) = view.life.draining {
            self.effects.push(Effect::Drain { instance, since });
        }
    }

    /// An instance is drained and gone; its server follows if it was to and nothing else is on it.
    pub fn instance_drained(&mut self, at: SimTime, instance: InstanceId) {
        let Some(view) = self.instances.remove(&instance) else { return };
        self.past.push(Life { removed: Some(at), ..view.life });
        let target = format!("instance_{instance}");
        self.log(at, "scale_down_complete", target, InstanceStatus::ScalingDown.name());
        self.vacate(view.server, instance);
        let empty = self.servers.get(&view.server).is_some_and(|server| server.instances() == 0);
        if view.takes_server_along && empty {
            self.remove_server(at, view.server);
        }
    }

    /// The server could not start an instance: it is as if it had never been asked for.
    pub fn placement_refused(&mut self, at: SimTime, server: ServerId, instance: InstanceId, reason: &str) {
        if self.instances.remove(&instance).is_none() {
            return;
        }
        self.counts.refused += 1;
        self.vacate(server, instance);
        self.note(at, "refused", format!("instance_{instance}"), reason);
    }

    fn vacate(&mut self, server: ServerId, instance: InstanceId) {
        if let Some(view) = self.servers.get_mut(&server) {
            for place in view.processors.iter_mut().filter(|place| **place == Some(instance)) {
                *place = None;
            }
        }
    }

    fn remove_server(&mut self, at: SimTime, server: ServerId) {
        self.servers.remove(&server);
        self.log(at, "scale_down_server", format!("server_{server}"), ServerStatus::ScalingDown.name());
        self.effects.push(Effect::RemoveServer(server));
    }

    fn enter_server(&mut self, now: SimTime, sku: Arc<Sku>) -> ServerId {
        let server = ServerId(self.server_ids.issue());
        let boots = self.spec.server_boot_delay.as_nanos() > 0;
        let status = if boots { ServerStatus::ScalingUp } else { ServerStatus::Active };
        let view = ServerView {
            processors: vec![None; sku.gpus as usize],
            owner: self.application,
            status,
            up_at: now + self.spec.server_boot_delay,
            sku,
        };
        self.servers.insert(server, view);
        let target = format!("server_{server}");
        self.log(now, "scale_up_server", target, ServerStatus::ScalingUp.name());
        server
    }

    /// Enters an instance that is to start on a server; it is ready `scale_up_delay` after the server is.
    #[allow(clippy::too_many_arguments)]
    fn plan(
        &mut self,
        now: SimTime,
        server: ServerId,
        sku: Arc<Sku>,
        processors: Vec<u32>,
        tag: Option<Tag>,
        config: InstanceConfig,
        performance: Arc<dyn PerformanceModel>,
    ) -> PlannedInstance {
        let instance = InstanceId(self.instance_ids.issue());
        let gpus = processors.len() as u32;
        let life = Life { tag, gpus, created: now, active: None, draining: None, removed: None };
        self.enter(instance, server, &processors, life, InstanceStatus::ScalingUp);
        self.counts.scale_ups += 1;
        let target = format!("instance_{instance}");
        self.log(now, "scale_up_start", target, InstanceStatus::ScalingUp.name());
        let up_at = self.servers.get(&server).map_or(now, |view| view.up_at.max(now));
        let engine = config.engine;
        let ready_at = up_at + self.spec.scale_up_delay;
        PlannedInstance {
            instance,
            server,
            sku,
            processors,
            tag,
            engine,
            performance,
            created: now,
            ready_at,
        }
    }

    fn find_sku(&self, name: Option<&str>) -> Result<Arc<Sku>, ScalingError> {
        let configured = self.cluster.servers.iter().map(|group| &group.sku);
        let Some(name) = name else {
            return configured.map(Arc::clone).next().ok_or(ScalingError::NoServerConfiguration);
        };
        let mut known = configured.chain(&self.cluster.catalogue);
        known.clone().find(|sku| sku.name == name).map(Arc::clone).ok_or_else(|| {
            let first = known.next().map_or(String::new(), |sku| sku.name.clone());
            let known = known.fold(first, |list, sku| format!("{list}, {}", sku.name));
            ScalingError::UnknownSku { sku: name.to_owned(), known }
        })
    }

    fn own_server(&self, server: ServerId) -> Result<&ServerView, ScalingError> {
        let Some(view) = self.servers.get(&server) else {
            return Err(if self.server_ids.has_issued(server.0) {
                ScalingError::ServerGone(server)
            } else {
                ScalingError::UnknownServer(server)
            });
        };
        if view.owner != self.application {
            return Err(ScalingError::NotMine { server, owner: view.owner });
        }
        Ok(view)
    }

    /// The performance of an instance on these GPUs of a server: all of them, or a slice.
    fn performance_on(
        &self,
        sku: &Sku,
        processors: &[u32],
        config: InstanceConfig,
    ) -> Result<Arc<dyn PerformanceModel>, ScalingError> {
        let memory_bytes = processors.len() as u64 * sku.gpu.memory_bytes;
        if memory_bytes <= self.model.weights_bytes {
            return Err(ScalingError::GpusTooSmall {
                weights_gb: self.model.weights_bytes as f64 / 1e9,
                gpus: processors.len(),
                memory_gb: memory_bytes as f64 / 1e9,
            });
        }
        let shape = shape_of_slice(&self.model, sku, config.parallelism)?;
        let tensor_parallelism = shape.tensor_parallelism.min(processors.len() as u32);
        Ok((self.performance)(&sku.gpu.name, tensor_parallelism)?)
    }

    fn room_for_server(&self) -> Result<(), ScalingError> {
        match self.spec.max_servers {
            Some(maximum) if self.servers.len() >= maximum as usize => {
                Err(ScalingError::TooManyServers(maximum))
            }
            _ => Ok(()),
        }
    }

    fn room_for_instance(&self) -> Result<(), ScalingError> {
        match self.spec.max_instances {
            Some(maximum) if self.instances.len() >= maximum as usize => {
                Err(ScalingError::TooManyInstances(maximum))
            }
            _ => Ok(()),
        }
    }
}

fn check_processors(server: ServerId, view: &ServerView, processors: &[u32]) -> Result<(), ScalingError> {
    let mut sorted = processors.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.is_empty() || sorted.len() != processors.len() {
        return Err(ScalingError::BadProcessors);
    }
    for &gpu in processors {
        match view.processors.get(gpu as usize) {
            None => return Err(ScalingError::NoSuchGpu { server, gpu, gpus: view.sku.gpus }),
            Some(&Some(holder)) => return Err(ScalingError::GpuTaken { server, gpu, holder }),
            Some(None) => {}
        }
    }
    Ok(())
}
