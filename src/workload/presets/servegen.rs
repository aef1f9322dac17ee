//! ServeGen's language workload `m-large`: a large chat model at a cloud provider, over the hours of a day.
//!
//! 162 clients, each with its own burstiness, are one stream here, whose gaps are gamma distributed with the dispersion
//! that such a sum has over a while: the mean of the clients' squared coefficients of variation, weighted by their rates
//! (median over windows of 10 minutes: 8.2). Lengths are quantiles over clients by their rates; those of 37 % of the
//! load are not published. Leaves out: who of the clients is active when, and that each has lengths of its own.
//!
//! Source: alibaba/ServeGen (Apache-2.0); computed from its client traces and length distributions, rounded.

use super::{Preset, Profile, RequestKind};

pub(super) const CHAT: Preset = Preset {
    name: "servegen-chat",
    mean_rate: 195.8,
    gamma_shape: 0.12,
    profile: Profile::Day(&HOURS),
    kinds: &[RequestKind::plain(PROMPT, OUTPUT)],
    source: "ServeGen, language/m-large, a day by the hour (Alibaba Cloud, Apache-2.0)",
};

#[rustfmt::skip]
const HOURS: [f64; 24] = [
    0.994, 1.002, 0.986, 0.936, 0.908, 0.883, 0.854, 0.818, 0.788, 0.868, 1.046, 1.106,
    0.971, 0.981, 1.047, 1.047, 1.109, 1.078, 1.040, 1.143, 1.133, 1.074, 1.103, 1.086,
];

#[rustfmt::skip]
const PROMPT: &[(f64, f64)] = &[
    (0.0, 1.0), (0.1, 29.0), (0.5, 58.0), (1.0, 60.0), (2.5, 61.0), (5.0, 64.0), (10.0, 74.0), (15.0, 77.0),
    (20.0, 151.0), (25.0, 262.0), (30.0, 466.0), (35.0, 494.0), (40.0, 559.0), (45.0, 579.0), (50.0, 601.0),
    (55.0, 655.0), (60.0, 754.0), (65.0, 836.0), (70.0, 895.0), (75.0, 1073.0), (80.0, 1254.0),
    (85.0, 1808.0), (90.0, 2371.0), (95.0, 2404.0), (97.5, 3022.0), (99.0, 5452.0), (99.5, 7924.0),
    (99.9, 12730.0), (100.0, 30712.0),
];

#[rustfmt::skip]
const OUTPUT: &[(f64, f64)] = &[
    (0.0, 1.0), (0.1, 1.0), (0.5, 1.0), (1.0, 1.0), (2.5, 1.0), (5.0, 1.0), (10.0, 1.0), (15.0, 3.0),
    (20.0, 5.0), (25.0, 8.0), (30.0, 12.0), (35.0, 15.0), (40.0, 27.0), (45.0, 39.0), (50.0, 53.0),
    (55.0, 71.0), (60.0, 94.0), (65.0, 121.0), (70.0, 152.0), (75.0, 208.0), (80.0, 369.0), (85.0, 429.0),
    (90.0, 461.0), (95.0, 539.0), (97.5, 702.0), (99.0, 872.0), (99.5, 1031.0), (99.9, 1595.0),
    (100.0, 9307.0),
];
