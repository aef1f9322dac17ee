//! Names of blocks of tokens that several requests begin with: what prefix caches know them by.
//!
//! A name stands for [`BLOCK_TOKENS`] tokens and all before them, so that a number of the conversation and a place
//! in it name a block, and no two blocks share a name. Token values are not modelled: two sessions never happen to say
//! the same.

use crate::instance::continuous::BLOCK_TOKENS;

/// Bits of a name that count blocks: 2²⁰ blocks are more tokens than a request may have.
const PLACE_BITS: u32 = 20;

/// The full blocks of a session's first so many tokens.
pub(super) fn of_session(session: u64, tokens: u64) -> Vec<u64> {
    (0..tokens / BLOCK_TOKENS).map(|place| session << PLACE_BITS | place).collect()
}
