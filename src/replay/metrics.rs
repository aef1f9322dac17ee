//! Mean, median and 99th percentile of what requests see.

use std::fmt;

use super::{Latency, Measured};

/// What is measured of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// Time to its first token.
    Ttft,
    /// Time per output token after the first.
    Tpot,
    /// Time to its last token.
    E2e,
}

/// What is said of many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The median.
    P50,
    /// The 99th percentile.
    P99,
}

/// A statistic of a quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Of a request.
    pub quantity: Quantity,
    /// Of them all.
    pub statistic: Statistic,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 3] = [Quantity::Ttft, Quantity::Tpot, Quantity::E2e];

    /// What was measured, if it was.
    pub fn measured(self, request: &Measured) -> Option<f64> {
        match self {
            Quantity::Ttft => request.latency.ttft_s,
            Quantity::Tpot => request.latency.tpot_s,
            Quantity::E2e => request.latency.e2e_s,
        }
    }

    /// What was simulated.
    pub fn simulated(self, latency: &Latency) -> f64 {
        match self {
            Quantity::Ttft => latency.ttft_s,
            Quantity::Tpot => latency.tpot_s,
            Quantity::E2e => latency.e2e_s,
        }
    }
}

impl Statistic {
    /// All of them.
    pub const ALL: [Statistic; 3] = [Statistic::Mean, Statistic::P50, Statistic::P99];

    /// Of these values, which it puts in order; 0 of none. Percentiles are values (nearest rank).
    pub fn of(self, values: &mut [f64]) -> f64 {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (values.len() as f64 * share).ceil() as usize;
            values.get(rank.max(1) - 1).copied().unwrap_or(0.0)
        };
        match self {
            Statistic::Mean => values.iter().sum::<f64>() / values.len().max(1) as f64,
            Statistic::P50 => at(0.50),
            Statistic::P99 => at(0.99),
        }
    }
}

impl Metric {
    /// Every statistic of every quantity.
    pub fn all() -> impl Iterator<Item = Metric> {
        Quantity::ALL
            .into_iter()
            .flat_map(|quantity| Statistic::ALL.map(|statistic| Metric { quantity, statistic }))
    }

    /// Measured and simulated, over the pairs of which this was measured; none if it never was.
    pub fn compare<'a>(self, pairs: impl Iterator<Item = (&'a Measured, &'a Latency)>) -> Option<(f64, f64)> {
        let both = |(request, latency): (&Measured, &Latency)| {
            Some((self.quantity.measured(request)?, self.quantity.simulated(latency)))
        };
        let (mut measured, mut simulated): (Vec<f64>, Vec<f64>) = pairs.filter_map(both).unzip();
        let statistic = self.statistic;
        (!measured.is_empty()).then(|| (statistic.of(&mut measured), statistic.of(&mut simulated)))
    }

    /// Relative error of what was simulated: positive when it is too long.
    pub fn error<'a>(self, pairs: impl Iterator<Item = (&'a Measured, &'a Latency)>) -> Option<f64> {
        let (measured, simulated) = self.compare(pairs)?;
        (measured > 0.0).then(|| simulated / measured - 1.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Quantity::Ttft => "TTFT",
            Quantity::Tpot => "TPOT",
            Quantity::E2e => "E2E",
        })
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Statistic::Mean => "mean",
            Statistic::P50 => "p50",
            Statistic::P99 => "p99",
        })
    }
}

/// `TTFT mean`.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.quantity, self.statistic))
    }
}
