//! `lifecycle/{app}_servers.csv`: the time of every server in the cluster, by id. Times are seconds of the
//! run; `removed_s` is empty for one that stayed. Power is watts for the whole server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::scanner::Scanner;
use super::table::Table;
use super::{ApplicationResults, ReadError, WriteError};
use crate::ids::ApplicationId;
use crate::results::ServerRecord;
use crate::results::format::{OrEmpty, Seconds, seconds_or_empty};
use crate::scenario::{GpuSpec, Sku};

const HEADER: [&str; 10] = [
    "id",
    "sku",
    "gpu",
    "gpus",
    "gpu_memory_bytes",
    "idle_power_w",
    "busy_power_w",
    "usd_per_gpu_h",
    "created_s",
    "removed_s",
];

fn path(directory: &Path, application: ApplicationId) -> PathBuf {
    directory.join(format!("lifecycle/{application}_servers.csv"))
}

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let mut table = Table::create(&path(directory, application.id), HEADER)?;
    for ServerRecord { id, sku, created, removed } in &application.servers {
        table.row(&[
            id,
            &sku.name,
            &sku.gpu.name,
            &sku.gpus,
            &sku.gpu.memory_bytes,
            &sku.idle_power_w,
            &OrEmpty(sku.busy_power_w),
            &OrEmpty(sku.usd_per_gpu_h),
            &Seconds::from(*created),
            &seconds_or_empty(*removed),
        ])?;
    }
    table.finish()
}

/// Reads the file back.
pub fn read(directory: &Path, application: ApplicationId) -> Result<Vec<ServerRecord>, ReadError> {
    Scanner::open(&path(directory, application), &HEADER)?.rows(|row| {
        let (id, name, gpu_name) = (row.next()?, row.next()?, row.next()?);
        let (gpus, memory_bytes) = (row.next()?, row.next()?);
        let gpu = GpuSpec { name: gpu_name, memory_bytes, sheet: None };
        let (idle_power_w, busy_power_w, usd_per_gpu_h) = (row.next()?, row.next()?, row.next()?);
        let sku = Arc::new(Sku { name, gpu, gpus, idle_power_w, busy_power_w, usd_per_gpu_h });
        Ok(ServerRecord { id, sku, created: row.next()?, removed: row.next()? })
    })
}
