//! `detailed/{app}_alloc.csv`: how busy each instance was, by id, removed ones included.
//!
//! Utilisation is the time with a batch running over the time the instance existed (from its creation
//! to its removal or the end of the run); 0 for an instance that existed for no time.

use std::path::Path;

use ebbflow_actors::SimTime;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::results::InstanceRecord;

pub fn write(directory: &Path, application: &ApplicationResults, end: SimTime) -> Result<(), WriteError> {
    let path = directory.join(format!("detailed/{}_alloc.csv", application.id));
    let mut table = Table::create(&path, ["instance_names", "utilizations"])?;
    for instance in &application.instances {
        table.row(&[&instance.gpu, &utilization(instance, end)])?;
    }
    table.finish()
}

fn utilization(instance: &InstanceRecord, end: SimTime) -> f64 {
    let until = instance.removed.unwrap_or(end);
    if until <= instance.created {
        return 0.0;
    }
    instance.busy.as_secs_f64() / (until - instance.created).as_secs_f64()
}
