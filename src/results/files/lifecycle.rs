//! `lifecycle/{app}.csv`: the life of every instance, by id. Times are seconds of the run; a field is
//! empty where the instance never got so far. `busy_s` is the time it had a batch running; what its
//! iterations took, by phase, is in the last four columns.

use std::path::{Path, PathBuf};

use super::scanner::Scanner;
use super::table::Table;
use super::{ApplicationResults, ReadError, WriteError};
use crate::ids::ApplicationId;
use crate::instance::{Phase, Phases};
use crate::results::InstanceRecord;
use crate::results::format::{OrEmpty, Seconds, seconds_or_empty};

const HEADER: [&str; 17] = [
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
    "prefill_s",
    "decode_s",
    "prefill_j",
    "decode_j",
];

fn path(directory: &Path, application: ApplicationId) -> PathBuf {
    directory.join(format!("lifecycle/{application}.csv"))
}

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let mut table = Table::create(&path(directory, application.id), HEADER)?;
    for instance in &application.instances {
        row(&mut table, instance)?;
    }
    table.finish()
}

fn row(table: &mut Table, instance: &InstanceRecord) -> Result<(), WriteError> {
    let Phases { prefill, decode } = instance.phases;
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
        &Seconds::from(prefill.time),
        &Seconds::from(decode.time),
        &OrEmpty(prefill.energy_j),
        &OrEmpty(decode.energy_j),
    ])
}

/// Reads the file back.
pub fn read(directory: &Path, application: ApplicationId) -> Result<Vec<InstanceRecord>, ReadError> {
    Scanner::open(&path(directory, application), &HEADER)?.rows(|row| {
        let (id, server, sku, gpu) = (row.next()?, row.next()?, row.next()?, row.next()?);
        let _gpus: u32 = row.next()?;
        let processors = row.read_with("numbers of GPUs", |text| {
            text.split_whitespace().map(|number| number.parse().ok()).collect()
        })?;
        let (tag, created, active) = (row.next()?, row.next()?, row.next()?);
        let (draining, removed, busy, tasks_completed) = (row.next()?, row.next()?, row.next()?, row.next()?);
        let (prefill, decode) = (row.next()?, row.next()?);
        let phase = |time, energy_j| Phase { time, energy_j };
        let phases = Phases { prefill: phase(prefill, row.next()?), decode: phase(decode, row.next()?) };
        Ok(InstanceRecord {
            id,
            server,
            sku,
            gpu,
            processors,
            tag,
            created,
            active,
            draining,
            removed,
            busy,
            tasks_completed,
            engine: None,
            phases,
        })
    })
}
