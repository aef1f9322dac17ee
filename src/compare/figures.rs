//! The figures of one run that a comparison looks at.

use serde::Serialize;

use crate::results::{Attainment, ClassReport, GroupFigures, InstanceRecord, Latency, Report, RunResults};

/// What the requests of a run got, or those of one of its classes. Latencies are null where nothing was served.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct RequestFigures {
    /// Whether all objectives were met, of a run also those of its classes; none without any.
    pub met: Option<bool>,
    /// Share of the requests served within all limits, from 0 to 1; null without objectives.
    pub attainment: Option<f64>,
    /// Time to first token, median, in seconds.
    pub ttft_p50_s: Option<f64>,
    /// Time to first token, 99th percentile, in seconds.
    pub ttft_p99_s: Option<f64>,
    /// Time between tokens, median, in seconds.
    pub tbt_p50_s: Option<f64>,
    /// Time between tokens, 99th percentile, in seconds.
    pub tbt_p99_s: Option<f64>,
    /// Time between two output tokens, median over all such gaps; null of a class, and where an engine does not tell.
    pub token_gap_p50_s: Option<f64>,
    /// The same, 99th percentile.
    pub token_gap_p99_s: Option<f64>,
    /// The longest gap of a request, 99th percentile over requests; null where an engine does not tell.
    pub longest_gap_p99_s: Option<f64>,
    /// End-to-end response time, median, in seconds.
    pub e2e_p50_s: Option<f64>,
    /// End-to-end response time, 99th percentile, in seconds.
    pub e2e_p99_s: Option<f64>,
    /// Requests that were not served.
    pub not_served: f64,
}

/// One number a run, in the order of the table.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Figures {
    /// What its requests got.
    #[serde(flatten)]
    pub requests: RequestFigures,
    /// Hours of GPUs, with those of idle servers.
    pub gpu_hours: f64,
    /// Rent in US dollars; null if a price is not known.
    pub usd: Option<f64>,
    /// Instances started.
    pub scale_ups: f64,
    /// Drains begun.
    pub scale_downs: f64,
    /// Operations refused.
    pub refused: f64,
    /// Changes of direction: operations that undo what the one before in their pool did.
    pub flaps: f64,
    /// Time from the beginning of a drain to its end, on average, in seconds; null without drains.
    pub drain_mean_s: Option<f64>,
    /// The longest of them, in seconds.
    pub drain_max_s: Option<f64>,
    /// What the requests of each class got.
    pub classes: Vec<ClassFigures>,
}

/// What the requests of a class got.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// What they got.
    #[serde(flatten)]
    pub requests: RequestFigures,
}

impl RequestFigures {
    fn of(figures: &GroupFigures, slo: Option<&Attainment>, gap_s: Option<Latency>) -> Self {
        RequestFigures {
            met: slo.map(|slo| slo.met),
            attainment: slo.and_then(|slo| slo.attainment),
            ttft_p50_s: figures.ttft_s.p50,
            ttft_p99_s: figures.ttft_s.p99,
            tbt_p50_s: figures.tbt_s.p50,
            tbt_p99_s: figures.tbt_s.p99,
            token_gap_p50_s: gap_s.and_then(|gap| gap.p50),
            token_gap_p99_s: gap_s.and_then(|gap| gap.p99),
            longest_gap_p99_s: figures.longest_gap_s.p99,
            e2e_p50_s: figures.e2e_s.p50,
            e2e_p99_s: figures.e2e_s.p99,
            not_served: (figures.requests.arrived - figures.requests.completed) as f64,
        }
    }
}

impl Figures {
    /// Of a run and its summary.
    pub fn of(report: &Report, results: &RunResults) -> Self {
        let totals = &report.totals;
        let records: Vec<&InstanceRecord> =
            results.applications.iter().flat_map(|application| &application.instances).collect();
        let drains: Vec<f64> = records
            .iter()
            .filter_map(|record| Some((record.removed? - record.draining?).as_secs_f64()))
            .collect();
        let gap_s = totals.engine.as_ref().map(|engine| engine.all.token_gap_s);
        let met = report.has_objectives().then(|| report.keeps_objectives());
        let class = |class: &ClassReport| ClassFigures {
            class: class.class.clone(),
            requests: RequestFigures::of(&class.figures, class.slo.as_ref(), None),
        };
        Figures {
            requests: RequestFigures {
                met,
                ..RequestFigures::of(&totals.figures, report.slo.as_ref(), gap_s)
            },
            gpu_hours: totals.cost.gpu_hours.total,
            usd: totals.cost.usd.map(|usd| usd.total),
            scale_ups: totals.scaling.scale_ups as f64,
            scale_downs: totals.scaling.scale_downs as f64,
            refused: totals.scaling.refused as f64,
            flaps: results.applications.iter().map(|application| flaps(&application.instances)).sum::<usize>()
                as f64,
            drain_mean_s: (!drains.is_empty()).then(|| drains.iter().sum::<f64>() / drains.len() as f64),
            drain_max_s: drains.iter().copied().max_by(f64::total_cmp),
            classes: report.classes.iter().map(class).collect(),
        }
    }

    /// What the requests of this class got.
    pub fn class(&self, name: &str) -> Option<&RequestFigures> {
        self.classes.iter().find(|class| class.class == name).map(|class| &class.requests)
    }

    /// What ranks contenders: dollars, or GPU-hours where prices are not known.
    pub fn cost(&self) -> f64 {
        self.usd.unwrap_or(self.gpu_hours)
    }
}

/// How often scaling changed its direction, pool by pool.
fn flaps(instances: &[InstanceRecord]) -> usize {
    use crate::ids::Tag;

    let flaps_of = |tag: Option<Tag>| {
        let own = instances.iter().filter(|record| record.tag == tag);
        let starts =
            own.clone().filter(|record| record.created.as_nanos() > 0).map(|record| (record.created, 1));
        let drains = own.filter_map(|record| Some((record.draining?, -1)));
        let mut operations: Vec<_> = starts.chain(drains).collect();
        operations.sort_unstable();
        operations.windows(2).filter(|pair| pair[0].1 != pair[1].1).count()
    };
    [None, Some(Tag::Prompt), Some(Tag::Token), Some(Tag::Mixed)].into_iter().map(flaps_of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::InstanceRecord;
    use ebbflow_actors::{SimDuration, SimTime};

    fn instance(created_s: u64, draining_s: Option<u64>) -> InstanceRecord {
        let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
        InstanceRecord {
            id: crate::ids::InstanceId(0),
            server: crate::ids::ServerId(0),
            sku: String::new(),
            gpu: String::new(),
            processors: vec![0],
            tag: None,
            created: at(created_s),
            active: Some(at(created_s)),
            draining: draining_s.map(at),
            removed: None,
            busy: SimDuration::ZERO,
            tasks_completed: 0,
            engine: None,
            phases: crate::instance::Phases::default(),
        }
    }

    #[test]
    fn a_fleet_that_only_grows_and_then_only_shrinks_turned_once() {
        let fleet = [instance(0, None), instance(10, Some(90)), instance(20, Some(80)), instance(30, None)];
        assert_eq!(flaps(&fleet), 1);
    }

    #[test]
    fn every_turn_counts() {
        let fleet = [instance(10, Some(20)), instance(30, Some(40)), instance(50, None)];
        assert_eq!(flaps(&fleet), 4);
    }
}
