//! The story of an instance: its life, its work, and what held its drain up.

use ebbflow_actors::{SimDuration, SimTime};
use serde::Serialize;

use super::NotThere;
use super::clock::{Span, seconds, seconds_or_null, span_seconds};
use super::facts::{Facts, applications, decode, nearest, prefill};
use crate::ids::{ApplicationId, InstanceId, RequestId, ServerId, Tag};
use crate::report::{Cause, Causes, FinishedRun};
use crate::request::Request;
use crate::results::InstanceRecord;

/// The request that an instance served longest after its drain had begun.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Hold {
    /// Which.
    pub request: RequestId,
    /// What it did here at last: `prefill`, `transfer` to another instance, or `decode`.
    pub doing: &'static str,
    /// When that was over.
    #[serde(rename = "until_s", serialize_with = "seconds")]
    pub until: SimTime,
    /// Its output length, which is what a drain usually waits for.
    pub output_tokens: u32,
    /// Requests that were still here when the drain began.
    pub held: usize,
}

/// An instance on the same server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Neighbour {
    /// Which.
    pub instance: InstanceId,
    /// Of which application.
    pub application: ApplicationId,
}

/// The life of an instance.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct InstanceStory {
    /// Which.
    pub instance: InstanceId,
    /// Whose.
    pub application: ApplicationId,
    /// Its pool.
    pub pool: Option<Tag>,
    /// Its GPU.
    pub gpu: String,
    /// GPUs of the server that it used, by index.
    pub processors: Vec<u32>,
    /// Its server.
    pub server: ServerId,
    /// What that is.
    pub sku: String,
    /// Others that were on the same server while it was.
    pub neighbours: Vec<Neighbour>,
    /// Decided on.
    #[serde(rename = "created_s", serialize_with = "seconds")]
    pub created: SimTime,
    /// ACTIVE.
    #[serde(rename = "active_s", serialize_with = "seconds_or_null")]
    pub active: Option<SimTime>,
    /// Drain begun.
    #[serde(rename = "draining_s", serialize_with = "seconds_or_null")]
    pub draining: Option<SimTime>,
    /// Gone.
    #[serde(rename = "removed_s", serialize_with = "seconds_or_null")]
    pub removed: Option<SimTime>,
    /// End of the run, up to which it is told what has no end.
    #[serde(rename = "run_end_s", serialize_with = "seconds")]
    pub run_end: SimTime,
    /// What brought it.
    pub started_by: Option<String>,
    /// What let it go.
    pub ended_by: Option<String>,
    /// Time it had a batch running.
    #[serde(rename = "busy_s", serialize_with = "span_seconds")]
    pub busy: SimDuration,
    /// Its share of the time from ACTIVE to the end.
    pub busy_share: Option<f64>,
    /// Tasks it completed.
    pub tasks_completed: u64,
    /// Requests whose prompts it computed.
    pub prefills: usize,
    /// Requests whose output it produced.
    pub decodes: usize,
    /// What held its drain up; none if nobody was here any more, or if it never drained.
    pub hold: Option<Hold>,
    /// What else was noted of it, e.g. a drain time-out.
    pub events: Vec<String>,
}

/// Explains an instance.
///
/// # Errors
/// There never was one with this number.
pub fn instance(
    run: &FinishedRun,
    id: InstanceId,
    application: Option<ApplicationId>,
) -> Result<InstanceStory, NotThere> {
    let applications = applications(run, application)?;
    match applications.iter().find_map(|facts| Some((facts, facts.instance(id)?))) {
        Some((facts, record)) => Ok(story(facts, record)),
        None => {
            let all = applications.iter().flat_map(|facts| &facts.application.instances);
            Err(nearest("instance", u64::from(id.0), all.map(|record| u64::from(record.id.0))))
        }
    }
}

fn story(facts: &Facts<'_>, record: &InstanceRecord) -> InstanceStory {
    let causes = Causes::of(facts.run);
    let told = |cause: Cause| told(facts, cause);
    let up = record.active.map(|active| Span::new(active, record.removed.unwrap_or(facts.end())).length());
    let target = format!("instance_{}", record.id);
    let events = facts.application.scaling_events.iter().filter(|event| event.target == target);
    let InstanceRecord { id, server, tag, created, active, draining, removed, busy, tasks_completed, .. } =
        *record;
    InstanceStory {
        instance: id,
        application: facts.application.id,
        pool: tag,
        gpu: record.gpu.clone(),
        processors: record.processors.clone(),
        server,
        sku: record.sku.clone(),
        neighbours: neighbours(facts, record),
        created,
        active,
        draining,
        removed,
        run_end: facts.end(),
        started_by: causes.of_start(facts.application.id, id).map(told),
        ended_by: causes.of_drain(facts.application.id, id).map(told),
        busy,
        busy_share: up.filter(|up| !up.is_zero()).map(|up| busy.as_secs_f64() / up.as_secs_f64()),
        tasks_completed,
        prefills: facts.legs(id, prefill).count(),
        decodes: facts.legs(id, decode).count(),
        hold: hold(facts, record),
        events: events.map(|event| format!("{} {}: {}", event.time, event.event, event.detail)).collect(),
    }
}

/// A cause in words, with the command that tells more.
fn told(facts: &Facts<'_>, cause: Cause) -> String {
    match cause {
        Cause::StartState => "the start state".to_owned(),
        Cause::Decision { row } => {
            let policy = facts.application.decisions.get(row - 1).map_or("a policy", |row| row.policy);
            format!("decision {row}, of {policy}")
        }
        Cause::Action { nth } => format!("entry {nth} of the scenario's actions"),
        Cause::Scheduler => "the scheduler".to_owned(),
    }
}

fn neighbours(facts: &Facts<'_>, record: &InstanceRecord) -> Vec<Neighbour> {
    let end = facts.end();
    let there = |one: &InstanceRecord| Span::new(one.created, one.removed.unwrap_or(end));
    let shared = |one: &&InstanceRecord| {
        one.server == record.server && one.id != record.id && there(one).common(there(record)).is_some()
    };
    let all = facts.run.results.applications.iter();
    let near = all.flat_map(|application| {
        let own = application.instances.iter().filter(shared);
        own.map(|one| Neighbour { instance: one.id, application: application.id })
    });
    near.collect()
}

/// Who was here last after the drain had begun.
pub fn hold(facts: &Facts<'_>, record: &InstanceRecord) -> Option<Hold> {
    let drain = facts.draining(record)?;
    let stays = facts.application.requests.iter().filter_map(|ended| {
        let request = ended.request.as_ref();
        let (doing, until) = last_here(facts, request, record.id)?;
        // What a drain time-out sent away was here until then.
        let until = until.min(drain.to);
        (until > drain.from).then_some((until, request, doing))
    });
    let mut held = 0;
    let last = stays.inspect(|_| held += 1).max_by_key(|(until, request, _)| (*until, request.id));
    let (until, request, doing) = last?;
    Some(Hold { request: request.id, doing, until, output_tokens: request.output_tokens, held })
}

/// The last that a request did on an instance, and until when: its cache leaves only with the transfer.
fn last_here(facts: &Facts<'_>, request: &Request, id: InstanceId) -> Option<(&'static str, SimTime)> {
    let journal = &request.journal;
    let end = |leg: crate::request::Leg| leg.end.unwrap_or(facts.end());
    let decode = journal.decode.filter(|leg| leg.instance == id).map(|leg| ("decode", end(leg)));
    let prefill = journal.prefill.filter(|leg| leg.instance == id);
    let sent = prefill.and(journal.transfer).filter(|leg| leg.instance != id);
    let sent = sent.map(|leg| ("transfer", end(leg)));
    decode.or(sent).or(prefill.map(|leg| ("prefill", end(leg))))
}
