//! The GPUs and servers known without being described.
//!
//! GPU memory and idle draws of servers are the ancestor's (splitwise-sim): 80 GiB and 40 GiB; 1500 W for a
//! dgx-a100, 2800 W for every other 8-GPU server. Single-GPU servers draw what it gives one idle GPU: 63 W
//! (A100), 75 W (H100). What busy GPUs draw follows from their work (`performance::power`). `A100` and `H100` are the short names of the user's guide for 8-GPU servers.

use std::sync::Arc;

use crate::scenario::{GpuSpec, Sku};

const GIB: u64 = 1 << 30;

/// GPU name, memory in GiB, rent in US dollars an hour.
///
/// Rents are Lambda's for 8-GPU servers on demand, as of 2026-09-25 (github.com/tgarg01/silybench-data); they
/// vary more than threefold between providers, so a study that is about money gives its own. The 40 GB card is
/// not listed there.
const GPUS: [(&str, u64, Option<f64>); 4] = [
    ("a100-40gb", 40, None),
    ("a100-80gb", 80, Some(2.79)),
    ("h100-80gb", 80, Some(3.99)),
    ("h100-80gb-pcap", 80, Some(3.99)),
];

/// SKU name, GPU, how many, idle watts.
const SKUS: [(&str, &str, u32, f64); 7] = [
    ("dgx-a100", "a100-80gb", 8, 1500.0),
    ("dgx-h100", "h100-80gb", 8, 2800.0),
    ("dgx-h100-pcap", "h100-80gb-pcap", 8, 2800.0),
    ("A100", "a100-80gb", 8, 1500.0),
    ("H100", "h100-80gb", 8, 2800.0),
    ("a100-80gb-x1", "a100-80gb", 1, 63.0),
    ("h100-80gb-x1", "h100-80gb", 1, 75.0),
];

/// Names of the known GPUs.
pub fn known_gpus() -> impl Iterator<Item = &'static str> {
    GPUS.iter().map(|(name, ..)| *name)
}

/// A known GPU.
pub fn known_gpu(name: &str) -> Option<GpuSpec> {
    let (name, memory_gib, _) = GPUS.iter().find(|(known, ..)| *known == name)?;
    Some(GpuSpec { name: (*name).to_owned(), memory_bytes: memory_gib * GIB })
}

/// The rent of a known GPU, in US dollars an hour.
pub fn known_price(gpu: &str) -> Option<f64> {
    GPUS.iter().find(|(known, ..)| *known == gpu)?.2
}

/// Every known kind of server.
pub fn known_skus() -> Vec<Arc<Sku>> {
    let sku = |&(name, gpu_name, gpus, idle_power_w): &(&str, &str, u32, f64)| {
        let usd_per_gpu_h = known_price(gpu_name);
        known_gpu(gpu_name).map(|gpu| {
            Arc::new(Sku {
                name: name.to_owned(),
                gpu,
                gpus,
                idle_power_w,
                busy_power_w: None,
                usd_per_gpu_h,
            })
        })
    };
    SKUS.iter().filter_map(sku).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sku_has_a_known_gpu() {
        assert_eq!(known_skus().len(), SKUS.len());
    }

    #[test]
    fn the_short_names_are_eight_gpu_servers() {
        let skus = known_skus();
        let named = |name: &str| skus.iter().find(|sku| sku.name == name).expect("it is in the table");
        assert_eq!((named("A100").gpus, named("A100").gpu.memory_bytes), (8, 85_899_345_920));
        assert_eq!(named("H100").gpu, named("dgx-h100").gpu);
    }
}
