//! A contender's line: means over seeds with their confidence.

use std::cmp::Ordering;

use serde::Serialize;

use super::ORACLE;
use super::figures::Figures;
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
    /// Whether it kept the objectives in every run; null without any.
    pub met: Option<bool>,
    /// Each figure by its name, in the order of the table.
    #[serde(serialize_with = "as_map")]
    pub figures: Vec<(&'static str, Mean)>,
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

/// The figures a row has a mean of.
type Column = (&'static str, fn(&Figures) -> Option<f64>);

pub(super) const COLUMNS: [Column; 19] = [
    ("attainment", |run| run.attainment),
    ("ttft_p50_s", |run| run.ttft_p50_s),
    ("ttft_p99_s", |run| run.ttft_p99_s),
    ("tbt_p50_s", |run| run.tbt_p50_s),
    ("tbt_p99_s", |run| run.tbt_p99_s),
    ("token_gap_p50_s", |run| run.token_gap_p50_s),
    ("token_gap_p99_s", |run| run.token_gap_p99_s),
    ("longest_gap_p99_s", |run| run.longest_gap_p99_s),
    ("e2e_p50_s", |run| run.e2e_p50_s),
    ("e2e_p99_s", |run| run.e2e_p99_s),
    ("not_served", |run| Some(run.not_served)),
    ("gpu_hours", |run| Some(run.gpu_hours)),
    ("usd", |run| run.usd),
    ("scale_ups", |run| Some(run.scale_ups)),
    ("scale_downs", |run| Some(run.scale_downs)),
    ("refused", |run| Some(run.refused)),
    ("flaps", |run| Some(run.flaps)),
    ("drain_mean_s", |run| run.drain_mean_s),
    ("drain_max_s", |run| run.drain_max_s),
];

impl Row {
    /// The means of these runs.
    pub fn new(name: &str, runs: &[Figures]) -> Self {
        let mean = |(name, of): &Column| (*name, Mean::of(runs.iter().map(of)));
        Row {
            name: name.to_owned(),
            met: runs.iter().map(|run| run.met).reduce(|all, one| Some(all? && one?)).flatten(),
            figures: COLUMNS.iter().map(mean).collect(),
            gap_to_oracle: None,
            load_per_instance: None,
            runs: runs.to_vec(),
            sketch: None,
        }
    }

    /// The means of these runs, with the sketch of the first.
    pub(super) fn of_runs(name: &str, runs: Vec<Ran>) -> Self {
        let figures: Vec<Figures> = runs.iter().map(|run| run.figures).collect();
        let sketch = runs.into_iter().next().and_then(|run| run.sketch);
        Row { sketch, ..Row::new(name, &figures) }
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

    #[test]
    fn the_tail_of_the_t_table_joins_its_end() {
        assert!((student_t(31) - 2.0395).abs() < 1e-3);
        assert!((student_t(60) - 2.0003).abs() < 1e-3);
        assert!((student_t(1000) - 1.9623).abs() < 1e-3);
    }
}
