//! `pwl`: iteration times on straight lines between knots of one's own.
//!
//! With n sequences that decode (each draft token counts as one), p tokens of prompts, and c tokens of context that
//! they all read:
//!
//! ```text
//! decodes only   token(n) + per_context_token_s · c
//! with prompts   the longer of prompt(p + n) and token(n), + per_context_token_s · c
//! ```
//!
//! Both curves go on beyond their ends as their outer lines do; where a falling one would reach 0 the nearest knot
//! counts, and one knot alone is a constant. No iteration takes longer than an hour.
//!
//! Leaves out: the arithmetic of attention among the tokens of a long prompt beyond what the knots hold, windows,
//! jitter. Units: seconds, tokens, sequences; inside whole femtoseconds, so that runs of decodes add up exactly.

use ebbflow_actors::SimDuration;

use super::curve::Curve;
use crate::instance::continuous::{Chunk, DecodeLine, FS_IN_NS, IterationTime, MakeUp};

/// What a curve takes at most: an hour, in femtoseconds.
const LONGEST_FS: f64 = 3.6e18;
/// A token of context takes at most this: so slow that no engine would serve.
const LONGEST_CONTEXT_TOKEN_S: f64 = 1e-4;

/// Points (tokens or sequences, seconds), and what context adds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Knots {
    /// Seconds of an iteration over the tokens computed in it; at least one knot, tokens ascending, all above 0.
    pub prompt: Vec<(f64, f64)>,
    /// Seconds of an iteration that only decodes over its sequences, likewise.
    pub token: Vec<(f64, f64)>,
    /// Seconds that each token of context adds; 0: contexts do not count.
    pub per_context_token_s: f64,
}

/// Iteration times between knots.
#[derive(Clone, PartialEq, Debug)]
pub struct Pwl {
    prompt: Curve,
    token: Curve,
    per_context_fs: u64,
}

/// Knots that are no curve.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{key}{}: {problem}", knot.map_or(String::new(), |knot| format!(", knot {}", knot + 1)))]
pub struct KnotError {
    /// Of which curve: `prompt` or `token`; or `per_context_token_s`.
    pub key: &'static str,
    /// Which knot, from 0; none: all of them.
    pub knot: Option<usize>,
    /// What is wrong with it, and what was expected.
    pub problem: String,
}

impl Pwl {
    /// The times between these knots.
    ///
    /// # Errors
    /// Knots that are none, do not ascend, or are not above 0.
    pub fn new(knots: &Knots) -> Result<Self, KnotError> {
        let per = knots.per_context_token_s;
        if !(0.0..=LONGEST_CONTEXT_TOKEN_S).contains(&per) {
            let problem = format!(
                "it is {per} s; expected a time of at least 0 and at most {LONGEST_CONTEXT_TOKEN_S} s"
            );
            return Err(KnotError { key: "per_context_token_s", knot: None, problem });
        }
        Ok(Pwl {
            prompt: curve("prompt", "tokens", &knots.prompt)?,
            token: curve("token", "sequences", &knots.token)?,
            per_context_fs: (per * 1e15).round() as u64,
        })
    }
}

fn curve(key: &'static str, of: &str, knots: &[(f64, f64)]) -> Result<Curve, KnotError> {
    let wrong = |knot, problem| KnotError { key, knot, problem };
    for (index, &(x, seconds)) in knots.iter().enumerate() {
        let is_positive = |value: f64| value.is_finite() && value > 0.0;
        if !is_positive(x) || !is_positive(seconds) {
            let problem = format!("[{x}, {seconds}] is no knot; expected {of} and seconds, both above 0");
            return Err(wrong(Some(index), problem));
        }
        if let Some((before, _)) = index.checked_sub(1).map(|before| knots[before])
            && x <= before
        {
            let problem = format!("{x} {of} after {before}; expected more of them from knot to knot");
            return Err(wrong(Some(index), problem));
        }
    }
    Curve::through(knots).ok_or_else(|| wrong(None, "expected at least one knot".to_owned()))
}

fn fs(curve: &Curve, x: u64) -> u64 {
    // Exact below 2^53 tokens.
    (curve.at(x as f64) * 1e15).min(LONGEST_FS).round() as u64
}

impl IterationTime for Pwl {
    fn mixed(&self, MakeUp { chunks, decodes }: &MakeUp) -> SimDuration {
        let prompts: u64 = chunks.iter().map(|&Chunk { tokens, .. }| tokens).sum();
        let read: u64 = chunks.iter().map(|&Chunk { context, .. }| context).sum();
        let sequences = u64::from(decodes.sequences) * u64::from(decodes.tokens_each);
        let mut all_fs = fs(&self.prompt, prompts + sequences);
        if sequences > 0 {
            all_fs = all_fs.max(fs(&self.token, sequences));
        }
        all_fs = all_fs.saturating_add(self.per_context_fs.saturating_mul(read + decodes.context));
        SimDuration::from_nanos((all_fs / FS_IN_NS + u64::from(all_fs % FS_IN_NS >= FS_IN_NS / 2)).max(1))
    }

    fn decode_line(&self, sequences: u32, tokens_each: u32) -> DecodeLine {
        DecodeLine {
            base_fs: fs(&self.token, u64::from(sequences) * u64::from(tokens_each)),
            per_context_fs: self.per_context_fs,
            per_windowed_context_fs: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::continuous::Decodes;

    fn knots() -> Knots {
        Knots {
            prompt: vec![(100.0, 0.01), (1_000.0, 0.1)],
            token: vec![(1.0, 0.01), (11.0, 0.02)],
            per_context_token_s: 1e-7,
        }
    }

    fn chunks(tokens: u64, context: u64) -> MakeUp {
        MakeUp { chunks: vec![Chunk { tokens, context }], decodes: Decodes::default() }
    }

    #[test]
    fn times_lie_on_the_lines_between_the_knots_and_beyond_the_last() {
        let pwl = Pwl::new(&knots()).unwrap();
        for (tokens, millis) in [(100, 10), (550, 55), (1_000, 100), (2_000, 200)] {
            assert_eq!(pwl.mixed(&chunks(tokens, 0)), SimDuration::from_millis(millis), "{tokens}");
        }
        for (sequences, millis) in [(1, 10), (6, 15), (21, 30)] {
            assert_eq!(pwl.decode_line(sequences, 1).base_fs, millis * 1_000_000_000_000, "{sequences}");
        }
        assert_eq!(pwl.decode_line(3, 7), pwl.decode_line(21, 1));
    }

    #[test]
    fn context_adds_the_same_for_every_token_exactly() {
        let pwl = Pwl::new(&knots()).unwrap();
        assert_eq!(pwl.decode_line(1, 1).per_context_fs, 100_000_000);
        assert_eq!(pwl.mixed(&chunks(100, 50_000)), SimDuration::from_millis(15));
    }

    #[test]
    fn decodes_beside_a_prompt_count_as_its_tokens_and_take_no_less_than_alone() {
        let pwl = Pwl::new(&Knots { per_context_token_s: 0.0, ..knots() }).unwrap();
        let decodes = Decodes { sequences: 21, tokens_each: 1, ..Decodes::default() };
        let mixed = |tokens| pwl.mixed(&MakeUp { decodes, ..chunks(tokens, 0) });
        assert_eq!(mixed(529), SimDuration::from_millis(55));
        assert_eq!(mixed(1), SimDuration::from_millis(30));
    }

    #[test]
    fn knots_that_are_no_curve_are_named() {
        let message = |change: fn(&mut Knots)| {
            let mut knots = knots();
            change(&mut knots);
            Pwl::new(&knots).unwrap_err().to_string()
        };
        assert_eq!(message(|knots| knots.prompt.clear()), "prompt: expected at least one knot");
        let falling = message(|knots| knots.token.push((5.0, 0.03)));
        assert_eq!(falling, "token, knot 3: 5 sequences after 11; expected more of them from knot to knot");
        let none = message(|knots| knots.prompt[0].1 = 0.0);
        assert!(none.starts_with("prompt, knot 1: [100, 0] is no knot"), "{none}");
        assert!(
            message(|knots| knots.per_context_token_s = 1.0).starts_with("per_context_token_s: it is 1 s")
        );
        assert!(message(|knots| knots.per_context_token_s = f64::NAN).contains("NaN"));
    }

    #[test]
    fn however_large_an_iteration_its_time_is_finite() {
        let pwl = Pwl::new(&knots()).unwrap();
        assert!(pwl.mixed(&chunks(1 << 50, 1 << 50)) > SimDuration::from_millis(3_600_000));
        assert_eq!(pwl.decode_line(u32::MAX, 1_000).base_fs, 3_600_000_000_000_000_000);
    }
}
