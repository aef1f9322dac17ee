//! Who asks: conversations of several turns, clients of a closed loop, users of one system prompt.

use ebbflow_actors::SimDuration;

use super::workload::Lengths;

/// Conversations of several turns. The prompt of a turn is everything said before and what the user adds.
#[derive(Clone, PartialEq, Debug)]
pub struct Sessions {
    /// How many turns; drawn for each session.
    pub turns: Lengths,
    /// From an answer to the next turn; drawn for each turn.
    pub think_time: ThinkTime,
    /// A session ends before a turn whose prompt and output would be longer than this.
    pub max_context_tokens: Option<u32>,
}

/// A fixed number of clients, each with one request on its way at a time.
#[derive(Clone, PartialEq, Debug)]
pub struct Clients {
    /// How many.
    pub count: u32,
    /// From the end of a request, or session, to the client's next.
    pub think_time: ThinkTime,
}

/// System prompts that requests, or sessions, begin with: each with one of them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PrefixGroups {
    /// How many there are.
    pub count: u32,
    /// Length of each; it comes before the prompt that is drawn.
    pub tokens: u32,
    /// Exponent of Zipf's law: the nth is used in proportion to n^-zipf. 0: all equally.
    pub zipf: f64,
}

/// How long somebody thinks before asking on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ThinkTime {
    /// Always so long.
    Constant(SimDuration),
    /// Exponential: mostly short, some much longer.
    Exponential {
        /// In seconds.
        mean_s: f64,
    },
    /// Anything between, equally likely.
    Uniform {
        /// At least, in seconds.
        min_s: f64,
        /// At most, in seconds.
        max_s: f64,
    },
    /// Lognormal: most near the median, some much longer.
    Lognormal {
        /// In seconds.
        median_s: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// What is longer is cut to this, in seconds.
        max_s: f64,
    },
}
