//! `instances/{app}/{id}.csv`, with `debug`: a row per run of contiguous iterations of an instance, in
//! the ancestor's columns. Memory is bytes with the weights included, times are seconds. An untagged
//! instance has the tag `None`, as there.

use std::path::{Path, PathBuf};

use super::scanner::Scanner;
use super::table::Table;
use super::{ApplicationResults, ReadError, WriteError, create_folder};
use crate::ids::{ApplicationId, InstanceId, Tag};
use crate::results::IterationRow;
use crate::results::format::{OrEmpty, Seconds};

const HEADER: [&str; 16] = [
    "name",
    "tag",
    "iteration_start",
    "iteration_end",
    "batch_size",
    "prompt_tasks_in_batch",
    "memory",
    "pending_requests",
    "pending_tasks",
    "blocked_tasks",
    "pending_prompts",
    "earliest_request_id",
    "memory_allocs_size",
    "num_contiguous_iterations",
    "batch_tokens",
    "pending_tokens",
];

fn folder(directory: &Path, application: ApplicationId) -> PathBuf {
    directory.join(format!("instances/{application}"))
}

fn path(directory: &Path, application: ApplicationId, instance: InstanceId) -> PathBuf {
    folder(directory, application).join(format!("{instance}.csv"))
}

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    create_folder(&folder(directory, application.id))?;
    for instance in &application.instances {
        let mut table = Table::create(&path(directory, application.id, instance.id), HEADER)?;
        let name = application.instance_name(instance.id);
        let rows = &application.iterations;
        let first = rows.partition_point(|row| row.instance < instance.id);
        for iteration in rows[first..].iter().take_while(|row| row.instance == instance.id) {
            row(&mut table, &name, iteration)?;
        }
        table.finish()?;
    }
    Ok(())
}

fn row(table: &mut Table, name: &str, iteration: &IterationRow) -> Result<(), WriteError> {
    table.row(&[
        &name,
        &iteration.tag.map_or("None", |tag| tag.name()),
        &Seconds::from(iteration.start),
        &Seconds::from(iteration.end),
        &iteration.batch_size,
        &iteration.prompt_tasks,
        &iteration.memory_bytes,
        &iteration.pending_requests,
        &iteration.pending_tasks,
        &iteration.blocked_tasks,
        &iteration.pending_prompts,
        &OrEmpty(iteration.earliest_request),
        &iteration.memory_allocations,
        &iteration.iterations,
        &iteration.batch_tokens,
        &iteration.pending_tokens,
    ])
}

/// Reads the files of these instances back, in this order; nothing if the run has none.
pub fn read(
    directory: &Path,
    application: ApplicationId,
    instances: impl Iterator<Item = InstanceId>,
) -> Result<Vec<IterationRow>, ReadError> {
    let mut rows = Vec::new();
    if !folder(directory, application).exists() {
        return Ok(rows);
    }
    for instance in instances {
        let scanner = Scanner::open(&path(directory, application, instance), &HEADER)?;
        rows.append(&mut scanner.rows(|row| {
            row.text()?;
            let tag = row.read_with("prompt, token, mixed or None", |text| match text {
                "None" => Some(None),
                tag => Tag::parse(tag).map(Some),
            })?;
            Ok(IterationRow {
                instance,
                tag,
                start: row.next()?,
                end: row.next()?,
                batch_size: row.next()?,
                prompt_tasks: row.next()?,
                memory_bytes: row.next()?,
                pending_requests: row.next()?,
                pending_tasks: row.next()?,
                blocked_tasks: row.next()?,
                pending_prompts: row.next()?,
                earliest_request: row.next()?,
                memory_allocations: row.next()?,
                iterations: row.next()?,
                batch_tokens: row.next()?,
                pending_tokens: row.next()?,
            })
        })?);
    }
    Ok(rows)
}
