//! The table of a comparison for people.

use std::fmt::Write;

use super::Comparison;
use super::row::{ClassRow, Mean, Row};

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

/// The table: a line a contender by rank, the same for each class of requests, then what was left out.
pub fn table(comparison: &Comparison) -> String {
    let mut text = String::new();
    if let Some(slo) = &comparison.slo {
        let _ = writeln!(text, "objectives: {slo}\n");
    }
    grid(&mut text, &ranked(comparison).map(|(rank, row)| Line::of(rank, row)).collect::<Vec<_>>());
    for class in classes(comparison) {
        let slo = comparison.class_slos.iter().find(|known| known.class == class);
        let slo = slo.map_or(String::new(), |known| format!(": {}", known.slo));
        let _ = writeln!(text, "\nclass {class}{slo}");
        let of_class = |(rank, row)| Line::of_class(rank, row, class);
        grid(&mut text, &ranked(comparison).filter_map(of_class).collect::<Vec<_>>());
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

fn ranked(comparison: &Comparison) -> impl Iterator<Item = (usize, &Row)> {
    (1..).zip(&comparison.rows)
}

/// The names of all classes, as they come up.
fn classes(comparison: &Comparison) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for class in comparison.rows.iter().flat_map(|row| &row.classes) {
        if !names.contains(&class.class.as_str()) {
            names.push(&class.class);
        }
    }
    names
}

/// What a line shows: a contender, or a class of its requests.
struct Line<'c> {
    rank: usize,
    name: &'c str,
    met: Option<bool>,
    figures: &'c [(&'static str, Mean)],
    gap_to_oracle: Option<f64>,
}

impl<'c> Line<'c> {
    fn of(rank: usize, row: &'c Row) -> Self {
        let Row { name, met, figures, gap_to_oracle, .. } = row;
        Line { rank, name, met: *met, figures, gap_to_oracle: *gap_to_oracle }
    }

    fn of_class(rank: usize, row: &'c Row, class: &str) -> Option<Self> {
        let ClassRow { met, figures, .. } = row.classes.iter().find(|own| own.class == class)?;
        Some(Line { rank, name: &row.name, met: *met, figures, gap_to_oracle: None })
    }

    fn mean(&self, figure: &str) -> Option<Mean> {
        self.figures.iter().find(|(name, _)| *name == figure).map(|(_, mean)| *mean)
    }
}

/// Lines with a heading, in columns. Columns that say nothing here are left out.
fn grid(text: &mut String, lines: &[Line<'_>]) {
    let known =
        |figure: &str| lines.iter().any(|line| line.mean(figure).is_some_and(|mean| mean.mean.is_some()));
    let shown: Vec<_> = COLUMNS.iter().filter(|(_, figure, _)| known(figure)).collect();
    let (judged, has_oracle) =
        (lines.iter().any(|line| line.met.is_some()), lines.iter().any(|line| line.gap_to_oracle.is_some()));
    let mut heading = vec![String::new(), "policy".to_owned()];
    heading.extend(judged.then(|| "kept".to_owned()));
    heading.extend(shown.iter().map(|(name, ..)| (*name).to_owned()));
    heading.extend(has_oracle.then(|| "over oracle".to_owned()));
    let cells = |line: &Line<'_>| {
        let mut cells = vec![line.rank.to_string(), line.name.to_owned()];
        cells.extend(judged.then(|| if line.met == Some(true) { "✓" } else { "✗" }.to_owned()));
        cells.extend(shown.iter().map(|(_, figure, digits)| number(line.mean(figure), *digits)));
        let gap = || line.gap_to_oracle.map_or("-".to_owned(), |gap| format!("{:+.1} %", gap * 100.0));
        cells.extend(has_oracle.then(gap));
        cells
    };
    align(text, &std::iter::once(heading).chain(lines.iter().map(cells)).collect::<Vec<_>>());
}

/// Words to the left, numbers to the right.
fn align(text: &mut String, lines: &[Vec<String>]) {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    for line in lines {
        let padded = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let _ = writeln!(text, "{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn number(mean: Option<Mean>, digits: usize) -> String {
    match mean {
        Some(Mean { mean: Some(mean), ci95: Some(ci95) }) => format!("{mean:.digits$} ± {ci95:.digits$}"),
        Some(Mean { mean: Some(mean), ci95: None }) => format!("{mean:.digits$}"),
        _ => "-".to_owned(),
    }
}
