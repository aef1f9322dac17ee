//! The operations of the user's guide, full and step-wise. What completes them later is in `news`, what
//! stands against them in `admission`.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use super::effect::{Effect, PlannedInstance};
use super::error::ScalingError;
use super::life::Life;
use super::state::{ScalingState, ServerView};
use crate::cluster::{ServerStatus, shape_on_server};
use crate::ids::{InstanceId, ServerId, Tag};
use crate::instance::InstanceStatus;
use crate::performance::PerformanceModel;
use crate::scenario::{EngineSpec, InstanceConfig, Sku};

/// An instance that nothing stands against any more.
struct Admitted {
    processors: Vec<u32>,
    tag: Option<Tag>,
    engine: EngineSpec,
    performance: Arc<dyn PerformanceModel>,
}

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
        let processors = (0..sku.gpus).collect();
        let server = self.enter_server(now, Arc::clone(&sku));
        let admitted = Admitted { processors, tag, engine: config.engine, performance };
        let first = self.plan(now, server, Arc::clone(&sku), admitted);
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
        let processors = processors.map_or_else(|| (0..sku.gpus).collect(), <[u32]>::to_vec);
        view.check_processors(server, &processors)?;
        let config = config.unwrap_or_else(|| self.configs.for_tag(tag));
        let performance = self.performance_on(&sku, processors.len(), config.parallelism)?;
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
        let (status, server) = self.status_for_scale_down(instance)?;
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

    fn enter_server(&mut self, now: SimTime, sku: Arc<Sku>) -> ServerId {
        let server = ServerId(self.server_ids.issue());
        let boots = !self.spec.server_boot_delay.is_zero();
        let view = ServerView {
            processors: vec![None; sku.gpus as usize],
            owner: self.application,
            status: if boots { ServerStatus::ScalingUp } else { ServerStatus::Active },
            up_at: now + self.spec.server_boot_delay,
            sku,
        };
        self.servers.insert(server, view);
        self.log(now, "scale_up_server", format!("server_{server}"), ServerStatus::ScalingUp.name());
        server
    }

    /// Enters an instance that is to start on a server; it is ready `scale_up_delay` after the server is.
    fn plan(&mut self, now: SimTime, server: ServerId, sku: Arc<Sku>, admitted: Admitted) -> PlannedInstance {
        let Admitted { processors, tag, engine, performance } = admitted;
        let instance = InstanceId(self.instance_ids.issue());
        let gpus = processors.len() as u32;
        let life = Life { tag, gpus, created: now, active: None, draining: None, removed: None };
        self.enter(instance, server, &processors, life, InstanceStatus::ScalingUp);
        self.counts.scale_ups += 1;
        self.log(now, "scale_up_start", format!("instance_{instance}"), InstanceStatus::ScalingUp.name());
        let up_at = self.servers.get(&server).map_or(now, |view| view.up_at.max(now));
        let ready_at = Some(up_at + self.spec.scale_up_delay);
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
