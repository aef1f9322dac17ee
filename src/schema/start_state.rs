//! `start_state`: the instances that exist at time 0.

use serde_json::json;

use super::cluster::sku;
use super::forms::{Form, Object, any, bare_words, count, list};
use super::keys::KeyTable;

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
    any([whole(), split(), whole_servers, pools])
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

fn instance(table: &KeyTable) -> Object<'_> {
    let engines = bare_words(["Splitwise", "ORCA", "DEFAULT"]);
    Object::documented(table, INSTANCE)
        .key("instance_type", engines.about("batching engine"))
        .key("max_batch_size", count(1).about("requests in a batch at most"))
        .key("max_batch_tokens", count(1).about("prompt tokens and decodes in an iteration at most"))
        .key(
            "max_preemptions",
            count(0).about("iterations a request may be passed over before it goes first"),
        )
        .key("pipeline_parallelism", count(1).about("pipeline stages; kept, not simulated"))
        .key("tensor_parallelism", count(1).about("GPUs an instance is spread over"))
}
