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
    starts: BTreeMap<InstanceId, Cause>,
    drains: BTreeMap<InstanceId, Cause>,
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
    pub fn of_start(&self, instance: InstanceId) -> Option<Cause> {
        self.starts.get(&instance).copied()
    }

    /// What ended it, be it by a drain or by a start that was cancelled; none if nothing did.
    pub fn of_drain(&self, instance: InstanceId) -> Option<Cause> {
        self.drains.get(&instance).copied()
    }

    fn find(&mut self, application: &ApplicationResults, actions: &[Action]) {
        for (index, decision) in application.decisions.iter().enumerate() {
            let cause = Cause::Decision { row: index + 1 };
            for (deed, instance) in deeds(&decision.outcome) {
                let causes = if deed == Deed::Started { &mut self.starts } else { &mut self.drains };
                causes.insert(instance, cause);
            }
        }
        let script = Script { application: application.id, actions };
        for instance in &application.instances {
            self.find_without_policy(instance, &script);
        }
    }

    fn find_without_policy(&mut self, instance: &InstanceRecord, script: &Script<'_>) {
        let from_the_start = instance.created == SimTime::ZERO && instance.active == Some(SimTime::ZERO);
        let start = script.action_at(instance.created, Script::starts).unwrap_or(Cause::Scheduler);
        let start = if from_the_start { Cause::StartState } else { start };
        self.starts.entry(instance.id).or_insert(start);
        if let Some(end) = instance.draining.or(instance.removed) {
            let ends = |operation: &Operation| Script::ends(operation, instance.id);
            let cause = script.action_at(end, ends).unwrap_or(Cause::Scheduler);
            self.drains.entry(instance.id).or_insert(cause);
        }
    }
}

/// The scripted actions of one application.
struct Script<'a> {
    application: ApplicationId,
    actions: &'a [Action],
}

impl Script<'_> {
    fn action_at(&self, time: SimTime, is_it: impl Fn(&Operation) -> bool) -> Option<Cause> {
        let own = |action: &Action| action.application == self.application && action.at == time;
        let nth = self.actions.iter().position(|action| own(action) && is_it(&action.operation))?;
        Some(Cause::Action { nth: nth + 1 })
    }

    fn starts(operation: &Operation) -> bool {
        matches!(operation, Operation::ScaleUpFull { .. } | Operation::ScaleUpInstance { .. })
    }

    fn ends(operation: &Operation, instance: InstanceId) -> bool {
        match operation {
            Operation::ScaleDownFull { instances } | Operation::ScaleDownInstance { instances } => {
                instances.contains(&instance)
            }
            _ => false,
        }
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
    fn an_outcome_names_whom_it_started_and_ended() {
        let found: Vec<_> =
            deeds("started 7 8; cancelled 9; drains 3; refused 2: 4 servers, no more").collect();
        let expected = [(Deed::Started, 7), (Deed::Started, 8), (Deed::Ended, 9), (Deed::Ended, 3)];
        assert_eq!(found, expected.map(|(deed, id)| (deed, InstanceId(id))));
        assert_eq!(deeds("held").count(), 0);
        assert_eq!(deeds("refused 1: no server").count(), 0);
    }
}
