//! The figures of an application, or of all of them: what became of requests, latencies, instance time.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    ApplicationResults, Cost, EngineReport, Figures, GroupFigures, RunResults, ScalingCounts, StatusTime,
};
use crate::ids::Tag;

/// The figures of an application, or of all of them.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Totals {
    /// What became of the requests, and their latencies.
    #[serde(flatten)]
    pub figures: GroupFigures,
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
        let tallies = applications.iter().map(|application| &application.tally);
        let figures = GroupFigures::of(tallies, figures);
        let cost = Cost::of(applications, &run.applications, run.end);
        let energy_kwh = cost.energy_kwh.filter(|_| figures.output_tokens > 0);
        Totals {
            engine: EngineReport::of(applications),
            instance_seconds: Shares::of(times(applications, |time| time.instance)),
            gpu_seconds: Shares::of(times(applications, |time| time.gpu)),
            cost,
            energy_per_output_token_j: energy_kwh
                .map(|energy| energy.total * 3.6e6 / figures.output_tokens as f64),
            figures,
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
