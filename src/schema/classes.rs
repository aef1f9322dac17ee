//! `workload.classes`: who is promised what, and who goes first.

use super::forms::{Form, Object, count, list, positive, text};
use super::objectives;
use super::workload::lengths;

/// Classes of requests.
pub fn classes() -> Form {
    let class = Object::default()
        .must("name", text().about("unique"))
        .key(
            "share",
            positive().about("how many requests are of it, in proportion to the other classes").otherwise(1),
        )
        .key("priority", integer().about("lower goes first, at engines that mind").otherwise(0))
        .key("tenant", text().about("who pays for it"))
        .key("adapter", count(0).about("number of the LoRA adapter its requests need; see `max_loras`"))
        .key("slo", objectives().about("what is promised to it, e.g. `ttft.p99<1s`"))
        .key("prompt", lengths().unit("tokens").about("of its prompts, instead of those of the workload"))
        .key("output", lengths().unit("tokens").about("of its outputs, instead of those of the workload"))
        .form();
    list(class, 1)
}

fn integer() -> Form {
    Form::of(serde_json::json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}))
}
