//! `lifecycle/{app}.csv`: the life of every instance, by id. Times are seconds of the run; a field is
//! empty where the instance never got so far. `busy_s` is the time it had a batch running.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::results::InstanceRecord;
use crate::results::format::{OrEmpty, Seconds, seconds_or_empty};

const HEADER: [&str; 13] = [
    "id",
    "server",
    "sku",
    "gpu",
    "gpus",
    "processors",
    "tag",
    "created_s",
    "active_s",
    "draining_s",
    "removed_s",
    "busy_s",
    "tasks_completed",
];

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let path = directory.join(format!("lifecycle/{}.csv", application.id));
    let mut table = Table::create(&path, HEADER)?;
    for instance in &application.instances {
        row(&mut table, instance)?;
    }
    table.finish()
}

fn row(table: &mut Table, instance: &InstanceRecord) -> Result<(), WriteError> {
    let processors: Vec<String> = instance.processors.iter().map(u32::to_string).collect();
    table.row(&[
        &instance.id,
        &instance.server,
        &instance.sku,
        &instance.gpu,
        &instance.gpus(),
        &processors.join(" "),
        &OrEmpty(instance.tag),
        &Seconds::from(instance.created),
        &seconds_or_empty(instance.active),
        &seconds_or_empty(instance.draining),
        &seconds_or_empty(instance.removed),
        &Seconds::from(instance.busy),
        &instance.tasks_completed,
    ])
}
