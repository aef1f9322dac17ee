//! `pure_latency`: a time between tokens above its objective adds instances to both pools, one below takes
//! some away.
//!
//! After splitwise-DRL. Mended besides what the [room](super) mends: nothing is added while an order is under
//! way, for the latency cannot know of it yet.

use crate::registry::{Kind, Parameter, Settings};
use crate::scaling::{Limiter, PolicyRefusal};
use crate::slo::LatencyKind;

use super::common::{PERCENTILE, bounds, number, with_common};
use super::lens::Lens;
use super::rule::{Action, Bounds, Metrics, Pool, Rested, Rule, Sizes, Verdict, Wish};

const PARAMETERS: &[Parameter] = with_common![
    number("tbt_slo", 0.04, "time between tokens that is good enough").unit("s"),
    number("scale_out_threshold", 1.1, "times the objective above which it grows"),
    number("scale_in_threshold", 0.8, "times the objective below which it shrinks"),
    number("scale_out_step", 2.0, "instances added to each pool").at_least(1.0).unit("instances"),
    number("scale_in_step", 1.0, "instances taken from each pool").at_least(1.0).unit("instances"),
    PERCENTILE,
];

pub(super) const KIND: Kind = Kind {
    name: "pure_latency",
    aliases: &["PureLatencyPolicy"],
    about: "both pools a step up above a time between tokens, a step down below another",
    parameters: PARAMETERS,
};

/// The rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PureLatency {
    /// Above this it grows, in seconds.
    pub high_s: f64,
    /// Below this it shrinks, in seconds.
    pub low_s: f64,
    /// Instances added and taken away.
    pub steps: (u32, u32),
    /// Of each pool.
    pub bounds: Bounds,
    /// Of the time between tokens, in percent.
    pub percentile: f64,
}

impl PureLatency {
    /// From its parameters.
    pub fn new(settings: &Settings) -> Result<Self, PolicyRefusal> {
        let slo_s = settings.number("tbt_slo");
        Ok(PureLatency {
            high_s: slo_s * settings.number("scale_out_threshold"),
            low_s: slo_s * settings.number("scale_in_threshold"),
            steps: (settings.count("scale_out_step"), settings.count("scale_in_step")),
            bounds: bounds(settings)?,
            percentile: settings.number("percentile"),
        })
    }
}

impl Rule for PureLatency {
    fn look(&self, lens: &Lens<'_, '_>) -> Metrics {
        Metrics { tbt_s: lens.latency_s(LatencyKind::Tbt, self.percentile), ..Metrics::default() }
    }

    fn faithful(&self, sizes: Sizes, seen: &Metrics, rested: Rested) -> Verdict {
        let tbt_s = seen.tbt_s.unwrap_or(0.0);
        let Bounds { min, max } = self.bounds;
        let (action, sizes) = if tbt_s > self.high_s && rested.out {
            let more = |size: u32| size.saturating_add(self.steps.0).min(max);
            (Action::Out, Sizes { prompt: more(sizes.prompt), token: more(sizes.token) })
        } else if tbt_s > 0.0 && tbt_s < self.low_s && rested.into {
            let less = |size: u32| size.saturating_sub(self.steps.1);
            (Action::In, Sizes { prompt: less(sizes.prompt), token: less(sizes.token).max(min) })
        } else {
            return Verdict::stay(sizes);
        };
        Verdict { action, sizes, reason: format!("tbt={tbt_s:.3}s") }
    }

    fn split(&self, prompt: Pool, token: Pool, seen: &Metrics) -> (Wish, Wish) {
        let growing = prompt.is_growing() || token.is_growing();
        (self.wish(prompt, growing, seen), self.wish(token, growing, seen))
    }

    fn shared(&self, pool: Pool, seen: &Metrics) -> Wish {
        self.wish(pool, pool.is_growing(), seen)
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }
}

impl PureLatency {
    fn wish(&self, pool: Pool, growing: bool, seen: &Metrics) -> Wish {
        let Some(tbt_s) = seen.tbt_s else { return Wish::blind(pool, "time between tokens") };
        let reason = format!("{:.1} ms between tokens", tbt_s * 1e3);
        let (up, down) = self.steps;
        if tbt_s > self.high_s && growing {
            Wish::keep(pool, Some(Limiter::Delay), format!("{reason}, instances are starting"))
        } else if tbt_s > self.high_s {
            Wish::up(pool, f64::from(pool.asked) + f64::from(up), reason)
        } else if tbt_s < self.low_s {
            Wish::down(pool, f64::from(pool.asked) - f64::from(down), reason)
        } else {
            Wish::keep(pool, None, reason)
        }
    }
}
