//! An instance in words.

use ebbflow_actors::SimTime;

use super::super::instance::InstanceStory;
use super::{and, at, count, line, long, note, percent};

/// The story of an instance.
pub fn instance(story: &InstanceStory) -> String {
    let mut out = String::new();
    let InstanceStory { instance, application, gpu, sku, server, .. } = story;
    let pool = story.pool.map(|tag| format!("pool {tag} · ")).unwrap_or_default();
    let gpus = story.processors.len();
    line(
        &mut out,
        &format!("instance {instance}"),
        format!("{pool}{gpus} × {gpu} on server {server} ({sku}) · application {application}"),
    );
    let near: Vec<String> = story.neighbours.iter().map(|near| near.instance.to_string()).collect();
    if !near.is_empty() {
        note(&mut out, format!("on the same server: {}", and(&near)));
    }
    life(&mut out, story);
    let share = story.busy_share.map(|share| format!(", {} of its time since ACTIVE", percent(share)));
    line(&mut out, "busy", format!("{}{}", long(story.busy), share.unwrap_or_default()));
    line(
        &mut out,
        "served",
        format!(
            "{} · {} · {}",
            count(story.prefills, "prompt"),
            count(story.decodes, "output"),
            count(story.tasks_completed as usize, "task")
        ),
    );
    for (place, event) in story.events.iter().enumerate() {
        line(&mut out, if place == 0 { "events" } else { "" }, event);
    }
    out
}

fn life(out: &mut String, story: &InstanceStory) {
    let by = |cause: &Option<String>| cause.as_ref().map(|cause| format!(", by {cause}")).unwrap_or_default();
    let end = story.run_end;
    let lasts = |from: SimTime, until: Option<SimTime>| long(until.unwrap_or(end).saturating_sub(from));
    let over = story.draining.or(story.removed);
    line(
        out,
        "starting",
        format!(
            "{} · {}{}",
            at(story.created),
            lasts(story.created, story.active.or(over)),
            by(&story.started_by)
        ),
    );
    match story.active {
        Some(active) => line(out, "ACTIVE", format!("{} · {}", at(active), lasts(active, over))),
        None => line(out, "ACTIVE", "never"),
    }
    if let Some(draining) = story.draining {
        let lasted = lasts(draining, story.removed);
        line(out, "draining", format!("{} · {lasted}{}", at(draining), by(&story.ended_by)));
        match &story.hold {
            Some(hold) => note(
                out,
                format!(
                    "held up by the {} of request {} ({} output tokens) until {}; {} when it began",
                    hold.doing,
                    hold.request,
                    hold.output_tokens,
                    at(hold.until),
                    count(hold.held, "request")
                ),
            ),
            None if story.active.is_some() => note(out, "nobody was there any more"),
            None => {}
        }
    }
    match story.removed {
        Some(removed) => line(out, "gone", at(removed)),
        None => line(out, "at the end", format!("there at {}", at(end))),
    }
}
