//! `request_nodes.csv`: start and end of every prompt task (node 0), token task (1) and KV-cache
//! transfer (2) of the completed requests, in order of completion. A request of one output token has no
//! token task; one that stayed on its instance has no transfer.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::request::{Leg, Request};
use crate::results::format::{Seconds, seconds_or_empty};

const HEADER: [&str; 7] = [
    "request_id",
    "request_type",
    "node_id",
    "node_type",
    "runner",
    "start_timestamp",
    "completion_timestamp",
];

pub fn write(directory: &Path, applications: &[ApplicationResults]) -> Result<(), WriteError> {
    let mut table = Table::create(&directory.join("request_nodes.csv"), HEADER)?;
    for request in in_order_of_completion(applications) {
        let runner = |leg: &Leg| format!("{}_{}", leg.gpu.name(), leg.instance);
        let journal = &request.journal;
        if let Some(leg) = &journal.prefill {
            node(&mut table, request, (0, "PROMPT"), &runner(leg), leg)?;
        }
        if let Some(leg) = &journal.decode {
            node(&mut table, request, (1, "TOKEN"), &runner(leg), leg)?;
        }
        if let Some(leg) = &journal.transfer {
            node(&mut table, request, (2, "KVCacheTransfer"), "DummyLink", leg)?;
        }
    }
    table.finish()
}

fn in_order_of_completion(applications: &[ApplicationResults]) -> Vec<&Request> {
    let mut completed: Vec<_> = applications.iter().flat_map(|application| application.completed()).collect();
    if applications.len() > 1 {
        completed.sort_by_key(|request| request.completion());
    }
    completed
}

fn node(
    table: &mut Table,
    request: &Request,
    (id, kind): (u32, &str),
    runner: &str,
    leg: &Leg,
) -> Result<(), WriteError> {
    let (start, end) = (Seconds::from(leg.start), seconds_or_empty(leg.end));
    table.row(&[&request.id, &request.request_type, &id, &kind, &runner, &start, &end])
}
