//! Ready-made synthetic loads after published traces: how often requests come, how long they are, what they share.
//!
//! Figures carry over, rows do not: each file names where its figures come from, and what it leaves out. Rates in
//! requests per second, lengths in tokens.

mod azure_2023;
mod azure_2024;
mod mooncake;
mod servegen;
#[cfg(test)]
mod tests;

use ebbflow_actors::{SimDuration, SimTime};

/// A synthetic load with figures of a published trace.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Preset {
    /// As scenarios name it.
    pub name: &'static str,
    /// Requests per second over the whole trace.
    pub mean_rate: f64,
    /// Shape of gamma-distributed gaps; below 1 is burstier than Poisson.
    pub gamma_shape: f64,
    /// How the rate changes with the hours.
    pub profile: Profile,
    /// What requests there are, at least one kind.
    pub kinds: &'static [RequestKind],
    /// Where the figures come from.
    pub source: &'static str,
}

/// How a rate changes with the hours: multiples of its mean, 24 from midnight on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Profile {
    /// It does not.
    Constant,
    /// As every day.
    Day(&'static [f64; 24]),
    /// From Monday on.
    Week {
        /// Monday to Friday.
        workday: &'static [f64; 24],
        /// Saturday and Sunday.
        weekend: &'static [f64; 24],
    },
}

/// Requests that are alike.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RequestKind {
    /// Their share of all requests.
    pub share: f64,
    /// Prompt lengths: (percentile, tokens).
    pub prompt: &'static [(f64, f64)],
    /// Output lengths: (percentile, tokens).
    pub output: &'static [(f64, f64)],
    /// Blocks of [`PRESET_BLOCK_TOKENS`] tokens with which all their prompts begin.
    pub shared_blocks: u32,
    /// How they go on from one another, if they do.
    pub turns: Option<&'static Turns>,
}

/// How requests go on from earlier ones, whose prompts theirs begin with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Turns {
    /// Probability that a request goes on from an earlier one, if there is one that it can go on from.
    pub follow_up: f64,
    /// What it adds to the turn before: (percentile, tokens).
    pub new_tokens: &'static [(f64, f64)],
    /// Time since the turn before: (percentile, seconds).
    pub gap_s: &'static [(f64, f64)],
}

/// Tokens of a block of a preset's prefixes, as in Mooncake's traces.
pub const PRESET_BLOCK_TOKENS: u64 = 512;

const PRESETS: &[Preset] = &[
    azure_2023::CODE,
    azure_2023::CONV,
    azure_2024::CODE,
    azure_2024::CONV,
    mooncake::CONV,
    mooncake::AGENT,
    servegen::CHAT,
];

/// The preset of this name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The names of all presets.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

impl RequestKind {
    /// All requests, without anything in common.
    const fn plain(prompt: &'static [(f64, f64)], output: &'static [(f64, f64)]) -> Self {
        RequestKind { share: 1.0, prompt, output, shared_blocks: 0, turns: None }
    }
}

impl Preset {
    /// Its rate when the mean is this one: (from, requests per second), over a week if it changes, then the mean.
    pub fn rate(&self, mean: f64) -> Vec<(SimTime, f64)> {
        let hour = |index: u64| SimTime::ZERO + SimDuration::from_secs(3600 * index);
        let week: Vec<f64> = (0..7).flat_map(|day| self.profile.day(day)).copied().collect();
        let total: f64 = week.iter().sum();
        // The multiples are rounded; over the week they come to the mean nevertheless.
        let scale = mean * week.len() as f64 / total;
        let hours = week.iter().zip(0..).map(|(multiple, index)| (hour(index), multiple * scale));
        hours.chain([(hour(week.len() as u64), mean)]).collect()
    }

    /// Whether its requests are of several kinds, or share their beginnings.
    pub fn is_structured(&self) -> bool {
        self.kinds.len() > 1 || self.kinds.iter().any(|kind| kind.shared_blocks > 0 || kind.turns.is_some())
    }
}

impl Profile {
    /// The hours of a day of the week, counted from Monday; none if all are the same.
    fn day(&self, day: u32) -> &'static [f64] {
        match self {
            Profile::Constant => &[],
            Profile::Day(hours) => *hours,
            Profile::Week { workday, weekend } => {
                if day < 5 {
                    *workday
                } else {
                    *weekend
                }
            }
        }
    }
}
