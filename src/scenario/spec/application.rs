//! Applications: a model, its scheduler, its ScalingManager.

use ebbflow_actors::SimDuration;

use super::ModelSpec;
use crate::ids::{ApplicationId, Tag};
use crate::registry::Settings;
use crate::scaling::{ColdStart, Place, SkuChoice, VictimOrder};

/// An application: one model behind one scheduler.
#[derive(Clone, Debug)]
pub struct ApplicationSpec {
    /// Its number in the scenario.
    pub id: ApplicationId,
    /// What it serves.
    pub model: ModelSpec,
    /// Who routes its requests.
    pub scheduler: SchedulerSpec,
    /// Its ScalingManager; none: the fleet stays as it starts.
    pub scaling: Option<ScalingSpec>,
}

/// A scheduler by its registered name, with every parameter resolved.
#[derive(Clone, PartialEq, Debug)]
pub struct SchedulerSpec {
    /// Canonical snake_case name in the scheduler registry.
    pub name: String,
    /// Every parameter the registry lists for it.
    pub settings: Settings,
}

/// Settings of a ScalingManager.
#[derive(Clone, PartialEq, Debug)]
pub struct ScalingSpec {
    /// How long starts take (default: 10 s for an instance, nothing for its server).
    pub cold_start: ColdStart,
    /// Servers kept up and idle, for instances to start on at once (default 0).
    pub warm_pool: u32,
    /// Where full scale-ups put instances that name no SKU.
    pub place: Place,
    /// SKU of the servers that scale-ups start unless they name one.
    pub server_sku: SkuChoice,
    /// Whom a policy's scale-down takes.
    pub victims: VictimOrder,
    /// From a drain's beginning until its scheduler stops sending work (default 0).
    pub routing_stop_lag: SimDuration,
    /// Between two looks at a draining instance (default 1 s), > 0.
    pub drain_check_interval: SimDuration,
    /// ACTIVE instances per tag that always stay (default 1; 0 for ancestor configurations).
    pub min_instances: u32,
    /// Instances that may exist at once; none: no limit.
    pub max_instances: Option<u32>,
    /// Servers that may exist at once in the cluster; none: no limit.
    pub max_servers: Option<u32>,
    /// How long a drain may take; none: for ever.
    pub drain_timeout: Option<SimDuration>,
    /// What becomes of the work left then.
    pub drain_timeout_action: DrainTimeoutAction,
    /// The autoscaling policies on top; none: only actions and schedulers scale.
    pub policies: Vec<PolicySpec>,
    /// Between two scrapes of the metrics they see, > 0.
    pub scrape_interval: SimDuration,
    /// From a scrape to the moment its answers can be seen, beside the messages' own time.
    pub metrics_delay: SimDuration,
    /// Log more.
    pub debug: bool,
}

/// What happens to the work of an instance whose drain timed out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DrainTimeoutAction {
    /// Back to the scheduler, to be computed again elsewhere.
    #[default]
    Requeue,
    /// Given up and recorded as rejected.
    Abort,
}

/// An autoscaling policy by its registered name.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicySpec {
    /// Canonical snake_case name in the policy registry.
    pub name: String,
    /// Every parameter the registry lists for it.
    pub settings: Settings,
    /// The one pool it governs; none: all of them.
    pub pool: Option<Tag>,
    /// Between two decisions, > 0.
    pub decision_interval: SimDuration,
}
