//! Azure LLM inference trace 2023: an hour of a code and of a conversation service.
//!
//! Arrivals are a renewal process with the mean rate and burstiness of the trace; prompts and outputs are drawn from its
//! quantiles, independently (their correlation is below 0.12). Leaves out: the slow drift of the rate, and the minutes
//! of silence of `azure-code`.
//!
//! Source: Azure/AzurePublicDataset (Microsoft, CC-BY-4.0); quantiles and moments computed from it, rounded.

use super::{Preset, Profile, RequestKind};

pub(super) const CODE: Preset = Preset {
    name: "azure-code",
    mean_rate: 2.567,
    gamma_shape: 0.231,
    profile: Profile::Constant,
    kinds: &[RequestKind::plain(CODE_PROMPT, CODE_OUTPUT)],
    source: "Azure LLM inference trace 2023, code (Microsoft, CC-BY-4.0)",
};

pub(super) const CONV: Preset = Preset {
    name: "azure-conv",
    mean_rate: 5.530,
    gamma_shape: 0.871,
    profile: Profile::Constant,
    kinds: &[RequestKind::plain(CONV_PROMPT, CONV_OUTPUT)],
    source: "Azure LLM inference trace 2023, conversation (Microsoft, CC-BY-4.0)",
};

#[rustfmt::skip]
const CODE_PROMPT: &[(f64, f64)] = &[
    (0.0, 3.0), (0.1, 7.0), (0.5, 12.0), (1.0, 17.0), (2.5, 44.0), (5.0, 75.0), (10.0, 147.0),
    (15.0, 232.0), (20.0, 386.0), (25.0, 578.0), (30.0, 770.0), (35.0, 939.0), (40.0, 1075.0),
    (45.0, 1261.0), (50.0, 1469.0), (55.0, 1690.0), (60.0, 1909.0), (65.0, 2164.0), (70.0, 2433.0),
    (75.0, 2744.0), (80.0, 3192.0), (85.0, 3920.0), (90.0, 5188.0), (95.0, 7303.0), (97.5, 7435.0),
    (99.0, 7436.0), (99.5, 7436.0), (99.9, 7437.0), (100.0, 7437.0),
];

#[rustfmt::skip]
const CODE_OUTPUT: &[(f64, f64)] = &[
    (0.0, 6.0), (0.1, 6.0), (0.5, 6.0), (1.0, 6.0), (2.5, 6.0), (5.0, 6.0), (10.0, 7.0), (15.0, 7.0),
    (20.0, 8.0), (25.0, 9.0), (30.0, 9.0), (35.0, 10.0), (40.0, 11.0), (45.0, 12.0), (50.0, 13.0),
    (55.0, 14.0), (60.0, 16.0), (65.0, 18.0), (70.0, 20.0), (75.0, 24.0), (80.0, 29.0), (85.0, 39.0),
    (90.0, 55.0), (95.0, 90.0), (97.5, 145.0), (99.0, 251.0), (99.5, 359.0), (99.9, 825.0),
    (100.0, 1899.0),
];

#[rustfmt::skip]
const CONV_PROMPT: &[(f64, f64)] = &[
    (0.0, 2.0), (0.1, 8.0), (0.5, 17.0), (1.0, 29.0), (2.5, 120.0), (5.0, 181.0), (10.0, 207.0),
    (15.0, 372.0), (20.0, 387.0), (25.0, 396.0), (30.0, 403.0), (35.0, 414.0), (40.0, 703.0),
    (45.0, 984.0), (50.0, 1020.0), (55.0, 1045.0), (60.0, 1071.0), (65.0, 1097.0), (70.0, 1130.0),
    (75.0, 1189.0), (80.0, 1315.0), (85.0, 1876.0), (90.0, 2734.0), (95.0, 4083.0), (97.5, 4092.0),
    (99.0, 4142.0), (99.5, 4831.0), (99.9, 6179.0), (100.0, 14050.0),
];

#[rustfmt::skip]
const CONV_OUTPUT: &[(f64, f64)] = &[
    (0.0, 7.0), (0.1, 12.0), (0.5, 14.0), (1.0, 16.0), (2.5, 28.0), (5.0, 41.0), (10.0, 54.0),
    (15.0, 67.0), (20.0, 77.0), (25.0, 85.0), (30.0, 91.0), (35.0, 96.0), (40.0, 103.0), (45.0, 113.0),
    (50.0, 129.0), (55.0, 151.0), (60.0, 177.0), (65.0, 217.0), (70.0, 384.0), (75.0, 395.0),
    (80.0, 400.0), (85.0, 411.0), (90.0, 424.0), (95.0, 451.0), (97.5, 522.0), (99.0, 601.0),
    (99.5, 643.0), (99.9, 954.0), (100.0, 1000.0),
];
