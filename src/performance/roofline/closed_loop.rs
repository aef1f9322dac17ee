//! How a deployment serves a fixed number of clients, without a simulation.
//!
//! Each client sends a request, waits for its answer and sends the next; all requests are alike. While one
//! client's answer decodes, each of the others comes by once with its prompt: of the iterations an answer
//! takes, some carry a piece of somebody's prompt and are longer. Times follow from the two kinds of
//! iteration. Leaves out lengths that vary, prefix caching, preemption, and the coincidences a simulation sees.

use super::Roofline;
use super::breakdown::{Breakdown, Terms};
use super::iteration::{IterationSums, PrefillChunk};

/// A benchmark of ten rounds starts with all clients at once: on average half of them are served first, in one
/// round of ten.
const BURST_SHARE: f64 = 0.05;

/// What the clients ask for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Tokens of a prompt.
    pub prompt_tokens: u64,
    /// Tokens of an answer.
    pub output_tokens: u64,
    /// Clients.
    pub concurrency: u64,
    /// Tokens an iteration takes at most; none: what the engine takes by itself.
    pub token_budget: Option<u64>,
}

/// What the clients see, on average.
#[derive(Clone, PartialEq, Debug)]
pub struct ClosedLoop {
    /// Requests that run at the same time: the clients, or as many as the cache holds.
    pub running: u64,
    /// Seconds from a request to its first token, of a benchmark whose clients start together.
    pub ttft_s: f64,
    /// Seconds from one token of an answer to the next.
    pub tpot_s: f64,
    /// Tokens of answers a second, from the whole instance.
    pub output_tokens_per_s: f64,
    /// What the time of a token is made of.
    pub breakdown: Breakdown,
    /// What that time is linear in.
    pub terms: Terms,
}

impl Roofline {
    /// Serves this load; none when not even one request fits into the cache.
    pub fn closed_loop(&self, load: Load) -> Option<ClosedLoop> {
        let most = self.kv_memory().sequences(load.prompt_tokens + load.output_tokens);
        let running = load.concurrency.min(most);
        if running == 0 || load.output_tokens == 0 {
            return None;
        }
        let rhythm = Rhythm::of(self, load, running);
        let terms = rhythm.mean_terms();
        let tpot_s = terms.total_s(self.constants());
        let served_s = self.own_prefill_s(&rhythm) * (1.0 + BURST_SHARE * (running - 1) as f64);
        let ttft_s = self.constants().front_end_s + served_s;
        let output = load.output_tokens as f64;
        // The first token comes with the prompt.
        let answer_s = ttft_s + (output - 1.0) * tpot_s;
        // Clients beyond the cache wait for whole answers.
        let waiting = (load.concurrency - running) as f64 / running as f64;
        Some(ClosedLoop {
            running,
            ttft_s: ttft_s + waiting * answer_s,
            tpot_s,
            output_tokens_per_s: running as f64 * output / answer_s,
            breakdown: terms.breakdown(self.constants()),
            terms,
        })
    }

    /// Seconds that the pieces of one prompt take among the others.
    fn own_prefill_s(&self, rhythm: &Rhythm) -> f64 {
        rhythm.pieces * rhythm.mixed.total_s(self.constants())
    }
}

/// The two kinds of iteration and how often each comes.
struct Rhythm {
    plain: Terms,
    mixed: Terms,
    /// Iterations that one prompt takes.
    pieces: f64,
    /// Of the iterations of an answer, the share with a prompt in it.
    mixed_share: f64,
}

impl Rhythm {
    fn of(roofline: &Roofline, load: Load, running: u64) -> Self {
        let deployment = roofline.deployment();
        let default = deployment.backend.default_token_budget(deployment.gpu.memory_bytes);
        let budget = load.token_budget.unwrap_or(default).max(1);
        // Pipeline stages work on batches of their own.
        let batch = running.div_ceil(u64::from(deployment.parallelism.pipeline));
        let pieces = load.prompt_tokens.div_ceil(budget).max(1);
        let piece = load.prompt_tokens.div_ceil(pieces).max(1);
        let output = load.output_tokens as f64;
        let wanted = (batch - 1) as f64 * pieces as f64 / output;
        // More pieces than iterations: several share one.
        let together = wanted.ceil().max(1.0) as u64;
        let window = roofline.window();
        let context = load.prompt_tokens + load.output_tokens / 2;
        let plain = IterationSums::of(&[], &[context], window).times(batch);
        let chunk = PrefillChunk { tokens: piece, context: (pieces - 1) * piece / 2 };
        let mixed = plain.plus(IterationSums::of(&[chunk], &[], window).times(together));
        Rhythm {
            plain: roofline.terms(&plain),
            mixed: roofline.terms(&mixed),
            pieces: pieces as f64,
            mixed_share: wanted / together as f64,
        }
    }

    fn mean_terms(&self) -> Terms {
        self.plain.scaled(1.0 - self.mixed_share).plus(&self.mixed.scaled(self.mixed_share))
    }
}
