//! The operations of the user's guide, full and step-wise. What completes them later is in `news`, what
//! stands against them in `admission`.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use super::effect::{Effect, PlannedInstance};
use super::error::ScalingError;
use super::life::Life;
use super::sharing::Place;
use super::state::{ScalingState, ServerView};
use crate::cluster::{ServerStatus, shape_on_server};
use crate::ids::{InstanceId, ServerId, Tag};
use crate::instance::InstanceStatus;
use crate::performance::Timing;
use crate::scenario::{EngineSpec, InstanceConfig, Sku};

/// An instance that nothing stands against any more.
struct Admitted {
    processors: Vec<u32>,
    tag: Option<Tag>,
    engine: EngineSpec,
    performance: Timing,
}

impl ScalingState {
    /// Starts a new server and one instance on all its GPUs: SCALING_UP now, ACTIVE after
    /// its cold start. A server of the warm pool, if one is up, spares it the server's part.
    ///
    /// `config`: none takes the start state's block for the tag; `sku`: none takes the manager's
    /// `server_sku`, or, where instances are placed on shared servers, free GPUs of one.
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
        let config = config.unwrap_or_else(|| self.configs.for_tag(tag));
        if sku.is_none()
            && self.spec.place == Place::Shared
            && let Some((server, processors)) = self.room_beside_others(config.parallelism.gpus())
        {
            let instance = self.scale_up_instance(now, server, Some(config), tag, Some(&processors))?;
            return Ok((server, instance));
        }
        let sku = self.choose_sku(sku, tag)?;
        let shape = shape_on_server(&self.model, &sku, config)?;
        let performance = (self.performance)(&sku, config.spread(shape.parallelism))?;
        let warm = self.warm_server(&sku);
        if warm.is_none() {
            self.room_for_server(&sku)?;
        }
        self.room_for_instance()?;
        let processors = (0..sku.gpus).collect();
        let admitted = Admitted { processors, tag, engine: config.engine, performance };
        if let Some(server) = warm {
            let planned = self.plan(now, server, sku, admitted);
            let instance = planned.instance;
            self.effects.push(Effect::Place(planned));
            self.refill_warm_pool(now);
            return Ok((server, instance));
        }
        let server = self.enter_server(now, Arc::clone(&sku));
        let first = self.plan(now, server, Arc::clone(&sku), admitted);
        let instance = first.instance;
        let up_at = self.up_at(server);
        self.effects.push(Effect::StartServer { server, sku, up_at, first: Some(first) });
        Ok((server, instance))
    }

    /// Drains an instance, removes it, and its server too if nothing else is on it then, unless others share it.
    ///
    /// # Errors
    /// As [`ScalingState::scale_down_instance`].
    pub fn scale_down_full(&mut self, now: SimTime, instance: InstanceId) -> Result<(), ScalingError> {
        self.scale_down(now, instance, true)
    }

    /// Starts a server without an instance.
    ///
    /// # Errors
    /// An unknown SKU, or `max_servers` or the SKU's limit reached.
    pub fn scale_up_server(&mut self, now: SimTime, sku: Option<&str>) -> Result<ServerId, ScalingError> {
        let sku = self.choose_sku(sku, None)?;
        self.room_for_server(&sku)?;
        let server = self.enter_server(now, Arc::clone(&sku));
        let up_at = self.up_at(server);
        self.effects.push(Effect::StartServer { server, sku, up_at, first: None });
        Ok(server)
    }

    /// Starts an instance on a server, on the given GPUs or on all of them; of a shared server on the first that
    /// suffice. Several instances may share a server; a GPU has one instance at most.
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
        let config = config.unwrap_or_else(|| self.configs.for_tag(tag));
        let processors = match processors {
            Some(processors) => processors.to_vec(),
            None if view.is_shared() => view.room_for(server, config.parallelism.gpus())?,
            None => (0..sku.gpus).collect(),
        };
        view.check_processors(server, &processors)?;
        let performance = self.performance_on(&sku, processors.len(), config)?;
        self.room_for_instance()?;
        let admitted = Admitted { processors, tag, engine: config.engine, performance };
        let planned = self.plan(now, server, sku, admitted);
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
    /// Unknown, gone, another application's, shared, or occupied.
    pub fn scale_down_server(&mut self, now: SimTime, server: ServerId) -> Result<(), ScalingError> {
        let instances = self.removable_server(server)?.instances();
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
        let (status, server) = self.status_for_scale_down(instance)?;
        let takes_server_along = takes_server_along && self.removable_server(server).is_ok();
        self.begin_drain(instance, now, takes_server_along);
        let target = format!("instance_{instance}");
        self.counts.scale_downs += 1;
        self.log(now, "scale_down_start", target.clone(), InstanceStatus::Draining.name());
        if status == InstanceStatus::Active {
            self.effects.push(Effect::Drain { instance, since: now });
        } else {
            self.note(now, "start_cancelled", target, "it was still scaling_up");
            self.effects.push(Effect::CancelStart { instance, server, since: now });
        }
        Ok(())
    }

    /// When a server is, or was, up.
    fn up_at(&self, server: ServerId) -> SimTime {
        self.servers.get(&server).map_or(SimTime::ZERO, |view| view.up_at)
    }

    fn enter_server(&mut self, now: SimTime, sku: Arc<Sku>) -> ServerId {
        let server = ServerId(self.server_ids.issue());
        let boot = self.spec.cold_start.server_delay(self.seed, server.0, &self.model);
        let view = ServerView {
            processors: vec![None; sku.gpus as usize],
            owner: self.application,
            status: if boot.is_zero() { ServerStatus::Active } else { ServerStatus::ScalingUp },
            created: now,
            up_at: now + boot,
            others: None,
            sku,
        };
        self.servers.insert(server, view);
        self.log(now, "scale_up_server", format!("server_{server}"), ServerStatus::ScalingUp.name());
        server
    }

    /// Enters an instance that is to start on a server; it is ready a start after the server is up.
    fn plan(&mut self, now: SimTime, server: ServerId, sku: Arc<Sku>, admitted: Admitted) -> PlannedInstance {
        let Admitted { processors, tag, engine, performance } = admitted;
        let instance = InstanceId(self.instance_ids.issue());
        let gpus = processors.len() as u32;
        let life = Life { tag, gpus, created: now, active: None, draining: None, removed: None };
        self.enter(instance, server, &processors, life, InstanceStatus::ScalingUp);
        self.counts.scale_ups += 1;
        self.log(now, "scale_up_start", format!("instance_{instance}"), InstanceStatus::ScalingUp.name());
        let start = self.spec.cold_start.instance_delay(self.seed, instance.0, &self.model);
        let ready_at = Some(self.up_at(server).max(now) + start);
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
}
