//! The contender `oracle`: not one plan but a search.
//!
//! With objectives, fleets of a fixed ladder are simulated, from the largest to smaller ones as long as the
//! objectives are kept under all seeds; the cheapest of those is taken. The ladder does not depend on the
//! objectives, and what keeps some keeps laxer ones too: with more slack the search goes as far or further, and so
//! never costs more. If not even the largest fleet keeps them, that one is shown. Without objectives there is
//! nothing to search for, and the scenario's own `load_per_instance` holds. Leaves out: a load for each pool of its
//! own.

use super::row::Row;
use super::runs::{Runs, threads};
use super::{CompareError, Contender, ORACLE};
use crate::scenario::{PolicySpec, Scenario};

/// Loads per instance: from fleets that are idle most of the time, in steps that become finer where fleets are
/// busy, to more than prompts and decodes that overlap can use.
const LADDER: [f64; 16] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.1, 2.5];

/// Loads that are tried at the same time.
const MAX_AT_ONCE: usize = 4;

const LOAD: &str = "load_per_instance";

/// How many plans a contender may need: one, unless it is an oracle with objectives.
pub(super) fn plan_count(contender: &Contender) -> usize {
    let is_search = |scenario: &Scenario| {
        let managers = scenario.applications.iter().filter_map(|application| application.scaling.as_ref());
        scenario.has_objectives() && managers.flat_map(|manager| &manager.policies).any(is_oracle)
    };
    let searches = contender.name == ORACLE && contender.scenarios.iter().all(is_search);
    if searches { LADDER.len() } else { 1 }
}

/// The row of the cheapest plan that keeps the objectives.
pub(super) fn search(
    contender: &Contender,
    runs: &Runs<'_, impl Fn(usize) + Sync>,
) -> Result<Row, CompareError> {
    // Processors are kept busy; what is simulated too far does not count, but overloaded fleets take long.
    let at_once = threads().div_ceil(contender.scenarios.len().max(1)).min(MAX_AT_ONCE);
    let rows = LADDER.chunks(at_once).flat_map(|loads| plans(contender, loads, runs));
    cheapest_kept(rows)
}

/// The rows of these loads.
fn plans(
    contender: &Contender,
    loads: &[f64],
    runs: &Runs<'_, impl Fn(usize) + Sync>,
) -> Vec<Result<Row, CompareError>> {
    let planned = |load: f64| contender.scenarios.iter().map(move |scenario| planning_for(load, scenario));
    let scenarios: Vec<Vec<Scenario>> = loads.iter().map(|&load| planned(load).collect()).collect();
    let groups: Vec<&[Scenario]> = scenarios.iter().map(Vec::as_slice).collect();
    let outcomes = loads.iter().zip(runs.simulate(&groups));
    let row = |(&load, outcome): (&f64, Result<Vec<_>, _>)| {
        outcome.map(|runs| Row { load_per_instance: Some(load), ..Row::of_runs(&contender.name, runs) })
    };
    outcomes.map(row).collect()
}

/// The cheapest of the rows before the first that does not keep the objectives; that one if it comes first.
fn cheapest_kept(rows: impl Iterator<Item = Result<Row, CompareError>>) -> Result<Row, CompareError> {
    let mut best: Option<Row> = None;
    for row in rows {
        let row = row?;
        match best {
            Some(best) if row.met != Some(true) => return Ok(best),
            None if row.met != Some(true) => return Ok(row),
            Some(cheaper) if cheaper.rank(&row).is_le() => best = Some(cheaper),
            _ => best = Some(row),
        }
    }
    Ok(best.expect("the ladder has rungs"))
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
    use super::super::{Figures, RequestFigures};
    use super::*;

    fn row(name: &str, met: bool, gpu_hours: f64) -> Row {
        let requests = RequestFigures { met: Some(met), ..RequestFigures::default() };
        let run = Figures { requests, gpu_hours, ..Figures::default() };
        Row::new(name, &[run])
    }

    fn taken(rows: &[Row]) -> String {
        cheapest_kept(rows.iter().cloned().map(Ok)).unwrap().name
    }

    #[test]
    fn the_cheapest_is_taken_up_to_the_first_that_does_not_keep_the_objectives() {
        let rows = [
            row("large", true, 4.0),
            row("small", true, 2.0),
            row("slow", true, 3.0),
            row("too small", false, 1.0),
            row("lucky", true, 0.5),
        ];
        assert_eq!(taken(&rows), "small");
        assert_eq!(taken(&rows[..1]), "large");
    }

    #[test]
    fn if_none_keeps_them_the_largest_fleet_is_shown() {
        assert_eq!(taken(&[row("large", false, 4.0), row("small", false, 2.0)]), "large");
    }
}
