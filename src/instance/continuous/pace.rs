//! How many tokens a decoding sequence gains: one an iteration, or more with speculative decoding.
//!
//! Speculation is modelled by its expectation: with a draft of k tokens, each accepted with probability a given
//! that those before it were, an iteration yields 1 + a + … + aᵏ tokens on average (Leviathan, Kalman, Matias:
//! *Fast Inference from Transformers via Speculative Decoding*, 2023, equation 1). Every sequence gains exactly
//! that, its fractions carried over, and all in step. So the tokens after t iterations are a function of t alone,
//! nothing is drawn, and a run of iterations stays an arithmetic sequence. Left out is the luck of single
//! sequences: their ends spread less than they do in reality.

/// Binary places of tokens per iteration under speculation.
const PLACES: u32 = 16;

/// Tokens as a function of iterations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Binary places of `per_tick`.
    places: u32,
    per_tick: u64,
}

impl Pace {
    /// One token an iteration.
    pub const STEADY: Pace = Pace { places: 0, per_tick: 1 };

    /// Drafts of so many tokens, each accepted with probability `acceptance` if those before it are.
    pub fn speculative(draft_tokens: u32, acceptance: f64) -> Self {
        let expected = (0..draft_tokens).fold(1.0, |tokens, _| 1.0 + acceptance * tokens);
        Pace { places: PLACES, per_tick: (expected * f64::from(1 << PLACES)).round() as u64 }
    }

    /// Tokens a sequence has gained in the first `ticks` iterations.
    pub fn tokens(self, ticks: u64) -> u64 {
        (self.parts(ticks) >> self.places) as u64
    }

    /// The same before fractions are cut off, in parts of a token.
    pub fn parts(self, ticks: u64) -> i128 {
        i128::from(ticks) * i128::from(self.per_tick)
    }

    /// So many tokens in parts.
    pub fn to_parts(self, tokens: i128) -> i128 {
        tokens << self.places
    }

    /// The first count of iterations by which so many tokens are gained.
    pub fn ticks_for(self, tokens: u64) -> u64 {
        (u128::from(tokens) << self.places).div_ceil(u128::from(self.per_tick)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_speculation_an_iteration_is_a_token() {
        assert_eq!((Pace::STEADY.tokens(7), Pace::STEADY.ticks_for(7)), (7, 7));
    }

    #[test]
    fn speculation_yields_the_expected_number_of_tokens() {
        let pace = Pace::speculative(2, 0.5);
        assert_eq!(pace.tokens(4), 7, "1 + 0.5 + 0.25 tokens an iteration");
        assert_eq!(pace.ticks_for(7), 4);
        assert_eq!(pace.ticks_for(8), 5);
        assert_eq!(Pace::speculative(3, 1.0).tokens(10), 40, "everything is accepted");
        assert_eq!(Pace::speculative(3, 0.0).tokens(10), 10, "nothing is accepted");
    }
}
