//! Looking things up in the records of a run.

use ebbflow_actors::SimTime;

use super::NotThere;
use super::clock::Span;
use crate::ids::{ApplicationId, InstanceId, RequestId};
use crate::report::FinishedRun;
use crate::request::{Leg, Request};
use crate::results::{ApplicationResults, EndedRequest, InstanceRecord};

/// The records of one application, and the end of the run.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub run: &'a FinishedRun,
    pub application: &'a ApplicationResults,
}

/// The applications that may be meant.
pub fn applications(run: &FinishedRun, wanted: Option<ApplicationId>) -> Result<Vec<Facts<'_>>, NotThere> {
    let all = &run.results.applications;
    let meant = all.iter().filter(|application| wanted.is_none_or(|wanted| application.id == wanted));
    let facts: Vec<Facts<'_>> = meant.map(|application| Facts { run, application }).collect();
    match wanted {
        Some(wanted) if facts.is_empty() => {
            let known: Vec<String> = all.iter().map(|application| application.id.to_string()).collect();
            Err(NotThere::Application { wanted, known: known.join(", ") })
        }
        _ => Ok(facts),
    }
}

/// How many numbers are named to somebody who asked for one that is not there.
const NAMED: usize = 3;

/// Says which numbers there are, when there is no `wanted`.
pub fn nearest(what: &'static str, wanted: u64, all: impl Iterator<Item = u64>) -> NotThere {
    let mut all: Vec<u64> = all.collect();
    all.sort_unstable();
    all.dedup();
    let known = match all.as_slice() {
        [] => format!("it has no {what}s"),
        [only] => format!("the only one is {only}"),
        [first, .., last] => {
            let (count, mut near) = (all.len(), all.clone());
            near.sort_by_key(|number| number.abs_diff(wanted));
            let near: Vec<String> = near.iter().take(NAMED).map(u64::to_string).collect();
            format!("its {count} {what}s go from {first} to {last}; the nearest are {}", near.join(", "))
        }
    };
    NotThere::Number { what, wanted, known }
}

impl<'a> Facts<'a> {
    /// When the run ended.
    pub fn end(&self) -> SimTime {
        self.run.results.end
    }

    /// The requests with this name: normally one.
    pub fn requests_named(&self, id: RequestId) -> impl Iterator<Item = &'a EndedRequest> {
        self.application.requests.iter().filter(move |ended| ended.request.id == id)
    }

    /// The record of an instance.
    pub fn instance(&self, id: InstanceId) -> Option<&'a InstanceRecord> {
        let instances = &self.application.instances;
        instances.binary_search_by_key(&id, |instance| instance.id).ok().map(|place| &instances[place])
    }

    /// Legs of one kind on an instance, with their requests. A leg keeps the first start and the last end, so
    /// one that a drain sent elsewhere ends here when the instance left.
    pub fn legs(
        &self,
        instance: InstanceId,
        of: fn(&Request) -> Option<Leg>,
    ) -> impl Iterator<Item = (&'a Request, Span)> + use<'a> {
        let end = self.end();
        let left = self.instance(instance).and_then(|record| record.removed).unwrap_or(end);
        self.application.requests.iter().filter_map(move |ended| {
            let leg = of(&ended.request).filter(|leg| leg.instance == instance)?;
            Some((ended.request.as_ref(), Span::new(leg.start, leg.end.unwrap_or(end).min(left))))
        })
    }

    /// While an instance was serving.
    pub fn active(&self, instance: &InstanceRecord) -> Option<Span> {
        let until = instance.draining.or(instance.removed).unwrap_or(self.end());
        instance.active.filter(|&active| active < until).map(|active| Span::new(active, until))
    }

    /// While it was starting.
    pub fn starting(&self, instance: &InstanceRecord) -> Span {
        let until = instance.active.or(instance.draining).or(instance.removed);
        Span::new(instance.created, until.unwrap_or(self.end()))
    }

    /// While it was draining.
    pub fn draining(&self, instance: &InstanceRecord) -> Option<Span> {
        Some(Span::new(instance.draining?, instance.removed.unwrap_or(self.end())))
    }
}

/// The prompt task.
pub fn prefill(request: &Request) -> Option<Leg> {
    request.journal.prefill
}

/// The token task.
pub fn decode(request: &Request) -> Option<Leg> {
    request.journal.decode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_number_that_is_not_there_hears_which_are() {
        let said = nearest("instance", 7, [3, 9, 1, 40].into_iter()).to_string();
        assert_eq!(
            said,
            "there is no instance 7 in the run; its 4 instances go from 1 to 40; the nearest are 9, 3, 1"
        );
        assert!(nearest("decision", 1, std::iter::empty()).to_string().ends_with("it has no decisions"));
    }
}
