//! A run as a timeline: trace events in JSON, for Perfetto's and Chrome's viewers.
//!
//! | where | what |
//! |---|---|
//! | process of an application | counters (requests that wait, fleet, KV caches), the `scaling` track, the slowest requests |
//! | process of a server | its life, and a track for every instance that was on it |
//! | track of an instance | its statuses; in them its work: iterations, or stretches of prefill and decode |
//! | arrow between instances | a KV cache moved |
//!
//! Work comes from the iteration rows where the run kept them, else from the journals of the requests. Where it is
//! dense, neighbouring pieces become one slice that counts them: a run has [`SLICES`] slices at most, so that any
//! run opens; arrows, counters and decisions have budgets too. Same run, same bytes.
//!
//! Times are microseconds of simulated time, rounded to whole ones: viewers cut fractions, and neighbours would
//! overlap. Leaves out: messages, and single iterations of dense runs. Format: Google's "Trace Event Format",
//! as Perfetto's importer of JSON reads it.

mod counters;
mod event;
mod flows;
mod lifecycle;
mod merge;
mod scaling;
mod slowest;
mod tracks;
mod work;

use std::io::{self, Write};

use ebbflow_actors::SimTime;
use serde_json::json;

use super::{Causes, FinishedRun};
use crate::results::RunResults;
use crate::scenario::Scenario;
use event::Sink;
use merge::Slice;
use tracks::Tracks;
use work::Work;

/// Slices of work that a timeline has at most; with fewer than two hundred bytes each they are half of 50 MB.
pub const SLICES: usize = 120_000;
/// Moves of KV caches that are drawn at most.
pub const ARROWS: usize = 20_000;
/// Stretches of time in which a counter shows its peak and its last value.
const COUNTER_STRETCHES: u64 = 2_000;
/// Decisions that changed nothing are shown up to so many.
const HELD_DECISIONS: usize = 10_000;
/// Requests that are shown one by one: those that took longest.
const SLOWEST: usize = 100;

/// What all parts of a timeline look at.
struct View<'a> {
    results: &'a RunResults,
    scenario: &'a Scenario,
    causes: Causes,
    tracks: Tracks,
}

/// Writes the timeline of a run as JSON.
///
/// # Errors
/// Whatever `out` says.
pub fn write(run: &FinishedRun, out: &mut impl Write) -> io::Result<()> {
    let FinishedRun { results, scenario, .. } = run;
    let view = View { results, scenario, causes: Causes::of(run), tracks: Tracks::of(results) };
    let work: Vec<Work<'_>> = results.applications.iter().map(|app| Work::of(app, results.end)).collect();
    let (width, slices) = merge::merged(&work, SLICES);
    let stride = flows::moves(results).count().div_ceil(ARROWS).max(1);
    let mut sink = Sink::open(
        out,
        &json!({
            "producer": concat!("ebbflow ", env!("CARGO_PKG_VERSION")),
            "seed": scenario.seed,
            "simulated_s": results.end.as_secs_f64(),
            "work_from": if work.iter().any(Work::has_iterations) { "iterations" } else { "requests" },
            "work_merged_within_us": width.as_nanos() / 1000,
            "kv_transfers_per_arrow": stride,
        }),
    )?;
    view.tracks.write(&view, &mut sink)?;
    lifecycle::write(&view, &mut sink)?;
    write_work(&view, &slices, &mut sink)?;
    flows::write(&view, &slices, stride, &mut sink)?;
    counters::write(&view, &mut sink)?;
    scaling::write(&view, &mut sink)?;
    slowest::write(&view, &mut sink)?;
    sink.close()
}

fn write_work<W: Write>(view: &View<'_>, slices: &[Vec<Slice>], sink: &mut Sink<W>) -> io::Result<()> {
    for (application, slices) in view.results.applications.iter().zip(slices) {
        for slice in slices {
            sink.event(&slice.event(view.tracks.of_instance(application, slice.instance)))?;
        }
    }
    Ok(())
}

/// Whole microseconds, rounded down: what meets still meets.
fn micros(time: SimTime) -> u64 {
    time.as_nanos() / 1000
}
