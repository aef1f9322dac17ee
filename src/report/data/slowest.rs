//! The requests that took longest, with every leg of their journey.

use std::collections::BTreeSet;

use ebbflow_actors::SimTime;
use serde::Serialize;

use crate::report::FinishedRun;
use crate::report::series::Rounded;
use crate::request::{Leg, Request};

/// How many by each measure.
const COUNT: usize = 30;

/// A request with its times in seconds of the run.
#[derive(Debug, Serialize)]
pub struct Journey {
    id: u64,
    application: u32,
    arrival: Rounded,
    prompt_tokens: u32,
    output_tokens: u32,
    first_refusal: Option<Rounded>,
    scheduled: Option<Rounded>,
    prefill: Option<Stretch>,
    transfer: Option<Stretch>,
    decode: Option<Stretch>,
    recomputed: u32,
    requeued: u32,
    e2e_s: Option<Rounded>,
    ttft_s: Option<Rounded>,
}

/// A leg.
#[derive(Debug, Serialize)]
struct Stretch {
    instance: u32,
    start: Rounded,
    end: Option<Rounded>,
}

/// The completed requests with the longest E2E and those with the longest TTFT, longest E2E first.
pub fn of(run: &FinishedRun) -> Vec<Journey> {
    let completed: Vec<&Request> =
        run.results.applications.iter().flat_map(|application| application.completed()).collect();
    let mut chosen = BTreeSet::new();
    chosen.extend(longest(&completed, Request::e2e_s));
    chosen.extend(longest(&completed, Request::ttft_s));
    let mut slowest: Vec<&Request> = chosen.into_iter().map(|place| completed[place]).collect();
    slowest.sort_by(|a, b| b.e2e_s().unwrap_or(0.0).total_cmp(&a.e2e_s().unwrap_or(0.0)));
    slowest.into_iter().map(Journey::of).collect()
}

/// The places of the requests with the greatest measure; of equals the earlier ones.
fn longest(requests: &[&Request], measure: fn(&Request) -> Option<f64>) -> Vec<usize> {
    let mut places: Vec<usize> = (0..requests.len()).collect();
    let key = |place: &usize| measure(requests[*place]).unwrap_or(0.0);
    let longer = |a: &usize, b: &usize| key(b).total_cmp(&key(a)).then(a.cmp(b));
    if places.len() > COUNT {
        places.select_nth_unstable_by(COUNT - 1, longer);
        places.truncate(COUNT);
    }
    places
}

impl Journey {
    fn of(request: &Request) -> Self {
        let seconds = |time: SimTime| Rounded(time.as_secs_f64());
        let stretch = |leg: &Option<Leg>| {
            leg.map(|leg| Stretch {
                instance: leg.instance.0,
                start: seconds(leg.start),
                end: leg.end.map(seconds),
            })
        };
        let journal = &request.journal;
        Journey {
            id: request.id.0,
            application: request.application.0,
            arrival: seconds(request.arrival),
            prompt_tokens: request.prompt_tokens,
            output_tokens: request.output_tokens,
            first_refusal: journal.first_refusal.map(seconds),
            scheduled: journal.scheduled.map(seconds),
            prefill: stretch(&journal.prefill),
            transfer: stretch(&journal.transfer),
            decode: stretch(&journal.decode),
            recomputed: journal.recomputed,
            requeued: journal.requeued,
            e2e_s: request.e2e_s().map(Rounded),
            ttft_s: request.ttft_s().map(Rounded),
        }
    }
}
