//! Reads how an instance batches: its engine and the settings of that.
//!
//! Defaults of the ancestor's engines are the ancestor's: 512 tasks in a batch, 2048 tokens, 4 preemptions. Those of
//! `vllm` are vLLM's own, under its names.

use super::reader::{At, Keys};
use super::spec::EngineSpec;
use crate::instance::continuous::{QueueOrder, Settings, Speculation};

const ENGINES: [&str; 4] = ["vllm", "Splitwise", "ORCA", "DEFAULT"];
const ORDERS: [&str; 2] = ["fcfs", "priority"];

/// Settings of all engines.
const SETTINGS: [&str; 15] = [
    "max_batch_size",
    "max_batch_tokens",
    "max_preemptions",
    "max_num_batched_tokens",
    "max_num_seqs",
    "chunked_prefill",
    "long_prefill_token_threshold",
    "scheduling_policy",
    "watermark_blocks",
    "prefix_caching",
    "speculation",
    "max_loras",
    "gpu_memory_utilization",
    "num_gpu_blocks_override",
    "fast_forward",
];

const MAX_BATCH_SIZE: u32 = 512;
const MAX_BATCH_TOKENS: u64 = 2048;
const MAX_PREEMPTIONS: u32 = 4;

/// `Splitwise` with the ancestor's limits.
pub(super) const SPLITWISE: EngineSpec = EngineSpec::Splitwise {
    max_batch_size: MAX_BATCH_SIZE,
    max_batch_tokens: MAX_BATCH_TOKENS,
    max_preemptions: MAX_PREEMPTIONS,
};

/// The engine of the instance these keys describe; `otherwise` is its name when they do not name one.
pub(super) fn read(keys: Option<&Keys<'_>>, otherwise: &str) -> Option<EngineSpec> {
    let at = keys.and_then(|keys| keys.get("instance_type"));
    let name = match &at {
        Some(at) => at.text()?,
        None => otherwise,
    };
    let selecting = || read_selecting(keys);
    match (name.to_lowercase().as_str(), at) {
        ("vllm", _) => read_vllm(keys).map(EngineSpec::Vllm),
        ("default", _) => selecting().map(|_| EngineSpec::Default),
        ("orca", _) => selecting().map(|(max_batch_size, ..)| EngineSpec::Orca { max_batch_size }),
        ("splitwise", _) => selecting().map(|(max_batch_size, max_batch_tokens, max_preemptions)| {
            EngineSpec::Splitwise { max_batch_size, max_batch_tokens, max_preemptions }
        }),
        (_, Some(at)) => {
            // Whose settings the others are cannot be told without the engine.
            keys.inspect(|keys| keys.know(&SETTINGS));
            at.unknown("instance_type", name, &ENGINES)
        }
        (_, None) => None,
    }
}

/// The limits of the ancestor's engines; each accepts all of them.
fn read_selecting(keys: Option<&Keys<'_>>) -> Option<(u32, u64, u32)> {
    let get = |key| keys.and_then(|keys| keys.get(key));
    let count = |key, minimum, default| match get(key) {
        Some(at) => at.count(minimum),
        None => Some(default),
    };
    let max_batch_size = count("max_batch_size", 1, MAX_BATCH_SIZE);
    let max_batch_tokens = match get("max_batch_tokens") {
        Some(at) => at.whole(1),
        None => Some(MAX_BATCH_TOKENS),
    };
    let max_preemptions = count("max_preemptions", 0, MAX_PREEMPTIONS);
    Some((max_batch_size?, max_batch_tokens?, max_preemptions?))
}

/// The settings of `vllm`. That they go together is checked, and said where the budget stands.
fn read_vllm(keys: Option<&Keys<'_>>) -> Option<Settings> {
    let Some(keys) = keys else { return Some(Settings::default()) };
    let mut settings = Settings::default();
    let fine = [
        set(keys, "max_num_batched_tokens", |at| at.whole(1), &mut settings.max_num_batched_tokens),
        set(keys, "max_num_seqs", |at| at.count(1), &mut settings.max_num_seqs),
        set(keys, "chunked_prefill", |at| at.flag(), &mut settings.chunked_prefill),
        set(
            keys,
            "long_prefill_token_threshold",
            |at| at.whole(1).map(Some),
            &mut settings.long_prefill_token_threshold,
        ),
        set(keys, "scheduling_policy", read_order, &mut settings.order),
        set(keys, "watermark_blocks", |at| at.whole(0), &mut settings.watermark_blocks),
        set(keys, "prefix_caching", |at| at.flag(), &mut settings.prefix_caching),
        set(keys, "speculation", |at| read_speculation(at).map(Some), &mut settings.speculation),
        set(keys, "max_loras", |at| at.count(1).map(Some), &mut settings.max_loras),
        set(
            keys,
            "gpu_memory_utilization",
            |at| read_memory_share(at).map(Some),
            &mut settings.cache_space.gpu_memory_utilization,
        ),
        set(
            keys,
            "num_gpu_blocks_override",
            |at| at.whole(1).map(Some),
            &mut settings.cache_space.num_gpu_blocks_override,
        ),
        set(keys, "fast_forward", |at| at.flag(), &mut settings.fast_forward),
    ];
    if fine.contains(&false) {
        return None;
    }
    if let Err(problem) = settings.check() {
        let at = keys.get("max_num_batched_tokens").or_else(|| keys.get("max_num_seqs"));
        at.unwrap_or_else(|| keys.at.clone()).refuse(problem.to_string(), None);
        return None;
    }
    Some(settings)
}

/// Reads a key, if it is there, into its setting. Tells whether all is well.
fn set<T>(keys: &Keys<'_>, key: &'static str, read: impl Fn(&At<'_>) -> Option<T>, setting: &mut T) -> bool {
    let Some(at) = keys.get(key) else { return true };
    let value = read(&at);
    let fine = value.is_some();
    if let Some(value) = value {
        *setting = value;
    }
    fine
}

fn read_order(at: &At<'_>) -> Option<QueueOrder> {
    match at.text()? {
        "fcfs" => Some(QueueOrder::Fcfs),
        "priority" => Some(QueueOrder::Priority),
        other => at.unknown("scheduling_policy", other, &ORDERS),
    }
}

fn read_memory_share(at: &At<'_>) -> Option<f64> {
    let share = at.parsed().filter(|&share| share > 0.0 && share <= 1.0);
    share.or_else(|| at.expected("a share of the GPUs' memory, above 0 and at most 1"))
}

fn read_speculation(at: &At<'_>) -> Option<Speculation> {
    let keys = at.keys()?;
    let draft_tokens = keys.need("draft_tokens").and_then(|at| at.count(1));
    let acceptance = keys.need("acceptance").and_then(|at| {
        at.number().filter(|share| (0.0..=1.0).contains(share)).or_else(|| at.expected("a share from 0 to 1"))
    });
    keys.finish();
    Some(Speculation { draft_tokens: draft_tokens?, acceptance: acceptance? })
}
