//! What the five policies have in common: numbers in, sizes out, without time or fleet.

use crate::scaling::damping::Tolerance;
use crate::scaling::{Limiter, PolicyRefusal};

use super::lens::Lens;

/// The arithmetic of a policy.
pub trait Rule: Send + std::fmt::Debug {
    /// Looks at the metrics it needs, at no others.
    fn look(&self, lens: &Lens<'_, '_>) -> Metrics;

    /// The ancestor's decision, to the last bit.
    fn faithful(&self, sizes: Sizes, seen: &Metrics, rested: Rested) -> Verdict;

    /// What it wants of a prompt and a token pool.
    fn split(&self, prompt: Pool, token: Pool, seen: &Metrics) -> (Wish, Wish);

    /// What it wants of a fleet whose instances do both.
    fn shared(&self, pool: Pool, seen: &Metrics) -> Wish;

    /// The smallest and the largest pool.
    fn bounds(&self) -> Bounds;
}

/// What is known of the load; none: no data.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Metrics {
    /// Output tokens/s of the requests that completed.
    pub decode_tps: Option<f64>,
    /// Requests/s that arrived.
    pub prefill_tps: Option<f64>,
    /// Utilisation of the prompt pool, from 0 to 1.
    pub prefill_util: Option<f64>,
    /// Utilisation of the token pool, from 0 to 1.
    pub decode_util: Option<f64>,
    /// Time to first token.
    pub ttft_s: Option<f64>,
    /// Time between tokens.
    pub tbt_s: Option<f64>,
}

/// How many prompt and token instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// With the tag `prompt`.
    pub prompt: u32,
    /// With the tag `token`.
    pub token: u32,
}

/// Whether the cooldowns are over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rested {
    /// It may scale out.
    pub out: bool,
    /// It may scale in.
    pub into: bool,
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Scale out.
    Out,
    /// Scale in.
    In,
    /// No change; the sizes mean nothing.
    Stay,
}

/// The ancestor's answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// Which way.
    pub action: Action,
    /// The sizes it names.
    pub sizes: Sizes,
    /// In its words.
    pub reason: String,
}

impl Verdict {
    /// It leaves the pools as they are.
    pub(super) fn stay(sizes: Sizes) -> Self {
        Verdict { action: Action::Stay, sizes, reason: "within threshold".to_owned() }
    }
}

/// A pool as a mended policy counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pool {
    /// ACTIVE instances.
    pub ready: u32,
    /// ACTIVE and starting ones.
    pub asked: u32,
}

impl Pool {
    /// Whether an order is under way.
    pub fn is_growing(&self) -> bool {
        self.asked > self.ready
    }
}

/// The smallest and the largest pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Smallest.
    pub min: u32,
    /// Largest, not below the smallest.
    pub max: u32,
}

impl Bounds {
    /// From the parameters.
    pub(super) fn new(min: u32, max: u32) -> Result<Self, PolicyRefusal> {
        if min <= max {
            return Ok(Bounds { min, max });
        }
        Err(PolicyRefusal(format!("min_instances {min} is above max_instances {max}; swap them")))
    }

    /// The size within the bounds.
    pub(super) fn hold(self, size: f64) -> u32 {
        size.clamp(f64::from(self.min), f64::from(self.max)) as u32
    }

    /// The same without a smallest pool, as the ancestor bounds its prompt pools.
    pub(super) fn without_least(self) -> Self {
        Bounds { min: 0, ..self }
    }
}

/// What a mended policy wants of a pool, before bounds and cooldown.
#[derive(Clone, PartialEq, Debug)]
pub struct Wish {
    /// So many.
    pub size: u32,
    /// The number behind it.
    pub raw: Option<f64>,
    /// What held it back.
    pub limited_by: Option<Limiter>,
    /// Why.
    pub reason: String,
}

impl Wish {
    /// The pool as it is.
    pub(super) fn keep(pool: Pool, limited_by: Option<Limiter>, reason: impl Into<String>) -> Self {
        Wish { size: pool.asked, raw: None, limited_by, reason: reason.into() }
    }

    /// The pool as it is, for want of data.
    pub(super) fn blind(pool: Pool, what: &str) -> Self {
        Wish::keep(pool, Some(Limiter::Data), format!("{what} is not known"))
    }

    /// At least so many.
    pub(super) fn up(pool: Pool, raw: f64, reason: impl Into<String>) -> Self {
        Wish { size: whole(raw).max(pool.asked), raw: Some(raw), limited_by: None, reason: reason.into() }
    }

    /// At most so many.
    pub(super) fn down(pool: Pool, raw: f64, reason: impl Into<String>) -> Self {
        Wish { size: whole(raw).min(pool.asked), raw: Some(raw), limited_by: None, reason: reason.into() }
    }

    /// So many as are needed, unless the pool is near enough to that.
    pub(super) fn by_need(pool: Pool, need: f64, tolerance: Tolerance, reason: impl Into<String>) -> Self {
        match need / f64::from(pool.asked.max(1)) {
            ratio if tolerance.covers(ratio) => {
                let kept = Wish::keep(pool, Some(Limiter::Tolerance), reason);
                Wish { raw: Some(need), ..kept }
            }
            ratio if ratio > 1.0 => Wish::up(pool, need, reason),
            _ => Wish::down(pool, need, reason),
        }
    }
}

/// Rounded up, but not for the dust of a division.
fn whole(size: f64) -> u32 {
    (size - 1e-9).ceil().max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_rounded_up_and_pools_only_move_the_way_of_the_decision() {
        let pool = Pool { ready: 3, asked: 4 };
        let tolerance = Tolerance::both(0.1);
        let size = |need| Wish::by_need(pool, need, tolerance, "").size;
        assert_eq!([0.0, 2.0, 2.1, 3.5, 3.61, 4.4, 4.41, 9.9].map(size), [0, 2, 3, 4, 4, 4, 5, 10]);
        assert_eq!(Wish::up(pool, 2.0, "").size, 4, "up is never down");
        assert_eq!(Wish::down(pool, 6.0, "").size, 4, "down is never up");
        assert_eq!(whole(0.1 + 0.2 - 0.3 + 3.0), 3, "dust of a division starts no instance");
    }

    #[test]
    fn bounds_that_exclude_everything_are_refused() {
        assert_eq!(Bounds::new(1, 1).map(|bounds| bounds.hold(7.0)), Ok(1));
        assert!(Bounds::new(2, 1).is_err_and(|refusal| refusal.0.contains("swap them")));
    }
}
