//! The summary of a run for people: aligned plain text without colours, for terminals and logs.

use std::fmt::Write;

use ebbflow_actors::SimDuration;

use super::{
    Cost, InstanceRecord, Latency, Report, RequestCounts, RunResults, Shares, Split, StatusSeconds,
    fleet_chart,
};

/// The summary printed at the end of a run.
pub fn summary_text(report: &Report, results: &RunResults) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut text, report, results);
    text
}

fn write_summary(out: &mut String, report: &Report, results: &RunResults) -> std::fmt::Result {
    let totals = &report.totals;
    writeln!(out, "{} · seed {} · ebbflow {}", report.name, report.seed, report.version)?;
    if let Some(reason) = &report.incomplete {
        writeln!(out, "INCOMPLETE: {reason}")?;
    }
    writeln!(out)?;
    objectives(out, report)?;
    line(out, "requests", &requests(&totals.requests))?;
    if report.applications.len() > 1 {
        for application in &report.applications {
            let label = format!("  application {}", application.application_id);
            line(out, &label, &requests(&application.totals.requests))?;
        }
    }
    line(out, "throughput", &throughput(report))?;
    writeln!(out)?;
    latencies(out, report)?;
    writeln!(out)?;
    if results.applications.iter().any(|application| application.has_scaling_manager) {
        line(out, "scaling", &scaling(report, results))?;
    }
    line(out, "instance time", &shares(&totals.instance_seconds, "s", grouped_tenths))?;
    line(out, "GPU time", &shares(&totals.gpu_seconds, "h", |seconds| format!("{:.2}", seconds / 3600.0)))?;
    line(out, "cost", &cost(&totals.cost))?;
    chart(out, results)?;
    writeln!(out)?;
    line(out, "simulator", &simulator(report))?;
    line(out, "digest", &report.digest)
}

fn line(out: &mut String, label: &str, text: &str) -> std::fmt::Result {
    writeln!(out, "{label:<16}{text}")
}

/// First what was promised, and whether it was kept.
fn objectives(out: &mut String, report: &Report) -> std::fmt::Result {
    let Some(slo) = &report.slo else { return Ok(()) };
    for verdict in &slo.objectives {
        let mark = if verdict.met { "✓" } else { "✗" };
        let value = verdict.value_s.map_or("nothing was served".to_owned(), |value| format!("{value:.4} s"));
        line(out, "objective", &format!("{mark} {} · {value}", verdict.objective))?;
    }
    if let Some(attainment) = slo.attainment {
        line(out, "attainment", &format!("{:.2} % of the requests within all limits", attainment * 100.0))?;
    }
    writeln!(out)
}

/// GPU-hours with what they were used for, rent, energy.
fn cost(cost: &Cost) -> String {
    let Split { total, serving, starting, draining, idle } = cost.gpu_hours;
    let share = |part: f64| if total > 0.0 { 100.0 * part / total } else { 0.0 };
    let mut text = format!(
        "{total:.2} GPU-h: serving {:.1} % · starting {:.1} % · draining {:.1} % · idle {:.1} %",
        share(serving),
        share(starting),
        share(draining),
        share(idle),
    );
    if let Some(usd) = cost.usd {
        let _ = write!(text, " · ${:.2}", usd.total);
    }
    if let Some(energy) = cost.energy_kwh {
        let _ = write!(text, " · {:.1} kWh at most", energy.total);
    }
    text
}

fn requests(counts: &RequestCounts) -> String {
    let with = |count: u64, reasons: &std::collections::BTreeMap<&str, u64>| {
        let reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{} {reason}", grouped(*count))).collect();
        if reasons.is_empty() {
            grouped(count)
        } else {
            format!("{} ({})", grouped(count), reasons.join(", "))
        }
    };
    format!(
        "arrived {} · completed {} · rejected {} · unfinished {}",
        grouped(counts.arrived),
        grouped(counts.completed),
        with(counts.rejected, &counts.rejected_by_reason),
        with(counts.unfinished, &counts.unfinished_by_stage),
    )
}

fn throughput(report: &Report) -> String {
    let per_second = |count: u64| {
        if report.simulated_s > 0.0 { count as f64 / report.simulated_s } else { 0.0 }
    };
    format!(
        "{:.2} requests/s · {:.1} prompt tokens/s · {:.1} output tokens/s over {:.1} s",
        per_second(report.totals.requests.completed),
        per_second(report.totals.prompt_tokens),
        per_second(report.totals.output_tokens),
        report.simulated_s,
    )
}

fn latencies(out: &mut String, report: &Report) -> std::fmt::Result {
    let totals = &report.totals;
    let mut row = |label: &str, cells: [String; 5]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>11}")).collect();
        writeln!(out, "{label:<16}{cells}")
    };
    row("seconds", ["mean", "p50", "p90", "p99", "max"].map(String::from))?;
    for (label, latency) in [
        ("  TTFT", &totals.ttft_s),
        ("  TBT", &totals.tbt_s),
        ("  E2E", &totals.e2e_s),
        ("  queue", &totals.queue_s),
    ] {
        row(label, cells(latency))?;
    }
    Ok(())
}

fn cells(latency: &Latency) -> [String; 5] {
    latency.values().map(|value| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}")))
}

fn scaling(report: &Report, results: &RunResults) -> String {
    let counts = &report.totals.scaling;
    let mut text =
        format!("{} up · {} down · {} refused", counts.scale_ups, counts.scale_downs, counts.refused);
    let drains: Vec<f64> = instances(results).filter_map(drain).map(SimDuration::as_secs_f64).collect();
    let drained = drains.len();
    if let Latency { mean: Some(mean), max: Some(max), .. } = Latency::of(drains) {
        let _ = write!(text, " · {drained} drained in {mean:.1} s on average, {max:.1} s at most");
    }
    text
}

fn drain(instance: &InstanceRecord) -> Option<SimDuration> {
    Some(instance.removed? - instance.draining?)
}

fn instances(results: &RunResults) -> impl Iterator<Item = &InstanceRecord> + Clone {
    results.applications.iter().flat_map(|application| &application.instances)
}

/// e.g. `1,520.0 s: active 1,400.0 · starting 80.0 · draining 40.0 (prompt 800.0, token 720.0)`.
fn shares(shares: &Shares, unit: &str, amount: fn(f64) -> String) -> String {
    let StatusSeconds { total, active, scaling_up, draining } = shares.all;
    let mut text = format!(
        "{} {unit}: active {} · starting {} · draining {}",
        amount(total),
        amount(active),
        amount(scaling_up),
        amount(draining)
    );
    if shares.by_tag.len() > 1 {
        let tags = shares.by_tag.iter().map(|(tag, time)| format!("{tag} {}", amount(time.total)));
        let _ = write!(text, " ({})", tags.collect::<Vec<_>>().join(", "));
    }
    text
}

fn chart(out: &mut String, results: &RunResults) -> std::fmt::Result {
    let lines = fleet_chart::lines(instances(results), results.end);
    for line in &lines {
        writeln!(out, "  {:<14}{} peak {}", line.status, line.blocks, line.peak)?;
    }
    if lines.is_empty() {
        return Ok(());
    }
    let end = format!("{:.1} s", results.end.as_secs_f64());
    writeln!(out, "  {:<14}0 s{end:>57}", "")
}

fn simulator(report: &Report) -> String {
    let mut text = format!(
        "{} events · {} messages · {:.3} s wall-clock",
        grouped(report.events),
        grouped(report.messages),
        report.wall_s
    );
    if report.wall_s > 0.0 {
        let rate = (report.events as f64 / report.wall_s) as u64;
        let _ = write!(text, " · {} events/s", grouped(rate));
    }
    text
}

/// A count with a comma every three digits.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A non-negative amount with one decimal and a comma every three digits.
fn grouped_tenths(amount: f64) -> String {
    let tenths = (amount * 10.0).round() as u64;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::{Incomplete, samples};
    use super::*;

    #[test]
    fn the_summary_says_what_ran_and_what_came_of_it() {
        let text = summary_text(&samples::report(), &samples::results());
        for part in [
            "sample · seed 7",
            "arrived 4 · completed 2 · rejected 1 (1 too_large) · unfinished 1 (1 decode)",
            "1 up · 1 down · 2 refused · 1 drained in 20.0 s on average, 20.0 s at most",
            "190.0 s: active 160.0 · starting 10.0 · draining 20.0 (prompt 100.0, untagged 90.0)",
            "digest          00000000000000ab",
            "12,345 events",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(!text.contains("INCOMPLETE"));
    }

    #[test]
    fn columns_of_latencies_line_up() {
        let text = summary_text(&samples::report(), &samples::results());
        let lengths: Vec<usize> = text
            .lines()
            .skip_while(|line| !line.starts_with("seconds"))
            .take(5)
            .map(|line| line.chars().count())
            .collect();
        assert_eq!(lengths, [71; 5]);
    }

    #[test]
    fn an_incomplete_run_says_so_at_once() {
        let mut results = samples::results();
        results.incomplete = Some(Incomplete::Interrupted);
        let report = Report::new(&results, &samples::scenario());
        assert_eq!(summary_text(&report, &results).lines().nth(1), Some("INCOMPLETE: interrupted"));
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped_tenths(1234.56), "1,234.6");
    }
}
