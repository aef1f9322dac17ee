//! What policies decided and what the ScalingManager did and refused, as instants on the `scaling` track.
//!
//! The number of a decision is its row in `scaling/{application}_decisions.csv`. Where there are too many, some
//! of those that changed nothing are left out.

use std::io::{self, Write};

use serde_json::json;

use super::event::{Event, Sink};
use super::{HELD_DECISIONS, View, micros};
use crate::scaling::{DecisionRow, Limiter};

/// The outcome of a decision that changed nothing.
const HELD: &str = "held";

/// Writes all of them.
pub fn write<W: Write>(view: &View<'_>, sink: &mut Sink<'_, W>) -> io::Result<()> {
    for (place, application) in view.results.applications.iter().enumerate() {
        let track = view.tracks.of_application(place);
        let held = application.decisions.iter().filter(|row| row.outcome == HELD).count();
        let stride = held.div_ceil(HELD_DECISIONS).max(1);
        let mut nth_held = 0;
        for (number, row) in (1_u64..).zip(&application.decisions) {
            nth_held += usize::from(row.outcome == HELD);
            if row.outcome != HELD || nth_held % stride == 0 {
                let (at, args) = (micros(row.time), decision(number, row));
                sink.event(&Event::instant("decision", &row.outcome, track, at, args))?;
            }
        }
        for line in &application.scaling_log {
            let args = json!({ "target": line.target, "status": line.status });
            sink.event(&Event::instant("scaling", line.action, track, micros(line.time), args))?;
        }
        for fact in &application.scaling_events {
            let args = json!({ "target": fact.target, "detail": fact.detail });
            sink.event(&Event::instant("scaling", fact.event, track, micros(fact.time), args))?;
        }
    }
    Ok(())
}

fn decision(number: u64, row: &DecisionRow) -> serde_json::Value {
    json!({
        "decision": number,
        "policy": row.policy,
        "pool": row.pool.and_then(|pool| pool.tag),
        "active": row.pool.map(|pool| pool.active),
        "starting": row.pool.map(|pool| pool.starting),
        "draining": row.pool.map(|pool| pool.draining),
        "inputs": row.inputs,
        "raw": row.raw,
        "limited_by": row.limited_by.map(Limiter::name),
        "wanted": row.wanted,
        "reason": row.reason,
        "outcome": row.outcome,
    })
}
