//! What the busiest of several engines has of an iteration.
//!
//! With data parallelism every sequence is served by one of the engines, and all of them wait for one another where
//! experts are computed. So an iteration takes what the busiest engine takes. Sequences are assumed to be spread
//! evenly: a prompt is one engine's, two prompts are two engines', and of so many decodes each has its share.
//!
//! Held against 16 measured points of MiniMax-M2.5 under vLLM with data-parallel attention (2 and 4 B200, 4 H100;
//! NVIDIA AIConfigurator's samples), to which nothing was fitted: the time of a token is 7.9 % off on average, 24 % at
//! worst (`cargo test --test suite data_parallel -- --nocapture`). Request logs of such engines were not at hand.

use super::IterationSums;

/// The sums of an iteration of one engine of several.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Busiest {
    pub(super) prompts: f64,
    pub(super) prefill_tokens: f64,
    pub(super) prefill_pairs: f64,
    pub(super) windowed_prefill_pairs: f64,
    pub(super) decodes: f64,
    pub(super) decode_context: f64,
    pub(super) windowed_decode_context: f64,
}

impl Busiest {
    /// Of so many engines.
    pub(super) fn of(sums: &IterationSums, engines: u32) -> Self {
        let prompts = spread_over(sums.chunks, engines);
        let decodes = spread_over(sums.decodes, engines);
        Busiest {
            prompts: sums.chunks as f64 / prompts,
            prefill_tokens: sums.prefill_tokens as f64 / prompts,
            prefill_pairs: sums.prefill_pairs as f64 / prompts,
            windowed_prefill_pairs: sums.windowed_prefill_pairs as f64 / prompts,
            decodes: sums.decodes as f64 / decodes,
            decode_context: sums.decode_context as f64 / decodes,
            windowed_decode_context: sums.windowed_decode_context as f64 / decodes,
        }
    }

    pub(super) fn tokens(&self) -> f64 {
        self.prefill_tokens + self.decodes
    }

    pub(super) fn sequences(&self) -> f64 {
        self.prompts + self.decodes
    }
}

/// How many of the engines have one of so many sequences; 1 if there are none.
pub(super) fn spread_over(sequences: u64, engines: u32) -> f64 {
    sequences.clamp(1, u64::from(engines)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::roofline::PrefillChunk;

    #[test]
    fn a_prompt_is_one_engines_and_decodes_are_everybodys() {
        let chunk = PrefillChunk { tokens: 100, context: 0 };
        let sums = IterationSums::of(&[chunk], &[50, 50, 50, 50], None);
        let busiest = Busiest::of(&sums, 2);
        assert_eq!((busiest.tokens(), busiest.sequences()), (102.0, 3.0));
        assert_eq!((busiest.prefill_pairs, busiest.decode_context), (5050.0, 100.0));
    }

    #[test]
    fn one_engine_has_everything_and_more_engines_than_sequences_stand_idle() {
        let sums = IterationSums::of(&[], &[50, 70], None);
        assert_eq!(Busiest::of(&sums, 1).decode_context, 120.0);
        assert_eq!(Busiest::of(&sums, 8).tokens(), 1.0);
        assert_eq!(Busiest::of(&IterationSums::default(), 8).tokens(), 0.0);
    }
}
