//! Classes and tenants in the summary for people: what was promised to each, and what it got.

use std::cmp::Reverse;

use crate::results::{Attainment, GroupFigures, Report, Screen, TenantReport};

/// So many tenants are told of; clients of a pool may be hundreds.
const TENANTS: usize = 12;

/// A statement or two of every class and tenant; nothing where there are none.
pub(in crate::results) fn classes(out: &mut String, report: &Report, screen: &Screen) {
    for class in &report.classes {
        screen.line(out, "class", &figures(&class.class, &class.figures));
        if let Some(slo) = &class.slo {
            screen.line(out, "", &verdicts(slo, screen));
        }
    }
    let mut tenants: Vec<&TenantReport> = report.tenants.iter().collect();
    if tenants.len() > TENANTS {
        tenants.sort_by_key(|tenant| Reverse(tenant.figures.requests.arrived));
        tenants.truncate(TENANTS);
    }
    for tenant in &tenants {
        screen.line(out, "tenant", &figures(&tenant.tenant, &tenant.figures));
    }
    let more = report.tenants.len() - tenants.len();
    if more > 0 {
        screen.line(out, "", &[format!("and {more} more, who sent less: `tenants` in run.json")]);
    }
    if !(report.classes.is_empty() && report.tenants.is_empty()) {
        out.push('\n');
    }
}

fn figures(name: &str, figures: &GroupFigures) -> Vec<String> {
    let counts = &figures.requests;
    let p99 = |seconds: Option<f64>| seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.4} s"));
    let mut parts = vec![
        name.to_owned(),
        format!("{} of {} completed", counts.completed, counts.arrived),
        format!("TTFT p99 {}", p99(figures.ttft_s.p99)),
        format!("TBT p99 {}", p99(figures.tbt_s.p99)),
    ];
    // Where engines tell them.
    parts.extend(figures.longest_gap_s.p99.map(|gap| format!("longest gap p99 {gap:.4} s")));
    parts
}

fn verdicts(slo: &Attainment, screen: &Screen) -> Vec<String> {
    let verdict = |verdict: &crate::results::Verdict| {
        let mark = if verdict.met { screen.good("✓") } else { screen.bad("✗") };
        let value = verdict.value_s.map_or("nothing was served".to_owned(), |value| format!("{value:.4} s"));
        format!("{mark} {} {value}", verdict.objective)
    };
    let within = slo.attainment.map(|share| format!("{:.2} % within all limits", share * 100.0));
    slo.objectives.iter().map(verdict).chain(within).collect()
}
