//! How long a start takes, part by part.
//!
//! A server is provisioned and pulls the image; then an instance on it loads its weights and warms up. Each part
//! is a constant, drawn from a distribution, or a formula over the model. Draws are keyed by the server or the
//! instance, so that one more start does not change another's. Leaves out: starts that fail, several pulls that
//! share a network.

use ebbflow_actors::{CounterRng, EntityId, SimDuration};

use crate::scenario::ModelSpec;
use crate::workload::normal;

/// How long one part takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Span {
    /// Always so long.
    Constant(SimDuration),
    /// Anything between, equally likely.
    Uniform {
        /// At least, in seconds.
        min_s: f64,
        /// At most, in seconds.
        max_s: f64,
    },
    /// Lognormal: most near the median, some much longer.
    Lognormal {
        /// In seconds.
        median_s: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// What is longer is cut to this, in seconds.
        max_s: f64,
    },
    /// `base_s + s_per_weights_gb · weights + s_per_layer · layers`.
    Formula {
        /// Whatever the model, in seconds.
        base_s: f64,
        /// Per 10⁹ bytes of weights, in seconds: one over the bandwidth.
        s_per_weights_gb: f64,
        /// Per transformer layer, in seconds.
        s_per_layer: f64,
    },
}

/// The parts of a start.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ColdStart {
    /// From the order to a running machine.
    pub provision: Span,
    /// The container image, on a new machine.
    pub image_pull: Span,
    /// The weights, from wherever they are to the GPUs.
    pub weights: Span,
    /// Until the engine takes requests: compilation, profiling, graph capture.
    pub warm_up: Span,
}

/// A named cold start, and where its figures are from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ColdStartPreset {
    /// As a scenario names it.
    pub name: &'static str,
    /// What it stands for, with its source.
    pub about: &'static str,
    /// The parts.
    pub parts: ColdStart,
}

const NONE: Span = Span::Constant(SimDuration::ZERO);

const fn seconds(seconds: u64) -> Span {
    Span::Constant(SimDuration::from_secs(seconds))
}

const fn formula(base_s: f64, s_per_weights_gb: f64, s_per_layer: f64) -> Span {
    Span::Formula { base_s, s_per_weights_gb, s_per_layer }
}

/// Cold starts known by name.
pub const PRESETS: [ColdStartPreset; 5] = [
    ColdStartPreset {
        name: "seed_10s",
        about: "10 s in one piece: the user's scale_up_delay",
        parts: ColdStart { provision: NONE, image_pull: NONE, weights: NONE, warm_up: seconds(10) },
    },
    ColdStartPreset {
        name: "warm_pool_85s",
        about: "a 32B model on an H100 that is up with the image there: 85 s (github.com/llm-d/llm-d#2492)",
        parts: ColdStart { provision: NONE, image_pull: NONE, weights: NONE, warm_up: seconds(85) },
    },
    ColdStartPreset {
        name: "sleep_wake_4s",
        about: "an engine woken from sleep, weights in host memory: 4 s (github.com/llm-d/llm-d#2492)",
        parts: ColdStart { provision: NONE, image_pull: NONE, weights: NONE, warm_up: seconds(4) },
    },
    ColdStartPreset {
        name: "vllm_a100",
        about: "vLLM 0.10 on an A100 that is up: weights at 1.83 GB/s, all in all 22.4 s + 0.700 s per GB of \
                weights + 0.436 s per layer (fit to arXiv:2606.07362, 0.5 to 14 GB models, error 1.9 %)",
        parts: ColdStart {
            provision: NONE,
            image_pull: NONE,
            weights: formula(0.0, 1.0 / 1.83, 0.0),
            warm_up: formula(22.4, 0.700 - 1.0 / 1.83, 0.436),
        },
    },
    ColdStartPreset {
        name: "cold_node_5min",
        about: "a new GPU node in 2 min (github.com/kserve/kserve#1247), a 2 to 5 GB image in 30 to 60 s (vendor \
                blogs), weights at 1 GB/s, 100 s until ready (llm-d's SLO guide)",
        parts: ColdStart {
            provision: seconds(120),
            image_pull: Span::Uniform { min_s: 30.0, max_s: 60.0 },
            weights: formula(0.0, 1.0, 0.0),
            warm_up: seconds(100),
        },
    },
];

/// Streams of random numbers, one a part.
const PROVISION: u64 = 1;
const IMAGE_PULL: u64 = 2;
const WEIGHTS: u64 = 3;
const WARM_UP: u64 = 4;

impl ColdStart {
    /// A start in two constant pieces, the simple form: a server boots, then an instance starts.
    pub const fn simple(server: SimDuration, instance: SimDuration) -> Self {
        ColdStart {
            provision: Span::Constant(server),
            image_pull: NONE,
            weights: NONE,
            warm_up: Span::Constant(instance),
        }
    }

    /// From the order of a server to the moment an instance may begin on it.
    pub fn server_delay(&self, seed: u64, server: u32, model: &ModelSpec) -> SimDuration {
        self.provision.draw(seed, server, PROVISION, model)
            + self.image_pull.draw(seed, server, IMAGE_PULL, model)
    }

    /// From an instance's beginning on a server that is up to ACTIVE.
    pub fn instance_delay(&self, seed: u64, instance: u32, model: &ModelSpec) -> SimDuration {
        self.weights.draw(seed, instance, WEIGHTS, model) + self.warm_up.draw(seed, instance, WARM_UP, model)
    }

    /// From the order of a server to ACTIVE, on average.
    pub fn mean(&self, model: &ModelSpec) -> SimDuration {
        let parts = [self.provision, self.image_pull, self.weights, self.warm_up];
        span(parts.iter().map(|part| part.mean_s(model)).sum())
    }
}

impl Span {
    fn draw(&self, seed: u64, key: u32, part: u64, model: &ModelSpec) -> SimDuration {
        let mut random = CounterRng::new(seed ^ STARTS, EntityId(key), part);
        match *self {
            Span::Constant(span) => span,
            Span::Uniform { min_s, max_s } => span(min_s + (max_s - min_s) * random.unit_f64()),
            Span::Lognormal { median_s, sigma, max_s } => {
                span((median_s * libm::exp(sigma * normal(&mut random))).min(max_s))
            }
            Span::Formula { .. } => span(self.mean_s(model)),
        }
    }

    fn mean_s(&self, model: &ModelSpec) -> f64 {
        match *self {
            Span::Constant(span) => span.as_secs_f64(),
            Span::Uniform { min_s, max_s } => (min_s + max_s) / 2.0,
            Span::Lognormal { median_s, sigma, max_s } => {
                (median_s * libm::exp(sigma * sigma / 2.0)).min(max_s)
            }
            Span::Formula { base_s, s_per_weights_gb, s_per_layer } => {
                let weights_gb = model.weights_bytes as f64 / 1e9;
                base_s + s_per_weights_gb * weights_gb + s_per_layer * f64::from(model.layers)
            }
        }
    }
}

/// Keeps these draws apart from those of entities, which have the same kind of key.
const STARTS: u64 = 0x005f_7374_6172_7473;

fn span(seconds: f64) -> SimDuration {
    SimDuration::from_secs_f64(seconds.max(0.0)).unwrap_or(SimDuration::MAX)
}
