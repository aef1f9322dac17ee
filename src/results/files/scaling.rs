//! `scaling/{app}.csv`, the log of scaling operations in the form `time,action,target,status`, and
//! `scaling/{app}_events.csv`, the reasons that log has no room for, and `scaling/{app}_decisions.csv`, what
//! policies decided: a row whenever what one wants, or what limits it, changes. All by time.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::ids::Tag;
use crate::results::format::{OrEmpty, Seconds};
use crate::scaling::{Limiter, PoolCount};

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    write_log(directory, application)?;
    write_events(directory, application)?;
    if application.decisions.is_empty() { Ok(()) } else { write_decisions(directory, application) }
}

const DECISION_COLUMNS: [&str; 12] = [
    "time",
    "policy",
    "pool",
    "active",
    "starting",
    "draining",
    "inputs",
    "raw",
    "limited_by",
    "wanted",
    "reason",
    "outcome",
];

fn write_decisions(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let path = directory.join(format!("scaling/{}_decisions.csv", application.id));
    let mut table = Table::create(&path, DECISION_COLUMNS)?;
    for row in &application.decisions {
        let pool = row.pool;
        let count = |of: fn(&PoolCount) -> u32| pool.as_ref().map(of);
        table.row(&[
            &Seconds::from(row.time),
            &row.policy,
            &pool.and_then(|pool| pool.tag).map_or("", Tag::name),
            &OrEmpty(count(|pool| pool.active)),
            &OrEmpty(count(|pool| pool.starting)),
            &OrEmpty(count(|pool| pool.draining)),
            &row.inputs,
            &OrEmpty(row.raw),
            &row.limited_by.map_or("", Limiter::name),
            &OrEmpty(row.wanted),
            &row.reason,
            &row.outcome,
        ])?;
    }
    table.finish()
}

fn write_log(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let path = directory.join(format!("scaling/{}.csv", application.id));
    let mut table = Table::create(&path, ["time", "action", "target", "status"])?;
    for line in &application.scaling_log {
        table.row(&[&Seconds::from(line.time), &line.action, &line.target, &line.status])?;
    }
    table.finish()
}

fn write_events(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let path = directory.join(format!("scaling/{}_events.csv", application.id));
    let mut table = Table::create(&path, ["time", "event", "target", "detail"])?;
    for event in &application.scaling_events {
        table.row(&[&Seconds::from(event.time), &event.event, &event.target, &event.detail])?;
    }
    table.finish()
}
