//! How the metrics are read: over which time, from whom, which percentile.

use ebbflow_actors::SimDuration;

use crate::ids::Tag;
use crate::scaling::Observation;
use crate::scaling::metrics::{Readings, Signal, View};
use crate::slo::{LatencyKind, Statistic};

/// An observation as one of the five policies looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Lens<'o, 'a> {
    pub(super) seen: &'o Observation<'a>,
    /// Averages and rates are over this; none: since the last decision, and gauges are the newest.
    pub(super) window: Option<SimDuration>,
    /// Tags of those that compute prompts.
    pub(super) prompt: &'o [Option<Tag>],
    /// Tags of those that generate tokens.
    pub(super) token: &'o [Option<Tag>],
}

impl Lens<'_, '_> {
    /// Output tokens/s of the requests that completed.
    pub fn decode_tps(&self) -> Option<f64> {
        self.view().output_tokens_per_s()
    }

    /// Requests/s that arrived.
    pub fn prefill_tps(&self) -> Option<f64> {
        self.view().arrivals_per_s()
    }

    /// Mean utilisation of those that compute prompts.
    pub fn prefill_util(&self, signal: Signal) -> Option<f64> {
        self.mean(signal, self.prompt)
    }

    /// Mean utilisation of those that generate tokens.
    pub fn decode_util(&self, signal: Signal) -> Option<f64> {
        self.mean(signal, self.token)
    }

    /// A latency; `percent` counts only when mended, for the ancestor takes the median.
    pub fn latency_s(&self, kind: LatencyKind, percent: f64) -> Option<f64> {
        let percent = if self.is_faithful() { 50.0 } else { percent };
        self.view().latency_s(kind, Statistic::Quantile(percent / 100.0))
    }

    /// Whether it looks as the ancestor does.
    pub fn is_faithful(&self) -> bool {
        self.window.is_none()
    }

    fn view(&self) -> View<'_, '_> {
        self.window.map_or_else(|| self.seen.since_last(), |window| self.seen.over(window))
    }

    fn mean(&self, signal: Signal, tags: &[Option<Tag>]) -> Option<f64> {
        let read = |tag: Option<Tag>| match self.window {
            Some(window) => self.seen.over(window).readings(signal, tag),
            None => self.seen.readings(signal, tag),
        };
        let present = tags.iter().filter(|tag| self.seen.members(**tag).next().is_some());
        let pools: Vec<Readings> = present.map(|&tag| read(tag)).collect();
        let count: usize = pools.iter().map(Readings::count).sum();
        (count > 0).then(|| pools.iter().map(Readings::sum).sum::<f64>() / count as f64)
    }
}
