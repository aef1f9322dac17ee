//! The summary of a run for people: what was promised, what came of the requests, how the fleet went, what it cost.
//!
//! Aligned text that fits the [`Screen`] it is set on. Leaves out whatever needs more than a line: that is in the
//! files of the run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use ebbflow_actors::SimDuration;

use super::screen::{LABEL, Screen};
use super::{
    EngineFigures, InstanceRecord, Latency, Report, RequestCounts, RunResults, Shares, Split, StatusSeconds,
    Totals, classes, fleet_chart,
};
use crate::request::{Rejection, Stage};

/// The summary printed at the end of a run.
pub fn summary_text(report: &Report, results: &RunResults, screen: &Screen) -> String {
    let mut out = format!("{} · seed {} · ebbflow {}\n", report.name, report.seed, report.version);
    if let Some(reason) = &report.incomplete {
        let _ = writeln!(out, "{}", screen.bad(&format!("INCOMPLETE: {reason}")));
    }
    out.push('\n');
    objectives(&mut out, report, screen);
    classes::classes(&mut out, report, screen);
    fates(&mut out, report, results, screen);
    screen.line(&mut out, "throughput", &throughput(report));
    out.push('\n');
    latencies(&mut out, report, results, screen);
    out.push('\n');
    if let Some(engine) = &report.totals.engine {
        screen.line(&mut out, "engines", &engines(&engine.all));
    }
    if results.applications.iter().any(|application| application.has_scaling_manager) {
        scaling(&mut out, report, results, screen);
    }
    chart(&mut out, results, screen);
    out.push('\n');
    let Shares { all, by_tag } = &report.totals.instance_seconds;
    screen.line(&mut out, "instance time", &shares(all, by_tag, "s", grouped_tenths));
    let Shares { all, by_tag } = &report.totals.gpu_seconds;
    screen.line(
        &mut out,
        "GPU time",
        &shares(all, by_tag, "h", |seconds| format!("{:.2}", seconds / 3600.0)),
    );
    screen.line(&mut out, "cost", &cost(&report.totals));
    screen.line(&mut out, "simulator", &simulator(report));
    screen.row(&mut out, "digest", &report.digest);
    out
}

/// Where the files are, and what to look at first: the picture, if there is one.
pub fn files_text(place: &Path, picture: Option<&Path>, screen: &Screen) -> String {
    let mut out = String::new();
    screen.row(&mut out, "files", &place.display().to_string());
    let next = match picture {
        Some(picture) => format!("open {}", picture.display()),
        None => "run.json has every figure, lifecycle/ every instance, scaling/ every decision".to_owned(),
    };
    screen.line(&mut out, "next", &[next]);
    out
}

/// First what was promised, and whether it was kept.
fn objectives(out: &mut String, report: &Report, screen: &Screen) {
    let Some(slo) = &report.slo else { return };
    for verdict in &slo.objectives {
        let mark = if verdict.met { screen.good("✓") } else { screen.bad("✗") };
        let value = verdict.value_s.map_or("nothing was served".to_owned(), |value| format!("{value:.4} s"));
        screen.row(out, "objective", &format!("{mark} {} · {value}", verdict.objective));
    }
    if let Some(attainment) = slo.attainment {
        screen.line(
            out,
            "attainment",
            &[format!("{:.2} % of the requests within all limits", attainment * 100.0)],
        );
    }
    out.push('\n');
}

/// What became of the requests, with the reasons in words.
fn fates(out: &mut String, report: &Report, results: &RunResults, screen: &Screen) {
    screen.line(out, "requests", &requests(&report.totals.figures.requests));
    if report.applications.len() > 1 {
        for application in &report.applications {
            let label = format!("  application {}", application.application_id);
            screen.line(out, &label, &requests(&application.totals.figures.requests));
        }
    }
    let counts = &report.totals.figures.requests;
    let rejections = Rejection::ALL.map(|reason| (reason.name(), reason.in_words()));
    reasons(out, "  rejected", &counts.rejected_by_reason, &rejections, screen);
    let stages = Stage::ALL.map(|stage| (stage.name(), stage.in_words()));
    reasons(out, "  unfinished", &counts.unfinished_by_stage, &stages, screen);
    if counts.unfinished > 0 && report.incomplete.is_none() {
        screen.line(out, "", &[why_it_ended(results).to_owned()]);
    }
}

fn why_it_ended(results: &RunResults) -> &'static str {
    if results.reached_end_time {
        "the run stopped at its end_time; with a later one they could go on"
    } else {
        "the run ended because nothing was left to happen: no instance is there for them, and none will start"
    }
}

fn requests(counts: &RequestCounts) -> Vec<String> {
    let RequestCounts { arrived, completed, rejected, unfinished, .. } = *counts;
    let named =
        [("arrived", arrived), ("completed", completed), ("rejected", rejected), ("unfinished", unfinished)];
    named.map(|(name, count)| format!("{name} {}", grouped(count))).into()
}

/// A line for every word of the files that occurred, with what it means.
fn reasons(
    out: &mut String,
    label: &str,
    counts: &BTreeMap<&'static str, u64>,
    meanings: &[(&'static str, &'static str)],
    screen: &Screen,
) {
    let mut label = label;
    for (name, meaning) in meanings {
        if let Some(count) = counts.get(name) {
            screen.line(out, label, &[format!("{} {meaning} ({name})", grouped(*count))]);
            label = "";
        }
    }
}

fn throughput(report: &Report) -> Vec<String> {
    let per_second = |count: u64| {
        if report.simulated_s > 0.0 { count as f64 / report.simulated_s } else { 0.0 }
    };
    let figures = &report.totals.figures;
    vec![
        format!("{:.2} requests/s", per_second(figures.requests.completed)),
        format!("{} prompt tokens/s", grouped_tenths(per_second(figures.prompt_tokens))),
        format!("{} output tokens/s", grouped_tenths(per_second(figures.output_tokens))),
        format!("over {} s", grouped_tenths(report.simulated_s)),
    ]
}

fn latencies(out: &mut String, report: &Report, results: &RunResults, screen: &Screen) {
    let Totals { figures, engine, .. } = &report.totals;
    let label = if screen.columns() < LABEL + 5 * 11 { 11 } else { LABEL };
    let cell = ((screen.columns() - label) / 5).min(11);
    let mut row = |name: &str, cells: [String; 5]| {
        let cells: String = cells.iter().map(|text| format!("{text:>cell$}")).collect();
        let _ = writeln!(out, "{}{cells}", screen.dim(&format!("{name:<label$}")));
    };
    row("seconds", ["mean", "p50", "p90", "p99", "max"].map(String::from));
    row("  TTFT", cells(&figures.ttft_s));
    row("  TBT", cells(&figures.tbt_s));
    if let Some(engine) = engine {
        row("  token gap", cells(&engine.all.token_gap_s));
        row("    longest", cells(&figures.longest_gap_s));
    }
    row("  E2E", cells(&figures.e2e_s));
    row("  queue", cells(&figures.queue_s));
    let drains = Latency::of(instances(results).filter_map(drain).map(SimDuration::as_secs_f64).collect());
    if drains.max.is_some() {
        row("  drain", cells(&drains));
    }
}

fn engines(engine: &EngineFigures) -> Vec<String> {
    let hits = match engine.prefix_hit_rate {
        Some(rate) => {
            format!("prefix cache {:.1} % of {} tokens", rate * 100.0, grouped(engine.prefix_queried_tokens))
        }
        None => "prefix cache not asked".to_owned(),
    };
    vec![
        format!("{} iterations", grouped(engine.iterations)),
        format!("{} preemptions", grouped(engine.preemptions)),
        hits,
    ]
}

fn cells(latency: &Latency) -> [String; 5] {
    latency.values().map(|value| match value {
        None => "-".to_owned(),
        Some(value) if value >= 1000.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.4}"),
    })
}

fn scaling(out: &mut String, report: &Report, results: &RunResults, screen: &Screen) {
    let counts = &report.totals.scaling;
    let drained = instances(results).filter_map(drain).count();
    let mut parts = vec![
        format!("{} up", grouped(counts.scale_ups)),
        format!("{} down", grouped(counts.scale_downs)),
        format!("{} drained", grouped(drained as u64)),
        format!("{} refused", grouped(counts.refused)),
    ];
    let facts = results.applications.iter().flat_map(|application| &application.scaling_events);
    if let Some(first) = facts.filter(|fact| fact.event == "refused").min_by_key(|fact| fact.time) {
        parts.push(format!("first refusal at {:.1} s: {}", first.time.as_secs_f64(), first.detail));
    }
    screen.line(out, "scaling", &parts);
}

fn drain(instance: &InstanceRecord) -> Option<SimDuration> {
    Some(instance.removed? - instance.draining?)
}

fn instances(results: &RunResults) -> impl Iterator<Item = &InstanceRecord> + Clone {
    results.applications.iter().flat_map(|application| &application.instances)
}

fn chart(out: &mut String, results: &RunResults, screen: &Screen) {
    // Room for ` peak 12345`.
    let room = screen.columns() - LABEL - 11;
    for line in &fleet_chart::lines(instances(results), results.end, room) {
        screen.row(out, &format!("  {}", line.status), &format!("{} peak {}", line.blocks, line.peak));
    }
    let end = format!("{:.1} s", results.end.as_secs_f64());
    screen.row(out, "", &format!("0 s{end:>width$}", width = room - 3));
}

/// e.g. `1,520.0 s: active 1,400.0`, `starting 80.0`, `draining 40.0`, `prompt 800.0`, `token 720.0`.
fn shares(
    all: &StatusSeconds,
    by_tag: &BTreeMap<&'static str, StatusSeconds>,
    unit: &str,
    amount: fn(f64) -> String,
) -> Vec<String> {
    let mut parts = vec![
        format!("{} {unit}: active {}", amount(all.total), amount(all.active)),
        format!("starting {}", amount(all.scaling_up)),
        format!("draining {}", amount(all.draining)),
    ];
    if by_tag.len() > 1 {
        let tags = by_tag.iter().map(|(tag, time)| format!("{tag} {}", amount(time.total)));
        parts.push(format!("({})", tags.collect::<Vec<_>>().join(", ")));
    }
    parts
}

/// GPU-hours with what they were used for, rent, energy.
fn cost(Totals { cost, energy_per_output_token_j, .. }: &Totals) -> Vec<String> {
    let Split { total, serving, starting, draining, idle } = cost.gpu_hours;
    let share = |part: f64| if total > 0.0 { 100.0 * part / total } else { 0.0 };
    let mut parts = vec![format!("{total:.2} GPU-h")];
    parts.extend(cost.usd.map(|usd| format!("${:.2}", usd.total)));
    let bound = if cost.energy_by_phase_kwh.is_none() { " at most" } else { "" };
    parts.extend(cost.energy_kwh.map(|energy| format!("{:.1} kWh{bound}", energy.total)));
    parts.extend(energy_per_output_token_j.map(|joules| format!("{joules:.1} J/output token{bound}")));
    let uses = [("serving", serving), ("starting", starting), ("draining", draining), ("idle", idle)];
    parts.extend(uses.map(|(name, hours)| format!("{name} {:.1} %", share(hours))));
    parts
}

fn simulator(report: &Report) -> Vec<String> {
    let mut parts = vec![
        format!("{} events", grouped(report.events)),
        format!("{} messages", grouped(report.messages)),
        format!("{:.3} s wall-clock", report.wall_s),
    ];
    if report.wall_s > 0.0 {
        parts.push(format!("{} events/s", grouped((report.events as f64 / report.wall_s) as u64)));
        let pace = (report.simulated_s / report.wall_s) as u64;
        parts.push(format!("{} simulated seconds per second", grouped(pace)));
    }
    parts
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

    fn sample(screen: &Screen) -> String {
        summary_text(&samples::report(), &samples::results(), screen)
    }

    #[test]
    fn the_summary_says_what_ran_and_what_came_of_it() {
        let text = sample(&Screen::default());
        for part in [
            "sample · seed 7",
            "arrived 4 · completed 2 · rejected 1 · unfinished 1",
            "1 whose KV cache is larger than the memory of an empty instance (too_large)",
            "1 producing output tokens (decode)",
            "nothing was left to happen",
            "1 up · 1 down · 1 drained · 2 refused",
            "first refusal at 50.0 s: draining it",
            "190.0 s: active 160.0 · starting 10.0 · draining 20.0",
            "(prompt 100.0, untagged 90.0)",
            "digest          00000000000000ab",
            "12,345 events",
            "200 simulated seconds per second",
        ] {
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(&part), "{part} is missing in\n{text}");
        }
        assert!(!text.contains("INCOMPLETE"));
    }

    #[test]
    fn no_line_is_wider_than_the_page() {
        for columns in [60, 72, 80, 120] {
            let text = sample(&Screen::new(columns, false));
            for line in text.lines() {
                assert!(line.chars().count() <= columns, "{columns} columns:\n{line}\nin\n{text}");
            }
        }
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let coloured = sample(&Screen::new(80, true));
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(console::strip_ansi_codes(&coloured), sample(&Screen::new(80, false)));
    }

    #[test]
    fn columns_of_latencies_line_up() {
        let text = sample(&Screen::default());
        let table = text.lines().skip_while(|line| !line.starts_with("seconds")).take(6);
        assert_eq!(table.map(|line| line.chars().count()).collect::<Vec<_>>(), [71; 6]);
    }

    #[test]
    fn an_incomplete_run_says_so_at_once() {
        let mut results = samples::results();
        results.incomplete = Some(Incomplete::Interrupted);
        let report = Report::new(&results, &samples::scenario());
        let text = summary_text(&report, &results, &Screen::default());
        assert_eq!(text.lines().nth(1), Some("INCOMPLETE: interrupted"));
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped_tenths(1234.56), "1,234.6");
    }
}
