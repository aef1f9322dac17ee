//! What arrives.

use std::path::PathBuf;

use ebbflow_actors::{SimDuration, SimTime};

use super::classes::RequestClass;
use super::client_pool::ClientPoolSpec;
use super::conversations::{Clients, PrefixGroups, Sessions};
use crate::ids::ApplicationId;
use crate::workload::Preset;

/// What arrives.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkloadSpec {
    /// Where requests come from.
    pub source: WorkloadSource,
    /// Changes made to them, applied in the order of the fields of [`Transform`].
    pub transform: Transform,
    /// Classes that requests are of; none: they are all alike.
    pub classes: Vec<RequestClass>,
}

/// Where requests come from.
#[derive(Clone, PartialEq, Debug)]
pub enum WorkloadSource {
    /// A trace file; its format is recognised by its header.
    Trace {
        /// The file.
        path: PathBuf,
        /// Count and report malformed rows instead of failing.
        skip_bad_rows: bool,
        /// When its requests arrive instead, in their order; none: as recorded.
        arrivals: Option<Arrivals>,
    },
    /// Requests of the clients of a pool.
    ClientPool(ClientPoolSpec),
    /// Generated requests.
    Synthetic(SyntheticSpec),
}

/// Changes to a workload.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Transform {
    /// Skip what arrives before this time of the trace and shift the rest to time 0.
    pub start: Option<SimDuration>,
    /// Keep what arrives within this time after `start` (before scaling).
    pub duration: Option<SimDuration>,
    /// Multiply the arrival rate: inter-arrival times are divided by it. > 0.
    pub rate_scale: Option<f64>,
    /// Keep the first so many requests.
    pub limit: Option<u64>,
    /// Cut prompt and output lengths to at most so many tokens.
    pub token_clip: Option<u32>,
}

/// Generated requests.
#[derive(Clone, PartialEq, Debug)]
pub struct SyntheticSpec {
    /// The application asked.
    pub application: ApplicationId,
    /// Several of them instead, each with its share of the requests, or of the conversations; shares are above zero.
    pub shares: Vec<(ApplicationId, f64)>,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// Prompt lengths in tokens.
    pub prompt: Lengths,
    /// Output lengths in tokens.
    pub output: Lengths,
    /// Conversations instead of single requests: then `arrivals` start them, `prompt` is what a turn adds.
    pub sessions: Option<Sessions>,
    /// System prompts that they begin with.
    pub prefix_groups: Option<PrefixGroups>,
    /// A preset whose requests are of several kinds, or share beginnings: then the lengths are its own.
    pub preset: Option<&'static Preset>,
    /// How many; none: until `until`.
    pub requests: Option<u64>,
    /// Stop arriving here; at least one of the two is given.
    pub until: Option<SimTime>,
}

/// When requests arrive, or with sessions when they begin. Rates are per second.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrivals {
    /// Exponential gaps, the rate piecewise constant: (from, rate), first from 0, rates ≥ 0.
    Poisson(Vec<(SimTime, f64)>),
    /// Gamma gaps of this shape (CV = 1/√shape), the rate piecewise constant.
    Gamma {
        /// Shape k of the gap distribution.
        shape: f64,
        /// (from, rate)
        rate: Vec<(SimTime, f64)>,
    },
    /// Poisson at `rate` during on-phases of exponential length, nothing in between.
    OnOff {
        /// During an on-phase.
        rate: f64,
        /// Mean length of an on-phase.
        mean_on: SimDuration,
        /// Mean length of an off-phase.
        mean_off: SimDuration,
    },
    /// One every `1/rate` seconds.
    Uniform {
        /// Requests per second.
        rate: f64,
    },
    /// A closed loop: each client asks again when its last request, or session, has ended.
    Clients(Clients),
}

/// A distribution of lengths in tokens; drawn lengths are rounded and at least 1.
#[derive(Clone, PartialEq, Debug)]
pub enum Lengths {
    /// Always the same.
    Constant(u32),
    /// exp(N(mu, sigma²)), cut to [1, max].
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// Largest length.
        max: u32,
    },
    /// Inverse CDF through (percentile 0…100, length) knots, log-linear between them.
    Quantiles(Vec<(f64, f64)>),
}
