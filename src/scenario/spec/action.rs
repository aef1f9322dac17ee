//! Scripted scaling operations.

use ebbflow_actors::SimTime;

use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};

/// A scripted scaling operation.
#[derive(Clone, PartialEq, Debug)]
pub struct Action {
    /// When.
    pub at: SimTime,
    /// Whose manager.
    pub application: ApplicationId,
    /// What.
    pub operation: Operation,
}

/// A scaling operation as a user asks for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// `count` × (new server, one instance on all its GPUs).
    ScaleUpFull {
        /// How many.
        count: u32,
        /// Which pool.
        tag: Option<Tag>,
        /// SKU name; none: the first of the configuration.
        server_sku: Option<String>,
    },
    /// Drain these instances, remove them, then their servers where nothing else is left.
    ScaleDownFull {
        /// In this order.
        instances: Vec<InstanceId>,
    },
    /// A new server without an instance.
    ScaleUpServer {
        /// SKU name; none: the first of the configuration.
        server_sku: Option<String>,
        /// How many.
        count: u32,
    },
    /// An instance on an existing server.
    ScaleUpInstance {
        /// Which server.
        server: ServerId,
        /// Which pool.
        tag: Option<Tag>,
        /// GPU indices on that server; none: all of them.
        processors: Option<Vec<u32>>,
    },
    /// Drain these instances and remove them; servers stay.
    ScaleDownInstance {
        /// In this order.
        instances: Vec<InstanceId>,
    },
    /// Remove a server that holds no instance.
    ScaleDownServer {
        /// Which server.
        server: ServerId,
    },
}
