//! Decisions, scripted actions, the scaling log and further facts, as columns.

use serde::Serialize;

use crate::ids::{ApplicationId, InstanceId};
use crate::report::FinishedRun;
use crate::report::series::{Pools, Rounded, Values};
use crate::results::ApplicationResults;
use crate::scaling::{DecisionRow, Limiter};
use crate::scenario::Operation;

/// Rows of decisions at most.
const DECISIONS: usize = 1_000;
/// Rows of the scaling log at most.
const LINES: usize = 2_000;
/// Rows of further facts at most.
const FACTS: usize = 1_000;

/// Decisions of policies.
#[derive(Debug, Default, Serialize)]
pub struct Decisions {
    n: Vec<usize>,
    application: Vec<u32>,
    time: Values,
    policy: Vec<&'static str>,
    pool: Vec<Option<usize>>,
    active: Vec<Option<u32>>,
    starting: Vec<Option<u32>>,
    draining: Vec<Option<u32>>,
    inputs: Vec<String>,
    raw: Values,
    limited_by: Vec<&'static str>,
    wanted: Vec<Option<u32>>,
    reason: Vec<String>,
    outcome: Vec<String>,
}

impl Decisions {
    /// The decisions by time, and how many there are: of too many those with an effect are kept first.
    pub fn of(run: &FinishedRun, pools: &Pools) -> (Self, usize) {
        let applications = run.results.applications.iter();
        let mut all: Vec<(ApplicationId, usize, &DecisionRow)> = applications
            .flat_map(|application| {
                let rows = application.decisions.iter().enumerate();
                rows.map(|(index, row)| (application.id, index + 1, row))
            })
            .collect();
        let total = all.len();
        if total > DECISIONS {
            all.sort_by_key(|(_, _, row)| row.outcome == "held");
            all.truncate(DECISIONS);
        }
        all.sort_by_key(|(application, n, row)| (row.time, *application, *n));
        let mut columns = Decisions::default();
        all.into_iter().for_each(|row| columns.push(row, pools));
        (columns, total)
    }

    fn push(&mut self, (application, n, row): (ApplicationId, usize, &DecisionRow), pools: &Pools) {
        self.n.push(n);
        self.application.push(application.0);
        self.time.0.push(Some(row.time.as_secs_f64()));
        self.policy.push(row.policy);
        self.pool.push(row.pool.and_then(|pool| pools.place(application, pool.tag)));
        self.active.push(row.pool.map(|pool| pool.active));
        self.starting.push(row.pool.map(|pool| pool.starting));
        self.draining.push(row.pool.map(|pool| pool.draining));
        self.inputs.push(row.inputs.clone());
        self.raw.0.push(row.raw);
        self.limited_by.push(row.limited_by.map_or("", Limiter::name));
        self.wanted.push(row.wanted);
        self.reason.push(row.reason.clone());
        self.outcome.push(row.outcome.clone());
    }
}

/// The scenario's script.
#[derive(Debug, Default, Serialize)]
pub struct Actions {
    n: Vec<usize>,
    time: Vec<Rounded>,
    text: Vec<String>,
}

impl Actions {
    /// All of it, as far as the log is shown.
    pub fn of(run: &FinishedRun) -> Self {
        let mut columns = Actions::default();
        for (index, action) in run.scenario.actions.iter().enumerate().take(LINES) {
            columns.n.push(index + 1);
            columns.time.push(Rounded(action.at.as_secs_f64()));
            columns.text.push(words(&action.operation));
        }
        columns
    }
}

/// An operation in words.
fn words(operation: &Operation) -> String {
    let list = |instances: &[InstanceId]| {
        let shown: Vec<_> = instances.iter().take(20).map(ToString::to_string).collect();
        let more = if instances.len() > shown.len() { ", …" } else { "" };
        shown.join(", ") + more
    };
    let of = |tag: &Option<crate::ids::Tag>| tag.map_or(String::new(), |tag| format!(" {tag}"));
    let on = |sku: &Option<String>| sku.as_ref().map_or(String::new(), |sku| format!(" on {sku}"));
    match operation {
        Operation::ScaleUpFull { count, tag, server_sku } => {
            format!("scale_up_full: {count}{}{}", of(tag), on(server_sku))
        }
        Operation::ScaleDownFull { instances } => format!("scale_down_full: {}", list(instances)),
        Operation::ScaleUpServer { server_sku, count } => {
            format!("scale_up_server: {count}{}", on(server_sku))
        }
        Operation::ScaleUpInstance { server, tag, .. } => {
            format!("scale_up_instance:{} on server {server}", of(tag))
        }
        Operation::ScaleDownInstance { instances } => format!("scale_down_instance: {}", list(instances)),
        Operation::ScaleDownServer { server } => format!("scale_down_server: {server}"),
    }
}

/// The scaling log.
#[derive(Debug, Default, Serialize)]
pub struct Log {
    application: Vec<u32>,
    time: Vec<Rounded>,
    action: Vec<&'static str>,
    target: Vec<String>,
    status: Vec<&'static str>,
}

impl Log {
    /// The first lines of every application, and how many there are.
    pub fn of(run: &FinishedRun) -> (Self, usize) {
        let mut columns = Log::default();
        let total = each(
            run,
            |application| &application.scaling_log,
            LINES,
            |application, line| {
                columns.application.push(application.0);
                columns.time.push(Rounded(line.time.as_secs_f64()));
                columns.action.push(line.action);
                columns.target.push(line.target.clone());
                columns.status.push(line.status);
            },
        );
        (columns, total)
    }
}

/// Refusals, time-outs and other facts.
#[derive(Debug, Default, Serialize)]
pub struct Events {
    application: Vec<u32>,
    time: Vec<Rounded>,
    event: Vec<&'static str>,
    target: Vec<String>,
    detail: Vec<String>,
}

impl Events {
    /// The first of every application, and how many there are.
    pub fn of(run: &FinishedRun) -> (Self, usize) {
        let mut columns = Events::default();
        let total = each(
            run,
            |application| &application.scaling_events,
            FACTS,
            |application, fact| {
                columns.application.push(application.0);
                columns.time.push(Rounded(fact.time.as_secs_f64()));
                columns.event.push(fact.event);
                columns.target.push(fact.target.clone());
                columns.detail.push(fact.detail.clone());
            },
        );
        (columns, total)
    }
}

/// Hands the first rows of every application to `push`, `limit` in all; how many there are.
fn each<'r, T: 'r>(
    run: &'r FinishedRun,
    rows: impl Fn(&'r ApplicationResults) -> &'r Vec<T>,
    limit: usize,
    mut push: impl FnMut(ApplicationId, &'r T),
) -> usize {
    let share = limit / run.results.applications.len().max(1);
    let mut total = 0;
    for application in &run.results.applications {
        let rows = rows(application);
        rows.iter().take(share).for_each(|row| push(application.id, row));
        total += rows.len();
    }
    total
}
