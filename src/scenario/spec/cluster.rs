//! Servers and what new ones are made from.

use std::sync::Arc;

use super::network::NetworkSpec;
use crate::cluster::known_gpu;
use crate::performance::roofline::{Gpu, GpuSheet, find_gpu};

/// A cluster: groups of equal servers, in order.
#[derive(Clone, Debug)]
pub struct ClusterSpec {
    /// In the order of the configuration; a count of 0 makes a SKU known for scale-ups.
    pub servers: Vec<ServerGroup>,
    /// Watts available; kept, not enforced. None: not given.
    pub power_budget_w: Option<f64>,
    /// Kept as given, the ancestor's.
    pub interconnects: Vec<Interconnect>,
    /// The links that KV caches move over; none: every request has a private one of the scheduler's bandwidth.
    pub network: Option<NetworkSpec>,
    /// GPUs of the scenario's own.
    pub gpus: Vec<GpuSheet>,
    /// SKUs that scale-ups may name although no group has them: the built-in catalogue.
    pub catalogue: Vec<Arc<Sku>>,
}

/// `count` servers of one SKU.
#[derive(Clone, Debug)]
pub struct ServerGroup {
    /// What each server is.
    pub sku: Arc<Sku>,
    /// How many exist at time 0.
    pub count: u32,
    /// How many can be had at once, those included; none: as many as wanted.
    pub limit: Option<u32>,
}

/// A kind of server.
#[derive(Clone, PartialEq, Debug)]
pub struct Sku {
    /// e.g. `dgx-h100`.
    pub name: String,
    /// The GPUs it holds.
    pub gpu: GpuSpec,
    /// How many of them.
    pub gpus: u32,
    /// Draw of a server that does nothing, in watts.
    pub idle_power_w: f64,
    /// Draw with all its GPUs busy, in watts; none: what its GPUs do decides, if they are known ones.
    pub busy_power_w: Option<f64>,
    /// Rent of one GPU, in US dollars an hour; none: not known, nothing is charged.
    pub usd_per_gpu_h: Option<f64>,
}

/// A kind of GPU.
#[derive(Clone, PartialEq, Debug)]
pub struct GpuSpec {
    /// As the performance tables name it, e.g. `h100-80gb`.
    pub name: String,
    /// Memory of one GPU.
    pub memory_bytes: u64,
    /// Its data sheet, where the scenario brings one; none: the built-in sheet of this name, if there is one.
    pub sheet: Option<Arc<Gpu>>,
}

impl GpuSpec {
    /// The GPU of a data sheet of one's own, its memory in whole bytes.
    pub fn of_sheet(sheet: Gpu) -> Self {
        let (name, memory_bytes) = (sheet.name.clone(), sheet.memory_bytes.round() as u64);
        GpuSpec { name, memory_bytes, sheet: Some(Arc::new(sheet)) }.with_memory(memory_bytes)
    }

    /// The same with another memory.
    pub fn with_memory(self, memory_bytes: u64) -> Self {
        let resized =
            |sheet: Arc<Gpu>| Arc::new(Gpu { memory_bytes: memory_bytes as f64, ..(*sheet).clone() });
        GpuSpec { memory_bytes, sheet: self.sheet.map(resized), ..self }
    }

    /// What `roofline` knows of it: its data sheet, with the memory it has here.
    pub fn data_sheet(&self) -> Option<Arc<Gpu>> {
        if let Some(own) = &self.sheet {
            return Some(Arc::clone(own));
        }
        let mut sheet = find_gpu(&self.name).ok()?;
        if known_gpu(&self.name).is_none_or(|known| known.memory_bytes != self.memory_bytes) {
            sheet.memory_bytes = self.memory_bytes as f64;
        }
        Some(Arc::new(sheet))
    }
}

/// A link of the cluster description.
#[derive(Clone, PartialEq, Debug)]
pub struct Interconnect {
    /// e.g. `infiniband`; none when not given.
    pub link: Option<String>,
    /// e.g. `p2p`.
    pub topology: String,
}
