//! The figures of an application, or of all of them: what became of requests, latencies, instance time.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    ApplicationResults, Cost, EngineReport, Figures, RunResults, ScalingCounts, Statistics, StatusTime,
};
use crate::ids::Tag;
use crate::request::Fate;

/// The figures of an application, or of all of them.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Totals {
    /// What became of the requests.
    pub requests: RequestCounts,
    /// Prompt tokens of the completed requests.
    pub prompt_tokens: u64,
    /// Output tokens of the completed requests.
    pub output_tokens: u64,
    /// Time to first token.
    pub ttft_s: Latency,
    /// Time between tokens, the ancestor's: (E2E − TTFT) / output tokens.
    pub tbt_s: Latency,
    /// Time per output token, the field's: (E2E − TTFT) / (output tokens − 1).
    pub tpot_s: Latency,
    /// End-to-end response time.
    pub e2e_s: Latency,
    /// Wait before the prompt was first worked on.
    pub queue_s: Latency,
    /// What engines counted; null if none of them does (all but `vllm`).
    pub engine: Option<EngineReport>,
    /// Time of instances.
    pub instance_seconds: Shares,
    /// The same, weighted by the GPUs of each instance.
    pub gpu_seconds: Shares,
    /// GPU-hours, rent and energy, by what the GPUs were doing.
    pub cost: Cost,
    /// All energy over the output tokens of completed requests, in joules; null without either.
    pub energy_per_output_token_j: Option<f64>,
    /// Scaling operations.
    pub scaling: ScalingReport,
}

/// What became of the requests.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RequestCounts {
    /// All that arrived: the sum of the next three, unless a fault lost track.
    pub arrived: u64,
    /// Served in full.
    pub completed: u64,
    /// Refused or given up.
    pub rejected: u64,
    /// Still somewhere when the run ended.
    pub unfinished: u64,
    /// Rejected ones by reason.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Unfinished ones by where they stood.
    pub unfinished_by_stage: BTreeMap<&'static str, u64>,
}

/// How a latency is distributed, in seconds; null without completed requests.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

/// Seconds per status, in total and per tag.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Shares {
    /// All instances.
    #[serde(flatten)]
    pub all: StatusSeconds,
    /// Instances by tag; those without one as `untagged`.
    pub by_tag: BTreeMap<&'static str, StatusSeconds>,
}

/// Seconds per status.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct StatusSeconds {
    /// Sum of the following.
    pub total: f64,
    /// Serving.
    pub active: f64,
    /// Starting.
    pub scaling_up: f64,
    /// Finishing what they have.
    pub draining: f64,
}

/// What became of the scaling operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ScalingReport {
    /// Instances started.
    pub scale_ups: u64,
    /// Drains begun.
    pub scale_downs: u64,
    /// Operations refused.
    pub refused: u64,
}

impl Totals {
    /// Sums up these applications, whose requests have these figures, of a run.
    pub fn of(applications: &[&ApplicationResults], figures: &Figures, run: &RunResults) -> Self {
        let served = || applications.iter().flat_map(|application| &application.tally.served);
        let latency = |column| Latency::from(figures.column(column));
        let output_tokens = served().map(|request| u64::from(request.output_tokens)).sum();
        let cost = Cost::of(applications, &run.applications, run.end);
        let energy_kwh = cost.energy_kwh.filter(|_| output_tokens > 0);
        Totals {
            requests: applications.iter().map(|application| &application.tally.counts).sum(),
            prompt_tokens: served().map(|request| u64::from(request.prompt_tokens)).sum(),
            output_tokens,
            ttft_s: latency("ttft_times"),
            tbt_s: latency("tbt_times"),
            tpot_s: Latency::from(figures.tpot_s.as_ref()),
            e2e_s: latency("response_times"),
            queue_s: latency("queue_times"),
            engine: EngineReport::of(applications),
            instance_seconds: Shares::of(times(applications, |time| time.instance)),
            gpu_seconds: Shares::of(times(applications, |time| time.gpu)),
            cost,
            energy_per_output_token_j: energy_kwh.map(|energy| energy.total * 3.6e6 / output_tokens as f64),
            scaling: ScalingReport::of(applications.iter().map(|application| application.scaling)),
        }
    }
}

fn times(
    applications: &[&ApplicationResults],
    of: fn(&super::TagTime) -> StatusTime,
) -> impl Iterator<Item = (Option<Tag>, StatusTime)> {
    applications
        .iter()
        .flat_map(move |application| application.time.iter().map(move |time| (time.tag, of(time))))
}

impl RequestCounts {
    /// Counts a request.
    pub fn note(&mut self, fate: &Fate) {
        self.arrived += 1;
        match fate {
            Fate::Completed => self.completed += 1,
            Fate::Rejected(reason) => {
                self.rejected += 1;
                *self.rejected_by_reason.entry(reason.name()).or_default() += 1;
            }
            Fate::Unfinished(stage) => {
                self.unfinished += 1;
                *self.unfinished_by_stage.entry(stage.name()).or_default() += 1;
            }
        }
    }
}

impl<'a> std::iter::Sum<&'a RequestCounts> for RequestCounts {
    fn sum<I: Iterator<Item = &'a RequestCounts>>(counts: I) -> Self {
        let add = |sum: &mut BTreeMap<&'static str, u64>, more: &BTreeMap<&'static str, u64>| {
            more.iter().for_each(|(why, count)| *sum.entry(why).or_default() += count);
        };
        counts.fold(RequestCounts::default(), |mut sum, counts| {
            sum.arrived += counts.arrived;
            sum.completed += counts.completed;
            sum.rejected += counts.rejected;
            sum.unfinished += counts.unfinished;
            add(&mut sum.rejected_by_reason, &counts.rejected_by_reason);
            add(&mut sum.unfinished_by_stage, &counts.unfinished_by_stage);
            sum
        })
    }
}

impl Latency {
    /// The distribution of these latencies.
    pub fn of(values: Vec<f64>) -> Self {
        Latency::from(Statistics::of(values).as_ref())
    }

    /// Mean, p50, p90, p99, maximum.
    pub fn values(&self) -> [Option<f64>; 5] {
        [self.mean, self.p50, self.p90, self.p99, self.max]
    }
}

impl From<Option<&Statistics>> for Latency {
    fn from(statistics: Option<&Statistics>) -> Self {
        statistics.map_or_else(Latency::default, |statistics| Latency {
            mean: Some(statistics.mean),
            p50: Some(statistics.p50),
            p90: Some(statistics.p90),
            p99: Some(statistics.p99),
            max: Some(statistics.max),
        })
    }
}

impl Shares {
    fn of(times: impl Iterator<Item = (Option<Tag>, StatusTime)>) -> Self {
        let mut shares = Shares { all: StatusSeconds::default(), by_tag: BTreeMap::new() };
        for (tag, time) in times {
            shares.all.add(time);
            shares.by_tag.entry(tag.map_or("untagged", Tag::name)).or_default().add(time);
        }
        shares
    }
}

impl StatusSeconds {
    fn add(&mut self, time: StatusTime) {
        self.total += time.total_s();
        self.active += time.active_s;
        self.scaling_up += time.scaling_up_s;
        self.draining += time.draining_s;
    }
}

impl ScalingReport {
    fn of(counts: impl Iterator<Item = ScalingCounts>) -> Self {
        counts.fold(ScalingReport::default(), |sum, counts| ScalingReport {
            scale_ups: sum.scale_ups + counts.scale_ups,
            scale_downs: sum.scale_downs + counts.scale_downs,
            refused: sum.refused + counts.refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn requests_are_counted_by_what_became_of_them() {
        let counts = samples::report().totals.requests;
        assert_eq!((counts.arrived, counts.completed, counts.rejected, counts.unfinished), (4, 2, 1, 1));
        assert_eq!(counts.rejected_by_reason["too_large"], 1);
        assert_eq!(counts.unfinished_by_stage["decode"], 1);
    }

    #[test]
    fn instance_time_adds_up_over_tags_and_statuses() {
        let seconds = samples::report().totals.instance_seconds;
        assert_eq!(
            seconds.all,
            StatusSeconds { total: 190.0, active: 160.0, scaling_up: 10.0, draining: 20.0 }
        );
        assert_eq!(seconds.by_tag["prompt"].total, 100.0);
        assert_eq!(seconds.by_tag["untagged"].total, 90.0);
        assert_eq!(samples::report().totals.gpu_seconds.all.total, 1520.0);
    }
}
