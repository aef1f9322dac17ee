//! Reads `cluster`: servers, interconnects, power budget, GPUs and SKUs of one's own.

use std::sync::Arc;

use super::context::Context;
use super::gpus::{self, OwnGpu};
use super::network;
use super::reader::{At, Keys};
use super::spec::{ClusterSpec, GpuSpec, Interconnect, ServerGroup, Sku};
use crate::cluster::{known_gpu, known_gpus, known_price, known_skus};

/// Idle draw of a server nobody described: the ancestor gives 2800 W to any of 8 GPUs but a dgx-a100.
const DEFAULT_IDLE_W_PER_GPU: f64 = 350.0;
/// More than any machine has, small enough that no sum of bytes overflows.
const MAX_GPUS: u32 = 1024;
const MAX_GPU_MEMORY_GIB: f64 = 1e6;
/// Servers of one group.
const MAX_SERVERS: u32 = 1_000_000;
const GIB: f64 = (1u64 << 30) as f64;

/// The cluster, or nothing when its servers cannot be told.
pub(super) fn read(at: &At<'_>, context: &Context<'_>) -> Option<ClusterSpec> {
    let keys = at.keys()?;
    let gpus = keys.get("gpus").map_or_else(Vec::new, |at| gpus::read(&at, context));
    let catalogue = read_catalogue(&keys, &gpus);
    let power_budget_w = keys.get("power_budget").and_then(|at| at.not_negative());
    let interconnects = keys.get("interconnects").and_then(|at| at.list()).unwrap_or_default();
    let interconnects = interconnects.iter().filter_map(read_interconnect).collect();
    let network_at = keys.get("network");
    let network = network_at.as_ref().and_then(|at| network::read(at, &catalogue));
    let servers = keys.need("servers").and_then(|at| at.filled_list());
    keys.finish();
    // Every group is read before the first failure counts, so that all problems are found.
    let groups: Vec<Option<ServerGroup>> = servers?.iter().map(|at| read_group(at, &catalogue)).collect();
    let servers = groups.into_iter().collect::<Option<Vec<_>>>()?;
    if let (Some(at), Some(network)) = (&network_at, &network) {
        network::note_unknown_links(at, network, &servers);
    }
    let gpus = gpus.into_iter().map(|gpu| gpu.sheet).collect();
    Some(ClusterSpec { servers, power_budget_w, interconnects, network, gpus, catalogue })
}

fn read_group(at: &At<'_>, catalogue: &[Arc<Sku>]) -> Option<ServerGroup> {
    let keys = at.keys()?;
    let sku = keys.need("sku").and_then(|at| sku(&at, catalogue));
    let count = keys.need("count").and_then(|at| at.count_to(0, MAX_SERVERS));
    let limit_at = keys.get("limit");
    let limit = limit_at.as_ref().and_then(|at| at.count_to(0, MAX_SERVERS));
    keys.finish();
    if let (Some(at), Some(limit), Some(count)) = (limit_at, limit, count)
        && limit < count
    {
        at.refuse(format!("limit {limit} is below count {count}"), None);
    }
    Some(ServerGroup { sku: sku?, count: count?, limit })
}

/// The SKU named here.
pub(super) fn sku(at: &At<'_>, catalogue: &[Arc<Sku>]) -> Option<Arc<Sku>> {
    let name = at.text()?;
    let exact = catalogue.iter().find(|sku| sku.name == name);
    match exact.or_else(|| catalogue.iter().find(|sku| sku.name.eq_ignore_ascii_case(name))) {
        Some(sku) => Some(Arc::clone(sku)),
        None => {
            let known: Vec<&str> = catalogue.iter().map(|sku| sku.name.as_str()).collect();
            at.unknown("SKU", name, &known)
        }
    }
}

/// The built-in SKUs and those described here.
fn read_catalogue(keys: &Keys<'_>, gpus: &[OwnGpu]) -> Vec<Arc<Sku>> {
    let mut catalogue = known_skus();
    for at in keys.get("skus").and_then(|at| at.list()).unwrap_or_default() {
        let Some(sku) = read_sku(&at, gpus) else { continue };
        if catalogue.iter().any(|known| known.name == sku.name) {
            at.refuse(
                format!("there is already a SKU `{}`", sku.name),
                Some("choose another name".to_owned()),
            );
        } else {
            catalogue.push(Arc::new(sku));
        }
    }
    catalogue
}

fn read_sku(at: &At<'_>, gpus: &[OwnGpu]) -> Option<Sku> {
    let keys = at.keys()?;
    let name = keys.need("name").and_then(|at| at.text()).map(str::to_owned);
    let gpu = read_gpu(&keys, gpus);
    let gpus = keys.need("gpus").and_then(|at| at.count_to(1, MAX_GPUS));
    let idle_power_w = keys.get("idle_power_w").and_then(|at| at.not_negative());
    let busy_power_w = keys.get("busy_power_w").and_then(|at| at.not_negative());
    let price = keys.get("usd_per_gpu_h").and_then(|at| at.not_negative());
    keys.finish();
    let (gpu, gpus) = (gpu?, gpus?);
    let idle_power_w = idle_power_w.unwrap_or(DEFAULT_IDLE_W_PER_GPU * f64::from(gpus));
    let usd_per_gpu_h = price.or_else(|| known_price(&gpu.name));
    Some(Sku { name: name?, gpu, gpus, idle_power_w, busy_power_w, usd_per_gpu_h })
}

fn read_gpu(keys: &Keys<'_>, gpus: &[OwnGpu]) -> Option<GpuSpec> {
    let memory = keys.get("gpu_memory_gib");
    let memory_bytes = memory.as_ref().and_then(read_memory);
    let at = keys.need("gpu")?;
    let name = at.text()?;
    let own = gpus.iter().find(|gpu| gpu.spec.name == name).map(|gpu| gpu.spec.clone());
    match (memory, own.or_else(|| known_gpu(name))) {
        (Some(_), Some(gpu)) => Some(gpu.with_memory(memory_bytes?)),
        (Some(_), None) => Some(GpuSpec { name: name.to_owned(), memory_bytes: memory_bytes?, sheet: None }),
        (None, Some(gpu)) => Some(gpu),
        (None, None) => {
            let mut names: Vec<&str> = known_gpus().collect();
            names.extend(gpus.iter().map(|gpu| gpu.spec.name.as_str()));
            let help = format!(
                "describe it in `cluster.gpus`, or say its memory with `gpu_memory_gib`; known without: {}",
                names.join(", ")
            );
            at.refuse(format!("the memory of the GPU `{name}` is not known"), Some(help));
            None
        }
    }
}

fn read_memory(at: &At<'_>) -> Option<u64> {
    let gib = at.positive()?;
    if gib > MAX_GPU_MEMORY_GIB {
        return at.expected(&format!("at most {MAX_GPU_MEMORY_GIB} GiB"));
    }
    Some((gib * GIB) as u64)
}

fn read_interconnect(at: &At<'_>) -> Option<Interconnect> {
    let keys = at.keys()?;
    let link = keys.get("link").and_then(|at| at.text()).map(str::to_owned);
    let topology = keys.need("topology").and_then(|at| at.text()).map(str::to_owned);
    keys.finish();
    Some(Interconnect { link, topology: topology? })
}
