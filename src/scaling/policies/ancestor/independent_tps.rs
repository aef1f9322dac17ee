//! `independent_tps`: each pool by its own throughput, what is asked over what an instance is to give.
//!
//! After splitwise-DRL, whose prompt throughput is requests/s, not tokens/s; so it is here. Mended besides
//! what the [room](super) mends: each pool goes by its own ratio and is rounded up.

use crate::registry::{Kind, Parameter, Settings};
use crate::scaling::PolicyRefusal;
use crate::scaling::damping::Tolerance;

use super::common::{bounds, number, target, tolerance, with_common};
use super::faithful::{at_least_one, by_ratios};
use super::lens::Lens;
use super::rule::{Bounds, Metrics, Pool, Rested, Rule, Sizes, Verdict, Wish};

const PARAMETERS: &[Parameter] = with_common![
    target("target_prefill_tps", 30.0, "requests/s that one prompt instance is to take").unit("requests/s"),
    target("target_decode_tps", 100.0, "output tokens/s that one token instance is to give").unit("tokens/s"),
    number("scale_out_threshold", 0.1, "share of a pool that may be missing"),
    number("scale_in_threshold", 0.1, "share of a pool that may be too much").at_most(1.0),
];

pub(super) const KIND: Kind = Kind {
    name: "independent_tps",
    aliases: &["IndependentTPSPolicy"],
    about: "each pool by its own throughput: requests/s that arrive, output tokens/s that complete",
    parameters: PARAMETERS,
};

/// The rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct IndependentTps {
    /// Requests/s of a prompt instance and output tokens/s of a token instance.
    pub targets: (f64, f64),
    /// How far a pool may be from the need.
    pub tolerance: Tolerance,
    /// Of each pool.
    pub bounds: Bounds,
}

impl IndependentTps {
    /// From its parameters.
    pub fn new(settings: &Settings) -> Result<Self, PolicyRefusal> {
        Ok(IndependentTps {
            targets: (settings.number("target_prefill_tps"), settings.number("target_decode_tps")),
            tolerance: tolerance(settings),
            bounds: bounds(settings)?,
        })
    }
}

impl Rule for IndependentTps {
    fn look(&self, lens: &Lens<'_, '_>) -> Metrics {
        let (prefill_tps, decode_tps) = (lens.prefill_tps(), lens.decode_tps());
        Metrics { prefill_tps, decode_tps, ..Metrics::default() }
    }

    fn faithful(&self, sizes: Sizes, seen: &Metrics, rested: Rested) -> Verdict {
        let (prefill, decode) = (seen.prefill_tps.unwrap_or(0.0), seen.decode_tps.unwrap_or(0.0));
        let needs = (prefill / self.targets.0, decode / self.targets.1);
        let reason = format!("prefill_tps={prefill:.1}, decode_tps={decode:.1}");
        by_ratios(at_least_one(sizes), needs, (self.tolerance, self.bounds), rested, reason)
    }

    fn split(&self, prompt: Pool, token: Pool, seen: &Metrics) -> (Wish, Wish) {
        let wish = |pool: Pool, tps: Option<f64>, target: f64, unit: &str| {
            let Some(tps) = tps else { return Wish::blind(pool, unit) };
            let reason = format!("{tps:.1} {unit}, {target} an instance");
            Wish::by_need(pool, tps / target, self.tolerance, reason)
        };
        let prompt = wish(prompt, seen.prefill_tps, self.targets.0, "requests/s");
        (prompt, wish(token, seen.decode_tps, self.targets.1, "output tokens/s"))
    }

    /// An instance that does both has its time for both.
    fn shared(&self, pool: Pool, seen: &Metrics) -> Wish {
        let Some((prefill, decode)) = seen.prefill_tps.zip(seen.decode_tps) else {
            return Wish::blind(pool, "throughput");
        };
        let need = prefill / self.targets.0 + decode / self.targets.1;
        let reason =
            format!("{prefill:.1} requests/s and {decode:.1} output tokens/s need {need:.1} instances");
        Wish::by_need(pool, need, self.tolerance, reason)
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }
}
