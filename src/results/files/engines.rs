//! `lifecycle/{app}_engines.csv`: what the engine of every instance counted, by instance. Only `vllm` counts, so the
//! file is there only with instances of that engine.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::ids::InstanceId;
use crate::instance::continuous::Statistics;
use crate::results::Latency;
use crate::results::engine::hit_rate;
use crate::results::format::OrEmpty;

const HEADER: [&str; 12] = [
    "id",
    "iterations",
    "preemptions",
    "prefix_queried_tokens",
    "prefix_hit_tokens",
    "prefix_hit_rate",
    "token_gaps",
    "token_gap_mean_s",
    "token_gap_p50_s",
    "token_gap_p90_s",
    "token_gap_p99_s",
    "token_gap_max_s",
];

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let instances = application.instances.iter();
    let mut counted =
        instances.filter_map(|instance| Some((instance.id, instance.engine.as_deref()?))).peekable();
    if counted.peek().is_none() {
        return Ok(());
    }
    let path = directory.join(format!("lifecycle/{}_engines.csv", application.id));
    let mut table = Table::create(&path, HEADER)?;
    for (id, statistics) in counted {
        row(&mut table, id, statistics)?;
    }
    table.finish()
}

fn row(table: &mut Table, id: InstanceId, statistics: &Statistics) -> Result<(), WriteError> {
    let Latency { mean, p50, p90, p99, max } = Latency::from(&statistics.gaps);
    table.row(&[
        &id,
        &statistics.iterations,
        &statistics.preemptions,
        &statistics.prefix_queried_tokens,
        &statistics.prefix_hit_tokens,
        &OrEmpty(hit_rate(statistics)),
        &statistics.gaps.count(),
        &OrEmpty(mean),
        &OrEmpty(p50),
        &OrEmpty(p90),
        &OrEmpty(p99),
        &OrEmpty(max),
    ])
}
