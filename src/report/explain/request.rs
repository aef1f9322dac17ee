//! The story of a request: where its time went, and why.

use ebbflow_actors::{SimDuration, SimTime};
use serde::Serialize;

use super::NotThere;
use super::clock::{seconds, seconds_or_null};
use super::facts::{Facts, applications, nearest};
use super::hint::hint;
use super::standing::{Standing, standings};
use super::waits::detail;
use super::waterfall::{Part, parts};
use crate::ids::{ApplicationId, RequestId};
use crate::report::FinishedRun;
use crate::request::{Fate, Request};
use crate::results::{EndedRequest, ScalingEvent};

/// A drain time-out that sent a request back to the scheduler, or gave it up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SentBack {
    /// When.
    #[serde(rename = "at_s", serialize_with = "seconds")]
    pub at: SimTime,
    /// By whom, e.g. `instance_3`.
    pub by: String,
}

/// Where the time of a request went.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RequestStory {
    /// Its name in the trace.
    pub request: RequestId,
    /// Whom it asked.
    pub application: ApplicationId,
    /// Prompt length.
    pub prompt_tokens: u32,
    /// Output length.
    pub output_tokens: u32,
    /// `completed`, `rejected` or `unfinished`.
    pub outcome: &'static str,
    /// Why it was rejected, or where it stood when the run ended.
    pub reason_or_stage: Option<&'static str>,
    /// When it came.
    #[serde(rename = "arrival_s", serialize_with = "seconds")]
    pub arrival: SimTime,
    /// When it was done, or given up, or the run ended; of a rejected one: the last that is known of it.
    #[serde(rename = "end_s", serialize_with = "seconds")]
    pub end: SimTime,
    /// When its first token was there.
    #[serde(rename = "first_token_s", serialize_with = "seconds_or_null")]
    pub first_token: Option<SimTime>,
    /// From arrival to end: the sum of the parts.
    #[serde(rename = "duration_ns", serialize_with = "nanoseconds")]
    pub duration: SimDuration,
    /// Its time, without gaps.
    pub parts: Vec<Part>,
    /// Its latencies among all.
    pub standings: Vec<Standing>,
    /// Times its KV cache was dropped for want of memory and computed again.
    pub recomputed: u32,
    /// Tokens of its prompt that a prefix cache had.
    pub cached_tokens: u32,
    /// The longest wait between two of its output tokens; zero where the engine does not tell.
    #[serde(rename = "longest_gap_ns", serialize_with = "nanoseconds")]
    pub longest_gap: SimDuration,
    /// When drains sent it back.
    pub sent_back: Vec<SentBack>,
    /// What would have helped, where that follows.
    pub hint: Option<String>,
    /// How many other requests bear the same name; the first is told of.
    pub namesakes: usize,
}

fn nanoseconds<S: serde::Serializer>(span: &SimDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(span.as_nanos())
}

/// Explains the request with this name.
///
/// # Errors
/// There is none, or the run kept no rows of requests.
pub fn request(
    run: &FinishedRun,
    id: RequestId,
    application: Option<ApplicationId>,
) -> Result<RequestStory, NotThere> {
    let applications = applications(run, application)?;
    if !run.has_requests {
        return Err(NotThere::NoRequests);
    }
    let mut named =
        applications.iter().flat_map(|facts| facts.requests_named(id).map(move |ended| (facts, ended)));
    let Some((facts, ended)) = named.next() else {
        let all = applications.iter().flat_map(|facts| &facts.application.requests);
        return Err(nearest("request", id.0, all.map(|ended| ended.request.id.0)));
    };
    let namesakes = named.count();
    Ok(RequestStory { namesakes, ..story(facts, ended) })
}

fn story(facts: &Facts<'_>, ended: &EndedRequest) -> RequestStory {
    let request = ended.request.as_ref();
    let end = end(facts, ended);
    let sent_back = sent_back(facts, request, "request_requeued");
    let last = sent_back.last().map(|back| back.at);
    let mut parts = parts(request, end, last);
    for part in &mut parts {
        part.detail = detail(facts, request, part);
    }
    let (outcome, reason_or_stage) = match ended.fate {
        Fate::Completed => ("completed", None),
        Fate::Rejected(reason) => ("rejected", Some(reason.name())),
        Fate::Unfinished(stage) => ("unfinished", Some(stage.name())),
    };
    RequestStory {
        request: request.id,
        application: facts.application.id,
        prompt_tokens: request.prompt_tokens,
        output_tokens: request.output_tokens,
        outcome,
        reason_or_stage,
        arrival: request.arrival,
        end,
        first_token: request.journal.prefill.and_then(|leg| leg.end),
        duration: end - request.arrival,
        hint: hint(ended, &parts),
        parts,
        standings: standings(facts, request),
        recomputed: request.journal.recomputed,
        cached_tokens: request.journal.cached_tokens,
        longest_gap: request.journal.longest_gap,
        sent_back,
        namesakes: 0,
    }
}

/// When it was over.
fn end(facts: &Facts<'_>, ended: &EndedRequest) -> SimTime {
    let request = ended.request.as_ref();
    match ended.fate {
        Fate::Completed => request.completion().unwrap_or(facts.end()),
        Fate::Unfinished(_) => facts.end().max(request.arrival),
        Fate::Rejected(_) => {
            let aborted = sent_back(facts, request, "request_aborted").last().map(|back| back.at);
            aborted.unwrap_or(last_known(request))
        }
    }
}

/// The last moment in the journal.
fn last_known(request: &Request) -> SimTime {
    let journal = &request.journal;
    let legs = [journal.prefill, journal.transfer, journal.decode];
    let legs = legs.into_iter().flatten().map(|leg| leg.end.unwrap_or(leg.start));
    let told = [Some(request.arrival), journal.first_refusal, journal.scheduled];
    told.into_iter().flatten().chain(legs).max().unwrap_or(request.arrival)
}

/// The events that name this request.
fn sent_back(facts: &Facts<'_>, request: &Request, event: &str) -> Vec<SentBack> {
    let detail = format!("request {}", request.id);
    let events = facts.application.scaling_events.iter();
    let own = |found: &&ScalingEvent| {
        found.event == event && found.detail == detail && found.time >= request.arrival
    };
    events.filter(own).map(|found| SentBack { at: found.time, by: found.target.clone() }).collect()
}
