//! `scaling/{app}.csv`, the log of scaling operations in the form `time,action,target,status`, and
//! `scaling/{app}_events.csv`, the reasons that log has no room for. Both by time.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::results::format::Seconds;

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    write_log(directory, application)?;
    write_events(directory, application)
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
