//! What an instance is born with, and how it introduces itself.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ebbflow_actors::{EntityId, SimDuration, SimTime};

use super::energy::PhaseMeter;
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::performance::Timing;
use crate::performance::power::{EnergyRates, Served, gpu_power};
use crate::scenario::{DrainTimeoutAction, EngineSpec};
use crate::transfer::Port;

/// Everything an instance needs to know to begin.
#[derive(Clone, Debug)]
pub struct Birth {
    /// Its number in its application.
    pub instance: InstanceId,
    /// Its address.
    pub entity: EntityId,
    /// Whom it serves.
    pub application: ApplicationId,
    /// Its pool.
    pub tag: Option<Tag>,
    /// Where it runs.
    pub server: ServerId,
    /// The address of that server.
    pub server_entity: EntityId,
    /// SKU of that server.
    pub sku: Arc<str>,
    /// GPU name.
    pub gpu: Arc<str>,
    /// GPUs of the server it occupies.
    pub processors: Vec<u32>,
    /// Bytes of the model.
    pub weights_bytes: u64,
    /// Bytes of GPU memory.
    pub capacity_bytes: u64,
    /// KV bytes of one token of one sequence.
    pub kv_bytes_per_token: u64,
    /// How it batches.
    pub engine: EngineSpec,
    /// How long its iterations take. Not part of the digest: the other fields determine it.
    pub performance: Timing,
    /// Who sends it work.
    pub scheduler: EntityId,
    /// Who manages it; none without a ScalingManager.
    pub manager: Option<EntityId>,
    /// Who keeps records.
    pub recorder: EntityId,
    /// When it was decided on.
    pub created: SimTime,
    /// When it becomes ACTIVE; none: it is from the start.
    pub ready_at: Option<SimTime>,
    /// How it drains.
    pub drain: DrainRules,
    /// What its scheduler wants to hear.
    pub reports: Reports,
    /// Whether to log every run of iterations.
    pub debug: bool,
    /// Where it is plugged into the links of the cluster; none where requests have private links.
    pub port: Option<Port>,
}

/// How an instance drains.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DrainRules {
    /// Between two checks, > 0.
    pub check_interval: SimDuration,
    /// How long it may take.
    pub timeout: Option<SimDuration>,
    /// What becomes of the rest then.
    pub timeout_action: DrainTimeoutAction,
}

/// What a scheduler wants to hear from its instances beyond computed prompts, moved caches and
/// returned requests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Reports {
    /// When the waiting queue becomes empty or ceases to be, and when nothing is left to do.
    pub queue: bool,
}

impl Hash for Birth {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.instance, self.entity, self.application, self.tag, self.server, self.server_entity).hash(state);
        (&self.sku, &self.gpu, &self.processors, self.weights_bytes, self.capacity_bytes).hash(state);
        (self.kv_bytes_per_token, self.engine, self.scheduler, self.manager, self.recorder).hash(state);
        (self.created, self.ready_at, self.drain, self.reports, self.debug).hash(state);
        // Digests of scenarios without a network are what they always were.
        self.port.iter().for_each(|port| port.hash(state));
    }
}

/// How an instance introduces itself when it becomes ACTIVE.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Introduction {
    /// Its number.
    pub instance: InstanceId,
    /// Its address.
    pub entity: EntityId,
    /// Its pool.
    pub tag: Option<Tag>,
    /// GPU name.
    pub gpu: Arc<str>,
    /// GPUs it occupies.
    pub gpus: u32,
    /// Bytes of the model.
    pub weights_bytes: u64,
    /// Bytes of GPU memory.
    pub capacity_bytes: u64,
    /// When it became ACTIVE.
    pub at: SimTime,
}

impl Birth {
    /// A meter for the work of the instance to be born.
    pub(super) fn meter(&self) -> PhaseMeter {
        let served = Served {
            gpus: self.processors.len() as u32,
            weights_bytes: self.weights_bytes,
            active_share: self.performance.iterations.active_share(),
            kv_bytes_per_token: self.kv_bytes_per_token,
        };
        PhaseMeter::new(gpu_power(&self.gpu).map(|power| EnergyRates::new(&power, &served)))
    }

    /// The introduction of the instance to be born.
    pub fn introduction(&self, at: SimTime) -> Introduction {
        Introduction {
            instance: self.instance,
            entity: self.entity,
            tag: self.tag,
            gpu: Arc::clone(&self.gpu),
            gpus: self.processors.len() as u32,
            weights_bytes: self.weights_bytes,
            capacity_bytes: self.capacity_bytes,
            at,
        }
    }
}
