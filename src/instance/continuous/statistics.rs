//! What an engine counts.

use super::gaps::GapHistogram;

/// What an engine has counted so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Gaps between output tokens.
    pub gaps: GapHistogram,
    /// Tokens of sequences admitted for the first time, for which the prefix cache was asked.
    pub prefix_queried_tokens: u64,
    /// Those of them that it had.
    pub prefix_hit_tokens: u64,
    /// The same of sequences admitted again after a preemption: asked.
    pub resumed_queried_tokens: u64,
    /// And found.
    pub resumed_hit_tokens: u64,
    /// Preemptions.
    pub preemptions: u64,
    /// Iterations that are over.
    pub iterations: u64,
    /// Stretches begun: what the simulation pays for.
    pub stretches: u64,
}

impl Statistics {
    /// Adds everything another engine has counted.
    pub fn merge(&mut self, other: &Statistics) {
        self.gaps.merge(&other.gaps);
        self.prefix_queried_tokens += other.prefix_queried_tokens;
        self.prefix_hit_tokens += other.prefix_hit_tokens;
        self.resumed_queried_tokens += other.resumed_queried_tokens;
        self.resumed_hit_tokens += other.resumed_hit_tokens;
        self.preemptions += other.preemptions;
        self.iterations += other.iterations;
        self.stretches += other.stretches;
    }
}
