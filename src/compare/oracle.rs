//! The contender `oracle`: not one run but a search.
//!
//! With objectives, its plan is simulated for every `load_per_instance` of a fixed ladder, and the cheapest that
//! keeps the objectives under all seeds is taken. What is on the ladder does not depend on the objectives, and what
//! keeps some keeps laxer ones too: so more slack never costs more. If none keeps them, the one that serves the
//! most requests within all limits is taken. Without objectives there is nothing to search for, and the scenario's
//! own load per instance holds. Leaves out: a load for each pool of its own.

use std::cmp::Ordering;

use super::row::Row;
use super::{Contender, ORACLE};
use crate::scenario::{PolicySpec, Scenario};

/// Loads that are tried, finest where busy fleets are: from more than prompts and decodes that overlap can use, to
/// fleets that are idle most of the time.
const LADDER: [f64; 16] = [2.5, 2.1, 1.75, 1.5, 1.25, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];

const LOAD: &str = "load_per_instance";

/// A contender as it is simulated: an oracle in several ways, everybody else as they are.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What an oracle plans for every instance.
    pub load_per_instance: Option<f64>,
    /// Once per seed.
    pub scenarios: Vec<Scenario>,
}

/// In how many ways a contender is simulated.
pub(super) fn plan_count(contender: &Contender) -> usize {
    ladder(contender).len().max(1)
}

/// All ways of a contender.
pub(super) fn plans(contender: &Contender) -> Vec<Plan> {
    let scenarios = &contender.scenarios;
    if ladder(contender).is_empty() {
        return vec![Plan { load_per_instance: None, scenarios: scenarios.clone() }];
    }
    let plan = |&load: &f64| Plan {
        load_per_instance: Some(load),
        scenarios: scenarios.iter().map(|scenario| planning_for(load, scenario)).collect(),
    };
    ladder(contender).iter().map(plan).collect()
}

/// The row of the plan to be taken.
pub(super) fn best(rows: Vec<Row>) -> Option<Row> {
    rows.into_iter().min_by(|a, b| {
        let kept = a.met == Some(true) && b.met == Some(true);
        let nearer = if kept { Ordering::Equal } else { attainment(b).total_cmp(&attainment(a)) };
        let kept_first = (b.met == Some(true)).cmp(&(a.met == Some(true)));
        kept_first.then(nearer).then_with(|| a.rank(b))
    })
}

fn attainment(row: &Row) -> f64 {
    row.mean("attainment").unwrap_or(0.0)
}

/// What there is to search: nothing but for an oracle with objectives.
fn ladder(contender: &Contender) -> &'static [f64] {
    let is_search = |scenario: &Scenario| {
        let managers = scenario.applications.iter().filter_map(|application| application.scaling.as_ref());
        scenario.slo.is_some() && managers.flat_map(|manager| &manager.policies).any(is_oracle)
    };
    if contender.name == ORACLE && contender.scenarios.iter().all(is_search) { &LADDER } else { &[] }
}

fn planning_for(load: f64, scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    let managers = scenario.applications.iter_mut().filter_map(|application| application.scaling.as_mut());
    for policy in managers.flat_map(|manager| &mut manager.policies).filter(|policy| is_oracle(policy)) {
        policy.settings = policy.settings.clone().with(LOAD, load);
    }
    scenario
}

/// Whether a policy is the oracle, and not somebody else's of that name with other parameters.
fn is_oracle(policy: &PolicySpec) -> bool {
    policy.name == ORACLE && policy.settings.iter().any(|(name, _)| name == LOAD)
}

#[cfg(test)]
mod tests {
    use super::super::Figures;
    use super::*;

    fn row(name: &str, met: bool, attainment: f64, gpu_hours: f64) -> Row {
        let run = Figures { met: Some(met), attainment: Some(attainment), gpu_hours, ..Figures::default() };
        Row::new(name, &[run])
    }

    #[test]
    fn the_cheapest_that_keeps_the_objectives_is_taken() {
        let rows = vec![
            row("too small", false, 0.9, 1.0),
            row("dear", true, 1.0, 3.0),
            row("cheap", true, 0.99, 2.0),
        ];
        assert_eq!(best(rows).unwrap().name, "cheap");
    }

    #[test]
    fn if_none_keeps_them_the_nearest_is_taken_and_of_these_the_cheapest() {
        let rows =
            vec![row("far", false, 0.5, 1.0), row("dear", false, 0.9, 3.0), row("near", false, 0.9, 2.0)];
        assert_eq!(best(rows).unwrap().name, "near");
        assert_eq!(best(Vec::new()), None);
    }
}
