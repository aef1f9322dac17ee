//! The Mooncake traces: long prompts of which much has been computed before.
//!
//! `mooncake-conv`: a system prompt that all share, and conversations that go on: a follow-up has its predecessor's
//! prompt before its own. `mooncake-agent`: chats like these, and calls of two tools whose prompts share all but their
//! ends. Gaps are gamma distributed with the dispersion of arrivals over 10 to 60 s (the trace itself has ticks of
//! 3 s). Prompts and outputs are drawn from quantiles, independently (rank correlation 0.07).
//!
//! Source: kvcache-ai/Mooncake, FAST25 release (Apache-2.0). Of the conversation trace everything is computed from the
//! trace; `follow_up` is what brings its hit rates, with a share of follow-ups of 0.36 for the
//! trace's 0.39. Of the agent trace rate and
//! means are those of its README (8,596 tokens in, 182 out), shares and lengths of the tools those of a page of 92
//! requests of its predecessor (shares within 5 points); chats are taken from the conversation trace, with outputs 6 %
//! longer, so that the means are met.

use super::{Preset, Profile, RequestKind, Turns};

pub(super) const CONV: Preset = Preset {
    name: "mooncake-conv",
    mean_rate: 3.401,
    gamma_shape: 0.4,
    profile: Profile::Constant,
    kinds: &[RequestKind {
        share: 1.0,
        prompt: CHAT_PROMPT,
        output: CHAT_OUTPUT,
        shared_blocks: 1,
        turns: Some(&CHAT_TURNS),
    }],
    source: "Mooncake conversation trace, FAST'25 (Moonshot AI, Apache-2.0)",
};

pub(super) const AGENT: Preset = Preset {
    name: "mooncake-agent",
    mean_rate: 6.558,
    gamma_shape: 0.4,
    profile: Profile::Constant,
    kinds: &[
        RequestKind {
            share: 0.48,
            prompt: CHAT_PROMPT,
            output: AGENT_CHAT_OUTPUT,
            shared_blocks: 1,
            turns: Some(&CHAT_TURNS),
        },
        RequestKind {
            share: 0.38,
            prompt: TOOL_A_PROMPT,
            output: TOOL_A_OUTPUT,
            shared_blocks: 12,
            turns: None,
        },
        RequestKind {
            share: 0.14,
            prompt: TOOL_B_PROMPT,
            output: TOOL_B_OUTPUT,
            shared_blocks: 5,
            turns: None,
        },
    ],
    source: "Mooncake tool and agent trace, FAST'25, from published means and a page of it (Moonshot AI, Apache-2.0)",
};

const CHAT_TURNS: Turns = Turns { follow_up: 0.425, new_tokens: NEW_TOKENS, gap_s: GAP_S };

/// What the user adds to prompt and answer of the turn before.
#[rustfmt::skip]
const NEW_TOKENS: &[(f64, f64)] = &[
    (0.0, 1.0), (25.0, 7.0), (50.0, 23.0), (75.0, 425.0), (90.0, 4256.0), (99.0, 16871.0), (100.0, 60000.0),
];

/// From one turn to the next, start to start.
#[rustfmt::skip]
const GAP_S: &[(f64, f64)] = &[
    (0.0, 5.0), (10.0, 42.0), (25.0, 66.0), (50.0, 123.0), (75.0, 264.0), (90.0, 483.0), (99.0, 1477.0),
    (100.0, 3000.0),
];

/// Least, median and most of the page; the knots between are chosen so that its means are met.
const TOOL_A_PROMPT: &[(f64, f64)] = &[(0.0, 6168.0), (50.0, 6391.0), (90.0, 7200.0), (100.0, 8180.0)];
const TOOL_A_OUTPUT: &[(f64, f64)] = &[(0.0, 1.0), (50.0, 3.0), (90.0, 30.0), (100.0, 190.0)];
const TOOL_B_PROMPT: &[(f64, f64)] = &[(0.0, 3000.0), (50.0, 3150.0), (100.0, 3500.0)];
const TOOL_B_OUTPUT: &[(f64, f64)] = &[(0.0, 8.0), (50.0, 20.0), (100.0, 40.0)];

#[rustfmt::skip]
const CHAT_PROMPT: &[(f64, f64)] = &[
    (0.0, 891.0), (0.1, 892.0), (0.5, 893.0), (1.0, 894.0), (2.5, 896.0), (5.0, 901.0), (10.0, 964.0),
    (15.0, 1261.0), (20.0, 1662.0), (25.0, 2306.0), (30.0, 3263.0), (35.0, 4251.0), (40.0, 4993.0),
    (45.0, 5870.0), (50.0, 6909.0), (55.0, 8187.0), (60.0, 9570.0), (65.0, 11238.0), (70.0, 13196.0),
    (75.0, 15367.0), (80.0, 17869.0), (85.0, 21464.0), (90.0, 27367.0), (95.0, 39550.0), (97.5, 58977.0),
    (99.0, 85400.0), (99.5, 100810.0), (99.9, 121301.0), (100.0, 126195.0),
];

#[rustfmt::skip]
const CHAT_OUTPUT: &[(f64, f64)] = &[
    (0.0, 1.0), (0.1, 1.0), (0.5, 1.0), (1.0, 3.0), (2.5, 3.0), (5.0, 10.0), (10.0, 24.0), (15.0, 46.0),
    (20.0, 100.0), (25.0, 156.0), (30.0, 213.0), (35.0, 256.0), (40.0, 291.0), (45.0, 322.0), (50.0, 350.0),
    (55.0, 375.0), (60.0, 399.0), (65.0, 423.0), (70.0, 447.0), (75.0, 472.0), (80.0, 504.0), (85.0, 543.0),
    (90.0, 597.0), (95.0, 698.0), (97.5, 835.0), (99.0, 1119.0), (99.5, 1568.0), (99.9, 2000.0),
    (100.0, 2000.0),
];

#[rustfmt::skip]
const AGENT_CHAT_OUTPUT: &[(f64, f64)] = &[
    (0.0, 1.0), (0.1, 1.0), (0.5, 1.0), (1.0, 3.0), (2.5, 3.0), (5.0, 11.0), (10.0, 25.0), (15.0, 49.0),
    (20.0, 106.0), (25.0, 166.0), (30.0, 226.0), (35.0, 271.0), (40.0, 308.0), (45.0, 342.0), (50.0, 371.0),
    (55.0, 398.0), (60.0, 423.0), (65.0, 448.0), (70.0, 474.0), (75.0, 500.0), (80.0, 534.0), (85.0, 576.0),
    (90.0, 633.0), (95.0, 740.0), (97.5, 885.0), (99.0, 1186.0), (99.5, 1662.0), (99.9, 2120.0),
    (100.0, 2120.0),
];
