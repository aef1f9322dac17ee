//! From traffic to numbers of engines: the arithmetic of the throughput mode.

/// Traffic expected in an interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Traffic {
    /// Requests in the interval.
    pub requests: f64,
    /// Tokens of a mean prompt (ISL).
    pub prompt_tokens: f64,
    /// Tokens of a mean output (OSL).
    pub output_tokens: f64,
    /// How long the interval is, in seconds, > 0.
    pub interval_s: f64,
}

impl Traffic {
    /// Tokens that a sequence has in the KV cache half way through its output.
    pub fn context_tokens(&self) -> f64 {
        self.prompt_tokens + self.output_tokens / 2.0
    }
}

/// A kind of engine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Engine {
    /// Tokens that a GPU of it computes per second, > 0.
    pub tokens_per_s_per_gpu: f64,
    /// GPUs it has.
    pub gpus: u32,
}

impl Engine {
    /// How many of it compute so many tokens per second.
    fn needed(&self, tokens_per_s: f64) -> u32 {
        (tokens_per_s / self.tokens_per_s_per_gpu / f64::from(self.gpus)).ceil() as u32
    }
}

/// How many prefill engines the traffic needs. A `correction` (observed over expected time to first token)
/// below one says that prompts are cheaper than they seem, as with cached prefixes; above one it says that they
/// queued, which more engines for the same tokens would not explain, so it is not applied.
pub fn prefill_needed(traffic: &Traffic, engine: Engine, correction: f64) -> u32 {
    let tokens_per_s = traffic.requests * traffic.prompt_tokens / traffic.interval_s;
    engine.needed(tokens_per_s * correction.min(1.0))
}

/// How many decode engines the traffic needs.
pub fn decode_needed(traffic: &Traffic, engine: Engine) -> u32 {
    engine.needed(traffic.requests * traffic.output_tokens / traffic.interval_s)
}

/// The time between tokens to look for in the profile, so that with the error of the profile the target is met.
/// `correction` is observed over expected time.
pub fn corrected_itl_s(target_s: f64, correction: f64) -> f64 {
    if correction > 0.0 { target_s / correction } else { target_s }
}

/// Engines of both kinds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sizes {
    /// That compute prompts.
    pub prefill: u32,
    /// That compute outputs.
    pub decode: u32,
}

impl Sizes {
    /// At least so many of each.
    pub fn at_least(self, least: u32) -> Self {
        Sizes { prefill: self.prefill.max(least), decode: self.decode.max(least) }
    }

    /// The larger of each.
    pub fn max(self, other: Self) -> Self {
        Sizes { prefill: self.prefill.max(other.prefill), decode: self.decode.max(other.decode) }
    }

    fn gpus(self, each: Sizes) -> u64 {
        let gpus = |engines: u32, each: u32| u64::from(engines) * u64::from(each);
        gpus(self.prefill, each.prefill) + gpus(self.decode, each.decode)
    }
}

/// At least `least` of each, with `gpus` each, on `budget` GPUs together: prefill shrinks in proportion and
/// decode gets what is left. None at all where not even the least fit.
pub fn within_budget(wanted: Sizes, gpus: Sizes, least: u32, budget: u32) -> Sizes {
    let wanted = wanted.at_least(least);
    let total = wanted.gpus(gpus);
    if total <= u64::from(budget) {
        return wanted;
    }
    if (Sizes { prefill: least, decode: least }).gpus(gpus) > u64::from(budget) {
        return Sizes::default();
    }
    // Floating point, as in the original: its roundings are part of the rule.
    let share = f64::from(budget) / total as f64;
    let beside = (budget - least * gpus.decode) / gpus.prefill;
    let prefill = beside.min((f64::from(wanted.prefill) * share) as u32).max(least);
    let decode = ((budget - prefill * gpus.prefill) / gpus.decode).max(least);
    Sizes { prefill, decode }
}

/// A single pool within a budget; none where not even the least fit.
pub fn single_within_budget(wanted: u32, gpus: u32, least: u32, budget: u32) -> u32 {
    let most = budget / gpus.max(1);
    if most < least { 0 } else { wanted.max(least).min(most) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRAFFIC: Traffic =
        Traffic { requests: 600.0, prompt_tokens: 1000.0, output_tokens: 200.0, interval_s: 60.0 };

    #[test]
    fn engines_are_rounded_up_from_tokens_per_second() {
        let engine = |tokens_per_s_per_gpu, gpus| Engine { tokens_per_s_per_gpu, gpus };
        assert_eq!(prefill_needed(&TRAFFIC, engine(1000.0, 4), 1.0), 3, "10 000 tokens/s");
        assert_eq!(decode_needed(&TRAFFIC, engine(999.0, 1)), 3, "2 000 tokens/s");
    }

    #[test]
    fn queueing_does_not_raise_prefill_and_cheap_prompts_lower_it() {
        let engine = Engine { tokens_per_s_per_gpu: 1000.0, gpus: 1 };
        assert_eq!(prefill_needed(&TRAFFIC, engine, 5.0), 10);
        assert_eq!(prefill_needed(&TRAFFIC, engine, 0.5), 5);
    }

    #[test]
    fn a_correction_that_says_nothing_leaves_the_target() {
        assert_eq!(corrected_itl_s(0.05, 2.0), 0.025);
        assert_eq!(corrected_itl_s(0.05, 0.0), 0.05);
        assert_eq!(corrected_itl_s(0.05, -1.0), 0.05);
    }

    #[test]
    fn a_budget_below_the_least_gives_nothing() {
        let gpus = Sizes { prefill: 8, decode: 8 };
        let wanted = Sizes { prefill: 1, decode: 1 };
        assert_eq!(within_budget(wanted, gpus, 1, 15), Sizes::default());
        assert_eq!(within_budget(wanted, gpus, 1, 16), wanted);
        assert_eq!((single_within_budget(5, 8, 1, 7), single_within_budget(5, 8, 1, 39)), (0, 4));
    }

    #[test]
    fn prefill_shrinks_in_proportion_and_decode_gets_the_rest() {
        let gpus = Sizes { prefill: 2, decode: 1 };
        let sized = within_budget(Sizes { prefill: 6, decode: 8 }, gpus, 1, 10);
        assert_eq!(sized, Sizes { prefill: 3, decode: 4 });
    }

    proptest! {
        #[test]
        fn no_budget_is_exceeded(
            prefill in 0u32..500, decode in 0u32..500, gp in 1u32..9, gd in 1u32..9, least in 0u32..4,
            budget in 0u32..900,
        ) {
            let gpus = Sizes { prefill: gp, decode: gd };
            let sized = within_budget(Sizes { prefill, decode }, gpus, least, budget);
            prop_assert!(sized.gpus(gpus) <= u64::from(budget));
            let least = Sizes { prefill: least, decode: least };
            prop_assert!(sized == Sizes::default() || sized.max(least) == sized);
        }
    }
}
