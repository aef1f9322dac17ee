//! The requests that took longest, one by one: a span each, with its waiting, prefill, transfer and decode in it.

use std::cmp::Reverse;
use std::io::{self, Write};

use ebbflow_actors::SimDuration;
use serde_json::json;

use super::event::{Event, Sink, Track};
use super::{SLOWEST, View, micros};
use crate::ids::ApplicationId;
use crate::report::journey::{Stay, stays};
use crate::request::Fate;
use crate::results::EndedRequest;

/// Writes the slowest of the whole run; an unfinished one has taken until its end.
pub fn write<W: Write>(view: &View<'_>, sink: &mut Sink<'_, W>) -> io::Result<()> {
    let end = view.results.end;
    let took = |ended: &EndedRequest| match ended.fate {
        Fate::Rejected(_) => None,
        _ => Some(ended.request.completion().unwrap_or(end).saturating_sub(ended.request.arrival)),
    };
    let applications = view.results.applications.iter().enumerate();
    let requests =
        applications.flat_map(|(place, app)| app.requests.iter().map(move |ended| (place, app.id, ended)));
    let mut ranked: Vec<(SimDuration, usize, ApplicationId, &EndedRequest)> =
        requests.filter_map(|(place, id, ended)| Some((took(ended)?, place, id, ended))).collect();
    let rank = |&(took, place, _, ended): &(SimDuration, usize, ApplicationId, &EndedRequest)| {
        (Reverse(took), place, ended.request.id)
    };
    if ranked.len() > SLOWEST {
        ranked.select_nth_unstable_by_key(SLOWEST, rank);
        ranked.truncate(SLOWEST);
    }
    ranked.sort_unstable_by_key(rank);
    for (_, place, id, ended) in ranked {
        let name = format!("request {}", ended.request.id);
        let span =
            Span { name, id: format!("{id}-{}", ended.request.id), track: view.tracks.of_application(place) };
        span.write(ended, micros(end), sink)?;
    }
    Ok(())
}

struct Span {
    name: String,
    id: String,
    track: Track,
}

impl Span {
    fn write<W: Write>(&self, ended: &EndedRequest, end: u64, sink: &mut Sink<'_, W>) -> io::Result<()> {
        let request = &ended.request;
        let stays: Vec<Stay> = stays(ended).collect();
        let done = request.completion().map_or(end, micros);
        sink.event(&self.edge(&self.name, micros(request.arrival), true).with(json!({
            "prompt_tokens": request.prompt_tokens,
            "output_tokens": request.output_tokens,
            "recomputed": request.journal.recomputed,
            "requeued": request.journal.requeued,
            "finished": ended.fate == Fate::Completed,
        })))?;
        for stay in stays {
            let name = stay.phase.name();
            let args = stay.instance.map(|id| json!({ "instance": id })).unwrap_or_default();
            sink.event(&self.edge(name, micros(stay.from), true).with(args))?;
            sink.event(&self.edge(name, stay.to.map_or(end, micros), false))?;
        }
        sink.event(&self.edge(&self.name, done, false))
    }

    fn edge<'a>(&'a self, name: &'a str, at: u64, begins: bool) -> Event<'a> {
        Event::span("slowest", name, self.track, at, (&self.id, begins))
    }
}
