//! The Mooncake traces: one JSON object a line, arrivals in milliseconds, lengths in tokens.
//!
//! `hash_ids` name blocks of 512 tokens together with all before them, so that requests with the same beginning
//! share them; they are kept as the names of the prefix. The traces recorded in production have arrivals in ticks
//! of 3 s, so that many are equal; they are kept as they are. Source: kvcache-ai/Mooncake, FAST25 release.

use super::keys::Keys;
use super::objects::Objects;

pub(super) const FORMAT: Objects = Objects {
    name: "Mooncake JSON lines",
    first_line: r#"{"timestamp": 0, "input_length": 6758, "output_length": 500}"#,
    needed: &["timestamp", "input_length", "output_length"],
    keys: Keys {
        chats: None,
        arrival: "timestamp",
        prompt: "input_length",
        output: "output_length",
        blocks: "hash_ids",
    },
    decimals: 3,
    block_tokens: 512,
    prefix: std::convert::identity,
};
