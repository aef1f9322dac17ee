//! Names of blocks of tokens that several requests begin with: what prefix caches know them by.
//!
//! A name stands for [`BLOCK_TOKENS`] tokens and all before them, so that the number of a session, or of a system
//! prompt, and a place in it name a block, and no two blocks share a name. Token values are not modelled: two sessions
//! never happen to say the same.

use crate::instance::continuous::BLOCK_TOKENS;

/// Bits of a name that count blocks: 2²⁰ blocks are more tokens than a request may have.
const PLACE_BITS: u32 = 20;
/// Set in names of blocks of system prompts.
const SHARED: u64 = 1 << 63;

/// The full blocks of a system prompt of so many tokens.
pub(super) fn of_group(group: u64, tokens: u64) -> Vec<u64> {
    blocks(tokens).map(|place| shared(group, place)).collect()
}

/// The full blocks of a session's first so many tokens. It may begin with a system prompt, `(group, tokens)`, whose last
/// block is the session's own unless it ends there.
pub(super) fn of_session(system_prompt: Option<(u64, u64)>, session: u64, tokens: u64) -> Vec<u64> {
    let (group, common) = system_prompt.map_or((0, 0), |(group, tokens)| (group, tokens / BLOCK_TOKENS));
    let name = |place| if place < common { shared(group, place) } else { session << PLACE_BITS | place };
    blocks(tokens).map(name).collect()
}

fn blocks(tokens: u64) -> std::ops::Range<u64> {
    0..tokens / BLOCK_TOKENS
}

fn shared(group: u64, place: u64) -> u64 {
    SHARED | group << PLACE_BITS | place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_share_the_full_blocks_of_their_system_prompt_and_nothing_else() {
        let [one, two] = [1, 2].map(|session| of_session(Some((3, 40)), session, 100));
        assert_eq!(one.len(), 100 / 16);
        let same = one.iter().zip(&two).filter(|(one, two)| one == two).count();
        assert_eq!(same, 40 / 16);
        assert_eq!(one[..2], of_group(3, 40)[..]);
        assert_ne!(of_group(3, 40), of_group(4, 40));
    }

    #[test]
    fn a_longer_context_begins_as_the_shorter_one() {
        let [short, long] = [200, 3000].map(|tokens| of_session(None, 7, tokens));
        assert_eq!(short[..], long[..short.len()]);
    }
}
