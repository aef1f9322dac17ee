//! Servers and instances with their dates and causes.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::ids::ApplicationId;
use crate::report::series::{Pools, Values};
use crate::report::{Cause, Causes, FinishedRun};
use crate::results::InstanceRecord;

/// Rows of instances at most.
const INSTANCES: usize = 10_000;

/// Servers that held an instance that is shown, or nothing, as columns.
#[derive(Debug, Default, Serialize)]
pub struct Servers {
    id: Vec<u32>,
    sku: Vec<usize>,
    gpus: Vec<u32>,
    created: Values,
    removed: Values,
}

/// Instances as columns.
#[derive(Debug, Default, Serialize)]
pub struct Instances {
    id: Vec<u32>,
    application: Vec<u32>,
    server: Vec<u32>,
    sku: Vec<usize>,
    gpus: Vec<u32>,
    pool: Vec<usize>,
    created: Values,
    active: Values,
    draining: Values,
    removed: Values,
    busy_s: Values,
    tasks: Vec<u64>,
    started_by: Vec<Option<String>>,
    drained_by: Vec<Option<String>>,
}

/// The names of all SKUs, by name.
pub fn skus(run: &FinishedRun) -> Vec<String> {
    let applications = &run.results.applications;
    let servers = applications.iter().flat_map(|application| &application.servers);
    let of_servers = servers.map(|server| server.sku.name.clone());
    let instances = applications.iter().flat_map(|application| &application.instances);
    let names: BTreeSet<String> = of_servers.chain(instances.map(|instance| instance.sku.clone())).collect();
    names.into_iter().collect()
}

fn place(skus: &[String], name: &str) -> usize {
    skus.iter().position(|known| known == name).unwrap_or_default()
}

impl Servers {
    /// At most as many as there are rows of instances.
    pub fn of(run: &FinishedRun, skus: &[String]) -> Self {
        let mut columns = Servers::default();
        let servers = run.results.applications.iter().flat_map(|application| &application.servers);
        for server in servers.take(INSTANCES) {
            columns.id.push(server.id.0);
            columns.sku.push(place(skus, &server.sku.name));
            columns.gpus.push(server.sku.gpus);
            columns.created.0.push(Some(server.created.as_secs_f64()));
            columns.removed.0.push(server.removed.map(|time| time.as_secs_f64()));
        }
        columns
    }
}

impl Instances {
    /// The instances, and how many there are: of too many those that came or went are kept first.
    pub fn of(run: &FinishedRun, pools: &Pools, skus: &[String], causes: &Causes) -> (Self, usize) {
        let applications = run.results.applications.iter();
        let mut all: Vec<(ApplicationId, &InstanceRecord)> = applications
            .flat_map(|application| application.instances.iter().map(|instance| (application.id, instance)))
            .collect();
        let total = all.len();
        if total > INSTANCES {
            all.sort_by_key(|(_, instance)| {
                let stayed =
                    instance.created.as_nanos() == 0 && instance.draining.or(instance.removed).is_none();
                (stayed, instance.id)
            });
            all.truncate(INSTANCES);
            all.sort_by_key(|(application, instance)| (*application, instance.id));
        }
        let mut columns = Instances::default();
        for (application, instance) in all {
            columns.push(application, instance, (pools, skus, causes));
        }
        (columns, total)
    }

    fn push(
        &mut self,
        application: ApplicationId,
        instance: &InstanceRecord,
        (pools, skus, causes): (&Pools, &[String], &Causes),
    ) {
        let seconds = |time: Option<ebbflow_actors::SimTime>| time.map(|time| time.as_secs_f64());
        self.id.push(instance.id.0);
        self.application.push(application.0);
        self.server.push(instance.server.0);
        self.sku.push(place(skus, &instance.sku));
        self.gpus.push(instance.gpus());
        self.pool.push(pools.place(application, instance.tag).unwrap_or_default());
        self.created.0.push(Some(instance.created.as_secs_f64()));
        self.active.0.push(seconds(instance.active));
        self.draining.0.push(seconds(instance.draining));
        self.removed.0.push(seconds(instance.removed));
        self.busy_s.0.push(Some(instance.busy.as_secs_f64()));
        self.tasks.push(instance.tasks_completed);
        self.started_by.push(causes.of_start(application, instance.id).map(code));
        self.drained_by.push(causes.of_drain(application, instance.id).map(code));
    }
}

/// A cause in a few letters: `start`, `d12` (row 12 of the decisions), `a3` (the third action), `scheduler`.
fn code(cause: Cause) -> String {
    match cause {
        Cause::StartState => "start".to_owned(),
        Cause::Decision { row } => format!("d{row}"),
        Cause::Action { nth } => format!("a{nth}"),
        Cause::Scheduler => "scheduler".to_owned(),
    }
}
