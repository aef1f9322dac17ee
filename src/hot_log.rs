//! What the log tells of the hot path: every message, route, end of a request, and batch.
//!
//! Off unless asked for, and one comparison each then: what an event needs is gathered in functions of their own,
//! kept out of the handlers' code.

use ebbflow_actors::{Entity, EntityId, SimTime};
use tracing::level_filters::LevelFilter;

use crate::ids::{ApplicationId, InstanceId};
use crate::instance::{Birth, RunInProgress};
use crate::message::Message;
use crate::participant::Participant;
use crate::request::{Fate, Request};

#[inline]
fn asked_for(level: LevelFilter) -> bool {
    level <= LevelFilter::current()
}

/// A message arrives, or a tick. `-vvv` shows it.
#[inline]
pub(crate) fn message(now: SimTime, from: EntityId, to: &Participant, message: &Message) {
    #[cold]
    #[inline(never)]
    fn tell(now: SimTime, from: EntityId, to: &Participant, message: &Message) {
        let (t_s, from, to) = (now.as_secs_f64(), from.0, to.label());
        tracing::trace!(target: "ebbflow::message", t_s, from, to, content = ?message, "message");
    }
    if asked_for(LevelFilter::TRACE) {
        tell(now, from, to, message);
    }
}

/// A request is sent to an instance, its cache perhaps to another. `-vv` shows it.
#[inline]
pub(crate) fn routed(now: SimTime, request: &Request, prefill: InstanceId, decode: Option<InstanceId>) {
    #[cold]
    #[inline(never)]
    fn tell(now: SimTime, request: &Request, prefill: InstanceId, decode: Option<InstanceId>) {
        let Request { id, application, .. } = request;
        tracing::debug!(
            target: "ebbflow::scheduler",
            t_s = now.as_secs_f64(),
            application = application.0,
            request = id.0,
            prefill = prefill.0,
            decode = decode.unwrap_or(prefill).0,
            "routed"
        );
    }
    if asked_for(LevelFilter::DEBUG) {
        tell(now, request, prefill, decode);
    }
}

/// A request is completed or rejected. `-vv` shows it.
#[inline]
pub(crate) fn ended(now: SimTime, request: &Request, fate: &Fate) {
    #[cold]
    #[inline(never)]
    fn tell(now: SimTime, request: &Request, fate: &Fate) {
        let (t_s, ApplicationId(application)) = (now.as_secs_f64(), request.application);
        let (request, fate) = (request.id.0, fate.name());
        tracing::debug!(target: "ebbflow::scheduler", t_s, application, request, fate, "ended");
    }
    if asked_for(LevelFilter::DEBUG) {
        tell(now, request, fate);
    }
}

/// A run of iterations has ended. `-vv` shows it.
#[inline]
pub(crate) fn batch(now: SimTime, birth: &Birth, run: RunInProgress) {
    #[cold]
    #[inline(never)]
    fn tell(now: SimTime, birth: &Birth, run: RunInProgress) {
        tracing::debug!(
            target: "ebbflow::instance",
            t_s = now.as_secs_f64(),
            application = birth.application.0,
            instance = birth.instance.0,
            start_s = run.start.as_secs_f64(),
            batch_size = run.batch_size,
            prompts = run.prompts,
            iterations = run.iterations,
            "batch"
        );
    }
    if asked_for(LevelFilter::DEBUG) {
        tell(now, birth, run);
    }
}
