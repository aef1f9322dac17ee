//! What becomes of an application's requests, wherever they are.

use std::io::{self, Write};

use super::View;
use super::series::{Series, Source};
use super::text::{Family, Kind, Text, labels};
use crate::report::journey::{Phase, last_known, stays};
use crate::request::Fate;

const REQUESTS: Family =
    Family { name: "ebbflow_requests", unit: "", help: "Requests in the system by what they do." };
const ARRIVED: Family = Family { name: "ebbflow_requests_arrived", unit: "", help: "Requests that arrived." };
const ENDED: Family = Family {
    name: "ebbflow_requests_ended",
    unit: "",
    help: "Requests that left; a rejected one when it was last heard of.",
};

/// Writes all families.
pub fn write<W: Write>(view: &View<'_>, text: &mut Text<'_, W>) -> io::Result<()> {
    let scrapes = view.scrapes();
    let per_application = |values: &[(&str, &str)]| -> Vec<Source> {
        let sources = view.applications().flat_map(|(application, spec)| {
            values.iter().map(move |(label, value)| {
                let all: [(&str, &dyn std::fmt::Display); 3] =
                    [("application", &application.id), ("model_name", &spec.model.name), (label, value)];
                Source { labels: labels(if label.is_empty() { &all[..2] } else { &all }), scrapes }
            })
        });
        sources.collect()
    };
    let phases = per_application(&Phase::ALL.map(|phase| ("phase", phase.name())));
    let whole = per_application(&[("", "")]);
    let outcomes = per_application(&[("outcome", "completed"), ("outcome", "rejected")]);
    let (mut present, mut arrived, mut ended) =
        (Series::of(&phases), Series::of(&whole), Series::of(&outcomes));
    for (place, (application, _)) in view.applications().enumerate() {
        for request in &application.requests {
            arrived.note(place, request.request.arrival, 1);
            for stay in stays(request) {
                present.add(place * Phase::ALL.len() + stay.phase as usize, stay.from, stay.to, 1);
            }
            let outcome = match request.fate {
                Fate::Completed => 0,
                Fate::Rejected(_) => 1,
                Fate::Unfinished(_) => continue,
            };
            ended.note(2 * place + outcome, last_known(request), 1);
        }
    }
    present.write(text, Kind::Gauge, &REQUESTS, |_, sum| sum as f64)?;
    arrived.write(text, Kind::Counter, &ARRIVED, |_, sum| sum as f64)?;
    ended.write(text, Kind::Counter, &ENDED, |_, sum| sum as f64)
}
