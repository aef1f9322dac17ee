//! What is worth a question, as a list of questions.

use super::super::overview::{Overview, Slow};
use super::{at, line, long, secs};

/// Where to begin.
pub fn overview(overview: &Overview) -> String {
    let mut out = String::new();
    slow(&mut out, "slowest to begin", &overview.slowest_to_begin);
    slow(&mut out, "slowest to end", &overview.slowest_to_end);
    if overview.not_completed_count > 0 {
        let named: Vec<String> = overview.not_completed.iter().map(|id| format!("--request {id}")).collect();
        out.push_str(&format!("not completed ({})\n", overview.not_completed_count));
        line(&mut out, "", named.join("  "));
        out.push('\n');
    }
    if !overview.acted.is_empty() {
        out.push_str(&format!("decisions that acted ({})\n", overview.acted_count));
        for acted in &overview.acted {
            let question = format!("--decision {}", acted.decision);
            let of = application(acted.application.0);
            out.push_str(&format!("  {question:<20}{:>12}  {}{of}\n", at(acted.time), acted.outcome));
        }
        out.push('\n');
    }
    if !overview.longest_drains.is_empty() {
        out.push_str("longest drains\n");
        for drain in &overview.longest_drains {
            let question = format!("--instance {}", drain.instance);
            let done = if drain.done { "" } else { ", not over" };
            let hold = drain.hold.as_ref();
            let hold = hold.map(|hold| format!("  held up by request {}", hold.request)).unwrap_or_default();
            out.push_str(&format!("  {question:<20}{:>12}{hold}{done}\n", long(drain.length)));
        }
        out.push('\n');
    }
    out.push_str("Ask with one of these options: --request ID, --decision N, --instance ID.\n");
    out
}

fn slow(out: &mut String, title: &str, all: &[Slow]) {
    if all.is_empty() {
        return;
    }
    out.push_str(title);
    out.push('\n');
    for one in all {
        let question = format!("--request {}", one.request);
        let (ttft, e2e) = (secs(one.ttft_s), secs(one.e2e_s));
        let of = application(one.application.0);
        out.push_str(&format!(
            "  {question:<20}TTFT {ttft:>10} · E2E {e2e:>10} · {} output tokens{of}\n",
            one.output_tokens
        ));
    }
    out.push('\n');
}

fn application(id: u32) -> String {
    if id == 0 { String::new() } else { format!("  --application {id}") }
}
