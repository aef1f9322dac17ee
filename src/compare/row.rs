//! A contender's line: means over seeds with their confidence.

use std::cmp::Ordering;

use serde::Serialize;

use super::ORACLE;
use super::figures::{ClassFigures, Figures, RequestFigures};
use super::runs::Ran;
use crate::report::Sketch;

/// A mean over the runs of a contender.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Mean {
    /// The mean; null if a run has no such figure.
    pub mean: Option<f64>,
    /// Half the width of the 95 % confidence interval of the mean (Student's t); null with a single run.
    pub ci95: Option<f64>,
}

/// A contender's figures.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Whether it kept the objectives in every run, those of its classes too; null without any.
    pub met: Option<bool>,
    /// Each figure by its name, in the order of the table.
    #[serde(serialize_with = "as_map")]
    pub figures: Vec<(&'static str, Mean)>,
    /// Each class of its requests, where there are any.
    pub classes: Vec<ClassRow>,
    /// What it costs more than the oracle, as a share of the oracle's cost; null without an oracle.
    pub gap_to_oracle: Option<f64>,
    /// What an oracle plans for every instance, the best of what it tried; null for others and without objectives.
    pub load_per_instance: Option<f64>,
    /// Figures of every run, in the order of the seeds.
    pub runs: Vec<Figures>,
    /// The first run over time, if sketches were asked for.
    #[serde(skip)]
    pub sketch: Option<Sketch>,
}

/// A class of requests of a contender.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClassRow {
    /// Its name.
    pub class: String,
    /// Whether its own objectives were kept in every run; null without any.
    pub met: Option<bool>,
    /// Each figure by its name, in the order of the table.
    #[serde(serialize_with = "as_map")]
    pub figures: Vec<(&'static str, Mean)>,
}

/// A figure that a row has a mean of, and where it is taken from.
type Column<T> = (&'static str, fn(&T) -> Option<f64>);

/// Of requests: all of them, or those of a class.
const OF_REQUESTS: [Column<RequestFigures>; 11] = [
    ("attainment", |requests| requests.attainment),
    ("ttft_p50_s", |requests| requests.ttft_p50_s),
    ("ttft_p99_s", |requests| requests.ttft_p99_s),
    ("tbt_p50_s", |requests| requests.tbt_p50_s),
    ("tbt_p99_s", |requests| requests.tbt_p99_s),
    ("token_gap_p50_s", |requests| requests.token_gap_p50_s),
    ("token_gap_p99_s", |requests| requests.token_gap_p99_s),
    ("longest_gap_p99_s", |requests| requests.longest_gap_p99_s),
    ("e2e_p50_s", |requests| requests.e2e_p50_s),
    ("e2e_p99_s", |requests| requests.e2e_p99_s),
    ("not_served", |requests| Some(requests.not_served)),
];

/// Of the fleet.
const OF_FLEET: [Column<Figures>; 8] = [
    ("gpu_hours", |run| Some(run.gpu_hours)),
    ("usd", |run| run.usd),
    ("scale_ups", |run| Some(run.scale_ups)),
    ("scale_downs", |run| Some(run.scale_downs)),
    ("refused", |run| Some(run.refused)),
    ("flaps", |run| Some(run.flaps)),
    ("drain_mean_s", |run| run.drain_mean_s),
    ("drain_max_s", |run| run.drain_max_s),
];

/// How many figures a row has.
pub(super) const FIGURES: usize = OF_REQUESTS.len() + OF_FLEET.len();

fn means<T>(columns: &[Column<T>], runs: &[&T]) -> Vec<(&'static str, Mean)> {
    let mean = |(name, of): &Column<T>| (*name, Mean::of(runs.iter().map(|run| of(run))));
    columns.iter().map(mean).collect()
}

/// Whether all of these kept their objectives; none without any.
fn all_met<'r>(requests: impl Iterator<Item = &'r RequestFigures>) -> Option<bool> {
    requests.map(|requests| requests.met).reduce(|all, one| Some(all? && one?)).flatten()
}

impl ClassRow {
    /// The classes of these runs: those of the first, as far as every run has them.
    fn of_runs(runs: &[Figures]) -> Vec<ClassRow> {
        let row = |ClassFigures { class, .. }: &ClassFigures| {
            let requests: Vec<_> = runs.iter().map(|run| run.class(class)).collect::<Option<_>>()?;
            Some(ClassRow {
                class: class.clone(),
                met: all_met(requests.iter().copied()),
                figures: means(&OF_REQUESTS, &requests),
            })
        };
        runs.first().into_iter().flat_map(|first| &first.classes).filter_map(row).collect()
    }
}

impl Row {
    /// The means of these runs.
    pub fn new(name: &str, runs: &[Figures]) -> Self {
        let requests: Vec<&RequestFigures> = runs.iter().map(|run| &run.requests).collect();
        let mut figures = means(&OF_REQUESTS, &requests);
        figures.extend(means(&OF_FLEET, &runs.iter().collect::<Vec<_>>()));
        Row {
            name: name.to_owned(),
            met: all_met(requests.into_iter()),
            figures,
            classes: ClassRow::of_runs(runs),
            gap_to_oracle: None,
            load_per_instance: None,
            runs: runs.to_vec(),
            sketch: None,
        }
    }

    /// The means of these runs, with the sketch of the first.
    pub(super) fn of_runs(name: &str, runs: Vec<Ran>) -> Self {
        let (figures, sketches): (Vec<Figures>, Vec<_>) =
            runs.into_iter().map(|run| (run.figures, run.sketch)).unzip();
        Row { sketch: sketches.into_iter().next().flatten(), ..Row::new(name, &figures) }
    }

    /// The mean of a figure by name.
    pub fn mean(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(known, _)| *known == name).and_then(|(_, mean)| mean.mean)
    }

    /// Tells every row what it costs more than the oracle, if that is among them.
    pub(super) fn measure_gaps(rows: &mut [Row]) {
        let Some(least) = rows.iter().find(|row| row.name == ORACLE).and_then(Row::cost) else { return };
        for row in rows {
            row.gap_to_oracle = row.cost().filter(|_| least > 0.0).map(|cost| cost / least - 1.0);
        }
    }

    /// Those that keep the objectives come first, then the cheaper, then by name.
    pub(super) fn rank(&self, other: &Row) -> Ordering {
        let kept = |row: &Row| row.met.unwrap_or(true);
        let cost = |row: &Row| row.cost().unwrap_or(f64::INFINITY);
        kept(other)
            .cmp(&kept(self))
            .then(cost(self).total_cmp(&cost(other)))
            .then_with(|| self.name.cmp(&other.name))
    }

    fn cost(&self) -> Option<f64> {
        Mean::of(self.runs.iter().map(|run| Some(run.cost()))).mean
    }
}

fn as_map<S: serde::Serializer>(figures: &[(&str, Mean)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(figures.iter().map(|(name, mean)| (name, mean)))
}

impl Mean {
    /// Of these values, all of which must be there.
    fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let Some(values) = values.collect::<Option<Vec<f64>>>().filter(|values| !values.is_empty()) else {
            return Mean::default();
        };
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let ci95 = (values.len() > 1)
            .then(|| student_t(values.len() - 1) * (squares / (count - 1.0) / count).sqrt());
        Mean { mean: Some(mean), ci95 }
    }
}

/// The 97.5 % quantile of Student's t distribution, from tables; beyond 30 degrees of freedom the normal one's
/// expansion, whose error is below 0.1 %.
fn student_t(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042,
    ];
    let far = |degrees: f64| 1.959_964 + 2.3723 / degrees + 2.823 / (degrees * degrees);
    TABLE.get(degrees.wrapping_sub(1)).copied().unwrap_or_else(|| far(degrees as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_knows_how_far_to_be_trusted() {
        let mean = Mean::of([Some(1.0), Some(2.0), Some(3.0)].into_iter());
        assert_eq!(mean.mean, Some(2.0));
        // Standard deviation 1, three runs: 4.303 / √3.
        assert!((mean.ci95.unwrap() - 2.484_34).abs() < 1e-4, "{mean:?}");
        assert_eq!(Mean::of([Some(5.0)].into_iter()), Mean { mean: Some(5.0), ci95: None });
        assert_eq!(Mean::of([Some(5.0), None].into_iter()), Mean::default());
    }

    /// Chat alone has objectives, and misses them once.
    #[test]
    fn a_class_has_means_over_the_runs_that_all_know_it() {
        let class = |class: &str, met, attainment| ClassFigures {
            class: class.to_owned(),
            requests: RequestFigures { met, attainment, ..RequestFigures::default() },
        };
        let run = |met, attainment, other: &str| Figures {
            classes: vec![class("chat", Some(met), Some(attainment)), class(other, None, None)],
            ..Figures::default()
        };
        let rows = ClassRow::of_runs(&[run(true, 1.0, "batch"), run(false, 0.5, "api")]);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].class.as_str(), rows[0].met), ("chat", Some(false)));
        assert_eq!(rows[0].figures[0].1.mean, Some(0.75));
    }

    #[test]
    fn the_tail_of_the_t_table_joins_its_end() {
        assert!((student_t(31) - 2.0395).abs() < 1e-3);
        assert!((student_t(60) - 2.0003).abs() < 1e-3);
        assert!((student_t(1000) - 1.9623).abs() < 1e-3);
    }
}
