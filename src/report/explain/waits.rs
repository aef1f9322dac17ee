//! What else went on during a part of a request's time, from which the reason can be told.

use ebbflow_actors::SimDuration;
use serde::Serialize;

use super::clock::{Span, span_seconds};
use super::facts::{Facts, decode, prefill};
use super::standing::rank;
use super::waterfall::{Part, PartKind};
use crate::ids::{InstanceId, RequestId};
use crate::report::memory;
use crate::request::Request;

/// How many others are named; all are counted.
const NAMED: usize = 5;

/// What is known of a part.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// Of a wait at the scheduler.
    Scheduler(AtScheduler),
    /// Of a wait at an instance.
    Instance(AtInstance),
    /// Of a prefill.
    Prefill(Prefilling),
    /// Of a KV transfer.
    Transfer {
        /// Bytes of the cache.
        bytes: u64,
        /// How fast it moved.
        gib_per_s: f64,
    },
    /// Of a decode.
    Decode(Decoding),
}

/// An instance that came or went meanwhile.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct InstanceMeanwhile {
    /// Which.
    pub instance: InstanceId,
    /// Its whole start, or its whole drain.
    #[serde(flatten)]
    pub span: Span,
}

/// A request that was worked on meanwhile.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct RequestMeanwhile {
    /// Which.
    pub request: RequestId,
    /// Its prompt.
    pub prompt_tokens: u32,
    /// While it was worked on.
    #[serde(flatten)]
    pub span: Span,
}

/// Around a wait at the scheduler.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AtScheduler {
    /// Whether nobody could take it at first; if not, the wait is the message's way.
    pub refused: bool,
    /// Requests that had arrived before and were still waiting here.
    pub ahead: usize,
    /// Instances ACTIVE when the wait began.
    pub active: usize,
    /// Instances that were starting during the wait.
    pub starting: Vec<InstanceMeanwhile>,
    /// Instances that were draining during the wait.
    pub draining: Vec<InstanceMeanwhile>,
}

/// Around a wait at an instance.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AtInstance {
    /// Requests whose prompts were begun here during the wait, before this one was.
    pub ahead: usize,
    /// Prompts computed here during the wait, the first few.
    pub prefills: Vec<RequestMeanwhile>,
    /// How many that were.
    pub prefill_count: usize,
    /// How much of the wait they took.
    #[serde(rename = "prefills_s", serialize_with = "span_seconds")]
    pub prefilling: SimDuration,
    /// Requests decoding here, on average.
    pub decoding: f64,
    /// Another ACTIVE instance of the same pool that held no work during the whole wait.
    pub idle_elsewhere: Option<InstanceId>,
    /// The memory, if the run kept iteration logs.
    pub memory: Option<MemorySeen>,
}

/// Memory of an instance during a wait.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct MemorySeen {
    /// The most that was in use.
    pub peak_bytes: u64,
    /// All there is.
    pub capacity_bytes: u64,
    /// What the request needed to begin.
    pub needed_bytes: u64,
    /// Whether that did not fit.
    pub full: bool,
}

/// Around a prefill.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Prefilling {
    /// Other requests whose prompts were computed at the same time, the first few.
    pub companions: Vec<RequestMeanwhile>,
    /// How many that were.
    pub companion_count: usize,
    /// Tokens of all these prompts, its own included.
    pub prompt_tokens: u64,
    /// Requests decoding here meanwhile, on average.
    pub decoding: f64,
}

/// Around a decode.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Decoding {
    /// Output tokens but the first.
    pub tokens: u32,
    /// Seconds per token; none while it is not done.
    pub s_per_token: Option<f64>,
    /// Median of the run.
    pub run_p50_s: Option<f64>,
    /// The share of completed requests that were faster.
    pub slower_than: Option<f64>,
    /// Other requests decoding here, on average.
    pub others: f64,
    /// Prompts computed here meanwhile.
    pub prefills: usize,
    /// How much of the time that took.
    #[serde(rename = "prefills_s", serialize_with = "span_seconds")]
    pub prefilling: SimDuration,
}

/// What is known of a part of this request's time.
pub fn detail(facts: &Facts<'_>, request: &Request, part: &Part) -> Option<Detail> {
    let instance = part.instance;
    match part.kind {
        PartKind::WaitAtScheduler => Some(Detail::Scheduler(at_scheduler(facts, request, part))),
        PartKind::WaitForPrefill | PartKind::WaitForTransfer | PartKind::WaitForDecode => {
            Some(Detail::Instance(at_instance(facts, request, instance?, part)))
        }
        PartKind::Prefill => Some(Detail::Prefill(prefilling(facts, request, instance?, part.span))),
        PartKind::Transfer => transfer(facts, request, part.span),
        PartKind::Decode => Some(Detail::Decode(decoding(facts, request, instance?, part))),
    }
}

fn at_scheduler(facts: &Facts<'_>, request: &Request, part: &Part) -> AtScheduler {
    let span = part.span;
    let instances = &facts.application.instances;
    let meanwhile = |instance: InstanceId, whole: Span| {
        span.common(whole).map(|_| InstanceMeanwhile { instance, span: whole })
    };
    let refused_at = request.journal.first_refusal;
    let since = refused_at.unwrap_or(span.from).max(span.from);
    let ahead = facts.application.requests.iter().filter(|ended| {
        let other = &ended.request;
        let routed = other.journal.scheduled.unwrap_or(facts.end());
        (other.arrival, other.id) < (request.arrival, request.id) && routed > since && routed > other.arrival
    });
    let serves = |active: Span| active.from <= span.from && span.from < active.to;
    AtScheduler {
        refused: refused_at.is_some(),
        ahead: if refused_at.is_some() { ahead.count() } else { 0 },
        active: instances.iter().filter_map(|one| facts.active(one)).filter(|one| serves(*one)).count(),
        starting: instances.iter().filter_map(|one| meanwhile(one.id, facts.starting(one))).collect(),
        draining: instances.iter().filter_map(|one| meanwhile(one.id, facts.draining(one)?)).collect(),
    }
}

fn at_instance(facts: &Facts<'_>, request: &Request, instance: InstanceId, part: &Part) -> AtInstance {
    let span = part.span;
    let prefills = prefills_meanwhile(facts, request, instance, span);
    let begun = |other: &&RequestMeanwhile| span.from <= other.span.from && other.span.from < span.to;
    AtInstance {
        ahead: prefills.iter().filter(begun).count(),
        prefill_count: prefills.len(),
        prefilling: span.covered_by(prefills.iter().map(|other| other.span)),
        decoding: span.mean_count(decodes(facts, request, instance)),
        idle_elsewhere: idle_elsewhere(facts, instance, span),
        memory: memory(facts, request, instance, part),
        prefills: prefills.into_iter().take(NAMED).collect(),
    }
}

/// Prompts of others computed on an instance during a span, by their start.
fn prefills_meanwhile(
    facts: &Facts<'_>,
    request: &Request,
    instance: InstanceId,
    span: Span,
) -> Vec<RequestMeanwhile> {
    let legs = facts.legs(instance, prefill).filter(|(other, _)| !std::ptr::eq(*other, request));
    let inside = legs.filter(|(_, leg)| span.common(*leg).is_some());
    let meanwhile = |(other, span): (&Request, Span)| RequestMeanwhile {
        request: other.id,
        prompt_tokens: other.prompt_tokens,
        span,
    };
    let mut prefills: Vec<RequestMeanwhile> = inside.map(meanwhile).collect();
    prefills.sort_by_key(|other| (other.span.from, other.request));
    prefills
}

/// The decodes of others on an instance.
fn decodes(facts: &Facts<'_>, request: &Request, instance: InstanceId) -> impl Iterator<Item = Span> {
    let others = facts.legs(instance, decode).filter(|(other, _)| !std::ptr::eq(*other, request));
    others.map(|(_, span)| span)
}

/// An instance of the same pool that could have taken work during the whole span and held none.
fn idle_elsewhere(facts: &Facts<'_>, instance: InstanceId, span: Span) -> Option<InstanceId> {
    let tag = facts.instance(instance)?.tag;
    let ready = |active: Span| active.from <= span.from && span.to <= active.to;
    let idle = |id: InstanceId| {
        let legs = facts.legs(id, prefill).chain(facts.legs(id, decode));
        legs.into_iter().all(|(_, leg)| span.common(leg).is_none())
    };
    let others = facts.application.instances.iter().filter(|one| one.id != instance && one.tag == tag);
    let mut ready = others.filter(|one| facts.active(one).is_some_and(ready));
    ready.find(|one| idle(one.id)).map(|one| one.id)
}

/// The memory in use, from the iteration logs; none without them.
fn memory(facts: &Facts<'_>, request: &Request, instance: InstanceId, part: &Part) -> Option<MemorySeen> {
    let record = facts.instance(instance)?;
    let rows = facts.application.iterations.iter().filter(|row| row.instance == instance);
    let during = rows.filter(|row| part.span.common(Span::new(row.start, row.end)).is_some());
    let peak_bytes = during.map(|row| row.memory_bytes).max()?;
    let applications = &facts.run.scenario.applications;
    let spec = applications.iter().find(|spec| spec.id == facts.application.id)?;
    let tokens = match part.kind {
        PartKind::WaitForDecode => request.output_tokens - 1,
        _ => request.prompt_tokens + 1,
    };
    let needed_bytes = spec.model.kv_bytes(request.batch_size, u64::from(tokens));
    let capacity_bytes = memory::of(&facts.run.scenario, spec, record)?.capacity_bytes;
    let full = peak_bytes + needed_bytes > capacity_bytes;
    Some(MemorySeen { peak_bytes, capacity_bytes, needed_bytes, full })
}

fn prefilling(facts: &Facts<'_>, request: &Request, instance: InstanceId, span: Span) -> Prefilling {
    let companions = prefills_meanwhile(facts, request, instance, span);
    let others: u64 = companions.iter().map(|other| u64::from(other.prompt_tokens)).sum();
    Prefilling {
        companion_count: companions.len(),
        prompt_tokens: u64::from(request.prompt_tokens) + others,
        decoding: span.mean_count(decodes(facts, request, instance)),
        companions: companions.into_iter().take(NAMED).collect(),
    }
}

fn transfer(facts: &Facts<'_>, request: &Request, span: Span) -> Option<Detail> {
    const GIB: f64 = (1u64 << 30) as f64;
    let applications = &facts.run.scenario.applications;
    let model = &applications.iter().find(|spec| spec.id == facts.application.id)?.model;
    let bytes = model.kv_bytes(request.batch_size, u64::from(request.prompt_tokens));
    Some(Detail::Transfer { bytes, gib_per_s: bytes as f64 / GIB / span.length().as_secs_f64() })
}

fn decoding(facts: &Facts<'_>, request: &Request, instance: InstanceId, part: &Part) -> Decoding {
    // What a drain interrupted says nothing about the time of a token.
    let whole = request.journal.decode.is_some_and(|leg| leg.end == Some(part.span.to));
    let s_per_token = s_per_token(request).filter(|_| whole && !part.repeated);
    let all: Vec<f64> = facts.application.completed().filter_map(self::s_per_token).collect();
    let prefills = prefills_meanwhile(facts, request, instance, part.span);
    let standing = s_per_token.and_then(|value| rank(value, all));
    Decoding {
        tokens: request.output_tokens - 1,
        s_per_token,
        run_p50_s: standing.map(|standing| standing.p50_s),
        slower_than: standing.map(|standing| standing.slower_than),
        others: part.span.mean_count(decodes(facts, request, instance)),
        prefills: prefills.len(),
        prefilling: part.span.covered_by(prefills.iter().map(|other| other.span)),
    }
}

/// Of the token task alone, so that waiting for it does not count.
fn s_per_token(request: &Request) -> Option<f64> {
    let leg = request.journal.decode?;
    let tokens = request.output_tokens.checked_sub(1).filter(|&tokens| tokens > 0)?;
    Some((leg.end? - leg.start).as_secs_f64() / f64::from(tokens))
}
