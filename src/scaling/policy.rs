//! What an autoscaling policy is: a pure function from what a manager observes to how many it wants.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use crate::ids::{InstanceId, Tag};
use crate::registry::Parameters;
use crate::request::Request;

/// Decides how many instances there should be. Called every `decision_interval` while there is work
/// or work may still come.
///
/// ```
/// use ebbflow::scaling::{AutoscalingPolicy, Decision, Observation};
///
/// /// The user's PredictiveScalingManager: up when the predicted load exceeds 1.2 × capacity, down
/// /// when it falls below 0.5 × capacity. The prediction is the last interval's arrival rate.
/// #[derive(Debug)]
/// struct Predictive {
///     requests_per_s_per_instance: f64,
///     interval_s: f64,
/// }
///
/// impl AutoscalingPolicy for Predictive {
///     fn decide(&mut self, seen: &Observation) -> Decision {
///         let pool = seen.pools[0];
///         let current = pool.active + pool.starting;
///         let predicted = seen.traffic.arrivals as f64 / self.interval_s;
///         let capacity = f64::from(current) * self.requests_per_s_per_instance;
///         if predicted > 1.2 * capacity {
///             Decision::to(pool.tag, current + 1, "predicted load above 1.2 x capacity")
///         } else if predicted < 0.5 * capacity && current > 1 {
///             Decision::to(pool.tag, current - 1, "predicted load below 0.5 x capacity")
///         } else {
///             Decision::hold("within bounds")
///         }
///     }
/// }
/// ```
pub trait AutoscalingPolicy: Send + std::fmt::Debug {
    /// What it wants, given what was seen.
    fn decide(&mut self, seen: &Observation) -> Decision;
}

/// Builds a policy from its parameters.
pub type PolicyFactory = Arc<dyn Fn(&Parameters<'_>) -> Box<dyn AutoscalingPolicy> + Send + Sync>;

/// How many instances a policy wants.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// Instances wanted per tag (starting ones count); tags not named stay as they are.
    pub targets: Vec<(Option<Tag>, u32)>,
    /// Why, for the log.
    pub reason: String,
}

impl Decision {
    /// So many with this tag.
    pub fn to(tag: Option<Tag>, instances: u32, reason: impl Into<String>) -> Self {
        Decision { targets: vec![(tag, instances)], reason: reason.into() }
    }

    /// No change.
    pub fn hold(reason: impl Into<String>) -> Self {
        Decision { targets: Vec::new(), reason: reason.into() }
    }
}

/// What a manager sees when it decides. The scheduler's part is one dispatch latency old.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Observation {
    /// When the scheduler looked.
    pub at: SimTime,
    /// What passed since the last observation.
    pub traffic: Traffic,
    /// Requests waiting at the scheduler.
    pub waiting: u64,
    /// Requests at instances.
    pub in_service: u64,
    /// Whether the last request has arrived.
    pub workload_ended: bool,
    /// Requests on each ACTIVE instance.
    pub loads: Vec<(InstanceId, i64)>,
    /// Instances per tag, by tag; the manager's own part.
    pub pools: Vec<PoolCount>,
}

/// How many instances of a tag are in which status.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PoolCount {
    /// The tag.
    pub tag: Option<Tag>,
    /// Serving.
    pub active: u32,
    /// Starting.
    pub starting: u32,
    /// Draining.
    pub draining: u32,
}

/// Counts of what passed a scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Traffic {
    /// Requests that arrived.
    pub arrivals: u64,
    /// Their prompt tokens.
    pub prompt_tokens: u64,
    /// Requests completed.
    pub completions: u64,
    /// Their output tokens.
    pub output_tokens: u64,
}

impl Traffic {
    pub(crate) fn arrived(&mut self, request: &Request) {
        self.arrivals += 1;
        self.prompt_tokens += u64::from(request.prompt_tokens);
    }

    pub(crate) fn completed(&mut self, request: &Request) {
        self.completions += 1;
        self.output_tokens += u64::from(request.output_tokens);
    }

    pub(crate) fn take(&mut self) -> Traffic {
        std::mem::take(self)
    }
}
