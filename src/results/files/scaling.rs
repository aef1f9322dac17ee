//! `scaling/{app}.csv`, the log of scaling operations in the form `time,action,target,status`, and
//! `scaling/{app}_events.csv`, the reasons that log has no room for, and `scaling/{app}_decisions.csv`, what
//! policies decided: a row whenever what one wants, or what limits it, changes. All by time.

use std::path::{Path, PathBuf};

use super::scanner::{Row, Scanner};
use super::table::Table;
use super::{ApplicationResults, ReadError, WriteError};
use crate::ids::{ApplicationId, Tag};
use crate::results::format::{OrEmpty, Seconds};
use crate::results::{ScalingEvent, ScalingLine};
use crate::scaling::{DecisionRow, Limiter, PoolCount};

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    write_log(directory, application)?;
    write_events(directory, application)?;
    if application.decisions.is_empty() { Ok(()) } else { write_decisions(directory, application) }
}

const LOG_COLUMNS: [&str; 4] = ["time", "action", "target", "status"];
const EVENT_COLUMNS: [&str; 4] = ["time", "event", "target", "detail"];
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

fn path(directory: &Path, application: ApplicationId, which: &str) -> PathBuf {
    directory.join(format!("scaling/{application}{which}.csv"))
}

fn write_decisions(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let mut table = Table::create(&path(directory, application.id, "_decisions"), DECISION_COLUMNS)?;
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
    let mut table = Table::create(&path(directory, application.id, ""), LOG_COLUMNS)?;
    for line in &application.scaling_log {
        table.row(&[&Seconds::from(line.time), &line.action, &line.target, &line.status])?;
    }
    table.finish()
}

fn write_events(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let mut table = Table::create(&path(directory, application.id, "_events"), EVENT_COLUMNS)?;
    for event in &application.scaling_events {
        table.row(&[&Seconds::from(event.time), &event.event, &event.target, &event.detail])?;
    }
    table.finish()
}

/// Whether the application has a scaling log.
pub fn exists(directory: &Path, application: ApplicationId) -> bool {
    path(directory, application, "").exists()
}

/// Reads the scaling log back.
pub fn read_log(directory: &Path, application: ApplicationId) -> Result<Vec<ScalingLine>, ReadError> {
    scan(&path(directory, application, ""), &LOG_COLUMNS, |row| {
        let (time, action, target) = (row.next()?, row.word()?, row.next()?);
        Ok(ScalingLine { time, action, target, status: row.word()? })
    })
}

/// Reads the further facts back.
pub fn read_events(directory: &Path, application: ApplicationId) -> Result<Vec<ScalingEvent>, ReadError> {
    scan(&path(directory, application, "_events"), &EVENT_COLUMNS, |row| {
        let (time, event, target) = (row.next()?, row.word()?, row.next()?);
        Ok(ScalingEvent { time, event, target, detail: row.next()? })
    })
}

/// Reads the decisions back. Of a decision about a fleet without tags and one about no pool, the first
/// has counts.
pub fn read_decisions(directory: &Path, application: ApplicationId) -> Result<Vec<DecisionRow>, ReadError> {
    scan(&path(directory, application, "_decisions"), &DECISION_COLUMNS, |row| {
        let (time, policy, tag) = (row.next()?, row.word()?, row.next()?);
        let (active, starting, draining) = (row.next::<Option<u32>>()?, row.next()?, row.next()?);
        let pool = active.zip(starting).zip(draining).map(|((active, starting), draining)| PoolCount {
            tag,
            active,
            starting,
            draining,
        });
        Ok(DecisionRow {
            time,
            policy,
            pool,
            inputs: row.next()?,
            raw: row.next()?,
            limited_by: row.next()?,
            wanted: row.next()?,
            reason: row.next()?,
            outcome: row.next()?,
        })
    })
}

/// The rows of a file; none if there is no such file.
fn scan<T>(
    path: &Path,
    header: &'static [&'static str],
    read: impl FnMut(&mut Row<'_>) -> Result<T, super::scanner::CellError>,
) -> Result<Vec<T>, ReadError> {
    if path.exists() { Scanner::open(path, header)?.rows(read) } else { Ok(Vec::new()) }
}
