//! `heteroscale`: one signal, output tokens/s, sizes both pools and keeps their ratio; a latency that is
//! far above its objective adds a share at once.
//!
//! After HeteroScale (arXiv 2508.19559) as splitwise-DRL writes it down. `pd_ratio` is prompt instances per
//! token instance. The paper sizes the token pool for all of the demand and the prompt pool by the ratio
//! (`split: decode`); splitwise-DRL shares the demand of the token pool out over both (`split: total`), so
//! that tokens get less than they need. Faithful is always `total`.
//!
//! Mended besides what the [room](super) mends: the panic truncates with `int()`, so that with fewer than five
//! instances × 1.2 changes nothing, yet uses up the cooldown and hides the rule proper. Here it adds one at
//! least, waits for what it ordered, and the larger of panic and rule counts. An idle fleet keeps a prompt
//! instance, where the original drops to none and never sees load again.
//!
//! Leaves out: the paper's groups of servers with fast links.

use crate::registry::{Kind, Parameter, Settings};
use crate::scaling::PolicyRefusal;
use crate::scaling::damping::Tolerance;
use crate::slo::LatencyKind;

use super::common::{PERCENTILE, bounds, number, target, tolerance, with_common};
use super::faithful::rounded;
use super::lens::Lens;
use super::rule::{Action, Bounds, Metrics, Pool, Rested, Rule, Sizes, Verdict, Wish};

const PARAMETERS: &[Parameter] = with_common![
    target("target_decode_tps_per_instance", 100.0, "output tokens/s that one instance is to give")
        .unit("tokens/s"),
    number("pd_ratio", 0.33, "prompt instances per token instance; 0: no prompt instances"),
    Parameter::word(
        "split",
        "decode",
        &["decode", "total"],
        "whom the target counts: token instances or all",
    ),
    number("scale_out_threshold", 0.1, "share of the fleet that may be missing"),
    number("scale_in_threshold", 0.1, "share of the fleet that may be too much").at_most(1.0),
    Parameter::flag(
        "enable_latency_trigger",
        true,
        "whether a high time between tokens adds instances at once",
    ),
    number("tbt_slo", 0.04, "time between tokens that is good enough").unit("s"),
    number("latency_panic_threshold", 1.2, "how many times the objective is a panic"),
    number("latency_panic_scale_factor", 1.2, "what a panic multiplies the fleet by").at_least(1.0),
    PERCENTILE,
];

pub(super) const KIND: Kind = Kind {
    name: "heteroscale",
    aliases: &["HeteroScalePolicy"],
    about: "prompt and token pools in a fixed ratio, by output tokens/s; more at once when tokens are late",
    parameters: PARAMETERS,
};

/// The rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HeteroScale {
    /// Output tokens/s of an instance.
    pub target_decode_tps: f64,
    /// Prompt instances per token instance.
    pub pd_ratio: f64,
    /// Whether the demand is shared out over both pools.
    pub shares_demand: bool,
    /// How far the fleet may be from the need.
    pub tolerance: Tolerance,
    /// Of each pool.
    pub bounds: Bounds,
    /// When tokens are late; none: never mind.
    pub panic: Option<Panic>,
    /// Of the time between tokens, in percent.
    pub percentile: f64,
}

/// What a time between tokens far above its objective does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Panic {
    /// Above this.
    pub limit_s: f64,
    /// The fleet times this.
    pub factor: f64,
}

impl HeteroScale {
    /// From its parameters.
    pub fn new(settings: &Settings) -> Result<Self, PolicyRefusal> {
        let number = |name| settings.number(name);
        let panic = Panic {
            limit_s: number("tbt_slo") * number("latency_panic_threshold"),
            factor: number("latency_panic_scale_factor"),
        };
        Ok(HeteroScale {
            target_decode_tps: number("target_decode_tps_per_instance"),
            pd_ratio: number("pd_ratio"),
            shares_demand: settings.text("split") == "total",
            tolerance: tolerance(settings),
            bounds: bounds(settings)?,
            panic: settings.flag("enable_latency_trigger").then_some(panic),
            percentile: number("percentile"),
        })
    }

    /// Prompt and token instances for so many tokens/s, when the demand is shared out over both.
    fn shares(&self, decode_tps: f64) -> (f64, f64) {
        let need = decode_tps / self.target_decode_tps;
        if self.pd_ratio > 0.0 {
            let prompt = need / (1.0 + 1.0 / self.pd_ratio);
            (prompt, prompt / self.pd_ratio)
        } else {
            (0.0, need)
        }
    }

    /// Prompt and token instances for so many tokens/s.
    fn needs(&self, decode_tps: f64) -> (f64, f64) {
        let need = decode_tps / self.target_decode_tps;
        if self.shares_demand { self.shares(decode_tps) } else { (need * self.pd_ratio, need) }
    }

    fn panics(&self, seen: &Metrics) -> Option<(Panic, f64)> {
        let (panic, tbt_s) = self.panic.zip(seen.tbt_s)?;
        (tbt_s > panic.limit_s).then_some((panic, tbt_s))
    }
}

impl Rule for HeteroScale {
    fn look(&self, lens: &Lens<'_, '_>) -> Metrics {
        Metrics {
            decode_tps: lens.decode_tps(),
            tbt_s: self.panic.and_then(|_| lens.latency_s(LatencyKind::Tbt, self.percentile)),
            ..Metrics::default()
        }
    }

    fn faithful(&self, sizes: Sizes, seen: &Metrics, rested: Rested) -> Verdict {
        let sizes = Sizes { token: sizes.token.max(1), ..sizes };
        if let Some((Panic { limit_s, factor }, tbt_s)) = self.panics(seen).filter(|_| rested.out) {
            let grown = |size| self.bounds.hold((f64::from(size) * factor).trunc());
            let sizes = Sizes { prompt: grown(sizes.prompt), token: grown(sizes.token) };
            let reason = format!("LATENCY_PANIC: tbt={tbt_s:.3}s > {limit_s:.3}s (scale by {factor:?}x)");
            return Verdict { action: Action::Out, sizes, reason };
        }
        let decode_tps = seen.decode_tps.unwrap_or(0.0);
        let (prompt, token) = self.shares(decode_tps);
        let ratio = (prompt + token) / (f64::from(sizes.prompt) + f64::from(sizes.token));
        let target = self.target_decode_tps * f64::from(sizes.token);
        let (action, sign) = if ratio > 1.0 + self.tolerance.up && rested.out {
            (Action::Out, '>')
        } else if ratio < 1.0 - self.tolerance.down && rested.into {
            (Action::In, '<')
        } else {
            return Verdict::stay(sizes);
        };
        let reason = format!("decode_tps={decode_tps:.1} {sign} target={target:.1}");
        Verdict { action, sizes: rounded(prompt, token, self.bounds), reason }
    }

    fn split(&self, prompt: Pool, token: Pool, seen: &Metrics) -> (Wish, Wish) {
        let Some(decode_tps) = seen.decode_tps else {
            return (Wish::blind(prompt, "decode_tps"), Wish::blind(token, "decode_tps"));
        };
        let needs = self.needs(decode_tps);
        if let Some((panic, tbt_s)) = self.panics(seen)
            && !prompt.is_growing()
            && !token.is_growing()
        {
            let grown = |pool: Pool, need: f64| {
                let raw = need.max(f64::from(pool.asked) * panic.factor);
                Wish::up(pool, raw, late(tbt_s, panic))
            };
            return (grown(prompt, needs.0), grown(token, needs.1));
        }
        // One signal, one direction: the fleet as a whole is too small or too large.
        let fleet = Pool { ready: prompt.ready + token.ready, asked: prompt.asked + token.asked };
        let reason = format!(
            "{decode_tps:.1} output tokens/s need {:.1} prompt and {:.1} token instances",
            needs.0, needs.1
        );
        let whole = Wish::by_need(fleet, needs.0 + needs.1, self.tolerance, reason);
        let of = |pool: Pool, need: f64| match whole.raw {
            Some(all) if whole.limited_by.is_none() && all > f64::from(fleet.asked) => {
                Wish::up(pool, need, whole.reason.clone())
            }
            Some(_) if whole.limited_by.is_none() => Wish::down(pool, need, whole.reason.clone()),
            _ => Wish { raw: Some(need), ..Wish::keep(pool, whole.limited_by, whole.reason.clone()) },
        };
        (of(prompt, needs.0), of(token, needs.1))
    }

    fn shared(&self, pool: Pool, seen: &Metrics) -> Wish {
        let Some(decode_tps) = seen.decode_tps else { return Wish::blind(pool, "decode_tps") };
        let (prompt, token) = self.needs(decode_tps);
        let need = prompt + token;
        match self.panics(seen) {
            Some((panic, tbt_s)) if !pool.is_growing() => {
                Wish::up(pool, need.max(f64::from(pool.asked) * panic.factor), late(tbt_s, panic))
            }
            _ => {
                let reason = format!("{decode_tps:.1} output tokens/s need {need:.1} instances");
                Wish::by_need(pool, need, self.tolerance, reason)
            }
        }
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }
}

fn late(tbt_s: f64, panic: Panic) -> String {
    format!("{:.1} ms between tokens, above {:.1} ms", tbt_s * 1e3, panic.limit_s * 1e3)
}
