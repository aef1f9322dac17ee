//! A scenario that is valid by construction: what the simulation is built from.
//!
//! Only [`super::load`] makes one from text, and reports every problem of the text at once; as a
//! library user you may also fill these in yourself.

mod action;
mod application;
mod classes;
mod client_pool;
mod cluster;
mod conversations;
mod model;
mod network;
mod performance;
mod start_state;
mod workload;

use ebbflow_actors::{SimDuration, SimTime};

use crate::slo::Slo;

pub use crate::performance::roofline::Parallelism;
pub use action::{Action, Operation};
pub use application::{ApplicationSpec, DrainTimeoutAction, PolicySpec, ScalingSpec, SchedulerSpec};
pub use classes::RequestClass;
pub use client_pool::{ClientPoolSpec, PoolClients};
pub use cluster::{ClusterSpec, GpuSpec, Interconnect, ServerGroup, Sku};
pub use conversations::{Clients, PrefixGroups, Sessions, ThinkTime};
pub use model::{KnownModel, ModelSpec};
pub use network::{IntraKind, IntraSpec, LinksSpec, NetworkSpec, NicKind, NicSpec};
pub use performance::{CalibrationFile, KernelFiles, PerformanceSpec, RooflineSpec};
pub use start_state::{EngineSpec, InstanceConfig, PackedSpec, PoolSpec, SplitType, StartState};
pub use workload::{Arrivals, Lengths, SyntheticSpec, Transform, WorkloadSource, WorkloadSpec};

/// Everything a run needs.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it came from, for messages.
    pub name: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// The run stops here: nothing at or after this time happens.
    pub end_time: SimTime,
    /// Write iteration logs of every instance.
    pub debug: bool,
    /// Time a message between two entities takes; the engine's lookahead; > 0.
    pub dispatch_latency: SimDuration,
    /// Servers and what new ones are made from.
    pub cluster: ClusterSpec,
    /// At least one; ids are unique.
    pub applications: Vec<ApplicationSpec>,
    /// Instances that exist at time 0.
    pub start_state: StartState,
    /// How long an iteration takes.
    pub performance: PerformanceSpec,
    /// What arrives.
    pub workload: WorkloadSpec,
    /// What is good enough; none: nothing is judged.
    pub slo: Option<Slo>,
    /// Scaling operations at fixed times, sorted by time (stable).
    pub actions: Vec<Action>,
    /// Things the reader should know, e.g. a default that was filled in; printed at start.
    pub notes: Vec<String>,
    /// The scenario with every default filled in, as YAML text.
    pub resolved: String,
}

impl Scenario {
    /// Whether anything is promised, to all requests or to a class of them.
    pub fn has_objectives(&self) -> bool {
        self.slo.is_some() || self.workload.classes.iter().any(|class| class.slo.is_some())
    }
}
