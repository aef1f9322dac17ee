//! The GPUs and servers known without being described.
//!
//! The first four GPUs and their servers are the ancestor's (splitwise-sim): memory 80 GiB and 40 GiB; idle draws
//! 1500 W for a dgx-a100, 2800 W for every other 8-GPU server; single-GPU servers draw what it gives one idle GPU:
//! 63 W (A100), 75 W (H100). `A100` and `H100` are the short names of the user's guide for 8-GPU servers.
//!
//! All others have the memory of their data sheet (`performance::roofline::builtin_gpus`). Idle draws nobody
//! published are assumed: that of the dgx-h100 for its successors, a tenth of the busy one for single GPUs. What busy
//! GPUs draw follows from their work (`performance::power`).

use std::sync::Arc;

use crate::scenario::{GpuSpec, Sku};

const GIB: u64 = 1 << 30;
const GB: u64 = 1_000_000_000;

/// GPU name, bytes of memory, rent in US dollars an hour.
///
/// Rents are list prices on demand: Lambda's for 8-GPU servers (A100, H100: 2026-09-25; B200: 2026-09-20), Nebius's
/// (H200, L40S: 2026-09-25), Vultr's (MI300X, 2025), the upper end on Akash (RTX PRO 6000, 2026). Sources:
/// github.com/tgarg01/silybench-data, api-evangelist/lambda-labs, gpu.blog. They vary more than threefold between
/// providers, so a study that is about money gives its own.
const GPUS: [(&str, u64, Option<f64>); 10] = [
    ("a100-40gb", 40 * GIB, None),
    ("a100-80gb", 80 * GIB, Some(2.79)),
    ("h100-80gb", 80 * GIB, Some(3.99)),
    ("h100-80gb-pcap", 80 * GIB, Some(3.99)),
    ("h200-141gb", 141 * GB, Some(4.50)),
    ("b200-180gb", 180 * GB, Some(6.69)),
    ("l40s-48gb", 48_300_000_000, Some(1.55)),
    ("rtx-pro-6000-96gb", 102_600_000_000, Some(2.04)),
    ("rtx-4090-24gb", 25_250_000_000, None),
    ("mi300x-192gb", 192 * GB, Some(1.85)),
];

/// SKU name, GPU, how many, idle watts.
const SKUS: [(&str, &str, u32, f64); 19] = [
    ("dgx-a100", "a100-80gb", 8, 1500.0),
    ("dgx-h100", "h100-80gb", 8, 2800.0),
    ("dgx-h100-pcap", "h100-80gb-pcap", 8, 2800.0),
    ("A100", "a100-80gb", 8, 1500.0),
    ("H100", "h100-80gb", 8, 2800.0),
    ("a100-80gb-x1", "a100-80gb", 1, 63.0),
    ("h100-80gb-x1", "h100-80gb", 1, 75.0),
    ("dgx-h200", "h200-141gb", 8, 2800.0),
    ("dgx-b200", "b200-180gb", 8, 2800.0),
    ("l40s-48gb-x8", "l40s-48gb", 8, 2800.0),
    ("rtx-pro-6000-96gb-x8", "rtx-pro-6000-96gb", 8, 2800.0),
    ("mi300x-192gb-x8", "mi300x-192gb", 8, 2800.0),
    ("h200-141gb-x1", "h200-141gb", 1, 75.0),
    ("b200-180gb-x1", "b200-180gb", 1, 100.0),
    ("l40s-48gb-x1", "l40s-48gb", 1, 35.0),
    ("rtx-pro-6000-96gb-x1", "rtx-pro-6000-96gb", 1, 60.0),
    ("rtx-4090-24gb-x1", "rtx-4090-24gb", 1, 45.0),
    ("rtx-4090-24gb-x8", "rtx-4090-24gb", 8, 2800.0),
    ("mi300x-192gb-x1", "mi300x-192gb", 1, 75.0),
];

/// Names of the known GPUs.
pub fn known_gpus() -> impl Iterator<Item = &'static str> {
    GPUS.iter().map(|(name, ..)| *name)
}

/// A known GPU.
pub fn known_gpu(name: &str) -> Option<GpuSpec> {
    let &(name, memory_bytes, _) = GPUS.iter().find(|(known, ..)| *known == name)?;
    Some(GpuSpec { name: name.to_owned(), memory_bytes, sheet: None })
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
    use crate::performance::roofline::find_gpu;

    #[test]
    fn every_sku_has_a_known_gpu() {
        assert_eq!(known_skus().len(), SKUS.len());
    }

    #[test]
    fn every_gpu_after_the_ancestors_has_the_memory_of_its_data_sheet() {
        for (name, memory_bytes, _) in &GPUS[4..] {
            assert_eq!(find_gpu(name).unwrap().memory_bytes, *memory_bytes as f64, "{name}");
        }
    }

    #[test]
    fn the_short_names_are_eight_gpu_servers() {
        let skus = known_skus();
        let named = |name: &str| skus.iter().find(|sku| sku.name == name).expect("it is in the table");
        assert_eq!((named("A100").gpus, named("A100").gpu.memory_bytes), (8, 85_899_345_920));
        assert_eq!(named("H100").gpu, named("dgx-h100").gpu);
    }
}
