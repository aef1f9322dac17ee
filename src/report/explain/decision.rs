//! The story of a decision: what the policy saw, what it wanted, what came of it, and what followed.

use ebbflow_actors::{SimDuration, SimTime};
use serde::Serialize;

use super::NotThere;
use super::clock::{Span, seconds, seconds_or_null};
use super::facts::{Facts, applications, nearest};
use super::standing::rank;
use crate::ids::{ApplicationId, InstanceId, Tag};
use crate::report::{Cause, Causes, FinishedRun};
use crate::request::Fate;
use crate::results::{EndedRequest, InstanceRecord};
use crate::scaling::{DecisionRow, Limiter};

/// What is looked at before and after a decision.
const MINUTE: SimDuration = SimDuration::from_secs(60);

/// Something a policy saw.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Seen {
    /// What, e.g. `waiting/prompt`.
    pub what: String,
    /// Its value, as the policy got it; `none` where there was no data.
    pub value: String,
    /// How old it was.
    pub age_s: Option<f64>,
}

/// What was done to an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It was started.
    Started,
    /// It was drained.
    Drained,
    /// Its start was cancelled.
    Cancelled,
}

/// An instance that came or went of a decision.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Moved {
    /// Which.
    pub instance: InstanceId,
    /// What was done.
    pub deed: Deed,
    /// When it was ACTIVE, or gone; none: not before the run ended, or its start was cancelled meanwhile.
    #[serde(rename = "done_s", serialize_with = "seconds_or_null")]
    pub done: Option<SimTime>,
    /// From the decision to then: the cold start, or the drain.
    pub took_s: Option<f64>,
}

/// How requests fared in a minute.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Minute {
    /// Which.
    #[serde(flatten)]
    pub span: Span,
    /// Requests that arrived.
    pub arrived: usize,
    /// Median of their times to first token.
    pub ttft_p50_s: Option<f64>,
    /// 99th percentile.
    pub ttft_p99_s: Option<f64>,
    /// Requests waiting for their prefill, on average.
    pub queue: f64,
}

/// What came of a decision.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DecisionStory {
    /// The row of the decision log, from 1.
    pub decision: usize,
    /// Of how many.
    pub decisions: usize,
    /// Whose.
    pub application: ApplicationId,
    /// When.
    #[serde(rename = "time_s", serialize_with = "seconds")]
    pub time: SimTime,
    /// The policy.
    pub policy: String,
    /// The pool; none: the policy named none, or the instances have no tag.
    pub pool: Option<Tag>,
    /// Instances of the pool that were ACTIVE, starting and draining then.
    pub fleet: Option<[u32; 3]>,
    /// What it saw.
    pub inputs: Vec<Seen>,
    /// The number it came to.
    pub raw: Option<f64>,
    /// What held it back.
    pub limited_by: Option<&'static str>,
    /// The number it wanted in the end.
    pub wanted: Option<u32>,
    /// Why.
    pub reason: String,
    /// What came of it, as the log has it.
    pub outcome: String,
    /// Who came or went.
    pub instances: Vec<Moved>,
    /// The minute before.
    pub before: Minute,
    /// The minute after.
    pub after: Minute,
}

/// Explains a row of the decision log, counted from 1.
///
/// # Errors
/// There is no such row.
pub fn decision(
    run: &FinishedRun,
    number: usize,
    application: Option<ApplicationId>,
) -> Result<DecisionStory, NotThere> {
    let applications = applications(run, application)?;
    let row =
        |facts: &Facts<'_>| number.checked_sub(1).filter(|&row| row < facts.application.decisions.len());
    match applications.iter().find_map(|facts| Some((facts, row(facts)?))) {
        Some((facts, row)) => Ok(story(facts, &Causes::of(run), row)),
        None => {
            let rows = applications.iter().map(|facts| facts.application.decisions.len()).max().unwrap_or(0);
            Err(nearest("decision", number as u64, 1..=rows as u64))
        }
    }
}

fn story(facts: &Facts<'_>, causes: &Causes, place: usize) -> DecisionStory {
    let row = &facts.application.decisions[place];
    let DecisionRow { time, raw, wanted, .. } = *row;
    let begun = SimTime::from_nanos(time.as_nanos().saturating_sub(MINUTE.as_nanos()));
    let ended = time.checked_add(MINUTE).unwrap_or(time).min(facts.end());
    DecisionStory {
        decision: place + 1,
        decisions: facts.application.decisions.len(),
        application: facts.application.id,
        time,
        policy: row.policy.to_owned(),
        pool: row.pool.and_then(|pool| pool.tag),
        fleet: row.pool.map(|pool| [pool.active, pool.starting, pool.draining]),
        inputs: inputs(&row.inputs),
        raw,
        limited_by: row.limited_by.map(Limiter::name),
        wanted,
        reason: row.reason.clone(),
        outcome: row.outcome.clone(),
        instances: moved(facts, causes, place, time),
        before: minute(facts, Span::new(begun, time)),
        after: minute(facts, Span::new(time, ended)),
    }
}

/// Reads `name=value@age; …`.
fn inputs(text: &str) -> Vec<Seen> {
    let read = |input: &str| {
        let (what, seen) = input.split_once('=')?;
        let (value, age) = seen.split_once('@').map_or((seen, None), |(value, age)| (value, Some(age)));
        let age_s = age.and_then(|age| age.parse().ok());
        Some(Seen { what: what.to_owned(), value: value.to_owned(), age_s })
    };
    text.split("; ").filter_map(read).collect()
}

fn moved(facts: &Facts<'_>, causes: &Causes, place: usize, time: SimTime) -> Vec<Moved> {
    let own = Some(Cause::Decision { row: place + 1 });
    let took = |done: Option<SimTime>| done.map(|done| done.saturating_sub(time).as_secs_f64());
    let mut moved = Vec::new();
    for InstanceRecord { id, active, removed, .. } in &facts.application.instances {
        if causes.of_start(facts.application.id, *id) == own {
            moved.push(Moved { instance: *id, deed: Deed::Started, done: *active, took_s: took(*active) });
        }
        if causes.of_drain(facts.application.id, *id) == own {
            let deed = if active.is_some() { Deed::Drained } else { Deed::Cancelled };
            moved.push(Moved { instance: *id, deed, done: *removed, took_s: took(*removed) });
        }
    }
    moved
}

/// How the requests of an application fared in a span.
fn minute(facts: &Facts<'_>, span: Span) -> Minute {
    let requests = &facts.application.requests;
    let came =
        requests.iter().filter(|ended| span.from <= ended.request.arrival && ended.request.arrival < span.to);
    let ttft: Vec<f64> = came.clone().filter_map(|ended| ended.request.ttft_s()).collect();
    let rank = rank(0.0, ttft);
    Minute {
        span,
        arrived: came.count(),
        ttft_p50_s: rank.map(|rank| rank.p50_s),
        ttft_p99_s: rank.map(|rank| rank.p99_s),
        queue: span.mean_count(requests.iter().map(|ended| waiting(facts, ended))),
    }
}

/// While a request waited for its prefill; one that was refused is not waited for.
fn waiting(facts: &Facts<'_>, ended: &EndedRequest) -> Span {
    let request = &ended.request;
    let until = match (request.journal.prefill, &ended.fate) {
        (Some(leg), _) => leg.start,
        (None, Fate::Unfinished(_)) => facts.end(),
        (None, _) => request.arrival,
    };
    Span::new(request.arrival, until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_read_as_they_are_written() {
        let seen = inputs("arrivals_per_s[60s]=4.25@0.5; waiting/prompt=none; active=3");
        let shown: Vec<_> =
            seen.iter().map(|seen| (seen.what.as_str(), seen.value.as_str(), seen.age_s)).collect();
        let expected = [
            ("arrivals_per_s[60s]", "4.25", Some(0.5)),
            ("waiting/prompt", "none", None),
            ("active", "3", None),
        ];
        assert_eq!(shown, expected);
        assert!(inputs("").is_empty());
    }
}
