//! How much memory the engine takes and gives to the KV cache, after vLLM's options of the same names.

use std::hash::{Hash, Hasher};

use super::settings::BLOCK_TOKENS;

/// Where the size of the KV cache comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheSpace {
    /// Share of the GPUs' memory that the engine takes for everything, in (0, 1]; none: what it takes by itself, or
    /// all where nothing but the weights is known to need any.
    pub gpu_memory_utilization: Option<f64>,
    /// Blocks of the cache, whatever is left beside the weights. (vLLM keeps one of them for itself.)
    pub num_gpu_blocks_override: Option<u64>,
}

impl CacheSpace {
    /// Tokens of the cache, where they are said outright.
    pub fn tokens(self) -> Option<u64> {
        self.num_gpu_blocks_override.map(|blocks| blocks.saturating_mul(BLOCK_TOKENS))
    }

    /// Whether the share is one of which something is left.
    pub(super) fn is_share(self) -> bool {
        self.gpu_memory_utilization.is_none_or(|share| share > 0.0 && share <= 1.0)
    }

    fn bits(self) -> (Option<u64>, Option<u64>) {
        (self.gpu_memory_utilization.map(f64::to_bits), self.num_gpu_blocks_override)
    }
}

impl PartialEq for CacheSpace {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for CacheSpace {}

impl Hash for CacheSpace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}
