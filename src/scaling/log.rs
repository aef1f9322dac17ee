//! What scaling tells the log, under the names of the columns of its result files. `-v` shows it.

use super::decision::DecisionRow;
use crate::ids::ApplicationId;
use crate::results::{ScalingEvent, ScalingLine};

/// An operation, or a stage of one.
pub(super) fn operation(application: ApplicationId, line: &ScalingLine) {
    let ScalingLine { time, action, target, status } = line;
    let (t_s, application) = (time.as_secs_f64(), application.0);
    tracing::info!(t_s, application, action, target, status, "scaling");
}

/// A refusal, a time-out or another fact.
pub(crate) fn fact(application: ApplicationId, fact: &ScalingEvent) {
    let ScalingEvent { time, event, target, detail } = fact;
    let (t_s, application) = (time.as_secs_f64(), application.0);
    tracing::info!(t_s, application, event, target, detail, "scaling");
}

/// What a policy decided, if that is news.
pub(super) fn decision(application: ApplicationId, row: &DecisionRow) {
    let DecisionRow { time, policy, pool, inputs, raw, limited_by, wanted, reason, outcome } = row;
    tracing::info!(
        t_s = time.as_secs_f64(),
        application = application.0,
        policy,
        pool = pool.and_then(|pool| pool.tag).map(crate::ids::Tag::name),
        active = pool.map(|pool| pool.active),
        starting = pool.map(|pool| pool.starting),
        draining = pool.map(|pool| pool.draining),
        inputs,
        raw,
        limited_by = limited_by.map(|limiter| limiter.name()),
        wanted,
        reason,
        outcome,
        "decision"
    );
}
