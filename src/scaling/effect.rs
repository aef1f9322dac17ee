//! What the state machine wants done.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use crate::ids::{InstanceId, ServerId, Tag};
use crate::performance::Timing;
use crate::results::{ScalingEvent, ScalingLine};
use crate::scenario::{EngineSpec, Sku};

/// Something for the actor to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Bring a server into the cluster, up at a time, with a first instance or without.
    StartServer {
        /// Its number.
        server: ServerId,
        /// What it is.
        sku: Arc<Sku>,
        /// When it is up.
        up_at: SimTime,
        /// What starts on it then.
        first: Option<PlannedInstance>,
    },
    /// Start an instance on a server that exists.
    Place(PlannedInstance),
    /// Drain an instance that is ACTIVE.
    Drain {
        /// Which.
        instance: InstanceId,
        /// From when.
        since: SimTime,
    },
    /// Do not complete the start of an instance.
    CancelStart {
        /// Which.
        instance: InstanceId,
        /// On which server.
        server: ServerId,
        /// From when.
        since: SimTime,
    },
    /// Tell the scheduler that an instance with this tag will not become ACTIVE after all.
    StartFailed(Option<Tag>),
    /// Take a server out of the cluster.
    RemoveServer(ServerId),
    /// Write a line of the scaling log.
    Log(ScalingLine),
    /// Write down a further fact.
    Note(ScalingEvent),
}

/// An instance to be.
#[derive(Clone, Debug)]
pub struct PlannedInstance {
    /// Its number.
    pub instance: InstanceId,
    /// Where.
    pub server: ServerId,
    /// SKU of that server.
    pub sku: Arc<Sku>,
    /// On which GPUs.
    pub processors: Vec<u32>,
    /// Its pool.
    pub tag: Option<Tag>,
    /// How it batches.
    pub engine: EngineSpec,
    /// How long its iterations take.
    pub performance: Timing,
    /// When it was decided on.
    pub created: SimTime,
    /// When it becomes ACTIVE; none: it is from the start.
    pub ready_at: Option<SimTime>,
}
