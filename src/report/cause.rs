//! What brought an instance, and what let it go.
//!
//! A decision of a policy names the instances it started and drained; the scenario's script acts at times
//! it states; what is left was there from the beginning, or was asked for by the scheduler.

use std::collections::BTreeMap;

use ebbflow_actors::SimTime;

use super::FinishedRun;
use crate::ids::{ApplicationId, InstanceId};
use crate::results::{ApplicationResults, InstanceRecord};
use crate::scenario::{Action, Operation};

/// Why an instance came or went.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// It was there from the beginning.
    StartState,
    /// A decision of a policy.
    Decision {
        /// The row of `scaling/{app}_decisions.csv`, from 1.
        row: usize,
    },
    /// The scenario's script.
    Action {
        /// The entry of `actions`, from 1.
        nth: usize,
    },
    /// The scheduler asked for it.
    Scheduler,
}

/// The causes of everything that came and went in a run.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    starts: BTreeMap<(ApplicationId, InstanceId), Cause>,
    drains: BTreeMap<(ApplicationId, InstanceId), Cause>,
}

impl Causes {
    /// Finds them.
    pub fn of(run: &FinishedRun) -> Self {
        let mut causes = Causes::default();
        for application in &run.results.applications {
            causes.find(application, &run.scenario.actions);
        }
        causes
    }

    /// What brought an instance.
    pub fn of_start(&self, application: ApplicationId, instance: InstanceId) -> Option<Cause> {
        self.starts.get(&(application, instance)).copied()
    }

    /// What ended it, be it by a drain or by a start that was cancelled; none if nothing did.
    pub fn of_drain(&self, application: ApplicationId, instance: InstanceId) -> Option<Cause> {
        self.drains.get(&(application, instance)).copied()
    }

    fn find(&mut self, application: &ApplicationResults, actions: &[Action]) {
        for (index, decision) in application.decisions.iter().enumerate() {
            let cause = Cause::Decision { row: index + 1 };
            for (deed, instance) in deeds(&decision.outcome) {
                let causes = if deed == Deed::Started { &mut self.starts } else { &mut self.drains };
                causes.insert((application.id, instance), cause);
            }
        }
        let mut script = Script::new(application.id, actions);
        for instance in &application.instances {
            self.find_without_policy(instance, &mut script);
        }
    }

    fn find_without_policy(&mut self, instance: &InstanceRecord, script: &mut Script<'_>) {
        let from_the_start = instance.created == SimTime::ZERO && instance.active == Some(SimTime::ZERO);
        let who = (script.application, instance.id);
        self.starts.entry(who).or_insert_with(|| match from_the_start {
            true => Cause::StartState,
            false => script.that_started(instance).unwrap_or(Cause::Scheduler),
        });
        if let Some(end) = instance.draining.or(instance.removed) {
            let cause = || script.that_ended(instance.id, end).unwrap_or(Cause::Scheduler);
            self.drains.entry(who).or_insert_with(cause);
        }
    }
}

/// The scripted actions of one application.
struct Script<'a> {
    application: ApplicationId,
    actions: &'a [Action],
    /// How many instances each may still have started.
    starts_left: Vec<u32>,
}

impl<'a> Script<'a> {
    fn new(application: ApplicationId, actions: &'a [Action]) -> Self {
        let starts = |action: &Action| match action.operation {
            Operation::ScaleUpFull { count, .. } => count,
            Operation::ScaleUpInstance { .. } => 1,
            _ => 0,
        };
        Script { application, actions, starts_left: actions.iter().map(starts).collect() }
    }

    /// The action that started an instance: the first of its moment and its pool that has not started all its own.
    fn that_started(&mut self, instance: &InstanceRecord) -> Option<Cause> {
        let for_it = |operation: &Operation| match *operation {
            Operation::ScaleUpFull { tag, .. } => tag == instance.tag,
            Operation::ScaleUpInstance { server, tag, .. } => {
                (server, tag) == (instance.server, instance.tag)
            }
            _ => false,
        };
        let mut own = self.at(instance.created);
        let free = |(nth, action): &(usize, &Action)| self.starts_left[*nth] > 0 && for_it(&action.operation);
        let nth = own.find(free).map(|(nth, _)| nth)?;
        drop(own);
        self.starts_left[nth] -= 1;
        Some(Cause::Action { nth: nth + 1 })
    }

    /// The action that named an instance to be drained at a moment.
    fn that_ended(&self, instance: InstanceId, time: SimTime) -> Option<Cause> {
        let names_it = |action: &Action| match &action.operation {
            Operation::ScaleDownFull { instances } | Operation::ScaleDownInstance { instances } => {
                instances.contains(&instance)
            }
            _ => false,
        };
        let (nth, _) = self.at(time).find(|(_, action)| names_it(action))?;
        Some(Cause::Action { nth: nth + 1 })
    }

    fn at(&self, time: SimTime) -> impl Iterator<Item = (usize, &Action)> {
        let own = move |action: &Action| action.application == self.application && action.at == time;
        self.actions.iter().enumerate().filter(move |(_, action)| own(action))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Started,
    Ended,
}

/// What an outcome says was done, e.g. `started 7 8; drains 3; refused 1: …`.
fn deeds(outcome: &str) -> impl Iterator<Item = (Deed, InstanceId)> {
    outcome.split("; ").flat_map(|part| {
        let mut words = part.split(' ');
        let deed = match words.next() {
            Some("started") => Some(Deed::Started),
            Some("cancelled" | "drains") => Some(Deed::Ended),
            _ => None,
        };
        let instances = words.map_while(|word| word.parse().ok()).map(InstanceId);
        deed.into_iter().flat_map(move |deed| instances.clone().map(move |instance| (deed, instance)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_actions_at_the_same_moment_each_started_the_instances_of_its_pool() {
        let run = super::super::samples::run(&[]);
        let causes = Causes::of(&run);
        let started_by = |id| causes.of_start(ApplicationId(0), InstanceId(id));
        assert_eq!(started_by(0), Some(Cause::StartState));
        assert_eq!([4, 5].map(started_by), [Some(Cause::Action { nth: 1 }); 2]);
        assert_eq!([6, 7].map(started_by), [Some(Cause::Action { nth: 2 }); 2]);
        assert_eq!(started_by(8), Some(Cause::Action { nth: 4 }));
        assert_eq!(causes.of_drain(ApplicationId(0), InstanceId(6)), Some(Cause::Action { nth: 3 }));
        assert_eq!(causes.of_drain(ApplicationId(0), InstanceId(8)), None);
    }

    #[test]
    fn an_outcome_names_whom_it_started_and_ended() {
        let found: Vec<_> =
            deeds("started 7 8; cancelled 9; drains 3; refused 2: 4 servers, no more").collect();
        let expected = [(Deed::Started, 7), (Deed::Started, 8), (Deed::Ended, 9), (Deed::Ended, 3)];
        assert_eq!(found, expected.map(|(deed, id)| (deed, InstanceId(id))));
        assert_eq!(deeds("held").count(), 0);
        assert_eq!(deeds("refused 1: no server").count(), 0);
    }
}
