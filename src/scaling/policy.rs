//! What an autoscaling policy is: a pure function from what a manager observes to how many it wants.

use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};

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
/// /// when it falls below 0.5 × capacity. Predicts by drawing the last two rates on, as far ahead as
/// /// a new instance needs to start.
/// #[derive(Debug)]
/// struct Predictive {
///     requests_per_s_per_instance: f64,
///     last_rate: f64,
/// }
///
/// impl AutoscalingPolicy for Predictive {
///     fn decide(&mut self, seen: &Observation) -> Decision {
///         let rate = seen.arrivals_per_s();
///         let slope = (rate - self.last_rate) / seen.elapsed.as_secs_f64();
///         self.last_rate = rate;
///         let predicted = rate + slope * seen.startup.as_secs_f64();
///         let current = seen.pool(None).wanted();
///         let capacity = f64::from(current) * self.requests_per_s_per_instance;
///         if predicted > 1.2 * capacity {
///             Decision::to(None, current + 1, "predicted load above 1.2 x capacity")
///         } else if predicted < 0.5 * capacity && current > 1 {
///             Decision::to(None, current - 1, "predicted load below 0.5 x capacity")
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
    /// Time since the last observation, or since the start of the run.
    pub elapsed: SimDuration,
    /// From a full scale-up to ACTIVE: how far ahead a policy must look.
    pub startup: SimDuration,
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

impl Observation {
    /// The instances with this tag.
    pub fn pool(&self, tag: Option<Tag>) -> PoolCount {
        self.pools.iter().find(|pool| pool.tag == tag).copied().unwrap_or(PoolCount::none(tag))
    }

    /// Requests that arrived per second since the last observation; 0 if no time has passed.
    pub fn arrivals_per_s(&self) -> f64 {
        let elapsed_s = self.elapsed.as_secs_f64();
        if elapsed_s > 0.0 { self.traffic.arrivals as f64 / elapsed_s } else { 0.0 }
    }
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

impl PoolCount {
    /// No instances with this tag.
    pub const fn none(tag: Option<Tag>) -> Self {
        PoolCount { tag, active: 0, starting: 0, draining: 0 }
    }

    /// Those that serve or will: what a [`Decision`] is compared with.
    pub const fn wanted(&self) -> u32 {
        self.active + self.starting
    }
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
