//! What turns a planned instance into a birth certificate: all that the instances of an application share.

use ebbflow_actors::{EntityId, SimDuration};

use super::effect::PlannedInstance;
use crate::ids::ApplicationId;
use crate::instance::{Birth, DrainRules, Reports};
use crate::scenario::{DrainTimeoutAction, ModelSpec, ScalingSpec};
use crate::transfer::wiring::Cabling;

/// What all instances of an application have in common.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// Whom they serve.
    pub application: ApplicationId,
    /// What they serve.
    pub model: ModelSpec,
    /// What their scheduler wants to hear.
    pub reports: Reports,
    /// Tokens that a name of a request's prefix stands for, as the workload says.
    pub prefix_block_tokens: u64,
    /// How they drain.
    pub drain: DrainRules,
    /// Whether they log every run of iterations.
    pub debug: bool,
    /// How they are connected; none: requests have private links.
    pub cabling: Option<Cabling>,
}

impl Blueprint {
    /// The birth certificate of a planned instance. `manager`: none without a ScalingManager.
    pub fn birth(
        &self,
        planned: PlannedInstance,
        entity: EntityId,
        server_entity: EntityId,
        (scheduler, manager, recorder): (EntityId, Option<EntityId>, EntityId),
    ) -> Birth {
        let gpus = planned.processors.len() as u32;
        let plugged = (planned.server, &*planned.sku);
        let port = self.cabling.as_ref().map(|cabling| cabling.port(entity, gpus, plugged));
        let memory = self.model.memory_on(&planned.sku, gpus, planned.engine, &planned.performance);
        Birth {
            instance: planned.instance,
            entity,
            application: self.application,
            tag: planned.tag,
            server: planned.server,
            server_entity,
            sku: planned.sku.name.as_str().into(),
            gpu: planned.sku.gpu.name.as_str().into(),
            processors: planned.processors,
            weights_bytes: memory.weights_bytes,
            capacity_bytes: memory.capacity_bytes,
            kv_bytes_per_token: memory.kv_bytes_per_token,
            engine: planned.engine.with_prefix_blocks_of(self.prefix_block_tokens),
            performance: planned.performance,
            scheduler,
            manager,
            recorder,
            created: planned.created,
            ready_at: planned.ready_at,
            drain: self.drain,
            reports: self.reports,
            debug: self.debug,
            port,
        }
    }
}

/// How instances drain under this manager; without one they never do.
pub(crate) fn drain_rules(spec: Option<&ScalingSpec>) -> DrainRules {
    DrainRules {
        check_interval: spec.map_or(SimDuration::from_secs(1), |spec| spec.drain_check_interval),
        timeout: spec.and_then(|spec| spec.drain_timeout),
        timeout_action: spec.map_or(DrainTimeoutAction::Requeue, |spec| spec.drain_timeout_action),
    }
}
