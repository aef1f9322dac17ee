//! `instances/{app}/{id}.csv`, with `debug`: a row per run of contiguous iterations of an instance, in
//! the ancestor's columns. Memory is bytes with the weights included, times are seconds. An untagged
//! instance has the tag `None`, as there.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError, create_folder};
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

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let folder = directory.join(format!("instances/{}", application.id));
    create_folder(&folder)?;
    for instance in &application.instances {
        let mut table = Table::create(&folder.join(format!("{}.csv", instance.id)), HEADER)?;
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
