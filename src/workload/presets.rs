//! Ready-made synthetic loads after published traces.
//!
//! Arrivals are a renewal process with the mean rate and burstiness of the trace; lengths are drawn from
//! its quantiles, prompt and output independently (their correlation is below 0.12). Leaves out: the slow drift of
//! the rate, and the minutes of silence of `azure-code`. Times in seconds, lengths in tokens.
//!
//! Source: Azure LLM inference trace 2023 (Microsoft, Azure/AzurePublicDataset, CC-BY-4.0); the figures
//! are quantiles and moments computed from it, rounded.

/// A synthetic load with figures of a published trace.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Preset {
    /// As scenarios name it.
    pub name: &'static str,
    /// Requests per second over the whole trace.
    pub mean_rate: f64,
    /// Shape of gamma-distributed gaps; below 1 is burstier than Poisson.
    pub gamma_shape: f64,
    /// Prompt lengths: (percentile, tokens).
    pub prompt: &'static [(f64, f64)],
    /// Output lengths: (percentile, tokens).
    pub output: &'static [(f64, f64)],
    /// Where the figures come from.
    pub source: &'static str,
}

/// The preset of this name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The names of all presets.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "azure-code",
        mean_rate: 2.567,
        gamma_shape: 0.231,
        prompt: AZURE_CODE_PROMPT,
        output: AZURE_CODE_OUTPUT,
        source: "Azure LLM inference trace 2023, code (Microsoft, CC-BY-4.0)",
    },
    Preset {
        name: "azure-conv",
        mean_rate: 5.530,
        gamma_shape: 0.871,
        prompt: AZURE_CONV_PROMPT,
        output: AZURE_CONV_OUTPUT,
        source: "Azure LLM inference trace 2023, conversation (Microsoft, CC-BY-4.0)",
    },
];

#[rustfmt::skip]
const AZURE_CODE_PROMPT: &[(f64, f64)] = &[
    (0.0, 3.0), (0.1, 7.0), (0.5, 12.0), (1.0, 17.0), (2.5, 44.0), (5.0, 75.0), (10.0, 147.0),
    (15.0, 232.0), (20.0, 386.0), (25.0, 578.0), (30.0, 770.0), (35.0, 939.0), (40.0, 1075.0),
    (45.0, 1261.0), (50.0, 1469.0), (55.0, 1690.0), (60.0, 1909.0), (65.0, 2164.0), (70.0, 2433.0),
    (75.0, 2744.0), (80.0, 3192.0), (85.0, 3920.0), (90.0, 5188.0), (95.0, 7303.0), (97.5, 7435.0),
    (99.0, 7436.0), (99.5, 7436.0), (99.9, 7437.0), (100.0, 7437.0),
];

#[rustfmt::skip]
const AZURE_CODE_OUTPUT: &[(f64, f64)] = &[
    (0.0, 6.0), (0.1, 6.0), (0.5, 6.0), (1.0, 6.0), (2.5, 6.0), (5.0, 6.0), (10.0, 7.0), (15.0, 7.0),
    (20.0, 8.0), (25.0, 9.0), (30.0, 9.0), (35.0, 10.0), (40.0, 11.0), (45.0, 12.0), (50.0, 13.0),
    (55.0, 14.0), (60.0, 16.0), (65.0, 18.0), (70.0, 20.0), (75.0, 24.0), (80.0, 29.0), (85.0, 39.0),
    (90.0, 55.0), (95.0, 90.0), (97.5, 145.0), (99.0, 251.0), (99.5, 359.0), (99.9, 825.0),
    (100.0, 1899.0),
];

#[rustfmt::skip]
const AZURE_CONV_PROMPT: &[(f64, f64)] = &[
    (0.0, 2.0), (0.1, 8.0), (0.5, 17.0), (1.0, 29.0), (2.5, 120.0), (5.0, 181.0), (10.0, 207.0),
    (15.0, 372.0), (20.0, 387.0), (25.0, 396.0), (30.0, 403.0), (35.0, 414.0), (40.0, 703.0),
    (45.0, 984.0), (50.0, 1020.0), (55.0, 1045.0), (60.0, 1071.0), (65.0, 1097.0), (70.0, 1130.0),
    (75.0, 1189.0), (80.0, 1315.0), (85.0, 1876.0), (90.0, 2734.0), (95.0, 4083.0), (97.5, 4092.0),
    (99.0, 4142.0), (99.5, 4831.0), (99.9, 6179.0), (100.0, 14050.0),
];

#[rustfmt::skip]
const AZURE_CONV_OUTPUT: &[(f64, f64)] = &[
    (0.0, 7.0), (0.1, 12.0), (0.5, 14.0), (1.0, 16.0), (2.5, 28.0), (5.0, 41.0), (10.0, 54.0),
    (15.0, 67.0), (20.0, 77.0), (25.0, 85.0), (30.0, 91.0), (35.0, 96.0), (40.0, 103.0), (45.0, 113.0),
    (50.0, 129.0), (55.0, 151.0), (60.0, 177.0), (65.0, 217.0), (70.0, 384.0), (75.0, 395.0),
    (80.0, 400.0), (85.0, 411.0), (90.0, 424.0), (95.0, 451.0), (97.5, 522.0), (99.0, 601.0),
    (99.5, 643.0), (99.9, 954.0), (100.0, 1000.0),
];

#[cfg(test)]
mod tests {
    use ebbflow_actors::SimTime;

    use super::*;
    use crate::ids::ApplicationId;
    use crate::scenario::{Arrivals, Lengths, SyntheticSpec, Transform, WorkloadSource, WorkloadSpec};
    use crate::workload::{Workload, open};

    fn generated(name: &str, requests: u64, seed: u64) -> Workload {
        let preset = preset(name).unwrap();
        let rate = vec![(SimTime::ZERO, preset.mean_rate)];
        let source = WorkloadSource::Synthetic(SyntheticSpec {
            application: ApplicationId(0),
            shares: Vec::new(),
            arrivals: Arrivals::Gamma { shape: preset.gamma_shape, rate },
            prompt: Lengths::Quantiles(preset.prompt.to_vec()),
            output: Lengths::Quantiles(preset.output.to_vec()),
            sessions: None,
            prefix_groups: None,
            requests: Some(requests),
            until: None,
        });
        open(&WorkloadSpec { source, transform: Transform::default() }, &[ApplicationId(0)], seed).unwrap()
    }

    fn facts(seed: u64) -> Vec<(u64, u32, u32)> {
        let requests = generated("azure-conv", 3, seed).requests;
        requests.map(|r| (r.arrival.as_nanos(), r.prompt_tokens, r.output_tokens)).collect()
    }

    #[test]
    fn presets_have_the_means_published_for_their_traces() {
        const REQUESTS: u64 = 200_000;
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 0.03;
        let published = [("azure-code", 2.567, 2047.85, 27.88), ("azure-conv", 5.530, 1154.70, 211.13)];
        for (name, rate, prompt, output) in published {
            let workload = generated(name, REQUESTS, 1);
            assert_eq!(workload.expected, Some(REQUESTS));
            let (mut prompts, mut outputs, mut last) = (0, 0, SimTime::ZERO);
            for request in workload.requests {
                prompts += u64::from(request.prompt_tokens);
                outputs += u64::from(request.output_tokens);
                last = request.arrival;
            }
            let mean = |sum: u64| sum as f64 / REQUESTS as f64;
            assert!(near(mean(prompts), prompt), "{name} prompt: {}", mean(prompts));
            assert!(near(mean(outputs), output), "{name} output: {}", mean(outputs));
            assert!(near(REQUESTS as f64 / last.as_secs_f64(), rate), "{name}: {last}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_on_every_platform() {
        assert_eq!(facts(42), [(65_059_096, 1129, 55), (77_475_161, 783, 26), (220_891_376, 59, 93)]);
        assert_ne!(facts(42), facts(43));
    }

    #[test]
    fn presets_are_found_by_name() {
        assert_eq!(preset_names().collect::<Vec<_>>(), ["azure-code", "azure-conv"]);
        assert!(preset("azure").is_none());
    }
}
