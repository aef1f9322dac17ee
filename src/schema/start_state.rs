//! `start_state`: the instances that exist at time 0.

use serde_json::json;

use super::cluster::sku;
use super::forms::{Form, Object, any, bare_words, count, flag, list, number, positive};
use super::keys::KeyTable;
use crate::ids::Tag;
use crate::instance::continuous::Settings;

const PATH: &str = "start_state";
/// Where the table describes instances.
const INSTANCE: &str = "an instance";

/// The section.
pub fn form(table: &KeyTable) -> Form {
    let whole = || bare_words(["unallocated", "orca", "baseline"]);
    let split = || any([bare_words(["splitwise", "splitwise_hhcap"]), any_split()]);
    let whole_servers = Object::documented(table, PATH)
        .key("state_type", whole())
        .key("application_id", count(0))
        .key("instance", instance(table).form())
        .form();
    let pools = Object::documented(table, PATH)
        .key("state_type", split())
        .key("application_id", count(0))
        .key("split_type", bare_words(["homogeneous", "heterogeneous"]))
        .key("prompt", pool(table).about("the prefill pool"))
        .key("token", pool(table).about("the decode pool"))
        .form();
    let packed = Object::documented(table, PATH)
        .key("state_type", bare_words(["packed"]))
        .must("instances", list(packed(table), 0))
        .form();
    any([whole(), split(), whole_servers, pools, packed])
}

/// Any word with `splitwise` in it.
fn any_split() -> Form {
    Form::of(json!({"type": "string", "pattern": "splitwise"}))
}

fn pool(table: &KeyTable) -> Form {
    instance(table)
        .key("num_instances", count(0).about("servers of the pool, in a homogeneous split").otherwise(1))
        .key("instance_names", list(sku(), 0).about("SKUs of the pool, in a heterogeneous split"))
        .form()
}

fn packed(table: &KeyTable) -> Form {
    instance(table)
        .key("application", count(0).about("whose instances they are; the first application's otherwise"))
        .key("count", count(0).about("how many; 0 only says how scale-ups configure them").otherwise(1))
        .key("tag", bare_words(Tag::ALL.map(Tag::name)).about("their pool"))
        .form()
}

fn instance(table: &KeyTable) -> Object<'_> {
    let engines = bare_words(["vllm", "Splitwise", "ORCA", "DEFAULT"]);
    let selecting = Object::documented(table, INSTANCE)
        .key("instance_type", engines.about("batching engine"))
        .key("max_batch_size", count(1).about("requests in a batch at most"))
        .key("max_batch_tokens", count(1).about("prompt tokens and decodes in an iteration at most"))
        .key(
            "max_preemptions",
            count(0).about("iterations a request may be passed over before it goes first"),
        )
        .key(
            "pipeline_parallelism",
            count(1).about("groups of layers on GPUs of their own; only `roofline` counts them"),
        )
        .key("tensor_parallelism", count(1).about("GPUs that share every matrix"))
        .key(
            "data_parallelism",
            count(1).about(
                "engines that have requests of their own and share the experts, in step; `roofline` only",
            ),
        )
        .key(
            "expert_parallelism",
            count(1).about("how many of tensor × data GPUs keep experts whole; only `roofline` counts them"),
        );
    vllm(selecting)
}

/// With the settings of `vllm`, under its names.
fn vllm(instance: Object<'_>) -> Object<'_> {
    let Settings { max_num_batched_tokens, max_num_seqs, watermark_blocks, .. } = Settings::default();
    let Settings { chunked_prefill, prefix_caching, fast_forward, .. } = Settings::default();
    instance
        .key(
            "max_num_batched_tokens",
            count(1).about("vllm: tokens an iteration computes at most").otherwise(max_num_batched_tokens),
        )
        .key("max_num_seqs", count(1).about("vllm: sequences that run at most").otherwise(max_num_seqs))
        .key(
            "chunked_prefill",
            flag().about("vllm: whether a prompt may be computed in pieces").otherwise(chunked_prefill),
        )
        .key(
            "long_prefill_token_threshold",
            count(1).about("vllm: tokens of one prompt an iteration computes at most"),
        )
        .key(
            "scheduling_policy",
            bare_words(["fcfs", "priority"])
                .about("vllm: who goes first, the lower priority number or whoever came first"),
        )
        .key(
            "watermark_blocks",
            count(0)
                .about("vllm: KV blocks that stay free when a sequence joins others")
                .otherwise(watermark_blocks),
        )
        .key(
            "prefix_caching",
            flag()
                .about("vllm: whether computed blocks are kept for like beginnings")
                .otherwise(prefix_caching),
        )
        .key("speculation", speculation().about("vllm: speculative decoding"))
        .key("max_loras", count(1).about("vllm: different LoRA adapters that run at once"))
        .key(
            "gpu_memory_utilization",
            positive()
                .with("maximum", 1)
                .about("vllm: share of the GPUs' memory that it takes; 0.9, or 1 without `roofline`"),
        )
        .key(
            "num_gpu_blocks_override",
            count(1).about("vllm: KV blocks there are, whatever the memory leaves"),
        )
        .key(
            "fast_forward",
            flag()
                .about("vllm: pass over iterations that only decode at once; never changes a result")
                .otherwise(fast_forward),
        )
}

fn speculation() -> Form {
    Object::default()
        .must("draft_tokens", count(1).about("tokens drafted in an iteration"))
        .must(
            "acceptance",
            number(0.0, 1.0).about("share of drafted tokens accepted, if those before them are"),
        )
        .form()
}
