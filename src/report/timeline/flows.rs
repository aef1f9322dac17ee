//! KV caches that moved, as arrows from the slice in which the prompt was done to the one in which its decode
//! began.

use std::io::{self, Write};

use ebbflow_actors::{SimDuration, SimTime};
use serde_json::json;

use super::event::{Event, Sink};
use super::merge::{self, Slice};
use super::{View, micros};
use crate::ids::InstanceId;
use crate::request::Request;
use crate::results::RunResults;

/// A cache that moved.
pub struct Move<'a> {
    /// Place of its application.
    place: usize,
    request: &'a Request,
    from: (InstanceId, SimTime),
    to: (InstanceId, SimTime),
    took: SimDuration,
}

/// All moves whose both ends are known, in the order their requests ended.
pub fn moves(results: &RunResults) -> impl Iterator<Item = Move<'_>> {
    let applications = results.applications.iter().enumerate();
    let requests =
        applications.flat_map(|(place, app)| app.requests.iter().map(move |ended| (place, &ended.request)));
    requests.filter_map(|(place, request)| {
        let journal = &request.journal;
        let (prefill, transfer, decode) = (journal.prefill?, journal.transfer?, journal.decode?);
        let from = (prefill.instance, prefill.end?);
        let took = transfer.end? - transfer.start;
        Some(Move { place, request, from, to: (decode.instance, decode.start), took })
    })
}

/// Writes every `stride`-th of them.
pub fn write<W: Write>(
    view: &View<'_>,
    slices: &[Vec<Slice>],
    stride: usize,
    sink: &mut Sink<'_, W>,
) -> io::Result<()> {
    for (number, moved) in moves(view.results).enumerate().step_by(stride) {
        let slices = &slices[moved.place];
        // The prompt's last moment: at its end the slice is over.
        let done = SimTime::from_nanos(moved.from.1.as_nanos().saturating_sub(1));
        let tail = merge::at(slices, moved.from.0, done);
        let head = merge::at(slices, moved.to.0, moved.to.1);
        // What was requeued, or ran when the run ended, has no slice there.
        let (Some(tail), Some(head)) = (tail, head) else { continue };
        let application = &view.results.applications[moved.place];
        let args = json!({ "request": moved.request.id, "transfer_us": moved.took.as_nanos() / 1000 });
        for (slice, time, is_head) in [(tail, done, false), (head, moved.to.1, true)] {
            let track = view.tracks.of_instance(application, slice.instance);
            let (at, id) = (moment_in(slice, time), number as u64 + 1);
            sink.event(&Event::arrow("KV transfer", track, at, id, is_head, args.clone()))?;
        }
    }
    Ok(())
}

/// A time within a slice in whole microseconds, such that the slice still encloses it.
fn moment_in(slice: &Slice, time: SimTime) -> u64 {
    let (start, end) = (micros(slice.sum.start), micros(slice.sum.end));
    micros(time).min(end.saturating_sub(1)).max(start)
}
