//! The status summary of a ScalingManager.

/// How many instances and servers are in which status, start-state ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StatusSummary {
    /// Instances that serve.
    pub active_instances: usize,
    /// Instances that start.
    pub scaling_up_instances: usize,
    /// Instances that drain.
    pub draining_instances: usize,
    /// Servers that are up.
    pub active_servers: usize,
    /// Servers that boot.
    pub scaling_up_servers: usize,
    /// Servers that leave as soon as their draining instance has.
    pub pending_server_scale_downs: usize,
    /// Servers in the cluster.
    pub total_servers: usize,
    /// Instances of the application, whatever their status.
    pub total_instances: usize,
}
