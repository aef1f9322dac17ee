//! What a GPU draws while it serves, as a function of what keeps it busy.
//!
//! In both phases the draw is a share of the GPU's rated power (TDP), and the share follows from how far memory
//! and arithmetic are used:
//!
//! `share = 0.32 + 0.66 · bandwidth used + 1.55 · arithmetic used, at most 1`
//!
//! where the first is bytes read a second (weights once an iteration, and caches) over the sheet's bandwidth, the
//! second operations a second (two a parameter and token) over the sheet's bf16 peak. So a prompt of some hundred
//! tokens draws the rated power, and a decode, which mostly reads weights, half of it or less.
//!
//! Source: fitted by least squares to the A100 rows of splitwise-sim's `perf_model.csv` (MIT, commit 8f99e7d): 44
//! points of Llama-2-70B on 2, 4 and 8 GPUs and BLOOM-176B on 8, prompts of 128 to 8192 tokens, batches of 1 to 16.
//! Its `average_power` is taken for the decode's draw (mean error 2.9 %, largest 6 %), its `peak_power` for the
//! prompt's (mean error 9 %, largest 38 %, at prompts of 256 tokens; peaks above the rated power count as 1). The
//! table has no power of other GPUs: for these the A100's coefficients are **assumed**, with the GPU's own rated
//! power, bandwidth and peak. H100s serving Llama 3.3 70B have been seen at 480 to 520 W (vLLM 0.6, fp8, 64 to 128
//! sequences), where this says 370 to 450 W: expect errors of 25 %.
//!
//! Weights of one byte a parameter multiply at twice the peak, so bytes of weights stand for operations at any
//! precision. Leaves out: clocks and temperature, the links between GPUs, caches read by prompts. Watts, joules.

use std::sync::{PoisonError, RwLock};

use super::roofline::find_gpu;

/// Share of the rated power while iterations run, however little they do.
const BASE: f64 = 0.32;
/// Added at the full bandwidth.
const MEMORY: f64 = 0.66;
/// Added at the full arithmetic peak.
const COMPUTE: f64 = 1.55;

/// GPU, rated watts, watts when idle.
///
/// Rated power: `systems/*.yaml` of NVIDIA AIConfigurator, commit 095f58a; NVIDIA's sheet for the RTX 4090, AMD's
/// for the MI300X. Idle: splitwise-sim's figures for the A100 and H100; for the others the H100's share is assumed.
const RATED: [(&str, f64, Option<f64>); 8] = [
    ("A100", 400.0, Some(63.0)),
    ("H100", 700.0, Some(75.0)),
    ("H200", 700.0, None),
    ("B200", 1000.0, None),
    ("L40S", 350.0, None),
    ("RTX-PRO-6000", 600.0, None),
    ("RTX-4090", 450.0, None),
    ("MI300X", 750.0, None),
];

const ASSUMED_IDLE: f64 = 75.0 / 700.0;

/// The ancestor's power-capped H100: half its rated power (Splitwise, ISCA 2024, "HHcap").
const CAPPED: (&str, &str, f64) = ("h100-80gb-pcap", "h100-80gb", 350.0);

/// What a GPU draws.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GpuPower {
    /// Rated watts, of which everything is a share.
    pub rated_w: f64,
    /// It never draws more.
    pub most_w: f64,
    /// Watts without work.
    pub idle_w: f64,
    /// Bytes of memory read a second, at most.
    pub bandwidth_bytes_s: f64,
    /// Floating-point operations a second in bf16, at most.
    pub bf16_flops: f64,
}

/// What a GPU of this name draws; none if its figures are not known.
pub fn gpu_power(name: &str) -> Option<GpuPower> {
    /// What was asked for before: thousands of instances have the same few GPUs.
    static KNOWN: RwLock<Vec<(String, Option<GpuPower>)>> = RwLock::new(Vec::new());
    let find = |known: &[(String, Option<GpuPower>)]| {
        known.iter().find(|(known, _)| known == name).map(|(_, power)| *power)
    };
    if let Some(power) = find(&KNOWN.read().unwrap_or_else(PoisonError::into_inner)) {
        return power;
    }
    let power = look_up(name);
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), power));
    power
}

fn look_up(name: &str) -> Option<GpuPower> {
    let (capped, of, most_w) = CAPPED;
    if name == capped {
        return Some(GpuPower { most_w, ..look_up(of)? });
    }
    let gpu = find_gpu(name).ok()?;
    let (_, rated_w, idle_w) = RATED.into_iter().find(|(rated, ..)| *rated == gpu.name)?;
    Some(GpuPower {
        rated_w,
        most_w: rated_w,
        idle_w: idle_w.unwrap_or(ASSUMED_IDLE * rated_w),
        bandwidth_bytes_s: gpu.bandwidth_bytes_s,
        bf16_flops: gpu.bf16_flops,
    })
}

/// A model on some GPUs, as far as its draw depends on it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Served {
    /// GPUs it is spread over.
    pub gpus: u32,
    /// Bytes of its weights, on all of them.
    pub weights_bytes: u64,
    /// Share of the weights that a token visits: 1 but for mixtures of experts.
    pub active_share: f64,
    /// Bytes of cache that a token of context takes, on all of them.
    pub kv_bytes_per_token: u64,
}

/// What iterations did, summed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Effort {
    /// Seconds they took.
    pub seconds: f64,
    /// How many they were.
    pub iterations: f64,
    /// Tokens that went through the model.
    pub tokens: f64,
    /// Tokens of context that decoding sequences read.
    pub context_tokens: f64,
}

/// Energy of iterations on one kind of instance: linear in what they do, up to the most the GPUs draw.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EnergyRates {
    base_w: f64,
    most_w: f64,
    active_share: f64,
    joules_per_weights_read: f64,
    joules_per_token: f64,
    joules_per_context_token: f64,
}

impl EnergyRates {
    /// Of a model on GPUs of this kind.
    pub fn new(gpu: &GpuPower, served: &Served) -> Self {
        let gpus = f64::from(served.gpus);
        let weights = served.weights_bytes as f64;
        let joules_per_byte = gpu.rated_w * MEMORY / gpu.bandwidth_bytes_s;
        EnergyRates {
            base_w: gpus * gpu.rated_w * BASE,
            most_w: gpus * gpu.most_w,
            active_share: served.active_share,
            joules_per_weights_read: weights * joules_per_byte,
            joules_per_token: weights * served.active_share * gpu.rated_w * COMPUTE / gpu.bf16_flops,
            joules_per_context_token: served.kv_bytes_per_token as f64 * joules_per_byte,
        }
    }

    /// Joules of all GPUs together.
    pub fn joules(&self, effort: &Effort) -> f64 {
        // Of a mixture's weights, no more are read than its tokens visit.
        let read = (self.active_share * effort.tokens).min(effort.iterations);
        let joules = self.base_w * effort.seconds
            + self.joules_per_weights_read * read
            + self.joules_per_token * effort.tokens
            + self.joules_per_context_token * effort.context_tokens;
        joules.min(self.most_w * effort.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of the rated power of an iteration, by the model.
    fn share(gpu: &str, weights_gb: u64, gpus: u32, tokens: u64, milliseconds: f64) -> f64 {
        let served = Served {
            gpus,
            weights_bytes: weights_gb * 1_000_000_000,
            active_share: 1.0,
            kv_bytes_per_token: 0,
        };
        let power = gpu_power(gpu).unwrap();
        let seconds = milliseconds / 1e3;
        let effort = Effort { seconds, iterations: 1.0, tokens: tokens as f64, context_tokens: 0.0 };
        EnergyRates::new(&power, &served).joules(&effort) / (seconds * power.rated_w * f64::from(gpus))
    }

    #[test]
    fn an_a100_draws_what_was_measured_in_either_phase() {
        // splitwise-sim's perf_model.csv: weights, GPUs, tokens of the iteration, its time, share of the TDP.
        for (weights_gb, gpus, tokens, milliseconds, measured, within) in [
            (138, 2, 1, 54.9, 0.736, 0.03),
            (138, 4, 1, 45.0, 0.599, 0.05),
            (138, 8, 1, 44.9, 0.435, 0.05),
            (138, 8, 16, 50.4, 0.458, 0.05),
            (352, 8, 1, 48.8, 0.635, 0.05),
            (352, 8, 16, 57.3, 0.656, 0.05),
            (138, 2, 1024, 377.1, 1.0, 0.01),
            (138, 8, 512, 94.3, 0.749, 0.15),
            (352, 8, 2048, 540.4, 1.0, 0.01),
        ] {
            let found = share("a100-80gb", weights_gb, gpus, tokens, milliseconds);
            let error = found / measured - 1.0;
            assert!(
                error.abs() < within,
                "{weights_gb} GB on {gpus}, {tokens} tokens: {found} for {measured}"
            );
        }
    }

    #[test]
    fn a_capped_gpu_draws_no_more_than_its_cap() {
        assert_eq!(share("h100-80gb-pcap", 138, 8, 8192, 1000.0), 0.5);
        assert!(share("h100-80gb", 138, 8, 8192, 1000.0) > 0.5);
    }

    #[test]
    fn of_a_mixture_only_the_visited_experts_cost() {
        let power = gpu_power("H100").unwrap();
        let dense = Served { gpus: 1, weights_bytes: 60 << 30, active_share: 1.0, kv_bytes_per_token: 0 };
        let mixture = Served { active_share: 0.05, ..dense };
        let joules = |served: &Served, tokens| {
            let effort = Effort { seconds: 1.0, iterations: 1.0, tokens, context_tokens: 0.0 };
            EnergyRates::new(&power, served).joules(&effort)
        };
        assert!(joules(&mixture, 1.0) < joules(&dense, 1.0));
        let many = joules(&mixture, 20.0);
        assert!(
            many > joules(&dense, 0.0) && many < joules(&dense, 20.0),
            "all are read, few multiplied by each"
        );
    }

    #[test]
    fn every_rated_gpu_is_a_known_one_and_others_have_no_figures() {
        for (name, rated_w, _) in RATED {
            let power = gpu_power(name).unwrap();
            assert_eq!((power.rated_w, power.most_w), (rated_w, rated_w));
            assert!(power.idle_w < 0.2 * rated_w);
        }
        assert_eq!(gpu_power("h100-80gb"), gpu_power("H100"));
        assert_eq!(gpu_power("abacus"), None);
    }
}
