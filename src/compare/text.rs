//! The table of a comparison for people.

use std::fmt::Write;

use super::Comparison;
use super::row::{Mean, Row};

/// A column: heading, figure, digits behind the point.
const COLUMNS: [(&str, &str, usize); 14] = [
    ("attained", "attainment", 4),
    ("TTFT p50 s", "ttft_p50_s", 3),
    ("TTFT p99 s", "ttft_p99_s", 3),
    ("TBT p99 s", "tbt_p99_s", 4),
    ("gap p99 s", "token_gap_p99_s", 4),
    ("E2E p99 s", "e2e_p99_s", 2),
    ("unserved", "not_served", 0),
    ("GPU-h", "gpu_hours", 2),
    ("$", "usd", 2),
    ("up", "scale_ups", 1),
    ("down", "scale_downs", 1),
    ("refused", "refused", 1),
    ("flaps", "flaps", 1),
    ("drain s", "drain_mean_s", 1),
];

/// The table: a line a contender by rank, then what was left out.
pub fn table(comparison: &Comparison) -> String {
    let mut lines = vec![heading(comparison)];
    lines.extend(comparison.rows.iter().zip(1..).map(|(row, rank)| cells(row, rank, comparison)));
    let columns = lines[0].len();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    if let Some(slo) = &comparison.slo {
        let _ = writeln!(text, "objectives: {slo}\n");
    }
    for line in &lines {
        // Words to the left, numbers to the right.
        let padded = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let _ = writeln!(text, "{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    }
    if comparison.seeds > 1 {
        let _ = writeln!(text, "\nmeans of {} seeds ± 95 % confidence", comparison.seeds);
    }
    for (row, load) in comparison.rows.iter().filter_map(|row| Some((row, row.load_per_instance?))) {
        let which = if row.met == Some(true) {
            "the cheapest plan that keeps"
        } else {
            "not even the largest plan keeps"
        };
        let _ = writeln!(text, "\n{}: {which} the objectives; load_per_instance {load}", row.name);
    }
    for left_out in &comparison.left_out {
        let _ = writeln!(text, "\nleft out: {}: {}", left_out.name, left_out.reason);
    }
    text
}

fn heading(comparison: &Comparison) -> Vec<String> {
    let mut heading = vec!["".to_owned(), "policy".to_owned()];
    if comparison.slo.is_some() {
        heading.push("kept".to_owned());
    }
    heading.extend(shown(comparison).map(|(name, ..)| (*name).to_owned()));
    if has_oracle(comparison) {
        heading.push("over oracle".to_owned());
    }
    heading
}

fn cells(row: &Row, rank: usize, comparison: &Comparison) -> Vec<String> {
    let mut cells = vec![rank.to_string(), row.name.clone()];
    if comparison.slo.is_some() {
        cells.push(if row.met == Some(true) { "✓" } else { "✗" }.to_owned());
    }
    let mean = |figure: &str| row.figures.iter().find(|(name, _)| *name == figure).map(|(_, mean)| *mean);
    cells.extend(shown(comparison).map(|(_, figure, digits)| number(mean(figure), *digits)));
    if has_oracle(comparison) {
        cells.push(row.gap_to_oracle.map_or("-".to_owned(), |gap| format!("{:+.1} %", gap * 100.0)));
    }
    cells
}

/// The columns that say something here.
fn shown(comparison: &Comparison) -> impl Iterator<Item = &'static (&'static str, &'static str, usize)> {
    let known = |figure: &str| comparison.rows.iter().any(|row| row.mean(figure).is_some());
    COLUMNS.iter().filter(move |(_, figure, _)| known(figure)).collect::<Vec<_>>().into_iter()
}

fn has_oracle(comparison: &Comparison) -> bool {
    comparison.rows.iter().any(|row| row.gap_to_oracle.is_some())
}

fn number(mean: Option<Mean>, digits: usize) -> String {
    match mean {
        Some(Mean { mean: Some(mean), ci95: Some(ci95) }) => format!("{mean:.digits$} ± {ci95:.digits$}"),
        Some(Mean { mean: Some(mean), ci95: None }) => format!("{mean:.digits$}"),
        _ => "-".to_owned(),
    }
}
