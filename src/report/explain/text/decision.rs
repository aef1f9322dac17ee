//! A decision in words.

use super::super::decision::{DecisionStory, Deed, Minute, Moved};
use super::{at, line, note, secs};

/// The story of a decision.
pub fn decision(story: &DecisionStory) -> String {
    let mut out = String::new();
    let DecisionStory { decision, decisions, application, policy, .. } = story;
    line(
        &mut out,
        &format!("decision {decision}"),
        format!("of {decisions} · {policy} at {} · application {application}", at(story.time)),
    );
    if let Some([active, starting, draining]) = story.fleet {
        let pool = story.pool.map(|tag| format!("pool {tag}: ")).unwrap_or_default();
        line(&mut out, "fleet", format!("{pool}{active} ACTIVE · {starting} starting · {draining} draining"));
    }
    for (place, seen) in story.inputs.iter().enumerate() {
        let age = seen.age_s.map(|age| format!(", {} old", secs(age))).unwrap_or_default();
        let label = if place == 0 { "it saw" } else { "" };
        line(&mut out, label, format!("{} = {}{age}", seen.what, seen.value));
    }
    line(&mut out, "it wanted", wanted(story));
    line(&mut out, "because", &story.reason);
    line(&mut out, "outcome", &story.outcome);
    for moved in &story.instances {
        note(&mut out, what_happened(moved));
    }
    out.push('\n');
    let heads = ["arrived", "TTFT p50", "TTFT p99", "waiting"];
    let [arrived, p50, p99, waiting] = heads;
    line(&mut out, "", format!("{arrived:>8}{p50:>12}{p99:>12}{waiting:>10}"));
    line(&mut out, "minute before", fared(&story.before));
    line(&mut out, "minute after", fared(&story.after));
    out
}

fn wanted(story: &DecisionStory) -> String {
    let Some(wanted) = story.wanted else { return "no change".to_owned() };
    let raw = story.raw.map(|raw| format!("{raw:.3} → ")).unwrap_or_default();
    let limited = story.limited_by.map(|by| format!("limited by {by} → ")).unwrap_or_default();
    format!("{raw}{limited}{wanted}")
}

fn what_happened(moved: &Moved) -> String {
    let Moved { instance, deed, done, took_s } = moved;
    let (began, ended) = match deed {
        Deed::Started => ("started", "ACTIVE"),
        Deed::Drained => ("drained", "gone"),
        Deed::Cancelled => ("its start was cancelled", "gone"),
    };
    match (done, took_s) {
        (Some(done), Some(took)) => {
            format!("instance {instance}: {began}, {ended} at {} after {}", at(*done), secs(*took))
        }
        _ => format!("instance {instance}: {began}, never {ended}"),
    }
}

fn fared(minute: &Minute) -> String {
    let or_dash = |value: Option<f64>| value.map_or("–".to_owned(), secs);
    let (p50, p99) = (or_dash(minute.ttft_p50_s), or_dash(minute.ttft_p99_s));
    let whole = minute.span.length().as_secs_f64();
    let short = if whole < 60.0 { format!("  (of {whole:.1} s)") } else { String::new() };
    format!("{:>8}{p50:>12}{p99:>12}{:>10.2}{short}", minute.arrived, minute.queue)
}
