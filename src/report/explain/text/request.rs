//! A request as a waterfall to scale, with what was waited for.

use super::super::request::RequestStory;
use super::super::standing::Standing;
use super::super::waits::{
    AtInstance, AtScheduler, Decoding, Detail, InstanceMeanwhile, MemorySeen, Prefilling,
};
use super::super::waterfall::Part;
use super::{and, at, count, line, long, note, percent, secs};

/// Columns of the waterfall.
const WIDTH: usize = 36;

/// A shorter wait that nobody can be named for is not told of.
const WORTH_WORDS: f64 = 0.01;

/// The story of a request.
pub fn request(story: &RequestStory) -> String {
    let mut out = String::new();
    head(&mut out, story);
    waterfall(&mut out, story);
    why(&mut out, story);
    out.push('\n');
    for standing in &story.standings {
        line(&mut out, &format!("  {}", standing.latency.to_uppercase()), stands(standing));
    }
    if let Some(hint) = &story.hint {
        out.push_str(&format!("\nwhat would have helped: {hint}\n"));
    }
    out
}

fn head(out: &mut String, story: &RequestStory) {
    let RequestStory { prompt_tokens, output_tokens, outcome, .. } = story;
    let why = story.reason_or_stage.map(|why| format!(" ({why})")).unwrap_or_default();
    line(
        out,
        &format!("request {}", story.request),
        format!(
            "{outcome}{why} · {prompt_tokens} prompt tokens, {output_tokens} output tokens · application {}",
            story.application
        ),
    );
    if story.namesakes > 0 {
        note(out, format!("{} of the same name follow it in the trace", count(story.namesakes, "request")));
    }
    let ended = match *outcome {
        "completed" => "done",
        "rejected" => "last known",
        _ => "the run ended",
    };
    let (arrival, end) = (at(story.arrival), at(story.end));
    note(out, format!("arrived {arrival} · {ended} {end} · {}", long(story.duration)));
    if story.recomputed > 0 {
        let times = count(story.recomputed as usize, "time");
        note(out, format!("its KV cache was dropped for want of memory and computed again, {times}"));
    }
    if story.cached_tokens > 0 {
        note(
            out,
            format!("{} of its {prompt_tokens} prompt tokens were in the prefix cache", story.cached_tokens),
        );
    }
    if !story.longest_gap.is_zero() {
        note(out, format!("it waited {} at most from one output token to the next", long(story.longest_gap)));
    }
    for back in &story.sent_back {
        note(out, format!("at {} the drain of {} timed out and sent it back", at(back.at), back.by));
    }
}

fn waterfall(out: &mut String, story: &RequestStory) {
    if story.parts.is_empty() {
        return;
    }
    let [start, length, share] = ["at", "for", "share"];
    out.push_str(&format!("\n{:<30}{start:>13}{length:>12}{share:>8}\n", ""));
    for part in &story.parts {
        let row = format!(
            "  {:<28}{:>13}{:>12}{:>8}  {}",
            name(part),
            at(part.span.from),
            long(part.span.length()),
            percent(part.share),
            bar(part, story)
        );
        out.push_str(row.trim_end());
        out.push('\n');
    }
}

fn name(part: &Part) -> String {
    let place = part.instance.map(|instance| format!(", {instance}")).unwrap_or_default();
    let again = if part.repeated { " again" } else { "" };
    format!("{}{again}{place}", part.kind.words())
}

/// The part of the whole, to scale; the shortest still shows.
fn bar(part: &Part, story: &RequestStory) -> String {
    let whole = story.duration.as_nanos().max(1) as f64;
    let column = |time: ebbflow_actors::SimTime| {
        ((time - story.arrival).as_nanos() as f64 / whole * WIDTH as f64).round() as usize
    };
    let (from, to) = (column(part.span.from), column(part.span.to));
    let cells = if to > from { "█".repeat(to - from) } else { "▏".to_owned() };
    format!("{}{cells}", " ".repeat(from))
}

fn why(out: &mut String, story: &RequestStory) {
    let mut separator = "\n";
    for part in &story.parts {
        let mut name = name(part);
        for sentence in sentences(part) {
            out.push_str(&format!("{separator}  {name:<28}{sentence}\n"));
            (separator, name) = ("", String::new());
        }
    }
}

fn sentences(part: &Part) -> Vec<String> {
    match &part.detail {
        Some(Detail::Scheduler(seen)) => at_scheduler(seen),
        Some(Detail::Instance(seen)) => at_instance(seen, part),
        Some(Detail::Prefill(seen)) => prefilling(seen),
        Some(Detail::Transfer { bytes, gib_per_s }) => {
            vec![format!("{:.1} MiB at {gib_per_s:.1} GiB/s", *bytes as f64 / f64::from(1 << 20))]
        }
        Some(Detail::Decode(seen)) => decoding(seen),
        None if part.repeated => vec!["served from the beginning, its prompt included".to_owned()],
        None => Vec::new(),
    }
}

fn at_scheduler(seen: &AtScheduler) -> Vec<String> {
    if !seen.refused {
        return Vec::new();
    }
    let changes = |what: &str, all: &[InstanceMeanwhile]| {
        let one = |one: &InstanceMeanwhile| {
            format!("{} ({} to {})", one.instance, at(one.span.from), at(one.span.to))
        };
        let all: Vec<String> = all.iter().map(one).collect();
        (!all.is_empty()).then(|| format!("{what}: {}", and(&all)))
    };
    let ahead =
        if seen.ahead > 0 { format!(", behind {}", count(seen.ahead, "request")) } else { String::new() };
    let fleet = match seen.active {
        0 => "no instance was ACTIVE".to_owned(),
        1 => "the one ACTIVE instance could not take it".to_owned(),
        some => format!("none of {some} ACTIVE instances could take it"),
    };
    let changes = [changes("starting", &seen.starting), changes("draining", &seen.draining)];
    std::iter::once(fleet + &ahead).chain(changes.into_iter().flatten()).collect()
}

fn at_instance(seen: &AtInstance, part: &Part) -> Vec<String> {
    // A message's way and the rest of an iteration are nobody's fault.
    let is_full = seen.memory.is_some_and(|memory| memory.full);
    if seen.prefill_count == 0 && !is_full && part.share < WORTH_WORDS {
        return Vec::new();
    }
    let mut said = Vec::new();
    if seen.prefill_count > 0 {
        let ahead =
            if seen.ahead > 0 { format!("behind {}: ", count(seen.ahead, "request")) } else { String::new() };
        let prompts = count(seen.prefill_count, "prompt");
        said.push(format!("{ahead}{prompts} computed for {}", long(seen.prefilling)));
    }
    if seen.decoding > 0.0 {
        said.push(format!("{:.1} requests decoding", seen.decoding));
    }
    said.extend(seen.memory.map(memory));
    if let (Some(idle), true) = (seen.idle_elsewhere, part.share >= 0.1) {
        said.push(format!("instance {idle} held no work meanwhile"));
    }
    said
}

fn memory(seen: MemorySeen) -> String {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let word = if seen.full { "memory full" } else { "memory had room" };
    let (peak, capacity, needed) = (gib(seen.peak_bytes), gib(seen.capacity_bytes), gib(seen.needed_bytes));
    format!("{word}: {peak:.1} of {capacity:.1} GiB in use, {needed:.1} needed")
}

fn prefilling(seen: &Prefilling) -> Vec<String> {
    let together = match seen.companion_count {
        0 => "no other prompt meanwhile".to_owned(),
        companions => {
            format!("with {} ({} tokens in all)", count(companions, "other prompt"), seen.prompt_tokens)
        }
    };
    let decoding =
        if seen.decoding > 0.0 { format!(", {:.1} requests decoding", seen.decoding) } else { String::new() };
    vec![together + &decoding]
}

fn decoding(seen: &Decoding) -> Vec<String> {
    let mut said = Vec::new();
    if let (Some(own), Some(p50), Some(faster)) = (seen.s_per_token, seen.run_p50_s, seen.slower_than) {
        let (own, p50) = (own * 1e3, p50 * 1e3);
        said.push(format!("{own:.1} ms a token, p50 of the run {p50:.1}, slower than {}", percent(faster)));
    }
    let prefills = match seen.prefills {
        0 => String::new(),
        some => format!(", {} computed for {}", count(some, "prompt"), long(seen.prefilling)),
    };
    said.push(format!("{:.1} others decoding{prefills}", seen.others));
    said
}

fn stands(standing: &Standing) -> String {
    let Standing { value_s, slower_than, p50_s, p99_s, limit_s, met, .. } = standing;
    let (value, p50, p99) = (secs(*value_s), secs(*p50_s), secs(*p99_s));
    let promise = match (limit_s, met) {
        (Some(limit), Some(true)) => format!(" · ✓ below {limit} s"),
        (Some(limit), _) => format!(" · ✗ not below {limit} s"),
        (None, _) => String::new(),
    };
    format!("{value:>10} · slower than {} of the run · p50 {p50}, p99 {p99}{promise}", percent(*slower_than))
}
