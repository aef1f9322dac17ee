//! The page of a comparison.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::row::{ClassRow, FIGURES, Mean, Row};
use super::{Comparison, LeftOut};
use crate::report::{Sketch, page};

/// A column of the page's table.
#[derive(Clone, Copy, Debug, Serialize)]
struct Column {
    key: &'static str,
    title: &'static str,
    unit: &'static str,
    better: Option<&'static str>,
}

/// Titles, units and which way is better, by figure.
const TITLES: [(&str, &str, &str, Option<&str>); FIGURES] = [
    ("attainment", "attained", "share", Some("higher")),
    ("ttft_p50_s", "TTFT p50", "s", Some("lower")),
    ("ttft_p99_s", "TTFT p99", "s", Some("lower")),
    ("tbt_p50_s", "TBT p50", "s", Some("lower")),
    ("tbt_p99_s", "TBT p99", "s", Some("lower")),
    ("token_gap_p50_s", "token gap p50", "s", Some("lower")),
    ("token_gap_p99_s", "token gap p99", "s", Some("lower")),
    ("longest_gap_p99_s", "longest gap p99", "s", Some("lower")),
    ("e2e_p50_s", "E2E p50", "s", Some("lower")),
    ("e2e_p99_s", "E2E p99", "s", Some("lower")),
    ("not_served", "unserved", "requests", Some("lower")),
    ("gpu_hours", "GPU-hours", "h", Some("lower")),
    ("usd", "cost", "$", Some("lower")),
    ("scale_ups", "up", "instances", None),
    ("scale_downs", "down", "instances", None),
    ("refused", "refused", "operations", Some("lower")),
    ("flaps", "flaps", "changes", Some("lower")),
    ("drain_mean_s", "drain mean", "s", Some("lower")),
    ("drain_max_s", "drain max", "s", Some("lower")),
];

#[derive(Debug, Serialize)]
struct PageData<'c> {
    kind: &'static str,
    version: &'static str,
    slo: Option<Value>,
    seeds: usize,
    columns: Vec<Column>,
    rows: Vec<PageRow<'c>>,
    classes: Vec<PageRow<'c>>,
    pareto: Value,
    runs: Vec<PageRun<'c>>,
    left_out: &'c [LeftOut],
}

#[derive(Debug, Serialize)]
struct PageRow<'c> {
    label: &'c str,
    rank: usize,
    class: Option<&'c str>,
    keeps_slo: Option<bool>,
    values: Map<String, Value>,
    gap_to_oracle: Option<f64>,
}

#[derive(Debug, Serialize)]
struct PageRun<'c> {
    label: &'c str,
    series: &'c Sketch,
}

/// The page: the table, cost against what it buys, and the fleets of the first seed laid over one another.
pub fn page(comparison: &Comparison, title: &str) -> String {
    let column = |(key, title, unit, better)| Column { key, title, unit, better };
    let slo = comparison.slo.as_ref().map(|slo| json!({"objectives": slo.split(", ").collect::<Vec<_>>()}));
    // Without objectives there is no attainment: then the slowest first tokens are what cost buys.
    let bought = if slo.is_some() { "attainment" } else { "ttft_p99_s" };
    let cost = if comparison.rows.iter().all(|row| row.mean("usd").is_some()) { "usd" } else { "gpu_hours" };
    let data = PageData {
        kind: "compare",
        version: env!("CARGO_PKG_VERSION"),
        slo,
        seeds: comparison.seeds,
        columns: TITLES.map(column).to_vec(),
        rows: comparison.rows.iter().zip(1..).map(|(row, rank)| page_row(row, rank)).collect(),
        classes: comparison.rows.iter().zip(1..).flat_map(|(row, rank)| class_rows(row, rank)).collect(),
        pareto: json!({"x": cost, "y": bought}),
        runs: comparison.rows.iter().filter_map(page_run).collect(),
        left_out: &comparison.left_out,
    };
    let json = serde_json::to_string(&data).expect("page data hold only strings and numbers");
    page::render(title, &json)
}

fn page_row(row: &Row, rank: usize) -> PageRow<'_> {
    PageRow {
        label: &row.name,
        rank,
        class: None,
        keeps_slo: row.met,
        values: values(&row.figures),
        gap_to_oracle: row.gap_to_oracle,
    }
}

fn class_rows(row: &Row, rank: usize) -> impl Iterator<Item = PageRow<'_>> {
    row.classes.iter().map(move |ClassRow { class, met, figures }| PageRow {
        label: &row.name,
        rank,
        class: Some(class),
        keeps_slo: *met,
        values: values(figures),
        gap_to_oracle: None,
    })
}

fn values(figures: &[(&'static str, Mean)]) -> Map<String, Value> {
    figures.iter().map(|(name, mean)| ((*name).to_owned(), json!(mean))).collect()
}

fn page_run(row: &Row) -> Option<PageRun<'_>> {
    Some(PageRun { label: &row.name, series: row.sketch.as_ref()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_of_a_row_has_a_title() {
        let row = Row::new("none", &[crate::compare::Figures::default()]);
        let figures: Vec<_> = row.figures.iter().map(|(name, _)| *name).collect();
        assert_eq!(TITLES.map(|(key, ..)| key)[..], figures);
    }
}
