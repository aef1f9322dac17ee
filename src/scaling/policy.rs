//! What an autoscaling policy is: a pure function from what a manager observes to how many it wants.

use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};

use super::decision::Decision;
use super::metrics::Observation;
use crate::ids::{ApplicationId, Tag};
use crate::instance::InstanceStatus;
use crate::performance::PerformanceModel;
use crate::registry::{Kind, Settings};
use crate::scenario::ModelSpec;
use crate::slo::Slo;

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
///     fn decide(&mut self, seen: &Observation<'_>) -> Decision {
///         let Some(rate) = seen.since_last().arrivals_per_s() else {
///             return Decision::hold("no data yet");
///         };
///         let slope = (rate - self.last_rate) / seen.elapsed.as_secs_f64();
///         self.last_rate = rate;
///         let predicted = rate + slope * seen.startup.as_secs_f64();
///         let current = seen.pool(None).asked();
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
    fn decide(&mut self, seen: &Observation<'_>) -> Decision;

    /// The longest window it looks back over: older samples are forgotten.
    fn look_back(&self) -> SimDuration {
        SimDuration::from_secs(600)
    }
}

/// Builds a policy from its settings, for a pool or a fleet.
pub type PolicyFactory =
    Arc<dyn Fn(&Settings, &PolicyContext) -> Result<Box<dyn AutoscalingPolicy>, PolicyRefusal> + Send + Sync>;

/// Why a policy cannot govern this fleet: one sentence, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PolicyRefusal(pub String);

/// How an autoscaling policy is named, configured and run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PolicyKind {
    /// Its name and parameters.
    pub kind: Kind,
    /// What one of it governs.
    pub governs: Governs,
    /// Between two decisions, in seconds, unless the scenario says `decision_interval`.
    pub decision_interval_s: f64,
    /// Between two scrapes of the metrics, in seconds, unless the scenario says `metrics.scrape_interval`.
    pub scrape_interval_s: f64,
    /// Whether it is shown the whole workload before it begins.
    pub foresees: bool,
}

/// What one policy object governs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Governs {
    /// One pool: of a fleet with several, each gets a policy of its own.
    Pool,
    /// All pools of an application together.
    Fleet,
}

impl From<Kind> for PolicyKind {
    /// One that governs a pool, decides every 10 s and sees metrics a second old at most.
    fn from(kind: Kind) -> Self {
        PolicyKind {
            kind,
            governs: Governs::Pool,
            decision_interval_s: 10.0,
            scrape_interval_s: 1.0,
            foresees: false,
        }
    }
}

/// What a policy is told before it begins.
#[derive(Clone, Debug)]
pub struct PolicyContext {
    /// Whose fleet it is.
    pub application: ApplicationId,
    /// The pool it governs; for one that governs the fleet, none.
    pub pool: Option<Tag>,
    /// The pools of the start state with their instances, by tag; one untagged pool if it has none.
    pub pools: Vec<PoolCount>,
    /// From a scale-up to ACTIVE, on average.
    pub startup: SimDuration,
    /// Between two decisions.
    pub decision_interval: SimDuration,
    /// ACTIVE instances per tag that always stay.
    pub min_instances: u32,
    /// Instances that may exist at once; none: no limit.
    pub max_instances: Option<u32>,
    /// The scenario's objectives.
    pub slo: Option<Slo>,
    /// The model served.
    pub model: ModelSpec,
    /// GPUs of an instance that this policy would start, how fast it is and what its KV cache holds.
    pub capacity: InstanceCapacity,
    /// Seed of the run.
    pub seed: u64,
    /// All requests to come, for a kind that [foresees](PolicyKind::foresees).
    pub foresight: Option<Arc<Vec<FutureRequest>>>,
}

/// What a new instance can do.
#[derive(Clone, Debug)]
pub struct InstanceCapacity {
    /// GPUs it occupies.
    pub gpus: u32,
    /// How long its iterations take.
    pub performance: Arc<dyn PerformanceModel>,
    /// Tokens that its KV cache can hold.
    pub kv_tokens: u64,
}

/// A request that has not arrived yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FutureRequest {
    /// When it arrives.
    pub arrival: SimTime,
    /// Its prompt.
    pub prompt_tokens: u32,
    /// Its output.
    pub output_tokens: u32,
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

    /// Those that serve or will: what was asked for.
    pub const fn asked(&self) -> u32 {
        self.active + self.starting
    }

    /// Those that `counting` names.
    pub const fn counted(&self, counting: super::decision::Counting) -> u32 {
        match counting {
            super::decision::Counting::Asked => self.asked(),
            super::decision::Counting::Ready => self.active,
        }
    }

    pub(super) fn count(&mut self, status: InstanceStatus) {
        *self.of(status) += 1;
    }

    pub(super) fn of(&mut self, status: InstanceStatus) -> &mut u32 {
        match status {
            InstanceStatus::ScalingUp => &mut self.starting,
            InstanceStatus::Active => &mut self.active,
            InstanceStatus::Draining | InstanceStatus::ScalingDown => &mut self.draining,
        }
    }
}
