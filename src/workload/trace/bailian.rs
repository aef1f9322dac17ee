//! The Qwen-Bailian traces: one JSON object a line, arrivals in seconds, lengths in tokens, turns of chats.
//!
//! `hash_ids` name blocks of 16 tokens. They may name what is in a block only, not what is before it; so they are
//! chained here, each name mixed with those before it, after which equal names mean equal beginnings. `parent_chat_id`
//! is -1 for none; `type` and `turn` are ignored. Source: alibaba-edu/qwen-bailian-usagetraces-anon.

use super::keys::{Chats, Keys};
use super::objects::Objects;

pub(super) const FORMAT: Objects = Objects {
    name: "Qwen-Bailian JSON lines",
    first_line: r#"{"chat_id": 159, "parent_chat_id": 55, "timestamp": 61.114, "input_length": 521, "output_length": 132, "hash_ids": [1089]}"#,
    needed: &["chat_id", "timestamp", "input_length", "output_length"],
    keys: Keys {
        chats: Some(Chats { own: "chat_id", parent: "parent_chat_id" }),
        arrival: "timestamp",
        prompt: "input_length",
        output: "output_length",
        blocks: "hash_ids",
    },
    decimals: 0,
    block_tokens: 16,
    prefix: chained,
};

/// Names of blocks together with all before them, from names of what is in them.
fn chained(mut names: Vec<u64>) -> Vec<u64> {
    let mut before = 0u64;
    for name in &mut names {
        // The finaliser of SplitMix64, which maps 64 bits one to one.
        let mut mixed =
            before.rotate_left(25).wrapping_add(name.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        before = mixed ^ (mixed >> 31);
        *name = before;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chained_names_are_equal_as_long_as_all_before_them_are() {
        let (one, other) = (chained(vec![7, 8, 9]), chained(vec![7, 5, 9]));
        assert_eq!(one[0], other[0]);
        assert!(one[1] != other[1] && one[2] != other[2]);
        assert_eq!(chained(vec![7, 8]), one[..2]);
    }
}
