//! How the engine is set, after vLLM's options of the same names.

use std::hash::{Hash, Hasher};

use super::cache_space::CacheSpace;

/// Tokens of a KV block.
pub const BLOCK_TOKENS: u64 = 16;

/// Who goes first among those that wait, and who is preempted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum QueueOrder {
    /// First come, first served; the last admitted is preempted.
    #[default]
    Fcfs,
    /// The lowest number first, then by arrival; the highest number, then the latest arrival, is preempted.
    Priority,
}

/// Speculative decoding.
#[derive(Clone, Copy, Debug)]
pub struct Speculation {
    /// Draft tokens an iteration, ≥ 1.
    pub draft_tokens: u32,
    /// Probability that a draft token is accepted if those before it are.
    pub acceptance: f64,
}

impl PartialEq for Speculation {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Speculation {}

impl Hash for Speculation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl Speculation {
    fn bits(self) -> (u32, u64) {
        (self.draft_tokens, self.acceptance.to_bits())
    }
}

/// Settings of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Settings {
    /// Tokens an iteration may compute.
    pub max_num_batched_tokens: u64,
    /// Sequences that may run.
    pub max_num_seqs: u32,
    /// Whether a prompt may be computed in pieces.
    pub chunked_prefill: bool,
    /// The most tokens of one prompt an iteration computes; none: as many as fit.
    pub long_prefill_token_threshold: Option<u64>,
    /// Who goes first.
    pub order: QueueOrder,
    /// Blocks that stay free when a sequence is admitted beside others (vLLM's `watermark`, a share there).
    pub watermark_blocks: u64,
    /// Whether computed prompt blocks are kept for others with the same beginning.
    pub prefix_caching: bool,
    /// Tokens that an id of a request's prefix names: a multiple of 16 (16 in vLLM, 512 in Mooncake's traces).
    pub prefix_block_tokens: u64,
    /// Speculative decoding, if used.
    pub speculation: Option<Speculation>,
    /// Different LoRA adapters that may run at once; none: no limit.
    pub max_loras: Option<u32>,
    /// How large the KV cache is. The instance is given it; here it stands with its other options.
    pub cache_space: CacheSpace,
    /// Whether iterations that only decode are passed over in one event. Never changes a result.
    pub fast_forward: bool,
}

impl Default for Settings {
    /// As `vllm serve` 0.19 sets itself on GPUs of 70 GiB and more but the A100; there and on smaller ones it takes
    /// 2048 tokens and 256 sequences (`vllm/engine/arg_utils.py`).
    fn default() -> Self {
        Settings {
            max_num_batched_tokens: 8192,
            max_num_seqs: 1024,
            chunked_prefill: true,
            long_prefill_token_threshold: None,
            order: QueueOrder::Fcfs,
            watermark_blocks: 0,
            prefix_caching: true,
            prefix_block_tokens: BLOCK_TOKENS,
            speculation: None,
            max_loras: None,
            cache_space: CacheSpace::default(),
            fast_forward: true,
        }
    }
}

/// Why settings do not make an engine.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A number that must be at least one is zero.
    #[error("{key} must be at least 1, found 0")]
    Zero {
        /// Which.
        key: &'static str,
    },
    /// Decoding sequences alone could exceed the budget.
    #[error(
        "max_num_batched_tokens must be at least max_num_seqs × tokens of a decoding sequence = {needed} \
         ({max_num_seqs} × {tokens_each}), found {found}: raise it or lower max_num_seqs"
    )]
    BudgetBelowSequences {
        /// What is needed.
        needed: u64,
        /// Sequences.
        max_num_seqs: u32,
        /// 1, and the draft with speculation.
        tokens_each: u32,
        /// What was set.
        found: u64,
    },
    /// Blocks of prefix ids do not consist of whole KV blocks.
    #[error("prefix_block_tokens must be a multiple of {BLOCK_TOKENS}, found {0}")]
    PrefixBlock(u64),
    /// Not a share of the memory.
    #[error("gpu_memory_utilization must be above 0 and at most 1, found {0}")]
    MemoryShare(f64),
    /// Not a probability.
    #[error("the acceptance rate of speculative decoding must be between 0 and 1, found {0}")]
    Acceptance(f64),
}

impl Settings {
    /// What so many engines with these settings do in one iteration, as if they were one: several budgets, of which a
    /// prompt has one. Leaves out that a sequence finds room in one engine's cache only.
    pub fn of_engines(self, engines: u32) -> Self {
        if engines <= 1 {
            return self;
        }
        let one = self.max_num_batched_tokens;
        Settings {
            max_num_batched_tokens: one.saturating_mul(engines.into()),
            max_num_seqs: self.max_num_seqs.saturating_mul(engines),
            long_prefill_token_threshold: Some(
                self.long_prefill_token_threshold.map_or(one, |most| most.min(one)),
            ),
            ..self
        }
    }

    /// Draft tokens an iteration.
    pub fn draft_tokens(&self) -> u32 {
        self.speculation.map_or(0, |speculation| speculation.draft_tokens)
    }

    /// Tokens a decoding sequence puts through the model in an iteration.
    pub fn tokens_each(&self) -> u32 {
        self.draft_tokens() + 1
    }

    /// Whether they make sense.
    ///
    /// # Errors
    /// The first setting that does not.
    pub fn check(&self) -> Result<(), SettingsError> {
        for (key, zero) in [
            ("max_num_batched_tokens", self.max_num_batched_tokens == 0),
            ("max_num_seqs", self.max_num_seqs == 0),
            ("long_prefill_token_threshold", self.long_prefill_token_threshold == Some(0)),
            ("prefix_block_tokens", self.prefix_block_tokens == 0),
            ("draft_tokens", self.speculation.is_some_and(|speculation| speculation.draft_tokens == 0)),
            ("max_loras", self.max_loras == Some(0)),
            ("num_gpu_blocks_override", self.cache_space.num_gpu_blocks_override == Some(0)),
        ] {
            if zero {
                return Err(SettingsError::Zero { key });
            }
        }
        if !self.prefix_block_tokens.is_multiple_of(BLOCK_TOKENS) {
            return Err(SettingsError::PrefixBlock(self.prefix_block_tokens));
        }
        if let Some(share) = self.cache_space.gpu_memory_utilization
            && !self.cache_space.is_share()
        {
            return Err(SettingsError::MemoryShare(share));
        }
        if let Some(Speculation { acceptance, .. }) = self.speculation
            && !(0.0..=1.0).contains(&acceptance)
        {
            return Err(SettingsError::Acceptance(acceptance));
        }
        let (max_num_seqs, tokens_each) = (self.max_num_seqs, self.tokens_each());
        let needed = u64::from(max_num_seqs) * u64::from(tokens_each);
        if self.max_num_batched_tokens < needed {
            let found = self.max_num_batched_tokens;
            return Err(SettingsError::BudgetBelowSequences { needed, max_num_seqs, tokens_each, found });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn a_budget_below_the_decoding_sequences_is_refused_with_what_it_takes() {
        let speculation = Some(Speculation { draft_tokens: 3, acceptance: 0.7 });
        let settings =
            Settings { max_num_batched_tokens: 512, max_num_seqs: 200, speculation, ..Settings::default() };
        let message = settings.check().unwrap_err().to_string();
        assert!(message.contains("800 (200 × 4), found 512"), "{message}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |settings: Settings| settings.check().is_err();
        assert!(refused(Settings { max_num_seqs: 0, ..Settings::default() }));
        assert!(refused(Settings { prefix_block_tokens: 24, ..Settings::default() }));
        let speculation = Some(Speculation { draft_tokens: 2, acceptance: f64::NAN });
        assert!(refused(Settings { speculation, ..Settings::default() }));
        for share in [0.0, 1.01, f64::NAN] {
            let cache_space = CacheSpace { gpu_memory_utilization: Some(share), ..CacheSpace::default() };
            assert!(refused(Settings { cache_space, ..Settings::default() }), "{share}");
        }
        let cache_space = CacheSpace { num_gpu_blocks_override: Some(0), ..CacheSpace::default() };
        assert!(refused(Settings { cache_space, ..Settings::default() }));
    }
}
