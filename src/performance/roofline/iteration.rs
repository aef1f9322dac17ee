//! The make-up of one iteration, exactly and as the sums its time depends on.
//!
//! Attention costs as many scores as there are pairs of a new token and a token it sees. Those pairs, and the
//! tokens of context that decoding sequences read, enter the time only as sums; so the sums are all an engine
//! needs to keep, and a batch that only decodes changes them by the same amount every iteration.

use crate::models::Window;

/// A piece of a prompt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrefillChunk {
    /// Tokens of the prompt that this iteration takes.
    pub tokens: u64,
    /// Tokens of the sequence that are in the cache already.
    pub context: u64,
}

/// Everything about an iteration that its time depends on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct IterationSums {
    /// Pieces of prompts.
    pub chunks: u64,
    /// Σ tokens of those.
    pub prefill_tokens: u64,
    /// Σ pairs of a prompt's token and a token it sees, in layers without a window.
    pub prefill_pairs: u64,
    /// The same in windowed layers.
    pub windowed_prefill_pairs: u64,
    /// Sequences that each produce one token.
    pub decodes: u64,
    /// Σ tokens those read, in layers without a window.
    pub decode_context: u64,
    /// The same in windowed layers.
    pub windowed_decode_context: u64,
    /// Decoding sequences whose context is still shorter than the window.
    pub growing_in_window: u64,
}

impl IterationSums {
    /// The sums of these chunks and of decoding sequences with these contexts (tokens in the cache, the one
    /// just produced included). `window`: that of the model.
    pub fn of(prefill: &[PrefillChunk], decode_contexts: &[u64], window: Option<Window>) -> Self {
        let mut sums = IterationSums::default();
        for &chunk in prefill {
            sums.add_chunk(chunk, window);
        }
        for &context in decode_contexts {
            sums.add_decode(context, window);
        }
        sums
    }

    /// Adds a piece of a prompt.
    pub fn add_chunk(&mut self, chunk: PrefillChunk, window: Option<Window>) {
        self.chunks += 1;
        self.prefill_tokens += chunk.tokens;
        self.prefill_pairs += pairs(chunk);
        self.windowed_prefill_pairs +=
            window.map_or(0, |window| pairs_within(chunk, u64::from(window.tokens)));
    }

    /// Adds a decoding sequence of this context.
    pub fn add_decode(&mut self, context: u64, window: Option<Window>) {
        self.decodes += 1;
        self.decode_context += context;
        if let Some(window) = window {
            let tokens = u64::from(window.tokens);
            self.windowed_decode_context += context.min(tokens);
            self.growing_in_window += u64::from(context < tokens);
        }
    }

    /// The sums of `count` such batches together.
    pub fn times(self, count: u64) -> Self {
        IterationSums {
            chunks: self.chunks.saturating_mul(count),
            prefill_tokens: self.prefill_tokens.saturating_mul(count),
            prefill_pairs: self.prefill_pairs.saturating_mul(count),
            windowed_prefill_pairs: self.windowed_prefill_pairs.saturating_mul(count),
            decodes: self.decodes.saturating_mul(count),
            decode_context: self.decode_context.saturating_mul(count),
            windowed_decode_context: self.windowed_decode_context.saturating_mul(count),
            growing_in_window: self.growing_in_window.saturating_mul(count),
        }
    }

    /// The sums of two batches together.
    pub fn plus(self, other: Self) -> Self {
        IterationSums {
            chunks: self.chunks + other.chunks,
            prefill_tokens: self.prefill_tokens + other.prefill_tokens,
            prefill_pairs: self.prefill_pairs + other.prefill_pairs,
            windowed_prefill_pairs: self.windowed_prefill_pairs + other.windowed_prefill_pairs,
            decodes: self.decodes + other.decodes,
            decode_context: self.decode_context + other.decode_context,
            windowed_decode_context: self.windowed_decode_context + other.windowed_decode_context,
            growing_in_window: self.growing_in_window + other.growing_in_window,
        }
    }

    /// Tokens that go through the model.
    pub fn tokens(&self) -> u64 {
        self.prefill_tokens + self.decodes
    }

    /// Sequences in the iteration.
    pub fn sequences(&self) -> u64 {
        self.chunks + self.decodes
    }
}

/// Every token sees the context, itself, and the tokens of the chunk before it.
fn pairs(PrefillChunk { tokens, context }: PrefillChunk) -> u64 {
    tokens * context + tokens * (tokens + 1) / 2
}

fn pairs_within(chunk: PrefillChunk, window: u64) -> u64 {
    // The first tokens still see everything there is, the others the whole window.
    let free = window.saturating_sub(chunk.context).min(chunk.tokens);
    pairs(PrefillChunk { tokens: free, ..chunk }) + (chunk.tokens - free) * window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_a_prompt_score_as_many_pairs_as_the_whole_prompt() {
        let window = Some(Window { tokens: 100, layers: 1 });
        let chunk = |tokens, context| PrefillChunk { tokens, context };
        let whole = IterationSums::of(&[chunk(1000, 0)], &[], window);
        let pieces = IterationSums::of(&[chunk(30, 0), chunk(200, 30), chunk(770, 230)], &[], window);
        assert_eq!(whole.prefill_pairs, 500_500);
        assert_eq!(pieces.prefill_pairs, whole.prefill_pairs);
        assert_eq!(pieces.windowed_prefill_pairs, whole.windowed_prefill_pairs);
        let by_hand: u64 = (1..=1000).map(|seen: u64| seen.min(100)).sum();
        assert_eq!(whole.windowed_prefill_pairs, by_hand);
    }

    #[test]
    fn batches_add_up_and_multiply() {
        let window = Some(Window { tokens: 128, layers: 18 });
        let chunk = PrefillChunk { tokens: 300, context: 7 };
        let (prompt, decode) =
            (IterationSums::of(&[chunk], &[], window), IterationSums::of(&[], &[90], window));
        let together = IterationSums::of(&[chunk, chunk], &[90, 90, 90], window);
        assert_eq!(prompt.times(2).plus(decode.times(3)), together);
    }

    #[test]
    fn a_window_caps_what_a_decode_reads() {
        let sums = IterationSums::of(&[], &[50, 500], Some(Window { tokens: 128, layers: 18 }));
        assert_eq!((sums.decode_context, sums.windowed_decode_context), (550, 178));
        assert_eq!((sums.growing_in_window, sums.tokens(), sums.sequences()), (1, 2, 2));
    }
}
