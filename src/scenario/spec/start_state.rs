//! Which instances exist at time 0, and how instances work.

use crate::ids::{ApplicationId, Tag};
use crate::instance::continuous::{CacheSpace, Settings};
use crate::performance::roofline::Parallelism;

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
    /// `packed`: instances of any applications side by side on the same servers, placed in this order by first fit.
    Packed {
        /// What is placed.
        entries: Vec<PackedSpec>,
        /// What scale-ups of an application without an entry create.
        otherwise: InstanceConfig,
    },
}

/// Like instances of one application in a packed start state.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PackedSpec {
    /// Whom they serve.
    pub application: ApplicationId,
    /// How many.
    pub count: u32,
    /// Their pool.
    pub tag: Option<Tag>,
    /// What they are.
    pub instance: InstanceConfig,
}

impl StartState {
    /// What a scale-up of this application creates for this pool. A split has a block per pool, the prompt one for
    /// all but `token`; a packed one the application's first entry for the pool, or else its first.
    pub fn config_for(&self, application: ApplicationId, tag: Option<Tag>) -> InstanceConfig {
        match self {
            StartState::Unallocated { instance } | StartState::WholeServers { instance, .. } => *instance,
            StartState::Split { token, .. } if tag == Some(Tag::Token) => token.instance,
            StartState::Split { prompt, .. } => prompt.instance,
            StartState::Packed { entries, otherwise } => {
                let own = || entries.iter().filter(|entry| entry.application == application);
                let entry = own().find(|entry| entry.tag == tag).or_else(|| own().next());
                entry.map_or(*otherwise, |entry| entry.instance)
            }
        }
    }

    /// Every way of working that an instance may have, now or later.
    pub fn configs(&self) -> Vec<InstanceConfig> {
        match self {
            StartState::Unallocated { instance } | StartState::WholeServers { instance, .. } => {
                vec![*instance]
            }
            StartState::Split { prompt, token, .. } => vec![prompt.instance, token.instance],
            StartState::Packed { entries, otherwise } => {
                entries.iter().map(|entry| entry.instance).chain([*otherwise]).collect()
            }
        }
    }

    /// The one application it places, where it places one.
    pub fn application(&self) -> Option<ApplicationId> {
        match self {
            StartState::Unallocated { .. } | StartState::Packed { .. } => None,
            StartState::WholeServers { application, .. } | StartState::Split { application, .. } => {
                Some(*application)
            }
        }
    }
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

impl InstanceConfig {
    /// The same, spread this way.
    #[must_use]
    pub fn spread(self, parallelism: Parallelism) -> Self {
        InstanceConfig { parallelism, ..self }
    }
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
    /// Continuous batching under a token budget, as vLLM does it. The tokens that a name of a prefix stands for are
    /// those of the workload, whatever is set here.
    Vllm(Settings),
}

impl EngineSpec {
    /// How large its KV cache is; only `vllm` can be told.
    pub fn cache_space(&self) -> CacheSpace {
        match self {
            EngineSpec::Vllm(settings) => settings.cache_space,
            EngineSpec::Default | EngineSpec::Orca { .. } | EngineSpec::Splitwise { .. } => {
                CacheSpace::default()
            }
        }
    }

    /// Its name as `instance_type`.
    pub const fn name(&self) -> &'static str {
        match self {
            EngineSpec::Default => "DEFAULT",
            EngineSpec::Orca { .. } => "ORCA",
            EngineSpec::Splitwise { .. } => "Splitwise",
            EngineSpec::Vllm(_) => "vllm",
        }
    }

    /// Whether it tells when each token is out, so that gaps between tokens are known.
    pub const fn tells_gaps(&self) -> bool {
        matches!(self, EngineSpec::Vllm(_))
    }

    /// The same engine where a name of a request's prefix stands for so many tokens.
    #[must_use]
    pub fn with_prefix_blocks_of(self, prefix_block_tokens: u64) -> Self {
        match self {
            EngineSpec::Vllm(settings) => EngineSpec::Vllm(Settings { prefix_block_tokens, ..settings }),
            other => other,
        }
    }
}
