//! A scenario that is valid by construction: what the simulation is built from.
//!
//! Only [`super::load`] makes one from text, and reports every problem of the text at once; as a
//! library user you may also fill these in yourself.

use std::path::PathBuf;
use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};

use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};

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
    /// Scaling operations at fixed times, sorted by time (stable).
    pub actions: Vec<Action>,
    /// Things the reader should know, e.g. a default that was filled in; printed at start.
    pub notes: Vec<String>,
    /// The scenario with every default filled in, as YAML text.
    pub resolved: String,
}

/// A cluster: groups of equal servers, in order.
#[derive(Clone, Debug)]
pub struct ClusterSpec {
    /// In the order of the configuration; a count of 0 makes a SKU known for scale-ups.
    pub servers: Vec<ServerGroup>,
    /// Watts available; kept, not enforced. None: not given.
    pub power_budget_w: Option<f64>,
    /// Kept as given; transfers use the scheduler's bandwidth (the ancestor's private links).
    pub interconnects: Vec<Interconnect>,
    /// SKUs that scale-ups may name although no group has them: the built-in catalogue.
    pub catalogue: Vec<Arc<Sku>>,
}

/// `count` servers of one SKU.
#[derive(Clone, Debug)]
pub struct ServerGroup {
    /// What each server is.
    pub sku: Arc<Sku>,
    /// How many exist at time 0.
    pub count: u32,
}

/// A kind of server.
#[derive(Clone, PartialEq, Debug)]
pub struct Sku {
    /// e.g. `dgx-h100`.
    pub name: String,
    /// The GPUs it holds.
    pub gpu: GpuSpec,
    /// How many of them.
    pub gpus: u32,
    /// Draw of a server that does nothing, in watts.
    pub idle_power_w: f64,
}

/// A kind of GPU.
#[derive(Clone, PartialEq, Debug)]
pub struct GpuSpec {
    /// As the performance tables name it, e.g. `h100-80gb`.
    pub name: String,
    /// Memory of one GPU.
    pub memory_bytes: u64,
}

/// A link of the cluster description.
#[derive(Clone, PartialEq, Debug)]
pub struct Interconnect {
    /// e.g. `infiniband`; none when not given.
    pub link: Option<String>,
    /// e.g. `p2p`.
    pub topology: String,
}

/// A model served by an application.
#[derive(Clone, PartialEq, Debug)]
pub struct ModelSpec {
    /// As the performance tables name it, e.g. `llama2-70b`.
    pub name: String,
    /// Transformer layers.
    pub layers: u32,
    /// Hidden size.
    pub hidden_size: u32,
    /// Bytes of all weights.
    pub weights_bytes: u64,
    /// Bytes of one KV element.
    pub dtype_bytes: u32,
}

impl ModelSpec {
    /// KV-cache bytes of `tokens` tokens of a request of `batch_size` sequences:
    /// `2 · batch_size · tokens · hidden_size · layers · dtype_bytes` (keys and values, no grouped heads).
    pub fn kv_bytes(&self, batch_size: u32, tokens: u64) -> u64 {
        2 * u64::from(batch_size)
            * tokens
            * u64::from(self.hidden_size)
            * u64::from(self.layers)
            * u64::from(self.dtype_bytes)
    }
}

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
    /// Every parameter the registry lists for it, in that order.
    pub parameters: Vec<(String, f64)>,
}

/// Settings of a ScalingManager.
#[derive(Clone, PartialEq, Debug)]
pub struct ScalingSpec {
    /// From the operation to ACTIVE (default 10 s).
    pub scale_up_delay: SimDuration,
    /// Between two looks at a draining instance (default 1 s), > 0.
    pub drain_check_interval: SimDuration,
    /// Before a new server can hold an instance (default 0).
    pub server_boot_delay: SimDuration,
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
    /// The autoscaling policy on top; none: only actions and schedulers scale.
    pub policy: Option<PolicySpec>,
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
    /// Every parameter the registry lists for it, in that order.
    pub parameters: Vec<(String, f64)>,
    /// Between two decisions, > 0.
    pub decision_interval: SimDuration,
}

/// Which instances exist at time 0. The blocks also say how scale-ups configure a new instance.
#[derive(Clone, Debug)]
pub enum StartState {
    /// None. New instances use this configuration.
    Unallocated {
        /// What scale-ups create.
        instance: InstanceConfig,
    },
    /// `orca`, `baseline`: one instance on all GPUs of every server.
    WholeServers {
        /// The application they serve.
        application: ApplicationId,
        /// What they are.
        instance: InstanceConfig,
    },
    /// `splitwise…`: servers cut into slices of `tensor_parallelism` GPUs, one instance per slice.
    Split {
        /// The application they serve.
        application: ApplicationId,
        /// How servers are given to the pools.
        split: SplitType,
        /// Prefill pool.
        prompt: PoolSpec,
        /// Decode pool.
        token: PoolSpec,
    },
}

/// How a split start state hands servers to its pools.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitType {
    /// In cluster order: the first `prompt.num_instances` servers, then `token.num_instances`.
    Homogeneous,
    /// By SKU name in the pool's `instance_names`; a server whose SKU is in neither is an error at load.
    Heterogeneous,
}

/// A pool of a split start state.
#[derive(Clone, PartialEq, Debug)]
pub struct PoolSpec {
    /// What its instances are.
    pub instance: InstanceConfig,
    /// **Servers** in the pool (the ancestor's meaning), for a homogeneous split.
    pub num_instances: u32,
    /// SKU names in the pool, for a heterogeneous split.
    pub instance_names: Vec<String>,
}

/// How an instance works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstanceConfig {
    /// Its batching engine.
    pub engine: EngineSpec,
    /// GPUs it is spread over, for slicing and for the performance table.
    pub parallelism: Parallelism,
}

/// A batching engine and its limits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EngineSpec {
    /// One task at a time, first come first served.
    Default,
    /// Iteration-level batching without preemption.
    Orca {
        /// Tasks in a batch at most.
        max_batch_size: u32,
    },
    /// Prompts first, decodes preempted when a prompt needs the token budget.
    Splitwise {
        /// Tasks in a batch at most.
        max_batch_size: u32,
        /// Prompt tokens + decodes in an iteration at most (a single larger prompt may run alone).
        max_batch_tokens: u64,
        /// Iterations a task may be passed over before it goes first.
        max_preemptions: u32,
    },
}

/// Model parallelism.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Parallelism {
    /// Pipeline stages; kept, ignored by the performance models.
    pub pipeline: u32,
    /// GPUs per layer.
    pub tensor: u32,
}

/// Which performance model.
#[derive(Clone, PartialEq, Debug)]
pub enum PerformanceSpec {
    /// Fixed times.
    Constant {
        /// An iteration with a prompt in it.
        prompt_s: f64,
        /// An iteration of decodes only.
        token_s: f64,
    },
    /// A table of measurements.
    Lookup {
        /// CSV in the ancestor's format; none: the built-in `splitwise-2023` knots.
        path: Option<PathBuf>,
        /// How decode time is looked up.
        decode_key: crate::performance::DecodeKey,
    },
}

/// What arrives.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkloadSpec {
    /// Where requests come from.
    pub source: WorkloadSource,
    /// Changes made to them, applied in the order of the fields of [`Transform`].
    pub transform: Transform,
}

/// Where requests come from.
#[derive(Clone, PartialEq, Debug)]
pub enum WorkloadSource {
    /// A trace file; its format is recognised by its header.
    Trace {
        /// The file.
        path: PathBuf,
        /// Count and report malformed rows instead of failing.
        skip_bad_rows: bool,
    },
    /// Generated requests.
    Synthetic(SyntheticSpec),
}

/// Changes to a workload.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Transform {
    /// Skip what arrives before this time of the trace and shift the rest to time 0.
    pub start: Option<SimDuration>,
    /// Keep what arrives within this time after `start` (before scaling).
    pub duration: Option<SimDuration>,
    /// Multiply the arrival rate: inter-arrival times are divided by it. > 0.
    pub rate_scale: Option<f64>,
    /// Keep the first so many requests.
    pub limit: Option<u64>,
    /// Cut prompt and output lengths to at most so many tokens.
    pub token_clip: Option<u32>,
}

/// Generated requests.
#[derive(Clone, PartialEq, Debug)]
pub struct SyntheticSpec {
    /// The application asked.
    pub application: ApplicationId,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// Prompt lengths in tokens.
    pub prompt: Lengths,
    /// Output lengths in tokens.
    pub output: Lengths,
    /// How many; none: until `until`.
    pub requests: Option<u64>,
    /// Stop arriving here; at least one of the two is given.
    pub until: Option<SimTime>,
}

/// An arrival process. Rates are requests per second.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrivals {
    /// Exponential gaps, the rate piecewise constant: (from, rate), first from 0, rates ≥ 0.
    Poisson(Vec<(SimTime, f64)>),
    /// Gamma gaps of this shape (CV = 1/√shape), the rate piecewise constant.
    Gamma {
        /// Shape k of the gap distribution.
        shape: f64,
        /// (from, rate)
        rate: Vec<(SimTime, f64)>,
    },
    /// Poisson at `rate` during on-phases of exponential length, nothing in between.
    OnOff {
        /// During an on-phase.
        rate: f64,
        /// Mean length of an on-phase.
        mean_on: SimDuration,
        /// Mean length of an off-phase.
        mean_off: SimDuration,
    },
    /// One every `1/rate` seconds.
    Uniform {
        /// Requests per second.
        rate: f64,
    },
}

/// A distribution of lengths in tokens; drawn lengths are rounded and at least 1.
#[derive(Clone, PartialEq, Debug)]
pub enum Lengths {
    /// Always the same.
    Constant(u32),
    /// exp(N(mu, sigma²)), cut to [1, max].
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// Largest length.
        max: u32,
    },
    /// Inverse CDF through (percentile 0…100, length) knots, log-linear between them.
    Quantiles(Vec<(f64, f64)>),
}

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
