//! What a routing policy is.

use std::sync::Arc;

use ebbflow_actors::{EntityId, SimTime};

use super::fleet::{Fleet, Metric, Pooling};
use crate::ids::{InstanceId, Tag};
use crate::performance::PerformanceModel;
use crate::registry::Settings;
use crate::request::Request;
use crate::scenario::{ModelSpec, Operation};

/// Chooses the instances that serve a request. Pure: it sees the books and decides.
///
/// A policy may also trigger scaling, through [`RoutingContext::scale`].
///
/// ```
/// use ebbflow::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};
/// use ebbflow::request::Request;
///
/// /// The user's scenario 1: scale up when the mean queue is longer than a threshold.
/// #[derive(Debug)]
/// struct ThresholdScheduler {
///     threshold: f64,
///     asked_for: usize,
/// }
///
/// impl RoutingPolicy for ThresholdScheduler {
///     fn traits(&self) -> PolicyTraits {
///         PolicyTraits::single(&[Metric::Residents])
///     }
///
///     fn route(&mut self, _: &Request, fleet: &mut Fleet, context: &mut RoutingContext) -> Option<Route> {
///         let all = fleet.pool(PoolName::All);
///         let queued = all.load().residents;
///         if queued as f64 > self.threshold * all.len() as f64 && self.asked_for < 4 {
///             self.asked_for += 1;
///             context.scale_up_full(None);
///         }
///         fleet.least(PoolName::All, Metric::Residents).map(Route::Together)
///     }
/// }
/// ```
pub trait RoutingPolicy: Send + std::fmt::Debug {
    /// What it needs to be told and asked.
    fn traits(&self) -> PolicyTraits;

    /// Chooses for a request, or lets it wait. Waiting requests are offered again, in order of
    /// arrival, whenever an instance becomes ACTIVE or work is done.
    fn route(&mut self, request: &Request, fleet: &mut Fleet, context: &mut RoutingContext) -> Option<Route>;

    /// An instance became ACTIVE; it is in the fleet already.
    fn joined(&mut self, instance: InstanceId, fleet: &mut Fleet) {
        let _ = (instance, fleet);
    }

    /// An instance is drained: it is in the fleet no more, and will never be again.
    fn left(&mut self, instance: InstanceId) {
        let _ = instance;
    }

    /// A scale-up was refused, or cancelled before its instance was ACTIVE: nobody will join for it.
    fn scale_up_refused(&mut self, tag: Option<Tag>) {
        let _ = tag;
    }

    /// An instance has nothing left to do (only with [`PolicyTraits::watches_queues`]).
    fn idle(&mut self, instance: InstanceId, fleet: &mut Fleet) {
        let _ = (instance, fleet);
    }

    /// A request was served.
    fn completed(&mut self, completion: &Completion) {
        let _ = completion;
    }
}

/// What a policy needs of its scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyTraits {
    /// How instances are sorted into pools.
    pub pooling: Pooling,
    /// Metrics whose minima it asks for; others are kept but cannot be searched.
    pub metrics: &'static [Metric],
    /// Whether instances should report that their queue became empty, or not, and that they are idle.
    pub watches_queues: bool,
}

impl PolicyTraits {
    /// A policy over all instances alike.
    pub const fn single(metrics: &'static [Metric]) -> Self {
        PolicyTraits { pooling: Pooling::Single, metrics, watches_queues: false }
    }

    /// A policy over a prefill pool and a decode pool.
    pub const fn split(metrics: &'static [Metric]) -> Self {
        PolicyTraits { pooling: Pooling::Split, metrics, watches_queues: false }
    }
}

/// Who serves a request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Route {
    /// One instance.
    Together(InstanceId),
    /// Prefill and decode apart, with a KV transfer between them.
    Split {
        /// Computes the prompt.
        prefill: InstanceId,
        /// Produces the rest.
        decode: InstanceId,
        /// Bandwidth of the request's private link in GiB/s.
        bandwidth_gib_per_s: f64,
    },
}

/// What a policy may know and do besides choosing.
#[derive(Debug)]
pub struct RoutingContext {
    /// The time.
    pub now: SimTime,
    pub(super) operations: Vec<Operation>,
}

impl RoutingContext {
    /// A context for a decision at this time; for tests of policies.
    pub fn at(now: SimTime) -> Self {
        RoutingContext { now, operations: Vec::new() }
    }

    /// Asks the application's ScalingManager for an operation. Without a manager nothing happens.
    pub fn scale(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Asks for a new server with an instance in this pool.
    pub fn scale_up_full(&mut self, tag: Option<Tag>) {
        self.scale(Operation::ScaleUpFull { count: 1, tag, server_sku: None });
    }

    /// Asks to drain an instance and to remove it with its server.
    pub fn scale_down_full(&mut self, instance: InstanceId) {
        self.scale(Operation::ScaleDownFull { instances: vec![instance] });
    }

    /// What was asked for so far.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

/// A served request, as a policy may want to learn from it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Completion {
    /// Prompt tokens.
    pub prompt_tokens: u32,
    /// Time to first token.
    pub ttft_s: f64,
    /// Time between tokens (the ancestor's definition).
    pub tbt_s: f64,
}

/// What a policy can be built from.
#[derive(Clone, Debug)]
pub struct SchedulerContext {
    /// Seed of the run.
    pub seed: u64,
    /// The scheduler's address: the key of its random numbers.
    pub entity: EntityId,
    /// The model served.
    pub model: ModelSpec,
    /// Tokens that one name of a request's prefix stands for.
    pub prefix_block_tokens: u64,
    /// A lone request on a reference machine, against which latencies are normalised.
    pub baseline: Arc<dyn PerformanceModel>,
}

/// Builds a policy from its parameters.
pub type SchedulerFactory = Arc<dyn Fn(&SchedulerContext, &Settings) -> Box<dyn RoutingPolicy> + Send + Sync>;
