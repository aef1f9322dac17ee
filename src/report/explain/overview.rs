//! Where to begin: the slowest requests, the decisions that acted, the longest drains.

use ebbflow_actors::{SimDuration, SimTime};
use serde::Serialize;

use super::clock::{seconds, span_seconds};
use super::facts::{Facts, applications};
use super::instance::{Hold, hold};
use crate::ids::{ApplicationId, InstanceId, RequestId};
use crate::report::FinishedRun;

/// How many of each are listed.
const LISTED: usize = 5;

/// A slow request.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Slow {
    /// Which.
    pub request: RequestId,
    /// Of which application.
    pub application: ApplicationId,
    /// Its time to first token.
    pub ttft_s: f64,
    /// Its end-to-end time.
    pub e2e_s: f64,
    /// Output tokens.
    pub output_tokens: u32,
}

/// A decision that changed the fleet.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Acted {
    /// The row of the decision log.
    pub decision: usize,
    /// Of which application.
    pub application: ApplicationId,
    /// When.
    #[serde(rename = "time_s", serialize_with = "seconds")]
    pub time: SimTime,
    /// What came of it.
    pub outcome: String,
}

/// A drain.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LongDrain {
    /// Of which instance.
    pub instance: InstanceId,
    /// Of which application.
    pub application: ApplicationId,
    /// How long it took, up to the end of the run.
    #[serde(rename = "drain_s", serialize_with = "span_seconds")]
    pub length: SimDuration,
    /// Whether it was over by then.
    pub done: bool,
    /// What held it up.
    pub hold: Option<Hold>,
}

/// What is worth a question.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Overview {
    /// By time to first token, the longest first.
    pub slowest_to_begin: Vec<Slow>,
    /// By end-to-end time, the longest first.
    pub slowest_to_end: Vec<Slow>,
    /// Requests that were rejected or not finished, the first few.
    pub not_completed: Vec<RequestId>,
    /// How many that were.
    pub not_completed_count: u64,
    /// The first few decisions that did something.
    pub acted: Vec<Acted>,
    /// How many did.
    pub acted_count: usize,
    /// The longest first.
    pub longest_drains: Vec<LongDrain>,
}

/// Looks over a run.
pub fn overview(run: &FinishedRun) -> Overview {
    let all = applications(run, None).unwrap_or_default();
    let acted: Vec<Acted> = all.iter().flat_map(acted).collect();
    let lost = all.iter().flat_map(|facts| &facts.application.requests);
    let lost = lost.filter(|ended| ended.fate != crate::request::Fate::Completed);
    let lost: Vec<RequestId> = lost.map(|ended| ended.request.id).collect();
    Overview {
        slowest_to_begin: slowest(&all, |slow| slow.ttft_s),
        slowest_to_end: slowest(&all, |slow| slow.e2e_s),
        not_completed_count: lost.len() as u64,
        not_completed: lost.into_iter().take(LISTED).collect(),
        acted_count: acted.len(),
        acted: acted.into_iter().take(LISTED).collect(),
        longest_drains: longest_drains(&all),
    }
}

fn slowest(all: &[Facts<'_>], by: fn(&Slow) -> f64) -> Vec<Slow> {
    let mut slow: Vec<Slow> = Vec::new();
    for facts in all {
        slow.extend(facts.application.completed().filter_map(|request| {
            Some(Slow {
                request: request.id,
                application: facts.application.id,
                ttft_s: request.ttft_s()?,
                e2e_s: request.e2e_s()?,
                output_tokens: request.output_tokens,
            })
        }));
    }
    slow.sort_by(|a, b| by(b).total_cmp(&by(a)));
    slow.truncate(LISTED);
    slow
}

fn acted<'a>(facts: &Facts<'a>) -> impl Iterator<Item = Acted> + use<'a> {
    let application = facts.application.id;
    let rows = facts.application.decisions.iter().enumerate();
    rows.filter(|(_, row)| row.outcome != "held").map(move |(place, row)| Acted {
        decision: place + 1,
        application,
        time: row.time,
        outcome: row.outcome.clone(),
    })
}

fn longest_drains(all: &[Facts<'_>]) -> Vec<LongDrain> {
    let drains = all.iter().flat_map(|facts| {
        let begun = facts.application.instances.iter().filter(|record| record.active.is_some());
        begun.filter_map(move |record| Some((facts, record, facts.draining(record)?.length())))
    });
    let mut drains: Vec<_> = drains.collect();
    drains.sort_by_key(|(_, record, length)| (std::cmp::Reverse(*length), record.id));
    let listed = drains.into_iter().take(LISTED);
    let drain =
        |(facts, record, length): (&Facts<'_>, &crate::results::InstanceRecord, SimDuration)| LongDrain {
            instance: record.id,
            application: facts.application.id,
            length,
            done: record.removed.is_some(),
            hold: hold(facts, record),
        };
    listed.map(drain).collect()
}
