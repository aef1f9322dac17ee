//! Measured requests asked again of the simulated engine, and its constants fitted to what they measured.
//!
//! A [`Log`] of requests (lengths, arrivals, latencies) and a [`Setup`] (roofline, settings of the engine `vllm`,
//! KV tokens) give the [times](Latency) that the simulation has for every request; [`Metric`]s compare both.
//! [`calibrate`] looks for the four constants with which they agree best, judged by requests it does not fit to.
//!
//! One instance, one engine. Leaves out: the way of a request to the engine and of its tokens back (a log should
//! say when the *engine* got a request, else the front end's time goes into the constants), shared prefixes,
//! speculation. Engines that work in step are one engine with the cache of all.
//!
//! Units: seconds since the first arrival, tokens.

mod calibrate;
mod engine;
mod error;
mod log;
mod metrics;
mod objective;
mod simplex;
mod split;

pub use calibrate::{MetricReport, Report, calibrate};
pub use engine::{Latency, Replayed, Setup};
pub use error::{LogError, ReplayError};
pub use log::Log;
pub use metrics::{Metric, Quantity, Statistic};
pub use split::is_held_back;

/// A request as it was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// When the engine got it, since the first.
    pub arrival_s: f64,
    /// Length of the prompt, at least 1.
    pub prompt_tokens: u32,
    /// Length of the answer, at least 1.
    pub output_tokens: u32,
    /// What was measured of it.
    pub latency: Partial,
}

/// As much of a request's times as is known; two of the three tell the third.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Partial {
    /// To its first token.
    pub ttft_s: Option<f64>,
    /// From a token to the next, on average; none of an answer of one token.
    pub tpot_s: Option<f64>,
    /// To its last token.
    pub e2e_s: Option<f64>,
}

impl Partial {
    /// With what follows from what is known, for an answer of so many tokens.
    pub fn completed(self, output_tokens: u32) -> Self {
        let gaps = f64::from(output_tokens.max(1) - 1);
        let Partial { ttft_s, tpot_s, e2e_s } = self;
        match (ttft_s, tpot_s, e2e_s) {
            _ if output_tokens == 1 => {
                let only = ttft_s.or(e2e_s);
                Partial { ttft_s: only, tpot_s: None, e2e_s: e2e_s.or(only) }
            }
            (Some(ttft), Some(tpot), None) => Partial { e2e_s: Some(ttft + tpot * gaps), ..self },
            (Some(ttft), None, Some(e2e)) => Partial { tpot_s: Some(((e2e - ttft) / gaps).max(0.0)), ..self },
            (None, Some(tpot), Some(e2e)) => Partial { ttft_s: Some((e2e - tpot * gaps).max(0.0)), ..self },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests;
