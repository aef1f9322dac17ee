//! What stands against an operation: what does not exist, does not fit, is taken, or is guarded.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::ScalingError;
use super::state::{ScalingState, ServerView};
use crate::cluster::{DoesNotFit, shape_of_slice, shape_on_gpus};
use crate::ids::{InstanceId, ServerId};
use crate::instance::InstanceStatus;
use crate::performance::Timing;
use crate::scenario::{InstanceConfig, Parallelism, Sku};

impl ScalingState {
    /// A server configuration of the cluster by name, or the first one.
    pub(super) fn find_sku(&self, name: Option<&str>) -> Result<Arc<Sku>, ScalingError> {
        let mut configured = self.cluster.servers.iter().map(|group| &group.sku);
        let Some(name) = name else {
            return configured.next().map(Arc::clone).ok_or(ScalingError::NoServerConfiguration);
        };
        let known = configured.chain(&self.cluster.catalogue);
        known.clone().find(|sku| sku.name == name).map(Arc::clone).ok_or_else(|| {
            let names: BTreeSet<&str> = known.map(|sku| sku.name.as_str()).collect();
            let known = names.into_iter().collect::<Vec<_>>().join(", ");
            ScalingError::UnknownSku { sku: name.to_owned(), known }
        })
    }

    /// A server this manager may start instances on: its own, or one it shares.
    pub(super) fn own_server(&self, server: ServerId) -> Result<&ServerView, ScalingError> {
        let Some(view) = self.servers.get(&server) else {
            return Err(if self.server_ids.has_issued(server.0) {
                ScalingError::ServerGone(server)
            } else {
                ScalingError::UnknownServer(server)
            });
        };
        if view.owner != self.application && !view.is_shared() {
            return Err(ScalingError::NotMine { server, owner: view.owner });
        }
        Ok(view)
    }

    /// The status of an instance that may be scaled down, and its server.
    pub(super) fn status_for_scale_down(
        &self,
        instance: InstanceId,
    ) -> Result<(InstanceStatus, ServerId), ScalingError> {
        let Some(view) = self.instances.get(&instance) else {
            return Err(if self.instance_ids.has_issued(instance.0) {
                ScalingError::WrongStatus { instance, status: InstanceStatus::ScalingDown }
            } else {
                ScalingError::UnknownInstance(instance)
            });
        };
        let (active, minimum) = (self.census.active(view.life.tag), self.spec.min_instances);
        match view.status {
            InstanceStatus::Active if active <= minimum => {
                Err(ScalingError::TooFewLeft { instance, minimum, active })
            }
            InstanceStatus::Active | InstanceStatus::ScalingUp => Ok((view.status, view.server)),
            status => Err(ScalingError::WrongStatus { instance, status }),
        }
    }

    /// The performance of an instance on so many GPUs of a server.
    pub(super) fn performance_on(
        &self,
        sku: &Sku,
        gpus: usize,
        config: InstanceConfig,
    ) -> Result<Timing, ScalingError> {
        let memory_bytes = gpus as u64 * sku.gpu.memory_bytes;
        if memory_bytes <= self.model.weights_bytes {
            return Err(ScalingError::GpusTooSmall {
                weights_gb: self.model.weights_bytes as f64 / 1e9,
                gpus,
                memory_gb: memory_bytes as f64 / 1e9,
            });
        }
        let gpus = gpus as u32;
        if self.model.roofline.is_some() {
            let shape = shape_on_gpus(&self.model, sku, gpus, config)?;
            return Ok((self.performance)(sku, config.spread(shape.parallelism))?);
        }
        if self.model.cache_bytes_on(sku, gpus, config.engine).is_none() {
            return Err(DoesNotFit::on_gpus(&self.model, sku, gpus, config.engine).into());
        }
        if config.parallelism.gpus() == gpus {
            return Ok((self.performance)(sku, config)?);
        }
        let parallelism = shape_of_slice(&self.model, sku, config)?.parallelism;
        let parallelism = Parallelism { tensor: parallelism.tensor.min(gpus), ..parallelism };
        Ok((self.performance)(sku, config.spread(parallelism))?)
    }

    pub(super) fn room_for_server(&self, sku: &Sku) -> Result<(), ScalingError> {
        if let Some(limit) = self.limit_of(sku)
            && self.servers.values().filter(|view| view.sku.name == sku.name).count() >= limit as usize
        {
            return Err(ScalingError::NoneLeft { sku: sku.name.clone(), limit });
        }
        match self.spec.max_servers {
            Some(maximum) if self.servers.len() >= maximum as usize => {
                Err(ScalingError::TooManyServers(maximum))
            }
            _ => Ok(()),
        }
    }

    /// How many servers of a kind can be had at once.
    fn limit_of(&self, sku: &Sku) -> Option<u32> {
        self.cluster.servers.iter().find(|group| group.sku.name == sku.name)?.limit
    }

    pub(super) fn room_for_instance(&self) -> Result<(), ScalingError> {
        match self.spec.max_instances {
            Some(maximum) if self.instances.len() >= maximum as usize => {
                Err(ScalingError::TooManyInstances(maximum))
            }
            _ => Ok(()),
        }
    }
}

impl ServerView {
    /// Whether these GPUs exist, are named once each, and are free.
    pub(super) fn check_processors(&self, server: ServerId, processors: &[u32]) -> Result<(), ScalingError> {
        let distinct: BTreeSet<u32> = processors.iter().copied().collect();
        if distinct.is_empty() || distinct.len() != processors.len() {
            return Err(ScalingError::BadProcessors);
        }
        for &gpu in processors {
            match self.processors.get(gpu as usize) {
                None => return Err(ScalingError::NoSuchGpu { server, gpu, gpus: self.sku.gpus }),
                Some(&Some(holder)) => return Err(ScalingError::GpuTaken { server, gpu, holder }),
                Some(None) => {}
            }
            if let Some((application, holder)) = self.neighbour(gpu as usize) {
                return Err(ScalingError::GpuTakenByOthers { server, gpu, application, holder });
            }
        }
        Ok(())
    }
}
