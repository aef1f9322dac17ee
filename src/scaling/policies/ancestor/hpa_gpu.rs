//! `hpa_gpu`: each pool in proportion to its utilisation, as a horizontal pod autoscaler on GPU metrics.
//!
//! After splitwise-DRL, whose utilisation is memory in use over all memory. That counts the weights, which
//! never leave: an idle instance of a model that fills more than `target × (1 − threshold)` of the memory
//! looks busy, and its pool never shrinks (or grows for ever). And prompt pools hold little KV cache, however
//! busy they are.
//!
//! Mended besides what the [room](super) mends: prompt pools go by the share of time they compute, token pools
//! by the KV memory in use (`prefill_signal`, `decode_signal`; `busy` for token pools shows what HeteroScale's
//! authors report of GPU utilisation: it stays high while there is any request, and the pool never shrinks).
//! Each pool goes by its own ratio, where the original sets both when one crosses and shrinks only when both do.
//! The need is rounded up, as the original's comments promise. Starting instances count as there, so what
//! they will take is not ordered twice.

use crate::registry::{Kind, Parameter, Settings};
use crate::scaling::PolicyRefusal;
use crate::scaling::damping::Tolerance;
use crate::scaling::metrics::Signal;

use super::common::{bounds, number, target, tolerance, with_common};
use super::faithful::{at_least_one, by_ratios};
use super::lens::Lens;
use super::rule::{Bounds, Metrics, Pool, Rested, Rule, Sizes, Verdict, Wish};

const SIGNALS: &[&str] = &["busy", "kv_use", "memory_use"];

const PARAMETERS: &[Parameter] = with_common![
    target("target_prefill_util", 0.7, "utilisation that the prompt pool is to have").at_most(1.0),
    target("target_decode_util", 0.7, "utilisation that the token pool is to have").at_most(1.0),
    Parameter::word(
        "prefill_signal",
        "busy",
        SIGNALS,
        "utilisation of the prompt pool; faithful: memory_use",
    ),
    Parameter::word(
        "decode_signal",
        "kv_use",
        SIGNALS,
        "utilisation of the token pool; faithful: memory_use",
    ),
    number("scale_out_threshold", 0.1, "share above the target that is not acted on"),
    number("scale_in_threshold", 0.1, "share below the target that is not acted on").at_most(1.0),
];

pub(super) const KIND: Kind = Kind {
    name: "hpa_gpu",
    aliases: &["HPAGPUPolicy", "HPA-GPU"],
    about: "each pool in proportion to its utilisation",
    parameters: PARAMETERS,
};

/// The rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HpaGpu {
    /// Of the prompt and the token pool.
    pub targets: (f64, f64),
    /// What utilisation means when mended.
    pub signals: (Signal, Signal),
    /// How far a pool may be from the need.
    pub tolerance: Tolerance,
    /// Of each pool.
    pub bounds: Bounds,
}

impl HpaGpu {
    /// From its parameters.
    pub fn new(settings: &Settings) -> Result<Self, PolicyRefusal> {
        Ok(HpaGpu {
            targets: (settings.number("target_prefill_util"), settings.number("target_decode_util")),
            signals: (signal(settings.text("prefill_signal")), signal(settings.text("decode_signal"))),
            tolerance: tolerance(settings),
            bounds: bounds(settings)?,
        })
    }
}

fn signal(word: &str) -> Signal {
    match word {
        "busy" => Signal::Busy,
        "kv_use" => Signal::KvUse,
        _ => Signal::MemoryUse,
    }
}

impl Rule for HpaGpu {
    fn look(&self, lens: &Lens<'_, '_>) -> Metrics {
        let memory = (Signal::MemoryUse, Signal::MemoryUse);
        let (prefill, decode) = if lens.is_faithful() { memory } else { self.signals };
        Metrics {
            prefill_util: lens.prefill_util(prefill),
            decode_util: lens.decode_util(decode),
            ..Metrics::default()
        }
    }

    fn faithful(&self, sizes: Sizes, seen: &Metrics, rested: Rested) -> Verdict {
        let sizes = at_least_one(sizes);
        let (prefill, decode) = (seen.prefill_util.unwrap_or(0.0), seen.decode_util.unwrap_or(0.0));
        let prompt = f64::from(sizes.prompt) * prefill / self.targets.0;
        let token = f64::from(sizes.token) * decode / self.targets.1;
        let reason = format!(
            "Prefill: util={prefill:.2}/{:.2}, Decode: util={decode:.2}/{:.2}",
            self.targets.0, self.targets.1
        );
        by_ratios(sizes, (prompt, token), (self.tolerance, self.bounds), rested, reason)
    }

    fn split(&self, prompt: Pool, token: Pool, seen: &Metrics) -> (Wish, Wish) {
        let wish = |pool: Pool, util: Option<f64>, target: f64| {
            let Some(util) = util else { return Wish::blind(pool, "utilisation") };
            let need = f64::from(pool.ready) * util / target;
            Wish::by_need(pool, need, self.tolerance, format!("utilisation is {util:.2} of {target:.2}"))
        };
        (wish(prompt, seen.prefill_util, self.targets.0), wish(token, seen.decode_util, self.targets.1))
    }

    /// The phase that needs more counts.
    fn shared(&self, pool: Pool, seen: &Metrics) -> Wish {
        let (prefill, decode) = self.split(pool, pool, seen);
        if prefill.raw > decode.raw { prefill } else { decode }
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }
}
