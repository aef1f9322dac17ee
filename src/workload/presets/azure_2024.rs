//! Azure LLM inference trace 2024: a week of a code and of a conversation service, by the hour of the day.
//!
//! The rate follows the hours of workdays and of weekends, in UTC, from Monday on. Within an hour gaps are gamma
//! distributed: their shape follows from mean and median of the published gaps. Prompts and outputs are drawn from
//! quantiles, independently. Leaves out: what differs between the days of a week, and minutes (the busiest one had 1.3
//! times the rate of the busiest hour).
//!
//! Source: Azure/AzurePublicDataset (Microsoft, CC-BY-4.0): its published statistics, and its published figures read off
//! (hourly rates within 2 % of published counts, means of lengths within 5 %).

use super::{Preset, Profile, RequestKind};

pub(super) const CODE: Preset = Preset {
    name: "azure24-code",
    mean_rate: 27.78,
    gamma_shape: 0.214,
    profile: Profile::Week { workday: &CODE_WORKDAY, weekend: &CODE_WEEKEND },
    kinds: &[RequestKind::plain(CODE_PROMPT, CODE_OUTPUT)],
    source: "Azure LLM inference trace 2024, code, a week by the hour (Microsoft, CC-BY-4.0)",
};

pub(super) const CONV: Preset = Preset {
    name: "azure24-conv",
    mean_rate: 45.15,
    gamma_shape: 0.189,
    profile: Profile::Week { workday: &CONV_WORKDAY, weekend: &CONV_WEEKEND },
    kinds: &[RequestKind::plain(CONV_PROMPT, CONV_OUTPUT)],
    source: "Azure LLM inference trace 2024, conversation, a week by the hour (Microsoft, CC-BY-4.0)",
};

#[rustfmt::skip]
const CODE_WORKDAY: [f64; 24] = [
    0.871, 0.846, 0.793, 0.647, 0.517, 0.423, 0.365, 0.309, 0.287, 0.299, 0.322, 0.474,
    0.868, 1.479, 2.097, 2.251, 2.138, 2.465, 2.711, 2.766, 2.561, 1.884, 1.360, 1.018,
];

#[expect(clippy::approx_constant, reason = "0.318 of the mean rate, not 1/π")]
#[rustfmt::skip]
const CODE_WEEKEND: [f64; 24] = [
    0.544, 0.532, 0.473, 0.458, 0.385, 0.311, 0.254, 0.176, 0.135, 0.121, 0.114, 0.158,
    0.239, 0.318, 0.395, 0.453, 0.494, 0.528, 0.586, 0.599, 0.603, 0.595, 0.595, 0.552,
];

#[rustfmt::skip]
const CODE_PROMPT: &[(f64, f64)] = &[
    (0.0, 1.0), (1.0, 9.0), (2.5, 44.0), (5.0, 133.0), (10.0, 319.0), (15.0, 506.0), (20.0, 718.0),
    (25.0, 931.0), (30.0, 1126.0), (35.0, 1304.0), (40.0, 1490.0), (45.0, 1694.0), (50.0, 1907.0),
    (55.0, 2138.0), (60.0, 2377.0), (65.0, 2625.0), (70.0, 2936.0), (75.0, 3326.0), (80.0, 3867.0),
    (85.0, 4710.0), (90.0, 6251.0), (95.0, 7663.0), (97.5, 7672.0), (99.0, 7685.0), (100.0, 7743.0),
];

#[rustfmt::skip]
const CODE_OUTPUT: &[(f64, f64)] = &[
    (0.0, 1.0), (50.0, 8.0), (90.0, 43.0), (95.0, 79.0), (99.0, 271.0), (99.9, 406.0), (100.0, 5000.0),
];

#[rustfmt::skip]
const CONV_WORKDAY: [f64; 24] = [
    1.017, 1.109, 1.089, 0.904, 0.916, 0.997, 1.150, 1.240, 1.267, 1.233, 1.112, 1.174,
    1.316, 1.455, 1.526, 1.420, 1.291, 1.238, 1.233, 1.156, 1.051, 0.878, 0.790, 0.824,
];

#[rustfmt::skip]
const CONV_WEEKEND: [f64; 24] = [
    0.572, 0.605, 0.603, 0.509, 0.499, 0.519, 0.532, 0.592, 0.610, 0.560, 0.595, 0.662,
    0.709, 0.788, 0.797, 0.825, 0.774, 0.759, 0.731, 0.685, 0.687, 0.657, 0.609, 0.654,
];

#[rustfmt::skip]
const CONV_PROMPT: &[(f64, f64)] = &[
    (0.0, 1.0), (1.0, 71.0), (2.5, 133.0), (5.0, 204.0), (10.0, 293.0), (15.0, 364.0), (20.0, 444.0),
    (25.0, 541.0), (30.0, 550.0), (35.0, 568.0), (40.0, 594.0), (45.0, 683.0), (50.0, 928.0),
    (55.0, 1348.0), (60.0, 1694.0), (65.0, 1907.0), (70.0, 2102.0), (75.0, 2342.0), (80.0, 2661.0),
    (85.0, 3051.0), (90.0, 3830.0), (95.0, 4860.0), (97.5, 5747.0), (99.0, 6683.0), (100.0, 7999.0),
];

#[rustfmt::skip]
const CONV_OUTPUT: &[(f64, f64)] = &[
    (0.0, 1.0), (50.0, 41.0), (65.0, 58.0), (70.0, 69.0), (75.0, 108.0), (80.0, 169.0), (85.0, 252.0),
    (90.0, 342.0), (95.0, 455.0), (99.0, 694.0), (100.0, 1500.0),
];
