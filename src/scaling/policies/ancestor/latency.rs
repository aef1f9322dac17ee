//! `latency`: the pool behind a latency grows or shrinks by a factor: TTFT moves the prompt pool, the time
//! between tokens the token pool.
//!
//! After splitwise-DRL (LatencyBased, `latency_ttft`). Mended besides what the [room](super) mends: the
//! original rounds `n × factor`, so that pools of two never grow by × 1.2, of four never by × 1.1, of ten never
//! shrink by × 0.95; here a step is one instance at least. And it shrinks when nothing completed at all,
//! as when everything hangs.

use crate::registry::{Kind, Parameter, Settings};
use crate::scaling::{Limiter, PolicyRefusal};
use crate::slo::LatencyKind;

use super::common::{PERCENTILE, bounds, number, target, with_common};
use super::lens::Lens;
use super::rule::{Action, Bounds, Metrics, Pool, Rested, Rule, Sizes, Verdict, Wish};

const PARAMETERS: &[Parameter] = with_common![
    target("target_latency", 1.0, "latency that is good enough").unit("s"),
    Parameter::word("latency_type", "ttft", &["ttft", "tbt"], "which latency; it names the pool"),
    number("panic_threshold", 1.2, "times the target from which it grows fast"),
    number("scale_out_threshold", 1.1, "times the target from which it grows"),
    number("scale_in_threshold", 0.9, "times the target down to which it shrinks"),
    number("panic_scale_factor", 1.2, "what fast growth multiplies the pool by").at_least(1.0),
    number("scale_out_factor", 1.1, "what growth multiplies the pool by").at_least(1.0),
    number("scale_in_factor", 0.95, "what shrinking multiplies the pool by").at_most(1.0),
    PERCENTILE,
];

pub(super) const KIND: Kind = Kind {
    name: "latency",
    aliases: &["LatencyBasedPolicy", "latency_ttft"],
    about: "the pool behind a latency (TTFT: prompt, TBT: token) by a factor",
    parameters: PARAMETERS,
};

/// The rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Latency {
    /// TTFT or TBT.
    pub kind: LatencyKind,
    /// From this many seconds on it grows fast, and by which factor.
    pub panic: (f64, f64),
    /// From this many seconds on it grows, and by which factor.
    pub high: (f64, f64),
    /// Down to this many seconds it shrinks, and by which factor.
    pub low: (f64, f64),
    /// Of the pool.
    pub bounds: Bounds,
    /// Of the latency, in percent.
    pub percentile: f64,
}

impl Latency {
    /// From its parameters.
    pub fn new(settings: &Settings) -> Result<Self, PolicyRefusal> {
        let target_s = settings.number("target_latency");
        let level = |threshold, factor| (target_s * settings.number(threshold), settings.number(factor));
        let is_ttft = settings.text("latency_type") == "ttft";
        Ok(Latency {
            kind: if is_ttft { LatencyKind::Ttft } else { LatencyKind::Tbt },
            panic: level("panic_threshold", "panic_scale_factor"),
            high: level("scale_out_threshold", "scale_out_factor"),
            low: level("scale_in_threshold", "scale_in_factor"),
            bounds: bounds(settings)?,
            percentile: settings.number("percentile"),
        })
    }

    fn latency_s(&self, seen: &Metrics) -> Option<f64> {
        if self.kind == LatencyKind::Ttft { seen.ttft_s } else { seen.tbt_s }
    }

    /// By which factor the pool changes; none: it stays.
    fn factor(&self, latency_s: f64) -> Option<f64> {
        let levels = [self.panic, self.high];
        let grows = levels.into_iter().find(|(limit_s, _)| latency_s >= *limit_s);
        grows.or(Some(self.low).filter(|(limit_s, _)| latency_s <= *limit_s)).map(|(_, factor)| factor)
    }
}

impl Rule for Latency {
    fn look(&self, lens: &Lens<'_, '_>) -> Metrics {
        let latency_s = lens.latency_s(self.kind, self.percentile);
        if self.kind == LatencyKind::Ttft {
            Metrics { ttft_s: latency_s, ..Metrics::default() }
        } else {
            Metrics { tbt_s: latency_s, ..Metrics::default() }
        }
    }

    fn faithful(&self, sizes: Sizes, seen: &Metrics, rested: Rested) -> Verdict {
        let latency_s = self.latency_s(seen).unwrap_or(0.0);
        let action = if latency_s >= self.high.0 { Action::Out } else { Action::In };
        let may = if action == Action::Out { rested.out } else { rested.into };
        let Some(factor) = self.factor(latency_s).filter(|_| may) else { return Verdict::stay(sizes) };
        let changed = |size: u32| self.bounds.hold((f64::from(size) * factor).round_ties_even());
        let sizes = if self.kind == LatencyKind::Ttft {
            Sizes { prompt: changed(sizes.prompt), ..sizes }
        } else {
            Sizes { token: changed(sizes.token), ..sizes }
        };
        Verdict { action, sizes, reason: format!("{}={latency_s:.3}s", self.kind) }
    }

    fn split(&self, prompt: Pool, token: Pool, seen: &Metrics) -> (Wish, Wish) {
        let other = |pool| Wish::keep(pool, None, format!("{} is the other pool's", self.kind));
        if self.kind == LatencyKind::Ttft {
            (self.shared(prompt, seen), other(token))
        } else {
            (other(prompt), self.shared(token, seen))
        }
    }

    fn shared(&self, pool: Pool, seen: &Metrics) -> Wish {
        let Some(latency_s) = self.latency_s(seen) else { return Wish::blind(pool, "the latency") };
        let reason = format!("{} is {latency_s:.3} s", self.kind);
        let size = f64::from(pool.asked);
        match self.factor(latency_s) {
            None => Wish::keep(pool, None, reason),
            Some(_) if latency_s >= self.high.0 && pool.is_growing() => {
                Wish::keep(pool, Some(Limiter::Delay), format!("{reason}, instances are starting"))
            }
            Some(factor) if latency_s >= self.high.0 => {
                Wish::up(pool, (size * factor).max(size + 1.0), reason)
            }
            Some(factor) => Wish::down(pool, (size * factor).floor().min(size - 1.0), reason),
        }
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }
}
